"""What is seen of one patch between two launches: each molecule by its number, each site by its state.

Molecules on exact journeys are put on a Brownian bridge from where they were seen last, so that the frames of one
journey are points of one path; their height was integrated out, and is drawn evenly from the cleft, in which it is
mixed within h^2 / (pi^2 D), some 0.2 us. Stepped molecules stand where their walk has them. Of what is drawn here
nothing enters the physics.
"""

# Warp's arrays have no types.
# pyright: reportArgumentType=false

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt8

from nmjmc.kernel.event.kin import SPLIT
from nmjmc.kernel.host.sight import BOUND, FREE, GONE, HYDROLYSED, Frame

_CLOCK = 6
"""The least code of `aim` that is no molecule's (`pool.SPENT`)."""


class Sight:
    """Looks at the viewed patch; made once a run, because it remembers where molecules were seen last.

    Attributes:
        frames: what was seen so far.
        sites: numbers of the tiles that hold a site.
    """

    def __init__(self, chosen: Int[np.ndarray, " n"], sites: Int[np.ndarray, " s"]) -> None:
        """`chosen`: the molecules that are kept; `sites`: the tiles that hold a site."""
        self.chosen, self.sites = chosen, sites
        self.frames: list[Frame] = []

    def look(self, state: Any, time: float, point: Any, seed: int) -> None:
        """Add a frame.

        Args:
            state: the arrays of the batch, `State`.
            time: the moment [ms].
            point: the patch's parameter set.
            seed: of what is drawn.
        """
        patch, kin = state.viewed.patch, state.kin
        slots, places = state.free(time, point, seed)
        fate = kin.fate.numpy()
        kind = np.zeros(fate.size, np.uint8)
        held = np.full(fate.size, -1, np.int32)
        place = np.full((fate.size, 3), np.nan, np.float32)
        who = kin.molecule.numpy()[slots]
        kind[who], place[who] = FREE, places
        kind[fate == 1] = GONE
        place[fate == 1, :2] = kin.exit.numpy().reshape(-1, 2)[fate == 1]
        split = fate >= SPLIT
        kind[split], held[split] = HYDROLYSED, fate[split] - SPLIT
        self._bound(kin.top.numpy(), kin.below.numpy(), kind, held)
        words = state.sites[patch].numpy()
        kept = self.chosen
        tiles = words[self.sites].astype(np.uint8)
        self.frames.append(Frame(time, kind[kept], held[kept], place[kept], tiles))

    def _bound(
        self,
        top: Int[np.ndarray, " s"],
        below: Int[np.ndarray, " m"],
        kind: UInt8[np.ndarray, " m"],
        held: Int[np.ndarray, " m"],
    ) -> None:
        """Note the molecules in the piles of all sites."""
        site = np.flatnonzero(top >= 0)
        who = top[site]
        while who.size:
            kind[who] = BOUND
            held[who] = site
            who = below[who]
            site, who = site[who >= 0], who[who >= 0]


def free_slots(pool: np.ndarray, begun: Float[np.ndarray, " n"], time: float) -> Int[np.ndarray, " k"]:
    """The slots that hold a molecule which has left its vesicle by a time [ms]; `begun`: when each last set out.

    Args:
        pool: words of the entries, [slots, 8].
        begun: float32, so that a time may be rounded past the moment.
        time: the moment.
    """
    aim = pool[:, 4]
    return np.flatnonzero((aim != 0) & ((aim & 7) < _CLOCK) & (begun <= time * (1 + 1.2e-7)))
