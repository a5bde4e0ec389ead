"""The arrays of a batch whose transport is by steps, and the programs that work on them."""

# Host arrays stand where device arrays are declared.
# pyright: reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false

from __future__ import annotations

from typing import Any

import numpy as np
import warp as wp

from nmjmc.kernel.event.follow_steps import follow_steps, look, prepare_steps
from nmjmc.kernel.event.ground import Ground, grounds
from nmjmc.kernel.event.journey import ESCAPE
from nmjmc.kernel.event.state import State, put
from nmjmc.kernel.physics.lower import Lowered


class SteppedState(State):
    """As `State`, with what steps need besides.

    Attributes:
        grounds: the numbers of steps and folds of each point, of type `Ground`.
        leaving: chance of each state to be left by a freed molecule, float32.
        begun: when the walks of the viewed patch began, float64 [slots]; `drawn` their first draws.
    """

    def __init__(self, points: list[Lowered], *args: Any) -> None:
        """Lay out the arrays; `args` as for `State`."""
        super().__init__(*args)
        leaving = np.concatenate([np.asarray(p.tables.chemistry.leaving, np.float32) for p in points])
        self.grounds = wp.array(grounds(points), dtype=Ground, device=self.device)
        self.leaving = put(leaving, wp.float32, self.device)
        slots = 1 if self.viewed is None else self.slots
        self.begun = self._empty((slots,), wp.float64)
        self.drawn = self._empty((slots,), wp.uint32)

    def prepare(self, interval: float, host: list[tuple[np.ndarray, Any]]) -> None:
        """As `State.prepare`."""
        needed = [put(values, kind, self.device) for values, kind in host]
        inputs = [
            0,
            interval,
            self.patches,
            self.grounds,
            self.tables.leave,
            self.origins,
            self.begun,
            self.drawn,
        ]
        inputs += [self.rows, self.pools, self.sites, *needed, self.released, self.reports]
        self._launch(prepare_steps, inputs)

    def follow(self, end: int, interval: float) -> None:
        """As `State.follow`."""
        t = self.tables
        inputs = [0, end, interval, self.patches, self.grounds, t.accept, self.leaving]
        inputs += [t.leave, t.share, t.path, t.target, t.releases, t.change]
        inputs += [self.origins, self.begun, self.drawn, self.kin, self.rows, self.pools, self.sites]
        inputs += [self.tally, self.reports]
        self._launch(follow_steps, inputs)

    def grow(self, slots: int) -> None:
        """As `State.grow`."""
        super().grow(slots)
        if self.viewed is not None:
            spare = slots - self.begun.shape[0]
            self.begun = put(np.pad(self.begun.numpy(), (0, spare)), wp.float64, self.device)
            self.drawn = put(np.pad(self.drawn.numpy(), (0, spare)), wp.uint32, self.device)

    def free(self, time: float, point: Any, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """As `State.free`; a walk is known at each step, so that nothing is drawn here but y between far apart ones."""
        found = self._empty((self.slots, 4), wp.float32)
        patch = 0 if self.viewed is None else self.viewed.patch
        inputs = [patch, time, self.patches, self.grounds, self.origins, self.begun, self.drawn]
        wp.launch(look, dim=self.slots, inputs=[*inputs, self.pools, self.sites, found], device=self.device)
        places = found.numpy()
        pool = self.pool_of_viewed()
        # a site has freed it beyond the rim, so that it leaves without a walk
        on_the_rim = (self.begun.numpy() >= _NO_WALK) & ((pool[:, 4] & 7) == ESCAPE)
        places[on_the_rim, :2] = pool[on_the_rim, 2:4].view(np.float32)
        slots = np.flatnonzero((places[:, 3] > 0) | on_the_rim)
        return slots, np.ascontiguousarray(places[slots, :3])


_NO_WALK = 1.0e29
"""Less than what stands for the begin of a walk that there is none of."""
