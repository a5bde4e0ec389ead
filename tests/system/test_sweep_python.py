"""A sweep from Python: the same folder and the same bits as the command with the same words, and what it shows."""

import json
from pathlib import Path

import numpy as np
import pint
import pytest
import yaml

import nmjmc
from nmjmc.cli.main import main
from nmjmc.errors import SimulationError, Status, ValidationError
from nmjmc.folders import config_dir
from nmjmc.request import config_text
from nmjmc.simulation.request import SimulateRequest
from nmjmc.sweeps.request import SweepRequest
from nmjmc.sweeps.work import Worker
from tests.records import formula_run, stand_in_for_the_kernel

pytestmark = pytest.mark.system
OVER = {"receptor.density": ["3000 /um^2", "5000 /um^2"], "temperature": [22, 30]}
WORDS = [
    "receptor.density=3000 /um^2,5000 /um^2", "temperature=22,30", "vesicles=2", "duration=3 ms", "progress=false",
]  # fmt: skip


@pytest.fixture(autouse=True)
def stand_in(monkeypatch, tmp_path):
    stand_in_for_the_kernel(monkeypatch, tmp_path)


@pytest.mark.parametrize("synapse", ["human", nmjmc.preparation("human")], ids=["name", "synapse"])
def test_it_joins_the_folder_of_the_command_and_has_its_bits(synapse, capsys):
    found = nmjmc.sweep(synapse, OVER, vesicles=2, duration="3 ms", progress=False)
    (folder,) = Path("outputs").iterdir()
    assert found.path == folder and len(found) == 4 and found.done == [0, 1, 2, 3]
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*/*")}
    assert main(["sweep", *WORDS]) == 0 and "4 done" in capsys.readouterr().out
    assert list(Path("outputs").iterdir()) == [folder]
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*/*")} == before
    assert main(["sweep", *WORDS, "folder=again"]) == 0
    again = nmjmc.load("again")
    assert isinstance(again, nmjmc.SweepResult)
    for index in range(4):
        one, other = found.result(index), again.result(index)
        assert one.seed == other.seed and np.array_equal(one.open_channels, other.open_channels)
    assert (folder / "sweep.json").read_text() == Path("again/sweep.json").read_text()


def test_ended_amid_it_goes_on_with_what_is_missing(monkeypatch):
    calls = []

    def ends(synapse, **arguments):
        calls.append(float(synapse.receptor.density))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return formula_run(synapse, **arguments)

    monkeypatch.setattr("nmjmc.kernel.simulate.run", ends)
    with pytest.raises(KeyboardInterrupt, match="2 of 4 points are whole"):
        nmjmc.sweep("human", OVER, vesicles=2, folder="s", progress=False)
    assert nmjmc.sweep("human", OVER, vesicles=2, folder="s", progress=False).done == [0, 1, 2, 3]
    assert len(calls) == 5


def test_it_prints_draws_and_writes_what_it_found(monkeypatch):
    def fails(synapse, **arguments):
        if float(synapse.receptor.density) == 5000:
            raise SimulationError(Status.NON_FINITE)
        return formula_run(synapse, **arguments)

    monkeypatch.setattr("nmjmc.kernel.simulate.run", fails)
    found = nmjmc.sweep("human", OVER, vesicles=3, folder="s", progress=False)
    text = str(found)
    assert "2 of 4 points done, 2 failed" in text and "receptor.density [/um^2]" in text and " ± " in text
    assert "<td>3000</td>" in found._repr_html_() and set(found.failed) == {2, 3} and not found.missing
    np.testing.assert_array_equal(found.parameter("temperature"), [22, 30, 22, 30])
    assert np.isfinite(found.feature("amplitude")[:2]).all() and np.isnan(found.feature("amplitude")[2])
    dataset = found.to_xarray()
    assert dict(dataset.sizes) == {"point": 4} and dataset["receptor.density"].attrs["units"] == "/um^2"
    assert found.to_pandas()["amplitude"].notna().sum() == 2
    assert found.save().exists() and Path("s/sweep.csv").exists()
    assert found.plot("sweep.png", features=["amplitude"]) is not None and Path("sweep.png").exists()
    assert nmjmc.plot(found) is not None
    with pytest.raises(ValidationError, match="finished point"):
        found.result(3)
    with pytest.raises(ValidationError, match="did you mean amplitude"):
        found.feature("amplitud")


def test_values_are_taken_in_any_form():
    units = pint.UnitRegistry()
    over = {
        "receptor.density": [5e3 / units.micrometer**2, 0.003 / units.nanometer**2],
        "vesicles": np.asarray([1, 2]),
    }
    found = nmjmc.sweep("human", over, sampler="list", folder="s", progress=False)
    assert found.parameter("receptor.density").tolist() == [5000, 3000] and found.result(1).vesicles == 2
    drawn = nmjmc.sweep(
        "human",
        {"temperature": "interval(22 degC, 37 degC)"},
        points=4,
        vesicles=1,
        folder="d",
        progress=False,
    )
    assert len(drawn) == 4 and drawn.table.about["request"]["sampler"] == "sobol"
    both = nmjmc.sweep(over={"preparation": ["human", "lizard"]}, vesicles=1, folder="p", progress=False)
    assert [both.result(i).synapse.name for i in (0, 1)] == ["human", "lizard"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"over": {}}, "without a key that is swept"),
        ({"over": {"receptor.densty": ["1 /um^2", "2 /um^2"]}}, "density"),
        ({"over": {"receptor.density": "3000 mV, 5000 /um^2"}}, "receptor.density"),
        ({"over": {"receptor.density": 5}}, "a list of values"),
        ({"over": {"receptor.density": [{"a": 1}]}}, "a text, a number"),
        ({"over": {"device": ["cpu", "gpu"]}}, "the same for all points"),
        ({"over": OVER, "sampler": "grd"}, "did you mean grid"),
        ({"over": OVER, "points": -1}, "points"),
        ({"over": OVER, "target": "3 nA"}, "sampler=optuna"),
        (
            {"over": {"preparation": ["human"]}, "synapse": nmjmc.preparation("human")},
            "where a synapse is given",
        ),
    ],
)
def test_what_cannot_be_right_is_refused_before_a_folder_is_made(given, sentence):
    with pytest.raises(ValidationError, match=sentence):
        nmjmc.sweep(**given, vesicles=1, progress=False)
    assert not list(Path().iterdir())


def test_the_config_file_of_simulate_is_that_of_its_request():
    text = (config_dir() / "config.yaml").read_text()
    assert config_text(SimulateRequest) in text
    assert SimulateRequest.of(yaml.safe_load(config_text(SimulateRequest))) == SimulateRequest()
    for name in ("together", "stop_on_failure"):
        assert getattr(Worker(), name) == getattr(SweepRequest(), name)
    assert json.loads(json.dumps(SweepRequest().plain())) == SweepRequest().plain()
