"""Steps over folds, all molecules at once: where they end, which tile they try, where freed molecules set out.

The geometry and its equations stand at the head of `nmjmc.kernel.physics.folds`.
"""

# Host arrays are put where device arrays are declared, and tuples are spread into records.
# pyright: reportArgumentType=false, reportCallIssue=false, reportReturnType=false

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float, Int

from nmjmc.kernel.physics import capture, random
from nmjmc.kernel.physics import lattice as lattices
from nmjmc.kernel.physics.folds import CLEFT_LAMINA, CREST, FOLD_LAMINA, WALL
from nmjmc.kernel.physics.tables import Folds, Stepping, Tables


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
