"""One batch of patches in the event kernel, from the first release to the last record, some records at a time."""

# Host arrays stand where device arrays are declared.
# pyright: reportArgumentType=false

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import warp as wp

from nmjmc.errors import SimulationError, Status
from nmjmc.kernel.event import tables
from nmjmc.kernel.event.numbers import Patch
from nmjmc.kernel.event.sight import Sight
from nmjmc.kernel.event.state import State, Viewed
from nmjmc.kernel.host import sight, size
from nmjmc.kernel.host.job import Job, Members, Outcome
from nmjmc.kernel.host.scores import Sums
from nmjmc.kernel.physics import random

_GROWTH = 1.5
_MOST_SLOTS = 2**24 - 2  # what the word of a site can name
_PAGE = 0.0128


class EventBatch:
    """Runs one batch; `advance()` does a chunk, until `done`."""

    def __init__(self, job: Job, members: Members, device: str) -> None:
        """Prepare the patches; one of them may be the patch to view."""
        self.job, self.members = job, members
        self.patches, self.records = len(members.number), len(job.substeps)
        found, self.which = np.unique(members.point, return_inverse=True)
        self.points = [job.points[p] for p in found]
        self.lowered = [point.lowered for point in self.points]
        self.start = np.stack([lowered.start for lowered in self.lowered])[self.which]
        self.at, self.handled = 0, 0
        self.molecules = members.contents.sum(axis=1)
        self.viewed = self._viewed()
        self.state = self._prepare(device)
        self._count_sites()
        self.sight = self._sight()

    @property
    def done(self) -> bool:
        """Whether the last record has been made."""
        return self.at >= self.records

    def advance(self) -> int:
        """Run one chunk; the number of record intervals done.

        Raises:
            SimulationError: If the run cannot go on; nothing of the chunk is kept.
        """
        count = min(self.job.chunk, self.records - self.at)
        if self.viewed is not None:
            later = self.job.moments[self.job.moments > self.at]
            count = min(count, int(later[0]) - self.at) if later.size else count
        end = self.at + count
        self.state.follow(end, self.job.interval)
        while (self.state.report("status") & Status.POOL_OVERFLOW).any():
            self._grow()
            self.state.follow(end, self.job.interval)
        self.at = end
        self._check()
        if self.viewed is not None and self.at in self.job.moments:
            self._view()
        return count

    def outcome(self) -> Outcome:
        """What the records need."""
        state, columns = self.state, self.lowered[0].shape.columns
        shape = (self.patches, self.records + 1, columns)
        tally = state.tally.numpy().reshape(shape)
        sums = None
        if self.job.scored:
            instants = state.instants.numpy().reshape(shape).transpose(1, 0, 2)
            journeys = state.sums.numpy().reshape(self.patches, self.records + 1, 2).transpose(1, 0, 2)
            sums = Sums(instants, journeys)
        released = np.cumsum(state.released.numpy(), axis=1, dtype=np.int32)
        handled = int(state.report("handled").astype(np.int64).sum())
        return Outcome(
            np.cumsum(tally, axis=1, dtype=np.int32), released, self.start, handled, [], sums, self._seen()
        )

    def _prepare(self, device: str) -> State:
        job, lowered = self.job, self.lowered
        seeds = [point.seed for point in self.points]
        stacked = tables.stack(lowered)
        patches = tables.numbers(
            lowered, self.which, seeds, self.members.number, job.until, 1.0 / _PAGE, Patch.numpy_dtype()
        )
        numbers = (patches[name] for name in patches.dtype.names or ())
        if any(np.isnan(field).any() for field in (*stacked, *numbers)):
            raise SimulationError(Status.NON_FINITE, "before the first event")
        host = self._needed(seeds)
        kind = State
        if lowered[0].tables.stepping is not None:
            from nmjmc.kernel.event.state_steps import SteppedState

            kind = functools.partial(SteppedState, lowered)
        most = int(self.molecules.max())
        buckets = size.buckets(most)
        sites, slots = host[0][0].shape[1], size.slots(most)
        while True:
            state = kind(
                stacked, patches, slots, sites, self.records, buckets, job.scored, self.viewed, device
            )
            state.prepare(job.interval, host)
            if not (state.report("status") & Status.POOL_OVERFLOW).any():
                return state
            slots = int(_GROWTH * slots)

    def _needed(self, seeds: list[int]) -> list[tuple[np.ndarray, Any]]:
        """What only the preparation reads, in the order in which it takes it."""
        job, points = self.job, self.points
        kinds = (random.Purpose.RELEASE, random.Purpose.SITES, random.Purpose.PLACE)
        keys = [word for kind in kinds for word in tables.keys(seeds, self.which, self.members.number, kind)]
        resting = np.concatenate([np.cumsum(point.lowered.resting, axis=1) for point in points])
        stands = np.array([_standing(point) for point in points])
        places = np.stack([point.sites.ravel() for point in points])
        time, radius, scale = (
            np.concatenate([np.atleast_1d(point.pore[k]) for point in points]) for k in range(3)
        )
        real = np.float32
        return [
            (tables.templates(self.lowered), wp.uint8),
            (stands.astype(real), wp.float32),
            (resting.astype(real), wp.float32),
            (np.stack(keys, axis=1), wp.uint32),
            (self.members.contents.astype(np.int32), wp.int32),
            (places.astype(real), wp.float32),
            (np.asarray(job.times, np.float64), wp.float64),
            (time.astype(real), wp.float32),
            (radius.astype(real), wp.float32),
            (scale.astype(real), wp.float32),
        ]

    def _count_sites(self) -> None:
        """Note how many sites of each patch are in each state at the beginning."""
        states = self.start.shape[1] - 3
        if all(p.dilution == (1.0, 1.0) and not _is_busy(p.lowered) for p in self.points):
            return
        self.start[:, :states] = self._sites_by_state(states)

    def _sites_by_state(self, states: int) -> np.ndarray:
        """Sites of each patch by their states; patch by patch, so that what is in between stays in the cache."""
        found = np.empty((self.patches, states), np.int64)
        for row, words in zip(found, self.state.sites.numpy(), strict=True):
            row[:] = np.bincount(words.astype(np.uint8), minlength=256)[:states]
        return found

    def _grow(self) -> None:
        slots = int(_GROWTH * self.state.slots)
        if slots > _MOST_SLOTS:
            raise SimulationError(Status.POOL_OVERFLOW, self._where())
        self.state.grow(slots)

    def _where(self) -> str:
        return f"by {self.at * self.job.interval:.3g} ms"

    def _check(self) -> None:
        """Refuse a state that cannot be right: a fault bit, or molecules that do not add up, patch by patch."""
        status = int(np.bitwise_or.reduce(self.state.report("status")))
        if status:
            raise SimulationError(Status(status), self._where())
        if self.done and not self._sites_agree():
            raise SimulationError(Status.CONSERVATION, self._where())

    def _sites_agree(self) -> bool:
        """Whether each patch's sites are in the states in which what was counted leaves them."""
        change, columns = self.lowered[0].stoichiometry, self.lowered[0].shape.columns
        states = self.start.shape[1] - 3
        tally = self.state.tally.numpy().reshape(self.patches, -1, columns)
        happened = tally.sum(axis=1, dtype=np.int64)[:, : change.shape[0]]
        counted = self.start[:, :states] + happened @ change[:, :states]
        return bool((counted == self._sites_by_state(states)).all())

    def _viewed(self) -> Viewed | None:
        """The patch to view, if it is among these."""
        job = self.job
        found = (
            np.flatnonzero(self.members.number == job.view_patch) if job.moments.size else np.zeros(0, int)
        )
        if not found.size:
            return None
        lowered = self.lowered[0]
        hydrolysed = lowered.stoichiometry[:, lowered.names.index("hydrolysed")]
        return Viewed(int(found[0]), int(self.molecules[found[0]]), (hydrolysed > 0).astype(np.int32))

    def _sight(self) -> Sight | None:
        if self.viewed is None:
            return None
        vacant = self.lowered[0].tables.chemistry.states - 1
        states = self.state.sites[self.viewed.patch].numpy().astype(np.uint8)
        return Sight(
            sight.chosen(self.viewed.molecules, self.job.view_molecules), np.flatnonzero(states != vacant)
        )

    def _view(self) -> None:
        """Add a frame of the viewed patch."""
        if self.sight is not None:
            point = self.points[0]
            seed = point.seed + 0x9E3779B97F4A7C15 * (self.at + 1)
            self.sight.look(self.state, self.at * self.job.interval, point, seed)

    def _seen(self) -> dict[str, np.ndarray] | None:
        """The frames of the viewed patch as arrays; None where it is not among these."""
        if self.sight is None or self.viewed is None:
            return None
        point = self.points[0]
        tables, held = point.lowered.tables, self.members.contents[self.viewed.patch]
        folds = None if tables.stepping is None else tables.stepping.folds
        places = sight.tile_places(tables.lattice, folds, point.lamina)
        first = int(np.asarray(tables.lattice.offset)[1])
        return sight.assembled(self.sight.frames, self.sight.chosen, held, self.sight.sites, places, first)


def _standing(point: Any) -> list[float]:
    """How the sites of a parameter set stand.

    Returns:
        The chance of a tile of each plane, whether a bath keeps sites busy, and how many esterases are drawn from how
        many tiles (0 of 0 where each tile has its chance).
    """
    chance = 1.0 / np.asarray(point.dilution)
    lowered = point.lowered
    esterase = int(np.flatnonzero(lowered.resting[1])[0])  # in which all of them rest
    drawn = [point.drawn, int(lowered.start[esterase])] if point.drawn >= 0 else [0, 0]
    return [*chance, _is_busy(lowered), *drawn]


def _is_busy(lowered: Any) -> bool:
    """Whether sites change before the first release, because a bath keeps them busy."""
    resting, rates = lowered.resting, np.asarray(lowered.tables.chemistry.exit_rate)[:-1]
    return bool(((resting > 0) & (rates > 0)).any() or (resting.max(axis=1) < 1).any())
