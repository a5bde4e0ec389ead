"""Scores accumulated in the kernel against exact derivatives: surfaces that catch, closed boxes, a bath, contents."""

import numpy as np
import pytest

import nmjmc
from nmjmc.analysis.observations import Statistic
from nmjmc.errors import ValidationError
from nmjmc.fitting import Condition, StatisticsTerm
from nmjmc.fitting.parameters import free_parameters
from nmjmc.fitting.problem import Problem
from nmjmc.fitting.scores import Run, scores, weights
from nmjmc.kernel import simulate
from nmjmc.kernel.host.scores import Statistics
from nmjmc.kernel.numerics import Numerics
from nmjmc.kernel.physics import likelihood, release, survival
from nmjmc.runtime import use_cache
from nmjmc.synapse import Esterase, Fibre, Receptor, Slab, Synapse, Vesicle
from nmjmc.units import MICROMOLAR
from tests.models import CONDUCTANCE, DIFFUSION, HEIGHT, MOLAR, closed_box_moments, sinks
from tests.statistics import assert_mean

pytestmark = pytest.mark.unit

GROUPS = 24
"""Independent estimates of each derivative, whose mean is tested by Student's t at 1e-6."""


def problem_of(synapse, names):
    term = StatisticsTerm(
        "any", {"amplitude": Statistic("amplitude", 1.0, 0.1, "nA")}, Condition(duration=1.0)
    )
    return Problem(synapse, [term], free_parameters(synapse, names))


def scored(synapse, names, vesicles, duration, interval, seed=1, dilution=(1.0, 1.0)):
    """A run, its scores by the logarithms of the parameters, and its problem."""
    record = simulate.run(
        synapse, vesicles=vesicles, seed=seed, duration=duration, record_interval=interval, scores=True,
        numerics=Numerics(batch=1024), dilution=dilution,
    )  # fmt: skip
    problem = problem_of(synapse, names)
    free = problem.parameters.unconstrained(problem.parameters.start)
    contents = release.contents(synapse.vesicle, seed, 0, vesicles).astype(float)
    run = Run(record.scores, contents, np.asarray(synapse.vesicle.times, float), record.time)
    found = scores(problem, Condition(), free, run)
    stretch = problem.parameters.stretch(free)[:, None, None]
    return record, found._replace(chemistry=found.chemistry / stretch, content=found.content / stretch)


def derivatives(found, content, values, groups=GROUPS):
    """Independent estimates of the derivative of the mean of values [v, t] by each parameter [group, p, t]."""
    parts = np.array_split(np.arange(len(values)), groups)
    own = [
        weights(found._replace(chemistry=found.chemistry[:, g], content=found.content[:, g]), content[g])
        for g in parts
    ]
    return np.stack([np.einsum("pvt,vt->pt", w, values[g]) for w, g in zip(own, parts, strict=True)])


def caught(kappa, molecules, times):
    """Molecules that each of two catching planes has taken by some times, in a closed slab."""
    modes = survival.cleft_modes(DIFFUSION, HEIGHT, 0.5 * HEIGHT, *kappa, HEIGHT - 1e-4)
    done = (1 - np.exp(-np.outer(modes.rate, times))) / modes.rate[:, None]
    begin = modes.start[survival.Start.RELEASED]
    return molecules * np.stack([(begin * flux) @ done for flux in (modes.receptor, modes.esterase)])


def test_journey_scores_have_mean_zero():
    """Of what a table draws: whole journeys, and journeys cut short when mixed."""
    kappa = (1.2, 0.3)
    geometry = (DIFFUSION, HEIGHT, 0.5 * HEIGHT)
    table = survival.survival_tables(*geometry, *kappa, HEIGHT - 1e-4)
    found = likelihood.journey_scores(table, *geometry, kappa, HEIGHT - 1e-4)
    attempt = found.attempt.reshape(4, survival.ENTRIES, 2, 2).astype(float)
    hazard = np.arange(survival.ENTRIES) / table.scale[:, None]
    chance = np.exp(-hazard[:, :-1]) - np.exp(-hazard[:, 1:])
    share = table.on_receptor[..., None]
    mean = share * attempt[:, :, 1] + (1 - share) * attempt[:, :, 0]
    inside = np.einsum("se,sek->sk", chance, mean[:, :-1])
    rest = np.exp(-hazard[:, -1:])
    # beyond the table the excess of the hazard is exponential with mean 1
    np.testing.assert_allclose(inside + rest * (mean[:, -2] - found.decay), 0.0, atol=1e-4)
    np.testing.assert_allclose(inside + rest * found.survival, 0.0, atol=1e-4)


@pytest.mark.stat
def test_binding_rates_of_two_catching_planes():
    """Nothing but journeys: the derivative of what each plane catches is known from the modes of the cleft."""
    use_cache(True)
    kappa, molecules, vesicles = (0.3, 0.15), 40, 24 * 40
    synapse = sinks(*kappa, molecules)
    names = ["receptor.capture_rate", "esterase.capture_rate"]
    record, found = scored(synapse, names, vesicles, 0.2, 0.02)
    step, times = 1e-4, record.time
    for plane in range(2):
        up, down = (
            caught(tuple(k * np.exp(s * step * (j == plane)) for j, k in enumerate(kappa)), molecules, times)
            for s in (1, -1)
        )
        exact = (up - down) / (2 * step)
        for other, columns in ((0, slice(0, 2)), (1, slice(3, 5))):
            taken = record.transitions[..., columns].sum(axis=2).astype(float)
            estimate = derivatives(found, record.content.astype(float), taken)
            for t in (1, 3, 10):
                assert_mean(estimate[:, plane, t], float(exact[other, t]))


BOX = 0.064
RATES = {
    "binding_rate_a": 3e8 * MOLAR, "unbinding_rate_a": 20.0, "binding_rate_b": 1.5e8 * MOLAR, "unbinding_rate_b": 30.0,
    "opening_rate": 30.0, "closing_rate": 20.0,
}  # fmt: skip


def boxed(scheme, rates, molecules, **more):
    """A few receptors and no esterase in a small closed cleft."""
    receptor = Receptor(scheme, rates, 1000.0, CONDUCTANCE, **more)
    none = Esterase("esterase_consuming", {"binding_rate": 2e8 * MOLAR, "deacylation_rate": 16.0}, 0.0)
    return Synapse(
        Slab(HEIGHT, BOX, DIFFUSION, "reflecting"), receptor, none, Vesicle(float(molecules)), Fibre()
    )


def bound_at_equilibrium(rates, sites, molecules):
    """Mean receptors that hold a molecule at a, at b, two and closed, two and open (canonical ensemble)."""
    a, b = (rates[f"binding_rate_{k}"] / rates[f"unbinding_rate_{k}"] for k in "ab")
    opened = rates["opening_rate"] / rates["closing_rate"]
    one, two = closed_box_moments((a + b, a * b * (1 + opened)), sites, HEIGHT * BOX**2, molecules)[0]
    return np.array([one * a / (a + b), one * b / (a + b), two / (1 + opened), two * opened / (1 + opened)])


@pytest.mark.slow
@pytest.mark.stat
def test_all_rates_of_unlike_sites_in_a_closed_box():
    """Binding, turned-down attempts, unbinding and gating, at equilibrium, against the canonical ensemble."""
    use_cache(True)
    synapse = boxed("two_site_unequal", RATES, 6)
    record, found = scored(synapse, [f"receptor.{name}" for name in RATES], 24 * 1024, 0.4, 0.1)
    states = ("AaR", "AbR", "A2R", "A2Ro")
    sites = sum(int(record.counts[s][0, 0]) for s in ("R", *states))
    for p, name in enumerate(RATES):
        sides = [RATES | {name: RATES[name] * np.exp(s * 1e-4)} for s in (1, -1)]
        up, down = (bound_at_equilibrium(side, sites, 6) for side in sides)
        for k, state in enumerate(states):
            estimate = derivatives(found, record.content.astype(float), record.counts[state].astype(float))
            assert_mean(estimate[:, p, -1], float((up - down)[k] / 2e-4))


@pytest.mark.slow
@pytest.mark.stat
def test_rates_and_concentration_of_a_bath():
    """Sites that a drug keeps busy: the score of where they begin and of what they do after, at all times."""
    use_cache(True)
    rates = {
        "binding_rate": 0.0, "unbinding_rate": 20.0, "opening_rate": 30.0, "closing_rate": 15.0,
        "antagonist_binding_rate": 1e8 * MOLAR, "antagonist_unbinding_rate": 4.0,
    }  # fmt: skip
    synapse = boxed("two_site_competitive", rates, 1, bath={"antagonist": 20.0})
    names = [
        "receptor.antagonist_binding_rate",
        "receptor.antagonist_unbinding_rate",
        "receptor.bath.antagonist",
    ]
    record, found = scored(synapse, names, 24 * 256, 0.4, 0.1)
    sites = int(sum(record.counts[s][0, 0] for s in synapse.receptor.scheme.states))
    share = 1 / (1 + 4.0 / (1e8 * MOLAR * 20.0 * MICROMOLAR))
    # of sites share^2, by the logarithm of the affinity
    twice = 2 * sites * share**2 * (1 - share)
    estimate = derivatives(found, record.content.astype(float), record.counts["B2R"].astype(float))
    for p, sign in enumerate((1, -1, 1)):
        for t in (0, 2, -1):
            assert_mean(estimate[:, p, t], sign * twice)


@pytest.mark.slow
@pytest.mark.stat
def test_densities_of_sites_at_random():
    """Catching sites on half of the tiles catch like a plane of half the rate, but for 1 % by their distance."""
    use_cache(True)
    kappa, molecules, interval = (0.3, 0.15), 40, 0.05
    synapse = sinks(*kappa, molecules)
    names = ["receptor.density", "esterase.density"]
    record, found = scored(synapse, names, 24 * 40, 0.2, interval, dilution=(2.0, 2.0))
    live = record.scores.start.sum(axis=1)
    assert_mean(live.astype(float), 2 * 2500.0)
    assert np.ptp(live) > 0
    step = 1e-4
    for plane in range(2):
        up, down = (
            caught(
                tuple(k * np.exp(s * step * (j == plane)) for j, k in enumerate(kappa)),
                molecules,
                record.time,
            )
            for s in (1, -1)
        )
        exact = (up - down) / (2 * step)
        for other, columns in ((0, slice(0, 2)), (1, slice(3, 5))):
            taken = record.transitions[..., columns].sum(axis=2).astype(float)
            estimate = derivatives(found, record.content.astype(float), taken)
            assert_mean(
                estimate[:, plane, -1], float(exact[other, -1]), bias=0.02 * abs(float(exact[other, -1]))
            )


def test_a_density_on_a_lattice_has_no_score():
    synapse = nmjmc.preparation("human")
    problem = problem_of(synapse, ["receptor.density"])
    free = problem.parameters.unconstrained(problem.parameters.start)
    with pytest.raises(ValidationError, match="dilution above 1"):
        scores(problem, Condition(), free, drawn(synapse, 8))


def drawn(synapse, vesicles, times=(0.0,)):
    """Contents of vesicles and the run they would be of, in which nothing else happens."""
    vesicle = Vesicle(5000.0, 0.3, sites=np.zeros((len(times), 2)), times=np.array(times))
    contents = release.contents(vesicle, 7, 0, vesicles).astype(float)
    schemes = (synapse.receptor.scheme, synapse.esterase.scheme)
    k, s = (sum(len(getattr(scheme, what)) for scheme in schemes) for what in ("transitions", "states"))
    by_state = np.zeros((vesicles, 3, s))
    quiet = Statistics(
        np.zeros((vesicles, 3, k), int), by_state, by_state.astype(int), by_state[..., :2],
        by_state[:, 0].astype(int), (likelihood.Majorant(0, 1.0), likelihood.Majorant(0, 1.0)),
        np.zeros((vesicles, 2)),
    )  # fmt: skip
    return Run(quiet, contents, np.array(times), np.array([0.0, 0.5, 1.0]))


@pytest.mark.stat
def test_content_mean_and_cv():
    """Moments of the lognormal content: E n = m, E n^2 = m^2 (1 + CV^2); of two vesicles the second counts later."""
    synapse = nmjmc.preparation("human")
    synapse = nmjmc.replace(nmjmc.replace(synapse, "vesicle.content_mean", 5000), "vesicle.content_cv", 0.3)
    problem = problem_of(synapse, ["vesicle.content_mean", "vesicle.content_cv"])
    free = problem.parameters.unconstrained(problem.parameters.start)
    run = drawn(synapse, 24 * 4000, (0.0, 0.7))
    found = scores(problem, Condition(), free, run)
    stretch = problem.parameters.stretch(free)[:, None, None]
    found = found._replace(content=found.content / stretch)
    first, second = run.contents[:, :1], run.contents[:, 1:]
    for vesicle, since in ((first, 0), (second, 2)):
        size = vesicle / 5000.0 * (np.arange(3) >= since)
        mean = derivatives(found, run.contents.sum(axis=1), size)
        square = derivatives(found, run.contents.sum(axis=1), size**2)
        for t in range(since, 3):
            assert_mean(mean[:, 0, t], 1.0)
            assert_mean(mean[:, 1, t], 0.0)
            assert_mean(square[:, 0, t], 2 * (1 + 0.3**2))
            assert_mean(square[:, 1, t], 2 * 0.3**2)


@pytest.mark.parametrize("name", ["cleft.height", "cleft.diffusion", "vesicle.pore_speed", "temperature"])
def test_parameters_without_a_score_are_refused(name):
    synapse = nmjmc.preparation("human")
    problem = problem_of(synapse, {name: {}})
    free = problem.parameters.unconstrained(problem.parameters.start)
    with pytest.raises(ValidationError, match="common_random_numbers"):
        scores(problem, Condition(), free, drawn(synapse, 8))


def test_vesicles_all_alike_have_no_score_of_their_content():
    synapse = nmjmc.replace(nmjmc.preparation("human"), "vesicle.content_cv", 0.0)
    problem = problem_of(synapse, ["vesicle.content_mean"])
    free = problem.parameters.unconstrained(problem.parameters.start)
    with pytest.raises(ValidationError, match="content_cv above 0"):
        scores(problem, Condition(), free, drawn(synapse, 8))


def test_steps_of_fixed_length_have_no_scores():
    with pytest.raises(ValidationError, match="exact for the score function"):
        simulate.run(
            sinks(0.3, 0.15, 4), vesicles=1, seed=0, duration=0.1, record_interval=0.05, scores=True,
            numerics=Numerics(transport="stepped"),
        )  # fmt: skip


@pytest.mark.slow
def test_a_run_with_scores_is_the_same_run():
    """And what it keeps adds up: sites dwell somewhere all the time."""
    use_cache(True)
    how = {"vesicles": 24 * 40, "seed": 1, "duration": 0.2, "record_interval": 0.02}
    synapse = sinks(0.3, 0.15, 40)
    plain, kept = simulate.run(synapse, **how), simulate.run(synapse, **how, scores=True)
    assert all(np.array_equal(plain.counts[name], kept.counts[name]) for name in plain.counts)
    assert np.array_equal(plain.transitions, kept.transitions) and plain.scores is None
    sites = kept.scores.start.sum(axis=1)
    np.testing.assert_allclose(kept.scores.dwell.sum(axis=2), sites[:, None] * kept.time, rtol=1e-12)
    batches = simulate.run(synapse, **how, scores=True, numerics=Numerics(batch=256))
    for name in ("dwell", "journeys", "rejected", "transitions"):
        assert np.array_equal(getattr(batches.scores, name), getattr(kept.scores, name)), name
