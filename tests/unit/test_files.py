"""Result files: whole or absent, self-describing, and read back to the same bits."""

import json
import os
import signal
import subprocess
import sys
import textwrap

import h5netcdf
import h5py
import jax
import numpy as np
import pytest
import xarray

import nmjmc
from nmjmc.data import checkpoint, provenance
from nmjmc.data.atomic import atomic, write_text
from nmjmc.data.variables import attributes, in_parts, joined, variables
from nmjmc.errors import ValidationError
from tests.records import formula_result

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def result():
    return formula_result()


@pytest.fixture
def path(result, tmp_path):
    return result.save(tmp_path / "result.h5")


def test_load_gives_the_same_bits(result, path):
    again = nmjmc.load(path)
    for name, values in result.counts.items():
        assert again.counts[name].dtype == np.int32
        np.testing.assert_array_equal(again.counts[name], values)
    np.testing.assert_array_equal(again.time, result.time)
    assert (again.seed, again.settings, again.provenance) == (3, result.settings, result.provenance)
    first, second = jax.tree.leaves(result.synapse), jax.tree.leaves(again.synapse)
    assert all(np.asarray(a).tobytes() == np.asarray(b).tobytes() for a, b in zip(first, second, strict=True))
    assert jax.tree.structure(result.synapse) == jax.tree.structure(again.synapse)


@pytest.mark.parametrize("name", nmjmc.available_preparations())
def test_every_preparation_survives_the_file(name, tmp_path):
    synapse = nmjmc.load(formula_result(vesicles=1, preparation=name).save(tmp_path / "r.h5")).synapse
    assert nmjmc.describe(synapse) == nmjmc.describe(nmjmc.preparation(name))


def test_xarray_opens_it_with_units_and_coordinates(result, path):
    with xarray.open_dataset(path, engine="h5netcdf") as dataset:
        assert dict(dataset.sizes) == {"vesicle": 6, "time": 601}
        assert dataset["time"].attrs["units"] == "ms" and dataset["current"].attrs["units"] == "nA"
        assert all("units" in dataset[name].attrs for name in dataset.variables)
        wanted = {"R", "AR", "A2R", "A2Ro", "E", "EA", "free_ach", "hydrolysed", "escaped", "open_channels"}
        assert wanted <= set(dataset.data_vars)
        assert dataset.attrs["schema_version"] == 1 and dataset.attrs["seed"] == 3
        assert json.loads(dataset.attrs["config"])["synapse"]["receptor"]["density"] == "7500 /um^2"
        assert dataset.identical(result.to_xarray())


def test_h5py_alone_opens_it(path):
    with h5py.File(path) as file:
        assert file["A2Ro"].shape == (6, 601)
        assert [scale.name for dimension in file["A2Ro"].dims for scale in dimension.values()] == [
            "/vesicle", "/time",
        ]  # fmt: skip


def test_positions_travel_too(tmp_path):
    import dataclasses

    positions = np.full((2, 5, 3), np.nan, np.float32)
    seen = dataclasses.replace(formula_result(), positions=positions, position_time=np.array([0.0, 0.1]))
    again = nmjmc.load(seen.save(tmp_path / "r.h5"))
    np.testing.assert_array_equal(again.positions, positions)
    with xarray.open_dataset(
        tmp_path / "r.h5", engine="h5netcdf"
    ) as dataset:  # two dimensions have no variable
        assert dataset["positions"].dims == ("frame", "molecule", "axis")
        assert dataset.identical(seen.to_xarray())


def test_the_file_is_laid_out_as_a_general_writer_lays_it_out(result, path, tmp_path):
    """Names, dimensions, numbers of the dimensions, types and attributes are those that h5netcdf itself writes."""
    with h5netcdf.File(tmp_path / "other.h5", "w") as file:
        for v in variables(result):
            for name, size in zip(v.dimensions, v.values.shape, strict=True):
                if name not in file.dimensions:
                    file.dimensions[name] = size
            made = file.create_variable(v.name, v.dimensions, data=v.values)
            made.attrs["units"], made.attrs["long_name"] = v.units, v.long_name
        file.attrs.update(attributes(result))
    with h5py.File(path) as ours, h5py.File(tmp_path / "other.h5") as theirs:
        assert list(ours) == list(theirs)
        assert dict(ours.attrs).keys() == dict(theirs.attrs).keys()
        assert all(ours.attrs[name] == theirs.attrs[name] for name in ours.attrs if name != "_NCProperties")
        for name in ours:
            assert (ours[name].dtype, ours[name].shape) == (theirs[name].dtype, theirs[name].shape)
            mine, other = dict(ours[name].attrs), dict(theirs[name].attrs)
            assert mine.keys() == other.keys(), name
            for key in ("CLASS", "NAME", "units", "long_name", "_Netcdf4Dimid"):
                assert mine.get(key) == other.get(key), (name, key)


def test_a_folder_of_a_run_can_be_loaded(path):
    assert nmjmc.load(path.parent).seed == 3


def test_what_is_no_result_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "text.h5").write_text("hello")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    for name, words in (("none.h5", "no file"), ("text.h5", "HDF5"), ("other.h5", "not written by nmjmc")):
        with pytest.raises(ValidationError, match=words):
            nmjmc.load(tmp_path / name)


def test_a_newer_schema_is_refused(path):
    with h5py.File(path, "a") as file:
        file.attrs["schema_version"] = 99
    with pytest.raises(ValidationError, match="install a newer nmjmc"):
        nmjmc.load(path)


def test_a_long_config_is_keptin_parts():
    text = "x" * 150_000
    parts = in_parts("config", text)
    assert len(parts) == 3 and joined("config", parts) == text


def test_a_failed_write_leaves_what_was_there(tmp_path):
    target = tmp_path / "file"
    write_text(target, "old")
    with pytest.raises(KeyboardInterrupt), atomic(target) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert target.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_killed_write_leaves_no_result(tmp_path):
    """kill -9 in the middle of a write: the name is never seen with half a file behind it."""
    script = f"""
        import os, signal
        from nmjmc.data.atomic import atomic
        with atomic({str(tmp_path / "result.h5")!r}) as temporary:
            temporary.write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "result.h5").exists()


def test_files_are_readable_by_others_as_the_umask_says(tmp_path):
    previous = os.umask(0o022)
    try:
        write_text(tmp_path / "file", "x")
    finally:
        os.umask(previous)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


def test_checkpoint_blocks_come_back_and_belong_to_one_run(tmp_path):
    folder, key = tmp_path / "parts", checkpoint.fingerprint({"a": 1, "seed": 2})
    checkpoint.save_block(folder, key, 10, {"content": np.arange(3)})
    checkpoint.save_block(folder, key, 0, {"content": np.arange(10)})
    blocks = checkpoint.load_blocks(folder, key)
    assert list(blocks) == [0, 10] and blocks[10]["content"].tolist() == [0, 1, 2]
    with pytest.raises(ValidationError, match="same run"):
        checkpoint.load_blocks(folder, checkpoint.fingerprint({"a": 1, "seed": 3}))
    with (folder / "vesicles_00000010.h5").open("r+b") as file:
        file.truncate(100)
    assert list(checkpoint.load_blocks(folder, key)) == [0]  # a damaged block is computed again
    checkpoint.remove(folder)
    assert checkpoint.load_blocks(folder, key) == {}


def test_provenance_says_where_a_number_came_from():
    found = provenance.collect()
    assert found["version_jax"] == jax.__version__ and found["version_nmjmc"]
    assert found["device"].startswith("cpu") and found["precision"] == "float32"
    assert found["git_dirty"] in (-1, 0, 1) and (found["git_revision"] == "") == (found["git_dirty"] == -1)
