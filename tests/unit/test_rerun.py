"""Old results: they open, they are run again, and the comparison says which way they agree."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nmjmc
from nmjmc.cli.main import main
from nmjmc.data.compare import compare
from nmjmc.data.variables import SCHEMA_VERSION
from tests.records import formula_result, formula_run

pytestmark = pytest.mark.unit
FILES = Path(__file__).parents[1] / "files"


@pytest.fixture(autouse=True)
def stand_in(monkeypatch, tmp_path):
    monkeypatch.setattr("nmjmc.kernel.simulate.run", formula_run)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def kept(monkeypatch):
    """A run's folder, made by code without changes."""
    monkeypatch.setattr("nmjmc.data.provenance.revision_of_code", lambda: ("abc", 0))
    assert main(["simulate", "vesicles=40", "duration=6 ms", "seed=4", "hydra.run.dir=run"]) == 0
    return Path("run/result.h5")


def test_one_file_of_every_schema_version_is_kept_and_opens():
    for version in range(1, SCHEMA_VERSION + 1):
        assert (FILES / f"result_v{version}.h5").exists()
    old = nmjmc.load(FILES / "result_v1.h5")
    assert old.seed == 9 and old.vesicles == 2 and old.conserved()
    assert nmjmc.describe(old.synapse)["vesicle"]["content_mean"] == "600 molecules"
    assert float(old.time[-1]) == pytest.approx(0.3) and old.counts["A2Ro"].max() > 0
    nmjmc.build(nmjmc.describe(old.synapse))


def test_the_same_code_gives_the_same_bits(kept, capsys):
    capsys.readouterr()
    assert main(["rerun", str(kept), "out=again.h5"]) == 0
    assert capsys.readouterr().out.strip() == "The same bits."
    np.testing.assert_array_equal(nmjmc.load("again.h5").current, nmjmc.load(kept).current)


def test_other_bits_by_the_same_code_are_a_fault(kept, monkeypatch, capsys):
    def other(synapse, *, seed, **arguments):
        return formula_run(synapse, seed=seed + 1, **arguments)

    monkeypatch.setattr("nmjmc.kernel.simulate.run", other)
    assert main(["rerun", str(kept)]) == 1
    assert "DIFFERENT: the bits differ" in capsys.readouterr().out


def test_another_version_agrees_within_chance_or_not(kept, monkeypatch, capsys):
    old = nmjmc.load(kept)
    dataclasses.replace(old, provenance={**old.provenance, "version_jax": "0.1"}).save("old.h5")

    def other(synapse, *, seed, **arguments):
        return formula_run(synapse, seed=seed + 1, **arguments)

    def wrong(synapse, **arguments):
        record = formula_run(synapse, **arguments)
        record.counts["A2Ro"] = record.counts["A2Ro"] // 2  # half the current
        return record

    monkeypatch.setattr("nmjmc.kernel.simulate.run", other)
    assert main(["rerun", "old.h5"]) == 0
    printed = capsys.readouterr().out
    assert "the same within chance" in printed and "version_jax: 0.1" in printed and "tolerance 5" in printed
    monkeypatch.setattr("nmjmc.kernel.simulate.run", wrong)
    assert main(["rerun", "old.h5"]) == 1
    assert "Other bits, DIFFERENT" in capsys.readouterr().out


def test_code_with_changes_is_never_known_to_be_the_same():
    old = formula_result()
    dirty = dataclasses.replace(old, provenance={**old.provenance, "git_dirty": 1})
    assert compare(old, old).bits_expected and not compare(dirty, dirty).bits_expected
    assert compare(dirty, dirty).same_bits and compare(dirty, dirty).agrees


def test_the_distance_is_in_standard_errors():
    first, second = formula_result(seed=1), formula_result(seed=2)
    a, b = (result.summary()["features"]["charge"] for result in (first, second))
    error = np.hypot(a["standard_error"], b["standard_error"])
    assert compare(first, second).distances["charge"] == pytest.approx(abs(a["mean"] - b["mean"]) / error)


def test_rerun_wants_one_file(capsys):
    assert main(["rerun"]) == 2 and main(["rerun", "none.h5"]) == 2 and main(["rerun", "a", "b"]) == 2
    assert "there is no file" in capsys.readouterr().err


def test_a_file_that_another_program_has_locked_is_told(capsys):
    """HDF5 locks a file that a program writes to."""
    kept = formula_result().save("kept.h5")
    script = f"import h5py, sys\nfile = h5py.File({str(kept)!r}, 'a')\nprint('locked', flush=True)\nsys.stdin.read()"
    writer = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert writer.stdout.readline() == "locked\n"
        assert main(["rerun", str(kept)]) == 2
        said = capsys.readouterr().err
        assert "which another program has locked; close it there" in said and len(said.splitlines()) == 1
    finally:
        writer.communicate("")
