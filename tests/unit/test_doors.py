"""Every door by which a file or a word could make code run, read the environment or take everything: all are shut."""

import itertools
import json
import time
from pathlib import Path

import pytest

from nmjmc.cli.hydra_main import LAUNCHERS
from nmjmc.cli.main import BEDSIDE, main
from nmjmc.errors import ValidationError
from nmjmc.synapse.presets import preparation
from nmjmc.yaml_file import Refused, parsed

pytestmark = pytest.mark.unit
FILE = "logging.FileHandler, filename: hacked.log"
MADE = f"{{_target_: {FILE}}}"
CODE = {
    "a callback under a dotted key": f"hydra.callbacks:\n  x: {MADE}\n",
    "a callback under a dotted path": f"hydra.callbacks.x: {MADE}\n",
    "a block of hydra": f"hydra:\n  callbacks:\n    x: {MADE}\n",
    "a folder of hydra": "hydra.run.dir: hacked\n",
    "a key with a sign": f"+hydra.callbacks.x: {MADE}\n",
    "a key with two signs": f"++hydra.callbacks.x: {MADE}\n",
    "a key with an equals sign": f"'hydra.callbacks.x={MADE}': 1\n",
    "a key of two words": "'vesicles=3 hydra.run.dir': hacked\n",
    "a group of hydra": "hydra/callbacks: log_job_return\n",
    "a group in a key": "+hydra/callbacks: log_job_return\n",
    "a list of defaults": "defaults:\n  - hydra/callbacks: log_job_return\n  - _self_\n",
    "an override in the defaults": "defaults:\n  - override /hydra/callbacks: log_job_return\n",
    "a package": f"# @package hydra.callbacks\nx: {MADE}\n",
    "a key with a package": f"receptor@hydra.callbacks: {MADE}\n",
    "a search path": "hydra:\n  searchpath: [file://hacked]\n",
    "a dotted search path": "hydra.searchpath: [file://hacked]\n",
    "the log": f"hydra.job_logging:\n  handlers: {{x: {{class: {FILE}}}}}\n  root: {{handlers: [x]}}\n",
    "the sweeper": f"hydra.sweeper:\n  _target_: {FILE.split(',')[0]}\n  filename: hacked.log\n",
    "the launcher": f"hydra.launcher: {MADE}\n",
    "a target at the top": f"_target_: {FILE.split(',')[0]}\nfilename: hacked.log\n",
    "a target in a part": f"receptor:\n  density: {MADE}\n",
    "a target in a list": f"vesicle:\n  sites: [{MADE}]\n",
    "a target behind an alias": f"name: &a x\nreceptor: &b {MADE}\ncleft: *b\n",
    "a target merged in": f"cleft: &b {MADE}\nreceptor: {{<<: *b}}\n",
    "a partial": "receptor: {_partial_: true, density: 3000 /um^2}\n",
    "an object of Python": "name: !!python/object/apply:os.system ['touch hacked.log']\n",
    "a name of Python": "name: !!python/name:os.system\n",
    "a tag of one's own": "receptor: !reader {density: 3000 /um^2}\n",
    "the environment": "name: ${oc.env:HOME}\n",
    "the environment in a key": "${oc.env:HOME}: 3\n",
    "the environment, escaped": "name: \\${oc.env:HOME}\n",
    "the environment in quotes": 'name: "a${oc.env:HOME}"\n',
    "a decoder": "name: ${oc.decode:'x'}\n",
    "a value of the config": "name: ${seed}\n",
    "what there is not": "name: ${nothing.there}\n",
    "one without end": "name: ${\n",
    "a key twice": "name: a\nname: b\n",
    "a key twice below": "receptor: {density: 3, density: 4}\n",
    "many aliases": "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9)),
    "deep mappings": "receptor: " + "{a: " * 2000 + "1" + "}" * 2000 + "\n",
    "deep lists": "receptor: " + "[" * 2000 + "]" * 2000 + "\n",
    "an alias of itself": "receptor: &a {a: *a}\n",
    "two documents": "name: a\n---\nname: b\n",
    "a list for a key": "? [a, b]\n: 3\n",
    "no YAML": "name: [a\n",
}
DOORS = {
    "simulate config": ["simulate", "config=mine.yaml"],
    "simulate config folder": ["simulate", "config=folder"],
    "simulate preparation": ["simulate", "preparation=mine.yaml"],
    "simulate -m": ["simulate", "config=mine.yaml", "vesicles=1,2", "-m"],
    "sweep config": ["sweep", "config=mine.yaml", "seed=1,2"],
    "sweep preparation": ["sweep", "preparation=mine.yaml", "seed=1,2"],
    "fit config": ["fit", "config=mine.yaml", "example=human_mepc"],
    "fit preparation": ["fit", "preparation=mine.yaml", "example=human_mepc"],
    "fit data": ["fit", "data=mine.yaml", "fit.free=vesicle.content_cv"],
    "config dir": ["simulate", "--config-dir", "configs", "preparation=human"],
    **{f"{test} config": [test, "config=mine.yaml"] for test in BEDSIDE},
    "rns preparation": ["rns", "preparation=mine.yaml"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_appears(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SECRET", "hacked")
    yield tmp_path
    assert not [path for path in tmp_path.rglob("*") if "hacked" in path.name or path.suffix == ".h5"]
    assert not (tmp_path / "outputs").exists()


def refused(words, capsys):
    capsys.readouterr()
    assert main(words) == 2, words
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith("nmjmc: ") and printed.err.count("\n") == 1, (
        printed.err
    )
    return printed.err


@pytest.mark.parametrize("door", DOORS)
def test_no_file_makes_anything(door, tmp_path, capsys):
    """Each form through each option that takes a file: nothing appears, and one sentence names the file."""
    for place in ("folder", "configs/preparation"):
        (tmp_path / place).mkdir(parents=True)
    before = time.process_time()
    for form, text in CODE.items():
        if door == "config dir" and form.startswith("a value of"):
            continue
        for path in ("mine.yaml", "folder/config.yaml", "configs/preparation/mine.yaml"):
            Path(path).write_text(text)
        said = refused(DOORS[door], capsys)
        assert ".yaml" in said, (form, said)
    assert time.process_time() - before < 60


WORDS = [
    "+hydra.callbacks.x={_target_: logging.FileHandler, filename: hacked.log}",
    "hydra.callbacks.x._target_=logging.FileHandler",
    "++hydra.job_logging.handlers.x.class=logging.FileHandler",
    "hydra.job_logging.handlers.file.class=os.system",
    "hydra.sweeper._target_=os.getcwd",
    "hydra.launcher._target_=os.getcwd",
    "+hydra.launcher={_target_: os.getcwd}",
    "hydra/callbacks=log_job_return",
    "+hydra/callbacks=log_job_return",
    "hydra.searchpath=[file://hacked]",
    "hydra.job.env_set.LD_PRELOAD=hacked",
    "hydra.run.dir=${oc.env:SECRET}",
    "hydra.run.dir='${oc.env:SECRET}'",
    "hydra.run.dir=",
    "hydra.run.dir='  '",
    "hydra.sweep.subdir=${oc.env:SECRET}",
    "name=${oc.env:SECRET}",
    "name=\\${oc.env:SECRET}",
    "name=${nothing}",
    "receptor.density=${oc.env:SECRET}",
    "++x=${oc.env:SECRET}",
    "receptor._target_=os.getcwd",
    "receptor={_target_: os.getcwd}",
    "+receptor.density={_target_: os.getcwd}",
    "receptor@hydra.callbacks=x",
    "preparation@hydra.callbacks=human",
    "receptor=" + "{a:" * 500 + "1" + "}" * 500,
]
FLAGS = [
    ["--experimental-rerun", "hacked.pickle"],
    ["--config-name", "hacked"],
    ["--config-path", "hacked"],
    ["--config-dir"],
    ["--config-dir", "nowhere"],
    ["--cfg", "job"],
    ["--info"],
    ["-sc", "install=bash"],
    ["--package", "hydra"],
    ["--run"],
]


@pytest.mark.parametrize(
    "command", [["simulate"], ["sweep", "seed=1,2", "dry_run=true"], ["fit", "example=human_mepc"], ["rns"]]
)
def test_no_word_makes_anything(command, capsys):
    for words in (*([word] for word in WORDS), *FLAGS):
        said = refused([*command, *words], capsys)
        assert "refused (" not in said, said


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("hydra/callbacks/mine.yaml", f"x: {MADE}\n"),
        ("hydra/launcher/mine.yaml", f"_target_: {FILE.split(',')[0]}\nfilename: hacked.log\n"),
        ("hydra/launcher/mine.yaml", f"_target_: {LAUNCHERS[0]}\nx: {MADE}\n"),
        ("hydra/job_logging/nmjmc.yaml", f"version: 1\nhandlers: {{x: {{class: {FILE}}}}}\n"),
        ("preparation/mine.yaml", f"# @package hydra.callbacks\nx: {MADE.replace('_target_', 'target')}\n"),
        ("preparation/mine.yaml", "defaults: [override /hydra/launcher: joblib]\nname: x\n"),
        ("preparation/mine.yaml", "hydra: {run: {dir: hacked}}\n"),
    ],
)  # fmt: skip
def test_a_folder_of_configs_names_launchers_and_no_more(place, text, tmp_path, capsys):
    path = tmp_path / "configs" / place
    path.parent.mkdir(parents=True)
    path.write_text(text)
    chosen = [f"hydra/{place.split('/')[1]}=mine"] if place.startswith("hydra/l") else []
    refused(["simulate", "--config-dir", "configs", *chosen, "vesicles=1,2", "-m"], capsys)


def test_the_library_shuts_the_same_doors():
    for form, text in CODE.items():
        Path("mine.yaml").write_text(text)
        with pytest.raises(ValidationError, match="yaml"):
            preparation("mine.yaml")
            raise AssertionError(form)


def test_names_and_numbers_of_a_file_are_read_as_they_are_written():
    text = "1_0: {file: 1e3}\n10: {file: 010}\nnull: {file: true}\nd: 2020-06-16\nt: 1:30\no: 010\n"
    text += "n: [1e3, 0x10, 1_0]\n"
    assert parsed(text) == {
        "1_0": {"file": "1e3"}, "10": {"file": "010"}, "null": {"file": "true"}, "d": "2020-06-16", "t": "1:30",
        "o": "010", "n": [1000.0, "0x10", "1_0"],
    }  # fmt: skip
    assert parsed("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n")["b"] == {"x": 1, "y": 3}
    assert parsed("a: .inf\nb: -.inf\nc: ''\nd:\ne: ~\nf: 'null'\n") == {
        "a": float("inf"), "b": float("-inf"), "c": "", "d": None, "e": None, "f": "null",
    }  # fmt: skip
    with pytest.raises(Refused) as error:
        parsed("a: 1\nb: 2\na: 3\n")
    assert error.value.line == 3


def test_a_file_of_shared_cases_is_refused(tmp_path, capsys):
    folder = Path(__file__).parents[2] / "../shared/cases/configs"
    if not folder.is_dir():
        pytest.skip("the cases are not here")
    for path, option in itertools.product(folder.resolve().glob("*.yaml"), ("config", "preparation")):
        assert path.name in refused(["simulate", f"{option}={path}"], capsys)


def test_a_definition_of_a_sweep_is_data(tmp_path, capsys):
    for text in ("{}", "[]", "null", "3", '{"request": 3}', "{" * 50, json.dumps({"request": {"bases": []}})):
        Path("s").mkdir(exist_ok=True)
        Path("s/sweep.json").write_text(text)
        for words in (["sweep", "resume=s"], ["collect", "s"], ["plot", "s"]):
            assert "sweep.json" in refused(words, capsys)
