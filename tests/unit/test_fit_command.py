"""`nmjmc fit`: words made into a plan, and one sentence for every mistake."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import nmjmc
from nmjmc.cli.compose import one
from nmjmc.cli.fit_words import KNOWN, changes
from nmjmc.cli.main import main
from nmjmc.cli.words import sort
from nmjmc.data import fit_table
from nmjmc.errors import ValidationError
from nmjmc.fitting import config as fit_config
from nmjmc.fitting import meter
from nmjmc.fitting.optimise import FitProgress
from nmjmc.fitting.parameters import free_parameters
from nmjmc.folders import names_in

pytestmark = pytest.mark.unit
QUICK = ["example=human_mepc", "fit.grid=coarse", "fit.estimator=mean_field", "fit.bootstrap=10",
         "receptor.density=6000 /um^2"]  # fmt: skip


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("SLURM_RESTART_COUNT", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def config(*words):
    return one(sort(words, KNOWN), KNOWN, changes)


def sets(*words):
    return fit_config.read(config(*words))[2]


def asked(*words):
    return fit_config.read(config(*words))[1]


def test_the_folder_knows_the_bytes_of_the_data(folder):
    def name():
        words = [*QUICK, "data=numbers.csv"]
        return fit_config.folder_digest(config(*words))

    Path("numbers.csv").write_text("name,value,standard error,unit\namplitude,4,0.1,nA\n")
    first = name()
    Path("numbers.csv").write_text("name,value,standard error,unit\namplitude,4.1,0.1,nA\n")
    assert name() != first


@pytest.mark.parametrize("name", names_in("example"))
def test_every_example_composes_and_reads_its_data(name, capsys, folder):
    assert main(["fit", f"example={name}", "dry_run=true"]) == 0
    printed = capsys.readouterr().out
    assert "# data" in printed and "# free" in printed and "# estimator" in printed
    shown = yaml.safe_load(printed.split("\n#")[0])
    assert shown["data"] and shown["fit"]["free"]
    assert list(folder.iterdir()) == []


def test_words_make_data_sets_and_free_parameters(folder):
    Path("sub").mkdir()
    for file in ("a.csv", "sub/b.csv"):
        Path(file).write_text("amplitude (nA),counts\n3,5\n4,20\n5,8\n6,2\n")
    words = (
        "data=a.csv", "data.noise=50 pA", "data.condition.esterase.active_fraction=0", "data.a.release=single",
        "fit.free=[vesicle.content_mean,vesicle.content_cv]", "fit.free.vesicle.content_mean.low=1000",
        "fit.fixed.recording.scale=1.1",
    )  # fmt: skip
    found = sets(*words)
    assert found["a"] == {"file": str(folder / "a.csv"), "release": "single"}
    assert found["defaults"] == {"noise": "50 pA", "condition": {"esterase": {"active_fraction": 0}}}
    assert asked(*words).free == {"vesicle.content_mean": {"low": 1000}, "vesicle.content_cv": {}}
    assert asked(*words).fixed == {"recording.scale": 1.1}
    # words stand in any order, with or without brackets
    assert asked(
        "fit.free.vesicle.content_mean.low=1000", "fit.free=vesicle.content_mean", "data=a.csv"
    ).free == {"vesicle.content_mean": {"low": 1000}}
    made = fit_config.planned(config(*words))
    assert made.data.terms[0].noise_sd == pytest.approx(0.05)
    assert list(sets("data=[a.csv,sub/b.csv]", "fit.free=vesicle.content_cv")) == ["a", "b"]
    # a file of data sets: its paths start from its own folder
    Path("sub/mine.yaml").write_text("defaults: {unit: nA}\nfirst: {file: b.csv}\nsecond: {file: ../a.csv}\n")
    found = sets("data=sub/mine.yaml", "data.second.noise=10 pA", "fit.free=vesicle.content_cv")
    assert Path(found["first"]["file"]).samefile("sub/b.csv") and found["second"]["noise"] == "10 pA"
    # data and parameters of an example are replaced, not added to
    words = ("example=boyd_martin_1956", "data=a.csv", "fit.free=[vesicle.content_cv]")
    assert list(sets(*words)) == ["a"] and list(asked(*words).free) == ["vesicle.content_cv"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "data must be given"),
        (["data=none.csv", "fit.free=vesicle.content_cv"], "where there is no file"),
        (["example=human_mepcs"], "did you mean human_mepc?"),
        (["example=human_mepc", "fit.free=[receptor.closin_rate]"], "did you mean receptor.closing_rate?"),
        (["example=human_mepc", "fit.free.receptor.closing_rate=3"], "fit.free.receptor.closing_rate.start?"),
        (["example=human_mepc", "fit.free.receptor.closing_rate.lower=3"], "did you mean low"),
        (["example=human_mepc", "fit.free.receptor.closing_rate.low=3 mV"], "fit.free.receptor.closing_rate.low"),
        (["example=human_mepc", "free=[a]"], "did you mean fit.free?"),
        (["example=human_mepc", "vesicles=10"], "did you mean fit.vesicles?"),
        (["example=human_mepc", "fit.estimator=mean"], "did you mean mean_field?"),
        (["example=human_mepc", "fit.optimiser=newton"], "natural, adam or sgd"),
        (["example=human_mepc", "fit.estimater=auto"], "did you mean fit.estimator?"),
        (["example=human_mepc", "fit.level=95"], "write 0.95 for 95 %"),
        (["example=human_mepc", "fit.steps=0"], "fit.steps"),
        (["example=human_mepc", "fit.profiles=[receptor.density]"], "fit.profiles must be all, or free parameters"),
        (["example=human_mepc", "data.bandwith=5"], "did you mean data.bandwidth"),
        (["example=human_mepc", "data.human.feature=5"], "did you mean data.human.features"),
        (["example=human_mepc", "data.human.noise=5"], "left out of a data set of kind statistics"),
        (["example=human_mepc", "data.condition.esterase.activ_fraction=0"], "did you mean esterase.active_fraction?"),
        (["example=human_mepc", "receptor.density=3 /um^3"], "did you mean 3 /um^2?"),
        (["example=boyd_martin_1956", "~fit.fixed"], "recording.gain must be one of them"),
        (["example=human_mepc", "preparation=none.yaml"], "a YAML file that can be read"),
        (["example=human_mepc", "device=gpu"], "device"),
    ],
)  # fmt: skip
def test_every_mistake_is_one_sentence_and_leaves_nothing(words, sentence, folder, capsys):
    assert main(["fit", *words]) == 2
    printed = capsys.readouterr().err
    assert sentence in printed and printed.count("\n") == 1
    assert list(folder.iterdir()) == []


def test_a_mistake_in_a_file_of_data_sets_names_its_line(folder, capsys):
    Path("mine.yaml").write_text("here:\n  values: {amplitude: {value: 4, error: 1}}\n  bandwith: 5 kHz\n")
    assert main(["fit", "data=mine.yaml", "fit.free=vesicle.content_cv"]) == 2
    printed = capsys.readouterr().err
    assert "did you mean" in printed and "mine.yaml, line 3" in printed
    for name in ("my set", "kind"):
        Path("mine.yaml").write_text(f"here:\n  file: a.csv\n{name}:\n  file: a.csv\n")
        assert main(["fit", "data=mine.yaml", "fit.free=vesicle.content_cv"]) == 2
        assert "data set (mine.yaml, line 3) must be a word" in (printed := capsys.readouterr().err)
        assert repr(name) in printed


def test_two_files_of_one_name_are_not_taken_for_one(tmp_path):
    for folder in ("control", "blocked"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "minis.csv").write_text("time (ms),mean (nA)\n0,0\n")
    with pytest.raises(ValidationError, match="two of these files would be data set minis"):
        config(f"data=[{tmp_path}/control/minis.csv,{tmp_path}/blocked/minis.csv]")


def test_progress_tells_parameters_of_one_name_apart():
    values = {"receptor.density": 300.0, "esterase.density": 5.0, "receptor.closing_rate": 1.35}
    told = meter.described(FitProgress(1, 9, 1.0, values, 0.0, 3.0, 61.0))
    assert told.endswith("receptor.density 300, esterase.density 5, closing_rate 1.35")


def test_progress_says_what_is_going_on():
    step = FitProgress(7, 60, 12.345, {"receptor.closing_rate": 1.35}, 0.031, 3.0, 61.0)
    assert meter.described(step) == (
        "step 7 of at most 60, loss 12.345, gradient noise 3.1 %, at most 1:01 left, closing_rate 1.35"
    )
    told = []
    with meter.FitMeter.drawn("auto", told.append) as one:
        one(step)
    assert one.last is step and told == [step]
    with meter.FitMeter.drawn(True) as drawn:
        drawn(step)


def test_numbers_are_written_for_people():
    assert fit_table.number(1234.5678) == "1235" and fit_table.number(4.2e6) == "4200000"
    assert fit_table.number(None, "lower bound") == "lower bound"
    assert "p < 0.001" in fit_table.chance(1e-9) and fit_table.chance(0.42) == "p = 0.42"


def test_the_plan_tells_bounds_and_priors(folder):
    words = ["example=human_mepc", "fit.free.receptor.closing_rate.median=1 /ms",
             "fit.free.receptor.closing_rate.factor=1.5", "fit.free.receptor.closing_rate.low=500 /s"]  # fmt: skip
    plan = fit_config.planned(config(*words)).sentences()
    assert "500 /s to" in plan["free receptor.closing_rate"]
    assert "prior 1000 /s within a factor of 1.5" in plan["free receptor.closing_rate"]
    assert "goes on to corrected" in plan["estimator"] and "13 ms" in plan["data human"]


def test_the_library_takes_the_same_and_optax_stays_behind():
    script = (
        "import sys, nmjmc; assert 'optax' not in sys.modules and 'jax' not in sys.modules;"
        "nmjmc.fit; assert 'optax' in sys.modules and 'hydra' not in sys.modules"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(nmjmc.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)
    with pytest.raises(ValidationError):
        free_parameters(nmjmc.preparation("human"), {})
