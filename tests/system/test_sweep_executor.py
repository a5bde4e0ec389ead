"""What `auto` means in a sweep is settled when it is planned: workers on unlike machines do not mix executors."""

import json
from pathlib import Path

import pytest

from nmjmc.cli.main import main
from nmjmc.data.sweep import Sweep
from nmjmc.sweeps import axes, design
from nmjmc.sweeps.points import build_point
from tests.records import stand_in_for_the_kernel

pytestmark = pytest.mark.system
WORDS = ["sweep", "receptor.density=3000 /um^2,5000 /um^2", "vesicles=2", "duration=1 ms", "folder=s"]


@pytest.fixture(autouse=True)
def stand_in(monkeypatch, tmp_path):
    stand_in_for_the_kernel(monkeypatch, tmp_path)


def point(definition, **changed):
    return build_point({**definition, **changed}, definition["points"][0]["values"], 1)


def test_every_point_has_the_executor_of_the_definition():
    assert main(WORDS) == 0
    definition = Sweep.open("s").definition
    assert definition["executor"] in ("warp", "jax")
    assert point(definition, executor="jax").numerics.executor == "jax"
    assert point(definition, executor="warp").numerics.executor == "warp"
    old = {name: value for name, value in definition.items() if name != "executor"}
    assert point(old).numerics.executor == "auto"  # of an earlier version
    base = definition["request"]["bases"][""]
    stepped = {**definition["request"], "bases": {"": {**base, "numerics": {"step_scale": 0.5}}}}
    assert point(definition, executor="warp", request=stepped).numerics.executor == "jax"


def test_a_machine_without_the_executor_leaves_the_points_alone(monkeypatch, capsys):
    monkeypatch.setattr("nmjmc.kernel.executor.installed", lambda: True)
    assert main([*WORDS, "stop_on_failure=true"]) == 0
    for record in Path("s/points").iterdir():
        record.unlink()
    assert json.loads(Path("s/sweep.json").read_text())["executor"] == "warp"
    monkeypatch.setattr("nmjmc.kernel.executor.installed", lambda: False)
    capsys.readouterr()
    assert main(["sweep", "resume=s"]) == 2
    said = capsys.readouterr().err
    assert "the sweep s must be on a machine with the executor that it was begun with, warp" in said
    assert "NVIDIA Warp is not installed" in said and not list(Path("s/points").iterdir())


def test_the_ends_of_even_steps_are_known():
    axis = axes.read("receptor.density", "linspace(3000 /um^2, 5000 /um^2, 30001)", "/um^2")
    assert design.telling([axis]) == {0, 30_000} and not axis.is_interval
    assert design.telling([axes.read("receptor.density", "5,3,4", "/um^2")]) == {0, 1}
