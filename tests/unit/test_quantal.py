"""Quantal analysis against closed forms, against drawn data, and against Boyd and Martin."""

from pathlib import Path

import jax
import numpy as np
import pytest
from scipy import optimize, stats

from nmjmc.analysis import compound, quantal
from nmjmc.analysis.histogram_fit import _objective, fit_histogram
from nmjmc.analysis.observations import Histogram
from nmjmc.data import published
from nmjmc.data.recordings.text import read_columns
from nmjmc.errors import ValidationError
from tests.statistics import assert_within

pytestmark = pytest.mark.unit

REAL = Path(__file__).parents[3] / "shared" / "recordings"
real = pytest.mark.skipif(not REAL.is_dir(), reason="the recordings are not here")
Q, CV, NOISE = 0.4, 0.2, 0.03


def drawn(trials, *, m=None, n=None, p=None, seed=0):
    """Amplitudes of trials of Poisson or binomial release."""
    rng = np.random.default_rng(seed)
    number = rng.poisson(m, trials) if m is not None else rng.binomial(n, p, trials)
    values = Q * number + Q * CV * np.sqrt(number) * rng.normal(size=trials)
    return number, values + NOISE * rng.normal(size=trials)


def minis(count=4000, seed=1):
    return Q * (1 + CV * np.random.default_rng(seed).normal(size=count))


@pytest.mark.stat
def test_three_methods_agree_on_poisson_release():
    number, values = drawn(4000, m=2.0)
    estimates = [
        quantal.direct(values, minis()),
        quantal.failures(4000, int((number == 0).sum())),
        quantal.variance(values, quantal_cv=CV, noise_sd=NOISE),
    ]
    for found in estimates:
        assert_within(found.value, 2.0, found.standard_error)
        assert found.standard_error < 0.1


@pytest.mark.stat
@pytest.mark.parametrize("method", ["direct", "failures", "variance", "n", "p"])
def test_standard_errors_are_those_of_repetition(method):
    """SD over 300 repeated experiments against the mean stated error; each is known to 1/sqrt(600)."""
    found = []
    for seed in range(300):
        if method in ("n", "p"):
            _, values = drawn(300, n=6, p=0.5, seed=seed)
            found.append(getattr(quantal.binomial(values, minis(200, seed), noise_sd=NOISE), method))
            continue
        number, values = drawn(300, m=1.5, seed=seed)
        found.append(
            quantal.direct(values, minis(200, seed)) if method == "direct"
            else quantal.failures(300, int((number == 0).sum())) if method == "failures"
            else quantal.variance(values, quantal_cv=CV, noise_sd=NOISE)
        )  # fmt: skip
    spread = np.std([e.value for e in found], ddof=1)
    stated = np.mean([e.standard_error for e in found])
    assert_within(stated / spread, 1.0, 1 / np.sqrt(600), bias=0.1 if method == "n" else 0.05)


@pytest.mark.stat
def test_binomial_n_p_and_q_come_back():
    _, values = drawn(20_000, n=6, p=0.5)
    found = quantal.binomial(values, minis(20_000), noise_sd=NOISE)
    for estimate, true in ((found.n, 6.0), (found.p, 0.5), (found.q, Q)):
        assert_within(estimate.value, true, estimate.standard_error)


def test_variance_against_mean_is_the_parabola():
    p = np.array([0.1, 0.3, 0.6, 0.9])
    n, q = quantal.variance_mean(8 * p * Q, 8 * p * Q**2 * (1 - p + CV**2), quantal_cv=CV)
    # (1 + cv^2) multiplies the linear term only: q and n are exact
    assert (n, q) == pytest.approx((8.0, Q))
    assert quantal.variance_mean(p, p)[0] == float("inf")


def test_summation_corrected_is_linear():
    conductance = np.array([0.01, 0.1, 0.5])
    potential = 80.0 * conductance / (1 + conductance)
    np.testing.assert_allclose(quantal.correct_summation(potential, 80.0), 80.0 * conductance)
    # physics.md 4.1: 31 quanta of 1 mV give 22 mV
    assert float(quantal.correct_summation(np.array(31 / (1 + 31 / 80)), 80.0)) == pytest.approx(31.0)
    with pytest.raises(ValidationError, match="below 80 mV"):
        quantal.correct_summation(np.array([85.0]), 80.0)


def test_impossible_experiments_are_refused():
    with pytest.raises(ValidationError, match="without failures use direct"):
        quantal.failures(100, 0)
    with pytest.raises(ValidationError, match="three or more"):
        quantal.direct(np.ones(2), np.ones(9))
    with pytest.raises(ValidationError, match="noise_sd must be below"):
        quantal.variance(np.array([1.0, 1.1, 0.9]), noise_sd=1.0)


def test_numbers_of_quanta_have_their_distributions():
    with jax.enable_x64(True):
        np.testing.assert_allclose(
            compound.poisson(2.3, 30), stats.poisson.pmf(np.arange(31), 2.3), rtol=1e-10
        )
        np.testing.assert_allclose(
            compound.binomial(7.0, 0.3, 12), stats.binom.pmf(np.arange(13), 7, 0.3), rtol=1e-9, atol=1e-15
        )
        assert float(compound.binomial(6.4, 0.3, 12).sum()) == pytest.approx(1.0)
        edges = np.array([-50.0, 0.5, 50.0])
        whole = compound.bins(edges, compound.poisson(1.5, 40), Q, 0.1, NOISE)
        assert float(whole.sum()) == pytest.approx(1 - np.exp(-1.5))


@pytest.mark.stat
def test_maximum_likelihood_finds_what_was_drawn():
    number, values = drawn(3000, m=2.0, seed=5)
    edges = np.arange(0.1, 5.0, 0.05)
    counts = np.histogram(values[number > 0], edges)[0]
    # what falls below 0.1 mV although released is not seen: its share is below 1e-3
    fit = fit_histogram(Histogram(edges, counts, failures=int((number == 0).sum())), noise_sd=NOISE)
    for name, true in (("content", 2.0), ("quantum", Q), ("quantal_sd", Q * CV)):
        assert_within(fit.estimates[name], true, fit.errors[name], bias=2e-3 * true)
    assert fit.p_value > 1e-3
    assert fit.expected.sum() + fit.expected_failures == pytest.approx(3000, rel=1e-3)


def test_boyd_and_martin_by_three_methods_and_by_likelihood():
    """Reference values computed from the same published counts (README of the recordings)."""
    evoked = published.histogram("boyd_martin_1956", "epp_amplitude")
    small = published.histogram("boyd_martin_1956", "mepp_amplitude")
    cv = float(np.sqrt(small.variance()) / small.mean())
    assert quantal.direct(evoked, small).value == pytest.approx(2.38, abs=5e-3)
    assert quantal.failures(evoked.trials, evoked.failures).value == pytest.approx(2.40, abs=5e-3)
    assert quantal.variance(evoked).value == pytest.approx(2.31, abs=5e-3)
    assert quantal.variance(evoked, quantal_cv=cv).value == pytest.approx(2.42, abs=5e-3)
    fit = fit_histogram(evoked)
    assert fit.estimates["content"] == pytest.approx(2.34, abs=5e-3)
    assert fit.estimates["quantum"] == pytest.approx(0.403, abs=1e-3)
    assert fit.estimates["quantal_sd"] == pytest.approx(0.076, abs=1e-3)
    assert fit.p_value > 0.05
    # a binomial has one parameter more and gains nothing: release is Poisson
    assert fit_histogram(evoked, "binomial").aic > fit.aic
    both = fit_histogram(evoked, quanta=small)
    assert both.errors["content"] < 0.13


@pytest.mark.parametrize("threshold", [None, 0.2])
@pytest.mark.parametrize("model", ["poisson", "binomial", "free"])
def test_the_gradient_of_a_histogram_s_likelihood_is_its_derivative(model, threshold):
    evoked = published.histogram("boyd_martin_1956", "epp_amplitude")
    small = None if model == "free" else published.histogram("boyd_martin_1956", "mepp_amplitude")
    more = {"poisson": {"content": 0.8}, "binomial": {"sites": 2.0, "probability": -0.7},
            "free": {"weight_2": 0.2, "weight_3": 0.1}}[model]  # fmt: skip
    names = ("quantum", "quantal_sd", *more)
    least = -np.inf if threshold is None else threshold
    value = _objective(evoked, model, small, 0.02, 3 if model == "free" else 30, names, least)
    at = np.array([np.log(0.4), np.log(0.08), *more.values()])
    wanted = optimize.approx_fprime(at, lambda x: value(x)[0], 1e-7)
    np.testing.assert_allclose(value(at)[1], wanted, rtol=1e-4, atol=2e-3)


@pytest.mark.stat
def test_miniatures_below_the_detection_threshold_are_missing_and_the_quantum_is_not():
    """A quarter of them is not seen; the truncated likelihood finds the mean of all, the plain one does not."""
    values = np.random.default_rng(3).normal(Q, 0.3 * Q, 4000)
    threshold = Q * (1 - 0.3 * 0.6745)
    edges = np.arange(threshold, 1.2, 0.02)
    seen = Histogram(edges, np.histogram(values, edges)[0])
    fits = {t: fit_histogram(seen, "free", most=1, threshold=t) for t in (threshold, None)}
    found = fits[threshold]
    assert_within(found.estimates["quantum"], Q, found.errors["quantum"])
    assert_within(found.estimates["quantal_sd"], 0.3 * Q, found.errors["quantal_sd"])
    assert found.p_value > 1e-3
    assert fits[None].estimates["quantum"] > Q + 6 * found.errors["quantum"]


@pytest.mark.stat
def test_responses_below_the_detection_threshold_are_failures():
    _, values = drawn(3000, m=1.2, seed=7)
    threshold, edges = 0.36, np.arange(0.36, 5.0, 0.05)  # three tenths of single quanta are below
    counts = np.histogram(values, edges)[0]
    missed = Histogram(edges, counts, failures=3000 - int(counts.sum()))
    found = fit_histogram(missed, noise_sd=NOISE, threshold=threshold)
    for name, true in (("content", 1.2), ("quantum", Q), ("quantal_sd", Q * CV)):
        assert_within(found.estimates[name], true, found.errors[name])
    assert fit_histogram(missed, noise_sd=NOISE).estimates["content"] < 1.2 - 6 * found.errors["content"]
    with pytest.raises(ValidationError, match="threshold must be above"):
        fit_histogram(Histogram(np.arange(0.1, 5.0, 0.05), np.ones(97)), threshold=0.5)


def test_methods_agree_over_boyd_and_martins_ten_experiments():
    direct, failed = published.pairs("boyd_martin_1956", "quantal_content").T
    slope = (direct * failed).sum() / (direct**2).sum()
    assert slope == pytest.approx(1.0, abs=0.05)


@real
def test_a_multimodal_histogram_prefers_more_than_one_component():
    """Retinogeniculate amplitudes (central synapse): two peaks beat four by Akaike's criterion."""
    peaks = read_columns(REAL / "paulsen_1994/paulsen.csv").values[:, 1]
    edges = np.arange(2.0, 31.0, 0.75)
    counts = Histogram(edges, np.histogram(peaks, edges)[0], unit="nA")
    start = {"quantum": 7.8, "quantal_sd": 1.2}
    fits = {k: fit_histogram(counts, "free", most=k, start=start) for k in (2, 3)}
    assert fits[3].aic < fits[2].aic
    assert fits[3].estimates["quantum"] == pytest.approx(7.5, abs=0.3)


@real
def test_quantal_content_of_the_drosophila_table_is_the_ratio_of_its_means():
    table = read_columns(REAL / "drosophila_nmj_table/elife31535_table1.csv")
    column = {name: table.values[:, i] for i, name in enumerate(table.names)}
    # the table's mean of ratios is near the ratio of means, without a correction for summation
    ratio = column["epsp"] / column["mepsp"]
    assert np.median(np.abs(ratio / column["quantal content"] - 1)) < 0.1
    corrected = quantal.correct_summation(column["epsp"], 67.0) / column["mepsp"]
    assert (corrected > 1.2 * ratio).all()
