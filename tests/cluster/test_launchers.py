"""Hydra's launchers on this machine: several workers give what one process gives."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hydra.utils import get_class

import nmjmc
from nmjmc.cli.hydra_main import LAUNCHERS as KNOWN
from nmjmc.cli.hydra_main import launcher as chosen
from nmjmc.cli.main import main
from nmjmc.cli.words import Word
from nmjmc.data.sweep import DONE, Sweep
from nmjmc.folders import config_dir
from tests.cluster.test_slurm import SMALL

pytestmark = pytest.mark.system
LAUNCHERS = sorted(path.stem for path in (config_dir() / "hydra" / "launcher").glob("*.yaml"))


@pytest.mark.parametrize("name", LAUNCHERS)
def test_every_launcher_composes_and_its_class_takes_its_keys(name, tmp_path):
    launcher = chosen([Word("hydra/launcher", name)], sweep=str(tmp_path))
    assert launcher["_target_"] in KNOWN
    if name == "ray":
        pytest.importorskip("ray", reason="ray is not installed here")
    keys = {key: value for key, value in launcher.items() if key not in ("_target_", "submitit_folder")}
    assert get_class(launcher["_target_"])(**keys, **({"submitit_folder": "x"} if "submitit" in name else {}))


def test_a_launcher_that_is_not_installed_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["sweep", "temperature=22,30", "hydra/launcher=ray", "workers=2"]) == 2
    assert "pip install hydra-ray-launcher" in capsys.readouterr().err
    assert main(["sweep", "temperature=22,30", "hydra/launcher=jobib", "workers=2"]) == 2
    assert "did you mean joblib?" in capsys.readouterr().err


@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_two_workers_give_what_one_process_gives(launcher, tmp_path, monkeypatch, capsys):
    pytest.importorskip(f"hydra_plugins.hydra_{launcher.split('_')[0]}_launcher")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(config_dir().parent))
    words = ["sweep", "seed=1,2,3,4", "vesicles=8", *SMALL]
    assert main([*words, "folder=one"]) == 0
    command = [sys.executable, "-m", "nmjmc", *words, "folder=two", "together=1", "workers=2"]
    done = subprocess.run(
        [*command, f"hydra/launcher={launcher}"], capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0 and "4 done, 0 failed" in done.stdout, done.stderr
    one, two = Sweep.open("one"), Sweep.open("two")
    assert one.states() == two.states() == dict.fromkeys(range(4), DONE)
    for index in range(4):
        first, second = nmjmc.load(one.result_path(index)), nmjmc.load(two.result_path(index))
        for name, values in first.counts.items():
            np.testing.assert_array_equal(values, second.counts[name], err_msg=name)
        records = [sweep.read(index, DONE)["summary"] for sweep in (one, two)]
        assert json.dumps(records[0]) == json.dumps(records[1])
