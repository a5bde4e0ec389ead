"""One batch of patches in the event kernel, from the first release to the last record, some records at a time."""

# Host arrays stand where device arrays are declared.
# pyright: reportArgumentType=false

from __future__ import annotations

import functools

import numpy as np

from nmjmc.errors import SimulationError, Status
from nmjmc.kernel.event import tables
from nmjmc.kernel.event.numbers import Patch
from nmjmc.kernel.event.plan import Plan
from nmjmc.kernel.event.sight import Sight
from nmjmc.kernel.event.state import State
from nmjmc.kernel.host import sight, size
from nmjmc.kernel.host.job import Job, Members, Outcome
from nmjmc.kernel.host.scores import Sums

_GROWTH = 1.5
_MOST_SLOTS = 2**24 - 2  # what the word of a site can name
_PAGE = 0.0128


class EventBatch:
    """Runs one batch; `advance()` does a chunk, until `done`.

    Attributes:
        plan: what does not change.
        at: the record that has been reached.
        viewed: the patch to view, or None.
        state: the arrays on the device.
        start: first counts of each patch, [v, q].
        sight: what was seen of the viewed patch.
    """

    def __init__(self, job: Job, members: Members, device: str) -> None:
        """Prepare the patches; one of them may be the patch to view."""
        self.plan, self.at = Plan.of(job, members), 0
        self.viewed = self.plan.viewed()
        self.state = self._prepare(device)
        self.start = self._start()
        self.sight = self._sight()

    @property
    def patches(self) -> int:
        """Number of patches."""
        return self.plan.patches

    @property
    def done(self) -> bool:
        """Whether the last record has been made."""
        return self.at >= self.plan.records

    def advance(self) -> int:
        """Run one chunk; the number of record intervals done.

        Raises:
            SimulationError: If the run cannot go on; nothing of the chunk is kept.
        """
        begun, interval = self.at, self.plan.job.interval
        end = self.plan.next_end(begun, self.viewed is not None)
        self.state.follow(end, interval)
        while (self.state.report("status") & Status.POOL_OVERFLOW).any():
            self._grow()
            self.state.follow(end, interval)
        self.at = end
        self._check()
        if self.viewed is not None and self.at in self.plan.job.moments:
            self._view()
        return end - begun

    def outcome(self) -> Outcome:
        """What the records need."""
        state, job, records = self.state, self.plan.job, self.plan.records
        shape = (self.patches, records + 1, job.lowered.shape.columns)
        tally = state.tally.numpy().reshape(shape)
        sums = None
        if job.scored:
            instants = state.instants.numpy().reshape(shape).transpose(1, 0, 2)
            journeys = state.sums.numpy().reshape(self.patches, records + 1, 2).transpose(1, 0, 2)
            sums = Sums(instants, journeys)
        released = np.cumsum(state.released.numpy(), axis=1, dtype=np.int32)
        handled = int(state.report("handled").astype(np.int64).sum())
        return Outcome(
            np.cumsum(tally, axis=1, dtype=np.int32), released, self.start, handled, [], sums, self._seen()
        )

    def _prepare(self, device: str) -> State:
        plan, job, lowered = self.plan, self.plan.job, self.plan.lowered
        seeds = [point.seed for point in plan.points]
        stacked = tables.stack(lowered)
        patches = tables.numbers(
            lowered, plan.which, seeds, plan.members.number, job.until, 1.0 / _PAGE, Patch.numpy_dtype()
        )
        numbers = (patches[name] for name in patches.dtype.names or ())
        if any(np.isnan(field).any() for field in (*stacked, *numbers)):
            raise SimulationError(Status.NON_FINITE, "before the first event")
        host = plan.needed()
        kind = State
        if lowered[0].tables.stepping is not None:
            from nmjmc.kernel.event.state_steps import SteppedState

            kind = functools.partial(SteppedState, lowered)
        most = int(plan.molecules.max())
        buckets = size.buckets(most)
        sites, slots = host[0][0].shape[1], size.slots(most)
        while True:
            state = kind(
                stacked, patches, slots, sites, plan.records, buckets, job.scored, self.viewed, device
            )
            state.prepare(job.interval, host)
            if not (state.report("status") & Status.POOL_OVERFLOW).any():
                return state
            slots = int(_GROWTH * slots)

    def _start(self) -> np.ndarray:
        """The first counts of each patch: how many sites are in each state, and no ACh anywhere."""
        start = self.plan.start
        if self.plan.is_drawn:
            states = start.shape[1] - 3
            start[:, :states] = self._sites_by_state(states)
        return start

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
        return f"by {self.at * self.plan.job.interval:.3g} ms"

    def _check(self) -> None:
        """Refuse a state that cannot be right: a fault bit, or molecules that do not add up, patch by patch."""
        status = int(np.bitwise_or.reduce(self.state.report("status")))
        if status:
            raise SimulationError(Status(status), self._where())
        if self.done and not self._sites_agree():
            raise SimulationError(Status.CONSERVATION, self._where())

    def _sites_agree(self) -> bool:
        """Whether each patch's sites are in the states in which what was counted leaves them."""
        change, columns = self.plan.job.lowered.stoichiometry, self.plan.job.lowered.shape.columns
        states = self.start.shape[1] - 3
        tally = self.state.tally.numpy().reshape(self.patches, -1, columns)
        happened = tally.sum(axis=1, dtype=np.int64)[:, : change.shape[0]]
        counted = self.start[:, :states] + happened @ change[:, :states]
        return bool((counted == self._sites_by_state(states)).all())

    def _sight(self) -> Sight | None:
        if self.viewed is None:
            return None
        vacant = self.plan.job.lowered.tables.chemistry.states - 1
        states = self.state.sites[self.viewed.patch].numpy().astype(np.uint8)
        return Sight(
            sight.chosen(self.viewed.molecules, self.plan.job.view_molecules),
            np.flatnonzero(states != vacant),
        )

    def _view(self) -> None:
        """Add a frame of the viewed patch."""
        if self.sight is not None:
            point = self.plan.points[0]
            seed = point.seed + 0x9E3779B97F4A7C15 * (self.at + 1)
            self.sight.look(self.state, self.at * self.plan.job.interval, point, seed)

    def _seen(self) -> dict[str, np.ndarray] | None:
        """The frames of the viewed patch as arrays; None where it is not among these."""
        if self.sight is None or self.viewed is None:
            return None
        point = self.plan.points[0]
        tables, held = point.lowered.tables, self.plan.members.contents[self.viewed.patch]
        folds = None if tables.stepping is None else tables.stepping.folds
        places = sight.tile_places(tables.lattice, folds, point.lamina)
        first = int(np.asarray(tables.lattice.offset)[1])
        return sight.assembled(self.sight.frames, self.sight.chosen, held, self.sight.sites, places, first)
