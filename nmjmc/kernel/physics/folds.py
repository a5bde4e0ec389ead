"""The folded membrane: where a molecule can go, which tile it meets, and where the sites stand.

Folds are slits |u| < w/2 of depth d below the crests (z = 0), u = x - i S for fold i; fold 0 lies under the middle of
the field, as folds do under active zones (Couteaux & Pecot-Dechavassine 1970, C R Acad Sci D 271:2346). The geometry
is uniform along y. A step moves along z and along x one after the other, in random order: along z in [-d, h] over a
slit and in [0, h] over a crest; along x freely above the crests and in |u| < w/2 below. Each of these mirrored moves
keeps an even density exactly even, and the random order makes the step its own time reversal.

Sites stand on four surfaces, each with a lattice of its own: receptors on the crests and on both walls of each fold
(graded with depth; the floor of a fold is bare), esterase on the lamina of the cleft (z = m, over slits as well) and
on a lamina in the middle of each fold (u = 0). Tiles are numbered in the order crests, walls, cleft lamina, fold
laminae, so that receptors come before esterases.
"""

# Host arrays are put where device arrays are declared.
# pyright: reportArgumentType=false, reportReturnType=false, reportCallIssue=false

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool, Float

from nmjmc.kernel.physics import lattice as lattices
from nmjmc.kernel.physics.tables import Folds
from nmjmc.synapse.cleft import Folded
from nmjmc.synapse.model import Synapse

CREST, WALL, CLEFT_LAMINA, FOLD_LAMINA = 0, 1, 2, 3
"""Surfaces in the order of their tiles."""


def build(s: Synapse) -> tuple[Folds, lattices.Lattice, list[Bool[np.ndarray, " tiles"]], list[float]]:
    """The lattices of a folded cleft (host arrays).

    Returns:
        The folds; the square lattice of the cleft's lamina; the live tiles of each surface; the area of a tile of
        each [um^2], infinite where it has no sites.
    """
    cleft = s.cleft
    if not isinstance(cleft, Folded):
        raise TypeError("a cleft without folds")
    radius, depth = float(cleft.exit_radius), float(cleft.fold_depth)
    width, spacing = float(cleft.fold_width), float(cleft.fold_spacing)
    edges, fractions = (np.asarray(v, np.float64) for v in s.receptor.fold_profile)
    if not edges.size:
        edges, fractions = np.array([depth]), np.array([1.0])
    extent = min(depth, float(edges[-1]))
    receptors, active = float(s.receptor.density), float(s.esterase.active_fraction)
    enzymes, folded = float(s.esterase.density) * active, float(s.esterase.fold_density) * active
    reach = math.ceil((radius + 0.5 * width) / spacing)
    count, bands = 2 * reach + 1, 2 * reach + 2
    crest, wall, inner = (
        _tiles(length, 2 * radius, density)
        for length, density in ((spacing - width, receptors), (extent, receptors), (depth, max(folded, 1e-6)))
    )
    square = lattices.tiles_across(max(enzymes, 1e-6), 2 * radius)
    middles = np.arange(-reach, reach + 1) * spacing
    faces = np.repeat(middles, 2) + np.tile([-0.5, 0.5], count) * width
    grades = receptors * _graded(wall, extent, edges, fractions)
    counts = _counts(radius, faces, middles, receptors, (extent, edges, fractions), folded * depth)
    live = [
        _live_crests(crest, bands, reach, radius, width, spacing, receptors, counts[0]),
        _live_folds(wall, faces, radius, grades, counts[1]),
        lattices.live_tiles(square, radius, enzymes, radius),
        _live_folds(inner, middles, radius, np.full(inner[0], folded), counts[2]),
    ]
    offset = np.cumsum([0] + [tiles.size for tiles in live]).astype(np.int32)
    lattice = lattices.Lattice(
        np.float32(radius),
        np.array([1.0, 2 * radius / square], np.float32),
        np.array([1, square], np.int32),
        np.array([0, offset[2]], np.int32),
    )
    found = Folds(
        np.float32(depth),
        np.float32(0.5 * width),
        np.float32(spacing),
        np.int32(-reach),
        np.int32(bands),
        np.array([t[2:] for t in (crest, wall, inner)], np.float32),
        np.array([t[:2] for t in (crest, wall, inner)], np.int32),
        offset[:4],
    )
    areas = [crest[2] * crest[3], wall[2] * wall[3], (2 * radius / square) ** 2, inner[2] * inner[3]]
    return (
        found,
        lattice,
        live,
        [a if tiles.any() else math.inf for a, tiles in zip(areas, live, strict=True)],
    )


def _counts(
    radius: float,
    faces: Float[np.ndarray, " n"],
    middles: Float[np.ndarray, " m"],
    receptors: float,
    profile: tuple[float, np.ndarray, np.ndarray],
    folded: float,
) -> tuple[int, int, int]:
    """Whole numbers of sites on the crests, the walls and the laminae of the folds: density times area of each.

    Args:
        radius: of the disc [um].
        faces, middles: where walls and middles of the folds are along x [um].
        receptors: density on the crests [1/um^2].
        profile: how deep receptors go, and the bands of their density.
        folded: esterases of a fold's lamina for each um of its length.
    """
    extent, edges, fractions = profile
    at = np.clip(faces / radius, -1.0, 1.0)
    under = radius**2 * (
        np.arcsin(at) + at * np.sqrt(1.0 - at**2)
    )  # area left of each face, less half the disc
    crests = receptors * (math.pi * radius**2 - float((under[1::2] - under[::2]).sum()))
    deep = float(np.diff(np.minimum(edges, extent), prepend=0.0) @ fractions)
    walls = receptors * deep * float(_chords(radius, faces).sum())
    # crests and walls together are the nearest whole number too
    return (
        round(crests),
        round(crests + walls) - round(crests),
        round(folded * float(_chords(radius, middles).sum())),
    )


def _chords(radius: float, x: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Lengths of a disc's chords at x [um]."""
    return 2.0 * np.sqrt(np.maximum(radius**2 - x**2, 0.0))


def _tiles(short: float, long: float, density: float) -> tuple[int, int, float, float]:
    """Tiles along two sides of a strip, and their pitches, so that none is larger than a site's share."""
    rows = max(1, round(short * math.sqrt(density)))
    columns = max(1, math.ceil(long * density * short / rows - 1e-6))
    return rows, columns, short / rows, long / columns


def _dithered(expected: Float[np.ndarray, "*tiles"]) -> Bool[np.ndarray, " tiles"]:
    """Tiles that hold a site, evenly spread, given how many each should hold on average (at most one)."""
    level = np.floor(np.cumsum(expected.ravel()) + (0.5 - 1e-7))
    return np.diff(level, prepend=0.0) >= 1.0


def _live_crests(
    tiles: tuple,
    bands: int,
    reach: int,
    radius: float,
    width: float,
    spacing: float,
    density: float,
    sites: int,
) -> Bool[np.ndarray, " tiles"]:
    columns, rows, pitch_x, pitch_y = tiles
    left = (np.arange(bands) - reach - 1) * spacing + 0.5 * width
    x = (left[:, None] + (np.arange(columns) + 0.5) * pitch_x).ravel()
    y = (np.arange(rows) + 0.5) * pitch_y - radius
    away = np.hypot(x[None, :], y[:, None])
    return _filled(away, np.full(away.shape, density * pitch_x * pitch_y), radius, sites)


def _filled(
    away: Float[np.ndarray, "*tiles"], expected: Float[np.ndarray, "*tiles"], radius: float, sites: int
) -> Bool[np.ndarray, " tiles"]:
    """Tiles that hold a site, given how far they are from the middle and what each should hold on average."""
    inside = (away <= radius) & (expected > 0)
    away = np.where(expected > 0, away, np.inf)
    return lattices.exactly(_dithered(inside * expected), inside.ravel(), away.ravel(), sites)


def _live_folds(
    tiles: tuple, x: Float[np.ndarray, " n"], radius: float, density: Float[np.ndarray, " deep"], sites: int
) -> Bool[np.ndarray, " tiles"]:
    _, columns, pitch_z, pitch_y = tiles
    y = (np.arange(columns) + 0.5) * pitch_y - radius
    away = np.hypot(x[:, None], y[None, :])[:, None, :]
    expected = (density * (pitch_z * pitch_y))[None, :, None]
    return _filled(*np.broadcast_arrays(away, expected), radius, sites)


def _graded(
    tiles: tuple, extent: float, edges: Float[np.ndarray, " n"], fractions: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " deep"]:
    """Mean density of each row of wall tiles as a part of the crests'."""
    at = np.linspace(0.0, extent, tiles[0] + 1)
    knots = np.concatenate([[0.0], edges])
    total = np.concatenate([[0.0], np.cumsum(fractions * np.diff(knots))])
    return np.diff(np.interp(at, knots, total)) / np.diff(at)
