"""Arrays in foreign HDF5 and MATLAB files: the right way round, in the right unit, or refused in one sentence."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy import io

from nmjmc.data.recordings import read_recording
from nmjmc.data.recordings.layout import is_smooth, sweeps_first
from nmjmc.errors import ValidationError

pytestmark = pytest.mark.unit

CASES = Path(__file__).parents[3] / "shared" / "cases" / "tables"
cases = pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not here")

STEP = 0.05
TIME = STEP * np.arange(400)
RNG = np.random.default_rng(11)
SWEEPS = -np.exp(-np.maximum(TIME - 5, 0) / 3) * (TIME >= 5) * np.array([[20.0], [31.0], [12.0]])
SWEEPS = SWEEPS + 0.2 * RNG.normal(size=SWEEPS.shape)
GIVEN = {"unit": "pA", "sampling_interval": STEP}


def made(folder, attributes=None, name="x.h5", **datasets):
    """A foreign file; `a__b` is the dataset b of the group a, and attributes are those of the first dataset."""
    with h5py.File(folder / name, "w") as file:
        for key, values in datasets.items():
            file[key.replace("__", "/")] = values
        for key, value in (attributes or {}).items():
            file[next(iter(datasets)).replace("__", "/")].attrs[key] = value
    return folder / name


def refused(act):
    """The sentence of a refusal."""
    with pytest.raises(ValidationError) as caught:
        act()
    said = str(caught.value)
    assert len(said.splitlines()) == 1 and said.endswith((".", "?"))
    return said


def same(found, expected=SWEEPS):
    np.testing.assert_allclose(found.signal, 1e-3 * expected, rtol=1e-5)
    assert found.sampling_interval == pytest.approx(STEP, rel=1e-6) and found.unit == "nA"


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("kind", ["<f8", ">f4", "<f4"])
def test_sweeps_lie_in_rows_or_columns(turned, kind, tmp_path):
    array = (SWEEPS.T if turned else SWEEPS).astype(kind)
    same(read_recording(made(tmp_path, raw=array), **GIVEN))
    same(read_recording(made(tmp_path, time=TIME, raw=array, attributes={"units": "ms"}), unit="pA"))
    same(read_recording(made(tmp_path, raw=array), **GIVEN, sweeps="columns" if turned else "rows"))
    io.savemat(tmp_path / "x.mat", {"raw": array})
    same(read_recording(tmp_path / "x.mat", **GIVEN))
    io.savemat(tmp_path / "x.mat", {"raw": array, "t": TIME[:, None]})
    same(read_recording(tmp_path / "x.mat", unit="pA", time_unit="ms"))


def test_an_array_that_leaves_it_open_is_asked_for(tmp_path):
    for array in (
        np.zeros((1000, 3)),
        RNG.normal(size=(400, 3)),
        RNG.normal(size=(60, 50)),
        SWEEPS[:, 100:103].T,
    ):
        said = refused(lambda array=array: read_recording(made(tmp_path, raw=array), **GIVEN))
        assert "sweeps must be rows or columns" in said and "raw of x.h5" in said
        io.savemat(tmp_path / "x.mat", {"raw": array})
        assert "sweeps" in refused(lambda: read_recording(tmp_path / "x.mat", **GIVEN))
    # many events of few samples, as the documentation says that they lie
    many = np.tile(SWEEPS[:1, 90:150], (500, 1)) * RNG.lognormal(size=(500, 1))
    assert read_recording(made(tmp_path, raw=many), **GIVEN).signal.shape == (500, 60)
    said = refused(lambda: read_recording(made(tmp_path, raw=SWEEPS), **GIVEN, sweeps="rowss"))
    assert "did you mean rows" in said
    said = refused(
        lambda: read_recording(
            made(tmp_path, time=TIME, raw=SWEEPS), unit="pA", time_unit="ms", sweeps="columns"
        )
    )
    assert "rows in raw" in said
    said = refused(
        lambda: read_recording(made(tmp_path, time=TIME[:100], raw=SWEEPS), unit="pA", time_unit="ms")
    )
    assert "time of x.h5" in said


def test_the_names_of_axes_decide(tmp_path):
    array = RNG.normal(size=(300, 4))
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["time"] = STEP * np.arange(300)
        file["time"].attrs["units"] = "ms"
        file["raw"] = array
        file["time"].make_scale("time")
        file["raw"].dims[0].attach_scale(file["time"])
    np.testing.assert_allclose(read_recording(tmp_path / "x.h5", unit="pA").signal, 1e-3 * array.T)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["raw"] = array[:4, :3]
        file["raw"].dims[1].label = "sweep"
        file["raw"].dims[0].label = "time"
    assert read_recording(tmp_path / "x.h5", **GIVEN).signal.shape == (3, 4)
    assert "columns, as raw" in refused(lambda: read_recording(tmp_path / "x.h5", **GIVEN, sweeps="rows"))


UNITS = {
    "text": "pA", "bytes": np.bytes_(b"pA"), "padded": np.bytes_(b"pA\x00\x00"), "blank": " pA ", "list": ["pA"],
    "array of bytes": np.array([b"pA"], "S8"), "twice": np.array([b"pA", b"pA", b"pA"]),
    "latin": np.bytes_(b"\xb5A"), "utf-8": "µA", "nano": np.bytes_(b"nA\x00"),
}  # fmt: skip


@pytest.mark.parametrize("way", UNITS)
@pytest.mark.parametrize("name", ["units", "Unit", "UNITS"])
def test_units_are_texts_however_they_are_written(way, name, tmp_path):
    factor = {"latin": 1e3, "utf-8": 1e3, "nano": 1.0}.get(way, 1e-3)
    found = read_recording(made(tmp_path, {name: UNITS[way]}, raw=SWEEPS), sampling_interval=STEP)
    np.testing.assert_allclose(found.signal, factor * SWEEPS, rtol=1e-12)


@pytest.mark.parametrize(
    "unit", ["", "kg", "ms", b"\xff\xfe", ["pA", "mV"], 3.0, np.zeros(3), "pA or so", h5py.Empty("S1")]
)
def test_a_unit_that_is_none_is_refused(unit, tmp_path):
    said = refused(
        lambda: read_recording(made(tmp_path, {"units": unit}, raw=SWEEPS), sampling_interval=STEP)
    )
    assert "unit" in said and "raw of x.h5" in said


def test_a_given_unit_wins_and_is_told(tmp_path):
    found = read_recording(made(tmp_path, {"units": "nA"}, raw=SWEEPS), **GIVEN)
    same(found)
    assert "unit pA as given, the file says nA" in found.source


def test_whole_numbers_need_a_scale(tmp_path):
    counts = np.round(SWEEPS / 0.01).astype(np.int16)
    for attributes in (
        {"scale_factor": 0.01},
        {"conversion": np.float32(0.01)},
        {"scale": [0.01]},
        {"scale_factor": 0.01, "add_offset": 0.0},
    ):
        found = read_recording(
            made(tmp_path, {"units": "pA", **attributes}, raw=counts), sampling_interval=STEP
        )
        np.testing.assert_allclose(found.signal, 1e-5 * counts, rtol=1e-6)
    shifted = made(tmp_path, {"scale_factor": 0.01, "add_offset": 5.0, "units": "pA"}, raw=counts)
    np.testing.assert_allclose(
        read_recording(shifted, sampling_interval=STEP).signal, 1e-5 * counts + 5e-3, atol=1e-12
    )
    found = read_recording(made(tmp_path, raw=counts), sampling_interval=STEP, scale="0.01 pA")
    np.testing.assert_allclose(found.signal, 1e-5 * counts, rtol=1e-12)
    for attributes in ({}, {"gain": 100.0}, {"units": "pA"}):
        said = refused(lambda a=attributes: read_recording(made(tmp_path, a, raw=counts), **GIVEN))
        assert "steps of a converter" in said and "scale='0.03 pA'" in said
    for attributes in (
        {"scale": 0.01, "offset": 3},
        {"scale_factor": np.nan},
        {"scale_factor": "x"},
        {"scale_factor": [1, 2]},
    ):
        assert "raw of x.h5" in refused(
            lambda a=attributes: read_recording(made(tmp_path, a, raw=counts), **GIVEN)
        )
    assert "a current or a potential" in refused(
        lambda: read_recording(made(tmp_path, raw=counts), sampling_interval=STEP, scale="0.01 kg")
    )
    io.savemat(tmp_path / "x.mat", {"raw": counts})
    assert "steps of a converter" in refused(lambda: read_recording(tmp_path / "x.mat", **GIVEN))
    filled = made(
        tmp_path,
        {"scale_factor": 0.01, "_FillValue": np.int16(-1), "units": "pA"},
        raw=np.int16([1, 5, -1, 4]),
    )
    assert "NaN" in refused(lambda: read_recording(filled, sampling_interval=STEP))


def test_what_the_file_says_of_its_sampling_must_agree(tmp_path):
    for attributes in (
        {"sampling_rate": 20000.0},
        {"dt": 5e-5},
        {"fs_khz": 20},
        {"sampling_interval": "0.05 ms"},
        {"SampleRate": "20 kHz"},
    ):
        path = made(tmp_path, attributes, raw=SWEEPS)
        same(read_recording(path, **GIVEN))
        said = refused(lambda path=path: read_recording(path, unit="pA", sampling_interval=0.2))
        assert "0.05" in said and "x.h5" in said
    for attributes in (
        {"sampling_interval": "0.05 ms"},
        {"SampleRate": b"20 kHz"},
        {"fs_khz": 20},
        {"dt_us": 50.0},
    ):
        same(read_recording(made(tmp_path, attributes, raw=SWEEPS), unit="pA"))
    said = refused(lambda: read_recording(made(tmp_path, {"sampling_rate": 20000.0}, raw=SWEEPS), unit="pA"))
    assert "sampling_rate of x.h5 has no unit" in said
    path = made(tmp_path, time=TIME.astype("<f4"), raw=SWEEPS)
    same(read_recording(path, **GIVEN))
    same(read_recording(path, unit="pA", time_unit="ms"))
    assert "0.05" in refused(lambda: read_recording(path, unit="pA", sampling_interval=0.3))
    assert "time_unit" in refused(lambda: read_recording(path, unit="pA"))
    path = made(tmp_path, time=TIME**2, raw=SWEEPS)
    assert "evenly spaced" in refused(lambda: read_recording(path, unit="pA", time_unit="ms"))


def test_a_compound_type_is_a_table(tmp_path):
    rows = np.zeros(400, [("time (ms)", "<f8"), ("I1 (pA)", "<f8"), ("I2 (nA)", "<f4"), ("note", "S3")])
    rows["time (ms)"], rows["I1 (pA)"], rows["I2 (nA)"] = TIME, SWEEPS[0], 1e-3 * SWEEPS[1]
    same(read_recording(made(tmp_path, table=rows)), SWEEPS[:2])
    same(read_recording(made(tmp_path, table=rows, other=SWEEPS), dataset="table"), SWEEPS[:2])
    same(read_recording(made(tmp_path, table=rows, other=SWEEPS), dataset="other", **GIVEN))
    words = np.zeros(4, [("note", "S3"), ("kind", "S3")])
    assert "one of numbers" in refused(lambda: read_recording(made(tmp_path, table=words)))


def test_matlab_7_3_is_read_as_matlab_shows_it(tmp_path):
    with h5py.File(tmp_path / "x.mat", "w") as file:
        file["raw"] = SWEEPS  # [400, 3] in MATLAB
        file["raw"].attrs["MATLAB_class"] = np.bytes_(b"double")
        file["name"] = np.frombuffer("cell".encode("utf-16-le"), np.uint16)[:, None]
        file["name"].attrs["MATLAB_class"] = np.bytes_(b"char")
        file["#refs#/a"] = np.ones((2, 50))
    same(read_recording(tmp_path / "x.mat", **GIVEN))
    same(read_recording(tmp_path / "x.mat", **GIVEN, sweeps="columns"))


def test_other_matlab_files_are_refused_in_a_sentence(tmp_path):
    io.savemat(tmp_path / "x.mat", {"s": {"values": SWEEPS}, "c": "text"})
    assert "s (struct), c (char)" in refused(lambda: read_recording(tmp_path / "x.mat", **GIVEN))
    io.savemat(tmp_path / "x.mat", {"raw": SWEEPS + 1j})
    assert "real numbers" in refused(lambda: read_recording(tmp_path / "x.mat", **GIVEN))
    io.savemat(tmp_path / "x.mat", {"a": SWEEPS, "b": SWEEPS})
    assert "one of a, b in x.mat" in refused(lambda: read_recording(tmp_path / "x.mat", **GIVEN))
    assert "did you mean a" in refused(lambda: read_recording(tmp_path / "x.mat", **GIVEN, dataset="aa"))
    whole = (tmp_path / "x.mat").read_bytes()
    for broken in (b"", b"no matlab", whole[:200], whole[:-900]):
        (tmp_path / "x.mat").write_bytes(broken)
        assert "x.mat" in refused(lambda: read_recording(tmp_path / "x.mat", **GIVEN, dataset="b"))


def test_names_with_marks_of_other_languages_are_names(tmp_path):
    path = made(tmp_path, **{"[/x]": SWEEPS, "a[bold]": SWEEPS})
    assert "a[bold]" in refused(lambda: read_recording(path, **GIVEN))
    same(read_recording(path, **GIVEN, dataset="a[bold]"))
    assert "one of x.h5" in refused(lambda: read_recording(path, **GIVEN, dataset="[/y]"))


def test_a_sweep_that_ends_before_the_others_keeps_its_length(tmp_path):
    padded = SWEEPS.copy()
    padded[1, 300:] = np.nan
    found = read_recording(made(tmp_path, raw=padded), **GIVEN)
    assert found.length.tolist() == [400, 300, 400]
    padded[1, 200] = np.nan
    assert "finite" in refused(lambda: read_recording(made(tmp_path, raw=padded), **GIVEN))


def test_smooth_is_what_the_time_makes():
    assert is_smooth(SWEEPS, 1) and not is_smooth(SWEEPS, 0)
    assert not is_smooth(RNG.normal(size=(50, 60)), 0) and not is_smooth(np.ones((5, 5)), 1)
    with pytest.raises(ValidationError, match="of one axis"):
        sweeps_first(np.zeros((2, 3, 4)), "x")


@cases
def test_the_cases_are_read_right_or_refused():
    assert "sweeps" in refused(lambda: read_recording(CASES / "tall.h5", sampling_interval=STEP))
    assert "steps of a converter" in refused(lambda: read_recording(CASES / "i16.h5", **GIVEN))
    assert read_recording(CASES / "bytesunit.h5", sampling_interval=STEP).signal.shape == (3, 1000)
