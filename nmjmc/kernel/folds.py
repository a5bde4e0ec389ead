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

# Host arrays are put where device arrays are declared, and tuples are spread into records.
# pyright: reportArgumentType=false, reportCallIssue=false, reportReturnType=false

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Float, Int

from nmjmc.kernel import capture, random
from nmjmc.kernel import lattice as lattices
from nmjmc.kernel.tables import Folds, Stepping, Tables
from nmjmc.synapse.cleft import Folded
from nmjmc.synapse.model import Synapse

CREST, WALL, CLEFT_LAMINA, FOLD_LAMINA = 0, 1, 2, 3
"""Surfaces in the order of their tiles."""


def move(
    tables: Tables, p: Stepping, f: Folds, x: Array, y: Array, z: Array, words: list[Array]
) -> tuple[Array, Array, Array, Array, Array]:
    """One step: its end, the tile that it tries and whether it tries one.

    Args:
        tables: the run's numbers.
        p, f: those of stepped transport, and of the folds.
        x, y, z: starting points [um].
        words: five random words each.
    """
    east, north = random.normal_pair(words[0], words[1])
    up, _ = random.normal_pair(words[2], words[3])
    dx, dy, dz = p.spread * east, p.spread * north, p.spread * up
    # the lowest bit is not used by `uniform`
    z_first = (words[4] & jnp.uint32(1)) == jnp.uint32(1)
    beside = _along_x(f, x, z, dx)
    at_x = jnp.where(z_first, x, beside)
    low = jnp.where(_over_slit(f, at_x, z), -f.depth, 0.0)
    begin_z, height = z - low, p.height - low
    end_z = begin_z + dz
    z1 = capture.reflected(end_z, height) + low
    at_z = jnp.where(z_first, z1, z)
    x1 = jnp.where(z_first, _along_x(f, x, at_z, dx), beside)
    kind, way = _surface(p, f, x, at_z, dx, begin_z, end_z, low, height, random.uniform(words[4]))
    tile, there = _tile(tables, f, kind, at_x, y + way * dy, -at_z, dx > 0)
    return x1, y + dy, z1, tile, there


def _surface(
    p: Stepping, f: Folds, x: Array, at_z: Array, dx: Array, begin_z: Array, end_z: Array, low: Array, height: Array,
    u: Array,
) -> tuple[Int[Array, " e"], Float[Array, " e"]]:  # fmt: skip
    """The surface that a step tries (-1: none), and the part of its move at which it met it."""
    width, zero = 2.0 * f.half_width, jnp.zeros_like(p.height)
    begin_x = x - f.spacing * _fold(f, x) + f.half_width
    end_x = begin_x + dx
    inside = at_z < 0
    crest = jnp.where(low < 0, 0.0, 0.5 * capture.encounters(begin_z, end_z, zero, height)) * p.chance[0]
    lamina = capture.encounters(begin_z, end_z, p.lamina - low, height) * p.chance[1]
    wall = jnp.where(inside, jnp.abs(jnp.floor(end_x / width)), 0.0) * p.chance[2]
    middle = jnp.where(inside, capture.encounters(begin_x, end_x, f.half_width, width), 0.0) * p.chance[3]
    way_crest = capture.first_fraction(begin_z, end_z, zero, height)
    way_lamina = capture.first_fraction(begin_z, end_z, p.lamina - low, height)
    way_wall = capture.first_fraction(begin_x, end_x, jnp.where(dx > 0, width, 0.0), width)
    way_middle = capture.first_fraction(begin_x, end_x, f.half_width, width)
    kind, way, total = jnp.full(x.shape, -1), jnp.zeros_like(x), jnp.zeros_like(x)
    parts = (
        (CREST, crest, way_crest),
        (CLEFT_LAMINA, lamina, way_lamina),
        (WALL, wall, way_wall),
        (FOLD_LAMINA, middle, way_middle),
    )
    for number, chance, fraction in parts:
        here = (u >= total) & (u < total + chance)
        kind, way = jnp.where(here, number, kind), jnp.where(here, fraction, way)
        total = total + chance
    return kind, way


def _fold(f: Folds, x: Array) -> Array:
    """Number of the nearest fold, as a float."""
    return jnp.floor(x / f.spacing + 0.5)


def _over_slit(f: Folds, x: Array, z: Array) -> Bool[Array, " e"]:
    """Whether a point is over or in a slit (one below the crests always is, whatever the rounding)."""
    return (jnp.abs(x - f.spacing * _fold(f, x)) < f.half_width) | (z < 0)


def _along_x(f: Folds, x: Array, z: Array, dx: Array) -> Float[Array, " e"]:
    """Where a move along x ends: free above the crests, mirrored by the walls below."""
    middle = f.spacing * _fold(f, x)
    width = 2.0 * f.half_width
    confined = middle - f.half_width + capture.reflected(x - middle + f.half_width + dx, width)
    return jnp.where(z < 0, confined, x + dx)


def _tile(
    tables: Tables,
    f: Folds,
    kind: Int[Array, " e"],
    x: Array,
    y: Array,
    depth: Array,
    right: Bool[Array, " e"],
) -> tuple[Int[Array, " e"], Bool[Array, " e"]]:
    """The tile of a surface at a point, and whether there is one."""
    radius = tables.lattice.half
    lamina, _ = lattices.tile_under(tables.lattice, jnp.full(x.shape, lattices.ESTERASE), x, y)
    place = (x - f.half_width) / f.spacing
    band = jnp.floor(place)
    column, _ = _slot(f.spacing * (place - band), f.pitch[0, 0], f.across[0, 0])
    row, _ = _slot(y + radius, f.pitch[0, 1], f.across[0, 1])
    number = band.astype(jnp.int32) - f.first + 1
    crest = (row * f.bands + number) * f.across[0, 0] + column
    fold = _fold(f, x).astype(jnp.int32) - f.first
    deep, reached = _slot(depth, f.pitch[1, 0], f.across[1, 0])
    along, _ = _slot(y + radius, f.pitch[1, 1], f.across[1, 1])
    wall = (
        f.offset[1] + ((2 * fold + right.astype(jnp.int32)) * f.across[1, 0] + deep) * f.across[1, 1] + along
    )
    deep, _ = _slot(depth, f.pitch[2, 0], f.across[2, 0])
    along, _ = _slot(y + radius, f.pitch[2, 1], f.across[2, 1])
    middle = f.offset[3] + (fold * f.across[2, 0] + deep) * f.across[2, 1] + along
    tile = jnp.where(
        kind == CREST, crest, jnp.where(kind == WALL, wall, jnp.where(kind == FOLD_LAMINA, middle, lamina))
    )
    there = (kind >= 0) & (jnp.abs(x) <= radius) & (jnp.abs(y) <= radius)
    there = there & jnp.where(kind == WALL, reached, True)
    return jnp.where(there, tile, 0), there


def _slot(at: Array, pitch: Array, across: Array) -> tuple[Int[Array, " e"], Bool[Array, " e"]]:
    """Number of the tile at a place along one axis, and whether it lies on the lattice."""
    number = jnp.floor(at / pitch).astype(jnp.int32)
    return jnp.clip(number, 0, across - 1), number < across


def in_fold(f: Folds, tile: Int[Array, " e"]) -> Bool[Array, " e"]:
    """Whether tiles belong to the second pair of surfaces (walls and fold laminae)."""
    return ((tile >= f.offset[1]) & (tile < f.offset[2])) | (tile >= f.offset[3])


def release(
    tables: Tables, p: Stepping, f: Folds, tile: Int[Array, " e"], point: tuple[Array, Array], away: Array, side: Array,
    part: Array, full: Array, later: Bool[Array, " e"],
) -> tuple[Array, Array, Array]:  # fmt: skip
    """Where freed molecules are put: the time reversal of the steps that end on the tile.

    Args:
        tables, p, f: the run's numbers, those of stepped transport and of the folds.
        tile: number of the tile in its patch.
        point: a point on the tile, uniform on (0, 1).
        away: distance from the surface [um].
        side: 1 or -1, for the laminae.
        part: normal deviate along y times the part of the step that is left.
        full: normal deviate along the axis that is moved along separately.
        later: whether that move came after the surface was met.
    """
    x, y, z, kind = _point(tables, f, tile, point)
    width = 2.0 * f.half_width
    low = jnp.where(_over_slit(f, x, z), -f.depth, 0.0)
    level = z + jnp.where(kind == CREST, away, side * away) - low
    over = capture.reflected(level, p.height - low) + low
    left = f.spacing * _fold(f, x) - f.half_width
    aside = jnp.where(kind == WALL, jnp.where(x - left > f.half_width, -away, away), side * away)
    across = left + capture.reflected(x - left + aside, width)
    flat = (kind == CREST) | (kind == CLEFT_LAMINA)
    z0, x0 = jnp.where(flat, over, z), jnp.where(flat, x, across)
    moved_x = jnp.where(later, _along_x(f, x0, z0, p.spread * full), x0)
    moved_z = capture.reflected(z0 + f.depth + p.spread * full, p.height + f.depth) - f.depth
    x1 = jnp.where(flat, moved_x, x0)
    z1 = jnp.where(flat | ~later, z0, moved_z)
    return x1, y + p.spread * part, z1


def _point(
    tables: Tables, f: Folds, tile: Int[Array, " e"], point: tuple[Array, Array]
) -> tuple[Array, Array, Array, Int[Array, " e"]]:
    """A point of a tile, and its surface; walls and crests are exact to rounding."""
    u, v = point
    radius, first = tables.lattice.half, f.first.astype(jnp.float32)
    kind = sum((tile >= f.offset[k]).astype(jnp.int32) for k in (1, 2, 3))
    local = tile - f.offset[kind]
    # crests
    columns = f.bands * f.across[0, 0]
    row, rest = local // columns, local % columns
    band, column = (rest // f.across[0, 0]).astype(jnp.float32), (rest % f.across[0, 0]).astype(jnp.float32)
    crest_x = f.spacing * (band + first - 1.0) + f.half_width + (column + u) * f.pitch[0, 0]
    crest_y = (row.astype(jnp.float32) + v) * f.pitch[0, 1] - radius
    # the cleft's lamina
    lamina_x, lamina_y, _ = lattices.point_on_tile(
        tables.lattice, jnp.maximum(tile, tables.lattice.offset[1]), u, v
    )
    # walls and fold laminae
    which = jnp.where(kind == WALL, 1, 2)
    deep_tiles, along_tiles = f.across[which, 0], f.across[which, 1]
    along, rest = local % along_tiles, local // along_tiles
    deep, number = rest % deep_tiles, rest // deep_tiles
    fold = jnp.where(kind == WALL, number // 2, number).astype(jnp.float32) + first
    offset = jnp.where(kind == WALL, jnp.where(number % 2 == 1, 1.0, -1.0), 0.0) * (1.0 - 1e-6) * f.half_width
    inner_x = f.spacing * fold + offset
    inner_y = (along.astype(jnp.float32) + u) * f.pitch[which, 1] - radius
    inner_z = -(deep.astype(jnp.float32) + v) * f.pitch[which, 0]
    x = jnp.where(kind == CREST, crest_x, jnp.where(kind == CLEFT_LAMINA, lamina_x, inner_x))
    y = jnp.where(kind == CREST, crest_y, jnp.where(kind == CLEFT_LAMINA, lamina_y, inner_y))
    lamina = tables.stepping.lamina if tables.stepping is not None else 0.0
    z = jnp.where(kind == CREST, 0.0, jnp.where(kind == CLEFT_LAMINA, lamina, inner_z))
    return x, y, z, kind


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
