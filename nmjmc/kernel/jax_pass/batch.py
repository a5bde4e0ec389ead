"""One batch of patches in the pass of JAX, from the first release to the last record, some records at a time.

The host prepares the arena (`begin`), calls one program chunk after chunk (`follow`), adds up what it counted, and
checks it: molecules and sites must be what the counts say. Nothing is ever done again, and no array changes its length.
"""

# Host arrays are put where device arrays are declared; JAX moves them.
# pyright: reportArgumentType=false

from __future__ import annotations

import jax
import numpy as np

from nmjmc.errors import SimulationError, Status
from nmjmc.kernel.host.job import Job, Members, Outcome
from nmjmc.kernel.host.scores import Sums
from nmjmc.kernel.jax_pass import begin, claims, sites, view
from nmjmc.kernel.jax_pass.arena import NONE, size_for
from nmjmc.kernel.jax_pass.follow import BEFORE, LAYOUTS, RECORDS, Chunk, Report, follow
from nmjmc.kernel.jax_pass.programs import Programs
from nmjmc.kernel.jax_pass.schedule import lateness
from nmjmc.kernel.physics import random

_FLUSH = 4  # windows after the last record, for chains of events at its very end


class Batch:
    """Runs one batch; `advance()` does a chunk, until `done`."""

    def __init__(self, job: Job, members: Members, programs: Programs, viewing: bool = False) -> None:
        """Prepare the patches; `viewing`: whether the first of them is the patch to view."""
        self.job, self.call, self.members = job, programs, members
        self.point = job.points[int(members.point[0])]
        self.patches, self.records = len(members.number), len(job.substeps)
        # a minimum may swallow a number that is none, so that it is looked for before it is computed with
        if any(np.isnan(leaf).any() for leaf in jax.tree.leaves(self.point.lowered.tables)):
            raise SimulationError(Status.NON_FINITE, "before the first step")
        self.layout = LAYOUTS["cpu" if programs.device.platform == "cpu" else "gpu"]
        tables = self.point.lowered.tables._replace(template=np.zeros(0, np.uint32))
        self.tables = jax.device_put(tables, programs.device)
        self._prepare()
        self.tally = np.zeros((self.records + 1, self.patches, job.lowered.shape.columns), np.int32)
        self.sums = Sums.begin(self.tally) if job.scored else None
        self.at, self.handled = 0, 0
        self.views: list[tuple[float, np.ndarray]] = []
        self.viewing = viewing and job.view > 0

    @property
    def done(self) -> bool:
        """Whether the last record has been made."""
        return self.at >= self.records

    def advance(self) -> int:
        """Run one chunk; the number of record intervals done.

        Raises:
            SimulationError: If the run cannot go on.
        """
        count = min(self.job.chunk, RECORDS, self.records - self.at)
        if self.viewing:
            count = min(count, self.job.view - self.at % self.job.view)
        chunk = self._chunk(count)
        shape = self.point.lowered.shape._replace(sites=0)
        self.state = self.state._replace(record=np.int32(0), window=np.int32(0))
        live = 0
        while int(self.state.record) < count:
            self._wipe_claims()
            self.state, report = self.call(
                follow, self.tables, self.own, self.state, chunk, shape=shape, layout=self.layout
            )
            self._count(report, count)
            live = int(report.live)
        self.at += count
        if live == 0:
            self.at = self.records
        if self.done and not self._sites_agree():
            raise SimulationError(Status.CONSERVATION, self._where(count))
        if self.viewing and self.at % self.job.view == 0:
            self._view()
        return count

    def outcome(self) -> Outcome:
        """What the records need."""
        tally = np.cumsum(self.tally, axis=0, dtype=np.int32).transpose(1, 0, 2)
        return Outcome(tally, self.released, self.start, self.handled, self.views, self.sums)

    def _prepare(self) -> None:
        """The arena of the batch, and how its sites stand."""
        job, lowered, contents = self.job, self.point.lowered, self.members.contents
        reserved = sites.reserved(lowered)
        self.size = size_for(begin.needed(lowered, contents), self.call.device.platform)
        states = sites.standing(
            lowered, self._keys(random.Purpose.PLACE), self.point.dilution, self.point.drawn
        )
        clocks = None
        if reserved:
            states, clocks = sites.resting(lowered, states, self._keys(random.Purpose.SITES))
        self.start = np.tile(lowered.start, (self.patches, 1))
        if reserved or self.point.dilution != (1.0, 1.0):
            for state in range(self.start.shape[1] - 3):
                self.start[:, state] = (states == state).sum(axis=1)
        own = begin.patches_of(lowered, contents, reserved, self._keys(random.Purpose.EVENT), self.size)
        places = np.broadcast_to(self.point.sites, (self.patches, *self.point.sites.shape))
        loaded = begin.load(contents, places, job.times, own, clocks, self.size)
        words = np.zeros(self.size.sites, np.uint32)
        top = np.full(states.shape, NONE)
        if clocks is not None:
            slot = self.members.contents.sum(axis=1)[:, None] + np.arange(states.shape[1])
            top = np.where(np.isfinite(clocks), slot, NONE)
        words[: states.size] = (states.astype(np.uint32) | (top.astype(np.uint32) << 8)).ravel()
        keys = [
            np.pad(key, (0, self.size.patches - self.patches)) for key in self._keys(random.Purpose.RELEASE)
        ]
        self.own = jax.device_put(own, self.call.device)
        args = jax.device_put((own, tuple(keys), self.point.pore, loaded, words), self.call.device)
        shape = lowered.shape
        width = 3 if shape.viewed else (2 if lowered.tables.stepping is not None else 0)
        self.state, left = self.call(begin.begin, *args, width=width, layout=self.layout)
        self.released = begin.released_by(
            np.asarray(left), loaded, own, self.patches, job.interval, self.records + 1
        )
        self.free = int(contents.sum())
        self.happened = np.zeros(shape.transitions, np.int64)

    def _keys(self, purpose: random.Purpose) -> tuple[np.ndarray, np.ndarray]:
        """The random key of each patch for a purpose."""
        low, high = (np.full(self.patches, half, np.uint32) for half in random.split_seed(self.point.seed))
        return random.host_keys((low, high), self.members.number, purpose)

    def _chunk(self, count: int) -> Chunk:
        steps = self.job.substeps
        late = lateness(steps, self.job.interval)
        own = slice(self.at, self.at + count)
        spare = (0, RECORDS - count)
        chunk = Chunk(
            np.int32(self.at),
            np.int32(count),
            np.float32(self.job.interval),
            np.pad(steps[own], spare, constant_values=1).astype(np.int32),
            np.pad(late[own], spare),
            np.int32(_FLUSH if self.at + count == self.records else 0),
        )
        return jax.device_put(chunk, self.call.device)

    def _wipe_claims(self) -> None:
        """Begin anew with claims, if the next window might run out of dates."""
        tiles = self.size.slots // self.layout.tile + 1
        if int(self.state.date) > tiles:
            return
        board = jax.device_put(np.full(self.size.sites, 0xFFFFFFFF, np.uint32), self.call.device)
        self.state = self.state._replace(claims=board, date=np.int32(claims.dates(self.layout.tile)))

    def _count(self, report: Report, count: int) -> None:
        """Add up what a call of the program has counted; refuse what cannot be right."""
        status = Status(int(self.state.status))
        if status:
            raise SimulationError(status, self._where(count))
        columns = self.tally.shape[2]
        rows = np.asarray(report.counts.tally).reshape(BEFORE + RECORDS, -1, columns)[
            : BEFORE + count, : self.patches
        ]
        early = max(0, BEFORE - 1 - self.at)  # nothing can have happened before the first record
        where = slice(self.at - BEFORE + 1 + early, self.at + count + 1)
        self.tally[where] += rows[early:]
        if self.sums is not None:
            self.sums.add(where, slice(early, BEFORE + count), report.counts.sums)
        change = self.job.lowered.stoichiometry[:, self.job.lowered.names.index("free_ach")]
        happened = rows.sum(axis=(0, 1), dtype=np.int64)[: change.size]
        self.free, self.handled = self.free + int(happened @ change), self.handled + int(self.state.handled)
        self.happened = self.happened + happened[: self.happened.size]
        if int(report.molecules) != self.free:
            raise SimulationError(Status.CONSERVATION, self._where(count))

    def _sites_agree(self) -> bool:
        """Whether the sites are in the states in which what was counted leaves them."""
        states = self.start.shape[1] - 3
        used = self.patches * self.point.lowered.tables.template.shape[0]
        kinds = np.bincount(np.asarray(self.state.sites)[:used].astype(np.uint8), minlength=256)[:states]
        change = self.job.lowered.stoichiometry[:-1, :states]
        return bool((kinds == self.start.sum(axis=0)[:states] + self.happened @ change).all())

    def _where(self, count: int) -> str:
        return f"by {(self.at + count) * self.job.interval:.3g} ms"

    def _view(self) -> None:
        """Note where the free molecules of the first patch are."""
        time = self.at * self.job.interval
        seed = self.point.seed + 0x9E3779B97F4A7C15 * (self.at + 1)
        slots = int(self.members.contents[0].sum())
        self.views.append((time, view.molecules(self.state, slots, self.point, time, seed)))
