"""Recordings in HDF5: this package's own, which say all of themselves, and foreign ones, which do not."""

from __future__ import annotations

import io
from dataclasses import fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nmjmc.analysis.recording import Recording
from nmjmc.data.atomic import write_bytes
from nmjmc.data.guard import check_dataset, check_file, opened
from nmjmc.data.recordings.arrays import Array, recording_from
from nmjmc.data.recordings.attributes import text_of
from nmjmc.data.recordings.corrections import said_unit
from nmjmc.data.recordings.headings import TIMES, name_and_unit
from nmjmc.data.recordings.optional import to_unit
from nmjmc.data.recordings.table import recording_of
from nmjmc.data.recordings.text import Columns
from nmjmc.data.seal import with_seal
from nmjmc.errors import ValidationError

_FORMAT = "nmjmc recording"
_SCALARS = ("sampling_interval", "holding_potential", "bandwidth", "series_resistance", "temperature")
_UNITS = dict(zip(_SCALARS, ("ms", "mV", "kHz", "MOhm", "degC"), strict=True))
_SAMPLES = (*TIMES, "sample", "samples")
_MATLAB = ("double", "single", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def write_recording(recording: Recording, path: str | Path) -> Path:
    """Write a recording so that `read_recording` gives it back, bit for bit; the file appears whole or not at all."""
    image = io.BytesIO()  # in memory: a disk that is full while HDF5 closes its file ends the whole process
    with h5py.File(image, "w") as file:
        file.attrs.update(
            {"format": _FORMAT, "schema_version": 1, "name": recording.name, "source": recording.source}
        )
        signal = file.create_dataset("signal", data=recording.signal, compression="gzip", shuffle=True)
        signal.attrs["units"] = recording.unit
        starts = file.create_dataset("sweep_start", data=recording.sweep_start)
        starts.attrs["units"] = "ms"
        if not recording.even:
            file.create_dataset("length", data=recording.length)
        if recording.command.size:
            file.create_dataset("command", data=recording.command, compression="gzip", shuffle=True)
        for name in _SCALARS:
            made = file.create_dataset(name, data=float(getattr(recording, name)))
            made.attrs["units"] = _UNITS[name]
    return write_bytes(path, with_seal(image.getbuffer()))


def read_hdf5(
    path: str | Path,
    *,
    dataset: str | None = None,
    sampling_interval: float | None = None,
    unit: str | None = None,
    time_unit: str | None = None,
    sweeps: str | None = None,
    scale: str | None = None,
    signal: str | None = None,
    **known: Any,
) -> Recording:
    """Read a recording from HDF5, MATLAB's files from version 7.3 on among them.

    Args:
        path: The file.
        dataset: Path of the samples in a foreign file; may be left out if only one fits. The times may stand beside
            them in a vector named `time` or `t`; a dataset of a compound type is read as a table.
        sampling_interval: Of a foreign file [ms]; where the file says it too, the two must agree.
        unit: Of the samples of a foreign file, if the dataset has no attribute `units`.
        time_unit: Of its times, likewise.
        sweeps: `rows` ([sweep, t]) or `columns` ([t, sweep]) of a foreign file, where shape and samples leave it open.
        scale: What one step of whole numbers is, with its unit (`0.03 pA`), where the dataset has no `scale_factor`.
        signal: `current` or `potential`, where a compound type has columns of both.
        **known: Other fields of `Recording`.

    Returns:
        The recording.

    Raises:
        ValidationError: If the file is no HDF5, or something has to be given that is not, or contradicts the file.
    """
    place = Path(path)
    with opened(place, sealed=True) as file:
        if is_own(file):
            check_file(file, place)
            if sampling_interval is not None:
                known = {**known, "sampling_interval": sampling_interval}
            return _own(file, unit, known)
        arrays, tables = _contents(file, place)
        words: dict[str, Any] = {"sampling_interval": sampling_interval, "unit": unit, "time_unit": time_unit}
        named = str(dataset).strip("/") if dataset is not None else next(iter(tables), "")
        if named in tables and (dataset is not None or (not arrays and len(tables) == 1)):
            table = _table(tables[named], place)
            return recording_of(table, place, signal=signal, sweeps=sweeps, **words, **known)
        usual = None if any("MATLAB_class" in array.attributes for array in arrays.values()) else "rows"
        return recording_from(
            arrays,
            place,
            dataset=dataset,
            sweeps=sweeps,
            scale=scale,
            signal=signal,
            usual=usual,
            **words,
            **known,
        )


def is_own(file: Any) -> bool:
    """Whether an HDF5 file says that it is a recording of this package."""
    return text_of(file.attrs.get("format")) == _FORMAT


def kind_of_hdf5(path: str | Path) -> str:
    """What an HDF5 file says that it holds: `simulation` (a result of this package), `recording`, or nothing.

    Raises:
        ValidationError: If it cannot be read as HDF5.
    """
    with opened(path) as file:
        if is_own(file):
            return "recording"
        return "simulation" if {"schema_version", "seed"} <= set(file.attrs) else ""


def _own(file: h5py.File, unit: str | None, known: dict[str, Any]) -> Recording:
    """The recording of a file of this package; a unit or a number that was given holds above the file's."""
    names = {field.name for field in fields(Recording)}
    by_name: dict[str, Any] = {name: float(np.asarray(file[name])) for name in _SCALARS if name in names}
    signal: Any = file["signal"]
    by_name["name"] = text_of(file.attrs["name"]) or ""
    for name in ("sweep_start", "length", "command"):
        if name in file:
            by_name[name] = np.asarray(file[name])
    written, said = said_unit(unit, text_of(signal.attrs["units"]) or "")
    values, inside = to_unit(signal[...], written, "signal")
    by_name["source"] = "; ".join(filter(None, (text_of(file.attrs["source"]) or "", said)))
    return Recording(values, unit=inside, **{**by_name, **known})


def _contents(file: Any, path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """The arrays of numbers of a foreign file, and its datasets of compound types, by name."""
    arrays: dict[str, Array] = {}
    tables: dict[str, Any] = {}
    kept: list[tuple[str, Any]] = []
    file.visititems(lambda name, item: kept.append((name, item)))
    for name, item in kept:
        if not isinstance(item, h5py.Dataset) or item.shape is None or name.startswith("#"):
            continue
        if item.dtype.names and item.ndim == 1 and item.shape[0] > 1:
            tables[name] = item
        elif item.dtype.kind in "fiu" and 1 <= len([n for n in item.shape if n > 1]) <= 2:
            attributes = dict(item.attrs)
            if text_of(attributes.get("MATLAB_class", "double")) in _MATLAB:
                arrays[name] = _array(item, name, attributes, path)
    return arrays, tables


def _array(item: Any, name: str, attributes: dict[str, Any], path: Path) -> Array:
    """An array of a file; MATLAB's lie the other way round than MATLAB shows them."""
    turned = "MATLAB_class" in attributes

    def read() -> np.ndarray:
        check_dataset(item, path)
        return item[...].T if turned else item[...]

    above, group = [], item.parent
    while True:
        above.append(dict(group.attrs))
        if group.name == "/":
            break
        group = group.parent
    shape = tuple(reversed(item.shape)) if turned else tuple(item.shape)
    axis = None if turned else _time_axis(item)
    return Array(name, shape, item.dtype.kind, read, attributes, tuple(above), axis, item.is_scale)


def _time_axis(item: Any) -> int | None:
    """The axis that the labels or the scales of a dataset name as that of times."""
    said = [{str(dim.label), *(str(key) for key in dim.keys())} for dim in item.dims]
    words = [{name_and_unit(name.rsplit("/", 1)[-1])[0] for name in names} for names in said]
    kept = [i for i, names in enumerate(words) if names & set(_SAMPLES)]
    return kept[0] if len(kept) == 1 else None


def _table(item: Any, path: Path) -> Columns:
    """A dataset of a compound type as a table; its units stand in the names of its fields."""
    check_dataset(item, path)
    rows = item[...]
    fields = [
        name for name in rows.dtype.names if rows.dtype[name].kind in "fiu" and not rows.dtype[name].shape
    ]
    if not fields:
        raise ValidationError("dataset", item.name, f"one of numbers in {path.name}")
    values = np.stack([np.asarray(rows[name], np.float64) for name in fields], axis=1)
    pairs = [name_and_unit(name) for name in fields]
    texts = [[repr(float(cell)) for cell in row] for row in values]
    names, units = (tuple(words) for words in zip(*pairs, strict=True))
    return Columns(names, units, values, texts, path.name)
