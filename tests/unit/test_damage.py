"""Files that are not as they were written are made again or refused in a sentence, and never believed."""

import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest

import nmjmc
from nmjmc.analysis.recording import Recording
from nmjmc.cli.main import main
from nmjmc.data import atomic, banks, checkpoint, seal, speed
from nmjmc.data.recordings.encoding import lines_of
from nmjmc.data.recordings.hdf5 import write_recording
from nmjmc.data.recordings.read import read_recording
from nmjmc.data.sweep import DONE, Sweep
from nmjmc.errors import DamageWarning, NmjmcError, ValidationError
from nmjmc.fitting.checkpoint import FitCheckpoint
from nmjmc.fitting.optimise import FitState
from nmjmc.junction.build import build_junction
from nmjmc.synapse.build import describe
from tests.records import formula_result, formula_run, stand_in_for_the_kernel

pytestmark = pytest.mark.unit
FILES = Path(__file__).parents[1] / "files"
KEY = checkpoint.fingerprint({"a": 1})
POINTS = ["receptor.density=3000 /um^2,5000 /um^2,7000 /um^2", "vesicles=2", "duration=1 ms", "folder=s"]


@pytest.fixture(autouse=True)
def set_up(monkeypatch, tmp_path):
    stand_in_for_the_kernel(monkeypatch, tmp_path)


def flips(content, number, seed=5):
    """The content with one bit turned over, at many places."""
    rng = np.random.default_rng(seed)
    for place in rng.integers(0, len(content), number):
        turned = bytearray(content)
        turned[place] ^= 1 << int(rng.integers(8))
        yield bytes(turned)


def test_a_turned_bit_in_a_block_is_never_believed(tmp_path):
    arrays = {
        "content": np.arange(20),
        "time": np.linspace(0, 1, 30),
        "count_R": np.eye(20, 30, dtype=np.int32),
    }
    path = checkpoint.save_block(tmp_path / "c", KEY, 0, arrays)
    whole = path.read_bytes()
    left_out = 0
    for turned in flips(whole, 150):
        path.write_bytes(turned)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            found = checkpoint.load_blocks(tmp_path / "c", KEY)
        left_out += not found
        assert bool(found) != bool([w for w in told if issubclass(w.category, DamageWarning)])
        for name, values in found.get(0, {}).items():
            np.testing.assert_array_equal(values, arrays[name])
    assert left_out > 140  # a bit of the checksum's own mark may turn


def test_a_turned_bit_in_a_result_is_refused(tmp_path):
    path = formula_result(vesicles=1).save(tmp_path / "r.h5")
    whole = path.read_bytes()
    for turned in flips(whole[:-48], 40):
        path.write_bytes(turned + whole[-48:])
        with pytest.raises(ValidationError, match=r"r\.h5, which is damaged"):
            nmjmc.load(path)


@pytest.mark.parametrize(("name", "read"), [("bedside", nmjmc.load_examination), ("fit", nmjmc.load_fit)])
def test_a_turned_bit_in_a_bedside_test_or_a_fit_is_refused(name, read, tmp_path):
    path = read(FILES / f"{name}_v1.h5").save(tmp_path / "r.h5")
    whole = path.read_bytes()
    read(path)
    for turned in flips(whole[:-48], 10):
        path.write_bytes(turned + whole[-48:])
        with pytest.raises(ValidationError, match=r"r\.h5, which is damaged"):
            read(path)


@pytest.mark.parametrize("how", ["turned", "a state is missing", "of another fit"])
def test_a_damaged_state_of_a_fit_is_left_out(how, tmp_path):
    path = tmp_path / "fit.state.h5"
    names = [item.name for item in dataclasses.fields(FitState)]
    arrays = {f"state:{name}": np.ones(3) for name in names} | {"phase": np.array(1)}
    if how == "a state is missing":
        del arrays["state:trace"]
    checkpoint.save_arrays(path, KEY, arrays)
    if how == "turned":
        content = path.read_bytes()
        path.write_bytes(next(flips(content[:-48], 1)) + content[-48:])
    if how == "of another fit":
        with pytest.raises(ValidationError, match="of another fit"):
            FitCheckpoint(path, "another")
        return
    with pytest.warns(DamageWarning, match="the fit begins anew"):
        assert FitCheckpoint(path, KEY).state is None
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_another_program_changes_on_purpose_opens(tmp_path):
    path = formula_result(vesicles=1).save(tmp_path / "r.h5")
    with h5py.File(path, "a") as file:
        file.attrs["comment"] = "seen"
    assert nmjmc.load(path).provenance["comment"] == "seen"


@pytest.mark.parametrize(
    "fault", ["turned", "cut", "empty", "no dataset", "no shape", "renamed", "of all", "a folder"]
)
def test_a_run_goes_on_without_a_damaged_block(fault, tmp_path):
    how = {"vesicles": 12, "seed": 4, "duration": 0.1, "checkpoint_vesicles": 4}
    whole = nmjmc.simulate(nmjmc.preparation("human"), **how)
    nmjmc.simulate(nmjmc.preparation("human"), **how, checkpoint="c")
    path = Path("c/vesicles_00000004.h5")
    content = path.read_bytes()
    if fault in ("no dataset", "no shape"):  # whole files of an earlier version, without a checksum
        with h5py.File(path, "a") as file:
            del file["count_AR"]
            if fault == "no shape":
                file["count_AR"] = np.zeros(3)
    elif fault == "renamed":
        shutil.copy("c/vesicles_00000008.h5", path)
    elif fault == "of all":
        path.chmod(0o666)
    elif fault == "a folder":
        path.unlink()
        path.mkdir()
    else:
        turned = next(flips(content[:-48], 1)) + content[-48:]
        path.write_bytes({"turned": turned, "cut": content[:500]}.get(fault, b""))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DamageWarning)
        if fault == "a folder":
            with pytest.raises((OSError, NmjmcError)):
                nmjmc.simulate(nmjmc.preparation("human"), **how, checkpoint="c")
            return
        again = nmjmc.simulate(nmjmc.preparation("human"), **how, checkpoint="c")
    for name, counts in whole.counts.items():
        np.testing.assert_array_equal(again.counts[name], counts)


NOTES = ("", "garbage", "[]", "null", '{"vesicles": "x"}', '{"vesicles": 64, "checksum": "0"}')


@pytest.mark.parametrize("text", NOTES)
def test_a_damaged_note_of_the_block_size_is_made_anew(text, tmp_path):
    for first in (0, 50, 100):
        checkpoint.save_block(tmp_path, KEY, first, {"content": np.arange(50)})
    (tmp_path / "block.json").write_text(text)
    with pytest.warns(DamageWarning, match=r"block\.json is left out"):
        assert checkpoint.block_size(tmp_path, 128) == 50
    assert checkpoint.block_size(tmp_path, 128) == 50
    (tmp_path / "block.json").write_text("70")  # of an earlier version
    assert checkpoint.block_size(tmp_path, 128) == 70


def spoil(path, how, others):
    content = path.read_text()
    if how == "turned":
        content = content.replace('"seed": ', '"seed": 1', 1)
    elif how == "swapped":
        content = others[0].read_text()
    elif how == "of another sweep":
        content = json.dumps({**json.loads(content), "values": {"receptor.density": "1 /um^2"}})
    else:
        content = {"empty": "", "cut": content[:100], "null": "null", "no summary": "{}"}[how]
    path.write_text(content)


FAULTS = ("turned", "swapped", "of another sweep", "empty", "cut", "null", "no summary")


@pytest.mark.parametrize("how", FAULTS)
def test_a_damaged_record_is_found_by_collect_and_run_again_by_resume(how, capsys):
    assert main(["sweep", *POINTS]) == 0
    files = [Path(f"s/points/00000{i}.done.json") for i in range(3)]
    whole = json.loads(files[1].read_text())
    spoil(files[1], how, [files[2]])
    capsys.readouterr()
    assert main(["collect", "s"]) == 2
    said = capsys.readouterr().err
    assert "000001.done.json, which is damaged" in said and "resume=s" in said and len(said.splitlines()) == 1
    assert main(["plot", "s"]) == 2
    capsys.readouterr()
    assert main(["sweep", "resume=s"]) == 0
    assert "The record of point 1 is damaged, and the point is run again" in capsys.readouterr().out
    again = json.loads(files[1].read_text())
    assert {n: again[n] for n in ("values", "seed", "index")} == {
        n: whole[n] for n in ("values", "seed", "index")
    }
    assert main(["collect", "s"]) == 0


def test_a_cut_result_of_a_point_is_made_again(capsys):
    main(["sweep", *POINTS])
    path = Sweep.open("s").result_path(2)
    path.write_bytes(path.read_bytes()[:1000])
    assert main(["sweep", *POINTS]) == 0
    assert "000002.h5: it is not whole" in capsys.readouterr().out
    assert nmjmc.load(path).vesicles == 2


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"size": 3}', "turned"])
def test_a_damaged_definition_is_refused_in_a_sentence(text, capsys):
    main(["sweep", *POINTS])
    path = Path("s/sweep.json")
    path.write_text(path.read_text().replace("3000 /um^2", "3001 /um^2") if text == "turned" else text)
    capsys.readouterr()
    for words in (["collect", "s"], ["sweep", "resume=s"], ["sweep", *POINTS], ["plot", "s"]):
        assert main(words) == 2
        said = capsys.readouterr().err
        assert "sweep.json" in said and "damaged" in said and len(said.splitlines()) == 1


@pytest.mark.parametrize("results", ["true", "false"])
def test_a_sweep_whose_folder_goes_away_does_not_end_well(results, monkeypatch, capsys):
    def run(synapse, **arguments):
        if float(synapse.receptor.density) == 5000.0:
            shutil.rmtree("s")
        return formula_run(synapse, **arguments)

    monkeypatch.setattr("nmjmc.kernel.simulate.run", run)
    assert main(["sweep", *POINTS, f"results={results}"]) == 1
    assert "was removed or replaced while the sweep ran" in capsys.readouterr().err
    assert not Path("s/points").exists()


def test_a_file_that_belongs_to_no_point_is_no_record():
    main(["sweep", *POINTS])
    for name in ("000009.done.json", "000001.odd.json", "x.done.json"):
        shutil.copy("s/points/000001.done.json", f"s/points/{name}")
    assert Sweep.open("s").states() == dict.fromkeys(range(3), DONE)
    assert main(["collect", "s"]) == 0


def test_what_dead_processes_left_is_cleared_and_what_living_ones_write_is_not(tmp_path):
    with atomic.atomic(tmp_path / "mine") as mine:
        script = f"""
import os, sys
from nmjmc.data.atomic import atomic
with atomic({str(tmp_path / "theirs")!r}) as path:
    print(path, flush=True)
    sys.stdin.read() or os._exit(1)
"""
        theirs = subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
        left = Path(theirs.stdout.readline().strip())
        far = tmp_path / ".far.00000000-1-abc.tmp"
        old = tmp_path / ".old.abcdefgh.tmp"
        far.touch()
        old.touch()
        os.utime(old, (time.time() - 1e6,) * 2)
        atomic.clear_leftovers(tmp_path)
        assert mine.exists() and left.exists() and far.exists() and not old.exists()
        theirs.kill()
        theirs.wait()
        atomic.clear_leftovers(tmp_path)
        assert mine.exists() and not left.exists()
        theirs.stdin.close()
        theirs.stdout.close()


WORDS = ["vesicles=2", "seed=3", "duration=1 ms", "hydra.run.dir=run"]


def test_the_summary_is_written_last_and_says_that_a_run_is_done(monkeypatch, capsys):
    assert main(["simulate", *WORDS]) == 0
    Path("run/mepc.png").unlink()  # as earlier versions left a run that was killed before its picture
    Path("run/checkpoint").mkdir()
    assert main(["simulate", *WORDS, "resume=true"]) == 0
    assert Path("run/mepc.png").exists() and not Path("run/checkpoint").exists()

    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("nmjmc.viz.mepc.plot_mepc", stop)
        assert main(["simulate", *WORDS]) == 130
    assert Path("run/result.h5").exists() and not Path("run/summary.json").exists()
    content = bytearray(Path("run/result.h5").read_bytes())
    assert main(["simulate", *WORDS, "resume=true"]) == 0
    content[len(content) // 2] ^= 1
    Path("run/result.h5").write_bytes(content)
    capsys.readouterr()
    assert main(["simulate", *WORDS, "resume=true"]) == 2
    assert "which is damaged" in capsys.readouterr().err


def test_a_damaged_summary_of_a_run_is_not_gathered_and_written_again_by_resume(capsys):
    words = [
        "simulate",
        "receptor.density=3000 /um^2,5000 /um^2",
        "vesicles=2",
        "duration=1 ms",
        "seed=1",
        "-m",
    ]
    assert main(words) == 0
    path = sorted(Path("outputs/sweep-human").glob("*/summary.json"))[0]
    whole = path.read_text()
    path.write_text(whole.replace('"mean": ', '"mean": 1', 1))
    assert main(["collect", "outputs/sweep-human"]) == 2
    said = capsys.readouterr().err
    assert "summary.json, which is damaged: it is not as it was written" in said and "resume=true" in said
    assert main([*words, "resume=true"]) == 0
    assert path.read_text() == whole
    assert main(["collect", "outputs/sweep-human"]) == 0


def turn_over(path, share=0.5, place=None):
    """One bit of a file, at a share of its length or at a place."""
    content = bytearray(path.read_bytes())
    content[int(share * len(content)) if place is None else place] ^= 4
    path.write_bytes(content)


def test_the_table_of_a_sweep_has_checksums_that_other_programs_check(capsys):
    assert main(["sweep", *POINTS]) == 0 == main(["collect", "s"])
    assert "checksums in sweep.sha256" in capsys.readouterr().out
    folder = Path("s")
    lines = dict(reversed(line.split()) for line in (folder / "sweep.sha256").read_text().splitlines())
    assert lines == {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("sweep.nc", "sweep.csv")
    }
    seal.check(folder / "sweep.nc")
    with h5py.File(folder / "sweep.nc") as file:
        place = file["amplitude"].id.get_chunk_info(0).byte_offset
        assert all(d.fletcher32 for d in file.values() if d.dtype.kind in "fi")
    turn_over(folder / "sweep.nc", place=place)
    with pytest.raises(seal.DamageError):
        seal.check(folder / "sweep.nc")
    with h5py.File(folder / "sweep.nc") as file, pytest.raises(OSError, match="filter returned failure"):
        file["amplitude"][...]
    lines_of(folder / "sweep.csv")
    turn_over(folder / "sweep.csv")
    with pytest.raises(ValidationError, match=r"sweep\.csv, which is not as sweep\.sha256 says"):
        lines_of(folder / "sweep.csv")
    (folder / "sweep.sha256").write_bytes(b"\xff\x00 no list")
    lines_of(folder / "sweep.csv")


def test_a_turned_bit_in_a_recording_is_refused(tmp_path):
    samples = np.linspace(-1.0, 0.0, 500)[None]
    path = write_recording(Recording(samples, sampling_interval=0.1), tmp_path / "r.h5")
    np.testing.assert_array_equal(read_recording(path).signal, samples)
    for share in (0.2, 0.5, 0.8):
        content = path.read_bytes()
        turn_over(path, share)
        with pytest.raises(ValidationError, match=r"r\.h5, which is damaged"):
            read_recording(path)
        path.write_bytes(content)


def test_what_runs_took_is_not_believed_from_a_damaged_file(tmp_path, monkeypatch):
    monkeypatch.setenv("NMJMC_CACHE_DIR", str(tmp_path / "cache"))
    speed.remember("cpu", "human", 8.0, 200)
    speed.remember_cost("cpu", ("human",), speed.Cost(200, 8.0, 1.0, 1.0, 1.0))
    assert speed.recall("cpu", "human") == 0.04
    for name, old in (("speed.json", "0.04"), ("costs.json", "8.0")):
        path = tmp_path / "cache" / name
        assert path.read_text().count(old) == 1
        path.write_text(path.read_text().replace(old, "9"))
    typical = speed.Typical(speed.Line(1.0, 0.1), 1.0, 1.0, speed.Line(1.0, 0.1))
    assert speed.recall("cpu", "human") is None and not speed.foretell("cpu", ("human",), 9, typical).by


@pytest.mark.parametrize("how", ["external", "1e12", "link"])
@pytest.mark.parametrize("kind", ["a block", "a bank", "a fit's state"])
def test_what_is_kept_of_a_run_reads_no_other_file_and_no_more_than_it_holds(
    kind, how, tmp_path, monkeypatch
):
    monkeypatch.setenv("NMJMC_CACHE_DIR", str(tmp_path / "cache"))
    human = nmjmc.preparation("human")
    if kind == "a bank":
        banks.write("k", banks.Bank(np.ones((2, 3), np.float32), 0.1, human, 1))
        path = banks.place_of("k")
    else:
        path = checkpoint.save_block(tmp_path / "c", KEY, 0, {"time": np.ones(3)})
    path.write_bytes(seal.without_seal(path.read_bytes()))
    (tmp_path / "secret").write_bytes(bytes(800))
    with h5py.File(path, "a") as file:
        if how == "external":
            file.create_dataset("more", (100,), "<f8", external=[(str(tmp_path / "secret"), 0, 800)])
        elif how == "1e12":
            file.create_dataset("more", (10**12,), "<f8")
        else:
            file["more"] = h5py.ExternalLink(str(tmp_path / "secret"), "x")
    readers = {
        "a block": lambda: checkpoint.load_blocks(tmp_path / "c", KEY),
        "a bank": lambda: banks.read("k", build_junction(describe(human))),
        "a fit's state": lambda: FitCheckpoint(path, KEY).state,
    }
    with pytest.warns(DamageWarning, match="is left out, because"):
        assert not readers[kind]()


def test_records_of_earlier_versions_have_no_checksum():
    record = {"a": [1, 2.5, None], "b": {"c": "µ"}}
    assert seal.unsealed(seal.sealed(record)) == record == seal.unsealed(json.dumps(record))
    with pytest.raises(seal.DamageError):
        seal.unsealed(seal.sealed(record).replace("2.5", "2.6"))
    assert seal.without_seal(b"old") == b"old" == seal.without_seal(seal.with_seal(b"old"))


JOURNALS = {
    "cut in its last line": (lambda text: text[:-9], None),
    "empty": (lambda text: "", "trial 0 is missing"),
    "garbage": (lambda text: "garbage\n" + text, "line 1 is no entry"),
    "of another version": (lambda text: '{"op_code": 99}\n' + text, "no journal of this study"),
    "another value of a parameter": (
        lambda text: text.replace('"param_value_internal":', '"param_value_internal":1'), "other values than its record"
    ),
    "another value of the objective": (
        lambda text: text.replace('"values":[', '"values":[1'), "other values than its record"
    ),
    "a device": (None, "it is no file"),
}  # fmt: skip


def test_a_damaged_journal_of_a_study_is_refused(capsys):
    density = "receptor.density=interval(1000 /um^2, 9000 /um^2)"
    study = ["sampler=optuna", "objective=amplitude", "direction=maximize", "points=2"]
    assert main(["sweep", density, *study, *POINTS[1:]]) == 0
    journal = Path("s/optuna.log")
    whole = journal.read_text()
    for name, (change, told) in JOURNALS.items():
        journal.unlink()
        if change is None:
            journal.symlink_to("/dev/zero")
        else:
            journal.write_text(change(whole))
        capsys.readouterr()
        assert main(["sweep", "resume=s"]) == (0 if told is None else 2), name
        said = capsys.readouterr().err
        assert told is None or (said.count("\n") == 1 and told in said and "optuna.log" in said), (name, said)
    assert main(["collect", "s"]) == 0


@pytest.mark.parametrize("name", ["points/000001.done.json", "sweep.json", "results/000001.h5"])
def test_a_device_in_a_folder_is_not_read_for_ever(name, capsys):
    assert main(["sweep", *POINTS]) == 0
    place = Path("s", name)
    place.unlink()
    place.symlink_to("/dev/zero")
    for words in (["collect", "s"], ["show", "s"], ["plot", "s"]):
        capsys.readouterr()
        assert main(words) == (0 if "results" in name else 2)
        said = capsys.readouterr().err
        assert "results" in name or (said.count("\n") == 1 and place.name in said), said


def test_the_folder_of_a_single_run_is_no_sweep(capsys):
    assert main(["simulate", "vesicles=1", "duration=1 ms", "hydra.run.dir=one"]) == 0
    assert main(["collect", "one"]) == 2 and "holds no points" in capsys.readouterr().err


def test_a_run_that_cannot_go_on_says_one_sentence(capfd):
    assert main(["simulate", *POINTS[1:3], "hydra.run.dir=one"]) == 0
    Path("one/result.h5").write_bytes(b"")
    capfd.readouterr()
    assert main(["simulate", *POINTS[1:3], "hydra.run.dir=one", "resume=true"]) == 2
    said = capfd.readouterr().err
    assert said.count("\n") == 1 and "result.h5" in said
