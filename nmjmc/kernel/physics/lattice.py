"""Tiles: where the receptors and esterases stand, and which of them a molecule meets.

Each plane carries a square lattice of tiles; a live tile holds one site and reacts over its whole area. The
pitch is the largest that fits the field a whole number of times and leaves no tile with more than one site.
A tile belongs to a disc by its middle. Where that gives more tiles than sites, the surplus is left vacant by an even
dither; where it gives fewer, the tiles whose middles are nearest beyond the rim are taken too. So the number of sites
is the density times the area to the nearest whole site, always. Receptor tiles are numbered first, then esterase tiles.
"""

# Host arrays are put where device arrays are declared; JAX moves them.
# pyright: reportArgumentType=false

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Float, Int

RECEPTOR, ESTERASE = 0, 1


class Lattice(NamedTuple):
    """Two square lattices over one field, as arrays of length two (receptor plane, esterase plane).

    Attributes:
        half: half the side of the square that the lattices cover [um].
        pitch: side of a tile [um].
        across: tiles along a side.
        offset: number of the first tile.
    """

    half: Float[Array, ""]
    pitch: Float[Array, "2"]
    across: Int[Array, "2"]
    offset: Int[Array, "2"]


def tiles_across(density: float, side: float) -> int:
    """Tiles along a side, so that a tile holds at most one site [density 1/um^2, side um]."""
    return max(1, math.ceil(math.sqrt(density) * side - 1e-6))


def build(densities: tuple[float, float], half: float) -> tuple[Lattice, int]:
    """The lattices of the two planes and their number of tiles (host arrays)."""
    across = [tiles_across(d, 2 * half) for d in densities]
    sizes = [a * a for a in across]
    lattice = Lattice(
        np.float32(half),
        np.array([2 * half / a for a in across], np.float32),
        np.array(across, np.int32),
        np.array([0, sizes[0]], np.int32),
    )
    return lattice, sum(sizes)


def whole_sites(density: float, half: float, radius: float | None) -> int:
    """Sites of a field; arguments as for `live_tiles`."""
    return round(density * ((2 * half) ** 2 if radius is None else math.pi * radius**2))


@functools.lru_cache(maxsize=8)  # points of a sweep often have the same lattice; the answer is not written to
def live_tiles(across: int, half: float, density: float, radius: float | None) -> Bool[np.ndarray, " tiles"]:
    """Which tiles of one plane hold a site, row by row.

    Args:
        across: tiles along a side.
        half: half the side of the square [um].
        density: sites per area of the field [1/um^2].
        radius: radius of the field, or None where it is the whole square [um].
    """
    pitch = 2 * half / across
    centre = (np.arange(across) + 0.5) * pitch - half
    inside = np.ones((across, across), bool)
    if radius is not None:
        inside = centre[None, :] ** 2 + centre[:, None] ** 2 <= radius**2
    beyond = np.hypot(centre[None, :], centre[:, None]).ravel()
    inside, sites = inside.ravel(), whole_sites(density, half, radius)
    rank = np.cumsum(inside)
    level = np.floor(rank * min(sites / max(int(inside.sum()), 1), 1.0) + 1e-9)
    return exactly(inside & (np.diff(level, prepend=0.0) >= 1.0), inside, beyond, sites)


def exactly(
    live: Bool[np.ndarray, " tiles"],
    inside: Bool[np.ndarray, " tiles"],
    away: Float[np.ndarray, " tiles"],
    sites: int,
) -> Bool[np.ndarray, " tiles"]:
    """The live tiles with as many as are missing added, or as many as are too many taken out, evenly spread.

    Args:
        live: tiles that hold a site.
        inside: tiles that may hold one, by their middles.
        away: distance of each tile's middle from that of the field; infinite where there can be no site.
        sites: how many there are to be.
    """
    found, more = live.copy(), sites - int(live.sum())
    place = np.flatnonzero(live if more < 0 else inside & ~live)
    found[place[_even(min(abs(more), place.size), place.size)]] = more > 0
    if more > place.size:
        others = np.flatnonzero(~inside & np.isfinite(away))
        # rounded, so that tiles at one distance go by their numbers on every machine
        order = np.lexsort((others, np.round(away[others], 9)))
        found[others[order[: more - place.size]]] = True
    return found


def _even(count: int, of: int) -> Int[np.ndarray, " count"]:
    """Evenly spread numbers below a whole one."""
    return (np.arange(count) * of + of // 2) // max(count, 1)


def tile_under(
    lattice: Lattice, plane: Int[Array, "*n"], x: Float[Array, "*n"], y: Float[Array, "*n"]
) -> tuple[Int[Array, "*n"], Bool[Array, "*n"]]:
    """Number of the tile at (x, y) on a plane, and whether there is one (the apron has none)."""
    first = plane == RECEPTOR
    inverse = jnp.where(first, 1.0 / lattice.pitch[0], 1.0 / lattice.pitch[1])
    across = jnp.where(first, lattice.across[0], lattice.across[1])
    column = jnp.floor((x + lattice.half) * inverse).astype(jnp.int32)
    row = jnp.floor((y + lattice.half) * inverse).astype(jnp.int32)
    there = (jnp.abs(x) <= lattice.half) & (jnp.abs(y) <= lattice.half)
    column, row = jnp.clip(column, 0, across - 1), jnp.clip(row, 0, across - 1)
    return jnp.where(first, 0, lattice.offset[1]) + row * across + column, there


def point_on_tile(
    lattice: Lattice, tile: Int[Array, "*n"], u: Float[Array, "*n"], v: Float[Array, "*n"]
) -> tuple[Float[Array, "*n"], Float[Array, "*n"], Int[Array, "*n"]]:
    """A point of a tile by its uniform coordinates (u, v), and the tile's plane.

    A molecule that unbinds sets out from anywhere on its tile, because a tile binds anywhere: only then do the
    two directions balance in detail.
    """
    second = tile >= lattice.offset[1]
    local = tile - jnp.where(second, lattice.offset[1], 0)
    across = jnp.where(second, lattice.across[1], lattice.across[0])
    pitch = jnp.where(second, lattice.pitch[1], lattice.pitch[0])
    row = jnp.floor((local.astype(jnp.float32) + 0.5) / across.astype(jnp.float32))
    column = local.astype(jnp.float32) - row * across.astype(jnp.float32)
    x, y = (column + u) * pitch - lattice.half, (row + v) * pitch - lattice.half
    return x, y, second.astype(jnp.int32)
