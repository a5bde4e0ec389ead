"""MATLAB files up to version 7 through SciPy; those of version 7.3 are HDF5."""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from scipy import io

from nmjmc.analysis.recording import Recording
from nmjmc.data.guard import SHRINKS, SMALL, check_memory
from nmjmc.data.recordings.arrays import Array, recording_from
from nmjmc.data.recordings.hdf5 import read_hdf5
from nmjmc.errors import ValidationError

_SIZES = {
    "double": 8, "single": 4, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "int64": 8,
    "uint64": 8,
}  # fmt: skip
_KINDS = {"double": "f", "single": "f"}
_DAMAGE = (
    OSError, ValueError, TypeError, KeyError, IndexError, NotImplementedError, OverflowError, MemoryError, EOFError,
    RuntimeError, AssertionError, AttributeError, struct.error, zlib.error, io.matlab.MatReadError,
)  # fmt: skip


def read_mat(
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
    """Read a recording from a MATLAB file of any version.

    Args:
        path: The file.
        dataset: Name of the variable that holds the samples; may be left out if only one fits. The times may stand
            beside it in a vector named `time` or `t`.
        sampling_interval: Between samples [ms]; if there are times, the two must agree.
        unit: Of the samples.
        time_unit: Of the times.
        sweeps: `rows` or `columns`, as MATLAB shows them, where times, shape and samples leave it open.
        scale: What one step of whole numbers is, with its unit (`0.03 pA`).
        signal: `current` or `potential`, where a compound type has columns of both.
        **known: Other fields of `Recording`.

    Returns:
        The recording.

    Raises:
        ValidationError: If the file is none of MATLAB, is damaged, or something has to be given that is not.
    """
    place = Path(path)
    options: dict[str, Any] = {
        "dataset": dataset, "sampling_interval": sampling_interval, "unit": unit, "time_unit": time_unit,
        "sweeps": sweeps, "scale": scale, "signal": signal, **known,
    }  # fmt: skip
    if h5py.is_hdf5(place):
        return read_hdf5(place, **options)
    try:
        variables = io.whosmat(place)
    except _DAMAGE as error:
        raise _unreadable(place) from error
    arrays = {
        name: Array(name, tuple(shape), _KINDS.get(kind, "i"), _reader(place, name, shape, kind))
        for name, shape, kind in variables
        if kind in _SIZES and math.prod(shape) > 1 and len([n for n in shape if n > 1]) <= 2
    }
    if not arrays:
        actual = ", ".join(f"{name} ({kind})" for name, _, kind in variables) or "nothing"
        hint = "save the samples as a matrix of their own"
        raise ValidationError("path", f"{path}, which holds {actual}", "a MATLAB file with a matrix", hint)
    return recording_from(arrays, place, usual=None, **options)


def _reader(path: Path, name: str, shape: tuple[int, ...], kind: str):
    """Reads one variable, if what its head declares can be in the file."""

    def read() -> np.ndarray:
        size, held = math.prod(shape) * _SIZES[kind], path.stat().st_size
        if size > SMALL and size > SHRINKS * held:
            actual = f"declared with {size} bytes in a file of {held}"
            raise ValidationError(f"{name} of {path}", actual, "whole", "the file may be damaged")
        check_memory(size, f"{name} of {path}")
        try:
            actual = np.asarray(io.loadmat(path, variable_names=[name])[name])
        except _DAMAGE as error:
            raise _unreadable(path) from error
        if actual.dtype.kind not in "fiu":
            raise ValidationError(f"{name} of {path}", f"of type {actual.dtype}", "real numbers")
        return actual

    return read


def _unreadable(path: Path) -> ValidationError:
    return ValidationError("path", f"{path}, which cannot be read as a MATLAB file", "a whole MATLAB file")
