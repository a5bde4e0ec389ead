"""The folded membrane: where molecules can be, equilibrium, its limits, and what depth does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nmjmc.errors import ValidationError
from nmjmc.kernel.jax_pass import folds, stepped
from nmjmc.kernel.jax_pass.stage import stages
from nmjmc.kernel.numerics import Numerics
from nmjmc.kernel.physics import folds as fold_lattices
from nmjmc.kernel.physics import random
from nmjmc.kernel.physics.lower import lower
from nmjmc.kernel.simulate import run
from nmjmc.synapse import Disc, Folded
from nmjmc.synapse.presets import preparation
from tests.models import DIFFUSION, HEIGHT, MOLAR, closed_box_moments, inert, two_site
from tests.statistics import assert_chi_square, assert_mean, assert_within

MANY = 2**16
DEPTH, WIDTH, SPACING, RADIUS = 0.08, 0.04, 0.1, 0.24


def folded(radius=RADIUS, rim="reflecting", depth=DEPTH):
    return Folded(HEIGHT, radius, DIFFUSION, rim, fold_depth=depth, fold_width=WIDTH, fold_spacing=SPACING)


def slit_area(radius, width, spacing):
    """Area of the slits within the disc."""
    x = np.linspace(-radius, radius, 400_001)
    inside = np.abs(x - spacing * np.floor(x / spacing + 0.5)) < width / 2
    return float((inside * 2 * np.sqrt(np.maximum(radius**2 - x**2, 0))).mean() * 2 * radius)


def evenly(rng, count):
    """Points spread evenly over the folded space."""
    points = np.empty((0, 3))
    while len(points) < count:
        p = rng.uniform((-RADIUS, -RADIUS, -DEPTH), (RADIUS, RADIUS, HEIGHT), (4 * count, 3))
        keep = (p[:, 0] ** 2 + p[:, 1] ** 2 < RADIUS**2) & ((p[:, 2] > 0) | over_slit(p[:, 0]))
        points = np.concatenate([points, p[keep]])
    return points[:count].T


def over_slit(x):
    return np.abs(x - SPACING * np.floor(x / SPACING + 0.5)) < WIDTH / 2


@pytest.mark.stat
def test_an_even_spread_stays_even():
    # chi-square at 1e-6 over height, side of the fold and distance from the middle, after 60 steps of a closed field
    tables = jax.tree.map(jnp.asarray, lower(inert(folded(), 1.0)).tables)
    start = tuple(jnp.asarray(v, jnp.float32) for v in evenly(np.random.default_rng(2), MANY))

    @jax.jit
    def steps(x, y, z):
        def one(number, at):
            key = tuple(jnp.full(MANY, w, jnp.uint32) for w in (1, 2))
            counter = (jnp.arange(MANY, dtype=jnp.uint32), jnp.full(MANY, 8 * number, jnp.uint32))
            words = random.words(key, counter, stepped.WORDS)
            end = stepped.depart(tables, True, True, *at, words, stages(at[0][0] > -9.0))
            return end.x, end.y, end.z

        return jax.lax.fori_loop(0, 60, one, (x, y, z))

    cells = []
    for x, y, z in (start, steps(*start)):
        x, y, z = (np.asarray(v, float) for v in (x, y, z))
        assert np.all((z >= -DEPTH) & (z <= HEIGHT)) and np.all(x**2 + y**2 < RADIUS**2 * (1 + 1e-6))
        assert np.all((z >= 0) | (np.abs(x - SPACING * np.floor(x / SPACING + 0.5)) <= WIDTH / 2 + 1e-6))
        level = np.digitize(z, [-0.06, -0.04, -0.02, 0, 0.01, 0.02])
        ring = np.digitize(x**2 + y**2, RADIUS**2 * np.array([0.25, 0.5, 0.75]))
        side = (x > SPACING * np.floor(x / SPACING + 0.5)).astype(int)
        cells.append(np.bincount((level * 4 + ring) * 2 + side, minlength=56))
    # both ends of the walk are samples of one even law, so their difference has twice the variance of one
    mean = (cells[0] + cells[1]) / 2
    assert_chi_square(mean + (cells[1] - cells[0]) / np.sqrt(2), mean)


@pytest.mark.stat
@pytest.mark.parametrize("executor", ["warp", pytest.param("jax", marks=pytest.mark.slow)])
def test_equilibrium_in_a_closed_fold(executor):
    # receptors on crests and walls bind and free until the canonical ensemble of the whole space is reached
    molecules, density = 400, 2500.0
    rates = {"binding_rate": 4e7 * MOLAR, "unbinding_rate": 10.0, "opening_rate": 0.0, "closing_rate": 1.0}
    synapse = two_site(density, folded(), molecules, rates=rates)
    how = {"duration": 1.0, "record_interval": 0.02, "numerics": Numerics(executor=executor)}
    found = run(synapse, vesicles=8, seed=3, **how)
    sites = int(found.counts["R"][0, 0])
    volume = np.pi * RADIUS**2 * HEIGHT + slit_area(RADIUS, WIDTH, SPACING) * DEPTH
    ratio = rates["binding_rate"] / rates["unbinding_rate"]
    mean, _ = closed_box_moments((2 * ratio, ratio**2), sites, volume, molecules)
    late = found.time > 0.5
    for name, expected in zip(("AR", "A2R"), mean, strict=True):
        # t-test at 1e-6 over vesicles; no bias allowed
        assert_mean(found.counts[name][:, late].mean(axis=1), float(expected))


@pytest.mark.system
@pytest.mark.parametrize("profile", [((), ()), ((0.03, 0.06), (1.0, 0.3)), ((0.5,), (0.6,))])
def test_sites_are_densities_times_areas(profile):
    synapse = preparation(
        "folded",
        cleft={
            "exit_radius": "1 um",
            "fold_depth": "0.2 um",
            "fold_width": "0.05 um",
            "fold_spacing": "0.3 um",
        },
        receptor={
            "fold_profile": {
                "depth": [f"{v} um" for v in profile[0]],
                "fraction": [str(v) for v in profile[1]],
            }
        },
    )
    found = fold_lattices.build(synapse)
    slits = slit_area(1.0, 0.05, 0.3)
    middles = 0.3 * np.arange(-3, 4)
    chords = {x: 2 * np.sqrt(1 - (middles + x) ** 2).sum() for x in (-0.025, 0.0, 0.025)}
    faces = chords[-0.025] + chords[0.025]  # a fold's walls stand at its two edges, its lamina in its middle
    walls = faces * 0.2 if not profile[0] else 0.0
    for low, high, part in zip((0, *profile[0]), profile[0], profile[1], strict=False):
        walls += faces * (min(high, 0.2) - min(low, 0.2)) * part
    expected = (8500 * (np.pi - slits), 8500 * walls, 1800 * np.pi, 3600 * chords[0.0] * 0.2)
    for live, count in zip(found[2], expected, strict=True):
        assert live.sum() == pytest.approx(count, abs=1.0)
    assert found[2][0].sum() == round(expected[0]) and found[2][2].sum() == round(expected[2])
    for area, density in zip(found[3], (8500, 8500, 1800, 3600), strict=True):
        assert area <= 1 / density * (1 + 1e-9)


@pytest.mark.system
def test_a_tile_is_found_again_from_its_points():
    lowered = lower(preparation("folded", cleft={"exit_radius": "0.5 um"}))
    tables = jax.tree.map(jnp.asarray, lowered.tables)
    ground = tables.stepping.folds
    sites = np.flatnonzero(np.asarray(lowered.tables.template) < 0x100 + len(lowered.names) - 3)
    tile = jnp.asarray(np.random.default_rng(1).choice(sites, 5000), jnp.int32)
    u, v = (jnp.asarray(np.random.default_rng(s).uniform(0.02, 0.98, 5000), jnp.float32) for s in (2, 3))
    x, y, z, kind = folds._point(tables, ground, tile, (u, v))
    right = x > ground.spacing * jnp.floor(x / ground.spacing + 0.5)
    again, there = folds._tile(tables, ground, kind, x, y, -z, right)
    assert bool(there.all())
    np.testing.assert_array_equal(again, tile)
    deep = np.asarray(folds.in_fold(ground, tile))
    np.testing.assert_array_equal(
        deep, np.isin(np.asarray(kind), (fold_lattices.WALL, fold_lattices.FOLD_LAMINA))
    )


@pytest.fixture(scope="module")
def by_depth():
    """A small quantum over folds, of a depth next to nothing and deep, and over none."""
    given = {
        "vesicle.content_mean": "200 molecules",
        "vesicle.content_cv": 0,
        "vesicle.pore_speed": "inf nm/ms",
    }
    settings = {"transport": "stepped", "diffusion_step": 1.5e-4}
    found = {}
    for depth, executor in ((None, "auto"), (0.002, "auto"), (0.4, "auto"), (0.4, "jax")):
        synapse = preparation(
            "human" if depth is None else "folded", **given, **{"receptor.density": "8500 /um^2"}
        )
        cleft = {"height": 0.03, "exit_radius": 0.3, "diffusion": 0.4}
        if depth is None:
            cleft = Disc(**cleft)
        else:
            cleft = Folded(**cleft, fold_depth=depth, fold_width=0.05, fold_spacing=0.25)
        parts = {"receptor": synapse.receptor, "esterase": synapse.esterase, "vesicle": synapse.vesicle}
        found[depth if executor == "auto" else executor] = run(
            type(synapse)(cleft, **parts, fibre=synapse.fibre), vesicles=16, seed=7, duration=0.15,
            record_interval=0.01, numerics=Numerics(executor=executor, **settings),
        )  # fmt: skip
    return found


@pytest.mark.stat
def test_both_executors_agree_over_folds(by_depth):
    # all counts at three moments, 16 quanta each; |z| < 6 for some 30 comparisons by t of 30 degrees: below 1e-4
    for name in by_depth["jax"].counts:
        if name == "released":
            continue
        first, second = (np.asarray(by_depth[k].counts[name], float)[:, [3, 7, 15]] for k in (0.4, "jax"))
        error = np.sqrt((first.var(axis=0, ddof=1) + second.var(axis=0, ddof=1)) / len(first))
        z = (first.mean(axis=0) - second.mean(axis=0)) / np.maximum(error, 0.1)
        assert np.abs(z).max() < 6, (name, z)


@pytest.mark.stat
def test_shallow_folds_are_a_disc(by_depth):
    # 16 quanta each, 1e-6; the receptors that the slits lack (a fifth of the area) bias escape by 5 % at most
    flat, shallow = by_depth[None], by_depth[0.002]
    escaped = [r.counts["escaped"][:, -1] for r in (flat, shallow)]
    error = np.hypot(*(e.std(ddof=1) / np.sqrt(len(e)) for e in escaped))
    assert_within(
        float(escaped[1].mean()), float(escaped[0].mean()), float(error), bias=0.05 * float(escaped[0].mean())
    )


@pytest.mark.stat
def test_deeper_folds_trap_more_and_let_less_escape(by_depth):
    # escape falls by more than five standard errors: a rate below 1e-6
    shallow, deep = (by_depth[d].counts["escaped"][:, -1] for d in (0.002, 0.4))
    error = np.hypot(*(e.std(ddof=1) / np.sqrt(len(e)) for e in (shallow, deep)))
    assert shallow.mean() - deep.mean() > 5 * error


@pytest.mark.stat
def test_the_folded_preparation_runs():
    found = run(preparation("folded"), vesicles=1, seed=1, duration=0.08, record_interval=0.02)
    counts = found.counts
    held = counts["AR"] + 2 * (counts["A2R"] + counts["A2Ro"]) + counts["EA"]
    total = counts["free_ach"] + held + counts["hydrolysed"] + counts["escaped"]
    np.testing.assert_array_equal(total, counts["released"])
    assert counts["A2Ro"].max() > 0


@pytest.mark.system
def test_exact_transport_is_refused_over_folds():
    with pytest.raises(ValidationError, match=r"numerics\.transport must be 'auto' or 'stepped'"):
        lower(preparation("folded"), Numerics(transport="exact"))
