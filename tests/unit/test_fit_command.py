"""`nmjmc fit`: words, files, tables, a kill at any step, and one sentence for every mistake."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

import nmjmc
from nmjmc.cli import fit as fit_command
from nmjmc.cli.compose import composed, plain
from nmjmc.cli.fit_words import prepare
from nmjmc.cli.main import main
from nmjmc.data import fit_table
from nmjmc.data.fits import load_fit
from nmjmc.errors import SimulationError, Status, ValidationError
from nmjmc.fitting import meter
from nmjmc.fitting.optimise import FitProgress
from nmjmc.fitting.parameters import free_parameters
from nmjmc.folders import names_in

pytestmark = pytest.mark.unit
QUICK = ["example=human_mepc", "fit.grid=coarse", "fit.estimator=mean_field", "fit.bootstrap=10",
         "receptor.density=6000 /um^2"]  # fmt: skip
SAME = ("estimate", "losses", "trace", "low", "high", "bootstrap", "correlation")


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("SLURM_RESTART_COUNT", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def config(*words):
    return plain(composed(prepare(list(words)), "fit"))


def sets(*words):
    return fit_command.read(config(*words))[2]


def asked(*words):
    return fit_command.read(config(*words))[1]


def test_a_fit_leaves_all_files_and_prints_the_table(folder, capsys):
    assert main(["fit", *QUICK, "fit.profiles=[receptor.closing_rate]"]) == 0
    (place,) = (folder / "outputs").iterdir()
    assert place.name.startswith("fit-human-") and place.name.endswith("-0")
    figures = {"data.png", "descent.png", "pairs.png", "profiles.png"}
    texts = {"fit.h5", "summary.json", "fitted.yaml", "config.yaml", "nmjmc.log", ".hydra"}
    assert {path.name for path in place.iterdir()} == figures | texts
    assert all((place / name).stat().st_size > 5000 for name in figures)
    printed = capsys.readouterr()
    for words in ("receptor.closing_rate", "/s", "95 % interval", "profile", "Fisher",
                  "human", "Estimator: mean_field, as asked for", "from memory [M]", "fitted.yaml"):  # fmt: skip
        assert words in printed.out, words
    assert printed.err == ""
    summary, found = json.loads((place / "summary.json").read_text()), load_fit(place / "fit.h5")
    row = summary["parameters"]["receptor.closing_rate"]
    assert (
        row["interval"] == "profile" and row["low"] < row["estimate"] < row["high"] and summary["converged"]
    )
    assert row["estimate"] == pytest.approx(1e3 * found["receptor.closing_rate"])
    assert "step 1 of at most 60" in (place / "nmjmc.log").read_text()
    # what was fitted is a preparation, for the command and for the library
    fitted = nmjmc.preparation(str(place / "fitted.yaml"))
    assert float(nmjmc.get(fitted, "receptor.closing_rate")) == pytest.approx(found["receptor.closing_rate"])
    capsys.readouterr()
    words = [f"preparation={place / 'fitted.yaml'}", "temperature=30", "dry_run=true"]
    assert main(["simulate", *words]) == 0
    shown = yaml.safe_load(capsys.readouterr().out.split("\n#")[0])
    assert shown["temperature"] == "30 degC"
    assert (
        shown["receptor"] == nmjmc.describe(fitted)["receptor"]
        and shown["vesicle"] == nmjmc.describe(fitted)["vesicle"]
    )
    assert main(["show", str(place / "fit.h5")]) == 0
    assert "Fisher" in capsys.readouterr().out
    # the config of the run is the same fit
    again = fit_command.planned(config(f"config={place}")).config()
    assert again == fit_command.planned(config(*QUICK, "fit.profiles=[receptor.closing_rate]")).config()


@pytest.fixture
def no_drawing(monkeypatch):
    monkeypatch.setattr("nmjmc.viz.fit.save", lambda figure, path: Path(path).write_bytes(b""))


LONG = ["fit", *QUICK, "fit.profiles=all", "hydra.run.dir=cut"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A fit that nobody interrupted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("whole"))
        patch.setattr("nmjmc.viz.fit.save", lambda figure, path: Path(path).write_bytes(b""))
        assert main(LONG) == 0
        return load_fit("cut/fit.h5")


@pytest.mark.parametrize(
    ("number", "stage"),
    [
        (signal.SIGINT, "descent"),
        (signal.SIGTERM, "descent"),
        (signal.SIGUSR1, "profile of receptor.closing_rate"),
    ],
)
def test_a_fit_goes_on_after_a_signal_to_the_same_bits(number, stage, whole, monkeypatch, no_drawing, capsys):
    told = meter.FitMeter.__call__

    def ends(self, step):
        told(self, step)
        if step.stage == stage and (step.step == 2 or stage != "descent"):
            signal.raise_signal(number)

    capsys.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr(meter.FitMeter, "__call__", ends)
        assert main(LONG) == 130
    assert "resume=true" in capsys.readouterr().err
    assert {path.name for path in Path("cut").iterdir()} == {
        "fit.state.h5",
        "config.yaml",
        "nmjmc.log",
        ".hydra",
    }
    if number == signal.SIGTERM:  # a job that Slurm has put back into the queue
        monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
        assert main(LONG) == 0
    else:
        assert main([*LONG, "resume=true"]) == 0
    resumed = load_fit("cut/fit.h5")
    for name in SAME:
        assert np.array_equal(getattr(whole, name), getattr(resumed, name)), name
    for name, curve in whole.profiles.items():
        assert np.array_equal(curve.rise, resumed.profiles[name].rise)
    assert not Path("cut/fit.state.h5").exists()
    # finished, it is left as it is
    before = Path("cut/fit.h5").read_bytes()
    assert main([*LONG, "resume=true"]) == 0
    assert Path("cut/fit.h5").read_bytes() == before
    # a summary that is damaged is made again from it
    summary = Path("cut/summary.json").read_text()
    Path("cut/summary.json").write_text(summary.replace('"level": 0', '"level": 1'))
    assert main([*LONG, "resume=true"]) == 0
    assert json.loads(Path("cut/summary.json").read_text()) == json.loads(summary)
    assert main([*LONG, "resume=true", "fit.level=0.9"]) == 2
    assert "must be that of what is finished in" in capsys.readouterr().err


def test_a_state_of_another_fit_is_refused(no_drawing, monkeypatch, capsys):
    def ends(self, step):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(meter.FitMeter, "__call__", ends)
        assert main(["fit", *QUICK, "hydra.run.dir=one"]) == 130
    capsys.readouterr()
    assert main(["fit", *QUICK, "fit.level=0.9", "hydra.run.dir=one", "resume=true"]) == 2
    assert "of another fit" in capsys.readouterr().err


def test_a_loss_that_is_no_number_is_one_sentence(folder, monkeypatch, capsys):
    from nmjmc.fitting.likelihood import Gaussian

    monkeypatch.setattr(Gaussian, "loss", lambda self, z: float("nan"))
    assert main(["fit", *QUICK]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("nmjmc: The fit failed: the loss is nan at vesicle.content_mean = 4800")
    assert not list(folder.rglob("fit.h5"))


def test_a_simulation_that_failed_ends_the_fit(folder, monkeypatch, no_drawing, capsys):
    """Nothing is dropped in silence: no estimate comes from the vesicles that are left."""

    def fails(*_, **__):
        raise SimulationError(Status.NON_FINITE, "vesicle 3")

    monkeypatch.setattr("nmjmc.fitting.simulations.kernel.run", fails)
    assert main(["fit", *QUICK, "fit.estimator=corrected", "fit.vesicles=8"]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("nmjmc: The simulation failed (vesicle 3)")
    assert not list(folder.rglob("fit.h5"))


def test_the_folder_knows_the_bytes_of_the_data(folder):
    def name():
        words = [*QUICK, "data=numbers.csv"]
        return fit_command.fit_hash(_root_=composed(prepare(words), "fit"))

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
    made = fit_command.planned(config(*words))
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


def test_help_and_a_sweep_of_fits(capsys, folder, no_drawing):
    assert main(["fit", "--help"]) == 0
    printed = capsys.readouterr().out
    assert "boyd_martin_1956" in printed and "estimator: auto" in printed and "resume=true" in printed
    assert main(["fit", *QUICK, "fit.steps=1,2", "fit.bootstrap=0", "-m"]) == 0
    found = [load_fit(path) for path in sorted(folder.rglob("fit.h5"))]
    assert sorted(fit.losses.size for fit in found) == [2, 3]
    assert main(["fit", *QUICK, "fit.steps=1,0", "-m"]) == 2
    lists = "fit.free=[vesicle.content_mean],[vesicle.content_cv,vesicle.content_mean]"
    assert main(["fit", *QUICK, lists, "dry_run=true", "-m"]) == 0
    assert capsys.readouterr().out.count("# free") == 3


def test_two_files_of_one_name_are_not_taken_for_one(tmp_path):
    for folder in ("control", "blocked"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "minis.csv").write_text("time (ms),mean (nA)\n0,0\n")
    with pytest.raises(ValidationError, match="two of these files would be data set minis"):
        prepare([f"data=[{tmp_path}/control/minis.csv,{tmp_path}/blocked/minis.csv]"])


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
    plan = fit_command.planned(config(*words)).sentences()
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


def test_a_fit_that_ends_where_no_data_are_leaves_its_files_and_fails(folder, capsys):
    (folder / "far.yaml").write_text(
        "far:\n  duration: 13 ms\n  values:\n    amplitude: {value: 400 nA, error: 4 nA}\n"
        "    decay_time: {value: 1.5 ms, error: 0.1 ms}\n"
    )
    words = [
        "fit",
        "data=far.yaml",
        "fit.free=[vesicle.content_mean,receptor.closing_rate]",
        *QUICK[1:3],
        QUICK[4],
    ]
    assert main([*words, "fit.steps=8", "hydra.run.dir=here"]) == 1
    said = capsys.readouterr()
    assert "not converged" in said.out and "p < 0.001" in said.out
    assert "No data lie where the model can be: those of far are 400 to 400 nA, the model reaches" in said.err
    assert {"fit.h5", "summary.json", "data.png"} <= {path.name for path in (folder / "here").iterdir()}
    assert not (folder / "here" / "fit.state.h5").exists()
    assert json.loads((folder / "here" / "summary.json").read_text())["converged"] is False
