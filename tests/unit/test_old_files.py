"""A file of every version of every format that was ever written is kept here, and opens."""

import shutil
from pathlib import Path

import h5netcdf
import numpy as np
import pytest

import nmjmc
from nmjmc.cli.main import main
from nmjmc.data import examination, fits, sweep, sweep_table, variables
from nmjmc.data.sweep import DONE, FAILED, Sweep
from nmjmc.sweeps.gather import gather
from tests.records import stand_in_for_the_kernel

pytestmark = pytest.mark.unit
FILES = Path(__file__).parents[1] / "files"
FORMATS = {
    "result": (variables.SCHEMA_VERSION, "result_v{}.h5"),
    "sweep": (sweep.SWEEP_VERSION, "sweep_v{}/sweep.json"),
    "collection": (sweep_table.COLLECTION_VERSION, "sweep_v{}/sweep.nc"),
    "fit": (fits.SCHEMA_VERSION, "fit_v{}.h5"),
    "bedside test": (examination.SCHEMA_VERSION, "bedside_v{}.h5"),
}


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """A copy of the old sweep, with the formulas in the place of the kernel."""
    stand_in_for_the_kernel(monkeypatch, tmp_path)
    shutil.copytree(FILES / "sweep_v1", "s")
    return Path("s")


@pytest.mark.parametrize("name", FORMATS)
def test_no_version_is_without_a_file(name):
    newest, pattern = FORMATS[name]
    assert all((FILES / pattern.format(version)).is_file() for version in range(1, newest + 1))


@pytest.mark.filterwarnings("error")  # of its two features one has no value at any point
def test_an_old_sweep_is_gathered_and_drawn(folder, capsys):
    table = gather(folder)
    assert list(table.status) == [DONE, FAILED, DONE, DONE] * 2
    assert [p.name for p in table.parameters] == [
        "receptor.density", "cleft.height", "vesicle.release_depth",
    ]  # fmt: skip
    with h5netcdf.File(folder / "sweep.nc") as kept:
        assert kept.attrs["schema_version"] == 1
        for name, (mean, _, _) in table.features.items():
            if name in kept.variables:
                np.testing.assert_array_equal(kept[name][...], mean, err_msg=name)
        assert "amplitude" in kept.variables
    assert main(["collect", "s", "out=again.nc"]) == 0
    assert "6 of 8 points are done" in capsys.readouterr().out
    assert main(["plot", "s"]) == 0


def test_an_old_sweep_goes_on(folder):
    """What is whole stays; what is missing is run, and what failed fails again."""
    (folder / "points" / "000004.done.json").unlink()
    before = (folder / "points" / "000006.done.json").read_bytes()
    assert main(["sweep", "resume=s", "device=cpu", "progress=false"]) == 1
    assert list(gather(folder).status) == [DONE, FAILED, DONE, DONE] * 2
    assert (folder / "points" / "000006.done.json").read_bytes() == before
    assert nmjmc.load(Sweep.open(folder).result_path(0)).vesicles == 2


def test_an_old_fit_opens(capsys):
    found = fits.load_fit(FILES / "fit_v1.h5")
    assert found.names and np.all(found.low < found.estimate) and np.all(found.estimate < found.high)
    assert set(found.profiles) == {"receptor.closing_rate"} and found.datasets
    assert main(["show", str(FILES / "fit_v1.h5")]) == 0
    assert "receptor.closing_rate" in capsys.readouterr().out


def test_an_old_bedside_test_opens(capsys):
    found = nmjmc.load_examination(FILES / "bedside_v1.h5")
    assert found.finding.test == "epp" and found.finding.rows and found.finding.arrays
    assert main(["show", str(FILES / "bedside_v1.h5")]) == 0
    assert capsys.readouterr().out
