"""All arrays of a batch on its device, and the two programs that work on them.

Of each patch: a row of the calendar, its entries, the word of each site, what happened in each record interval, and
for scores when it happened. Nothing else lives between two launches, so that a batch can stop after any record.
"""

# Host arrays stand where device arrays are declared.
# pyright: reportArgumentType=false, reportIndexIssue=false, reportCallIssue=false

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import warp as wp

from nmjmc.kernel.event.calendar import HEAD
from nmjmc.kernel.event.follow import follow
from nmjmc.kernel.event.kin import Kin
from nmjmc.kernel.event.numbers import Patch
from nmjmc.kernel.event.prepare import prepare
from nmjmc.kernel.event.sight import free_slots
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


class Viewed(NamedTuple):
    """The patch of a batch that is viewed: its place in the batch, its molecules, and which transitions split one."""

    patch: int
    molecules: int
    destroys: np.ndarray


class State:
    """The arrays of a batch.

    Attributes:
        rows: calendars, int32 [v, 784 + buckets].
        pools: entries, uint32 [v, 8 slots].
        sites: words of the sites, uint32 [v, sites].
        tally: transitions in each interval, int32 [v, (t + 1) columns]; with it `instants` and `sums` for scores.
        reports: what each patch tells the host, int32 [v, 3].
        released: molecules released in each interval, int32 [v, t + 1].
        origins: where and when journeys of the viewed patch began, float32 [3 slots].
        kin: who is who in the viewed patch.
    """

    def __init__(
        self, tables: Tables, patches: np.ndarray, slots: int, sites: int, records: int, buckets: int, scored: bool,
        viewed: Viewed | None, device: str,
    ) -> None:  # fmt: skip
        """Lay out the arrays; `patches`: the numbers of each, of type `numbers.Patch`."""
        self.device, self.viewed = device, viewed
        count, columns = len(patches), int(patches["columns"][0])
        self.tables = Tables(*(put(field, _KINDS[field.dtype.name], device) for field in tables))
        if viewed is not None:
            patches["viewed"][viewed.patch] = 1
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
        self.origins = self._empty((1 if viewed is None else 3 * slots,), wp.float32)
        self.kin = self._kin(viewed, slots, sites)
        self.seen = np.zeros(
            (0, 4)
        )  # where and when molecules were seen last: x, y, then, begin of the journey

    def _kin(self, viewed: Viewed | None, slots: int, sites: int) -> Any:
        kin, device = Kin(), self.device
        molecules = 1 if viewed is None else viewed.molecules
        kin.molecule = put(np.arange(1 if viewed is None else slots, dtype=np.int32), wp.int32, device)
        kin.top = put(np.full(1 if viewed is None else sites, -1, np.int32), wp.int32, device)
        kin.below = put(np.full(molecules, -1, np.int32), wp.int32, device)
        kin.fate = self._empty((molecules,), wp.int32)
        kin.exit = self._empty((2 * molecules,), wp.float32)
        kin.destroys = put(np.zeros(1, np.int32) if viewed is None else viewed.destroys, wp.int32, device)
        return kin

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
            self.kin,
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
        if self.viewed is not None:
            origins = np.zeros(3 * slots, np.float32)
            origins[: self.origins.shape[0]] = self.origins.numpy()
            self.origins = put(origins, wp.float32, self.device)
            kin = self.kin.molecule.numpy()
            self.kin.molecule = put(np.pad(kin, (0, slots - kin.size)), wp.int32, self.device)

    def free(self, time: float, point: Any, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """The slots of the viewed patch's free molecules, and where they are at a time [um].

        Args:
            time: the moment [ms].
            point: the patch's point.
            seed: of what is drawn.
        """
        pool = self.pool_of_viewed()
        origin = self.origins.numpy().reshape(-1, 3).astype(np.float64)
        slots = free_slots(pool, origin[:, 2], time)
        place = pool[slots, 2:4].view(np.float32)
        due = pool[slots, 0:2].copy().view(np.float64)[:, 0]
        tables, shape = point.lowered.tables, point.lowered.shape
        # a journey that was seen under way goes on from where it was seen
        seen = np.zeros((len(pool), 4))
        seen[: len(self.seen)] = self.seen
        on_the_way = (seen[:, 2] > origin[:, 2]) & (seen[:, 3] == origin[:, 2]) & (seen[:, 2] < time)
        start = np.where(on_the_way[:, None], seen[:, :3], origin)
        found = view.between(start[slots], place, due, time, tables, shape.disc, point.height, seed)
        self.seen = np.zeros((len(pool), 4))
        self.seen[slots] = np.stack(
            [found[:, 0], found[:, 1], np.full(len(slots), time), origin[slots, 2]], axis=1
        )
        return slots, found

    def pool_of_viewed(self) -> np.ndarray:
        """The words of the viewed patch's entries, uint32 [slots, 8]."""
        patch = 0 if self.viewed is None else self.viewed.patch
        return self.pools[patch].numpy().reshape(-1, WORDS)


_KINDS = {"float32": wp.float32, "int32": wp.int32}
