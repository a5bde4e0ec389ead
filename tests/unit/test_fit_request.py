"""What a fit is asked for: one set of settings for the library, the command and its config, and data in any form."""

import dataclasses
import textwrap

import numpy as np
import pytest

import nmjmc
from nmjmc.analysis.observations import Histogram, MeanWaveform
from nmjmc.analysis.recording import Recording
from nmjmc.cli.main import main
from nmjmc.errors import ValidationError
from nmjmc.fitting import COARSE, Condition, CountsTerm, FitRequest, plan_of
from nmjmc.fitting.datasets.given import datasets_of
from nmjmc.fitting.datasets.kind import kind_of
from nmjmc.fitting.request import RUN
from nmjmc.folders import config_dir
from nmjmc.meanfield import Grid
from nmjmc.request import config_text, digest, settings

pytestmark = pytest.mark.unit
SYNAPSE = nmjmc.preparation("human", vesicle={"content_cv": 0})
TRIALS = CountsTerm("trials", np.array([30, 40, 20, 10]), Condition(duration=0.05))
FREE = {"release.quantal_content": {"start": 1.2}}
CSV = "amplitude (nA),counts\n3,5\n4,20\n5,8\n6,2\n"


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_config_of_the_command_is_written_from_the_settings():
    text = (config_dir() / "fit.yaml").read_text(encoding="utf-8")
    below = textwrap.indent(config_text(FitRequest, without=RUN), "  ")
    beside = config_text(FitRequest, without=[name for name in settings(FitRequest) if name not in RUN])
    assert f"\nfit:\n{below}\n{beside}" in text


REFUSED = [
    ("steps", -1, "fit.steps must be a whole number from 1 to 100000, but is -1."),
    ("steps", 2.5, "fit.steps"),
    ("vesicles", 3, "fit.vesicles"),
    ("bootstrap", 1, "fit.bootstrap must be 2 or more resampled data sets, or 0 for none, but is 1."),
    ("posterior", 3, "fit.posterior must be 40 or more draws, or 0 for none"),
    ("level", 95, "write 0.95 for 95 %"),
    ("tolerance", 0, "fit.tolerance must be above 0"),
    ("optimiser", "newton", "fit.optimiser must be natural, adam or sgd"),
    ("estimator", "mean_fild", "did you mean mean_field?"),
    ("grid", "finer", "did you mean fine?"),
    ("profiles", 3, "fit.profiles must be a list of parameters, or all"),
    ("seed", -1, "seed must be a whole number"),
    ("device", "gpus", "did you mean gpu?"),
    ("cache", 3, "cache must be true or false"),
]


@pytest.mark.parametrize(("name", "value", "sentence"), REFUSED)
def test_library_and_command_refuse_alike(name, value, sentence, capsys, own_folder):
    with pytest.raises(ValidationError) as caught:
        nmjmc.fit(SYNAPSE, [TRIALS], FREE, **{name: value})
    assert sentence in str(caught.value)
    capsys.readouterr()
    assert main(["fit", "example=human_mepc", f"{FitRequest.path(name)}={value}"]) == 2
    assert sentence in capsys.readouterr().err
    assert list(own_folder.iterdir()) == []


def test_a_request_is_its_plain_values_and_settings_stand_above_it():
    own = Grid(elements=3, degree=4)
    request = FitRequest(steps="1e1", grid=own, fixed={"recording": {"gain": "1 MOhm"}}, profiles="a.b")
    assert (request.steps, request.resolution, request.profiles) == (10, own, ["a.b"])
    assert request.fixed == {"recording.gain": "1 MOhm"} and FitRequest(grid=COARSE).grid == "coarse"
    assert FitRequest.of(request.plain()) == request == dataclasses.replace(request)
    assert digest(request.decisive()) == digest(dataclasses.replace(request, seed=4, resume=True).decisive())
    plan = plan_of(SYNAPSE, [TRIALS], FREE, request=FitRequest(steps=3, level=0.9), steps=4)
    assert (plan.request.steps, plan.request.level) == (4, 0.9)
    assert plan.config()["fit"]["free"] == FREE and "1.2" in str(plan) and "CountsTerm" in str(plan)
    with pytest.raises(ValidationError, match=r"did you mean fit\.steps"):
        nmjmc.fit(SYNAPSE, [TRIALS], FREE, step=4)
    with pytest.raises(ValidationError, match="given together with the folder"):
        nmjmc.fit(SYNAPSE, [TRIALS], FREE, resume=True)


def _sweeps():
    time = np.arange(0.0, 20.0, 0.05)
    event = np.where(time > 4, (1 - np.exp(-(time - 4) / 0.2)) * np.exp(-(time - 4) / 2.0), 0.0)
    noise = np.random.default_rng(1).normal(size=(40, time.size))
    return time, -4.0 * (1 + 0.2 * noise[:, :1]) * event + 0.02 * noise


def test_data_in_memory_are_those_of_their_files(own_folder):
    time, traces = _sweeps()
    record = Recording(traces, 0.05, name="minis")
    columns = "\n".join(",".join(f"{v:.17g}" for v in row) for row in np.vstack([time, traces]).T)
    names = ",".join(["time (ms)", *(f"{i} (nA)" for i in range(len(traces)))])
    (own_folder / "minis.csv").write_text(f"{names}\n{columns}\n")
    said = {"kind": "events", "bandwidth": "5 kHz"}
    array = {"file": traces, "sampling_interval": "50 us", **said}
    terms = [
        datasets_of({"minis": given}, SYNAPSE)[0].terms[0]
        for given in ({"file": "minis.csv", **said}, {"file": record, **said}, array)
    ]
    for term in terms[1:]:
        np.testing.assert_allclose(term.data, terms[0].data, rtol=1e-9)
        np.testing.assert_allclose(term.likelihood.covariance, terms[0].likelihood.covariance, rtol=1e-6)
    # one object, a list of amplitudes, a table that was counted, an average
    assert kind_of("minis", {"file": record}, own_folder) == "recording"
    sizes = np.random.default_rng(2).normal(4.0, 0.8, 300)
    found, plain = datasets_of({"sizes": {"file": 1e3 * sizes * 1e-3}}, SYNAPSE)
    assert found.kinds == {"sizes": "amplitudes"} and plain["sizes"]["file"] == "a EventTable in memory"
    counted = Histogram(np.linspace(1, 8, 15), np.histogram(sizes, np.linspace(1, 8, 15))[0])
    average = MeanWaveform(time, traces.mean(axis=0), traces.std(axis=0), 40)
    found, _ = datasets_of({"counted": {"file": counted}, "mean": {"file": average}}, SYNAPSE)
    assert found.kinds == {"counted": "histogram", "mean": "waveform"}


def test_files_and_descriptions_are_data_too(own_folder):
    (own_folder / "a.csv").write_text(CSV)
    (own_folder / "two.yaml").write_text("one: {file: a.csv, kind: histogram}\nother: {file: a.csv}\n")
    assert [t.name for t in datasets_of("a.csv", SYNAPSE)[0].terms] == ["a"]
    assert [t.name for t in datasets_of(own_folder / "two.yaml", SYNAPSE)[0].terms] == ["one", "other"]
    _, plain = datasets_of([{"name": "b", "file": "a.csv", "noise": "50 pA"}], SYNAPSE)
    assert plain == {"b": {"file": str(own_folder / "a.csv"), "noise": "50 pA"}}
    for data, sentence in (
        (np.ones((3, 4)), "array"),
        (3, "of type int"),
        ([], "one or more data sets"),
        ({}, "one or more data sets"),
        ([TRIALS, "a.csv"], "terms, a file"),
        ("none.csv", "there is no file"),
        ({"a": {"file": np.ones((3, 4))}}, "sampling_interval must be given for an array"),
        (
            {"a": {"file": Recording(np.ones((3, 4)), 1.0), "kind": "counts"}},
            "path of a file for kind=counts",
        ),
    ):
        with pytest.raises(ValidationError, match=sentence):
            datasets_of(data, SYNAPSE)
