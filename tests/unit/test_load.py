"""`nmjmc.load` opens every kind of file and folder that is kept, `nmjmc.rerun` and `nmjmc.plot` do what methods do."""

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray

import nmjmc
from nmjmc.cli.main import main
from nmjmc.data.compare import compare_examinations
from nmjmc.errors import ValidationError
from tests.records import formula_result

pytestmark = pytest.mark.unit
FILES = Path(__file__).parents[1] / "files"


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder with one of each kind, each in a folder of its own, and one result beside them."""
    folder = tmp_path_factory.mktemp("outputs")
    for name, file in (("rns-run", "result.h5"), ("fit-run", "fit.h5"), ("human-run", "result.h5")):
        (folder / name).mkdir()
        source = {"rns-run": "bedside_v1.h5", "fit-run": "fit_v1.h5", "human-run": "result_v1.h5"}[name]
        shutil.copy(FILES / source, folder / name / file)
    shutil.copytree(FILES / "sweep_v1", folder / "sweep-run", ignore=shutil.ignore_patterns("sweep.nc"))
    formula_result(vesicles=1).save(folder / "alone.h5")
    (folder / "empty").mkdir()
    (folder / "notes.txt").write_text("not ours")
    return folder


KINDS = {"rns-run": "Examination", "fit-run": "FitRecord", "human-run": "Result", "alone.h5": "Result"}


@pytest.mark.parametrize("name", KINDS)
def test_files_and_folders_of_runs_are_opened_by_what_they_are(name, kept):
    found = nmjmc.load(kept / name)
    assert type(found).__name__ == KINDS[name]
    for path in (kept / name).glob("*.h5"):
        assert type(nmjmc.load(path)) is type(found)
        other = path.rename(path.with_suffix(".hdf5"))  # whatever it is called
        assert type(nmjmc.load(other)) is type(found)
        other.rename(path)


def test_a_folder_of_several_opens_each_by_its_name(kept):
    several = nmjmc.load(kept)
    assert set(several) == {*KINDS, "sweep-run"} and len(several) == 5
    told = repr(several)
    assert all(name in told for name in several) and "examination" in told and "notes" not in told
    assert "<td>fit</td>" in several._repr_html_()
    assert type(several["rns-run"]).__name__ == "Examination"
    swept = several["sweep-run"].summary()
    assert swept["points"] == 8 and len(swept["done"]) + len(swept["failed"]) == 8 and not swept["missing"]
    json.dumps(swept, allow_nan=False)
    with pytest.raises(KeyError):
        several["empty"]


def test_the_table_of_a_sweep_is_opened_without_its_folder(kept, tmp_path):
    folder, old = nmjmc.load(kept / "sweep-run"), nmjmc.load(FILES / "sweep_v1" / "sweep.nc")
    found = nmjmc.load(folder.save(tmp_path / "mine.nc"))
    for some in (found, old):
        assert some.done == folder.done and some.failed == folder.failed and len(some) == len(folder)
        np.testing.assert_array_equal(some.feature("amplitude"), folder.feature("amplitude"))
    for parameter in folder.table.parameters:
        np.testing.assert_array_equal(found.parameter(parameter.name), parameter.values)
        assert parameter.unit == next(p.unit for p in found.table.parameters if p.name == parameter.name)
    assert found.summary() == folder.summary() and str(found).splitlines()[2:] == str(folder).splitlines()[2:]
    assert found.to_xarray().identical(folder.to_xarray()) and found.refresh().done == folder.done
    assert found.missing == folder.missing and found.running == []
    with pytest.raises(ValidationError, match="load the folder of the sweep"):
        found.result(found.done[0])


def test_the_folder_of_a_quantal_analysis_is_opened(tmp_path):
    generator = np.random.default_rng(3)
    report = nmjmc.quantal(generator.normal(1.0, 0.25, 60), kind="miniatures", unit="nA", resamples=50)
    found = nmjmc.load(report.save(tmp_path / "analysed"))
    assert (
        type(found) is type(report)
        and str(found) == str(report)
        and list(nmjmc.load(tmp_path)) == ["analysed"]
    )
    assert set(found.curves) == set(report.curves)
    for name, curve in report.curves.items():
        for key, values in curve.columns.items():
            np.testing.assert_allclose(found.curves[name][key], values, rtol=1e-6)
        assert {k: v for k, v in found.curves[name].units.items() if v} == {
            k: v for k, v in curve.units.items() if v
        }
    (tmp_path / "analysed" / "table.csv").write_text("name,unit\n")
    (tmp_path / "analysed" / "summary.json").write_text("{")
    with pytest.raises(ValidationError, match="analyse the recording again"):
        nmjmc.load(tmp_path / "analysed")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("none.h5", "there is no file"),
        ("empty", "nothing that nmjmc keeps"),
        ("notes.txt", "cannot be read as HDF5|a result file"),
        ("mine.yaml", r"nmjmc\.preparation"),
        ("sweep-run/sweep.json", "load its folder"),
        ("other.h5", "not written by nmjmc"),
        ("broken.nc", "sweep.nc.*damaged|broken.nc.*damaged|cannot be read"),
        (3, "a file or a folder"),
    ],
)
def test_what_is_none_of_them_gets_one_sentence(name, sentence, kept, tmp_path):
    whole = (FILES / "sweep_v1" / "sweep.nc").read_bytes()
    (tmp_path / "broken.nc").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "mine.yaml").write_text("name: mine\n")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    place = name if isinstance(name, int) else (tmp_path if (tmp_path / name).exists() else kept) / name
    load = getattr(nmjmc.load, "__wrapped__", nmjmc.load)
    with pytest.raises(ValidationError, match=sentence) as caught:
        load(place)
    assert "\n" not in str(caught.value)


def test_an_examination_is_a_dataset_a_table_and_a_figure(kept, tmp_path):
    found = nmjmc.load(kept / "rns-run")
    ours = found.to_xarray()
    found.save(tmp_path / "again.h5")
    with xarray.open_dataset(tmp_path / "again.h5") as theirs:
        assert set(ours.variables) == set(theirs.variables)
        for name in ours.variables:
            np.testing.assert_array_equal(ours[name], theirs[name])
            assert ours[name].attrs["units"] == theirs[name].attrs["units"]
        assert ours.attrs["told"] == theirs.attrs["told"]
    html = found._repr_html_()
    assert "95 % interval" in html and all(row.name in html for row in found.finding.rows)
    nmjmc.plot(found, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", KINDS)
def test_show_prints_any_kind_and_draws_it(name, kept, tmp_path, capsys):
    if name == "fit-run":
        words = ["show", str(kept / name)]
    else:
        words = ["show", str(kept / name), f"figure={tmp_path / 'f.png'}"]
    assert main(words) == 0
    assert len(capsys.readouterr().out.splitlines()) > 5


def test_examinations_are_compared_by_their_bits_and_their_intervals(kept):
    old = nmjmc.load(kept / "rns-run")
    assert compare_examinations(old, old).same_bits and compare_examinations(old, old).agrees
    rows = tuple(
        row._replace(value=row.value + 1, low=row.low + 1, high=row.high + 1) for row in old.finding.rows
    )
    arrays = {name: array._replace(values=array.values + 1) for name, array in old.finding.arrays.items()}
    moved = type(old)(type(old.finding)("rns", rows, "", arrays), old.config, old.seed, old.provenance)
    found = compare_examinations(old, moved)
    assert not found.same_bits and found.farthest[1] > 0


def test_a_fit_is_not_made_again_by_rerun(kept):
    with pytest.raises(ValidationError, match="nmjmc fit config=FOLDER"):
        nmjmc.rerun(nmjmc.load(kept / "fit-run"))
