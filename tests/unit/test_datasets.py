"""Data sets as a mapping describes them: what is read from each kind of file, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

import nmjmc
from nmjmc.analysis.detection import biexponential
from nmjmc.analysis.recording import Recording
from nmjmc.data.recordings import write_recording
from nmjmc.errors import ValidationError
from nmjmc.fitting import AverageTerm, CountsTerm, HistogramTerm, StatisticsTerm, WaveformTerm, read_datasets
from nmjmc.fitting.average_term import size_and_noise
from nmjmc.fitting.datasets.options import EVERY, KINDS
from nmjmc.fitting.quanta import Quanta
from tests.records import formula_result
from tests.statistics import assert_within

pytestmark = pytest.mark.unit
SYNAPSE = nmjmc.preparation("human")
REAL = Path(__file__).parents[3] / "shared" / "recordings"
real = pytest.mark.skipif(not REAL.is_dir(), reason="the recordings are not here")
STEP = 0.05


def events(count=60, seed=0, onset=3.0, noise=0.1):
    """Events of one shape and different size, inward, with their onset at a known time [event, t]."""
    rng = np.random.default_rng(seed)
    time = np.arange(0.0, 20.0, STEP)
    size = 4.0 * np.exp(0.25 * rng.normal(size=count))
    shape = biexponential(time - onset, 0.3, 2.0)
    return time, -size[:, None] * shape + noise * rng.normal(size=(count, time.size))


def table(path, header, *columns):
    np.savetxt(path, np.column_stack(columns), delimiter=",", header=header, comments="", fmt="%.6g")
    return path


def one(options, folder):
    return read_datasets({"x": options}, SYNAPSE, folder)


@pytest.mark.parametrize("sign", [1, -1])
def test_events_cut_out_are_aligned_whatever_their_direction(sign, tmp_path):
    time, traces = events()
    file = table(tmp_path / "e.csv", "time (ms)" + ",a (nA)" * len(traces), time, *(sign * traces))
    found = one({"file": file.name, "kind": "events", "bandwidth": "5 kHz"}, tmp_path)
    (term,) = found.terms
    assert isinstance(term, WaveformTerm) and term.bins.aligned == "half_rise" and term.events == 60
    assert term.bins.instrument.bandwidth == 5.0 and term.bins.instrument.sampling_interval == pytest.approx(
        STEP
    )
    assert (term.data[:-1] < 0).all() and term.noise_variance > 0
    assert float(found.notes["x"].split("onset ")[1].split(" ms")[0]) == pytest.approx(3.0, abs=0.15)
    stimulated = one(
        {"file": file.name, "kind": "events", "aligned": "onset", "onset": "3 ms", "polarity": -sign},
        tmp_path,
    ).terms[0]
    assert (
        isinstance(stimulated, WaveformTerm)
        and stimulated.bins.aligned == "onset"
        and stimulated.bins.time[0] > 0
    )


def test_a_raw_recording_is_searched(tmp_path):
    rng = np.random.default_rng(1)
    signal = 0.1 * rng.normal(size=(2, 40_000))
    shape = biexponential(np.arange(0.0, 20.0, STEP), 0.4, 3.0)
    for sweep in range(2):
        for start in range(1_000, 39_000, 1_000):
            signal[sweep, start : start + shape.size] -= shape
    path = write_recording(
        Recording(signal, STEP, holding_potential=-60.0, bandwidth=3.0, temperature=30.0), tmp_path / "r.h5"
    )
    found = one({"file": str(path)}, tmp_path)
    (term,) = found.terms
    assert found.kinds["x"] == "recording" and isinstance(term, WaveformTerm)
    # every planted event and nothing else
    assert term.events == 76 and "76 of 76" in found.notes["x"]
    assert dict(term.condition.changes) == {"fibre.holding_potential": -60.0, "temperature": 30.0}
    assert term.bins.driving_force == pytest.approx(-60.0) and term.bins.instrument.bandwidth == 3.0


def test_an_average_has_the_covariance_of_events_that_differ_in_size(tmp_path):
    time, traces = events(400, 2)
    mean, sd = traces.mean(axis=0), traces.std(axis=0, ddof=1)
    file = table(tmp_path / "m.csv", "time (ms),mean (nA),sd (nA)", time, mean, sd)
    given = {"file": file.name, "events": 400, "onset": "3 ms", "bins": 6}
    term = one(given, tmp_path).terms[0]
    assert isinstance(term, AverageTerm) and not term.assumed
    whole = WaveformTerm(
        "whole", time - 3.0, traces, term.condition, edges=term.bins.edges, with_variance=False
    )
    ours, theirs = np.sqrt(np.diag(term.likelihood.covariance)), np.sqrt(np.diag(whole.likelihood.covariance))
    np.testing.assert_allclose(ours, theirs, rtol=0.15)
    correlation = term.likelihood.covariance / np.outer(ours, ours)
    np.testing.assert_allclose(correlation, whole.likelihood.covariance / np.outer(theirs, theirs), atol=0.15)
    np.testing.assert_allclose(term.data, whole.data, atol=0.02)
    file = table(tmp_path / "m2.csv", "time (ms),mean (pA)", time, 1e3 * mean)
    found = one({"file": file.name, "error": 0.03}, tmp_path)
    assert found.terms[0].assumed and "3 % of the peak" in found.remarks[0]


@pytest.mark.stat
def test_the_cv_of_the_size_and_the_noise_come_out_of_the_sd():
    _, traces = events(500, 3)
    square, noise = size_and_noise(traces.mean(axis=0), traces.std(axis=0, ddof=1))
    # CV^2 of a lognormal with sigma 0.25; its standard error with 500 events is about 8 % of it
    assert_within(square, np.expm1(0.25**2), 0.08 * np.expm1(0.25**2))
    assert noise == pytest.approx(0.01, rel=0.1)


def test_simulated_quanta_are_recorded_through_the_amplifier(tmp_path):
    result = formula_result(vesicles=40)
    result.save(tmp_path / "result.h5")
    given = {"file": "result.h5", "noise": "50 pA", "bandwidth": "5 kHz", "events": 30, "bins": 4}
    found = one(given, tmp_path)
    (term,) = found.terms
    assert found.kinds["x"] == "simulation" and term.events == 30 and term.condition.changes == ()
    again, other = one(given, tmp_path).terms[0], one({**given, "seed": 1}, tmp_path).terms[0]
    assert np.array_equal(again.data, term.data) and not np.array_equal(other.data, term.data)
    clean = one({**given, "noise": 0}, tmp_path).terms[0]
    assert clean.noise_variance < 1e-12 < term.noise_variance
    np.testing.assert_allclose(term.data[:-1], clean.data[:-1], atol=0.05)


def test_amplitudes_histograms_and_counts(tmp_path):
    rng = np.random.default_rng(4)
    amplitude = 5e3 * np.exp(0.2 * rng.normal(size=200))
    rows = np.column_stack([np.arange(1, 201), np.arange(200) * 10.0, -amplitude, np.full(200, 0.3)])
    header = "Event,Event Start Time (ms),Peak Amp (pA),Rise Tau (ms)"
    np.savetxt(tmp_path / "c.csv", rows, delimiter=",", header=header, comments="")
    found = one({"file": "c.csv", "noise": "30 pA"}, tmp_path)
    (term,) = found.terms
    assert found.kinds["x"] == "amplitudes" and isinstance(term, HistogramTerm)
    assert (
        term.likelihood.counts.sum() == 200
        and term.noise_sd == pytest.approx(0.03)
        and term.release == "single"
    )
    table(tmp_path / "h.csv", "amplitude (mV),counts", np.arange(5) * 0.4, [18, 30, 40, 20, 5])
    found = one({"file": "h.csv", "failures_at_zero": True}, tmp_path)
    assert found.kinds["x"] == "histogram" and found.terms[0].release == "poisson"
    assert found.terms[0].needs == ("release.quantal_content", "recording.gain")
    trials = np.array([20, 45, 48, 35, 18, 9])
    table(tmp_path / "n.csv", "quanta,trials", np.arange(6), trials)
    found = one({"file": "n.csv"}, tmp_path)
    (term,) = found.terms
    assert found.kinds["x"] == "counts" and isinstance(term, CountsTerm)
    empty = Quanta(*[np.zeros(1)] * 5)
    shares = np.asarray(term.predict(empty, {"release.quantal_content": 2.0}))
    from scipy import stats

    np.testing.assert_allclose(shares, stats.poisson.pmf(np.arange(6), 2.0), rtol=1e-5)
    np.testing.assert_allclose(np.asarray(term.data), trials / trials.sum())


def test_a_list_and_an_export_of_mini_analysis_need_no_kind(tmp_path):
    rng = np.random.default_rng(4)
    amplitude, number = 5e3 * np.exp(0.2 * rng.normal(size=100)), np.arange(1, 101)
    (tmp_path / "list.txt").write_text("".join(f"{-a:.1f}\n" for a in (*amplitude, 0.0, 0.0)))
    found = one({"file": "list.txt", "unit": "pA"}, tmp_path)
    assert found.kinds["x"] == "amplitudes" and found.terms[0].likelihood.counts.sum() == 100
    assert "2 of 102 amplitudes" in found.remarks[0] and "data.x.failures=2" in found.remarks[0]
    assert one({"file": "list.txt", "unit": "pA", "failures": 2}, tmp_path).remarks == ()
    with pytest.raises(ValidationError, match=r"data\.x\.unit must be given.* add data\.x\.unit=pA"):
        one({"file": "list.txt"}, tmp_path)
    with pytest.raises(ValidationError, match=r"data\.x\.kind must be said"):  # it may be a sweep
        one({"file": "list.txt", "sampling_interval": "0.1 ms"}, tmp_path)
    time = np.cumsum(rng.exponential(900.0, 100))
    rows = np.column_stack([number, time, -amplitude, *[np.full(100, v) for v in (0.4, 2.0, -60, -3, 25.0)]])
    np.savetxt(tmp_path / "mini.txt", rows, delimiter="\t")
    found = one({"file": "mini.txt", "unit": "pA"}, tmp_path)
    assert found.kinds["x"] == "amplitudes" and "mini_analysis" in found.notes["x"]
    assert found.terms[0].noise_sd == pytest.approx(0.025)
    with pytest.raises(ValidationError, match=r"data\.x\.unit must be given"):
        one({"file": "mini.txt"}, tmp_path)


def test_published_numbers_say_that_they_are_from_memory():
    features = {"amplitude": "human_mepc_amplitude", "decay_time": "human_mepc_decay_time"}
    found = read_datasets({"human": {"published": "mepc_by_species", "features": features}}, SYNAPSE)
    (term,) = found.terms
    assert isinstance(term, StatisticsTerm) and term.labels == ("amplitude", "decay_time")
    assert term.condition.duration == 13.0 and "from memory [M]" in found.remarks[0]
    values = {
        "amplitude": {"value": "3950 pA", "error": "0.1 nA"},
        "decay_time": {"low": "3 ms", "high": "4 ms"},
    }
    (term,) = read_datasets({"mine": {"values": values}}, SYNAPSE).terms
    np.testing.assert_allclose(term.data, [3.95, 3.5])
    np.testing.assert_allclose(np.sqrt(np.diag(term.likelihood.covariance)), [0.1, 0.25])


def test_data_sets_of_one_condition_are_solved_once(tmp_path):
    values = {"amplitude": {"value": "4 nA", "error": "0.1 nA"}}
    blocked = {"values": values, "condition": {"esterase": {"active_fraction": 0}}}
    longer = {"values": {"decay_time": {"value": "9 ms", "error": "1 ms"}}, "condition": blocked["condition"]}
    found = read_datasets({"a": {"values": values}, "b": blocked, "c": longer}, SYNAPSE)
    conditions = [term.condition for term in found.terms]
    assert conditions[1] == conditions[2] != conditions[0] and conditions[1].duration == 36.0
    assert conditions[1].changes == (("esterase.active_fraction", 0),)
    shared = {"defaults": {"bandwidth": "2 kHz", "temperature": 30}, "a": {"values": values}}
    assert read_datasets(shared, SYNAPSE).terms[0].condition.changes == (("temperature", 30.0),)
    listed = read_datasets([{"name": "a", "values": values}, {"name": "b", "values": values}], SYNAPSE)
    assert [term.name for term in listed.terms] == ["a", "b"]


VALUES = {"amplitude": {"value": "4 nA", "error": "0.1 nA"}}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, r"data must be one or more data sets"),
        ({"x": {}}, r"data\.x must be given with file, published or values"),
        ({"x": "events.csv"}, r"data\.x must be a mapping"),
        ({"x": {"file": "none.csv"}}, r"data\.x\.file .* no file"),
        ({"x": {"file": "e.csv"}}, r"data\.x\.kind must be said"),
        ({"x": {"file": "e.csv", "kind": "event"}}, r"did you mean events"),
        ({"x": {"file": "e.csv", "kind": "events", "bandwith": 5}}, r"did you mean bandwidth"),
        ({"x": {"file": "e.csv", "kind": "events", "bandwidth": "5 mV"}}, r"data\.x\.bandwidth .* kHz"),
        ({"x": {"file": "e.csv", "kind": "events", "noise": 1}}, r"left out of a data set of kind events"),
        ({"x": {"file": "e.csv", "kind": "events", "channel": 1}}, r"data\.x\.channel must be left out"),
        ({"x": {"file": "e.csv", "kind": "events", "edges": [0, 2, 1]}}, r"data\.x\.edges must be rising"),
        ({"x": {"file": "e.csv", "kind": "events", "polarity": 2}}, r"1 \(events go up\)"),
        ({"x": {"file": "mv.csv", "kind": "events"}}, r"a current"),
        ({"x": {"file": "few.csv", "kind": "events"}}, r"events of data\.x must be 12 or more"),
        ({"x": {"values": VALUES, "condition": {"esterase.activ": 0}}}, r"did you mean"),
        ({"x": {"values": VALUES, "condition": {"receptor.density": "3 /um^3"}}}, r"did you mean 3 /um\^2"),
        ({"x": {"values": VALUES, "holding_potential": "40 mV"}}, r"data\.x\.holding_potential must be below"),
        ({"x": {"values": {"amplitude": 4}}}, r"a mapping with value and error"),
        ({"x": {"values": {"amplitud": {"value": 4, "error": 1}}}}, r"did you mean amplitude"),
        ({"x": {"published": "boyd_martin.epp"}}, r"did you mean boyd_martin_1956"),
        ({"defaults": {"bandwith": 1}, "x": {"values": VALUES}}, r"did you mean bandwidth"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_one_sentence(given, sentence, tmp_path):
    time, traces = events(14)
    table(tmp_path / "e.csv", "time (ms)" + ",a (nA)" * 14, time, *traces)
    table(tmp_path / "few.csv", "time (ms)" + ",a (nA)" * 6, time, *traces[:6])
    table(tmp_path / "mv.csv", "time (ms)" + ",a (mV)" * 14, time, *traces)
    with pytest.raises(ValidationError, match=sentence) as refused:
        read_datasets(given, SYNAPSE, tmp_path)
    assert "\n" not in str(refused.value)


def test_every_option_belongs_to_a_kind():
    assert set(EVERY) == {key for keys in KINDS.values() for key in keys}


@real
def test_an_axon_file_is_read_with_what_it_says_of_itself():
    pytest.importorskip("pyabf")
    given = {"file": "pyabf_psc/17o05026_vc_stim.abf", "threshold": 6, "decay": "2.5 ms", "after": "12 ms"}
    (term,) = one(given, REAL).terms
    assert isinstance(term, WaveformTerm) and term.bins.instrument.bandwidth == 2.0 and term.events > 100
    assert dict(term.condition.changes) == {"fibre.holding_potential": -50.0}
