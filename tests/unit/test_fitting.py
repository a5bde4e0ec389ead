"""Parameters, data terms and the descent of fits: exact derivatives, recovery, resumption, and what is refused."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nmjmc
from nmjmc.analysis.observations import Histogram, Statistic
from nmjmc.analysis.waveform import measure
from nmjmc.data.fits import load_fit
from nmjmc.errors import FitError, ValidationError
from nmjmc.fitting import (
    Condition,
    CorrectedEstimator,
    HistogramTerm,
    StatisticsTerm,
    WaveformTerm,
    record,
    uncertainty,
)
from nmjmc.fitting.checkpoint import FitCheckpoint
from nmjmc.fitting.estimators import MeanFieldEstimator, Simulated
from nmjmc.fitting.features import features
from nmjmc.fitting.likelihood import Gaussian
from nmjmc.fitting.optimise import FitState, begin
from nmjmc.fitting.parameters import free_parameters
from nmjmc.fitting.problem import Problem
from nmjmc.meanfield import Grid
from tests.statistics import assert_proportion, assert_within

pytestmark = pytest.mark.unit

SYNAPSE = nmjmc.preparation("human")
COARSE = Grid(elements=4, degree=4, vertical_degree=2, growth=0.1, longest_step=0.02, first_step=2e-5)
FREE = {
    "receptor.closing_rate": {"start": "1700 /s"},
    "vesicle.content_mean": {"start": 6000},
    "vesicle.content_cv": {"start": 0.35},
}
ON = Condition(duration=6.0)
BLOCKED = Condition((("esterase.active_fraction", 0.0),), 10.0)
NOISE = 0.05


def fit(*arguments, **options):
    """The mean field unless something else is asked for: `auto` may go on to the kernel; nothing is resampled."""
    return nmjmc.fit(*arguments, **{"estimator": "mean_field", "bootstrap": 0, **options})


def truth(problem):
    names = problem.parameters.names
    return np.array([float(nmjmc.get(SYNAPSE, name)) for name in names])


def drawn(count, seed, condition=ON, noise=NOISE):
    """Mean-field quanta of lognormal contents in white noise, sampled at 50 kHz from 1 ms before the onset."""
    source = Problem(SYNAPSE, [simple(condition)], free_parameters(SYNAPSE, FREE), grid=COARSE)
    rng = np.random.default_rng(seed)
    spread = np.sqrt(np.log1p(0.24**2))
    content = 4800 * np.exp(spread * rng.normal(size=count) - 0.5 * spread**2)
    time = np.arange(-1.0, condition.duration - 0.01, 0.02)
    known = condition.times()
    free = source.parameters.unconstrained(truth(source))
    current, channel = source.currents_of(free, condition, content, known)
    traces = np.stack([np.interp(time, known, row, left=0.0) for row in current])
    # gating as the model takes it: proportional to the root of the current, the same over the event
    gate = np.sqrt(np.abs(traces) * channel) * rng.normal(size=(count, 1))
    return time, traces + gate + noise * rng.normal(size=traces.shape)


def simple(condition=ON):
    published = {
        "amplitude": Statistic("amplitude", 3.95, 0.1, "nA"),
        "decay_time": Statistic("decay", 3.23, 0.06, "ms"),
    }
    return StatisticsTerm("published", published, condition)


def events(count, seed, condition=ON, name="events"):
    time, traces = drawn(count, seed, condition)
    return WaveformTerm(name, time, traces, condition)


def test_bijections_hold_their_bounds_and_come_back():
    p = free_parameters(
        SYNAPSE, {"receptor.binding_rate": {}, "fibre.holding_potential": {"low": -90, "high": -70}}
    )
    assert p.logarithmic.tolist() == [True, False]
    with jax.enable_x64(True):
        for value in ([2e-5, -71.0], [p.start[0], -89.0]):
            np.testing.assert_allclose(p.values(p.unconstrained(np.array(value))), value, rtol=1e-9)
        far = np.asarray(p.values(np.array([-40.0, 40.0])))
        np.testing.assert_allclose(far, [p.low[0], -70.0])
        step, u = 1e-6, np.array([0.3, -1.2])
        slope = (p.scaled_from(u + step) - p.scaled_from(u - step)) / (2 * step)
        np.testing.assert_allclose(slope, p.stretch(u), rtol=1e-6)
    assert (p.stretch(np.array([-60.0, 60.0])) > 0).all()


def test_a_lognormal_prior_has_its_median_and_factor():
    options = {"median": "5e7 /M/s", "factor": 2.0, "start": "6e7 /M/s"}
    p = free_parameters(SYNAPSE, {"receptor.binding_rate": options})
    with jax.enable_x64(True):
        middle = p.unconstrained(np.array([float(nmjmc.get(SYNAPSE, "receptor.binding_rate"))]))
        assert float(p.prior(middle)) == pytest.approx(0.0, abs=1e-12)
        double = p.unconstrained(np.array([2 * float(nmjmc.get(SYNAPSE, "receptor.binding_rate"))]))
        assert float(p.prior(double)) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("free", "sentence"),
    [
        ([], "fit.free must be a list of one or more paths"),
        (["receptor.bindin_rate"], "did you mean receptor.binding_rate"),
        ({"receptor.binding_rate": {"lower": 1}}, "did you mean low"),
        ({"receptor.binding_rate": {"start": "1e7 /M/s", "low": "2e7 /M/s"}}, "between its bounds"),
        ({"receptor.binding_rate": {"median": "1e7 /M/s"}}, "a median and a factor"),
        (["vesicle.sites"], "a single number, not a list"),
        (["release.quantal_content"], "start must be given"),
        ({"vesicle.content_cv": {"high": 9}}, "finite and within"),
    ],
)
def test_impossible_parameters_are_refused(free, sentence):
    with pytest.raises(ValidationError, match=sentence):
        free_parameters(SYNAPSE, free)


def test_impossible_fits_are_refused():
    free = ["vesicle.content_mean"]
    with pytest.raises(ValidationError, match=r"fit.data must be one or more"):
        fit(SYNAPSE, [], free)
    with pytest.raises(ValidationError, match="different from each other"):
        fit(SYNAPSE, [simple(), simple()], free)
    with pytest.raises(ValidationError, match="did you mean mean_field"):
        fit(SYNAPSE, [simple()], free, estimator="mean_fild")
    with pytest.raises(ValidationError, match=r"write 0\.95"):
        fit(SYNAPSE, [simple()], free, level=95)
    with pytest.raises(ValidationError, match="free or changed by a data set"):
        fit(SYNAPSE, [simple(BLOCKED)], {"esterase.active_fraction": {"start": 0.5}})
    with pytest.raises(ValidationError, match="positive"):
        StatisticsTerm("x", {"amplitude": Statistic("a", 4.0, unit="nA")}, ON)


def test_features_are_those_of_recordings():
    time = np.linspace(0.0, 12.0, 3000)
    current = -4.0 * (1 - np.exp(-time / 0.15)) ** 2 * np.exp(-time / 2.5)
    with jax.enable_x64(True):
        ours = features(jnp.asarray(time), jnp.asarray(current))
    theirs = measure(time, current)
    for name, value in ours.items():
        assert float(value) == pytest.approx(float(getattr(theirs, name)), rel=1e-4), name


def test_derivatives_of_every_term_are_exact():
    """Forward mode against central differences, for means, variance, features and histogram."""
    counts = Histogram(np.linspace(0.5, 9.0, 18), np.ones(17), unit="nA")
    free = {**FREE, "release.quantal_content": {"start": 2.0}}
    terms = [
        events(40, 1), simple(), HistogramTerm("single", counts, ON),
        HistogramTerm("evoked", dataclasses.replace(counts, failures=5), ON, release="poisson"),
    ]  # fmt: skip
    problem = Problem(SYNAPSE, terms, free_parameters(SYNAPSE, free), grid=COARSE)
    u = problem.parameters.unconstrained(problem.parameters.start)
    z, slope = problem.predict_with_slope(u)
    np.testing.assert_allclose(problem.predict(u), z, rtol=1e-12)
    for k, step in enumerate(1e-4 * np.eye(u.size)):
        rough = (problem.predict(u + step) - problem.predict(u - step)) / 2e-4
        # the decay's window jumps from sample to sample: its derivative is that between jumps
        smooth = np.ones(z.size, bool)
        smooth[problem.cuts[1] + 1] = False
        np.testing.assert_allclose(slope[smooth, k], rough[smooth], atol=1e-6 * np.abs(z).max(), rtol=1e-4)
    gradient = problem.gradient(z, slope, u)
    rough = np.array(
        [
            (problem.loss(problem.predict(u + s), u + s) - problem.loss(problem.predict(u - s), u - s)) / 2e-4
            for s in 1e-4 * np.eye(u.size)
        ]
    )
    np.testing.assert_allclose(gradient, rough, rtol=2e-2)


@pytest.mark.stat
def test_truth_is_recovered_from_two_conditions_at_once(tmp_path):
    terms = [events(150, 2), events(150, 3, BLOCKED, "blocked")]
    free = {
        **FREE,
        "esterase.density": {"start": "1200 /um^2"},
        "receptor.binding_rate": {"start": "8e7 /M/s"},
    }
    told = []
    found = fit(SYNAPSE, terms, free, grid=COARSE, on_step=told.append, bootstrap=100, estimator="mean_field")
    assert found.converged and told[-1].loss == found.losses[-1] and told[-1].remaining_seconds == 0.0
    for k, name in enumerate(found.names):
        true = float(nmjmc.get(SYNAPSE, name))
        # five parameters at 1e-6 each
        assert_within(float(np.log(found[name] / true)), 0.0, float(found.relative_sd[k]))
    assert found.p_value > 1e-4 and not any("Flat" in note for note in found.notes)
    # the bootstrap over events scatters as the Fisher information says
    spread = np.log(found.bootstrap).std(axis=0, ddof=1)
    np.testing.assert_allclose(spread, found.relative_sd, rtol=0.5)
    back = load_fit(found.save(tmp_path / "fit.h5"))
    assert np.array_equal(back.estimate, found.estimate) and back.notes == found.notes
    assert back.summary()["parameters"] == found.summary()["parameters"]
    found.save_preparation(tmp_path / "fitted.yaml")
    import yaml

    again = nmjmc.build(yaml.safe_load((tmp_path / "fitted.yaml").read_text()))
    assert float(nmjmc.get(again, "esterase.density")) == pytest.approx(found["esterase.density"], rel=1e-12)


@pytest.mark.stat
def test_ninety_percent_intervals_cover_ninety_percent():
    """Twenty synthetic experiments; three parameters each. The binomial test's false-positive rate is 1e-6."""
    inside = {name: 0 for name in FREE}
    for seed in range(20):
        found = fit(SYNAPSE, [events(100, 100 + seed)], FREE, grid=COARSE, level=0.9, estimator="mean_field")
        for name in FREE:
            low, high = found.interval(name)
            inside[name] += low < float(nmjmc.get(SYNAPSE, name)) < high
    for count in inside.values():
        assert_proportion(count, 20, 0.9)


def test_a_fit_that_was_killed_goes_on_to_the_same_bits(tmp_path):
    term = events(60, 5)
    whole = fit(SYNAPSE, [term], FREE, grid=COARSE, checkpoint=tmp_path / "whole.h5")
    fit(SYNAPSE, [term], FREE, grid=COARSE, steps=2, checkpoint=tmp_path / "cut.h5")
    resumed = fit(SYNAPSE, [term], FREE, grid=COARSE, checkpoint=tmp_path / "cut.h5")
    for name in ("estimate", "losses", "trace", "low", "high"):
        assert np.array_equal(getattr(whole, name), getattr(resumed, name)), name
    with pytest.raises(ValidationError, match="of the same fit"):
        fit(SYNAPSE, [events(60, 6)], FREE, grid=COARSE, checkpoint=tmp_path / "cut.h5")


def test_a_fit_that_is_stuck_is_not_called_converged():
    class Wrong(MeanFieldEstimator):
        """Its derivatives point uphill."""

        def evaluate(self, problem, free):
            z, slope, noise = super().evaluate(problem, free)
            return z, -slope, noise

    found = fit(SYNAPSE, [simple()], FREE, grid=COARSE, estimator=Wrong())
    assert not found.converged and found.losses[-1] == found.losses[0] and found.losses.size < 20
    assert any("The fit is stuck: no step lowers the loss" in note for note in found.notes)
    assert not any("stopped before it converged" in note for note in found.notes)


def test_a_fit_does_not_go_on_with_another_executor(tmp_path, monkeypatch):
    pytest.importorskip("warp")
    how = {"grid": COARSE, "steps": 1, "checkpoint": tmp_path / "cut.h5"}
    begun = fit(SYNAPSE, [simple()], FREE, estimator="auto", **how)
    monkeypatch.setattr("nmjmc.kernel.executor.installed", lambda: False)
    with pytest.raises(ValidationError, match="of the same fit"):
        fit(SYNAPSE, [simple()], FREE, estimator="auto", **how)
    # the mean field asks no executor
    mean = {**how, "checkpoint": tmp_path / "mean.h5"}
    alone = fit(SYNAPSE, [simple()], FREE, estimator="mean_field", **mean)
    monkeypatch.undo()
    again = fit(SYNAPSE, [simple()], FREE, estimator="mean_field", **mean)
    assert np.array_equal(alone.trace, again.trace) and begun.losses.size == 2


def test_adam_resumes_to_the_same_bits_too(tmp_path):
    term = simple()
    how = {"grid": COARSE, "optimiser": "adam", "steps": 6}
    whole = fit(SYNAPSE, [term], FREE, **how)
    fit(SYNAPSE, [term], FREE, **{**how, "steps": 3}, checkpoint=tmp_path / "cut.h5")
    resumed = fit(SYNAPSE, [term], FREE, **how, checkpoint=tmp_path / "cut.h5")
    assert np.array_equal(whole.trace, resumed.trace) and not whole.converged
    assert any("stopped before it converged" in note for note in whole.notes)


def test_errors_are_weighed_at_the_fit_and_the_data_are_left_alone():
    term = events(60, 5)
    problem = Problem(SYNAPSE, [simple(), term], free_parameters(SYNAPSE, FREE), grid=COARSE)
    free = problem.parameters.unconstrained(truth(problem))
    before = term.likelihood.covariance.copy()
    weighed = problem.weighed(free)
    first, second = weighed.terms
    assert (
        first is problem.terms[0]
        and second is not term
        and np.array_equal(term.likelihood.covariance, before)
    )
    assert np.array_equal(second.data, term.data)
    assert np.array_equal(weighed.predict(free), problem.predict(free))
    assert np.linalg.eigvalsh(second.likelihood.covariance).min() > 0
    # sizes have the scatter that they had
    assert second.likelihood.covariance[-1, -1] == term.likelihood.covariance[-1, -1]
    along = [c[:-1, :-1] @ term.direction @ term.direction for c in (second.likelihood.covariance, before)]
    assert along[0] == pytest.approx(along[1], rel=0.02)
    # a fit ends where the loss with the weighed errors is flat
    found = fit(SYNAPSE, [term], FREE, grid=COARSE)
    own = Problem(SYNAPSE, [term], free_parameters(SYNAPSE, FREE), grid=COARSE)
    at = own.parameters.unconstrained(found.estimate)
    z, slope = own.predict_with_slope(at)
    left = {}
    for name, one in (("as read", own), ("weighed", own.weighed(at))):
        gradient = one.gradient(z, slope, at)
        left[name] = float(gradient @ np.linalg.solve(one.information(z, slope, at), gradient))
    # they were weighed at the optimum before, which is near
    assert left["weighed"] < 0.1 * left["as read"]
    alone = Problem(SYNAPSE, [simple()], free_parameters(SYNAPSE, FREE), grid=COARSE)
    assert alone.weighed(free) is alone


def test_what_the_data_cannot_tell_apart_is_named():
    found = fit(
        SYNAPSE,
        [simple()],
        ["receptor.closing_rate", "vesicle.content_mean", "receptor.density"],
        grid=COARSE,
    )
    flat = [note for note in found.notes if note.startswith("Flat")]
    # the amplitude fixes a product of content and density, and nothing else does
    assert len(flat) == 1 and "vesicle.content_mean" in flat[0] and "receptor.density" in flat[0]
    assert "can rise while" in flat[0]


def test_a_prior_mends_what_the_data_leave_open():
    free = {
        "vesicle.content_mean": {},
        "receptor.density": {"median": "7500 /um^2", "factor": 1.1},
        "receptor.closing_rate": {},
    }
    found = fit(SYNAPSE, [simple()], free, grid=COARSE)
    sd = dict(zip(found.names, found.relative_sd, strict=True))
    assert sd["receptor.density"] == pytest.approx(np.log(1.1), rel=0.05)
    assert any(note.startswith("Flat") for note in found.notes)  # the data still do not know


def test_the_profile_agrees_with_fisher_where_the_likelihood_is_normal():
    found = fit(
        SYNAPSE,
        [events(150, 8)],
        FREE,
        grid=COARSE,
        profiles=["receptor.closing_rate"],
        estimator="mean_field",
    )
    low, high = found.interval("receptor.closing_rate")
    k = found.names.index("receptor.closing_rate")
    np.testing.assert_allclose(
        np.log([low, high]), np.log([found.low[k], found.high[k]]), atol=0.1 * found.relative_sd[k]
    )
    curve = found.profiles["receptor.closing_rate"]
    assert (np.diff(curve.values) > 0).all() and curve.rise.min() == pytest.approx(0.0, abs=1e-6)
    assert curve.rise[0] > 3.84 and curve.rise[-1] > 3.84


def test_a_loss_that_is_no_number_stops_with_the_parameter(monkeypatch):
    term = simple()
    problem = Problem(SYNAPSE, [term], free_parameters(SYNAPSE, ["vesicle.content_mean"]), grid=COARSE)
    from nmjmc.fitting.estimators import MeanFieldEstimator

    monkeypatch.setattr(Gaussian, "loss", lambda self, z: float("nan"))
    with pytest.raises(FitError, match=r"the loss is nan at vesicle.content_mean = 4800"):
        begin(problem, MeanFieldEstimator(), "natural")


def larger(synapse, condition, vesicles, seed):
    """A stand-in for the kernel: quanta that are 5 % larger than the mean field's."""
    rng = np.random.default_rng(seed)
    spread = np.sqrt(np.log1p(float(synapse.vesicle.content_cv) ** 2))
    mean = float(synapse.vesicle.content_mean)
    content = mean * np.exp(spread * rng.normal(size=vesicles) - 0.5 * spread**2)
    at = {"vesicle.content_mean": {}, "vesicle.content_cv": {}}
    source = Problem(synapse, [simple()], free_parameters(synapse, at), grid=COARSE)
    time = np.arange(0.0, 6.001, 0.02)
    free = source.parameters.unconstrained(source.parameters.start)
    return Simulated(time, 1.05 * source.currents_of(free, ON, content, time)[0], content)


@pytest.mark.stat
def test_the_corrected_estimator_takes_a_planted_bias_away():
    """Quanta that are 5 % larger than the mean field's: corrected, the truth comes back; uncorrected it does not."""

    time, traces = drawn(150, 9)
    free = {"vesicle.content_mean": {"start": 6000}, "vesicle.content_cv": {"start": 0.3}}
    term = WaveformTerm("events", time, 1.05 * traces, ON)
    plain = fit(SYNAPSE, [term], free, grid=COARSE, estimator="mean_field")
    mended = fit(SYNAPSE, [term], free, grid=COARSE, estimator=CorrectedEstimator(64, 1, larger))
    k = mended.names.index("vesicle.content_mean")
    assert plain["vesicle.content_mean"] / 4800 > 1.02
    assert_within(
        float(np.log(mended["vesicle.content_mean"] / 4800)), 0.0, float(mended.relative_sd[k]), bias=0.005
    )
    # contents are common to both sides, so little Monte Carlo noise is left
    assert mended.seed_sd[k] < 0.2 * mended.relative_sd[k]
    assert any("Monte Carlo noise" in note for note in mended.notes)


def test_auto_goes_on_to_the_correction_where_the_data_know_better(tmp_path, monkeypatch):
    monkeypatch.setattr("nmjmc.fitting.estimators.simulated", larger)
    time, traces = drawn(150, 9)
    term = WaveformTerm("events", time, 1.05 * traces, ON)
    free = {"vesicle.content_mean": {"start": 6000}, "vesicle.content_cv": {"start": 0.3}}
    how = {"grid": COARSE, "vesicles": 64, "seed": 1}
    auto = fit(SYNAPSE, [term], free, estimator="auto", **how)
    asked = fit(SYNAPSE, [term], free, estimator="corrected", **how)
    assert np.array_equal(auto.trace, asked.trace) and np.array_equal(auto.low, asked.low)
    assert auto.settings["picked"] == "corrected" and "better than its bias" in auto.notes[0]
    # two numbers with large errors leave it at the mean field
    rough = {
        "amplitude": Statistic("amplitude", 3.95, 1.0, "nA"),
        "decay_time": Statistic("decay", 3.2, 1.0, "ms"),
    }
    plain = fit(SYNAPSE, [StatisticsTerm("x", rough, ON)], ["receptor.closing_rate"], estimator="auto", **how)
    assert plain.settings["picked"] == "mean_field" and plain.notes[0].startswith(
        "Estimator: mean_field, as the"
    )
    # killed as the kernel begins, during the way on, or between profiles, it goes on to the same bits
    wanted = {"profiles": ["vesicle.content_cv"], "estimator": "auto", **how}
    whole = fit(SYNAPSE, [term], free, **wanted)
    for stage in ("quanta", "profile"):
        path = tmp_path / f"{stage}.h5"

        def ends(step, stage=stage):
            if stage in step.stage:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fit(SYNAPSE, [term], free, checkpoint=path, on_step=ends, **wanted)
        again = fit(SYNAPSE, [term], free, checkpoint=path, **wanted)
        assert np.array_equal(again.trace, whole.trace) and np.array_equal(again.seed_sd, whole.seed_sd)
        assert np.array_equal(
            again.profiles["vesicle.content_cv"].rise, whole.profiles["vesicle.content_cv"].rise
        )


def test_a_checkpoint_is_written_by_the_clock_and_at_the_end(tmp_path, monkeypatch):
    told = []
    path = tmp_path / "state.h5"
    how = {"grid": COARSE, "checkpoint": path, "on_step": lambda step: told.append(path.is_file())}
    for seconds, seen in ((1e9, [False, False]), (0.0, [True, True])):
        monkeypatch.setattr("nmjmc.fitting.checkpoint.CLOCK", seconds)
        fit(SYNAPSE, [simple()], FREE, steps=2, **how)
        assert told == seen and path.is_file()
        path.unlink(), told.clear()
    assert FitCheckpoint(None, "").state is None


def test_data_that_need_a_parameter_nobody_gave_are_refused():
    counts = Histogram(np.linspace(0.2, 4.0, 9), np.ones(8), failures=3)
    term = HistogramTerm("evoked", counts, ON, release="poisson")
    with pytest.raises(ValidationError, match=r"quantal_content must be one of them.*evoked needs it"):
        fit(SYNAPSE, [term], ["vesicle.content_mean"])
    with pytest.raises(ValidationError, match=r"recording.gain must be one of them"):
        fit(SYNAPSE, [term], {"release.quantal_content": {"start": 2}})
    with pytest.raises(ValidationError, match=r"fit.profiles must be all, or free parameters"):
        fit(SYNAPSE, [simple()], ["vesicle.content_mean"], profiles=["vesicle.content_men"])
    with pytest.raises(ValidationError, match=r"fit.vesicles"):
        fit(SYNAPSE, [simple()], ["vesicle.content_mean"], estimator="corrected", vesicles=3)


def test_a_parameter_at_its_bound_leaves_the_flat_directions_of_the_others():
    """At 60 a bijection is its bound in double precision, and predictions no longer change with it."""
    free = ["receptor.closing_rate", "vesicle.content_mean", "vesicle.content_cv"]
    problem = Problem(SYNAPSE, [simple()], free_parameters(SYNAPSE, free), grid=COARSE)
    z, none = problem.terms[0].data, np.zeros(0)
    slope = np.array([[0.2, 0.5, 0.0], [-1.0, 0.0, 0.0]])
    for at in (60.0, 1000.0):
        away = np.array([0.0, 0.0, at])
        state = FitState(away, z, slope, np.zeros((2, 2)), none, none, none, none, none, none)
        assert uncertainty.flat_directions(problem, state) == []
        # nor is its error small because the data know it
        assert record.as_small_as_the_bias(problem, state) == []
    sharp = FitState(np.array([0.0, 0.0, 7.5]), z, 1e3 * np.eye(2, 3), np.zeros((2, 2)), *[none] * 6)
    assert record.as_small_as_the_bias(problem, sharp) == free[:2]
    loose = FitState(np.zeros(3), z, slope, np.zeros((2, 2)), none, none, none, none, none, none)
    (sentence,) = uncertainty.flat_directions(problem, loose)
    assert sentence.startswith("vesicle.content_cv is not known")
