"""`nmjmc quantal` and `nmjmc.quantal`: what each kind of source gives, its files, and its refusals."""

import csv
import json

import numpy as np
import pytest

import nmjmc
from nmjmc.analysis.observations import EventTable
from nmjmc.analysis.recording import Recording
from nmjmc.analysis.stimuli import Stimuli
from nmjmc.bench.sources import Miniatures
from nmjmc.cli.main import main
from nmjmc.data.examination import Examination
from nmjmc.diagnostics.finding import Array, Finding
from nmjmc.errors import ValidationError
from tests.records import formula_run
from tests.statistics import assert_within

pytestmark = pytest.mark.system
STEP = 0.05


def shape(time):
    after = np.maximum(time, 0.0)
    return (1 - np.exp(-after / 0.2)) * np.exp(-after / 2.0) * (time > 0)


@pytest.fixture(scope="module")
def minis():
    """A recording of 10 s with some hundred miniatures of 30 pA times a shape, noise of 2 pA."""
    rng = np.random.default_rng(0)
    trace = 0.002 * rng.normal(size=200_000)
    for start in np.cumsum(rng.exponential(100 / STEP, 150)).astype(int):
        if start < 199_000:
            trace[start : start + 600] -= rng.normal(0.03, 0.006) * shape(STEP * np.arange(600))
    return Recording(trace[None], STEP, "nA", name="minis")


@pytest.fixture(scope="module")
def evoked():
    """60 sweeps with stimuli at 10 and 40 ms, of 3 and 5 quanta, release 1 ms after the stimulus."""
    rng, time = np.random.default_rng(1), STEP * np.arange(1400)
    sweeps = [
        -0.03 * sum(rng.poisson(m) * shape(time - at - 1.0) for m, at in ((3, 10), (5, 40)))
        + 0.002 * rng.normal(size=time.size)
        for _ in range(60)
    ]
    return Recording(np.array(sweeps), STEP, "nA", name="sweeps")


def write(path, heads, columns):
    path.write_text(
        "\n".join(
            [",".join(heads), *(",".join(f"{x:.6g}" for x in row) for row in zip(*columns, strict=True))]
        )
    )
    return str(path)


def files_of(folder):
    return {path.name for path in folder.iterdir()}


@pytest.mark.stat
def test_miniatures_in_a_recording_have_their_rate_size_and_intervals(minis):
    found = nmjmc.quantal(minis)
    peak = 0.03 * shape(STEP * np.arange(100)).max()
    assert found["mean amplitude"].value == pytest.approx(peak, rel=0.08)
    assert found["mean charge"].value == pytest.approx(0.03 * (2 - 1 / (1 / 0.2 + 1 / 2)), rel=0.1)
    assert_within(found["rate of events"].value, 10.0, found["rate of events"].standard_error)
    assert found["P of exponential intervals"].value > 1e-3
    # 100 events of one shape have no channels: the noise analysis says that its number is none
    assert any("upper limit" in note or "can be told" in note for note in found.notes)


@pytest.mark.stat
def test_evoked_sweeps_give_the_content_the_pair_and_the_release(evoked, minis):
    found = nmjmc.quantal(evoked, quanta=minis, stimuli=[10, 40])
    error = 0.5 * (found["quantal content, direct"].high - found["quantal content, direct"].low) / 1.96
    assert_within(
        found["quantal content, direct"].value, 3.0, error, bias=0.3
    )  # peaks of noise enlarge miniatures
    assert found["quantal content, failures"].low < 3.0 < found["quantal content, failures"].high
    assert found["paired-pulse ratio"].low < 5 / 3 < found["paired-pulse ratio"].high
    assert found["quanta released"].value == pytest.approx(3.0, rel=0.25)
    assert found["time of the largest release rate"].value == pytest.approx(1.0, abs=0.1)
    assert {"train", "quantal_content", "release_rate"} <= set(found.curves)


def test_evoked_responses_of_a_recording_need_the_times_of_stimuli(evoked):
    with pytest.raises(ValidationError, match="stimuli must be given, to read the responses of sweeps at"):
        nmjmc.quantal(evoked, kind="evoked")
    with pytest.raises(ValidationError, match="or give a shorter response"):
        nmjmc.quantal(evoked, stimuli=[10, 69])


def test_the_noise_of_an_amplitude_is_measured_where_nothing_was_evoked(evoked):
    from nmjmc.bench.recorded import evoked as read
    from nmjmc.bench.request import Quantal

    source = read(evoked, Quantal.of({}), Stimuli(np.array([10.0, 40.0]), "times as given"))
    width, base = 4, 40  # samples of the two windows
    wanted = 0.002 * np.sqrt(1 / width + 1 / base)
    assert_within(source.noise_sd, wanted, wanted / np.sqrt(2 * 59))


@pytest.mark.stat
def test_conditions_recovery_and_trains_from_tables(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(2)
    columns = [0.4 * rng.binomial(8, p, 200) for p in (0.1, 0.4, 0.7, 0.9)]
    table = write(tmp_path / "c.csv", ["low (mV)", "mid (mV)", "more (mV)", "high (mV)"], columns)
    assert main(["quantal", table, "kind=conditions", "out=v", "quantal_cv=0"]) == 0
    rows = {row["name"]: row for row in csv.DictReader((tmp_path / "v/table.csv").open())}
    assert float(rows["quantal size"]["low"]) < 0.4 < float(rows["quantal size"]["high"])
    assert float(rows["release sites"]["low"]) < 8 < float(rows["release sites"]["high"])
    wanted = {
        "table.csv",
        "variance_mean.csv",
        "variance_mean_fit.csv",
        "quantal.png",
        "summary.json",
        "config.yaml",
    }
    assert files_of(tmp_path / "v") == wanted

    pause = np.array([50.0, 200, 800, 3000])
    ratio = 1 - 0.5 * np.exp(-pause / 600)
    table = write(tmp_path / "r.csv", ["pause (ms)", "ratio", "error"], [pause, ratio, np.full(4, 0.02)])
    assert main(["quantal", table, "kind=recovery", "out=r"]) == 0
    said = json.loads((tmp_path / "r/summary.json").read_text())["rows"]["time constant of recovery"]
    assert said["value"] == pytest.approx(600, rel=1e-3) and said["unit"] == "ms"

    left, train = np.full(50, 50), []
    for _ in range(12):
        train.append(rng.binomial(left, 0.4))
        left = left - train[-1] + rng.poisson(3, 50)
    table = write(tmp_path / "t.csv", [f"s{i} (nA)" for i in range(12)], np.array(train, float))
    small = write(tmp_path / "m.csv", ["amplitude (nA)"], [rng.normal(1.0, 0.1, 60)])
    assert main(["quantal", table, f"quanta={small}"]) == 0
    printed = capsys.readouterr().out
    assert "pool, cumulative, corrected" in printed and "vesicles, covariance" in printed
    assert list(tmp_path.glob("outputs/quantal-t-*/cumulative_train.csv"))


def test_intervals_by_themselves_are_set_against_a_poisson_process(tmp_path):
    gaps = np.random.default_rng(9).gamma(4.0, 0.05, 300)
    found = nmjmc.quantal(write(tmp_path / "i.csv", ["interval (s)"], [gaps]), kind="intervals", dead_time=0)
    assert found["mean interval"].value == pytest.approx(1e3 * gaps.mean(), rel=1e-4)
    assert found["P of exponential intervals"].value < 0.01 and "no Poisson process" in found.notes[0]
    assert found["CV of the intervals"].value == pytest.approx(0.5, abs=0.1)


def test_two_conditions_are_compared_and_cells_are_called_to_mind(tmp_path):
    rng = np.random.default_rng(3)
    names = ["time (ms)", "amplitude (pA)"]
    first, second = (
        write(tmp_path / f"{i}.csv", names, [np.cumsum(rng.exponential(80, 150)), -rng.normal(mean, 4, 150)])
        for i, mean in enumerate((20, 26))
    )
    found = nmjmc.quantal(first, against=second, threshold="1 pA")
    assert found["P of the same amplitude"].value < 1e-6 < found["P of the same interval"].value
    assert found["amplitude, other over first"].value == pytest.approx(1.3, rel=0.1)
    assert found["mean amplitude of all miniatures"].how.endswith("truncated at 0.001 nA")
    assert any("one number a cell" in note for note in found.notes)


def test_simulations_are_read_with_their_truth(monkeypatch, tmp_path):
    monkeypatch.setattr("nmjmc.kernel.simulate.run", formula_run)
    result = nmjmc.simulate(nmjmc.preparation("human"), vesicles=12, duration=5)
    found = nmjmc.quantal(result, resamples=50)
    unitary = float(result.synapse.conductance()) * abs(
        float(result.synapse.fibre.holding_potential) - float(result.synapse.receptor.reversal_potential)
    )
    assert found.truth["current of one channel"] == pytest.approx(unitary)
    assert found.truth["channels open at the peak"] == result.open_channels.mean(axis=0).max()
    assert "truth" in str(found)
    result.save(tmp_path / "result.h5")
    assert nmjmc.quantal(tmp_path, resamples=50).rows == found.rows  # the folder of the run, bit for bit


def examination(test, quanta, size, unit, **more):
    rng, time = np.random.default_rng(4), STEP * np.arange(200)
    traces = -size * quanta[..., None] * shape(time - 1.0)
    arrays = {
        "stimulus_time": Array(("k",), np.array([0.0, 50.0]), "ms", ""), "time": Array(("t",), time, "ms", ""),
        "amplitude": Array(("v", "k"), size * quanta, unit, ""), "quantal_content": Array(("v", "k"), quanta, "1", ""),
        ("current" if unit == "nA" else "potential"): Array(("v", "k", "t"), traces, unit, ""),
    } | {key: Array(("q",), rng.normal(x, 0.05 * x, 50), unit, "") for key, x in more.items()}  # fmt: skip
    return Examination(Finding(test, (), "", arrays), {"name": "human"}, 0)


def test_evoked_currents_and_potentials_of_the_model_hold_the_truth():
    quanta = np.random.default_rng(5).binomial(40, [0.8, 0.6], (30, 2))
    found = nmjmc.quantal(examination("epp", quanta, 1.0, "mV", miniature=1.0), driving_force="1000 V")
    assert found.truth["quantal content, direct"] == quanta[:, 0].mean()
    assert found.truth["paired-pulse ratio"] == pytest.approx(found["paired-pulse ratio"].value)
    direct = found["quantal content, direct"]
    assert direct.low < quanta[:, 0].mean() < direct.high
    assert any("By variance the quantal content is more" in note for note in found.notes)  # p is 0.8
    assert any("give driving_force" in note
               for note in nmjmc.quantal(examination("epp", quanta, 1.0, "mV", miniature=1.0)).notes)  # fmt: skip
    with pytest.raises(ValidationError, match="left out for currents"):
        nmjmc.quantal(examination("epc", quanta, 1.0, "nA"), driving_force="70 mV")
    with pytest.raises(ValidationError, match="one of epc, epp, mepc"):
        nmjmc.quantal(examination("rns", quanta, 1.0, "mV"))


def test_a_report_is_a_table_a_dataset_a_page_and_a_figure(tmp_path):
    rng = np.random.default_rng(6)
    found = nmjmc.quantal(rng.poisson(2.0, (80, 3)) * 0.4, unit="mV")
    columns = found.table()
    assert columns["name"] == [row.name for row in found.rows] and len(columns["value"]) == len(found.rows)
    data = found.to_xarray()
    assert data["value"].sel(row="paired-pulse ratio") == found["paired-pulse ratio"].value
    assert data["train_amplitude"].attrs["units"] == "mV"
    assert "<table>" in found._repr_html_() and "paired-pulse ratio" in str(found)
    nmjmc.plot(found, tmp_path / "figure.pdf")
    assert (tmp_path / "figure.pdf").stat().st_size > 1000
    folder = found.save(tmp_path / "kept")
    assert {"table.csv", "train.csv", "quantal.png", "summary.json"} <= files_of(folder)
    with pytest.raises(ValidationError, match="paired-pulse ratio"):
        found["paired pulse ratio"]


def test_a_number_without_an_upper_limit_is_inf_in_json_and_in_words():
    rows = [[0.4 * k, 0.8 * k] for k in np.random.default_rng(7).poisson(2, 100)]
    found = nmjmc.quantal(rows, kind="conditions", unit="mV")
    assert found.summary()["rows"]["release sites"]["high"] == "inf"
    json.dumps(found.summary(), allow_nan=False)
    assert any("no upper limit" in note for note in found.notes)


def test_events_of_several_sweeps_have_no_intervals_across_them():
    columns = {"amplitude": np.ones(4), "time": [0.0, 5.0, 1000.0, 1007.0], "sweep": [0, 0, 1, 1]}
    source = Miniatures(EventTable(columns), "events")
    assert source.intervals().tolist() == [5.0, 7.0]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "quantal FILE"),
        (["nothing.csv"], "there is no file"),
        (["list.csv"], "kind must be given"),
        (["list.csv", "kind=evokd"], "kind=evoked|evoked"),
        (["list.csv", "kind=evoked", "noise_sd=0.1"], "given with a unit"),
        (["list.csv", "kind=evoked", 'noise_sd=5 pA'], "in a unit of the amplitudes, such as mV"),
        (["list.csv", "kind=evoked", "thresold=1"], "threshold"),
        (["list.csv", "kind=evoked", "seed=-1"], "seed must be"),
        (["list.csv", "kind=evoked", "seed=1", "seed=2"], "given once"),
        (["list.csv", "kind=evoked", "alpha=-1"], "alpha must be"),
        (["list.csv", "kind=miniatures", "quanta=list.csv"], "left out for miniatures"),
        (["list.csv", "kind=evoked", "against=list.csv"], "left out for evoked"),
        (["list.csv", "list.csv"], "one file"),
        (["list.csv", "kind=conditions"], "2 or more release probabilities"),
        (["bare.csv", "kind=evoked"], "unit must be given"),
        (["two.csv", 'stimuli=[30 ms, 10 ms]'], "rising times"),
        (["two.csv", "stimuli=[1, 2, 3]"], "one for each of the 2 columns"),
        (["list.csv", "kind=evoked", "driving_force=0.1 mV"], "below"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_refused_in_one_sentence(words, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(8)
    write(tmp_path / "list.csv", ["amplitude (mV)"], [rng.normal(1, 0.2, 30)])
    write(tmp_path / "two.csv", ["one (mV)", "two (mV)"], rng.normal(1, 0.2, (2, 30)))
    write(tmp_path / "bare.csv", ["one", "two"], rng.normal(1, 0.2, (2, 30)))
    code = main(["quantal", *words])
    said = capsys.readouterr()
    if not words:
        assert code == 0 and sentence in said.out
        return
    assert code == 2 and any(part in said.err for part in sentence.split("|")), said.err
    assert said.err.count("\n") == 1 and "Traceback" not in said.err and not (tmp_path / "outputs").exists()
