"""Steps of fixed length: one Gaussian step of each due molecule, in a flat cleft or over a folded membrane.

The end of a step is mirrored into the cleft. Surfaces that the raw step met may capture (`capture`): at most one of
them is tried, j with probability n_j P_j, P_j that of its fastest state; the site then accepts with the share of
its own state. So each surface keeps its own probability, and the rest of the kernel is that of exact journeys. The
rim is tested along the step by the Brownian bridge, as for exact journeys; a molecule that touched it is gone even
if it met a surface first (an error of the order of the step within a step's length of the rim).
"""

# Host arrays are put where device arrays are declared, and tuples are spread into records.
# pyright: reportArgumentType=false, reportCallIssue=false

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float, Int, UInt32

from nmjmc.kernel.jax_pass import flat, folds
from nmjmc.kernel.jax_pass.stage import Stage
from nmjmc.kernel.physics import capture, random
from nmjmc.kernel.physics import lattice as lattices
from nmjmc.kernel.physics.stepping import AWAY
from nmjmc.kernel.physics.survival import Start
from nmjmc.kernel.physics.tables import Stepping, Tables

MOVE = 5
WORDS = MOVE + 3
"""Random words that a step takes: displacement, choice of a surface, rim. A release takes the first `MOVE`."""


class Step(NamedTuple):
    """A step decided upon: how long, where it ends, what happens there (`Start` codes or `ESCAPE`), at which tile."""

    span: Float[Array, " e"]
    x: Float[Array, " e"]
    y: Float[Array, " e"]
    z: Float[Array, " e"]
    aim: UInt32[Array, " e"]
    tile: Int[Array, " e"]


class Move(NamedTuple):
    """A step before the rim is looked at: its end and the tile that it tries, if any."""

    x: Float[Array, " e"]
    y: Float[Array, " e"]
    z: Float[Array, " e"]
    tile: Int[Array, " e"]
    tries: Bool[Array, " e"]


def depart(
    tables: Tables,
    disc: bool,
    reflecting: bool,
    x: Array,
    y: Array,
    z: Array,
    words: list[Array],
    stage: Stage,
) -> Step:
    """One step of molecules at (x, y, z).

    Args:
        tables: the run's numbers.
        disc: whether the rim is a circle (else a square).
        reflecting: whether the rim reflects (else it absorbs).
        x, y, z: starting points [um].
        words: `WORDS` random words each.
        stage: see `nmjmc.kernel.jax_pass.stage`.
    """
    stepping = _stepping(tables)
    ground = stepping.folds
    if ground is None:
        move = stage(lambda: _flat_move(tables, disc, reflecting, x, y, z, words))
    else:
        move = Move(*stage(lambda: folds.move(tables, stepping, ground, x, y, z, words)))
    tries = jnp.where(move.tries, jnp.uint32(Start.RECEPTOR), jnp.uint32(Start.MIXED))
    span = jnp.broadcast_to(stepping.step, x.shape)
    if reflecting:
        if stepping.folds is None:
            return Step(span, move.x, move.y, move.z, tries, move.tile)
        # mirroring at a curved rim could end in a wall; a step that would leave is not made, which keeps an even
        # density even
        stays = move.x * move.x + move.y * move.y > tables.edge * tables.edge
        aim = jnp.where(stays, jnp.uint32(Start.MIXED), tries)
        kept = [jnp.where(stays, a, b) for a, b in zip((x, y, z), move[:3], strict=True)]
        return Step(span, kept[0], kept[1], kept[2], aim, move.tile)
    faces = flat.faces_met(tables.edge, disc, x, y, move.x, move.y)
    rate = jnp.broadcast_to(1.0 / (stepping.spread * stepping.spread), x.shape)
    touched, first = stage(lambda: flat.first_touch(faces, rate, words[MOVE:]))
    aim = jnp.where(touched, jnp.uint32(flat.ESCAPE), tries)
    return Step(jnp.where(touched, span * first, span), move.x, move.y, move.z, aim, move.tile)


def release(
    tables: Tables,
    disc: bool,
    reflecting: bool,
    tile: Int[Array, " e"],
    u: Array,
    v: Array,
    words: list[Array],
) -> Step:
    """Molecules that sites have freed: a way off their tile (see `capture`), to take their first step from there.

    Args:
        tables: the run's numbers.
        disc, reflecting: as in `depart`.
        tile: number of the tile in its patch.
        u, v: a point on the tile, uniform on (0, 1).
        words: at least `MOVE` random words each.
    """
    stepping = _stepping(tables)
    part = random.uniform(words[0])
    away = stepping.spread * part * jnp.sqrt(2.0 * random.exponential(words[1]))
    # the lowest bits of a word are not used by `uniform`
    side = jnp.where((words[0] & jnp.uint32(1)) == jnp.uint32(1), 1.0, -1.0)
    one, two = random.normal_pair(words[2], words[3])
    if stepping.folds is None:
        x, y, plane = lattices.point_on_tile(tables.lattice, tile, u, v)
        x1, y1 = x + stepping.spread * part * one, y + stepping.spread * part * two
        start = jnp.where(plane == lattices.RECEPTOR, away, stepping.lamina + side * away)
        z = capture.reflected(start, stepping.height)
        if reflecting:
            x1, y1 = flat.turned_back(tables.edge, disc, (x, y), (x1, y1))
    else:
        later = (words[0] & jnp.uint32(2)) == jnp.uint32(2)
        x1, y1, z = folds.release(
            tables, stepping, stepping.folds, tile, (u, v), away, side, part * one, two, later
        )
    span = jnp.broadcast_to(stepping.step * AWAY, x1.shape)
    aim = jnp.full(x1.shape, jnp.uint32(int(Start.MIXED)))
    if not reflecting:
        inside = flat.faces_met(tables.edge, disc, x1, y1, x1, y1)
        gone = jnp.min(jnp.stack([face[1] for face in inside]), axis=0) <= 0
        aim = jnp.where(gone, jnp.uint32(flat.ESCAPE), aim)
    return Step(span, x1, y1, z, aim, jnp.zeros_like(tile))


def _stepping(tables: Tables) -> Stepping:
    if tables.stepping is None:
        raise TypeError("these tables are for exact journeys")
    return tables.stepping


def _flat_move(
    tables: Tables, disc: bool, reflecting: bool, x: Array, y: Array, z: Array, words: list[Array]
) -> Move:
    """A step in a flat cleft: z is mirrored, x and y are free (or turned back at the rim)."""
    p = _stepping(tables)
    east, north = random.normal_pair(words[0], words[1])
    up, _ = random.normal_pair(words[2], words[3])
    dx, dy, end = p.spread * east, p.spread * north, z + p.spread * up
    zero = jnp.zeros_like(p.height)
    chance = random.uniform(words[4])
    # the plane z = 0 is its own image
    at_receptor = 0.5 * capture.encounters(z, end, zero, p.height) * p.chance[0]
    at_lamina = capture.encounters(z, end, p.lamina, p.height) * p.chance[1]
    receptor = chance < at_receptor
    plane = jnp.where(receptor, zero, p.lamina)
    way = capture.first_fraction(z, end, plane, p.height)
    xc, yc, x1, y1 = x + way * dx, y + way * dy, x + dx, y + dy
    if reflecting:
        xc, yc = flat.turned_back(tables.edge, disc, (x, y), (xc, yc))
        x1, y1 = flat.turned_back(tables.edge, disc, (x, y), (x1, y1))
    code = jnp.where(receptor, lattices.RECEPTOR, lattices.ESTERASE)
    tile, there = lattices.tile_under(tables.lattice, code, xc, yc)
    return Move(x1, y1, capture.reflected(end, p.height), tile, there & (chance < at_receptor + at_lamina))
