"""All arrays of a batch on its device, and the two programs that work on them.

Of each patch: a row of the calendar, its entries, the word of each site, what happened in each record interval, and
for scores when it happened. Nothing else lives between two launches, so that a batch can stop after any record.
"""

# Host arrays stand where device arrays are declared.
# pyright: reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false

from __future__ import annotations

from typing import Any

import numpy as np
import warp as wp

from nmjmc.kernel.event.calendar import HEAD
from nmjmc.kernel.event.follow import follow
from nmjmc.kernel.event.numbers import Patch
from nmjmc.kernel.event.prepare import prepare
from nmjmc.kernel.event.start import block_of
from nmjmc.kernel.event.tables import Tables
from nmjmc.kernel.physics import view

STATUS = 10
"""The word of that row with the status bits."""

REPORT = ("status", "used", "handled")
"""Columns of what a patch reports after a launch: status bits, slots in use, events so far."""

WORDS = 8
"""Words of an entry."""


def put(values: np.ndarray, kind: Any, device: str) -> wp.array:
    """A host array on the device; on a CPU the array itself."""
    return wp.array(np.ascontiguousarray(values), dtype=kind, device=device, copy=False)


class State:
    """The arrays of a batch.

    Attributes:
        rows: calendars, int32 [v, 784 + buckets].
        pools: entries, uint32 [v, 8 slots].
        sites: words of the sites, uint32 [v, sites].
        tally: transitions in each interval, int32 [v, (t + 1) columns]; with it `instants` and `sums` for scores.
        reports: what each patch tells the host, int32 [v, 3].
        released: molecules released in each interval, int32 [v, t + 1].
        origins: where journeys of the first patch began, float32 [3 slots], where it is viewed.
    """

    def __init__(
        self, tables: Tables, patches: np.ndarray, slots: int, sites: int, records: int, buckets: int, scored: bool,
        viewed: bool, device: str,
    ) -> None:  # fmt: skip
        """Lay out the arrays; `patches`: the numbers of each, of type `numbers.Patch`."""
        self.device, self.viewed = device, viewed
        count, columns = len(patches), int(patches["columns"][0])
        self.tables = Tables(*(put(field, _KINDS[field.dtype.name], device) for field in tables))
        if viewed:
            patches["viewed"][0] = 1
        self.patches = wp.array(patches, dtype=Patch, device=device)
        self.count = count
        # what `prepare` fills is not filled here
        self.rows = wp.empty((count, HEAD + buckets), dtype=wp.int32, device=device)
        self.pools = wp.empty((count, WORDS * slots), dtype=wp.uint32, device=device)
        self.sites = wp.empty((count, sites), dtype=wp.uint32, device=device)
        counted = (records + 1) * columns
        self.tally = self._empty((count, counted), wp.int32)
        self.instants = self._empty((count, counted if scored else 1), wp.int32)
        self.sums = self._empty((count, 2 * (records + 1) if scored else 1), wp.int32)
        self.reports = self._empty((count, len(REPORT)), wp.int32)
        self.released = self._empty((count, records + 1), wp.int32)
        self.origins = self._empty((3 * slots if viewed else 1,), wp.float32)

    def _empty(self, shape: tuple[int, ...], kind: Any) -> wp.array:
        return wp.zeros(shape, dtype=kind, device=self.device)

    @property
    def slots(self) -> int:
        """Slots of a patch's pool."""
        return self.pools.shape[1] // WORDS

    def prepare(self, interval: float, host: list[tuple[np.ndarray, Any]]) -> None:
        """Put the patches at time 0; `host`: the arrays that only this needs, as `prepare` takes them."""
        t = self.tables
        needed = [put(values, kind, self.device) for values, kind in host]
        inputs = [0, interval, self.patches, t.waits, t.scale, t.leave, t.attempt, t.survival, t.decay]
        inputs += [self.origins]
        inputs += [self.rows, self.pools, self.sites, self.sums, *needed, self.released, self.reports]
        self._launch(prepare, inputs)

    def follow(self, end: int, interval: float) -> None:
        """Follow the patches to the end of record interval `end`."""
        inputs = [
            0,
            end,
            interval,
            self.patches,
            *self.tables,
            self.origins,
            self.rows,
            self.pools,
            self.sites,
        ]
        inputs += [self.tally, self.instants, self.sums, self.reports]
        self._launch(follow, inputs)

    def _launch(self, kernel: Any, inputs: list) -> None:
        block = block_of(self.device)
        wp.launch(kernel, dim=self.count, inputs=inputs, device=self.device, block_dim=block)

    def report(self, name: str) -> np.ndarray:
        """What each patch has reported after the last launch."""
        return self.reports.numpy()[:, REPORT.index(name)]

    def grow(self, slots: int) -> None:
        """Give each patch a longer pool, and let those go on that had stopped for want of one."""
        pools = np.zeros((self.count, WORDS * slots), np.uint32)
        pools[:, : self.pools.shape[1]] = self.pools.numpy()
        self.pools = put(pools, wp.uint32, self.device)
        rows = self.rows.numpy()
        rows[:, STATUS] &= ~1
        self.rows = put(rows, wp.int32, self.device)
        if self.viewed:
            origins = np.zeros(3 * slots, np.float32)
            origins[: self.origins.shape[0]] = self.origins.numpy()
            self.origins = put(origins, wp.float32, self.device)

    def free(self, time: float, point: Any, shape: Any, seed: int) -> np.ndarray:
        """Where the free molecules of the first patch are at a time [um].

        Args:
            time: the moment [ms].
            point: the patch's point.
            shape: what is compiled in.
            seed: of what is drawn.
        """
        pool = self.pools[0].numpy().reshape(-1, WORDS)
        origin = self.origins.numpy().reshape(-1, 3)
        free = np.flatnonzero(((pool[:, 4] & 7) < 6) & (origin[:, 2] <= time) & (pool[:, 4] != 0))
        place = pool[free, 2:4].view(np.float32)
        due = pool[free, 0:2].copy().view(np.float64)[:, 0]
        return view.between(
            origin[free], place, due, time, point.lowered.tables, shape.disc, point.height, seed
        )


_KINDS = {"float32": wp.float32, "int32": wp.int32}
