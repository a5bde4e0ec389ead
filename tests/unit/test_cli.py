"""The command line with a stand-in kernel: files, tables, exit codes, and one sentence for every mistake."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

import nmjmc
from nmjmc import progress
from nmjmc.cli.compose import configs
from nmjmc.cli.main import main
from nmjmc.cli.values import value as read_value
from nmjmc.cli.words import SIMULATE, sort
from nmjmc.data import speed
from nmjmc.errors import ValidationError
from nmjmc.kernel.host.sight import Size
from nmjmc.simulation.self_check import Check
from tests.records import formula_run

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def stand_in(monkeypatch, tmp_path):
    """The formulas in the place of the kernel, in a folder of their own."""
    kernel = pytest.importorskip("nmjmc.kernel.simulate")
    view = Size(0, 0, 0)
    plan = SimpleNamespace(time_step="1 us", records=1001, memory_bytes=100 * 2**20, view=view)
    monkeypatch.setattr(kernel, "run", formula_run)
    monkeypatch.setattr(kernel, "plan", lambda synapse, **run: plan, raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)


def only_folder(tmp_path):
    (folder,) = (tmp_path / "outputs").iterdir()
    return folder


def test_simulate_leaves_all_files_and_prints_the_table(tmp_path, capsys):
    words = ["preparation=lizard", "receptor.density=3000 /um^2", "esterase.active_fraction=0", "vesicles=3"]
    assert main(["simulate", *words, "seed=7", "duration=2 ms"]) == 0
    folder = only_folder(tmp_path)
    assert folder.name.startswith("lizard-") and folder.name.endswith("-7")
    names = {"result.h5", "summary.json", "mepc.png", "config.yaml", "nmjmc.log", ".hydra"}
    assert {path.name for path in folder.iterdir()} == names
    result = nmjmc.load(folder)
    assert float(result.synapse.receptor.density) == 3000.0 and result.seed == 7 and result.vesicles == 3
    assert float(result.synapse.esterase.active_fraction) == 0.0
    printed = capsys.readouterr()
    assert "amplitude" in printed.out and "hydrolysed" in printed.out and printed.err == ""
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["vesicles"] == 3 and summary["conserved"]


def test_the_resolved_config_builds_the_same_synapse(tmp_path):
    assert main(["simulate", "vesicles=1", "duration=1 ms", "temperature=30 degC"]) == 0
    folder = only_folder(tmp_path)
    config = yaml.safe_load((folder / "config.yaml").read_text())
    parts = {name: config[name] for name in nmjmc.describe(nmjmc.preparation("human"))}
    assert nmjmc.describe(nmjmc.build(parts)) == nmjmc.describe(nmjmc.load(folder).synapse)
    assert config["seed"] == 0 and config["vesicles"] == 1


def test_the_folder_depends_on_the_config_and_the_seed_only(tmp_path):
    for words in (["seed=1"], ["seed=1", "progress=false"], ["seed=2"], ["seed=1", "temperature=30 degC"]):
        assert main(["simulate", "vesicles=1", "duration=1 ms", *words]) == 0
    names = sorted(path.name for path in (tmp_path / "outputs").iterdir())
    assert len(names) == 3 and sum(name.endswith("-1") for name in names) == 2


def test_a_run_can_be_repeated_from_its_config(tmp_path):
    words = ["preparation=slab", "vesicles=2", "duration=0.001 s", "vesicle.sites=[[0.1 um, 0 um]]", "seed=9"]
    assert main(["simulate", *words]) == 0
    folder = only_folder(tmp_path)
    first = nmjmc.load(folder)
    (folder / "result.h5").unlink()
    assert main(["simulate", f"config={folder / 'config.yaml'}"]) == 0
    again = nmjmc.load(only_folder(tmp_path))  # the same folder, because the config is the same
    assert nmjmc.describe(again.synapse) == nmjmc.describe(first.synapse)
    np.testing.assert_array_equal(again.counts["A2Ro"], first.counts["A2Ro"])
    assert main(["simulate", f"config={folder}", "seed=10"]) == 0
    assert len(list((tmp_path / "outputs").iterdir())) == 2


def test_words_change_an_earlier_config_wherever_they_stand(tmp_path, capsys):
    assert main(["simulate", "vesicles=2", "duration=1 ms"]) == 0
    folder = only_folder(tmp_path)
    before = (folder / "result.h5").read_bytes()
    capsys.readouterr()
    words = ["dry_run=true", "receptor.density=100 /um^2", "vesicles=3", f"config={folder}"]
    for some in (words, words[::-1]):
        assert main(["simulate", *some]) == 0
        printed = capsys.readouterr().out
        assert "density: 100 /um^2" in printed and "vesicles: 3" in printed and "predicted time" in printed
    assert (folder / "result.h5").read_bytes() == before
    assert main(["simulate", f"config={folder}", "preparation=lizard"]) == 2


def test_a_sweep_is_checked_before_its_first_point_and_may_be_dry(tmp_path, capsys):
    assert main(["simulate", "vesicles=1", "temperature=22,300", "-m"]) == 2
    assert "did you mean 300 K?" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert main(["simulate", "vesicles=1", "temperature=22,30", "dry_run=true", "-m"]) == 0
    assert not list(tmp_path.rglob("result.h5")) and "predicted time" in capsys.readouterr().out


def test_every_public_name_is_there_after_use():
    script = "import nmjmc; s = nmjmc.preparation('human'); nmjmc.paths(s); [getattr(nmjmc, n) for n in nmjmc.__all__]"
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(nmjmc.__file__))}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)


def test_a_seed_not_given_is_drawn_and_recorded(tmp_path):
    assert main(["simulate", "vesicles=1", "duration=1 ms", "seed=null"]) == 0
    folder = only_folder(tmp_path)
    assert folder.name.endswith(f"-{nmjmc.load(folder).seed}")


def test_dry_run_prints_the_config_and_leaves_nothing(tmp_path, capsys):
    assert main(["simulate", "dry_run=true", "receptor.density=0.004 /nm^2"]) == 0
    printed = capsys.readouterr().out
    for words in ("density: 4000 /um^2", "time step", "memory", "100 MiB", "predicted time"):
        assert words in printed
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", nmjmc.available_preparations())
def test_every_preparation_composes_and_builds(name, capsys):
    assert main(["simulate", f"preparation={name}", "dry_run=true"]) == 0
    printed = capsys.readouterr().out.split("\n#")[0]
    config = yaml.safe_load(printed)
    parts = {key: config[key] for key in nmjmc.describe(nmjmc.preparation(name))}
    assert nmjmc.describe(nmjmc.build(parts)) == nmjmc.describe(nmjmc.preparation(name))


def test_the_python_of_the_readme_runs(tmp_path):
    readme = Path(__file__).parents[2] / "README.md"
    (code,) = re.findall(r"```python\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)
    names = {}
    exec(compile(code, str(readme), "exec"), names)
    np.testing.assert_array_equal(names["again"].current, names["result"].current)
    assert (tmp_path / "mepc.png").exists()


def test_a_sweep_makes_a_folder_a_point(tmp_path):
    words = ["receptor.density=3000 /um^2,5000 /um^2", "vesicles=1", "duration=1 ms", "-m"]
    assert main(["simulate", *words]) == 0
    found = [nmjmc.load(path) for path in (tmp_path / "outputs" / "sweep-human").glob("*/result.h5")]
    assert sorted(float(result.synapse.receptor.density) for result in found) == [3000.0, 5000.0]


def test_show_prints_a_result_and_draws_it(tmp_path, capsys):
    main(["simulate", "vesicles=2", "duration=1 ms"])
    capsys.readouterr()
    assert main(["show", str(only_folder(tmp_path)), "figure=again.png", "config=true"]) == 0
    printed = capsys.readouterr().out
    assert "amplitude" in printed and "density: 7500 /um^2" in printed and (tmp_path / "again.png").exists()


def test_the_library_gives_the_same_as_the_command(tmp_path):
    main(["simulate", "vesicles=4", "duration=1 ms", "seed=5"])
    kept = nmjmc.load(only_folder(tmp_path))
    fresh = nmjmc.simulate(nmjmc.preparation("human"), vesicles=4, seed=5, duration="1 ms")
    again = kept.rerun()
    for name in kept.counts:
        np.testing.assert_array_equal(kept.counts[name], fresh.counts[name])
        np.testing.assert_array_equal(kept.counts[name], again.counts[name])


def test_an_interrupted_run_goes_on_from_its_checkpoint_to_the_same_bits(tmp_path, monkeypatch):
    synapse = nmjmc.preparation("human")
    arguments = {"vesicles": 10, "seed": 4, "duration": 1.0, "checkpoint_vesicles": 4}
    whole = nmjmc.simulate(synapse, **{**arguments, "checkpoint_vesicles": 1024})
    calls = []

    def dies_at_the_second_block(synapse, **run):
        calls.append(run["first_vesicle"])
        if len(calls) == 2:
            raise KeyboardInterrupt
        return formula_run(synapse, **run)

    monkeypatch.setattr("nmjmc.kernel.simulate.run", dies_at_the_second_block)
    folder = tmp_path / "checkpoint"
    with pytest.raises(KeyboardInterrupt):
        nmjmc.simulate(synapse, checkpoint=folder, **arguments)
    resumed = nmjmc.simulate(synapse, checkpoint=folder, **arguments)
    # the finished blocks stay until the caller has saved the result
    assert calls == [0, 4, 4, 8] and len(list(folder.glob("*.h5"))) == 3
    for name, values in whole.counts.items():
        np.testing.assert_array_equal(resumed.counts[name], values)


@pytest.mark.parametrize("when", ["run", "save", "plot"])
def test_an_interrupt_leaves_no_half_result(when, tmp_path, monkeypatch, capsys):
    def interrupt(*_args, **_kwargs):
        raise KeyboardInterrupt

    place = {
        "run": "nmjmc.kernel.simulate.run",
        "save": "nmjmc.data.netcdf.image",
        "plot": "matplotlib.figure.Figure.savefig",
    }[when]
    monkeypatch.setattr(place, interrupt)
    assert main(["simulate", "vesicles=1", "duration=1 ms"]) == 130
    left = {path.name for path in only_folder(tmp_path).iterdir()}
    assert ("result.h5" in left) == (when == "plot") and not any(name.endswith(".tmp") for name in left)
    assert "Interrupted" in capsys.readouterr().err


MISTAKES = {
    "simulat": "did you mean simulate?",
    "simulate seeed=3": "did you mean seed?",
    "simulate vesicle=500": "did you mean vesicles?",
    "simulate preparation=lizzard": "did you mean lizard?",
    "simulate preparation=": "human",
    "simulate receptor.densty=3": "did you mean receptor.density?",
    "simulate receptor.density=3,000 /um^2": "did you mean 3000 /um^2?",
    "simulate --vesicles=100": "did you mean vesicles=100?",
    "simulate --fast": "KEY=VALUE",
    "simulate receptr.density=3": "did you mean receptor?",
    "simulate receptor.density=3000 /um^3": "did you mean 3000 /um^2?",
    "simulate receptor.density=3000 /um^": "write for example /um^2",
    "simulate receptor.density=3000 /mum^2": "unknown",
    "simulate receptor.density=-3 /um^2": "did you mean 3 /um^2?",
    "simulate receptor.density=nan": "finite",
    "simulate receptor.density=inf": "finite",
    "simulate receptor.density=true": "a number in /um^2",
    "simulate receptor.density=null": "missing",
    "simulate receptor.density=many": "a number in /um^2",
    "simulate receptor.density=3000 /um^2,5000 /um^2": "add -m",
    "simulate receptor.density=[1,2": "close the bracket [",
    "simulate receptor.binding_rate=5e7 /s": "/M/s",
    "simulate receptor.scheme=two_sites": "a known scheme",
    "simulate receptor.desensitisation_rate=25 /s": "write receptor.desensitisation_rate=null",
    "simulate receptor.scheme=esterase": "conducting state",
    "simulate receptor.scheme=two_site_primed": "receptor.priming_rate",
    "simulate receptor.q10.opening_rat=2": "opening_rate",
    "simulate receptor=3": "receptor.KEY=VALUE",
    "simulate cleft.height=30 ms": "did you mean 30 nm?",
    "simulate cleft.height=0 nm": "at least",
    "simulate cleft.kind=slab": "write cleft.exit_radius=null",
    "simulate cleft.kind=sphere": "a known kind of cleft",
    "simulate cleft.rim=leaky": "a known rim",
    "simulate cleft.rim=open": "cleft.apron",
    "simulate cleft.diffusion=4e-6 cm/s": "um^2/s",
    "simulate esterase.active_fraction=1.5": "at most 1",
    "simulate esterase.position=2": "esterase.position",
    "simulate vesicle.content_mean=-1": "vesicle.content_mean",
    "simulate vesicle.release_depth=40 nm": "cleft.height",
    "simulate vesicle.sites=[[5 um, 0 um]]": "inside the cleft",
    "simulate temperature=300": "did you mean 300 K?",
    "simulate temperature=22 nm": "degC",
    "simulate fibre.holding_potential=80 kg": "mV",
    "simulate name=a/../b": "a word of letters",
    "simulate vesicles=0": "a whole number from 1",
    "simulate vesicles=1.5": "a whole number",
    "simulate vesicles=many": "a whole number",
    "simulate seed=-1": "a whole number from 0",
    "simulate duration=0": "positive",
    "simulate duration=5 mV": "did you mean 5 ms?",
    "simulate duration=inf": "finite",
    "simulate record_interval=20 ms": "at most half the duration",
    "simulate record_interval=10 ms": "at most half the duration",
    "simulate record_interval=1 ns": "at least",
    "simulate duration=1e9": "record_interval at least",
    "simulate numerics.no_such=3": "that exists",
    "simulate numerics=3": "numerics.KEY=VALUE",
    "simulate device=tpu": "auto, cpu or gpu",
    "simulate device=gpu": "device=cpu",
    "simulate cache=maybe": "true or false",
    "simulate dry_run=1": "true or false",
    "simulate progress=loud": "auto, true or false",
    "simulate cleft.height": "KEY=VALUE",
    "simulate config=none.yaml": "can be read",
    "simulate hydra.nothing=1": "hydra.nothing",
    "show": "one result file",
    "show none.h5": "there is no file",
    "doctor please": "check=false or none",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_every_mistake_is_one_sentence_and_exit_code_2(words, tmp_path, capsys):
    command, *rest = words.split(" ", 1)
    assert main([command, *rest]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith("nmjmc: ") and printed.err.count("\n") == 1
    assert MISTAKES[words] in printed.err and "Traceback" not in printed.err
    assert list(tmp_path.iterdir()) == []


def test_a_failed_run_is_one_sentence_and_exit_code_1(tmp_path, monkeypatch, capsys):
    from nmjmc.errors import SimulationError, Status

    def fails(*_args, **_kwargs):
        raise SimulationError(Status.NON_FINITE, "vesicle 3")

    monkeypatch.setattr("nmjmc.kernel.simulate.run", fails)
    assert main(["simulate", "vesicles=1"]) == 1
    assert "NaN" in capsys.readouterr().err
    assert not (only_folder(tmp_path) / "result.h5").exists()


def test_numerics_take_times_with_units():
    from nmjmc.api import make_numerics

    assert make_numerics({"shortest_step": "0.2 us"}).shortest_step == 2e-4
    for values in ({"shortest_step": "0.2 mV"}, {"batch": 1.5}, {"transport": 3}, {"step_scale": "nan"}):
        with pytest.raises(ValidationError, match=r"^numerics\."):
            make_numerics(values)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("3000 /um^2", "3000 /um^2"),
        ("30 nm", "30 nm"),
        ("'3000 /um^2'", "3000 /um^2"),
        ('"1e3"', "1e3"),
        ("1e3", 1000.0),
        ("[1 /um^2, 2 /um^2]", ["1 /um^2", "2 /um^2"]),
        ("30 µm", "30 µm"),
        ("[[0 um, 0 um]]", [["0 um", "0 um"]]),
        ("{low:1,high: 2 /s, a: [true, null]}", {"low": 1, "high": "2 /s", "a": [True, None]}),
        ("[]", []),
        ("{}", {}),
        ("0x10", "0x10"),
        ("1_0", "1_0"),
    ],
)
def test_a_value_is_read_as_in_a_file(written, read):
    assert read_value("key", written) == read
    assert type(read_value("key", written)) is type(read)


def test_parameters_of_the_synapse_are_added_where_the_preset_leaves_them_out():
    Path("here").mkdir()
    words = ["receptor.q10.density=3", "vesicles=4,5", "-m", "hydra.sweep.dir=x", "--config-dir", "here"]
    found = sort(words, SIMULATE)
    assert found.is_sweep and found.folders == ("here",) and found.hydra == (("hydra.sweep.dir", "x", False),)
    made = list(configs(found, SIMULATE))
    assert [config["vesicles"] for config in made] == [4, 5]
    assert all(config["receptor"]["q10"]["density"] == 3 for config in made)


def test_progress_says_what_is_going_on():
    report = SimpleNamespace(
        simulated_ms=2.5, duration_ms=10.0, vesicles_done=128, vesicles=500, quanta_ms_per_s=1234.5,
        compile_seconds=3.21, elapsed_seconds=6.0, remaining_seconds=18.0,
    )  # fmt: skip
    assert progress.fraction(report) == pytest.approx(0.25)
    text = progress.describe(report)
    for words in (
        "2.50 of 10 ms",
        "128 of 500 vesicles",
        "1,234 quanta ms/s",
        "0:18 left",
        "compiled in 3.2 s",
    ):
        assert words in text
    assert progress.clock(3725) == "1:02:05"


def test_no_bar_is_drawn_where_there_is_no_terminal():
    for wanted in ("auto", False):
        with progress.shown(wanted) as show:
            assert show is None


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path, capsys):
    (tmp_path / "file").write_text("no folder")
    assert main(["simulate", "vesicles=1", "duration=1 ms", "hydra.run.dir=file/run"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "file" in error and "are whole" in error
    with pytest.raises(ValidationError, match="can be written"):
        nmjmc.simulate(nmjmc.preparation("human"), 2, duration=1.0).save(tmp_path / "file" / "result.h5")


def test_python_arguments_of_the_wrong_kind_are_refused():
    # in a process of its own, where no type checker comes first
    calls = {
        "synapse": "nmjmc.simulate('human')",
        "numerics": "nmjmc.simulate(human, numerics='fast')",
        "checkpoint": "nmjmc.simulate(human, checkpoint=5)",
        "path": "nmjmc.replace(human, 5, 1)",
    }
    script = "import nmjmc\nhuman = nmjmc.preparation('human')\nfound = []\n" + "".join(
        f"try: {call}\nexcept nmjmc.ValidationError as error: found.append(error.field)\n"
        for call in calls.values()
    )
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(nmjmc.__file__))}
    words = [sys.executable, "-c", script + f"assert found == {list(calls)}, found"]
    subprocess.run(words, env=environment, check=True)


def test_help_names_what_may_be_chosen(capsys):
    assert main(["simulate", "--help"]) == 0
    printed = capsys.readouterr().out
    assert "two_site_primed" in printed and "esterase_consuming" in printed and "lizard" in printed
    assert "scheme: " not in printed.split("Settings")[0]


def test_speed_is_remembered_for_the_next_dry_run(tmp_path, monkeypatch):
    monkeypatch.setenv("NMJMC_CACHE_DIR", str(tmp_path / "cache"))
    assert speed.recall("cpu", "human") is None
    speed.remember("cpu", "human", 4.0, 200)
    speed.remember("cpu", "human", 4.0, 2)  # too few to count
    assert speed.recall("cpu", "human") == 0.02
    monkeypatch.setenv("NMJMC_CACHE_DIR", "/proc/nowhere")
    speed.remember("cpu", "human", 4.0, 200)


@pytest.mark.parametrize("command", ["collect", "plot", "show", "rerun", "doctor"])
def test_a_command_without_settings_has_a_help_too(capsys, command):
    for flag in ("--help", "-h"):
        assert main([command, flag]) == 0
        told = capsys.readouterr()
        assert told.out.startswith(f"nmjmc {command}\n") and f"  {command} " in told.out and not told.err
        assert told.out.count("\n  " + command) == 1 and len(told.out.splitlines()) <= 5


def test_version_and_help(capsys):
    assert main(["--version"]) == 0 and main([]) == 0
    printed = capsys.readouterr().out
    assert nmjmc.__version__ in printed and "simulate" in printed


def test_import_is_quick_and_starts_no_device():
    script = (
        "import sys, time; t = time.process_time(); import nmjmc; d = time.process_time() - t;"
        "assert d < 1.0, d; assert 'jax' not in sys.modules and 'matplotlib' not in sys.modules;"
        "nmjmc.preparation('human'); from jax._src import xla_bridge; assert not xla_bridge._backends"
    )
    environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(nmjmc.__file__))}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)


def test_a_request_to_end_is_like_ctrl_c(monkeypatch, tmp_path):
    def ends(*_args, **_kwargs):
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("the signal did not interrupt")

    monkeypatch.setattr("nmjmc.kernel.simulate.run", ends)
    assert main(["simulate", "vesicles=1"]) == 130


def test_the_doctor_tells_agreement_from_disagreement():
    assert Check("x", 100.4, 0.1, 100.0).passed and Check("x", 104.0, 1.0, 100.0).passed
    assert not Check("x", 104.0, 0.1, 100.0).passed and not Check("x", float("nan"), 1.0, 100.0).passed
    assert "DISAGREES" in str(Check("x", 104.0, 0.1, 100.0))


def test_the_doctor_describes_this_machine(capsys):
    assert main(["doctor", "check=false"]) == 0
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("jaxlib", "devices", "float32", "compiled programs"))
