"""Journeys along a flat cleft: displacement, the touch of a rim, escape from whole fields."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.special import j1, jn_zeros

from nmjmc.kernel.jax_pass import flat
from nmjmc.kernel.jax_pass.stage import stages
from nmjmc.kernel.physics import random
from nmjmc.kernel.physics.lower import lower
from nmjmc.kernel.physics.survival import Start
from nmjmc.synapse import Disc, Slab
from tests.models import DIFFUSION, HEIGHT, inert, sinks
from tests.statistics import assert_distribution, assert_proportion, assert_within

MANY = 2**17


def journeys(synapse, *, x=0.0, y=0.0, start=Start.MIXED, legs=1):
    """`MANY` molecules followed for some legs, or until they attempt or escape.

    Returns:
        Time so far, position, and the aim of the last leg (MIXED: still under way).
    """
    lowered = lower(synapse)
    tables = jax.tree.map(jnp.asarray, lowered.tables)
    shape = lowered.shape

    @jax.jit
    def leg(time, x, y, aim, number):
        key = tuple(jnp.full(MANY, w, jnp.uint32) for w in (3, 77))
        words = random.words(key, (jnp.arange(MANY, dtype=jnp.uint32), number), flat.WORDS)
        begin = jnp.minimum(aim, jnp.uint32(Start.MIXED)).astype(jnp.int32)
        stage = stages(time[0] > jnp.float32(-1.0))
        journey = flat.depart(tables, shape.disc, shape.reflecting, x, y, begin, words, stage)
        goes = (aim == jnp.uint32(int(Start.MIXED))) | (number == jnp.uint32(0))
        old = (time, x, y, aim)
        new = (time + journey.span, journey.x, journey.y, journey.aim)
        return tuple(jnp.where(goes, b, a) for a, b in zip(old, new, strict=True))

    state = tuple(jnp.asarray(np.broadcast_to(v, MANY), jnp.float32) for v in (0.0, x, y))
    state = (*state, jnp.full(MANY, int(start), jnp.uint32))
    for number in range(legs):
        state = leg(*state, jnp.full(MANY, number * flat.WORDS, jnp.uint32))
        if number % 50 == 49 and not np.any(np.asarray(state[3]) == Start.MIXED):
            break
    return tuple(np.asarray(v) for v in state)


@pytest.mark.stat
@pytest.mark.parametrize("reflecting", [False, True])
def test_displacement_is_gaussian(reflecting):
    # far from a rim <rho^2> = 4 D t: rho^2 / (4 D t) is exponential and the direction uniform
    # three Kolmogorov-Smirnov tests at 1e-6
    synapse = sinks(3.3, 0.0, 1.0, density=100.0, side=3.0, rim="reflecting" if reflecting else "absorbing")
    time, x, y, aim = journeys(synapse)
    assert set(np.unique(aim)) <= {Start.RECEPTOR, Start.MIXED}
    spread = np.sqrt(2 * DIFFUSION * time.astype(float))
    # the edge is more than five standard deviations away from all but a few in 10,000
    assert (5 * spread < 1.5).mean() > 0.999
    assert_distribution(x / spread, stats.norm.cdf)
    assert_distribution(y / spread, stats.norm.cdf)
    assert_distribution((x**2 + y**2) / (4 * DIFFUSION * time), stats.expon.cdf)


@pytest.mark.stat
@pytest.mark.parametrize("kappa", [0.274, 3.3])
def test_attempts_of_a_mixed_molecule_are_exponential(kappa):
    # over legs cut short or not, the waiting time is exponential with the Robin rate; KS at 1e-6
    synapse = sinks(kappa, 0.0, 1.0)
    time, _, _, aim = journeys(synapse, legs=200)
    assert np.all(aim == Start.RECEPTOR)
    rate = {0.274: 9.071, 3.3: 101.496}[kappa]
    assert_distribution(time, stats.expon(scale=1 / rate).cdf)


@pytest.mark.stat
@pytest.mark.parametrize("distance", [0.002, 0.01, 0.05])
def test_chance_of_reaching_a_face_before_binding(distance):
    # the Laplace transform of the first passage out of the square
    synapse = sinks(3.3, 0.0, 1.0, rim="absorbing")
    _, _, _, aim = journeys(synapse, x=0.25 - distance, legs=40)
    # exp(-d sqrt(mu / D)) for the near face alone; the others add up to 2 %
    expected = escape_chance(0.25, 0.25 - distance, 101.496)
    assert_proportion(int((aim == flat.ESCAPE).sum()), MANY, expected)
    assert np.all((aim == flat.ESCAPE) | (aim == Start.RECEPTOR))


def escape_chance(half, x, rate, modes=400):
    """Chance to leave a square of half side `half` from (x, 0) before an exponential time."""
    k = (2 * np.arange(modes) + 1) * np.pi / (2 * half)
    weight = 2 / (half * k) * (-1.0) ** np.arange(modes)
    along, across = weight * np.cos(k * x), weight
    decay = DIFFUSION * (k[:, None] ** 2 + k[None, :] ** 2)
    stays = (along[:, None] * across[None, :] * rate / (decay + rate)).sum()
    return 1 - stays


@pytest.mark.stat
def test_first_touch_of_a_brownian_bridge():
    # journeys that start 10 nm from a face: their first touch has the law of Brownian motion's
    # P(touch before t) = erfc(d / sqrt(4 D t)) while journeys are longer than t
    distance = 0.01
    synapse = inert(Slab(HEIGHT, 2.0, DIFFUSION, "absorbing"), 1.0)
    time, _, _, aim = journeys(synapse, x=1.0 - distance)
    touched = aim == flat.ESCAPE
    # every journey lasts at least `shortest`, so that touches up to then are complete
    shortest = time[~touched].min()
    early = touched & (time < shortest)
    law = stats.levy(scale=distance**2 / (2 * DIFFUSION))
    assert_proportion(int(early.sum()), MANY, law.cdf(shortest))
    assert_distribution(time[early], lambda t: law.cdf(t) / law.cdf(shortest))


@pytest.mark.stat
def test_first_touch_near_a_corner():
    # the same 10 nm from two faces: the first touch is the earlier of two independent ones; the law is exact
    # while the other two faces, 0.49 um further, are out of reach
    distance = 0.01
    synapse = inert(Slab(HEIGHT, 0.5, DIFFUSION, "absorbing"), 1.0)
    time, _, _, aim = journeys(synapse, x=0.25 - distance, y=0.25 - distance, legs=4)
    touched = aim == flat.ESCAPE
    law = stats.levy(scale=distance**2 / (2 * DIFFUSION))
    # all are followed up to here
    end = time[~touched].min()
    for part in (0.05, 0.2, 0.5, 1.0):
        expected = 1 - law.sf(part * end) ** 2
        assert_proportion(int((touched & (time < part * end)).sum()), MANY, expected)


def disc_survival(time, radius, modes=400):
    """Chance to be still inside a disc that was entered at its centre: sum of Bessel modes."""
    zero = jn_zeros(0, modes)
    terms = 2 / (zero * j1(zero)) * np.exp(-DIFFUSION * (zero / radius) ** 2 * np.asarray(time)[..., None])
    return terms.sum(axis=-1)


def square_survival(time, half, modes=400):
    """The same for a square of half side `half`."""
    k = (2 * np.arange(modes) + 1) * np.pi / (2 * half)
    weight = 2 / (half * k) * (-1.0) ** np.arange(modes)
    line = (weight * np.exp(-DIFFUSION * k**2 * np.asarray(time)[..., None])).sum(axis=-1)
    return line**2


@pytest.mark.stat
@pytest.mark.parametrize("radius", [0.3, 1.6])
def test_escape_from_a_disc(radius):
    # mean exit time R^2 / (4 D), and the whole law; the curvature of the rim is neglected within a journey
    time, _, _, aim = journeys(inert(Disc(HEIGHT, radius, DIFFUSION), 1.0), legs=4000)
    assert np.all(aim == flat.ESCAPE)
    error = time.std() / np.sqrt(MANY)
    assert_within(
        float(time.mean()),
        radius**2 / (4 * DIFFUSION),
        float(error),
        bias=0.003 * radius**2 / (4 * DIFFUSION),
    )
    for part in (0.1, 0.25, 0.5, 1.0):
        at = part * radius**2 / (4 * DIFFUSION) * 2
        stays = float(disc_survival(at, radius))
        assert_within(float((time > at).mean()), stays, np.sqrt(stays * (1 - stays) / MANY), bias=0.003)


@pytest.mark.stat
def test_escape_from_a_square():
    half = 0.5
    time, _, _, aim = journeys(inert(Slab(HEIGHT, 2 * half, DIFFUSION, "absorbing"), 1.0), legs=400)
    assert np.all(aim == flat.ESCAPE)
    for at in (0.05, 0.1, 0.2, 0.4, 0.8):
        stays = float(square_survival(at, half))
        assert_within(float((time > at).mean()), stays, np.sqrt(stays * (1 - stays) / MANY), bias=0.001)


@pytest.mark.stat
@pytest.mark.parametrize(
    "cleft",
    [
        Slab(HEIGHT, 0.3, DIFFUSION, "reflecting"),
        Disc(HEIGHT, 0.15, DIFFUSION, "reflecting"),
        Disc(HEIGHT, 0.5, DIFFUSION, "reflecting"),
    ],
)
def test_a_reflecting_rim_keeps_an_even_spread_even(cleft):
    # molecules that are spread evenly at first are so at any later time, here that of their first attempt
    rng = np.random.default_rng(3)
    disc = isinstance(cleft, Disc)
    if disc:
        edge = float(cleft.exit_radius)
        radius, angle = edge * np.sqrt(rng.random(MANY)), 2 * np.pi * rng.random(MANY)
        x, y = radius * np.cos(angle), radius * np.sin(angle)
    else:
        x, y = 0.3 * rng.random((2, MANY)) - 0.15
    _, x, y, aim = journeys(sinks(0.274, 0.0, 1.0, cleft=cleft), x=x, y=y, legs=1000)
    assert np.mean(aim == Start.RECEPTOR) > 0.9999
    if disc:
        part = (x**2 + y**2) / edge**2
        assert np.all(part <= 1 + 1e-5)
        # KS at 1e-6, here and below
        assert_distribution(part, stats.uniform(0, 1).cdf)
        return
    for u in (x, y):
        assert np.all(np.abs(u) <= 0.15 + 1e-6)
        assert_distribution(u, stats.uniform(-0.15, 0.3).cdf)
