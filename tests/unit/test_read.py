"""`nmjmc read` and `nmjmc.read`: what is in each kind of file, what may be said of it, how good it is, its uses."""

import json
import shlex
from datetime import UTC
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy import signal as filters

import nmjmc
from nmjmc.analysis.bench.responses import Windows, as_trials, responses
from nmjmc.analysis.quality import quality_of
from nmjmc.analysis.recording import Recording
from nmjmc.analysis.searchable import searchable
from nmjmc.analysis.stimuli import of_artefact, of_command
from nmjmc.cli.main import main
from nmjmc.data.recordings import write_recording
from nmjmc.data.recordings.asked import AsRead, numbers_of
from nmjmc.errors import ValidationError
from tests.axon import write_abf, write_atf

pytestmark = pytest.mark.unit
STEP = 0.05
SHARED = Path(__file__).parents[3] / "shared"


def quantum(time):
    after = np.maximum(time, 0.0)
    return (1 - np.exp(-after / 0.2)) * np.exp(-after / 2.0)


def artefact(time):
    """0.3 ms, up and down."""
    return 1.0 * ((time >= 0) & (time < 0.15)) - 1.0 * ((time >= 0.15) & (time < 0.3))


def sweeps(count=12, quanta=3, at=(20.0, 40.0), shocks=True, seed=0, jitter=0.05):
    """Sweeps of 80 ms: an artefact and, 1 ms after it, a response that jitters, in noise of 2 pA; and the latencies."""
    rng, time = np.random.default_rng(seed), STEP * np.arange(1600)
    late = 1.0 + jitter * rng.normal(size=(count, len(at)))
    rows = 0.002 * rng.normal(size=(count, time.size))
    for n, k in np.ndindex(late.shape):
        rows[n] -= 0.1 * quanta * quantum(time - at[k] - late[n, k])
        rows[n] += artefact(time - at[k]) if shocks else 0.0
    return Recording(rows, STEP, "nA", name="sweeps"), late


# stimuli


def test_artefacts_are_stimuli_and_responses_without_them_are_none():
    record, _ = sweeps()
    found = of_artefact(record)
    assert found.times == pytest.approx([20.0, 40.0], abs=STEP) and "artefacts" in found.by
    for height in (1, 30, 300):  # 0.1 to 30 nA in noise of 2 pA
        assert not len(of_artefact(sweeps(quanta=height, shocks=False)[0]))


def test_an_action_potential_and_a_test_pulse_are_no_stimuli():
    rng, time = np.random.default_rng(1), STEP * np.arange(2000)
    spike = 100.0 * np.exp(-0.5 * ((time - 30.0) / 0.6) ** 2)  # half width 1.4 ms
    assert not len(of_artefact(Recording(spike + 0.2 * rng.normal(size=(6, 2000)), STEP, "mV")))
    charge = np.exp(-np.maximum(time - 20, 0) / 0.2) * (time >= 20) - np.exp(
        -np.maximum(time - 60, 0) / 0.2
    ) * (time >= 60)
    found = of_artefact(Recording(-charge + 0.002 * rng.normal(size=(6, 2000)), STEP, "nA"))
    assert not len(found) and "mirror" in found.passed_over


def test_brief_pulses_of_the_command_are_stimuli_and_test_pulses_are_none():
    time = STEP * np.arange(1600)
    command = np.full((4, time.size), -70.0)
    command[:, (time >= 20) & (time < 20.5)] = 0.0
    command[:, (time >= 40) & (time < 60)] = -75.0
    noise = np.random.default_rng(2).normal(size=command.shape)
    found = of_command(Recording(noise, STEP, "nA", command=command))
    assert found.times == pytest.approx([20.0])


def test_events_are_searched_away_from_steps_stimuli_and_gaps():
    rng, time = np.random.default_rng(3), STEP * np.arange(20_000)
    rows = 0.002 * rng.normal(size=(2, time.size))
    rows[:, (time >= 700) & (time < 800)] = -0.05  # the amplifier was off
    command = np.full(rows.shape, -70.0)
    command[:, (time >= 100) & (time < 150)] = -75.0
    record = Recording(rows, STEP, "nA", command=command)
    found = searchable(record, 20.0, np.array([400.0]))
    assert len(found.said) == 3 and "gaps" in found.said[1]
    within = (found.parts.sweep_start % 1000.0)[:, None] + found.parts.time
    within = within[np.isfinite(found.parts.signal)]
    for low, high in ((99.5, 199.0), (399.5, 449.5), (700.5, 799.5)):
        assert not ((within > low) & (within < high)).any()
    kept = 1000.0 - 101.0 - 51.0 - 100.0
    assert found.parts.duration == pytest.approx(2 * kept, abs=1.0)


# responses


def test_each_response_has_its_amplitude_latency_and_failure():
    record, late = sweeps()
    rows = record.signal.copy()
    empty = np.flatnonzero(np.arange(12) % 3 == 0)
    rows[empty, 395:900] = 0.002 * np.random.default_rng(4).normal(size=(empty.size, 505))
    read = responses(Recording(rows, STEP, "nA"), np.array([20.0, 40.0]), -1, Windows(blank=0.5))
    assert np.flatnonzero(read.failed[:, 0]).tolist() == empty.tolist()
    responded = ~read.failed[:, 0]
    peak = 0.3 * quantum(STEP * np.arange(200)).max()
    assert read.amplitude[responded, 0].mean() == pytest.approx(peak, rel=0.05)
    # the foot of a rise that bends is a little after its beginning
    late_by = read.latency[responded, 0] - late[responded, 0]
    assert np.abs(late_by - late_by.mean()).max() < 0.06 and abs(late_by.mean()) < 0.05
    assert np.isnan(read.latency[~responded, 0]).all()


def test_stimuli_are_found_told_and_read_and_a_bad_window_is_told():
    record, late = sweeps(count=30)
    found = nmjmc.quantal(record)
    assert found.kind == "evoked" and "2 stimuli: artefacts" in found.notes[0]
    assert found["latency"].low - 0.05 < late[:, 0].mean() < found["latency"].high + 0.05
    assert found["share of failures"].value == 0.0
    assert set(found.curves["responses"].columns) == {"trial", "stimulus", "amplitude", "latency", "failed"}
    assert found.curves["train"]["failures"].tolist() == [0, 0]
    short = nmjmc.quantal(record, response="1.4 ms")
    assert any("largest at the end of its window" in note for note in short.notes)


def test_a_long_record_is_cut_into_trials_of_one_pattern():
    record, _ = sweeps(count=10)
    long = Recording(record.signal.reshape(1, -1), STEP, "nA")
    times = np.concatenate([80.0 * n + np.array([20.0, 40.0]) for n in range(10)])
    cut, within = as_trials(long, times, 9.0, 15.0)
    assert cut.sweeps == 10 and within == pytest.approx([9.0, 29.0])
    assert cut.signal[3] == pytest.approx(record.signal[3, 220:1100])
    several = nmjmc.quantal(long, stimuli=times.tolist())
    apart = nmjmc.quantal(record, stimuli=[20.0, 40.0])
    assert several["latency"].value == pytest.approx(apart["latency"].value, rel=1e-6)
    with pytest.raises(ValidationError, match="of one pattern"):
        as_trials(long, np.delete(times, 5), 9.0, 15.0)


def test_simulated_trains_are_measured_as_recorded_ones_are():
    from nmjmc.analysis.bench.responses import of_simulated

    time = STEP * np.arange(200)
    late = np.array([[1.0, 1.4], [1.2, 1.6], [1.1, 1.5]])
    traces = -0.3 * quantum(time - late[..., None])
    traces[2, 1] = 0.0
    peaks = -traces.min(axis=-1)
    read = of_simulated(traces, peaks, time, -1)
    assert read.failed.tolist() == [[False, False], [False, False], [False, True]]
    recorded = responses(
        Recording(np.concatenate([np.zeros((3, 100)), traces[:, 0]], axis=1), STEP, "nA"), np.array([5.0]), -1,
        Windows(blank=0.0, peak=STEP),
    )  # fmt: skip
    assert read.latency[:, 0] == pytest.approx(recorded.latency[:, 0], abs=1e-9)
    assert np.diff(read.latency[:, 0]) == pytest.approx(np.diff(late[:, 0]), abs=0.02)


# quality


def clamped(series, membrane, capacity, corner, count=4):
    """Current of a test pulse of -5 mV through a filter [nA], and its command."""
    step, finer = 0.02, 20
    time, tau = np.arange(0, 60, step / finer), 1e-3 * capacity * series * membrane / (series + membrane)

    def answer(t):
        whole = 1 / (series + membrane)
        return (t >= 0) * (whole + (1 / series - whole) * np.exp(-np.maximum(t, 0) / tau))

    sos = filters.bessel(4, corner, fs=finer / step, norm="mag", output="sos")
    current = filters.sosfilt(sos, -5 * (answer(time - 10) - answer(time - 40)))[::finer]
    command = np.where((time >= 10) & (time < 40), -75.0, -70.0)[::finer]
    rng = np.random.default_rng(5)
    return current + 0.002 * rng.normal(size=(count, current.size)), np.tile(command, (count, 1)), step


@pytest.mark.parametrize("cell", [(10, 200, 50, 5), (5, 50, 200, 5), (10, 300, 100, 2), (15, 1000, 10, 5)])
def test_series_and_input_resistance_of_a_test_pulse(cell):
    rows, command, step = clamped(*cell)
    found = quality_of(Recording(rows, step, "nA", command=command))
    assert found.series_resistance == pytest.approx(cell[0], rel=0.05)
    assert np.median(found.input_resistance) == pytest.approx(cell[0] + cell[1], rel=0.1)


def test_drift_noise_and_a_changing_resistance_are_told():
    parts = [clamped(series, 300, 60, 5, count=2) for series in (8, 8.5, 10, 12)]
    rows = np.concatenate([part[0] for part in parts]) - 0.01 * np.arange(8)[:, None]
    record = Recording(rows, 0.02, "nA", command=np.concatenate([part[1] for part in parts]),
                       sweep_start=6e4 * np.arange(8))  # fmt: skip
    found = nmjmc.read(record)
    assert found.quality.drift == pytest.approx(-0.01, rel=0.05)
    assert np.median(found.quality.noise_sd) == pytest.approx(0.002, rel=0.1)
    assert any("series resistance changes by +5" in note for note in found.notes)
    assert "series resistance" in str(found) and "baseline moves" not in str(found.notes[0])


# what may be said of a file


def test_sweeps_windows_and_baselines_in_words():
    rows = np.arange(5.0)[:, None] + np.where(np.arange(400) < 100, 0.0, 1.0)
    command = np.tile(np.where((np.arange(400) >= 100) & (np.arange(400) < 300), -80.0, -70.0), (5, 1))
    record = Recording(rows, STEP, "nA", command=command, source="x")
    found = nmjmc.read(record, sweeps="not 0,4", window="step 1", baseline=["0 ms", "5 ms"]).recording
    assert found.sweeps == 3 and found.signal == pytest.approx(np.ones((3, 200)))
    assert found.sweep_start == pytest.approx(record.sweep_start[1:4] + 5.0)
    said = found.source.split("; ")[1:]
    assert said[0] == "sweeps not 0,4 of 5" and "mean from 0 to 5 ms" in said[1] and "(step 1)" in said[2]
    assert nmjmc.read(record, window="before").recording.signal.shape == (5, 100)
    assert nmjmc.read(record, window="after").recording.signal.shape == (5, 100)
    level = nmjmc.read(record, baseline="500 pA", sweeps=[2]).recording
    assert level.signal[0, 0] == 1.5
    turned = nmjmc.read(record, polarity=1, gain=2, holding_potential="-60 mV").recording
    assert turned.signal[4, 0] == -2.0 and turned.holding_potential == -60.0 and "divided" in turned.source
    assert numbers_of("0-2,7", 8) == [0, 1, 2, 7]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"sweeps": "3-9"}, "from 0 to 4"), ({"sweeps": "one"}, "0-9,12"), ({"window": "rests"}, "step 1"),
        ({"window": "step 3"}, "command has no step"), ({"window": [5, 1]}, "the first before the second"),
        ({"baseline": 3}, "median"), ({"baseline": "1 mV"}, "baseline"), ({"polarity": 0}, "1 (up)"),
        ({"gain": -1}, "above zero"), ({"chanel": 1}, "channel"), ({"unit": "pA"}, "as a Recording says it"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_a_sentence(words, sentence):
    record = Recording(np.zeros((5, 100)), STEP, "nA", command=np.full((5, 100), -70.0))
    with pytest.raises(ValidationError) as error:
        nmjmc.read(record, **words)
    assert sentence in str(error.value) and "\n" not in str(error.value)


def test_what_was_asked_is_the_same_request_again():
    asked = AsRead.of({"window": "[1 ms, 0.2 s]", "sweeps": [0, 3], "baseline": "median", "gain": "0.5 V/nA"})
    assert AsRead.of(asked.plain()) == asked and asked.window == ["1 ms", "200 ms"] and asked.sweeps == "0,3"


# files


def test_a_file_tells_its_channels_and_keeps_what_was_put_right(tmp_path):
    rng = np.random.default_rng(6)
    rows = [np.round(rng.normal(size=(2, 2000)), 2) for _ in range(3)]
    path = write_abf(
        tmp_path / "c.abf", rows, unit=("pA", "mV"), epochs=((-80.0, 1000),), starts=[0, 9000, 20000]
    )
    found = nmjmc.read(path, channel=1, sweeps="1-2")
    text = str(found)
    assert (
        "IN 1, mV" in text and "(read)" in text and found.recording.unit == "mV" and "Axon .abf 1.3" in text
    )
    assert found.recording.sweep_start == pytest.approx([450.0, 1000.0])
    folder = found.save(tmp_path / "kept")
    again = nmjmc.read(folder / "recording.h5")
    assert np.array_equal(again.recording.signal, found.recording.signal)
    assert "sweeps 1-2 of 3" in again.recording.source
    said = json.loads((folder / "summary.json").read_text())
    assert said["said"] == {"channel": 1, "sweeps": "1-2"}
    data = found.to_xarray()
    assert data["signal"].attrs["units"] == "mV" and data.sizes["sweep"] == 2
    assert "<table>" in found._repr_html_() and (folder / "recording.png").stat().st_size > 1000
    atf = write_atf(tmp_path / "c.atf", STEP * np.arange(50), [[np.arange(50.0)]] * 2)
    assert nmjmc.read(atf).recording.sweeps == 2


def stimfit_file(path, unit=b"pA"):
    """Two channels; eleven sections of the first, the last shorter."""
    with h5py.File(path, "w") as file:
        row = np.array([(2, b"2020-01-02", b"10:00")], [("channels", "i4"), ("date", "S10"), ("time", "S5")])
        file["description"], file["comment/comment"] = row, b"a cell"
        for c, name in enumerate((b"Im", b"Vm")):
            file[f"channels/ch{c}"] = np.array([name])
            for n in range(11 if c == 0 else 1):
                group = file.create_group(f"{name.decode()}/section_{n:02d}")
                group["data"] = np.full(100 - 40 * (n == 10), float(n), np.float32)
                kinds = [("dt", "f8"), ("xunits", "S2"), ("yunits", f"S{len(unit)}")]
                group["description"] = np.array([(0.05, b"ms", unit if c == 0 else b"mV")], kinds)
    return path


def test_stimfit_and_miniml_are_read_from_hdf5(tmp_path):
    found = nmjmc.read(stimfit_file(tmp_path / "s.h5"))
    assert found.recording.sampling_interval == 0.05 and found.recording.unit == "nA"
    assert (
        found.recording.signal[:, 0] == pytest.approx(1e-3 * np.arange(11))
        and found.recording.length[-1] == 60
    )
    assert "a cell" in str(found) and "Vm, mV" in str(found)
    assert nmjmc.read(tmp_path / "s.h5", channel=1).recording.unit == "mV"
    with pytest.raises(ValidationError, match="unit of channel 0"):
        nmjmc.read(stimfit_file(tmp_path / "t.h5", b"??"))
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["amplitude_unit"], file.attrs["recording_time"] = "pA", 2.0
        for name, value in {
            "amplitudes": [-20.0, -30.0],
            "locations": [100, 900],
            "risetimes": [3e-4, 4e-4],
        }.items():
            file[f"event_params/event_{name}"] = np.array(value)
        file["events"] = np.zeros((2, 50))
    found = nmjmc.read(tmp_path / "m.h5", sampling_interval=0.02)
    assert found.kind == "events" and found.data["amplitude"] == pytest.approx([0.02, 0.03])
    assert found.data["time"] == pytest.approx([2.0, 18.0]) and found.data.duration == 2000.0


def test_nwb_comes_in_through_its_own_library(tmp_path):
    pynwb = pytest.importorskip("pynwb")
    from datetime import datetime

    file = pynwb.NWBFile("a cell", "id", datetime(2020, 1, 2, tzinfo=UTC))
    rig = file.create_device("rig")
    electrode = file.create_icephys_electrode(name="e0", description="", device=rig)
    rng = np.random.default_rng(7)
    rows, command = rng.normal(size=(3, 400)), np.where(np.arange(400) < 200, -70.0, -80.0)
    for n in (2, 0, 1):  # not in their order
        common = {
            "electrode": electrode,
            "gain": 5e8,
            "starting_time": 3.0 * n,
            "rate": 2e4,
            "sweep_number": np.uint64(n),
        }
        response = pynwb.icephys.VoltageClampSeries(
            name=f"sweep_{n}", data=rows[n], conversion=1e-12, **common
        )
        pulse = pynwb.icephys.VoltageClampStimulusSeries(
            name=f"cmd_{n}", data=command, conversion=1e-3, **common
        )
        file.add_acquisition(response)
        file.add_stimulus(pulse)
    file.add_acquisition(pynwb.TimeSeries(name="room", data=np.ones(5), unit="degC", rate=1.0))
    with pynwb.NWBHDF5IO(str(tmp_path / "c.nwb"), "w") as writer:
        writer.write(file)
    found = nmjmc.read(tmp_path / "c.nwb")
    data = found.recording
    assert data.signal == pytest.approx(1e-3 * rows) and data.sampling_interval == pytest.approx(0.05)
    assert data.sweep_start == pytest.approx([0.0, 3000.0, 6000.0])
    assert data.command == pytest.approx(np.tile(command, (3, 1))) and data.holding_potential in (
        -70.0,
        -80.0,
    )
    assert "e0, voltage clamp, 3 sweeps, A, 5e+08 V/A (read)" in str(found)
    with pytest.raises(ValidationError, match="unit of channel 1"):
        nmjmc.read(tmp_path / "c.nwb", channel=1)
    (tmp_path / "d.nwb").write_bytes(b"no file")
    with pytest.raises(ValidationError, match="cannot be read as HDF5"):
        nmjmc.read(tmp_path / "d.nwb")


def test_a_folder_and_a_pattern_are_a_row_a_cell(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    record, _ = sweeps(count=4)
    (tmp_path / "cells").mkdir()
    for name in ("a", "b"):
        write_recording(record, tmp_path / "cells" / f"{name}.h5")
    (tmp_path / "cells" / "bad.csv").write_text("no,numbers\n")
    assert main(["read", "cells", "sweeps=0-2", "out=o"]) == 0
    printed = capsys.readouterr().out
    assert "bad.csv was not read" in printed and "a.h5" in printed
    assert {path.name for path in Path("o").iterdir()} == {
        "cells.csv",
        "recording.png",
        "summary.json",
        "config.yaml",
    }
    with pytest.raises(ValidationError, match="nothing that nmjmc keeps"):
        nmjmc.load("o")
    cells = nmjmc.read("cells/*.h5")
    assert list(cells) == ["a.h5", "b.h5"] and cells.table()["stimuli"] == [2, 2]
    assert cells.to_xarray().sizes["cell"] == 2 and "<table>" in cells._repr_html_()
    assert nmjmc.read(["cells/a.h5"])["a.h5"].recording.sweeps == 4
    for words, sentence in (
        (["cells/*.xyz"], "no file fits"), (["nowhere"], "no file"), (["cells/bad.csv"], "numbers"),
        (["cells/a.h5", "sweep=1"], "sweeps"), ([], ""), (["out=x"], "no file"),
    ):  # fmt: skip
        code = main(["read", *words])
        out = capsys.readouterr()
        assert code == (2 if words else 0) and sentence in out.err + out.out and out.err.count("\n") <= 1


def test_what_was_read_goes_on_to_the_analyses(tmp_path):
    record, _ = sweeps(count=20)
    path = write_recording(record, tmp_path / "c.h5")
    read = nmjmc.read(path, sweeps="0-9")
    one, other = nmjmc.quantal(read), nmjmc.quantal(path, sweeps="0-9")
    assert one.rows == other.rows and "10 sweeps" in one.title
    assert any(use.startswith("amplitude, latency and failures of 10 trials") for use in read.uses)
    with pytest.raises(ValidationError, match="a result of nmjmc"):
        nmjmc.read(Path(__file__).parents[1] / "files" / "result_v1.h5")


real = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared recordings are not here")


@real
def test_every_shared_file_is_read_or_refused_in_a_sentence():
    places = [
        path
        for part in ("recordings", "cases")
        for path in sorted((SHARED / part).rglob("*"))
        if path.is_file()
    ]
    read, refused = {}, {}
    for path in places:
        try:
            read[path.name] = nmjmc.read(path)
        except ValidationError as error:
            refused[path.name] = str(error)
            assert "\n" not in str(error) and str(error).endswith(".")
    for path in places:
        if path.suffix == ".abf":
            assert read[path.name].kind == "recording"
    assert read["f1.abf"].stimuli.times == pytest.approx(164.15 + 20 * np.arange(5), abs=0.06)
    assert read["17o05026_vc_stim.abf"].stimuli.times == pytest.approx([1156.25])
    assert read["2018_11_16_sh_0006.abf"].quality.typical_resistance == pytest.approx(11.3, abs=0.3)
    assert len(read["gc_mini_trace_results.h5"].data) == 43
    assert read["minis_de.csv"].kind == "events" and read["g6.csv"].kind == "recording"
    assert "sampling_interval" in refused["i16.h5"] and "signal=current" in refused["two_units.csv"]


@real
def test_evoked_currents_of_a_slice_have_their_published_amplitudes():
    found = nmjmc.quantal(
        SHARED / "recordings/pyabf_psc/f1.abf", blank="2 ms", response="12 ms", resamples=50
    )
    means = found.curves["train"]["amplitude"]
    assert 1e3 * means == pytest.approx(
        [225, 131, 75, 39, 63], abs=15
    )  # the readme's numbers, by another rule


def test_a_fit_takes_the_same_words_for_sweeps_and_windows(tmp_path):
    from nmjmc.fitting.datasets.options import Options
    from nmjmc.fitting.datasets.recorded import recorded, searched

    rows = np.random.default_rng(8).normal(size=(6, 4000)).round(2)
    path = write_abf(tmp_path / "c.abf", rows, epochs=((-80.0, 2000),))
    said = {"file": str(path), "sweeps": "not 0", "window": "after"}
    options = Options("minis", "recording", said, tmp_path)
    record = recorded(options)
    assert record.sweeps == 5 and "sweeps not 0 of 6" in record.source
    part, words, _ = searched(options, record, 10.0)
    edge = nmjmc.read(path, window="after").recording
    assert (
        part.sweeps == 5 and part.signal.shape[1] == edge.signal.shape[1] < 4000 and "of each sweep" in words
    )
    with pytest.raises(ValidationError, match=r"data\.minis"):
        recorded(Options("minis", "recording", {**said, "sweeps": "7"}, tmp_path))
    with pytest.raises(ValidationError, match=r"no step|steps of the command"):
        searched(Options("minis", "recording", {**said, "window": "step 9"}, tmp_path), record, 10.0)


def test_proposed_commands_say_again_what_was_told_of_the_file(tmp_path):
    time = np.arange(0.0, 2000.0, 0.5)
    current = -60.0 + 0.5 * np.random.default_rng(3).standard_normal(time.size)
    file = tmp_path / "my cell.csv"
    file.write_text(
        "Time (ms),I (pA)\n" + "".join(f"{t:.1f},{c:.4f}\n" for t, c in zip(time, current, strict=True))
    )
    told = {"gain": 2.0, "unit": "nA", "window": ["10 ms", "1900 ms"], "holding_potential": "-70 mV"}
    uses = nmjmc.read(file, **told).uses
    commands = [shlex.split(use.partition(": ")[2]) for use in uses]
    assert len(commands) == 3
    for command in commands:
        before = "data." if command[1] == "fit" else ""
        assert str(file) in command or f"data={file}" in command
        assert {f"{before}gain=2.0", f"{before}unit=nA", f"{before}window=[10 ms, 1900 ms]"} <= set(command)
    assert not any("gain" in use for use in nmjmc.read(file).uses)
