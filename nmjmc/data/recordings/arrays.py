"""Arrays of samples in a foreign file, HDF5 or MATLAB: which one, how it lies, its times and its unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nmjmc.analysis.recording import Recording
from nmjmc.data.recordings.attributes import scaled, text_of, unit_in
from nmjmc.data.recordings.corrections import said_unit
from nmjmc.data.recordings.headings import TIMES, kind_of_unit, name_and_unit
from nmjmc.data.recordings.layout import sweeps_first
from nmjmc.data.recordings.samples import lengths_of
from nmjmc.data.recordings.times import agreed, even_step, unevenness
from nmjmc.errors import ValidationError, nearest
from nmjmc.units import to_internal

_RATES = (
    "sampling_rate", "samplerate", "sample_rate", "samplingrate", "fs", "sampling_frequency", "sample_frequency",
)  # fmt: skip
_INTERVALS = (
    "sampling_interval", "sample_interval", "samplinginterval", "sampleinterval", "dt", "delta_t", "si",
    "sampling_period",
)  # fmt: skip
_BEHIND = {"_hz": "Hz", "_khz": "kHz", "_ms": "ms", "_us": "us", "_s": "s", "": ""}
_PREFIXES = (1e-3, 1.0, 1e3)  # a number without a unit: us, ms or s; Hz, kHz or MHz


@dataclass(frozen=True)
class Array:
    """An array in a file, not read yet.

    Attributes:
        name: Its path in the file.
        shape: Its shape.
        kind: NumPy's letter for the kind of its numbers.
        read: Reads it.
        attributes: What is said of it.
        above: What is said of the groups that it lies in, the nearest first.
        time_axis: Which axis the file names as that of the times; None where it names none.
        is_scale: Whether it is a scale of an axis of another.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    read: Callable[[], np.ndarray]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    above: tuple[Mapping[str, Any], ...] = ()
    time_axis: int | None = None
    is_scale: bool = False

    @property
    def size(self) -> int:
        """Numbers in it."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def is_line(self) -> bool:
        """Whether it has one axis of more than one number."""
        return self.size > 1 and max(self.shape) == self.size

    @property
    def is_named_time(self) -> bool:
        """Whether its name or its unit is one of times."""
        last = name_and_unit(self.name.rsplit("/", 1)[-1])[0].split(" ")[0]
        return self.is_line and (last in TIMES or kind_of_unit(unit_in(self.attributes)) == "time")


def chosen(arrays: Mapping[str, Array], wanted: str | None, file: str) -> Array:
    """The array that was asked for, or the only one that can be samples: of numbers with a point before whole ones.

    Raises:
        ValidationError: If it is not there, or there are none or several.
    """
    if wanted is not None:
        name = str(wanted).strip("/")
        if name not in arrays:
            hint = nearest(name, arrays) if arrays else "it holds no array of samples"
            raise ValidationError("dataset", repr(wanted), f"one of {file}", hint)
        return arrays[name]
    left = [a for a in arrays.values() if not a.is_named_time and not a.is_scale]
    for kinds in ("f", "fiu"):
        fitting = [array for array in left if array.kind in kinds]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            break
    names = ", ".join(sorted(array.name for array in fitting))
    if not names:
        raise ValidationError("path", f"{file}, which holds no array of samples", "a file with samples")
    raise ValidationError("dataset", "missing", f"given as one of {names} in {file}", "say dataset=NAME")


def recording_from(
    arrays: Mapping[str, Array],
    path: Path,
    *,
    dataset: str | None = None,
    sampling_interval: float | None = None,
    unit: str | None = None,
    time_unit: str | None = None,
    sweeps: str | None = None,
    scale: str | None = None,
    signal: str | None = None,
    usual: str | None = "rows",
    **known: Any,
) -> Recording:
    """A recording of one array of a file; see `read_hdf5` for the options."""
    array = chosen(arrays, dataset, path.name)
    name = f"{array.name} of {path.name}"
    times = _times(arrays, array, path.name)
    step = _interval(times, array, time_unit, sampling_interval, path.name)
    written = unit_in(array.attributes)
    values, inside = scaled(array.read(), array.attributes, name, unit or written, scale)
    if signal is not None and kind_of_unit(inside) != signal:
        raise ValidationError(
            "signal", repr(signal), f"{kind_of_unit(inside)} or left out, as {name} is in {inside}"
        )
    where = sweeps
    if array.time_axis is not None and len(array.shape) == 2:
        where = ("columns", "rows")[array.time_axis]
        if sweeps not in (None, where):
            raise ValidationError("sweeps", repr(sweeps), f"{where}, as {name} names its axes")
    array_of_sweeps = sweeps_first(values, name, where, usual=usual, samples=times.size if times else None)
    said = said_unit(unit, written)[1] if written else ""
    ours: dict[str, Any] = {
        "name": path.stem,
        "source": "; ".join(filter(None, (f"{path.name}:/{array.name}", said))),
    }
    ours["length"] = lengths_of(array_of_sweeps)
    return Recording(array_of_sweeps, step, inside, **{**ours, **known})


def _times(arrays: Mapping[str, Array], array: Array, file: str) -> Array | None:
    """The vector of times that belongs to an array: named so, and as long as one of its axes."""
    kept = [other for other in arrays.values() if other.is_named_time and other.name != array.name]
    fitting = [other for other in kept if other.size in array.shape]
    near = [other for other in fitting if _folder(other) == _folder(array)] or fitting
    if len(near) > 1 and len({other.size for other in near}) > 1:
        names = ", ".join(other.name for other in near)
        raise ValidationError(f"times of {file}", names, "one vector", "keep one, or rename the others")
    if not near and len(kept) == 1 and _folder(kept[0]) == _folder(array):
        allowed = f"as long as an axis of {array.name}, which has the shape {array.shape}"
        raise ValidationError(f"{kept[0].name} of {file}", f"{kept[0].size} times", allowed)
    return near[0] if near else None


def _folder(array: Array) -> str:
    return array.name.rpartition("/")[0]


def _interval(
    times: Array | None, array: Array, time_unit: str | None, given: float | None, file: str
) -> float:
    """Sampling interval [ms] from the times, the attributes, or the user; they must agree."""
    if times is not None:
        return _of_times(times, time_unit, given, file)
    said = _attribute(array, file)
    if said is None:
        if given is None:
            missing = f"given in ms, as {file} does not say it"
            raise ValidationError("sampling_interval", "missing", missing)
        return given
    field, possible, is_sure = said
    if given is None:
        if is_sure:
            return possible[0]
        raise ValidationError(
            "sampling_interval", "missing", f"given in ms, as {field} of {file} has no unit"
        )
    if not any(abs(given - one) <= 5e-3 * one for one in possible):
        shown = " or ".join(f"{one:.6g}" for one in possible)
        hint = "give the one that is right, in ms"
        raise ValidationError(
            "sampling_interval", f"{given:g} ms", f"that of {field} of {file}, {shown} ms", hint
        )
    return given


def _of_times(times: Array, time_unit: str | None, given: float | None, file: str) -> float:
    """Sampling interval [ms] of a vector of times."""
    read = times.read()
    values, field = np.asarray(read, np.float64).ravel(), f"{times.name} of {file}"
    if read.dtype == np.float32 or read.dtype == np.float16:
        found = even_step(values, resolution=np.spacing(np.abs(read).max()).astype(np.float64))
    else:
        found = even_step(values)
    if found is None:
        row, step, usual = unevenness(values) if values.size > 1 else (0, 0.0, 0.0)
        told = f"spaced by {step:.6g} behind number {row + 1} and mostly by {usual:.6g}"
        raise ValidationError(f"times {field}", told, "evenly spaced to 1 %", "resample the record first")
    written = time_unit or unit_in(times.attributes) or name_and_unit(times.name.rsplit("/", 1)[-1])[1]
    if written:
        factor = to_internal(f"1 {written}", "ms", "time_unit")
        return agreed(found, factor, given, field)
    fitting = [one for one in _PREFIXES if given and found.agrees(given / one)]
    if given is not None and fitting:
        return agreed(found, fitting[0], given, field)
    if given is not None:
        held = f"{given:g} ms beside {field}, which rises by {found.value:.6g}"
        raise ValidationError("sampling_interval", held, "that of the times")
    raise ValidationError(
        "time_unit", "missing", f"given, as {field} does not say it", "for example time_unit='ms'"
    )


def _attribute(array: Array, file: str) -> tuple[str, list[float], bool] | None:
    """An attribute of sampling near an array: its name, the intervals [ms] that it can mean, whether it is sure."""
    for place in (array.attributes, *array.above):
        for key in place:
            word = str(key).casefold().replace(" ", "_")
            for names, inside in ((_INTERVALS, "ms"), (_RATES, "kHz")):
                said = (u for behind, u in _BEHIND.items() if word in [f"{name}{behind}" for name in names])
                unit = next(said, None)
                if unit is not None and (meaning := _meant(place[key], unit, inside, f"{key} of {file}")):
                    return str(key), *meaning
    return None


def _meant(value: Any, unit: str, inside: str, field: str) -> tuple[list[float], bool] | None:
    """The intervals [ms] that an attribute can mean, and whether its unit is said."""
    text = text_of(value)
    if text is None:
        array = np.asarray(value)
        if array.size != 1 or array.dtype.kind not in "iuf":
            return None
        text = f"{float(array.ravel()[0])!r} {unit}".strip()
    sure = text[-1:].isalpha()
    try:
        number = to_internal(text, inside, field)
    except ValidationError:
        return None
    if not number > 0:
        return None
    kept = [number * one for one in ((1.0,) if sure else _PREFIXES)]
    return [one if inside == "ms" else 1.0 / one for one in kept], sure
