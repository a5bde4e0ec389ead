"""Journeys in a flat cleft: from one attempt to the next in a single exact step.

The time to the next attempt comes from `survival` (the motion across the cleft); the displacement along the cleft
in that time is Gaussian and independent of it. Whether the path crossed the rim is decided by the Brownian
bridge between its ends: the probability of touching a flat absorbing face is exp(-d0 d1 / (D T)), d0 and d1 the
ends' distances from it (Karatzas & Shreve, Brownian Motion and Stochastic Calculus, section 2.8). Near the rim a
journey is cut short, so that a curved rim looks flat to it and exits are not recorded late.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float, Int, UInt32

from nmjmc.kernel import lattice as lattices
from nmjmc.kernel import random
from nmjmc.kernel.survival import ENTRIES, Start
from nmjmc.kernel.tables import Tables

_REACH = 2.5  # standard deviations of a journey that may reach the rim before it is cut short (a choice)


class Arrival(NamedTuple):
    """The end of a journey."""

    x: Float[Array, "e"]
    y: Float[Array, "e"]
    escaped: Bool[Array, "e"]
    tile: Int[Array, "e"]
    attempts: Bool[Array, "e"]


def distance_to_rim(tables: Tables, disc: bool, x: Array, y: Array) -> Array:
    """Distance from (x, y) to the rim [um]; negative outside."""
    if disc:
        return tables.edge - jnp.sqrt(x * x + y * y)
    return tables.edge - jnp.maximum(jnp.abs(x), jnp.abs(y))


def arrive(
    tables: Tables, disc: bool, reflecting: bool, x: Array, y: Array, span: Array, aim: Array, words: list[Array]
) -> Arrival:
    """Where journeys of duration `span` from (x, y) end, and what they meet there.

    Args:
        tables: the run's numbers.
        disc: whether the rim is a circle (else a square).
        reflecting: whether the rim reflects (else it absorbs).
        x, y: starting points [um].
        span: durations [ms].
        aim: `Start` code of the plane on which the attempt falls, or `Start.MIXED` for a journey cut short.
        words: three random words each.
    """
    spread = jnp.sqrt(2.0 * tables.diffusion * jnp.maximum(span, 0.0))
    east, north = random.normal_pair(words[0], words[1])
    x1, y1 = x + spread * east, y + spread * north
    if reflecting:
        x1, y1 = _reflect(tables.edge, disc, x1, y1)
        escaped = jnp.zeros(x1.shape, bool)
    else:
        crossing = _crossing_probability(tables, disc, x, y, x1, y1, span)
        escaped = random.uniform(words[2]) < crossing
    plane = jnp.where(aim == jnp.uint32(Start.RECEPTOR), lattices.RECEPTOR, lattices.ESTERASE)
    tile, there = lattices.tile_under(tables.lattice, plane, x1, y1)
    attempts = ~escaped & there & (aim != jnp.uint32(Start.MIXED))
    return Arrival(x1, y1, escaped, tile, attempts)


def _crossing_probability(
    tables: Tables, disc: bool, x: Array, y: Array, x1: Array, y1: Array, span: Array
) -> Array:
    """Probability that the bridge from (x, y) to (x1, y1) touched the absorbing rim."""
    scale = 1.0 / (tables.diffusion * jnp.maximum(span, 1e-12))

    def touch(before: Array, after: Array) -> Array:
        return jnp.where(after <= 0, 1.0, jnp.exp(-jnp.maximum(before, 0.0) * after * scale))

    if disc:
        return touch(distance_to_rim(tables, True, x, y), distance_to_rim(tables, True, x1, y1))
    stay = jnp.ones_like(x)
    for start, end in ((x, x1), (y, y1)):
        for sign in (1.0, -1.0):
            stay = stay * (1.0 - touch(tables.edge - sign * start, tables.edge - sign * end))
    return 1.0 - stay


def _reflect(edge: Array, disc: bool, x: Array, y: Array) -> tuple[Array, Array]:
    """Mirror points that overshot a reflecting rim."""
    if disc:
        r = jnp.sqrt(x * x + y * y)
        back = jnp.where(r > edge, jnp.maximum(2.0 * edge - r, 0.0) / jnp.maximum(r, 1e-9), 1.0)
        return x * back, y * back

    def fold(u: Array) -> Array:
        turn = jnp.mod(u + edge, 4.0 * edge)
        return jnp.where(turn > 2.0 * edge, 4.0 * edge - turn, turn) - edge

    return fold(x), fold(y)


def depart(
    tables: Tables, disc: bool, x: Array, y: Array, start: Array, side: UInt32[Array, "e"], wait: UInt32[Array, "e"]
) -> tuple[Float[Array, "e"], UInt32[Array, "e"]]:
    """Duration of the next journey and what it aims at.

    Args:
        tables: the run's numbers.
        disc: whether the rim is a circle.
        x, y: starting points [um].
        start: `Start` code, where across the cleft the molecules set out.
        side, wait: random words.

    Returns:
        span [ms] and aim (`Start.RECEPTOR`, `Start.ESTERASE` or `Start.MIXED`).
    """
    journeys = tables.journeys
    hazard = random.exponential(wait)
    row = hazard * journeys.scale[start]
    entry = jnp.minimum(row.astype(jnp.int32), ENTRIES - 2)
    part = jnp.minimum(row - entry.astype(jnp.float32), 1.0)
    at = start * ENTRIES + entry
    lower, upper = journeys.time[at], journeys.time[at + 1]
    beyond = jnp.maximum(hazard - (ENTRIES - 1) / journeys.scale[start], 0.0) * journeys.slope
    span = lower + part * (upper - lower) + beyond
    receptor = random.uniform(side) < journeys.on_receptor[at]
    aim = jnp.where(receptor, jnp.uint32(Start.RECEPTOR), jnp.uint32(Start.ESTERASE))
    reach = distance_to_rim(tables, disc, x, y) * (1.0 / _REACH)
    limit = jnp.maximum(journeys.mixing_time, reach * reach / (2.0 * tables.diffusion))
    return jnp.minimum(span, limit), jnp.where(span > limit, jnp.uint32(Start.MIXED), aim)
