"""What a view of a patch's molecules is, put together from its frames.

`KINDS` are the states of a molecule. A place is cut to 2^-13 um (0.12 nm), far below what is drawn at random, so
that the file compresses well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8

from nmjmc.kernel.host.job import Job
from nmjmc.kernel.numerics import Numerics
from nmjmc.kernel.physics.lattice import Lattice
from nmjmc.kernel.physics.tables import Folds

KINDS = ("to come", "free", "bound", "split", "left")
"""States of a molecule: not yet released, free in the cleft, held by a site, hydrolysed, gone at the rim."""
TO_COME, FREE, BOUND, HYDROLYSED, GONE = range(5)

ONSET = 0.1
"""After a release views may be more frequent for so long [ms]; in it most molecules bind or are split."""

_GRAIN = 2.0**-13


class Frame(NamedTuple):
    """One moment [ms]: kind, tile of its site (-1 for none) and place [um] of each molecule; states of sites."""

    time: float
    kind: UInt8[np.ndarray, " n"]
    held: Int[np.ndarray, " n"]
    place: Float[np.ndarray, "n 3"]
    state: UInt8[np.ndarray, " s"]


def view_moments(
    numerics: Numerics, times: Float[np.ndarray, " k"], interval: float, records: int
) -> Int[np.ndarray, " f"]:
    """The records at which a patch is viewed; none where no views are asked for.

    Args:
        numerics: how often, and how often just after a release.
        times: of the releases [ms].
        interval: time between records [ms].
        records: how many there are.
    """
    if numerics.view_interval is None:
        return np.zeros(0, np.int64)
    found = set(range(0, records + 1, _stride(numerics.view_interval, interval)))
    if numerics.view_onset_interval is not None:
        stride, whole = _stride(numerics.view_onset_interval, interval), round(ONSET / interval)
        for begin in np.floor(times / interval + 1e-6).astype(int):
            found |= set(range(begin, min(begin + whole, records) + 1, stride))
    return np.array(sorted(found - {0}), np.int64)


def _stride(view: float, interval: float) -> int:
    return max(1, round(view / interval))


def free_places(seen: Mapping[str, np.ndarray]) -> list[tuple[float, Float[np.ndarray, "n 3"]]]:
    """The free molecules of each frame [um], with its time [ms]."""
    frames = zip(seen["time"], seen["place"], seen["state"], strict=True)
    return [(float(time), place[state == FREE]) for time, place, state in frames]


class Size(NamedTuple):
    """How large a view is: frames, molecules and sites; `bytes` of its arrays."""

    frames: int
    molecules: int
    sites: int

    @property
    def bytes(self) -> int:
        """Of all arrays: of a molecule in a frame its state, site and place, of a site its state."""
        return self.frames * (17 * self.molecules + self.sites)


def size_of(job: Job, molecules: float) -> Size:
    """How large the view of a job is, of patches with so many molecules."""
    most = math.inf if job.view_molecules is None else job.view_molecules
    sites = int(job.lowered.start[:-3].sum())
    return Size(len(job.moments), int(min(molecules, most)), sites)


def chosen(molecules: int, most: int | None) -> Int[np.ndarray, " n"]:
    """The molecules that are kept, evenly spread over their numbers; all of them where `most` is None."""
    if most is None or most >= molecules:
        return np.arange(molecules, dtype=np.int32)
    return ((np.arange(most) * molecules + molecules // 2) // most).astype(np.int32)


def assembled(
    frames: Sequence[Frame],
    molecules: Int[np.ndarray, " n"],
    contents: Int[np.ndarray, " k"],
    sites: Int[np.ndarray, " s"],
    places: Float[np.ndarray, "tiles 3"],
    first_esterase: int,
) -> dict[str, np.ndarray]:
    """The frames as the arrays of a `Molecules` record, by the names of its fields.

    Args:
        frames: what was seen.
        molecules: numbers of the molecules that were kept.
        contents: molecules of each vesicle of the patch.
        sites: numbers of the tiles that hold a site.
        places: where each tile is [um].
        first_esterase: number of the first tile of an esterase.
    """
    row = np.full(len(places), -1, np.int32)
    row[sites] = np.arange(len(sites), dtype=np.int32)
    places = places.astype(np.float32)
    held = np.stack([frame.held for frame in frames])
    place = np.stack([frame.place for frame in frames])
    at = np.where(held >= 0, held, 0)
    place = np.where((held >= 0)[..., None], places[at], place)
    _keep_the_height(place)
    return {
        "time": np.array([frame.time for frame in frames], np.float64),
        "number": molecules.astype(np.int32),
        "vesicle": np.searchsorted(np.cumsum(contents), molecules, side="right").astype(np.int16),
        "state": np.stack([frame.kind for frame in frames]),
        "place": (np.trunc(place / _GRAIN) * _GRAIN).astype(np.float32),
        "site": np.where(held >= 0, row[at], -1).astype(np.int32),
        "site_place": places[sites].astype(np.float32),
        "site_is_esterase": (sites >= first_esterase).astype(np.uint8),
        "site_state": np.stack([frame.state for frame in frames]),
    }


def _keep_the_height(place: Float[np.ndarray, "f n 3"]) -> None:
    """A molecule that has left keeps the height at which it was seen last, 0 where it never was."""
    height = np.zeros(place.shape[1], place.dtype)
    for now in place:
        height = np.where(np.isfinite(now[:, 2]), now[:, 2], height)
        now[:, 2] = np.where(np.isfinite(now[:, 0]), height, np.nan)


def tile_places(lattice: Lattice, folds: Folds | None, lamina: float) -> Float[np.ndarray, "tiles 3"]:
    """The middle of each tile [um], in the order of the sites: x, y from the middle of the patch, z above the crests.

    Args:
        lattice: the square lattices.
        folds: those of the folds, or None in a flat cleft.
        lamina: height of the esterase plane [um].
    """
    if folds is None:
        return np.concatenate([_square(lattice, 0, 0.0), _square(lattice, 1, lamina)])
    radius, first, bands = float(lattice.half), int(folds.first), int(folds.bands)
    pitch, across = np.asarray(folds.pitch, np.float64), np.asarray(folds.across)
    width, spacing = 2 * float(folds.half_width), float(folds.spacing)
    left = (np.arange(bands) + first - 1) * spacing + 0.5 * width
    columns, rows = across[0]
    x = (left[:, None] + (np.arange(columns) + 0.5) * pitch[0, 0]).ravel()
    # x runs fastest on the crests, y in the folds
    y, x = np.meshgrid((np.arange(rows) + 0.5) * pitch[0, 1] - radius, x, indexing="ij")
    crests = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1)
    middles = np.arange(first, first + bands - 1) * spacing
    faces = np.repeat(middles, 2) + np.tile([-0.5, 0.5], middles.size) * width
    deep = [
        _grid(x, -(np.arange(across[k][0]) + 0.5) * pitch[k, 0], (np.arange(across[k][1]) + 0.5) * pitch[k, 1] - radius)
        for k, x in ((1, faces), (2, middles))
    ]  # fmt: skip
    return np.concatenate([crests, deep[0], _square(lattice, 1, lamina), deep[1]])


def _square(lattice: Lattice, plane: int, height: float) -> Float[np.ndarray, "tiles 3"]:
    """A plane's square lattice, row by row along y."""
    across, pitch = int(np.asarray(lattice.across)[plane]), float(np.asarray(lattice.pitch)[plane])
    at = (np.arange(across) + 0.5) * pitch - float(lattice.half)
    y, x = np.meshgrid(at, at, indexing="ij")
    return np.stack([x.ravel(), y.ravel(), np.full(x.size, height)], axis=1)


def _grid(x: np.ndarray, z: np.ndarray, y: np.ndarray) -> Float[np.ndarray, "tiles 3"]:
    """All combinations, the last of the three axes running fastest."""
    found = np.meshgrid(x, z, y, indexing="ij")
    return np.stack([found[0].ravel(), found[2].ravel(), found[1].ravel()], axis=1)
