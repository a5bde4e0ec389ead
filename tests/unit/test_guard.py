"""HDF5 files that declare what they do not hold, or reach into others: refused in a sentence, whatever door is used."""

import h5py
import numpy as np
import pytest

import nmjmc
from nmjmc.data.fits import is_fit
from nmjmc.data.hdf5 import load, save
from nmjmc.data.recordings import read_recording
from nmjmc.errors import ValidationError
from tests.records import formula_result

pytestmark = pytest.mark.unit

ATTRIBUTES = {
    "result": {"schema_version": 1, "config_0": "{}", "seed": 1},
    "examination": {"examination_schema_version": 1},
    "fit": {"fit_schema_version": 1},
    "recording": {"format": "nmjmc recording"},
    "foreign": {},
}
DOORS = {
    "result": nmjmc.load,
    "examination": nmjmc.load_examination,
    "fit": nmjmc.load_fit,
    "recording": read_recording,
    "foreign": lambda path: read_recording(path, dataset="signal", sampling_interval=0.1, unit="pA"),
}


def declares(path, records, **layout):
    with h5py.File(path, "a") as file:
        made = file.create_dataset("signal", (records,), "<f8", **layout)
        made.attrs["units"] = "pA"


def elsewhere(path, how):
    """The samples of one file, in another."""
    other = path.with_name("other.h5")
    with h5py.File(other, "w") as file:
        file["signal"] = np.ones(100)
        place = file["signal"].id.get_offset()
    with h5py.File(path, "a") as file:
        if how == "external":
            file.create_dataset("signal", (100,), "<f8", external=[(str(other), place, 800)])
        elif how == "virtual":
            layout = h5py.VirtualLayout((100,), "<f8")
            layout[:] = h5py.VirtualSource(str(other), "signal", (100,))
            file.create_virtual_dataset("signal", layout)
        else:
            file["signal"] = h5py.ExternalLink(str(other), "signal")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "fault", ["1e9", "1e12", "1e12 in chunks", "external", "virtual", "link", "nothing", "text"]
)
def test_what_a_file_cannot_hold_is_not_read(door, fault, tmp_path):
    path = tmp_path / "small.h5"
    with h5py.File(path, "w") as file:
        file.attrs.update(ATTRIBUTES[door])
    if fault.startswith("1e"):
        layout = {"chunks": (1024,), "compression": "gzip"} if "chunks" in fault else {}
        declares(path, int(float(fault.split(" ")[0])), **layout)
    elif fault == "text":
        path.write_text("no file of this kind")
    elif fault != "nothing":
        elsewhere(path, fault)
    with pytest.raises(ValidationError) as caught:
        DOORS[door](path)
    said = str(caught.value)
    assert "small.h5" in said and len(said.splitlines()) == 1
    told = {"external": "another file", "virtual": "another file", "link": "other.h5"}
    assert (fault == "link" and door == "foreign") or told.get(fault, "") in said


def test_a_damaged_file_is_no_traceback(tmp_path):
    """Bytes of a result turned over one place after another: it is read or refused, and never more than that."""
    save(formula_result(), tmp_path / "result.h5")
    whole = (tmp_path / "result.h5").read_bytes()
    rng = np.random.default_rng(7)
    refused = 0
    for place in rng.integers(0, min(len(whole), 20_000), 30):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        (tmp_path / "damaged.h5").write_bytes(damaged)
        try:
            is_fit(tmp_path / "damaged.h5")
            load(tmp_path / "damaged.h5")
        except ValidationError as error:
            refused += 1
            assert "damaged.h5" in str(error)
    assert refused > 5
