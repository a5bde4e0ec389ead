"""How many patches of the event kernel ride together, and what memory they take; nothing is compiled for it."""

from __future__ import annotations

import math

from nmjmc.kernel.host.job import Job

SPARE = 1.125
"""Slots of a pool over its molecules: room for clocks that split off and for stale ones; more are given when needed."""

_WORK = (
    160_000  # molecules of a batch on a CPU: enough that starting it costs nothing, few enough to stop soon
)
_MOST = 512
_CPU_BYTES = 2**26  # of a batch on a CPU (a choice)
_GPU_BYTES = 40 * 2**30
_LEAST_BUCKETS, _MOST_BUCKETS = 2**8, 2**15


def slots(molecules: float) -> int:
    """Slots of a pool for so many molecules."""
    return int(SPARE * molecules) + 64


def buckets(molecules: float) -> int:
    """Most buckets of a page of the calendar for a patch of so many molecules."""
    found = _LEAST_BUCKETS
    while found < min(molecules / 2, _MOST_BUCKETS):
        found *= 2
    return found


def patch_bytes(job: Job, molecules: float) -> float:
    """Memory of a patch with so many molecules."""
    records = (len(job.substeps) + 1) * job.lowered.shape.columns * (2 if job.scored else 1)
    return 32 * slots(molecules) + 4 * (784 + buckets(molecules) + job.lowered.shape.sites + records)


def batch(job: Job, molecules: float, vesicles: int, lanes: int, platform: str, wanted: int) -> int:
    """Patches of a batch.

    Args:
        job: the run.
        molecules: of a patch, on average.
        vesicles: patches of the run.
        lanes: batches at once.
        platform: of the device.
        wanted: what the user asks for; 0 chooses.
    """
    if wanted > 0:
        return wanted
    if platform == "cpu":
        fit = max(1, int(_CPU_BYTES / patch_bytes(job, molecules)))
        most = min(_MOST, math.ceil(_WORK / max(molecules, 1.0)), fit)
    else:
        most = max(1, int(_GPU_BYTES / patch_bytes(job, molecules)))
    return max(1, min(most, math.ceil(vesicles / lanes)))
