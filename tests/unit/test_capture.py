"""Capture by surfaces that a step meets: against the exact one-step operator of a slab, and in detail balance."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nmjmc.errors import ValidationError
from nmjmc.kernel.jax_pass import stepped
from nmjmc.kernel.jax_pass.stage import stages
from nmjmc.kernel.numerics import Numerics
from nmjmc.kernel.physics import capture, random
from nmjmc.kernel.physics.lower import lower
from nmjmc.kernel.physics.survival import Start, wave_numbers
from nmjmc.synapse import Slab
from tests.models import DIFFUSION, HEIGHT, sinks
from tests.statistics import assert_distribution, assert_within

CELLS, IMAGES, MANY = 300, 3, 2**18


def lowered(kappa_receptor, kappa_esterase, **settings):
    """Both planes of a closed slab that catch alike in every state."""
    return lower(sinks(kappa_receptor, kappa_esterase, 1.0), Numerics(transport="stepped", **settings))


def one_step(spread, height, plane, chance):
    """Density after a step of molecules set out from each cell of [0, h], and what each plane captured.

    The raw Gaussian of each cell, mirrored as in the kernel; a way that meets the planes n0 and n1 times is captured
    with probability n0 P0 + n1 P1.
    """
    width = height / CELLS
    z = (np.arange(CELLS) + 0.5) * width
    stays, caught = np.zeros((CELLS, CELLS)), np.zeros((2, CELLS, CELLS))
    for image in range(-IMAGES, IMAGES + 1):
        for end in (2 * height * image + z, 2 * height * image - z):
            way = end[None, :] - z[:, None]
            weight = stats.norm.cdf((way + width / 2) / spread) - stats.norm.cdf((way - width / 2) / spread)
            met = np.abs(np.floor(end / (2 * height)))[None, :] + 0 * way
            crossed = sum(
                np.abs(
                    np.floor((end[None, :] - q) / (2 * height)) - np.floor((z[:, None] - q) / (2 * height))
                )
                for q in (plane, -plane)
            )
            stays += weight * (1 - met * chance[0] - crossed * chance[1])
            caught += weight * np.stack([met * chance[0], crossed * chance[1]])
    return stays, caught


@pytest.mark.unit
@pytest.mark.parametrize(
    "kappa",
    [
        (0.274, 0),
        (0.548, 0),
        (1.245, 0.6),
        (3.3, 0),
        (0, 0.274),
        (0, 0.548),
        (0, 1.66),
        (0, 3.3),
        (1.66, 0.83),
    ],
)
def test_decay_rate_of_the_slab_at_the_default_step(kappa):
    # the lowest mode of the one-step operator against D q^2 of the continuum: one side and two sides
    tables = lowered(*kappa).tables.stepping
    chance = tables.chance.astype(float)
    stays, _ = one_step(float(tables.spread), HEIGHT, HEIGHT / 2, chance)
    decay = -np.log(np.abs(np.linalg.eigvals(stays)).max()) / float(tables.step)
    exact = (
        DIFFUSION * wave_numbers(HEIGHT, HEIGHT / 2, kappa[0] / DIFFUSION, kappa[1] / DIFFUSION, 4)[0] ** 2
    )
    assert decay == pytest.approx(exact, rel=5e-3)


@pytest.mark.unit
@pytest.mark.parametrize("kappa", [(3.3, 0.0), (0.0, 3.3), (1.245, 0.6)])
def test_detailed_balance_of_the_chain(kappa):
    # an even density rho: what a step captures is r kappa rho dt; what was captured would have ended at the heights
    # at which freed molecules are put, so capture and release leave the even density as it is
    found = lowered(*kappa)
    tables = found.tables.stepping
    spread, step = float(tables.spread), float(tables.step)
    _, caught = one_step(spread, HEIGHT, HEIGHT / 2, tables.chance.astype(float))
    rho = np.full(CELLS, 1.0 / CELLS)
    z = (np.arange(CELLS) + 0.5) * HEIGHT / CELLS
    for plane, (velocity, sides, at) in enumerate(zip(kappa, (1, 2), (0.0, HEIGHT / 2), strict=True)):
        if velocity == 0:
            continue
        leaving = capture.leaving(velocity / sides * step / spread)
        assert leaving == pytest.approx(found.tables.chemistry.leaving[2 * plane], rel=1e-5)
        flux = (rho @ caught[plane]).sum()
        # the midpoint rule over cells of 0.1 nm
        assert flux == pytest.approx(leaving * velocity * step / HEIGHT, rel=1e-3)
        ends = (rho @ caught[plane]) / flux
        law = np.zeros(CELLS)
        for image in range(-IMAGES, IMAGES + 1):
            for way in (2 * HEIGHT * image + z - at, 2 * HEIGHT * image - z - at):
                law += stats.norm.sf(np.abs(way) / spread)
        assert np.abs(ends - law / law.sum()).sum() < 2e-3


@pytest.mark.unit
def test_the_polynomial_is_andrews():
    # eq. 21 for small k' is eq. 1; at the limit nearly all that touch are captured
    assert capture.probability(1e-6) == pytest.approx(np.sqrt(2 * np.pi) * 1e-6, rel=1e-5)
    assert capture.probability(0.5) == pytest.approx(
        2.506628 * 0.5 - 3.33321 / 4 + 3.35669 / 8 - 1.52092 / 16, 1e-6
    )
    assert 0.98 < capture.probability(capture.LIMIT) < 1
    k = np.linspace(0, capture.LIMIT, 200)
    assert np.all(np.diff(capture.probability(k)) > 0)
    assert capture.leaving(0.3) == pytest.approx(capture.probability(0.3) / (np.sqrt(2 * np.pi) * 0.3))


@pytest.mark.unit
@given(
    begin=st.floats(0.0, 0.999),
    way=st.floats(-4.5, 4.5),
    plane=st.floats(0.01, 0.99),
    height=st.floats(0.01, 2.0),
)
def test_encounters_are_those_of_a_mirrored_way(begin, way, plane, height):
    # a fine walk along the mirrored way crosses the plane as often; a way that ends on a plane is left out
    images = np.concatenate([2 * k + np.array([plane, -plane]) for k in range(-4, 5)])
    if np.abs(np.concatenate([images - begin, images - begin - way])).min() < 1e-4:
        return
    count = int(((images > min(begin, begin + way)) & (images < max(begin, begin + way))).sum())
    begin, end, at, height = (
        jnp.asarray([v], jnp.float32) for v in np.array([begin, begin + way, plane, 1.0]) * height
    )
    assert float(capture.encounters(begin, end, at, height)[0]) == count
    fraction = float(capture.first_fraction(begin, end, at, height)[0])
    inside = float(capture.reflected(end, height)[0])
    assert -1e-6 <= inside <= float(height[0]) * (1 + 1e-6)
    if count:
        reached = float(capture.reflected(begin + fraction * (end - begin), height)[0])
        assert reached == pytest.approx(float(at[0]), abs=1e-4 * float(height[0]))


def some_words(count, number):
    key = tuple(jnp.full(count, w, jnp.uint32) for w in (5, 11))
    counter = (jnp.arange(count, dtype=jnp.uint32), jnp.full(count, number, jnp.uint32))
    return random.words(key, counter, stepped.WORDS)


@pytest.mark.stat
def test_steps_keep_an_even_spread_even_and_attempt_at_their_rate():
    # two Kolmogorov-Smirnov tests and two rates at 1e-6
    kappa = (1.245, 0.6)
    found = lowered(*kappa)
    tables = jax.tree.map(jnp.asarray, found.tables)
    rng = np.random.default_rng(8)
    x, y = (jnp.asarray(rng.uniform(-0.25, 0.25, MANY), jnp.float32) for _ in range(2))
    z = jnp.asarray(rng.uniform(0, HEIGHT, MANY), jnp.float32)

    @jax.jit
    def step(x, y, z):
        stage = stages(x[0] > -9.0)
        return stepped.depart(tables, False, True, x, y, z, some_words(MANY, 0), stage)

    end = step(x, y, z)
    assert_distribution(np.asarray(end.z), stats.uniform(0, HEIGHT).cdf)
    assert_distribution(np.asarray(end.x), stats.uniform(-0.25, 0.5).cdf)
    tries = np.asarray(end.aim) == Start.RECEPTOR
    second = np.asarray(end.tile) >= int(found.tables.lattice.offset[1])
    for here, velocity, leaving in zip(
        (tries & ~second, tries & second), kappa, found.tables.chemistry.leaving[[0, 2]], strict=True
    ):
        expected = velocity * float(tables.stepping.step) / HEIGHT * float(leaving)
        assert_within(float(here.mean()), expected, np.sqrt(expected / MANY))


@pytest.mark.stat
@pytest.mark.parametrize("plane", [0, 1])
def test_freed_molecules_are_put_by_andrews_law(plane):
    # KS at 1e-6 of the distance from the plane, in a cleft so high that nothing is mirrored; sides by a sign test
    cleft = Slab(1.0, 2.0, DIFFUSION, "reflecting")
    found = lower(
        sinks(0.5, 0.5, 1.0, cleft=cleft, density=100.0), Numerics(transport="stepped", diffusion_step=2.5e-4)
    )
    tables = jax.tree.map(jnp.asarray, found.tables)
    spread = float(tables.stepping.spread)
    tile = jnp.full(MANY, [100, int(found.tables.lattice.offset[1]) + 100][plane], jnp.int32)
    u = jnp.full(MANY, 0.5, jnp.float32)
    freed = jax.jit(lambda: stepped.release(tables, False, True, tile, u, u, some_words(MANY, 0)))()
    away = np.asarray(freed.z, float) - [0.0, 0.5][plane]
    grid = np.linspace(0, 8, 4001)
    total = np.concatenate([[0], np.cumsum(stats.norm.sf(grid[1:] - 0.001) * 0.002)])
    assert_distribution(np.abs(away) / spread, lambda d: np.interp(d, grid, total / total[-1]))
    if plane:
        assert_within(float((away > 0).mean()), 0.5, 0.5 / np.sqrt(MANY))
    # along the plane: the mean square is that of a uniform part squared, 1/3
    x = (np.asarray(freed.x, float) - np.asarray(freed.x).mean()) / spread
    assert_within(float((x**2).mean()), 1 / 3, float((x**2).std() / np.sqrt(MANY)))
    assert float(freed.span[0]) == pytest.approx(float(tables.stepping.step) * 2 / 3)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("step", "kappa", "word"),
    [
        (2e-3, (0.3, 0.0), "cleft.height"),
        (1e-3, (40.0, 0.0), "receptor.density"),
        (1e-3, (0.0, 80.0), "esterase.density"),
        (6e-4, (18.0, 36.0), "together"),
    ],
)
def test_a_step_too_long_is_refused_with_its_limit(step, kappa, word):
    with pytest.raises(ValidationError, match=rf"numerics.diffusion_step must be at most .* us \(.*{word}"):
        lowered(*kappa, diffusion_step=step)
    message = None
    try:
        lowered(*kappa, diffusion_step=step)
    except ValidationError as error:
        message = str(error)
    assert message is not None
    limit = float(message.split("at most ")[1].split(" us")[0]) * 1e-3
    assert lowered(*kappa, diffusion_step=0.99 * limit).step == pytest.approx(0.99 * limit, rel=0.01)


@pytest.mark.unit
def test_transport_and_step_must_agree():
    with pytest.raises(ValidationError, match=r"did you mean numerics\.transport=stepped"):
        lower(sinks(0.3, 0.0, 1.0), Numerics(diffusion_step=1e-4))


@pytest.mark.unit
def test_the_step_scales_for_the_convergence_test():
    assert lowered(1.0, 0.5, step_scale=0.5).step == pytest.approx(0.5 * lowered(1.0, 0.5).step, rel=0.01)
