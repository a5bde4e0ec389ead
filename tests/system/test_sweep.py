"""Sweeps that lose nothing: failed, killed, interrupted, shared between processes, or out of room on the disk."""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

import nmjmc
from nmjmc.cli.main import main
from nmjmc.data.sweep import DONE, FAILED, Sweep
from nmjmc.errors import SimulationError, Status, ValidationError
from tests.records import formula_run, stand_in_for_the_kernel

pytestmark = pytest.mark.system
WORDS = ["receptor.density=3000 /um^2,5000 /um^2,7000 /um^2", "vesicles=2", "duration=1 ms", "folder=s"]


@pytest.fixture(autouse=True)
def stand_in(monkeypatch, tmp_path):
    stand_in_for_the_kernel(monkeypatch, tmp_path)


def densities_fail(*wanted):
    """A kernel that fails at some densities."""

    def run(synapse, **arguments):
        if float(synapse.receptor.density) in wanted:
            raise SimulationError(Status.NON_FINITE, "vesicle 1")
        return formula_run(synapse, **arguments)

    return run


def test_every_point_has_a_record_and_a_result(tmp_path):
    assert main(["sweep", *WORDS, "temperature=22,30"]) == 0
    sweep = Sweep.open("s")
    assert sweep.states() == dict.fromkeys(range(6), DONE)
    for index in range(6):
        record, result = sweep.read(index, DONE), nmjmc.load(sweep.result_path(index))
        density, temperature = record["values"]["receptor.density"], record["values"]["temperature"]
        assert nmjmc.describe(result.synapse)["receptor"]["density"] == density
        assert float(result.synapse.temperature) == float(temperature)
        assert result.seed == record["seed"] == sweep.definition["points"][index]["seed"]
        assert record["summary"]["features"]["amplitude"]["mean"] == pytest.approx(
            float(result.waveform.amplitude.mean())
        )
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_point_is_the_run_of_its_config(tmp_path):
    """What a sweep keeps is what `nmjmc simulate` gives for the same words and seed."""
    assert main(["sweep", *WORDS]) == 0
    record = Sweep.open("s").read(1, DONE)
    assert main(["simulate", "receptor.density=5000 /um^2", *WORDS[1:3], f"seed={record['seed']}"]) == 0
    (folder,) = (tmp_path / "outputs").iterdir()
    found, expected = nmjmc.load("s/results/000001.h5"), nmjmc.load(folder)
    np.testing.assert_array_equal(found.current, expected.current)


def test_summaries_alone_are_kept_on_request(tmp_path):
    assert main(["sweep", *WORDS, "results=false"]) == 0
    assert not (tmp_path / "s" / "results").exists() and len(Sweep.open("s").states()) == 3


def test_a_failed_point_is_recorded_and_the_others_go_on(monkeypatch, capsys):
    monkeypatch.setattr("nmjmc.kernel.simulate.run", densities_fail(5000.0))
    assert main(["sweep", *WORDS]) == 1
    sweep = Sweep.open("s")
    assert sweep.states() == {0: DONE, 1: FAILED, 2: DONE}
    error = sweep.read(1, FAILED)["error"]
    assert (
        error["kind"] == "SimulationError"
        and "NaN" in error["sentence"]
        and "Traceback" in error["traceback"]
    )
    printed = capsys.readouterr().out
    assert "2 done, 1 failed, 0 missing" in printed and "receptor.density=5000 /um^2" in printed


def test_only_failed_and_missing_points_are_run_again(monkeypatch):
    calls = []

    def counting(synapse, **arguments):
        calls.append(float(synapse.receptor.density))
        return formula_run(synapse, **arguments)

    monkeypatch.setattr("nmjmc.kernel.simulate.run", densities_fail(5000.0))
    main(["sweep", *WORDS])
    monkeypatch.setattr("nmjmc.kernel.simulate.run", counting)
    assert main(["sweep", *WORDS]) == 1 and calls == []  # joined: what failed has failed
    (Path("s") / "points" / "000002.done.json").unlink()
    assert main(["sweep", *WORDS, "resume=true"]) == 0 and calls == [5000.0, 7000.0]
    assert Sweep.open("s").states() == dict.fromkeys(range(3), DONE)
    assert not list(Path("s").rglob("*failed*"))
    assert main(["sweep", "resume=s"]) == 0 and len(calls) == 2


def test_the_first_failure_may_end_the_sweep(monkeypatch, capsys):
    monkeypatch.setattr("nmjmc.kernel.simulate.run", densities_fail(5000.0))
    assert main(["sweep", *WORDS, "stop_on_failure=true"]) == 1
    assert Sweep.open("s").states() == {0: DONE, 1: FAILED}
    assert "Point 1 failed" in capsys.readouterr().err


def test_a_point_that_cannot_be_right_fails_alone():
    words = ["cleft.height=30 nm,50 nm", "vesicle.release_depth=0.1 nm,40 nm", "vesicles=1", "duration=1 ms"]
    assert main(["sweep", *words, "folder=s"]) == 1
    sweep = Sweep.open("s")
    assert sweep.states() == {0: DONE, 1: FAILED, 2: DONE, 3: DONE}
    record = sweep.read(1, FAILED)
    assert "cleft.height" in record["error"]["sentence"]
    assert record["seed"] == sweep.definition["points"][1]["seed"] is not None
    (sweep.path / "points" / "000002.done.json").write_text("half of a")
    with pytest.raises(ValidationError, match=r"000002\.done\.json"):
        sweep.read(2, DONE)


def test_what_ends_a_batch_ends_no_other_point(monkeypatch):
    """An error that the batch does not know, such as memory that ran out: the points are run one by one."""

    def run(synapse, **arguments):
        if float(synapse.receptor.density) == 5000.0:
            raise MemoryError("no room on the device")
        return formula_run(synapse, **arguments)

    monkeypatch.setattr("nmjmc.kernel.simulate.run", run)
    assert main(["sweep", *WORDS]) == 1
    sweep = Sweep.open("s")
    assert sweep.states() == {0: DONE, 1: FAILED, 2: DONE}
    assert sweep.read(1, FAILED)["error"]["kind"] == "MemoryError"


def test_a_folder_belongs_to_one_sweep(capsys):
    assert main(["sweep", *WORDS]) == 0
    assert main(["sweep", "temperature=22,30", "folder=s"]) == 2
    assert "another sweep" in capsys.readouterr().err


def test_the_words_minus_m_and_dash_names_are_no_matter():
    assert main(["sweep", *WORDS, "-m"]) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_ends_it_and_says_how_to_go_on(number, monkeypatch, capsys):
    calls = []

    def ends(synapse, **arguments):
        calls.append(1)
        if len(calls) == 2:
            os.kill(os.getpid(), number)
            time.sleep(5)
        return formula_run(synapse, **arguments)

    monkeypatch.setattr("nmjmc.kernel.simulate.run", ends)
    assert main(["sweep", *WORDS]) == 130
    assert "1 of 3 points are whole" in capsys.readouterr().err
    assert main(["sweep", "resume=s"]) == 0 and len(calls) == 4
    assert Sweep.open("s").states() == dict.fromkeys(range(3), DONE)


def run_script(body, **arguments):
    """A process of its own with the formulas in the place of the kernel."""
    head = """
        import os, random, signal, sys, time
        import numpy as np
        import nmjmc.api, nmjmc.cli.sweep, nmjmc.data.hdf5, nmjmc.kernel.simulate as kernel
        import nmjmc.kernel.many as many
        from nmjmc.cli.main import main
        from tests.records import formula_many, formula_run, stand_in_for_the_kernel
        kernel.run = formula_run
        many.run_many = formula_many
    """
    root = str(Path(__file__).parents[2])
    script = textwrap.dedent(head) + textwrap.dedent(body)
    environment = {**os.environ, "PYTHONPATH": root}
    return subprocess.Popen([sys.executable, "-c", script], env=environment, text=True, **arguments)


def test_killed_at_twenty_random_moments_it_loses_nothing_and_does_nothing_twice(tmp_path):
    """SIGKILL between any two instructions: every record is whole, none is written twice, none is missing."""
    body = """
        words = ["sweep", "receptor.density=linspace(2000, 9000, 120)", "vesicles=2", "duration=1 ms", "folder=s",
                 "progress=false", "device=cpu"]
        random.seed(20)
        def once(kill_after):
            child = os.fork()
            if child == 0:
                def noted(synapse, **run):
                    with open("runs", "a") as file:
                        file.write(f"{float(synapse.receptor.density)}\\n")
                    return formula_run(synapse, **run)
                kernel.run = noted
                sys.stdout = open(os.devnull, "w")
                os._exit(main(words))
            if kill_after is not None:
                time.sleep(kill_after)
                os.kill(child, signal.SIGKILL)
            return os.waitpid(child, 0)[1]
        killed = 0
        import json, glob
        before = {}
        while killed < 20:
            status = once(random.uniform(0.1, 1.2))
            killed += os.WIFSIGNALED(status)
            assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
            now = {}
            for path in sorted(glob.glob("s/points/0*.json")):
                now[path] = open(path).read()
                json.loads(now[path])
            assert all(now[path] == text for path, text in before.items())
            before = now
            if len(now) == 120:  # a new round
                import shutil
                print("round", len(now), len(open("runs").read().splitlines()), killed, flush=True)
                shutil.rmtree("s"); os.unlink("runs"); before = {}; killed_before = killed
        assert once(None) == 0
        print("killed", killed)
    """
    process = run_script(body, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path)
    out, errors = process.communicate(timeout=500)
    assert process.returncode == 0, errors
    assert "killed 20" in out
    sweep = Sweep.open(tmp_path / "s")
    assert sweep.states() == dict.fromkeys(range(120), DONE)
    for index in range(120):
        assert nmjmc.load(sweep.result_path(index)).seed == sweep.read(index, DONE)["seed"]
    assert not [path for path in (tmp_path / "s").rglob("*.tmp")]
    # a kill costs at most the one point that was running: no finished one is run again
    assert len((tmp_path / "runs").read_text().splitlines()) <= 120 + 20


def test_two_processes_share_one_folder(tmp_path):
    body = """
        def noted(synapse, **run):
            with open("runs", "a") as file:
                file.write(f"{os.getpid()} {float(synapse.receptor.density)}\\n")
            time.sleep(0.05)
            return formula_run(synapse, **run)
        kernel.run = noted
        sys.exit(main(["sweep", "receptor.density=linspace(2000, 9000, 60)", "vesicles=1", "duration=1 ms",
                       "folder=s", "together=2", "device=cpu"]))
    """
    pair = [run_script(body, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    assert [process.communicate(timeout=300)[1] for process in pair] == ["", ""]
    assert [process.returncode for process in pair] == [0, 0]
    runs = [line.split() for line in (tmp_path / "runs").read_text().splitlines()]
    assert len(runs) == 60 and len({density for _, density in runs}) == 60
    assert Sweep.open(tmp_path / "s").states() == dict.fromkeys(range(60), DONE)


def test_points_that_another_process_holds_are_told(tmp_path, capsys):
    """The other one has a lock and no record yet."""
    body = """
        from nmjmc.data.sweep import Sweep
        sweep = Sweep.open("s")
        print(len(sweep.claim([0, 2], 2)), flush=True)
        sys.stdin.read()
    """
    assert main(["sweep", *WORDS]) == 0
    for index in (0, 1, 2):
        (tmp_path / "s" / "points" / f"{index:06d}.done.json").unlink()
    capsys.readouterr()
    other = run_script(body, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout and other.stdout.readline() == "2\n"
    assert main(["sweep", *WORDS]) == 0
    printed = capsys.readouterr().out
    assert (
        "2 missing points are held by another process" in printed and "1 done, 0 failed, 2 missing" in printed
    )
    other.communicate()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 1 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here (that needs root)")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_told_and_what_is_whole_stays_whole(small_disk, tmp_path, capsys):
    words = ["receptor.density=linspace(2000, 9000, 60)", "vesicles=8", "duration=3 ms"]
    assert main(["sweep", *words, f"folder={small_disk / 's'}"]) == 1
    printed = capsys.readouterr().err
    assert "The disk is full" in printed and "resume=" in printed and printed.count("\n") == 1
    sweep = Sweep.open(small_disk / "s")
    finished = sweep.states()
    assert 0 < len(finished) < 60 and set(finished.values()) == {DONE}
    for index in finished:
        assert nmjmc.load(sweep.result_path(index)).seed == sweep.read(index, DONE)["seed"]
    shutil.copytree(small_disk / "s", tmp_path / "s")  # room is made
    assert main(["sweep", f"resume={tmp_path / 's'}"]) == 0
    assert Sweep.open(tmp_path / "s").states() == dict.fromkeys(range(60), DONE)


def test_a_newer_sweep_is_refused(capsys):
    assert main(["sweep", *WORDS]) == 0
    path = Path("s/sweep.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 99}))
    assert main(["sweep", "resume=s"]) == 2
    assert "install a newer nmjmc" in capsys.readouterr().err
