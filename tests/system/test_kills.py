"""SIGKILL between any two written files, by construction: gone on with, a run has the same bits and is whole."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nmjmc
from nmjmc.data.sweep import DONE, Sweep

ROOT = str(Path(__file__).parents[2])
STEPS = [
    pytest.param(8, 0, marks=pytest.mark.system, id="every eighth moment"),
    pytest.param(1, 20, marks=pytest.mark.slow, id="every moment"),
]


def killed_everywhere(place, words, again, step, least, formulas=True):
    """The folder of each run that was killed and gone on with; the one named `whole` was left in peace."""
    asked = {
        "place": str(place),
        "words": words,
        "again": again,
        "formulas": formulas,
        "step": step,
        "least": least,
    }
    environment = {**os.environ, "PYTHONPATH": ROOT, "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-m", "tests.kills", json.dumps(asked)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    said = done.stderr + ((place / "output").read_text() if (place / "output").exists() else "")
    assert done.returncode == 0, said
    whole, *codes = json.loads(done.stdout.splitlines()[-1])
    assert whole == 0 and codes and all(code == [-9, 0] for code in codes), (codes, said)
    assert len(codes) >= least
    folders = sorted(path for path in place.iterdir() if path.name.startswith(("moment", "time-")))
    for folder in [place / "whole", *folders]:
        names = [path.name for path in folder.rglob("*")]
        assert not [n for n in names if n.endswith(".tmp") or n in ("checkpoint", "fit.state.h5")], folder
    return folders


def files_of(folder):
    return {path.name for path in folder.iterdir()}


def same_bits(one, other):
    return all(np.array_equal(values, other.counts[name]) for name, values in one.counts.items())


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Where the runs stand, with a cache of its own: its quanta come from formulas, and no speed is known."""
    monkeypatch.setenv("NMJMC_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "runs").mkdir()
    return tmp_path / "runs"


@pytest.mark.parametrize(("step", "least"), STEPS)
def test_a_run(step, least, place):
    words = [
        "simulate",
        "vesicles=260",
        "duration=0.2 ms",
        "record_interval=0.1 ms",
        "seed=4",
        "checkpoint=true",
    ]
    words += ["hydra.run.dir=run", "device=cpu"]
    folders = killed_everywhere(place, words, [*words, "resume=true"], step, least)
    whole = nmjmc.load(place / "whole" / "run")
    for folder in folders:
        assert files_of(folder / "run") == files_of(place / "whole" / "run")
        assert same_bits(whole, nmjmc.load(folder / "run"))


@pytest.mark.parametrize(("step", "least"), STEPS)
def test_a_sweep(step, least, place):
    words = ["sweep", "receptor.density=3000 /um^2,5000 /um^2,7000 /um^2", "vesicles=2", "duration=0.2 ms"]
    words += ["folder=s", "device=cpu"]
    folders = killed_everywhere(place, words, words, step, least)
    whole = Sweep.open(place / "whole" / "s")
    for folder in folders:
        sweep = Sweep.open(folder / "s")
        assert sweep.states() == dict.fromkeys(range(3), DONE)
        for index in range(3):
            assert sweep.damage(index) is None
            one, other = whole.read(index, DONE), sweep.read(index, DONE)
            assert one["values"] == other["values"] and one["seed"] == other["seed"]
            assert one["summary"]["features"] == other["summary"]["features"]
            assert same_bits(nmjmc.load(whole.result_path(index)), nmjmc.load(sweep.result_path(index)))


@pytest.mark.slow
def test_a_bedside_test(place):
    """The quanta, from formulas, are written too; the junction is the real one."""
    words = [
        "rns",
        "pathology=ageing:0.5",
        "fibres=3",
        "stimuli=4",
        "quanta=2",
        "seed=7",
        "hydra.run.dir=run",
    ]
    folders = killed_everywhere(place, words, words, 1, 20)
    whole = nmjmc.load_examination(place / "whole" / "run")
    for folder in folders:
        assert files_of(folder / "run") == files_of(place / "whole" / "run")
        found = nmjmc.load_examination(folder / "run").finding
        for name, array in whole.finding.arrays.items():
            np.testing.assert_array_equal(found.arrays[name].values, array.values, err_msg=name)  # NaN as NaN


@pytest.mark.slow
def test_a_fit(place):
    words = ["fit", "example=human_mepc", "fit.grid=coarse", "fit.estimator=mean_field", "fit.bootstrap=10"]
    words += ["receptor.density=6000 /um^2", "hydra.run.dir=run"]
    folders = killed_everywhere(place, words, [*words, "resume=true"], 1, 20, formulas=False)
    whole = nmjmc.load_fit(place / "whole" / "run" / "fit.h5")
    for folder in folders:
        assert files_of(folder / "run") == files_of(place / "whole" / "run")
        found = nmjmc.load_fit(folder / "run" / "fit.h5")
        for name in ("estimate", "low", "high", "losses", "trace", "bootstrap"):
            assert np.array_equal(getattr(whole, name), getattr(found, name)), name
