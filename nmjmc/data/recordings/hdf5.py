"""Recordings in HDF5: this package's own, which say all of themselves, and foreign ones, which do not."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nmjmc.analysis.recording import Recording
from nmjmc.data.atomic import atomic
from nmjmc.data.guard import check_dataset, check_file, opened
from nmjmc.data.recordings.corrections import said_unit
from nmjmc.data.recordings.optional import to_unit
from nmjmc.errors import ValidationError, nearest

_FORMAT = "nmjmc recording"
_SCALARS = ("sampling_interval", "holding_potential", "bandwidth", "series_resistance", "temperature")
_UNITS = dict(zip(_SCALARS, ("ms", "mV", "kHz", "MOhm", "degC"), strict=True))


def write_recording(recording: Recording, path: str | Path) -> Path:
    """Write a recording so that `read_recording` gives it back, bit for bit; the file appears whole or not at all."""
    with atomic(path) as temporary, h5py.File(temporary, "w") as file:
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
    return Path(path)


def read_hdf5(
    path: str | Path,
    *,
    dataset: str | None = None,
    sampling_interval: float | None = None,
    unit: str | None = None,
    **known: Any,
) -> Recording:
    """Read a recording from HDF5.

    Args:
        path: The file.
        dataset: Path of the samples, [sweep, t] or [t], in a foreign file; may be left out if only one fits.
        sampling_interval: Of a foreign file [ms].
        unit: Of a foreign file, if the dataset has no attribute `units`.
        **known: Other fields of `Recording`.

    Returns:
        The recording.

    Raises:
        ValidationError: If the file is no HDF5, or something has to be given that is not.
    """
    with opened(path) as file:
        if file.attrs.get("format") == _FORMAT:
            check_file(file, path)
            if sampling_interval is not None:
                known = {**known, "sampling_interval": sampling_interval}
            return _own(file, unit, known)
        found = _samples(file, dataset, Path(path))
        if sampling_interval is None:
            raise ValidationError("sampling_interval", "missing", "given in ms, as the file does not say it")
        check_dataset(found, path)
        written = unit or str(found.attrs.get("units", ""))
        values, inside = to_unit(found[...], written, f"dataset {found.name}")
        ours = {"name": Path(path).stem, "source": f"{Path(path).name}:{found.name}"}
        return Recording(values, sampling_interval, inside, **{**ours, **known})


def _own(file: h5py.File, unit: str | None, known: dict[str, Any]) -> Recording:
    """The recording of a file of this package; a unit or a number that was given holds above the file's."""
    names = {field.name for field in fields(Recording)}
    found: dict[str, Any] = {name: float(np.asarray(file[name])) for name in _SCALARS if name in names}
    signal: Any = file["signal"]
    found |= {"name": str(file.attrs["name"]), "source": str(file.attrs["source"])}
    for name in ("sweep_start", "length", "command"):
        if name in file:
            found[name] = np.asarray(file[name])  # pyright: ignore[reportArgumentType]
    written, said = said_unit(unit, str(signal.attrs["units"]))
    values, inside = to_unit(signal[...], written, "signal")
    found["source"] = "; ".join(filter(None, (str(found["source"]), said)))
    return Recording(values, unit=inside, **{**found, **known})  # pyright: ignore[reportArgumentType]


def _samples(file: h5py.File, dataset: str | None, path: Path) -> Any:
    """The dataset that was asked for, or the only one with many samples."""
    candidates: dict[str, Any] = {}

    def visit(name: str, item: Any) -> None:
        if (
            isinstance(item, h5py.Dataset)
            and item.ndim in (1, 2)
            and item.dtype.kind == "f"
            and item.shape[-1] > 1
        ):
            candidates[name] = item

    file.visititems(visit)
    if dataset is None:
        if len(candidates) != 1:
            raise ValidationError(
                "dataset", "missing", f"one of {', '.join(sorted(candidates)) or 'none'} in {path.name}"
            )
        return next(iter(candidates.values()))
    if dataset not in candidates:
        raise ValidationError("dataset", repr(dataset), f"one of {path.name}", nearest(dataset, candidates))
    return candidates[dataset]


def kind_of_hdf5(path: str | Path) -> str:
    """What an HDF5 file says that it holds: `simulation` (a result of this package), `recording`, or nothing.

    Raises:
        ValidationError: If it cannot be read as HDF5.
    """
    with opened(path) as file:
        if file.attrs.get("format") == _FORMAT:
            return "recording"
        return "simulation" if {"schema_version", "seed"} <= set(file.attrs) else ""
