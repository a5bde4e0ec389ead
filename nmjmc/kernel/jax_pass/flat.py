"""Journeys in a flat cleft: from one binding attempt to the next in a single exact step.

The time to the next attempt comes from `survival` (the motion across the cleft); the displacement along the cleft
in that time is Gaussian and independent of it. Whether the path touched an absorbing rim is decided by the
Brownian bridge between its ends, with the exact probability exp(-d0 d1 / (D T)) for a flat face at distances d0
and d1 from them (Karatzas & Shreve, Brownian Motion and Stochastic Calculus, section 2.8); then the time of the
first touch is drawn too. A curved rim looks flat to short journeys, and near it all journeys are short.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float, Int, UInt32

from nmjmc.kernel.jax_pass.stage import Stage
from nmjmc.kernel.physics import likelihood, random
from nmjmc.kernel.physics.survival import ENTRIES, Start
from nmjmc.kernel.physics.tables import Journeys, Tables

WORDS = 7
"""Random words that a journey takes."""

ESCAPE = 4
"""Aim of a journey that ends at the rim; the other aims are `Start` codes."""

# a journey's standard deviation is at most the distance to a curved rim over this (a choice)
_CURVED_REACH = 6.0
# the same for the half side of a square field, so that a journey meets one face of a pair (a choice)
_FLAT_REACH = 3.0


class Journey(NamedTuple):
    """A journey decided upon.

    Attributes:
        span: its duration [ms].
        x, y: where it ends [um].
        aim: what happens there: an attempt on the receptor plane or the esterase plane (`Start` codes), nothing
            (`Start.MIXED`, a journey cut short), or `ESCAPE`.
        score: derivatives of its log density by the log of each plane's fastest binding rate, where they are wanted
            (see `likelihood`).
    """

    span: Float[Array, " e"]
    x: Float[Array, " e"]
    y: Float[Array, " e"]
    aim: UInt32[Array, " e"]
    score: Int[Array, "e 2"] | None = None


def depart(
    tables: Tables,
    disc: bool,
    reflecting: bool,
    x: Array,
    y: Array,
    start: Array,
    words: list[Array],
    stage: Stage,
) -> Journey:
    """The next journeys of molecules at (x, y).

    Args:
        tables: the run's numbers.
        disc: whether the rim is a circle (else a square).
        reflecting: whether the rim reflects (else it absorbs).
        x, y: starting points [um].
        start: `Start` code, where across the cleft each sets out.
        words: `WORDS` random words each.
        stage: see `nmjmc.kernel.jax_pass.stage`.
    """
    meets = disc or not reflecting  # a flat mirror is exact for journeys of any length
    span, aim, score = stage(lambda: _wait(tables, disc, meets, x, y, start, words[0], words[1]))
    x1, y1 = stage(lambda: _displace(tables, x, y, span, words[2], words[3]))
    if reflecting:
        x1, y1 = turned_back(tables.edge, disc, (x, y), (x1, y1))
        return Journey(span, x1, y1, aim, score)
    faces = faces_met(tables.edge, disc, x, y, x1, y1)
    rate = stage(lambda: 1.0 / (2.0 * tables.diffusion * jnp.maximum(span, 1e-12)))
    touched, first = stage(lambda: first_touch(faces, rate, words[4:]))
    aim = jnp.where(touched, jnp.uint32(ESCAPE), aim)
    return Journey(jnp.where(touched, span * first, span), x1, y1, aim, score)


def _wait(
    tables: Tables,
    disc: bool,
    meets: bool,
    x: Array,
    y: Array,
    start: Array,
    side: UInt32[Array, " e"],
    wait: UInt32[Array, " e"],
) -> tuple[Float[Array, " e"], UInt32[Array, " e"], Int[Array, "e 2"] | None]:
    """Duration, aim and score of the next journeys, cut short where one that `meets` the rim is near it."""
    journeys = tables.journeys
    span, receptor, entry, excess = _next_attempt(journeys, start, side, wait)
    aim = jnp.where(receptor, jnp.uint32(Start.RECEPTOR), jnp.uint32(Start.ESTERASE))
    if not meets:
        return span, aim, _score(journeys, start, entry, receptor, excess, jnp.zeros_like(receptor), span)
    if disc:
        reach = (tables.edge - jnp.sqrt(_square(x, y))) * (1.0 / _CURVED_REACH)
    else:
        reach = tables.edge * (1.0 / _FLAT_REACH)
    # the low bits, unused by `uniform`, spread the cuts of molecules that were released together
    spread = 0.5 + (side & jnp.uint32(0x1FF)).astype(jnp.float32) * (0.5 / 512.0)
    limit = jnp.maximum(journeys.mixing_time, spread * (reach * reach * (0.5 / tables.diffusion)))
    short, cut = jnp.minimum(span, limit), span > limit
    aim = jnp.where(cut, jnp.uint32(Start.MIXED), aim)
    return short, aim, _score(journeys, start, entry, receptor, excess, cut, limit)


def _score(
    journeys: Journeys,
    start: Int[Array, " e"],
    entry: Int[Array, " e"],
    receptor: Bool[Array, " e"],
    excess: Float[Array, " e"],
    cut: Bool[Array, " e"],
    limit: Float[Array, " e"],
) -> Int[Array, "e 2"] | None:
    """Scores of journeys, those `cut` at a limit by their survival to it; None where they are not wanted."""
    if journeys.scores is None:
        return None
    survived = (limit - journeys.mixing_time) / journeys.slope
    return likelihood.score_of(journeys.scores, start, entry, receptor, excess, cut, survived)


def _next_attempt(
    journeys: Journeys, start: Int[Array, " e"], side: UInt32[Array, " e"], wait: UInt32[Array, " e"]
) -> tuple[Array, Array, Array, Array]:
    """Time to the next attempt by inversion of its hazard, and whether it falls on the receptor plane.

    Last come the entry of the table and the hazard beyond its end.
    """
    hazard = random.exponential(wait)
    scale = journeys.scale[start]
    row = hazard * scale
    entry = jnp.minimum(row.astype(jnp.int32), ENTRIES - 2)
    part = jnp.minimum(row - entry.astype(jnp.float32), 1.0)
    at = start * ENTRIES + entry
    lower, upper = journeys.time[at], journeys.time[at + 1]
    excess = jnp.maximum(hazard - (ENTRIES - 1) / scale, 0.0)
    beyond = excess * journeys.slope
    span = lower + part * (upper - lower) + beyond
    return span, random.uniform(side) < journeys.on_receptor[at], at, excess


def _displace(tables: Tables, x: Array, y: Array, span: Array, w0: Array, w1: Array) -> tuple[Array, Array]:
    spread = jnp.sqrt(2.0 * tables.diffusion * span)
    east, north = random.normal_pair(w0, w1)
    return x + spread * east, y + spread * north


def faces_met(edge: Array, disc: bool, x: Array, y: Array, x1: Array, y1: Array) -> list[tuple[Array, Array]]:
    """Distances of both ends from each face that the journeys may touch (of a pair, the one nearer its end)."""
    if disc:
        return [(edge - jnp.sqrt(_square(x, y)), edge - jnp.sqrt(_square(x1, y1)))]
    pairs = []
    for begin, end in ((x, x1), (y, y1)):
        sign = jnp.where(begin + end > 0, 1.0, -1.0)
        pairs.append((edge - sign * begin, edge - sign * end))
    return pairs


def first_touch(faces: list[tuple[Array, Array]], rate: Array, words: list[Array]) -> tuple[Array, Array]:
    """Whether the bridges touched a face, and when first, as a fraction of the journey.

    A bridge from d0 to d1 that touches 0 is one from d0 to -|d1| up to the touch (reflection); a change of clock
    v = s / (1 - s) makes it a Brownian motion with drift, whose first passage is inverse Gaussian with mean
    d0 / |d1| and shape d0^2 / variance (drawn after Michael, Schucany & Haas 1976, Am Stat 30:88).

    Args:
        faces: distances of the ends from each face.
        rate: 1 / variance of a journey's displacement along an axis [1/um^2].
        words: three random words.
    """
    chance = random.uniform(words[0])
    first = jnp.full_like(rate, 2.0)
    length = 2.0 * random.exponential(words[1])  # squared, of a pair of independent normals (Box & Muller)
    normals = [length * jnp.square(part) for part in reversed(random.sincos_turn(words[2]))]
    # the low bits, unused so far
    turns = [((word & jnp.uint32(0x7F)).astype(jnp.float32) + 0.5) * (1.0 / 128.0) for word in words[2:0:-1]]
    for (d0, d1), square, turn in zip(faces, normals, turns, strict=False):
        near = jnp.maximum(d0, 1e-7)
        touch = jnp.where(d1 <= 0, 1.0, jnp.exp(-2.0 * near * d1 * rate))
        mean = near / jnp.maximum(jnp.abs(d1), 1e-9)
        wide = 0.5 * mean * square / (near * near * rate)
        small = mean / (1.0 + wide + jnp.sqrt(wide * (wide + 2.0)))
        passage = jnp.where(turn * (mean + small) <= mean, small, mean * mean / jnp.maximum(small, 1e-30))
        here = chance > 1.0 - touch
        # what is left of the chance is uniform again, for the next face
        rest = jnp.where(here, chance - (1.0 - touch), chance)
        chance = rest / jnp.maximum(jnp.where(here, touch, 1.0 - touch), 1e-9)
        first = jnp.where(here, jnp.minimum(first, passage / (1.0 + passage)), first)
    return first <= 1.0, jnp.minimum(first, 1.0)


def _square(x: Array, y: Array) -> Array:
    """Squared distance from the centre, with the same bits in every program.

    The processor may round one of two products together with their sum, and which it is would hang on the code around
    them; a maximum in between leaves it no choice.
    """
    return jnp.maximum(x * x, 1e-30) + y * y


def turned_back(
    edge: Array, disc: bool, begin: tuple[Array, Array], end: tuple[Array, Array]
) -> tuple[Array, Array]:
    """Ends of journeys along the cleft, those past a reflecting rim put right.

    A square mirrors, which is exact. At a circle a journey that would leave is not made: near it all journeys are
    equally short, so that each is as likely as its reverse and an even density stays even (a mirror would thin it out
    along the rim).
    """
    if disc:
        out = _square(*end) > edge * edge
        return jnp.where(out, begin[0], end[0]), jnp.where(out, begin[1], end[1])

    def fold(u: Array) -> Array:
        turn = jnp.mod(u + edge, 4.0 * edge)
        return jnp.where(turn > 2.0 * edge, 4.0 * edge - turn, turn) - edge

    return fold(end[0]), fold(end[1])
