"""What the device computes with, put together on the host: the tables of all parameter sets of a batch.

All points of a job have schemes of one structure; every number is a point's own.
"""

# Host arrays stand where device arrays are declared.
# pyright: reportArgumentType=false

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nmjmc.kernel.physics import random
from nmjmc.kernel.physics.lower import Lowered
from nmjmc.kernel.physics.tables import FIRST


class Tables(NamedTuple):
    """The arrays by the names that the kernel gives them (see `site`, `journey` and `follow`).

    `waits` holds the time of each row of the tables of journeys and the chance that the attempt then falls on the
    receptor plane, side by side, because a journey reads both.
    """

    waits: np.ndarray
    scale: np.ndarray
    accept: np.ndarray
    leave: np.ndarray
    share: np.ndarray
    path: np.ndarray
    target: np.ndarray
    releases: np.ndarray
    change: np.ndarray
    attempt: np.ndarray
    survival: np.ndarray
    decay: np.ndarray


def stack(points: list[Lowered]) -> Tables:
    """The tables of some points."""
    parts = [point.tables for point in points]

    def joined(field: Any, kind: type) -> np.ndarray:
        return np.concatenate([np.asarray(field(part), kind) for part in parts])

    chemistry = parts[0].chemistry
    scores = [part.journeys.scores for part in parts]
    if scores[0] is None:
        empty = (np.zeros((1, 2), np.float32),) * 3
    else:
        empty = tuple(
            np.concatenate([np.asarray(s[k], np.float32).reshape(-1, 2) for s in scores if s is not None])
            for k in range(3)
        )
    return Tables(
        joined(lambda t: np.stack([t.journeys.time, t.journeys.on_receptor], axis=1).ravel(), np.float32),
        joined(lambda t: t.journeys.scale, np.float32),
        joined(lambda t: t.chemistry.acceptance, np.float32),
        joined(lambda t: t.chemistry.exit_rate, np.float32),
        joined(lambda t: t.chemistry.cumulative, np.float32),
        np.asarray(chemistry.path, np.int32),
        np.asarray(chemistry.target, np.int32),
        np.asarray(chemistry.releases, np.int32),
        np.asarray(points[0].stoichiometry[:, points[0].names.index("free_ach")], np.int32),
        *empty,
    )


def numbers(
    points: list[Lowered], which: np.ndarray, seeds: list[int], number: np.ndarray, until: float, per_page: float,
    kind: Any,
) -> np.ndarray:  # fmt: skip
    """The numbers of each patch, as an array of `numbers.Patch`.

    Args:
        points: the points of the batch.
        which: the point of each patch.
        seeds: the seed of each point.
        number: the number of each patch in its point's run.
        until: end of the run [ms].
        per_page: pages of the calendar to a millisecond.
        kind: the structure's type.
    """
    found: Any = np.zeros(len(points), kind)
    for row, point in zip(found, points, strict=True):
        t, shape = point.tables, point.shape
        row["diffusion"], row["edge"], row["half"] = t.diffusion, t.edge, t.lattice.half
        row["pitch0"], row["pitch1"] = np.asarray(t.lattice.pitch, np.float32)
        row["across0"], row["across1"] = np.asarray(t.lattice.across)
        row["offset"], row["states"] = np.asarray(t.lattice.offset)[1], t.chemistry.states
        row["slope"], row["mixing"] = t.journeys.slope, t.journeys.mixing_time
        row["transitions"], row["columns"] = shape.transitions, shape.columns
        row["disc"], row["reflecting"], row["scored"] = shape.disc, shape.reflecting, shape.scored > 0
    found["table"] = found["chem"] = np.arange(len(points))
    found["until"], found["per_page"] = until, per_page
    each = found[which]
    each["key0"], each["key1"] = keys(seeds, which, number, random.Purpose.EVENT)
    return each


def keys(
    seeds: list[int], which: np.ndarray, number: np.ndarray, purpose: random.Purpose
) -> tuple[np.ndarray, np.ndarray]:
    """The random key of each patch for a purpose."""
    halves = np.array([random.split_seed(seed) for seed in seeds], np.uint32)[which]
    return random.host_keys((halves[:, 0], halves[:, 1]), number, purpose)


def templates(points: list[Lowered]) -> np.ndarray:
    """State of each tile of an undisturbed patch, for each point; tiles that a point lacks are vacant."""
    vacant = points[0].tables.chemistry.states - 1
    kinds = [np.asarray(point.tables.template) - FIRST for point in points]
    kinds = [kind[: np.flatnonzero(kind != vacant)[-1] + 1] for kind in kinds]
    found = np.full((len(points), max(kind.size for kind in kinds)), vacant, np.uint8)
    for row, kind in zip(found, kinds, strict=True):
        row[: kind.size] = kind
    return found
