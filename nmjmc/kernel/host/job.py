"""What a run asks of its batches, and what a batch gives back: the same for both executors."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from nmjmc.kernel.host.scores import Sums
from nmjmc.kernel.physics.lower import Lowered
from nmjmc.kernel.physics.release import PoreTable


class Point(NamedTuple):
    """What is one parameter set's own.

    Attributes:
        lowered: the synapse as arrays.
        pore: how molecules leave their vesicle.
        sites: release sites of a patch [um].
        seed: seed of its patches.
        height: of the cleft [um], for the views.
        dilution: tiles for each site of the two planes, more than one where sites stand at random.
        lamina: height of the esterase plane [um], for the views.
        drawn: esterases that are drawn from their tiles; -1 where each tile has its chance.
    """

    lowered: Lowered
    pore: PoreTable
    sites: np.ndarray
    seed: int
    height: float
    dilution: tuple[float, float] = (1.0, 1.0)
    drawn: int = -1
    lamina: float = 0.0


class Job(NamedTuple):
    """What all batches of a run share; all points have the same shape, schemes, times and steps.

    Attributes:
        points: the parameter sets.
        times: release times of a patch [ms].
        interval: time between records [ms].
        substeps: windows of the pass of JAX in each record interval.
        chunk: most intervals of a chunk.
        until: end of the run [ms].
        view: records between two views of the first patch, 0 for none (the pass of JAX).
        moments: the records at which the event kernel views the patch of number `view_patch`; of its molecules it
            keeps at most `view_molecules`.
        executor: `warp` or `jax` (see `executor`).
    """

    points: tuple[Point, ...]
    times: np.ndarray
    interval: float
    substeps: np.ndarray
    chunk: int
    until: float
    view: int
    executor: str = "jax"
    moments: np.ndarray = np.zeros(0, int)
    view_patch: int = 0
    view_molecules: int | None = None

    @property
    def scored(self) -> bool:
        """Whether what scores need is kept."""
        return self.lowered.shape.scored > 0

    @property
    def lowered(self) -> Lowered:
        """The first point as arrays, for what all points share."""
        return self.points[0].lowered


class Members(NamedTuple):
    """The patches of a batch: the point of each, its number in that point's run, and what its vesicles hold."""

    point: np.ndarray
    number: np.ndarray
    contents: np.ndarray


class Outcome(NamedTuple):
    """Transitions and releases of each patch by each record, its first counts, and views of the first patch of all.

    `seen` holds the molecules of the viewed patch, by the event kernel. Where scores are wanted, `tally` counts
    rejections as well, and `sums` holds what else they need.
    """

    tally: np.ndarray
    released: np.ndarray
    start: np.ndarray
    handled: int
    views: list[tuple[float, np.ndarray]]
    sums: Sums | None = None
    seen: dict[str, np.ndarray] | None = None


def record_intervals(duration: float, interval: float) -> int:
    """Record intervals of a run [both ms]: as many as cover its duration, so that the last record may lie after it."""
    return max(1, math.ceil(duration / interval - 1e-6))
