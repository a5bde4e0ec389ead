"""What does not change while a batch runs: its patches, their parameter sets, and what their preparation reads."""

# Host arrays stand where device arrays are declared.
# pyright: reportArgumentType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import warp as wp
from jaxtyping import Int

from nmjmc.kernel.event import tables
from nmjmc.kernel.event.state import Viewed
from nmjmc.kernel.host.job import Job, Members, Point
from nmjmc.kernel.physics import random
from nmjmc.kernel.physics.lower import Lowered


@dataclass(frozen=True)
class Plan:
    """The patches of a batch.

    Attributes:
        job: the run.
        members: the patches.
        points: the parameter sets that they have.
        which: the set of each patch, as its place in `points`.
    """

    job: Job
    members: Members
    points: tuple[Point, ...]
    which: Int[np.ndarray, " v"]

    @classmethod
    def of(cls, job: Job, members: Members) -> Plan:
        """The plan of some patches of a run."""
        found, which = np.unique(members.point, return_inverse=True)
        return cls(job, members, tuple(job.points[p] for p in found), which)

    @property
    def patches(self) -> int:
        """Number of patches."""
        return len(self.members.number)

    @property
    def records(self) -> int:
        """Record intervals."""
        return len(self.job.substeps)

    @property
    def lowered(self) -> list[Lowered]:
        """The parameter sets as arrays."""
        return [point.lowered for point in self.points]

    @property
    def molecules(self) -> Int[np.ndarray, " v"]:
        """Molecules that the vesicles of each patch hold."""
        return self.members.contents.sum(axis=1)

    @property
    def start(self) -> Int[np.ndarray, "v q"]:
        """First counts of each patch, where nothing is drawn at random before the first release."""
        return np.stack([lowered.start for lowered in self.lowered])[self.which]

    @property
    def is_drawn(self) -> bool:
        """Whether sites stand, or are busy, at random before the first release."""
        return any(p.dilution != (1.0, 1.0) or _is_busy(p.lowered) for p in self.points)

    def viewed(self) -> Viewed | None:
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

    def next_end(self, at: int, viewing: bool) -> int:
        """The record after which the next launch stops, from record `at` on."""
        count = min(self.job.chunk, self.records - at)
        if viewing:
            later = self.job.moments[self.job.moments > at]
            count = min(count, int(later[0]) - at) if later.size else count
        return at + count

    def needed(self) -> list[tuple[np.ndarray, Any]]:
        """What only the preparation reads, in the order in which it takes it."""
        job, points = self.job, self.points
        seeds = [point.seed for point in points]
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
