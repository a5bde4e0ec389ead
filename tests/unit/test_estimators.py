"""Every estimator of a gradient against exact ones, parameter by parameter: a closed box whose equilibrium is known."""

import functools

import numpy as np
import pytest
from scipy.optimize import brentq

from nmjmc.errors import ValidationError
from nmjmc.fitting import (
    ESTIMATORS,
    CommonRandomNumbersEstimator,
    Condition,
    CorrectedEstimator,
    MeanFieldEstimator,
    ScoreFunctionEstimator,
    WaveformTerm,
    fit,
)
from nmjmc.fitting.likelihood import Gaussian
from nmjmc.fitting.parameters import free_parameters
from nmjmc.fitting.problem import Problem
from nmjmc.fitting.simulations import simulate_points, simulated
from nmjmc.kernel.numerics import Numerics
from nmjmc.runtime import use_cache
from nmjmc.synapse import Esterase, Fibre, Receptor, Slab, Synapse, Vesicle
from tests.models import CONDUCTANCE, DIFFUSION, HEIGHT, MOLAR, closed_box_moments
from tests.statistics import assert_mean

pytestmark = pytest.mark.unit

BOX, MOLECULES, SITES = 0.064, 6, 4
RATES = {"binding_rate": 3e8 * MOLAR, "unbinding_rate": 20.0, "opening_rate": 40.0, "closing_rate": 20.0}
LAST = Condition(duration=0.5)
PATHS = [f"receptor.{name}" for name in RATES]
WIDE = Numerics(batch=2048)
recorded = functools.partial(simulated, interval=0.05, numerics=WIDE)
REPLICATES = 12
"""Runs of other seeds, whose mean is tested by Student's t at 1e-6."""


def box(molecules=MOLECULES, side=BOX):
    """A few receptors in a small closed cleft without esterase."""
    receptor = Receptor("two_site_sequential", RATES, 1000.0, CONDUCTANCE)
    none = Esterase("esterase_consuming", {"binding_rate": 2e8 * MOLAR, "deacylation_rate": 16.0}, 0.0)
    cleft = Slab(HEIGHT, side, DIFFUSION, "reflecting")
    return Synapse(cleft, receptor, none, Vesicle(float(molecules)), Fibre())


def settled(synapse=None):
    """The mean and the variance of the current when all has settled, in one bin."""
    time = np.arange(0.0, 0.501, 0.05)
    traces = -1e-3 * np.random.default_rng(0).random((20, time.size))
    return WaveformTerm("settled", time, traces, LAST, edges=np.array([0.42, 0.48]))


def problem_of(paths, synapse=None, term=None):
    return Problem(synapse or box(), [term or settled()], free_parameters(synapse or box(), paths))


def at_start(problem):
    return problem.parameters.unconstrained(problem.parameters.start)


def exact(values):
    """Mean current and log variance at equilibrium, by the canonical ensemble [nA]."""
    affinity = values["receptor.binding_rate"] / values["receptor.unbinding_rate"]
    rates = values["receptor.opening_rate"], values["receptor.closing_rate"]
    gating = rates[0] / rates[1]
    volume = values.get("cleft.height", HEIGHT) * BOX**2
    mean, variance = closed_box_moments((2 * affinity, affinity**2 * (1 + gating)), SITES, volume, MOLECULES)
    opened = gating / (1 + gating)
    single = CONDUCTANCE * -80.0
    spread = variance[1] * opened**2 + mean[1] * opened * (1 - opened)
    return np.array([single * mean[1] * opened, np.log(single**2 * spread)])


def exact_slope(problem, step=1e-4):
    """Derivatives of the exact numbers, or their central differences of a step, by the unconstrained parameters."""
    known = {path: RATES[path.split(".")[1]] for path in PATHS}
    free = at_start(problem)
    rows = []
    for row in step * np.eye(free.size):
        up, down = (exact(known | problem.values(free + sign * row)) for sign in (1, -1))
        rows.append((up - down) / (2 * step))
    return np.stack(rows, axis=1)


def check(estimates, wanted):
    for index in np.ndindex(wanted.shape):
        assert_mean(estimates[(slice(None), *index)], float(wanted[index]))


@pytest.mark.slow
@pytest.mark.stat
def test_the_score_function_is_unbiased_for_every_rate():
    use_cache(True)
    problem = problem_of(PATHS)
    found = [
        ScoreFunctionEstimator(2048, seed, 0.05, WIDE).evaluate(problem, at_start(problem))
        for seed in range(REPLICATES)
    ]
    check(np.stack([z for z, _, _ in found])[:, :1], exact({p: RATES[p.split(".")[1]] for p in PATHS})[:1])
    wanted = exact_slope(problem)
    estimates = np.stack([slope for _, slope, _ in found])
    check(estimates, wanted)
    # the test has power: an estimator that gave nothing would fail it
    error = estimates.std(axis=0, ddof=1) / np.sqrt(REPLICATES)
    assert (np.abs(wanted[0]) > 8 * error[0]).all()


@pytest.mark.slow
@pytest.mark.stat
def test_common_random_numbers_serve_rates_and_geometry():
    """Against the exact central difference with the same step: what is left is noise alone."""
    use_cache(True)
    problem = problem_of(["receptor.binding_rate", "receptor.closing_rate", "cleft.height"])
    estimator = CommonRandomNumbersEstimator(1024, 0, 0.1, recorded)
    found = []
    for seed in range(REPLICATES):
        estimator.seed = seed
        found.append(estimator.evaluate(problem, at_start(problem))[1])
    wanted = exact_slope(problem, 0.1)
    check(np.stack(found)[:, :1], wanted[:1])
    # and the bias of the step is of second order
    bias = wanted - exact_slope(problem)
    halved = exact_slope(problem, 0.05) - exact_slope(problem)
    np.testing.assert_allclose(halved[0], bias[0] / 4, rtol=0.1)


@pytest.mark.slow
def test_points_that_share_their_programs_have_the_quanta_of_points_alone():
    use_cache(True)
    problem = problem_of(["receptor.binding_rate"])
    points = [at_start(problem), at_start(problem) + 0.1]
    together, alone = (simulate_points(problem, points, 8, 3, how) for how in (None, simulated))
    assert all(np.array_equal(a[LAST].current, b[LAST].current) for a, b in zip(together, alone, strict=True))
    assert not np.array_equal(together[0][LAST].current, together[1][LAST].current)


def by_mass_action(values, molecules, side, sites):
    """Mean open receptors at equilibrium of very many molecules."""
    affinity = values["receptor.binding_rate"] / values["receptor.unbinding_rate"]
    gating = values["receptor.opening_rate"] / values["receptor.closing_rate"]

    def weights(free):
        one, two = 2 * affinity * free, (affinity * free) ** 2
        return one, two, 1 + one + two * (1 + gating)

    def left(free):
        one, two, total = weights(free)
        return molecules - free * HEIGHT * side**2 - sites * (one + 2 * two * (1 + gating)) / total

    _, two, total = weights(brentq(left, 0.0, molecules / (HEIGHT * side**2), xtol=1e-12))
    return sites * two * gating / total


@pytest.mark.slow
def test_the_mean_field_is_exact_for_many_molecules():
    """Against the law of mass action, for every rate: what is left is the grid and the last of the settling."""
    side, molecules = 0.64, 600
    late = Condition(duration=1.0)
    time = np.arange(0.0, 1.001, 0.05)
    traces = -1e-3 * np.random.default_rng(0).random((20, time.size))
    term = WaveformTerm("late", time, traces, late, edges=np.array([0.92, 0.98]), with_variance=False)
    problem = problem_of(PATHS, box(molecules, side), term)
    free = at_start(problem)
    z, slope, noise = MeanFieldEstimator().evaluate(problem, free)
    single, sites = CONDUCTANCE * -80.0, round(1000.0 * side**2)
    known = {path: RATES[path.split(".")[1]] for path in PATHS}
    assert not noise.any()
    assert z[0] == pytest.approx(single * by_mass_action(known, molecules, side, sites), rel=3e-3)
    for k, row in enumerate(1e-4 * np.eye(free.size)):
        up, down = (by_mass_action(problem.values(free + s * row), molecules, side, sites) for s in (1, -1))
        assert slope[0, k] == pytest.approx(single * (up - down) / 2e-4, rel=1e-2)


@pytest.mark.slow
@pytest.mark.stat
def test_the_corrected_estimator_predicts_the_few_molecules_that_the_mean_field_misses():
    """Its predictions have no bias where it was corrected; its slopes are those of the mean field."""
    use_cache(True)
    problem = problem_of(PATHS)
    free = at_start(problem)
    plain, slope, _ = MeanFieldEstimator().evaluate(problem, free)
    found = []
    for seed in range(REPLICATES):
        estimator = CorrectedEstimator(1024, seed, recorded)
        estimator.prepare(problem, free)
        z, own, noise = estimator.evaluate(problem, free)
        assert np.array_equal(own, slope) and noise[0, 0] > 0
        found.append(z)
    truth = exact({path: RATES[path.split(".")[1]] for path in PATHS})
    check(np.stack(found), truth)
    error = np.stack(found).std(axis=0, ddof=1) / np.sqrt(REPLICATES)
    # four receptors, most of the time without a channel open, are not independent channels
    assert abs(plain[1] - truth[1]) > 8 * error[1]


@pytest.mark.slow
@pytest.mark.stat
def test_a_fit_by_the_score_function_comes_near():
    """Opening rate from the mean current of the settled box; the score and the loss share their seed."""
    use_cache(True)
    other = RATES | {"opening_rate": 60.0}
    truth = exact({f"receptor.{name}": value for name, value in other.items()})[0]
    term = settled()
    term.with_variance, term.labels = False, term.labels[:1]
    term.likelihood = Gaussian(term.name, np.array([truth]), np.array([[(0.02 * truth) ** 2]]))
    estimator = ScoreFunctionEstimator(8192, 3, 0.05, WIDE)
    found = fit(box(), [term], {"receptor.opening_rate": {}}, estimator=estimator, steps=12)
    assert found["receptor.opening_rate"] == pytest.approx(60.0, rel=0.1)
    assert "score_function" in found.notes[0] and found.seed_sd[0] > 0


def test_every_estimator_has_a_name_and_states_its_bias():
    assert set(ESTIMATORS) == {"mean_field", "corrected", "common_random_numbers", "score_function"}
    assert all(kind.name == name and len(kind.bias) > 20 for name, kind in ESTIMATORS.items())


@pytest.mark.parametrize("path", ["cleft.height", "cleft.diffusion"])
def test_the_score_function_refuses_geometry_before_it_simulates(path):
    problem = problem_of([path])
    with pytest.raises(ValidationError, match="common_random_numbers"):
        ScoreFunctionEstimator(8).evaluate(problem, at_start(problem))
