"""Configs: presets with their sources, mistakes with their place, nothing called but our own, runs gone on with."""

import json
import signal
from pathlib import Path

import numpy as np
import pytest
import yaml

import nmjmc
from nmjmc import presets
from nmjmc.cli.main import main
from nmjmc.folders import config_dir
from tests.records import formula_many, formula_run

pytestmark = pytest.mark.unit
PRESETS = [(group, path.stem) for group in presets.groups() for path in (config_dir() / group).glob("*.yaml")]


@pytest.fixture(autouse=True)
def stand_in(monkeypatch, tmp_path):
    monkeypatch.setattr("nmjmc.kernel.simulate.run", formula_run)
    monkeypatch.setattr("nmjmc.kernel.many.run_many", formula_many)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("group", "name"), PRESETS)
def test_every_preset_is_printed_with_every_value(group, name, capsys):
    assert main(["show", f"{group}={name}"]) == 0
    printed = capsys.readouterr().out
    found = yaml.safe_load((config_dir() / group / f"{name}.yaml").read_text())

    def leaves(node, prefix=""):
        for key, value in node.items():
            yield from leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else [f"{prefix}{key} "]

    assert all(f"\n{path}" in printed for path in leaves(found)), printed


def test_a_preset_shows_units_and_sources(capsys):
    main(["show", "preparation=human"])
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("cleft.diffusion ")]
    assert line.split("  ")[0] == "cleft.diffusion" and "400 um^2/s" in line and "Land et al. 1984" in line
    assert main(["show", "preparation=humam"]) == 2
    assert "did you mean human?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("receptor.density", "3000 /um^3", ("receptor.density", "did you mean 3000 /um^2?")),
        ("receptor.densty", "3000 /um^2", ("receptor.densty", "did you mean receptor.density?")),
        ("receptr", "3", ("receptr", "did you mean receptor?")),
        ("duration", "3 mV", ("duration", "did you mean 3 ms?")),
    ],
)
def test_a_mistake_in_a_file_names_the_file_and_its_line(key, value, words, capsys):
    assert main(["simulate", "vesicles=1", "duration=1 ms", "hydra.run.dir=first"]) == 0
    path = Path("first/config.yaml")
    config = yaml.safe_load(path.read_text())
    *parents, last = key.split(".")
    node = config
    for parent in parents:
        node = node[parent]
    node[last] = value
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    (number,) = [i for i, line in enumerate(path.read_text().splitlines(), 1) if line.strip().startswith(f"{last}:")
                 and value in line]  # fmt: skip
    capsys.readouterr()
    assert main(["simulate", f"config={path}"]) == 2
    printed = capsys.readouterr().err
    assert f"config.yaml, line {number}" in printed and all(word in printed for word in words)
    assert printed.count("\n") == 1


@pytest.mark.parametrize("command", ["simulate", "sweep", "rns", "fit"])
@pytest.mark.parametrize(
    ("lines", "number", "words"),
    [
        ("receptor:\n  densty: 3000 /um^2\n", 2, "did you mean receptor.density?"),
        ("preparation: slab\nreceptor:\n  density: 3000 /um^3\n", 3, "did you mean 3000 /um^2?"),
        ("temprature: 30\n", 1, "did you mean temperature?"),
        ("preparation: slabb\n", 1, "did you mean slab?"),
        ("hydra:\n  run: {dir: elsewhere}\n", 1, "preparation: NAME"),
        ("hydra:\n  callbacks: {x: {_target_: os.system, command: touch hacked}}\n", 2, "calls nothing"),
    ],
)
def test_a_mistake_in_a_short_file_names_it(command, lines, number, words, capsys):
    Path("mine.yaml").write_text(lines)
    own = {"sweep": ["seed=1,2"], "fit": ["example=human_mepc"]}.get(command, [])
    assert main([command, "config=mine.yaml", *own]) == 2
    printed = capsys.readouterr().err
    assert f"(mine.yaml, line {number})" in printed and words in printed and printed.count("\n") == 1
    assert "yaml, line" not in printed.replace("(mine.yaml, line", "") and not Path("hacked").exists()


def test_a_short_file_changes_the_preparation_that_it_names(capsys):
    Path("mine.yaml").write_text("preparation: slab\nvesicles: 3\nreceptor: {density: 3000 /um^2}\n")
    assert main(["simulate", "config=mine.yaml", "duration=1 ms", "temperature=30", "hydra.run.dir=run"]) == 0
    found = nmjmc.load("run")
    expected = nmjmc.preparation("slab", **{"receptor.density": "3000 /um^2", "temperature": 30})
    assert found.vesicles == 3 and nmjmc.describe(found.synapse) == nmjmc.describe(expected)
    assert main(["simulate", "config=mine.yaml", "preparation=human"]) == 2
    assert "may name its preparation" in capsys.readouterr().err


def test_a_word_of_the_command_line_names_no_file(capsys):
    assert main(["simulate", "receptor.density=3000 /um^3"]) == 2
    assert "line" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["simulate", "+hydra.callbacks.x={_target_: os.system, command: 'touch hacked'}"],
        ["simulate", "hydra.launcher._target_=os.getcwd", "vesicles=1,2", "-m"],
        ["sweep", "temperature=22,30", "workers=2", "+hydra.callbacks.x={_target_: os.system}"],
    ],
)
def test_hydra_calls_nothing_but_our_own(words, tmp_path, capsys):
    assert main(words) == 2
    assert "calls nothing" in (said := capsys.readouterr().err) or "choose one by hydra/launcher=NAME" in said
    assert not (tmp_path / "hacked").exists()


def test_a_target_in_a_users_file_is_refused(tmp_path, capsys):
    folder = tmp_path / "mine" / "hydra" / "launcher"
    folder.mkdir(parents=True)
    (folder / "evil.yaml").write_text("_target_: os.system\ncommand: touch hacked\n")
    words = ["--config-dir", str(tmp_path / "mine"), "hydra/launcher=evil", "vesicles=1,2", "-m"]
    assert main(["simulate", *words]) == 2
    assert "os.system" in capsys.readouterr().err and not (tmp_path / "hacked").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_a_run_goes_on_after_a_signal_to_the_same_bits(number, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("NMJMC_CACHE_DIR", str(tmp_path / "cache"))  # no speed is known: blocks are short
    words = ["simulate", "vesicles=300", "duration=1 ms", "record_interval=0.1 ms", "seed=4"]
    calls = []

    def ends(synapse, **arguments):
        calls.append(arguments["first_vesicle"])
        if len(calls) == 2:
            signal.raise_signal(number)
        return formula_run(synapse, **arguments)

    monkeypatch.setattr("nmjmc.kernel.simulate.run", ends)
    capsys.readouterr()
    assert main([*words, "checkpoint=true", "hydra.run.dir=cut"]) == 130
    assert "1 finished blocks are kept" in capsys.readouterr().err
    assert main([*words, "resume=true", "hydra.run.dir=cut"]) == 0
    assert calls == [0, 128, 128, 256]
    monkeypatch.setattr("nmjmc.kernel.simulate.run", formula_run)
    assert main([*words, "hydra.run.dir=whole"]) == 0
    whole, cut = nmjmc.load("whole"), nmjmc.load("cut")
    assert all(np.array_equal(values, cut.counts[name]) for name, values in whole.counts.items())
    monkeypatch.setattr("nmjmc.kernel.simulate.run", None)
    assert main([*words, "resume=true", "hydra.run.dir=cut"]) == 0  # it is finished
    assert not Path("cut/checkpoint").exists()


def test_a_finished_folder_of_another_run_is_not_taken_for_this_one(monkeypatch, capsys):
    words = ["simulate", "duration=1 ms", "record_interval=0.1 ms", "hydra.run.dir=run"]
    monkeypatch.setattr("nmjmc.kernel.simulate.run", formula_run)
    assert main([*words, "vesicles=2", "seed=4"]) == 0
    old = Path("run/config.yaml").read_text()
    monkeypatch.setattr("nmjmc.kernel.simulate.run", None)  # nothing is run
    assert main([*words, "vesicles=2", "seed=4", "resume=true"]) == 0
    capsys.readouterr()
    for other in (
        ["seed=4", "vesicles=3"],
        ["vesicles=2", "seed=5"],
        ["seed=4", "vesicles=2", "receptor.density=3000 /um^2"],
    ):
        assert main([*words, *other, "resume=true"]) == 2
        said = capsys.readouterr().err
        assert other[-1].split("=")[0].split(".")[0] in said and "another folder" in said

    def dies(synapse, **arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("nmjmc.kernel.simulate.run", dies)
    assert main([*words, "vesicles=3"]) == 130
    assert Path("run/config.yaml").read_text() == old  # the old result keeps its config
    assert nmjmc.load("run").vesicles == 2


def test_a_requeued_job_goes_on_by_itself(monkeypatch):
    words = ["simulate", "vesicles=2", "duration=1 ms", "hydra.run.dir=run"]
    assert main(words) == 0
    made = json.loads(Path("run/summary.json").read_text())["provenance"]["created"]
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    monkeypatch.setattr("nmjmc.kernel.simulate.run", None)  # nothing is run
    assert main(words) == 0
    assert json.loads(Path("run/summary.json").read_text())["provenance"]["created"] == made
