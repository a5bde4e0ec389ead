"""Recordings and tables in: what is written comes back, what is missing is asked for, real files are read."""

import struct
from pathlib import Path

import numpy as np
import pytest

from nmjmc.analysis.observations import EventTable, Histogram
from nmjmc.analysis.recording import Recording
from nmjmc.data import published
from nmjmc.data.recordings import (
    read_events,
    read_histogram,
    read_recording,
    read_statistics,
    read_waveform,
    write_recording,
)
from nmjmc.data.recordings.events import program_of
from nmjmc.data.recordings.text import read_columns
from nmjmc.errors import ValidationError

pytestmark = pytest.mark.unit

REAL = Path(__file__).parents[3] / "shared" / "recordings"
real = pytest.mark.skipif(not REAL.is_dir(), reason="the recordings are not here")


def noise(sweeps=3, samples=200, seed=1):
    return np.random.default_rng(seed).normal(size=(sweeps, samples))


def test_a_recording_comes_back_from_its_file_bit_for_bit(tmp_path):
    made = Recording(noise(), 0.05, "nA", -70.0, 2.0, 5.0, 22.0, np.array([0.0, 3.0, 9.0]), "cell 1", "here")
    back = read_recording(write_recording(made, tmp_path / "cell.h5"))
    assert np.array_equal(back.signal, made.signal) and np.array_equal(back.sweep_start, made.sweep_start)
    for name in (
        "sampling_interval",
        "unit",
        "holding_potential",
        "bandwidth",
        "series_resistance",
        "name",
        "source",
    ):
        assert getattr(back, name) == getattr(made, name)
    assert read_recording(tmp_path / "cell.h5", holding_potential=-80.0).holding_potential == -80.0


def test_text_with_units_in_its_heading_needs_nothing_else(tmp_path):
    signal = noise(2, 50)
    lines = ["# cell 3", "Time (s), sweep 1 (pA), sweep 2 (pA)"]
    lines += [f"{k * 5e-5:.6f}, {a:.9f}, {b:.9f}" for k, (a, b) in enumerate(signal.T)]
    (tmp_path / "cell.csv").write_text("\n".join(lines))
    found = read_recording(tmp_path / "cell.csv")
    assert found.sampling_interval == pytest.approx(0.05, rel=1e-9) and found.unit == "nA"
    np.testing.assert_allclose(found.signal, 1e-3 * signal, atol=1e-12)


def test_text_without_times_asks_for_the_sampling_and_the_unit(tmp_path):
    (tmp_path / "bare.txt").write_text("\n".join(f"{v:.6f}" for v in noise(1, 30)[0]))
    with pytest.raises(ValidationError, match="column of times"):
        read_recording(tmp_path / "bare.txt")
    with pytest.raises(ValidationError, match="unit must be given"):
        read_recording(tmp_path / "bare.txt", sampling_interval=0.1)
    found = read_recording(tmp_path / "bare.txt", sampling_interval=0.1, unit="uV")
    assert found.unit == "mV" and found.signal.shape == (1, 30)


def test_foreign_hdf5_says_what_it_lacks(tmp_path):
    import h5py

    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["a/trace"], file["b/trace"] = noise(2, 20), noise(2, 20, 2)
    with pytest.raises(ValidationError, match="a/trace, b/trace"):
        read_recording(tmp_path / "x.h5", unit="pA", sampling_interval=0.1)
    with pytest.raises(ValidationError, match="sampling_interval must be given"):
        read_recording(tmp_path / "x.h5", dataset="a/trace", unit="pA")
    found = read_recording(tmp_path / "x.h5", dataset="b/trace", unit="pA", sampling_interval=0.1)
    np.testing.assert_allclose(found.signal, 1e-3 * noise(2, 20, 2), rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"signal": np.full((2, 9), np.nan)}, "signal"),
        ({"sampling_interval": 0.0}, "sampling_interval"),
        ({"unit": "pA"}, "unit"),
        ({"bandwidth": -1.0}, "bandwidth"),
        ({"series_resistance": -1.0}, "series_resistance"),
        ({"sweep_start": np.zeros(5)}, "sweep_start"),
    ],
)
def test_impossible_recordings_are_refused(change, names):
    with pytest.raises(ValidationError, match=f"^{names} must be"):
        Recording(**{"signal": noise(2, 9), "sampling_interval": 0.1, **change})


def test_missing_files_and_formats_are_refused(tmp_path):
    with pytest.raises(ValidationError, match="where there is no file"):
        read_recording(tmp_path / "none.abf")
    (tmp_path / "broken.abf").write_bytes(b"no axon file at all")
    with pytest.raises(ValidationError, match="did you mean neo"):
        read_recording(tmp_path / "broken.abf", format="neoo")
    pytest.importorskip("pyabf")
    with pytest.raises(ValidationError, match="pyABF cannot read"):
        read_recording(tmp_path / "broken.abf")


def winwcp(path, counts, interval=5e-5, gain=0.0005, largest=10.0):
    """A WinWCP file of one channel in pA, as its manual lays it out: text, then records of header and samples."""
    blocks = counts.shape[1] * 2 // 512
    text = {
        "VER": 8, "NC": 1, "NR": len(counts), "NBH": 2, "NBA": 2, "NBD": blocks, "ADCMAX": 2047, "NP": 256, "NZ": 20,
        "AD": largest, "DT": interval, "YN0": "Im", "YU0": "pA", "YG0": gain, "YO0": 0, "YZ0": 0, "YR0": 0,
    }  # fmt: skip
    head = "".join(f"{key}={value}\r\n" for key, value in text.items()).encode().ljust(1024, b"\0")
    body = b""
    for row in counts:
        analysis = struct.pack("8s4sfff8f", b"ACCEPTED", b"TEST", 1.0, 0.0, interval, *[largest] * 8)
        body += analysis.ljust(1024, b"\0") + row.astype("<i2").tobytes()
    path.write_bytes(head + body)


def test_winwcp_comes_in_through_neo(tmp_path):
    pytest.importorskip("neo")
    counts = np.random.default_rng(5).integers(-2000, 2000, (3, 512))
    winwcp(tmp_path / "cell.wcp", counts)
    found = read_recording(tmp_path / "cell.wcp", holding_potential=-80.0)
    assert (found.sweeps, found.unit, found.holding_potential) == (3, "nA", -80.0)
    assert found.sampling_interval == pytest.approx(0.05, rel=1e-6)
    np.testing.assert_allclose(found.signal, 1e-3 * counts * 10.0 / 2047 / 0.0005, rtol=1e-6)
    with pytest.raises(ValidationError, match="channel must be from 0 to 0"):
        read_recording(tmp_path / "cell.wcp", channel=1)


EXPORTS = {
    "mini_analysis": "1\t1,234.5\t-20.5\t0.4\t2.0\t-60\t-3.1\t1.0\t0\t0\t0.3\t1.5\n"
    "2\t2000\t-30\t0.5\t2.5\t-80\t-3\t1\t0\t0\t0.4\t1.7\n",
    "clampfit": "Trace\tEvent Start Time (ms)\tBaseline (pA)\tPeak Amp (pA)\tDecay Tau (ms)\n"
    "1\t1234.5\t-3.1\t-20.5\t2.0\n1\t2000\t-3\t-30\tNot found\n",
    "easy_electrophysiology": "Event Num,Event Time (s),Baseline (pA),Amplitude (pA),Rise Time (ms),Tau (ms)\n"
    "1,1.2345,-3.1,-20.5,0.3,2.0\n2,2.0,-3,-30,0.4,2.5\n",
    "miniml": ",event_0,event_1\nlocation,61725.0,100000.0\namplitude,-20.5,-30\nrisetime,0.0003,0.0004\n"
    "decaytime,0.002,0.0025\ncharge,-0.06,-0.08\nscore,0.99,0.8\n",
}


@pytest.mark.parametrize("program", EXPORTS)
def test_every_program_gives_the_same_events(program, tmp_path):
    (tmp_path / "events.csv").write_text(EXPORTS[program])
    unit = "pA" if program in ("mini_analysis", "miniml") else None
    table = read_events(tmp_path / "events.csv", sampling_interval=0.02, duration=1e4, unit=unit)
    assert program in table.source and table.polarity == -1 and table.unit == "nA"
    np.testing.assert_allclose(table["time"], [1234.5, 2000.0])
    np.testing.assert_allclose(table["amplitude"], [0.0205, 0.03])
    np.testing.assert_allclose(table.intervals(), [765.5])
    assert table.frequency == pytest.approx(2e-4)
    if "decay" in table.columns:
        assert table["decay"][0] == 2.0
    if "charge" in table.columns:
        assert table["charge"][0] == pytest.approx(0.06)


LISTS = {
    "a heading": "amplitude (pA)\n-20.5\n-30\n",
    "a comment": "# my cell, 2 mM Ca\n# amplitude (pA)\n-20.5\n-30\n",
    "row numbers": "rownames,y (pA)\n1,-20.5\n2,-30\n",
    "other columns": "time (s),amplitude (pA),cell\n0.1,-20.5,1\n0.7,-30,1\n",
}


@pytest.mark.parametrize("way", LISTS)
def test_a_list_of_amplitudes_needs_its_unit_only(way, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(LISTS[way])
    table = read_events(path)
    assert program_of(path) == "list" and table.unit == "nA" and table.polarity == -1
    np.testing.assert_allclose(table["amplitude"], [0.0205, 0.03])
    path.write_text(LISTS[way].replace("(pA)", ""))
    with pytest.raises(ValidationError, match="unit must be given"):
        read_events(path)
    np.testing.assert_allclose(read_events(path, unit="uV")["amplitude"], [0.0205, 0.03])


def test_a_trace_is_not_taken_for_a_list_of_amplitudes(tmp_path):
    path = tmp_path / "trace.csv"
    path.write_text("time (ms),amplitude (pA)\n" + "".join(f"{0.1 * i:.1f},{i % 7}\n" for i in range(50)))
    assert program_of(path) == ""
    path.write_text("".join(f"{value:.3f}\n" for value in noise(1, 300)[0]))  # of both signs
    assert program_of(path) == ""
    path.write_text("3.5\n" * 10_001)  # longer than any list
    assert program_of(path) == ""
    path.write_text("0 0.1 0.3\n1 0.2 0.2\n2 0.3 0.1\n")  # sweeps beside their times
    assert program_of(path) == ""


def test_a_table_of_another_kind_is_refused(tmp_path):
    (tmp_path / "x.csv").write_text("apples,pears\n1,2\n")
    with pytest.raises(ValidationError, match=r"headings of .* must be those of a known program"):
        read_events(tmp_path / "x.csv")
    (tmp_path / "x.csv").write_text(EXPORTS["mini_analysis"])
    with pytest.raises(ValidationError, match="unit must be given"):
        read_events(tmp_path / "x.csv")
    with pytest.raises(ValidationError, match="column must be one of the table"):
        EventTable({"amplitude": np.ones(3)})["rise"]


def test_waveform_histogram_and_statistics_from_text(tmp_path):
    (tmp_path / "w.csv").write_text("time (ms),mean (pA),sem (pA)\n0,0,1\n1,-20,2\n2,-10,2\n")
    wave = read_waveform(tmp_path / "w.csv", events=25)
    np.testing.assert_allclose(wave.mean, [0, -0.02, -0.01])
    np.testing.assert_allclose(wave.sd, [0.005, 0.01, 0.01])
    (tmp_path / "h.csv").write_text("amplitude (uV),count\n0,7\n100,2\n200,5\n300,1\n")
    counts = read_histogram(tmp_path / "h.csv", failures_at_zero=True)
    assert counts.failures == 7 and counts.trials == 15 and counts.counts.tolist() == [2, 5, 1]
    assert counts.mean() == pytest.approx((0.2 + 1.0 + 0.3) / 15)
    (tmp_path / "s.csv").write_text("name,value,standard error,unit,n,mark\ndecay,3.2,0.1,ms,80,V\n")
    found = read_statistics(tmp_path / "s.csv")[0]
    assert (found.name, found.value, found.standard_error, found.n, found.mark) == (
        "decay",
        3.2,
        0.1,
        80,
        "V",
    )


def test_the_variance_of_a_histogram_is_that_of_its_trials():
    rng = np.random.default_rng(3)
    values = rng.normal(5.0, 0.7, 4000)
    edges = np.arange(0.0, 10.01, 0.5)
    made = Histogram(edges, np.histogram(values, edges)[0], failures=1000)
    exact = np.append(made.centres.repeat(made.counts), np.zeros(1000))
    assert made.variance() == pytest.approx(exact.var(ddof=1), rel=1e-9)
    assert made.variance(sheppard=True) == pytest.approx(made.variance() - 0.8 * 0.25 / 12, rel=1e-9)


def test_published_figures_have_their_marks_and_sources():
    assert "boyd_martin_1956" in published.available()
    for name in published.available():
        for number in published.statistics(name):
            assert number.source and number.mark in "VMCD"
    human = {s.name: s for s in published.statistics("mepc_by_species")}["human_mepc_amplitude"]
    assert (human.value, human.standard_error, human.mark) == (3.95, 0.10, "M")
    with pytest.raises(ValidationError, match="did you mean boyd_martin_1956"):
        published.histogram("boyd_martin", "epp_amplitude")


def test_boyd_and_martin_as_published():
    counts = published.histogram("boyd_martin_1956", "epp_amplitude")
    minis = published.histogram("boyd_martin_1956", "mepp_amplitude")
    assert (counts.trials, counts.failures, minis.trials) == (198, 18, 78)
    assert counts.mean() == pytest.approx(0.942, abs=5e-4)
    assert minis.mean() == pytest.approx(0.396, abs=5e-4)
    assert published.pairs("boyd_martin_1956", "quantal_content").shape == (10, 2)


@real
def test_published_figures_agree_with_the_digitised_files():
    read = read_histogram(
        REAL / "boyd_martin_1956/epp_amplitude_histogram.csv", unit="mV", failures_at_zero=True
    )
    ours = published.histogram("boyd_martin_1956", "epp_amplitude")
    assert np.array_equal(read.counts, ours.counts) and read.failures == ours.failures
    np.testing.assert_allclose(read.edges, ours.edges, atol=1e-9)
    minis = read_histogram(REAL / "boyd_martin_1956/mepp_amplitude_histogram.csv", unit="mV")
    assert np.array_equal(minis.counts, published.histogram("boyd_martin_1956", "mepp_amplitude").counts)
    rows = read_columns(REAL / "boyd_martin_1956/m_direct_vs_failures.csv").values
    assert np.array_equal(rows, published.pairs("boyd_martin_1956", "quantal_content"))


@real
def test_interval_statistics_agree_with_the_table():
    intervals = read_columns(REAL / "fatt_katz_1952/nerve.dat").values[:, 0]
    numbers = {s.name: s.value for s in published.statistics("fatt_katz_1952")}
    away = intervals - intervals.mean()
    assert intervals.size == numbers["intervals"]
    assert intervals.mean() == pytest.approx(numbers["mean_interval"], abs=5e-6)
    assert intervals.std(ddof=1) / intervals.mean() == pytest.approx(numbers["interval_cv"], abs=5e-4)
    assert intervals.sum() == pytest.approx(numbers["recording_time"], abs=5e-3)
    assert np.median(intervals) == numbers["median_interval"]
    correlation = (away[1:] * away[:-1]).sum() / (away**2).sum()
    assert correlation == pytest.approx(numbers["lag_1_correlation"], abs=5e-4)


ABF = {"f1": (10, 2500.0, -60.0), "17o05026_vc_stim": (8, 1e4, -50.0), "171116sh_0020": (7, 1e4, -50.0)}


@real
@pytest.mark.parametrize("name", ABF)
def test_axon_files_read_the_same_through_pyabf_and_neo(name):
    pytest.importorskip("pyabf")
    pytest.importorskip("neo")
    path = REAL / "pyabf_psc" / f"{name}.abf"
    first, second = read_recording(path), read_recording(path, format="neo")
    assert (first.sweeps, first.sweep_duration, first.holding_potential) == ABF[name]
    assert first.sampling_interval == 0.05 and first.unit == second.unit == "nA"
    # pyABF and neo scale in float32 and float64
    np.testing.assert_allclose(first.signal, second.signal, atol=3e-7)


@real
def test_miniml_results_give_the_readmes_numbers():
    folder = REAL / "miniml_gc_mepsc"
    table = read_events(
        folder / "gc_mini_trace_individual.csv", unit="pA", sampling_interval=0.02, duration=120e3
    )
    assert len(table) == 43
    assert 1e3 * table["amplitude"].mean() == pytest.approx(9.7, abs=0.05)
    assert 1e3 * table.frequency == pytest.approx(0.358, abs=1e-3)
    gaps = table.intervals()
    assert gaps.std(ddof=1) / gaps.mean() == pytest.approx(0.95, abs=0.01)
    waves = read_recording(
        folder / "gc_mini_trace_results.h5", dataset="events", unit="pA", sampling_interval=0.02
    )
    assert waves.signal.shape == (43, 1000)


@real
def test_the_other_tables_are_read():
    noise = [read_columns(REAL / "katz_miledi_1972" / f"{name}-cell.csv") for name in ("resting", "exposed")]
    spread = [1e3 * table.values[:, 1].std() for table in noise]
    assert spread == pytest.approx([23, 42], abs=1.0)
    channels = read_columns(REAL / "colquhoun_frog_achr/colquhounData.csv").values
    assert channels.shape == (24, 2) and channels[:, 1].sum() == 403
    peaks = read_columns(REAL / "paulsen_1994/paulsen.csv").values[:, 1]
    assert peaks.size == 346 and np.median(peaks) == 8.5
    fly = read_columns(REAL / "drosophila_nmj_table/elife31535_table1.csv")
    assert len(fly.values) == 12 and fly.values[0, fly.names.index("quantal content")] == 39.3
