"""Draws from the posterior: closed forms, agreement with Fisher, a kill at any draw, and what is refused."""

import sys

import numpy as np
import pytest

import nmjmc
from nmjmc.analysis.observations import Histogram
from nmjmc.cli import fit_report
from nmjmc.cli.main import main
from nmjmc.data.fits import load_fit
from nmjmc.errors import ValidationError
from nmjmc.fitting import Condition, HistogramTerm, posterior
from nmjmc.fitting.likelihood import Gaussian
from nmjmc.fitting.quanta import COARSE
from nmjmc.fitting.terms import Term
from nmjmc.viz.fit import plot_posterior
from tests.statistics import assert_within

pytestmark = pytest.mark.unit
SYNAPSE = nmjmc.preparation("human", vesicle={"content_cv": 0})
MATRIX = np.array([[1.0, 0.5], [0.3, -1.0], [0.0, 2.0]])
DATA, ERRORS = np.array([0.4, -0.1, 0.3]), np.array([0.2, 0.3, 0.5])


class Linear(Term):
    """Numbers that are linear in the logarithms of two parameters."""

    def __init__(self):
        self.name, self.condition, self.labels = "linear", Condition(duration=0.05), ("a", "b", "c")
        self.likelihood = Gaussian(self.name, DATA, np.diag(ERRORS**2))

    def predict(self, quanta, values):
        import jax.numpy as jnp

        known = jnp.stack([jnp.log(values[n]) for n in ("release.quantal_content", "recording.gain")])
        return jnp.asarray(MATRIX) @ known

    def from_events(self, time, currents, values, channel=0.0):
        return np.asarray(self.predict(None, values))


FREE = {
    "release.quantal_content": {"start": 1.2, "low": 1e-3, "high": 1e3},
    "recording.gain": {"start": 1.1, "low": 1e-4, "high": 1e4, "median": 1.5, "factor": 1.3},
    "release.sites": {"start": 10, "low": 2, "high": 50},  # nothing is known of it
}


def fit(**options):
    return nmjmc.fit(SYNAPSE, [Linear()], FREE, grid=COARSE, estimator="mean_field", **options)


@pytest.fixture(scope="module")
def found():
    pytest.importorskip("blackjax")
    return fit(posterior=2000, seed=4)


@pytest.mark.stat
def test_a_normal_posterior_has_its_mean_and_covariance(found):
    """Two parameters normal in the logarithm, the third uniform between its bounds. Nine comparisons at 1e-6 each;
    the standard errors are those of the effective number of draws."""
    precision = MATRIX.T @ np.diag(1 / ERRORS**2) @ MATRIX + np.diag([0.0, 1 / np.log(1.3) ** 2])
    covariance = np.linalg.inv(precision)
    mean = covariance @ (MATRIX.T @ (DATA / ERRORS**2) + [0.0, np.log(1.5) / np.log(1.3) ** 2])
    draws = np.log(found.posterior.draws.reshape(-1, 3))
    ess = np.minimum(found.posterior.ess, len(draws))
    width = np.log(50 / 2)
    mean, variance = np.append(mean, np.log(10)), np.append(np.diag(covariance), width**2 / 12)
    for k in range(3):
        assert_within(float(draws[:, k].mean()), mean[k], float(np.sqrt(variance[k] / ess[k])))
        # the square of a chain mixes no faster than its value: an ample standard error
        assert_within(float(draws[:, k].var()), variance[k], 2.0 * variance[k] * float(np.sqrt(2.0 / ess[k])))
    product = np.cov(draws[:, :2].T)[0, 1]
    spread = np.sqrt((variance[0] * variance[1] + covariance[0, 1] ** 2) / ess[:2].min())
    assert_within(float(product), covariance[0, 1], 2.0 * float(spread))
    uniform = (draws[:, 2] - np.log(2)) / width
    assert uniform.min() > 0 and uniform.max() < 1
    assert (found.posterior.rhat < 1.05).all() and (found.posterior.ess > 300).all()


def test_draws_are_kept_shown_and_drawn(found, tmp_path, capsys):
    back = load_fit(found.save(tmp_path / "fit.h5"))
    assert np.array_equal(back.posterior.draws, found.posterior.draws) and back.summary() == found.summary()
    row = found.summary()["parameters"]["release.sites"]["posterior"]
    assert 2 < row["low"] < row["median"] < row["high"] < 50
    fit_report.print_fit(back.summary())
    printed = capsys.readouterr().out
    assert "R-hat" in printed and "95 % of the posterior" in printed and "2000 draws of 4 chains" in printed
    plot_posterior(back, tmp_path / "posterior.png")
    assert (tmp_path / "posterior.png").stat().st_size > 5000


def test_chains_that_were_cut_short_go_on_to_the_same_bits(found, tmp_path):
    def stop(step):
        if step.stage == "posterior" and step.step > posterior.WARM_UP + 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(posterior=2000, seed=4, checkpoint=tmp_path / "cut.h5", on_step=stop)
    resumed = fit(posterior=2000, seed=4, checkpoint=tmp_path / "cut.h5")
    assert np.array_equal(found.posterior.draws, resumed.posterior.draws)
    assert np.array_equal(found.posterior.ess, resumed.posterior.ess)


def test_a_parameter_of_which_nothing_is_known_has_the_bounds_for_an_interval(found):
    low, high = found.interval("release.sites")
    assert low == pytest.approx(2) and high == pytest.approx(50)
    assert any("release.sites is not known from these data" in note for note in found.notes)


@pytest.mark.stat
@pytest.mark.slow
def test_the_posterior_of_a_small_fit_agrees_with_fisher(monkeypatch):
    """Mean field, 4,000 amplitudes: close to normal, so mean and SD are those of the Fisher information within Monte
    Carlo error and, for the skewness that is left, a fifth of an SD."""
    pytest.importorskip("blackjax")
    monkeypatch.setattr(posterior, "WARM_UP", 15)
    synapse = nmjmc.preparation("human")
    counts = Histogram(np.linspace(0.5, 9.0, 18), np.ones(17), unit="nA")
    free = {"vesicle.content_mean": {"start": 5000}, "vesicle.content_cv": {"start": 0.25}}
    term = HistogramTerm("single", counts, Condition(duration=1.0))
    from nmjmc.fitting.parameters import free_parameters
    from nmjmc.fitting.problem import Problem

    source = Problem(synapse, [term], free_parameters(synapse, free), grid=COARSE)
    shares = source.predict(source.parameters.unconstrained(np.array([4800.0, 0.24])))[1:]
    drawn = np.random.default_rng(1).multinomial(4000, shares / shares.sum())
    data = HistogramTerm("single", Histogram(counts.edges, drawn, unit="nA"), Condition(duration=1.0))
    found = nmjmc.fit(synapse, [data], free, grid=COARSE, estimator="mean_field", posterior=160)
    draws = np.log(found.posterior.draws.reshape(-1, 2))
    for k, sd in enumerate(found.relative_sd):
        error = float(sd / np.sqrt(found.posterior.ess[k]))
        assert_within(
            float(draws[:, k].mean()), float(np.log(found.estimate[k])), error, bias=0.2 * float(sd)
        )
        assert_within(float(draws[:, k].std()), float(sd), error, bias=0.2 * float(sd))


def test_a_sampler_that_is_not_there_is_one_sentence(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "blackjax", None)
    monkeypatch.chdir(tmp_path)
    assert main(["fit", "example=human_mepc", "fit.posterior=100"]) == 2
    printed = capsys.readouterr().err
    assert "pip install blackjax" in printed and printed.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"posterior": 3}, "40 or more draws, or 0 for none"),
        ({"posterior": 100, "estimator": "common_random_numbers"}, "the sampler needs the mean field"),
    ],
)
def test_impossible_draws_are_refused(options, sentence):
    pytest.importorskip("blackjax")
    with pytest.raises(ValidationError, match=sentence):
        nmjmc.fit(SYNAPSE, [Linear()], FREE, grid=COARSE, **options)
