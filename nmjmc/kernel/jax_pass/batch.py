"""One batch of patches from the first release to the last record, chunk by chunk."""

# Host arrays are put where device arrays are declared; JAX moves them.
# pyright: reportArgumentType=false

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nmjmc.errors import SimulationError, Status
from nmjmc.kernel.host.job import Job, Members, Outcome
from nmjmc.kernel.host.scores import Sums
from nmjmc.kernel.jax_pass import contest, initial, sets, view
from nmjmc.kernel.jax_pass.chunk import BEFORE, Account, Span, repack, run_chunk, wipe_board
from nmjmc.kernel.jax_pass.lists import FEWEST, with_margin
from nmjmc.kernel.jax_pass.programs import Programs
from nmjmc.kernel.jax_pass.schedule import expected_molecules, fitting, patience, rung
from nmjmc.kernel.jax_pass.step import State
from nmjmc.kernel.physics import random
from nmjmc.kernel.physics.release import PoreTable
from nmjmc.kernel.physics.tables import Tables

_REDO = Status.DUE_OVERFLOW | Status.POOL_OVERFLOW
_LEAN = 8  # at most one due entry in so many is expected to split off a clock
_SPARE = 1.4  # of the live entries: room for clocks that split off and for stale ones (a choice)
_FULL = 1.15  # of the used entries; in between, the pool waits for the next chunk to be packed
_TRIES = 12
_FLUSH = 4  # passes after the last record, for chains of events at its very end


class Batch:
    """Runs one batch; `advance()` does a chunk, until `done`."""

    def __init__(
        self, job: Job, members: Members, size: int, programs: Programs, viewing: bool = False
    ) -> None:
        """Prepare the patches, padded to `size`; `viewing`: whether the first of them is the patch to view."""
        self.job, self.call, self.patches, self.size = job, programs, len(members.number), size
        spare = size - self.patches
        self.members = Members(
            np.pad(members.point, (0, spare), mode="edge"),
            np.pad(members.number, (0, spare), mode="linear_ramp", end_values=members.number[-1] + spare),
            np.pad(members.contents, ((0, spare), (0, 0))),
        )
        self.molecules = self.members.contents.sum(axis=1)
        self.attempts = job.attempts(self.members.point)
        self.records = len(job.substeps)
        # the sets of the batch, the last one again where a slot is free
        found, self.which = np.unique(self.members.point, return_inverse=True)
        self.points = [job.points[p] for p in np.pad(found, (0, job.slots - len(found)), mode="edge")]
        # a minimum may swallow a number that is none, so that it is looked for before it is computed with
        if any(
            np.isnan(leaf).any() for point in self.points for leaf in jax.tree.leaves(point.lowered.tables)
        ):
            raise SimulationError(Status.NON_FINITE, "before the first step")
        self.tables = jax.device_put(self._tables(), programs.device)
        # the same for all batches of a run, so that their programs are the same
        quanta = size * len(job.times)
        self.expected = expected_molecules(job.content, quanta)
        self.base = rung(self.expected * _SPARE)
        due = job.interval / job.substeps[0] * job.attempts() * self.expected / len(job.times)
        job.lists.settle(due, job.lowered.step is not None)
        self.state, self.released, first = self._prepare()
        self.start = np.stack([job.points[p].lowered.start for p in self.members.point])
        self._thin()
        self._add_bath()
        # transitions in each interval, whose number is that of the record at its end
        self.patience = patience(job.substeps, job.interval)
        self.tally = np.zeros((self.records + 1, self.patches, job.lowered.shape.columns), np.int32)
        self.sums = None if first is None else Sums.begin(self.tally, np.asarray(first)[: self.patches])
        self.at, self.grown, self.handled = 0, 1, 0
        self.rate, self.places = 0.0, FEWEST
        self.viewing, self.views = viewing, []
        self.free = int(self.molecules.sum())
        self.live = int(self.state.used)  # the molecules, and the clocks that a bath has set
        self.happened = np.zeros(job.lowered.shape.transitions + 1, np.int64)

    @property
    def done(self) -> bool:
        """Whether the last record has been made."""
        return self.at >= self.records

    def advance(self) -> int:
        """Run one chunk; the number of record intervals done.

        Raises:
            SimulationError: If the run cannot go on; nothing of the chunk is kept.
        """
        count = self._length()
        steps = self.job.substeps[self.at : self.at + count]
        if int(self.state.passed) + int(steps.sum()) + _FLUSH >= contest.PASSES:
            self.state = self.call(wipe_board, self.state)
        state, account = self._chunk(count, steps)
        self._check(state, account, self.at + count)
        rows = np.asarray(account.tally)[: BEFORE + count].reshape(BEFORE + count, -1, self.tally.shape[2])
        late = max(0, BEFORE - self.at)  # nothing can have happened before the first interval
        where = slice(self.at - BEFORE + late + 1, self.at + count + 1)
        self.tally[where] += rows[late:, : self.patches]
        if self.sums is not None and account.scores is not None:
            self.sums.add(where, slice(late, BEFORE + count), account.scores)
        self.state, self.handled = state, self.handled + int(state.handled)
        self.at += count
        self.rate = int(account.last_due) * steps[-1] / self.job.interval
        if int(account.live) == 0 and not self.done:
            self.at = self.records
        self.live = int(account.live)
        self._view()
        return count

    def outcome(self) -> Outcome:
        """What the records need."""
        keep = slice(0, self.patches)
        tally = np.cumsum(self.tally, axis=0, dtype=np.int32).transpose(1, 0, 2)
        released, start = np.asarray(self.released)[keep], self.start[keep]
        return Outcome(tally, released, start, self.handled, self.views, self.sums)

    def _tables(self) -> Tables:
        if self.job.slots == 1:
            return self.points[0].lowered.tables
        return sets.stack([point.lowered.tables for point in self.points], self.which)

    def _pore(self) -> PoreTable:
        return self.points[0].pore if self.job.slots == 1 else sets.stack_pores([p.pore for p in self.points])

    def _keys(self, purpose: random.Purpose) -> random.Words:
        """The random key of each patch for a purpose."""
        seeds = np.array([random.split_seed(self.job.points[p].seed) for p in self.members.point], np.uint32)
        return _keys_program(seeds.T, self.members.number.astype(np.uint32), purpose)

    def _view(self) -> None:
        """Note where the free molecules of the first patch are, if it is time to."""
        job = self.job
        if not job.view or not self.viewing or self.at % job.view:
            return
        time = self.at * job.interval
        shape = job.lowered.shape
        point = job.points[0]
        seed = point.seed + 0x9E3779B97F4A7C15 * (self.at + 1)
        found = view.molecules(self.state.pool, job.lowered.tables, shape, time, point.height, seed)
        self.views.append((time, found))

    def _prepare(self) -> tuple[State, Any, Any]:
        job, call = self.job, self.call
        keys = tuple(self._keys(purpose) for purpose in (random.Purpose.EVENT, random.Purpose.RELEASE))
        places = np.stack([job.points[p].sites for p in self.members.point])
        rows = fitting(self.base, self.molecules.sum() * _SPARE)
        # a sweep compiles one program for all its batches, also those that are not full
        rows = rows if job.slots == 1 else max(rows, self.base)
        load = initial.load(self.members.contents, places, job.times, rows)
        args = jax.device_put((self.tables, self._pore(), load, keys, np.float32(job.interval)), call.device)
        return call(_prepare_program, *args, shape=job.lowered.shape, records=self.records + 1)

    def _thin(self) -> None:
        """Make tiles vacant at random where there are more of them than sites."""
        if self.points[0].dilution == (1.0, 1.0):
            return
        own = [self.job.points[p] for p in self.members.point]
        chance = 1.0 / np.asarray([p.dilution for p in own], np.float32)
        drawn = np.asarray([p.drawn for p in own], np.int32)
        args = (self.tables, self.state, self._keys(random.Purpose.PLACE), chance, drawn)
        args = jax.device_put(args, self.call.device)
        self.state = self.state._replace(sites=self.call(_thin_program, *args, shape=self.job.lowered.shape))
        self._count_sites(self.start.shape[1] - 3)

    def _count_sites(self, states: int) -> None:
        """Note how many sites of each patch are in each state at the beginning."""
        kinds = (np.asarray(self.state.sites) & 0xFF).reshape(self.size, -1)
        for state in range(states):
            self.start[:, state] = (kinds == state).sum(axis=1)

    def _add_bath(self) -> None:
        """Draw the resting sites where a bath keeps them busy, and start their clocks."""
        lowered = self.job.lowered
        resting = np.stack([point.lowered.resting for point in self.points])
        rates = np.stack([point.lowered.tables.chemistry.exit_rate[:-1] for point in self.points])
        if not ((resting > 0) & (rates[:, None] > 0)).any() and (resting.max(axis=2) == 1).all():
            return
        key = self._keys(random.Purpose.SITES)
        args = jax.device_put((self.tables, self.state, key, resting.astype(np.float32)), self.call.device)
        word, due = self.call(_rest_program, *args, shape=lowered.shape)
        clocks = rung(int(jnp.sum(due < self.job.until)) + 1)
        pool = fitting(self.base, self.state.pool.due.shape[0] + clocks)
        until = jax.device_put(np.float32(self.job.until), self.call.device)
        self.state = self.call(initial.add_clocks, self.state, word, due, until, count=clocks, size=pool)
        self._count_sites(resting.shape[2])

    def _length(self) -> int:
        """Intervals of the next chunk: few after a release, where the number of events changes fast."""
        ends = np.ceil(self.job.times / self.job.interval).astype(int)
        fresh = (ends <= self.at) & (ends > self.at - self.grown)
        self.grown = 1 if self.at == 0 or fresh.any() else min(math.ceil(1.5 * self.grown), self.job.chunk)
        later = ends[ends > self.at]
        # the dates of the contests' claims must last for the chunk
        most = max(1, int(np.searchsorted(np.cumsum(self.job.substeps[self.at :]), contest.PASSES - _FLUSH)))
        until = (later.min() - self.at) if later.size else self.records
        if self.job.view:
            until = min(until, self.job.view - self.at % self.job.view)
        return int(min(self.grown, self.records - self.at, most, until))

    def _chunk(self, count: int, steps: np.ndarray) -> tuple[State, Account]:
        """The chunk, done again with longer lists where one overflowed."""
        self._fit(self._due(self.job.interval / steps[0], count))
        padded = np.pad(steps, (0, self.job.chunk - count), constant_values=1).astype(np.int32)
        flush = np.int32(_FLUSH if self.at + count == self.records else 0)
        bearable = np.pad(self.patience[self.at : self.at + count], (0, self.job.chunk - count))
        span = Span(
            np.int32(self.at), np.int32(count), np.float32(self.job.interval), padded, bearable, flush
        )
        span = jax.device_put(span, self.call.device)
        for _ in range(_TRIES):
            state, account = self.call(
                run_chunk, self.tables, self.state, span, shape=self.job.lowered.shape, capacity=self.places
            )
            status = Status(int(state.status))
            if not status & _REDO:
                return state, account
            # nothing of the chunk is kept; it is done again with a longer list
            if status & Status.DUE_OVERFLOW:
                self.places = self.job.lists.longer(self.state.pool.due.shape[0], self.places)
            if status & Status.POOL_OVERFLOW:
                self._repack(2 * self.state.pool.due.shape[0])
        raise SimulationError(status, f"at {self.at * self.job.interval:.3g} ms")

    def _due(self, step: float, count: int) -> float:
        """About how many entries will be due in a pass of the next chunk, whose first steps have this length."""
        begin, end = self.at * self.job.interval, (self.at + count) * self.job.interval
        fresh = ((self.job.times >= begin) & (self.job.times < end)) | (self.at == 0)
        attempts = fresh.sum() * self.molecules.sum() / len(self.job.times) * self.attempts
        return with_margin((self.rate + attempts) * step)

    def _fit(self, due: float) -> None:
        """Fit the lists to what comes next: few sizes, each compiled once."""
        size = self.state.pool.due.shape[0]
        if int(self.state.used) * _FULL > size:
            # spent entries and stale clocks fill it: pack before it grows
            self._repack(size)
            self.live = int(self.state.used)
        needed = self.live * _SPARE + due / _LEAN
        wanted = fitting(self.base, needed)
        if wanted < size or needed > size:
            self._repack(wanted)
            size = wanted
        self.places = self.job.lists.fitted(size, due)

    def _repack(self, size: int) -> None:
        """Pack the pool into `size` entries."""
        self.state = self.call(repack, self.state, size=size)
        if int(self.state.used) > size:
            raise SimulationError(Status.POOL_OVERFLOW, f"at {self.at * self.job.interval:.3g} ms")

    def _check(self, state: State, account: Account, records: int) -> None:
        """Refuse a state that cannot be right: a fault bit, or molecules that do not add up."""
        status, where = Status(int(state.status)), f"by {records * self.job.interval:.3g} ms"
        if status:
            raise SimulationError(status, where)
        change = self.job.lowered.stoichiometry[:, self.job.lowered.names.index("free_ach")]
        tally = np.asarray(account.tally).reshape(-1, self.tally.shape[2]).sum(axis=0, dtype=np.int64)
        tally = tally[: change.size]
        self.free, self.happened = self.free + int(tally @ change), self.happened + tally
        wrong = int(account.molecules) != self.free
        if wrong or (records >= self.records and not self._sites_agree(state)):
            raise SimulationError(Status.CONSERVATION, where)

    def _sites_agree(self, state: State) -> bool:
        """Whether the sites are in the states in which what was counted leaves them."""
        states = self.start.shape[1] - 3
        kinds = np.bincount(np.asarray(state.sites).astype(np.uint8), minlength=states)[:states]
        counted = self.start.sum(axis=0) + self.happened @ self.job.lowered.stoichiometry
        return bool((kinds == counted[:states]).all())


def _prepare_args(
    tables: Any, pore: Any, load: Any, keys: Any, interval: Any, shape: Any, records: int
) -> Any:
    return initial.prepare(tables, shape, pore, load, keys, interval, records)


def _rest_args(tables: Any, state: Any, keys: Any, resting: Any, shape: Any) -> Any:
    return initial.rest_sites(tables, shape, state, keys, resting)


_keys_program = jax.jit(random.vesicle_keys, static_argnames=("purpose",))


def _thin_args(tables: Any, state: Any, keys: Any, chance: Any, drawn: Any, shape: Any) -> Any:
    return initial.thin_sites(tables, shape, state, keys, chance, drawn)


_thin_program = jax.jit(_thin_args, static_argnames=("shape",))
_prepare_program = jax.jit(_prepare_args, static_argnames=("shape", "records"))
_rest_program = jax.jit(_rest_args, static_argnames=("shape",))
