"""Data that a model cannot have: averages, records whose command steps, amplitudes out of reach."""

import jax.numpy as jnp
import numpy as np
import pytest

import nmjmc
from nmjmc.analysis.compound import between
from nmjmc.analysis.observations import Histogram, MeanWaveform, Statistic
from nmjmc.analysis.recording import Recording
from nmjmc.cli.main import main
from nmjmc.data.recordings import write_recording
from nmjmc.errors import ValidationError
from nmjmc.fitting import AverageTerm, Condition, HistogramTerm, StatisticsTerm, read_datasets
from nmjmc.fitting.parameters import free_parameters
from nmjmc.fitting.problem import Problem
from nmjmc.fitting.quanta import Quanta
from nmjmc.fitting.reach import BEGIN, data_span, model_span, outside
from tests.axon import write_abf

pytestmark = pytest.mark.unit
SYNAPSE = nmjmc.preparation("human")
STEP = 0.05


def response(time, rise=0.2, decay=2.0):
    after = np.maximum(time, 0.0)
    shape = (1.0 - np.exp(-after / rise)) ** 2 * np.exp(-after / decay)
    return shape / shape.max()


def average(path, time, mean):
    np.savetxt(
        path,
        np.column_stack([time, mean]),
        delimiter=",",
        header="time (ms),mean (nA)",
        comments="",
        fmt="%.8g",
    )
    return path


def read(path, **words):
    found = read_datasets({"x": {"file": str(path), **words}}, SYNAPSE)
    return found.terms[0], found.notes["x"], " ".join(found.remarks)


@pytest.mark.parametrize("way", [-1, 1])
@pytest.mark.parametrize(
    ("first", "onset", "level"),
    [(0.0, 0.0, 0.0), (-2.0, 0.0, 0.3), (0.0, 4.0, -0.4), (-5.0, 3.0, 0.0), (100.0, 103.0, 1.0)],
)
def test_averages_of_any_direction_onset_and_baseline_become_one_term(way, first, onset, level, tmp_path):
    time = first + np.arange(400) * STEP
    term, note, remarks = read(
        average(tmp_path / "a.csv", time, way * 3.0 * response(time - onset) + level), kind="waveform"
    )
    mean = term.mean_waveform
    assert mean.mean.min() == pytest.approx(-3.0, rel=0.01)  # inward, whatever the file
    begin = mean.time[np.flatnonzero(mean.mean < -0.15)[0]]
    assert 0.0 <= begin <= 0.15
    assert f"goes {'up' if way > 0 else 'down'} in the file, onset" in note
    assert ("no baseline" in note) == (first == onset)
    assert ("not at the file's time 0" in remarks) == (first < 0 < onset)
    if first != onset:
        assert float(note.split("baseline ")[1].split(" nA")[0]) == pytest.approx(level, abs=0.02)


def test_what_an_average_does_not_show_is_asked_for_and_what_is_said_holds(tmp_path):
    time = np.arange(200) * STEP
    cut = average(tmp_path / "a.csv", time, -3.0 * np.exp(-time / 2.0))
    with pytest.raises(ValidationError, match=r"^data.x.polarity must be said.*only falls or only rises"):
        read(cut, kind="waveform")
    term, note, _ = read(cut, kind="waveform", polarity=-1, onset="0 ms", baseline="-0.1 nA")
    assert term.mean_waveform.mean.min() == pytest.approx(-2.9) and "baseline -0.1 nA as given" in note
    shifted = average(tmp_path / "b.csv", time, 0.2 - 3.0 * response(time - 4.0))
    early = "risen to"
    assert early in read(shifted, kind="waveform", onset="4.3 ms")[2]
    assert early not in read(shifted, kind="waveform", onset="4 ms")[2]


def test_an_average_in_a_wrong_unit_is_put_right_or_refused(tmp_path):
    time = np.arange(200) * STEP
    file = average(tmp_path / "a.csv", time, -3000.0 * response(time - 2.0))
    assert read(file, kind="waveform", unit="pA")[0].mean_waveform.mean.min() == pytest.approx(-3.0, rel=0.01)
    term, note, _ = read(file, kind="waveform", gain=1000)
    assert (
        term.mean_waveform.mean.min() == pytest.approx(-3.0, rel=0.01) and "divided by the gain 1000" in note
    )
    for size, says in ((1e9, "at most 1 mA"), (1e-10, "more than 1 fA")):
        with pytest.raises(ValidationError, match=says):
            read(average(tmp_path / "b.csv", time, size * response(time - 2.0)), kind="waveform")


def minis(sweeps=4, samples=40_000, count=12, seed=0):
    """Sweeps with inward events of 60 pA at chance times in noise of 4 pA [pA]."""
    rng = np.random.default_rng(seed)
    made = 4.0 * rng.normal(size=(sweeps, samples))
    shape = 60.0 * response(np.arange(600) * STEP, 0.2, 3.0)
    for row in made:
        for at in 3000 + 900 * rng.choice(40, count, replace=False):
            row[at : at + 600] -= rng.lognormal(0.0, 0.2) * shape
    return np.round(made, 2)


def test_miniatures_are_searched_where_the_command_rests(tmp_path):
    pytest.importorskip("pyabf")
    rows = minis()
    rows[:, 1625:1645] -= 900.0  # the capacitive transients of a test pulse
    rows[:, 2025:2045] += 900.0
    path = write_abf(
        tmp_path / "a.abf", list(rows), starts=list(range(0, 400_000, 100_000)), scale=0.05,
        epochs=[(-70.0, 1000), (-80.0, 400), (-70.0, 100)],
    )  # fmt: skip
    term, note, remarks = read(path, kind="recording")
    assert "in the 96 % of the record in which the command rests at -70 mV" in note and not remarks
    assert 40 <= term.events <= 48 and np.abs(term.data[:-1]).max() < 0.1
    part, note, remarks = read(path, kind="recording", window=["160 ms", "2000 ms"])
    assert "from 160 to 2000 ms of each sweep" in note and part.events >= 30 and not remarks
    with pytest.raises(ValidationError, match="spread over the sweeps"):  # the transients are in this window
        read(path, kind="recording", window=["60 ms", "2000 ms"])
    calm = write_abf(
        tmp_path / "b.abf", list(minis()), scale=0.05, epochs=[(-70.0, 1000), (-80.0, 400), (-70.0, 100)]
    )
    assert "within the window" in read(calm, kind="recording", window=["60 ms", "2000 ms"])[2]
    with pytest.raises(ValidationError, match=r"command changes within the sweeps.*window=\[151"):
        read(path, kind="events")
    unsaid = write_recording(Recording(1e-3 * rows, STEP), tmp_path / "a.h5")
    with pytest.raises(
        ValidationError,
        match=r"at 80 to 82 ms in 4 of 4 sweeps|at 82 to 84 ms in 4 of 4|^events|4 steps alike",
    ):
        read(unsaid, kind="recording", threshold=4)
    wandering = minis()
    for index, at in enumerate((3000, 21_000, 9000, 30_000, 14_000, 33_000, 5500, 26_000)):
        wandering[index // 2, at : at + 400] -= 150.0  # a test pulse at no time of the sweep, nowhere said
    unlocked = write_recording(Recording(1e-3 * wandering, STEP), tmp_path / "d.h5")
    with pytest.raises(
        ValidationError,
        match=r"shows 8 steps alike, of 0.1[456]\d* nA and 20 ms, .* ms of sweep 0",
    ):
        read(unlocked, kind="recording")
    quiet = write_recording(Recording(1e-3 * minis(), STEP), tmp_path / "b.h5")
    assert "says nothing of the command" in read(quiet, kind="recording")[2]


def test_evoked_events_are_no_miniatures_and_steps_are_no_events(tmp_path):
    rows = 1e-3 * minis(sweeps=6, count=1)
    rows[:, 20_000:20_600] -= 0.2 * response(np.arange(600) * STEP, 0.2, 3.0)
    path = write_recording(Recording(rows, STEP), tmp_path / "a.h5")
    with pytest.raises(ValidationError, match=r"must be spread over the sweeps.*in 6 of 6 sweeps"):
        read(path, kind="recording")
    steps = write_recording(Recording(-70.0 + rows, STEP, "mV"), tmp_path / "b.h5")
    with pytest.raises(ValidationError, match="must be a current, but is a waveform in mV"):
        read(steps, kind="recording")
    uneven = Recording(rows, STEP, length=np.array([30_000, 40_000] * 3))
    with pytest.raises(ValidationError, match=r"of one length.*window=\[0 ms,1500 ms\]"):
        read(write_recording(uneven, tmp_path / "c.h5"), kind="events")


@pytest.mark.parametrize(
    "window", ["3 ms", ["5 ms"], ["9 ms", "3 ms"], [-1, 4], ["1 mV", "3 ms"], [1e6, 2e6]]
)
def test_impossible_windows_are_refused(window, tmp_path):
    path = write_recording(Recording(np.zeros((2, 50)) + np.arange(50), STEP), tmp_path / "a.h5")
    with pytest.raises(ValidationError, match=r"^data.x.window must be"):
        read(path, kind="recording", window=window)


def quanta(size):
    time = np.arange(100) * STEP
    nodes, weight = np.array([-1.0, 0.0, 1.0]), np.array([0.25, 0.5, 0.25])
    current = -size * np.exp(0.3 * nodes)[:, None] * response(time)
    return Quanta(*map(jnp.asarray, (time, current, weight, nodes, np.array(0.004))))


def histogram(low, high, unit="nA"):
    counts = np.array([0, 3, 9, 20, 9, 3, 0])
    return Histogram(np.linspace(low, high, 8), counts, unit=unit)


def test_amplitudes_that_no_vesicle_can_give_are_refused_before_anything_is_solved():
    free = free_parameters(SYNAPSE, ["vesicle.content_mean"])
    term = HistogramTerm("x", histogram(2.0, 6.0), Condition(duration=3.0))
    span = model_span(SYNAPSE, term, free, {})
    assert span is not None and span.low == 0.0 and 50.0 < span.high < 1e4
    assert data_span(term) == pytest.approx((2.0 + 4.0 / 7.0, 6.0 - 4.0 / 7.0, "nA"))
    far = HistogramTerm("x", histogram(2e4, 6e4), Condition(duration=3.0))
    with pytest.raises(
        ValidationError, match=r"^data.x must be where the model can be \(0 to .* nA within the bounds\)"
    ):
        Problem(SYNAPSE, [far], free)
    wave = AverageTerm("x", MeanWaveform(np.arange(200) * STEP, -5e4 * response(np.arange(200) * STEP)), Condition(
        duration=10.0))  # fmt: skip
    with pytest.raises(ValidationError, match="but is at"):
        Problem(SYNAPSE, [wave], free)


@pytest.mark.parametrize(
    ("low", "high", "apart"), [(2.0, 8.0, False), (60.0, 90.0, True), (0.01, 0.05, True)]
)
def test_a_fit_that_ends_where_no_data_are_says_so(low, high, apart):
    term = HistogramTerm("x", histogram(low, high), Condition(duration=3.0))
    solved = quanta(4.0)
    says = outside(term, np.asarray(term.predict(solved, {})), solved, 1.0)
    assert says.startswith(BEGIN) == apart
    if apart:
        assert "the model is at 2.96" in says and " nA for a quantum" in says


def test_published_amplitudes_and_averages_that_the_model_does_not_reach_are_told():
    near = Statistic("amplitude", 4.0, 0.1, "nA")
    term = StatisticsTerm("x", {"amplitude": near}, Condition(duration=5.0))
    assert not outside(term, np.array([3.0]), None, 1.0)
    assert "those of x are 4 to 4 nA, the model reaches 40 nA" in outside(term, np.array([40.0]), None, 1.0)
    time = np.arange(200) * STEP
    wave = AverageTerm("x", MeanWaveform(time, -4.0 * response(time)), Condition(duration=10.0))
    assert not outside(wave, 1.2 * wave.data, None, 1.0)
    assert outside(wave, 0.01 * wave.data, None, 1.0).startswith(BEGIN)


def test_the_shares_of_bins_are_as_exact_above_the_mean_as_below():
    edges = np.array([8.0, 9.0, 12.0, 30.0])[:, None]
    above = np.asarray(between(jnp.asarray(edges)))[:, 0]
    below = np.asarray(between(jnp.asarray(-edges[::-1])))[::-1, 0]
    assert (above[:2] > 0).all()
    np.testing.assert_allclose(above, below, rtol=1e-6)


def test_a_dry_run_tells_the_ranges_the_course_and_what_was_left_out(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    time = np.arange(200) * STEP
    average(tmp_path / "a.csv", time, 0.2 - 3.0 * response(time - 2.0))
    amplitudes = [*np.linspace(2.0, 5.0, 30), 0.0, -1.0]
    (tmp_path / "b.csv").write_text("\n".join(["amplitude (nA)", *map(str, amplitudes)]))
    words = [
        "fit",
        "data=[a.csv,b.csv]",
        "data.b.kind=amplitudes",
        "fit.free=[vesicle.content_mean]",
        "dry_run=true",
    ]
    assert main(words) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "goes down in the file, onset 2" in said and "baseline 0.2 nA" in said
    assert "nA; the model can give 0 to" in said and "data at 1.94 to 5" in said
    assert "2 of 32 amplitudes are missing, zero or of the other sign and were left out" in said
    (tmp_path / "b.csv").write_text("\n".join(["amplitude (nA)", *(f"{3e4 + k}" for k in range(30))]))
    assert main(words) == 2
    assert "data.b must be where the model can be" in " ".join(capsys.readouterr().err.split())
