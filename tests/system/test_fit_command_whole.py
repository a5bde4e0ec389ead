"""`nmjmc fit` whole: its files and tables, a stop at any stage and the way on, a sweep, and how it fails."""

import json
import signal
from pathlib import Path

import numpy as np
import pytest
import yaml

import nmjmc
from nmjmc.cli.compose import one
from nmjmc.cli.fit_words import KNOWN, changes
from nmjmc.cli.main import main
from nmjmc.cli.words import sort
from nmjmc.data.fits import load_fit
from nmjmc.errors import SimulationError, Status
from nmjmc.fitting import config as fit_config
from nmjmc.fitting import meter

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
    return one(sort(words, KNOWN), KNOWN, changes)


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
    again = fit_config.planned(config(f"config={place}")).config()
    assert again == fit_config.planned(config(*QUICK, "fit.profiles=[receptor.closing_rate]")).config()


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
