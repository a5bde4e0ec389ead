"""Recordings as text: a column of times and one of samples a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nmjmc.analysis.recording import Recording
from nmjmc.data.recordings.headings import ROWS, TIMES, is_sweep, kind_of_unit
from nmjmc.data.recordings.layout import sweeps_first
from nmjmc.data.recordings.samples import lengths_of, samples_of
from nmjmc.data.recordings.text import Columns, numbers, read_columns
from nmjmc.data.recordings.times import Step, agreed, even_step, unevenness
from nmjmc.errors import ValidationError
from nmjmc.units import to_internal

_UNITS = ("ms", "s", "us")


def read_csv(
    path: str | Path,
    *,
    sampling_interval: float | None = None,
    unit: str | None = None,
    time_unit: str | None = None,
    decimal: str | None = None,
    signal: str | None = None,
    sweeps: str | None = None,
    **known: Any,
) -> Recording:
    """Read a recording from text.

    Args:
        path: The file. One column may be the times: it is headed so, has a unit of time, or is the first and rises
            evenly. All others are sweeps, each with the unit in brackets behind its heading.
        sampling_interval: Time between samples [ms], where there is no column of times; if there is one, the two must
            agree.
        unit: Unit of all samples, where the headings do not say it.
        time_unit: Unit of the times, likewise.
        decimal: Decimal mark of the file, `point` or `comma`, where its numbers leave it open.
        signal: `current` or `potential`, where the file has columns of both.
        sweeps: `columns` or `rows`: where the sweeps stand in a table without times, where it is open.
        **known: Other fields of `Recording`.

    Returns:
        The recording.

    Raises:
        ValidationError: If a unit or the sampling is missing, or contradicts another; if the times are not even; or if
            a cell is no number.
    """
    table = read_columns(path, decimal)
    return recording_of(
        table, Path(path), sampling_interval=sampling_interval, unit=unit, time_unit=time_unit, signal=signal,
        sweeps=sweeps, **known,
    )  # fmt: skip


def recording_of(
    table: Columns,
    path: Path,
    *,
    sampling_interval: float | None = None,
    unit: str | None = None,
    time_unit: str | None = None,
    signal: str | None = None,
    sweeps: str | None = None,
    **known: Any,
) -> Recording:
    """A recording from a table of numbers, from text or of a compound type; see `read_csv`."""
    index = _time_column(table, sampling_interval)
    rest = [i for i in range(len(table.names)) if i != index and not counts_rows(table, i)]
    if not rest:
        allowed = "a column of times and one or more of samples"
        raise ValidationError("path", f"{path}, with one column", allowed, "or give sampling_interval")
    if index is not None:
        sampling_interval = _interval(table, index, time_unit, sampling_interval)
        _refuse_copies(table, index, rest)
    if sampling_interval is None:
        hint = "give it in ms, or head the column of times with  time (ms)"
        raise ValidationError("sampling_interval", "missing", f"given, as {table.file} has no times", hint)
    samples = samples_of(table, rest, unit, signal)
    values = samples.values
    if index is None and not any(table.names):
        values = sweeps_first(values.T, f"table {table.file}", sweeps, usual="columns")
    elif sweeps not in (None, "columns"):
        raise ValidationError("sweeps", repr(sweeps), f"columns in {table.file}, which has headings or times")
    source = "; ".join(filter(None, (path.name, samples.said)))
    ours: dict[str, Any] = {"name": path.stem, "source": source, "length": lengths_of(values)}
    return Recording(values, sampling_interval, samples.unit, **{**ours, **known})


def time_step(table: Columns, index: int) -> Step:
    """The even step of a column of times, in their unit.

    Raises:
        ValidationError: If they do not rise evenly.
    """
    times = numbers(table, index)
    step = even_step(times, [row[index] for row in table.texts])
    if step is None:
        raise _uneven(table, index, times)
    return step


def first_time(table: Columns, sampling_interval: float | None = None, time_unit: str | None = None) -> float:
    """The first time that a table says [ms]; 0 where it says none.

    Args:
        table: The table.
        sampling_interval: As for `read_csv` [ms].
        time_unit: Likewise.
    """
    index = _time_column(table, sampling_interval)
    if index is None:
        return 0.0
    interval = _interval(table, index, time_unit, sampling_interval)
    step = time_step(table, index)
    return round(float(table.values[0, index]) / step.value, 9) * interval


def is_time(table: Columns, index: int) -> bool:
    """Whether a column is headed as a time, or has a unit of time."""
    return table.names[index].split(" ")[0] in TIMES or kind_of_unit(table.units[index]) == "time"


def counts_rows(table: Columns, index: int) -> bool:
    """Whether a column is headed as one that numbers the rows, and does; the first without a heading is none."""
    headed = any(table.names) and table.names[index] in ROWS and not table.units[index]
    return headed and _counts(table.values[:, index])


def _counts(values: np.ndarray) -> bool:
    """Whether numbers count from 0 or 1."""
    return values[0] in (0, 1) and np.array_equal(values, values[0] + np.arange(values.size))


def _time_column(table: Columns, given: float | None) -> int | None:
    """The column of times; None where there is none."""
    named = next((i for i in range(len(table.names)) if is_time(table, i)), None)
    if named is not None or len(table.names) == 1:
        return named
    is_sample = bool(table.units[0]) or is_sweep(table.names[0])
    if given is None:
        return None if is_sample else 0
    if counts_rows(table, 0):
        return None
    step = even_step(table.values[:, 0], [row[0] for row in table.texts])
    if is_sample and step is not None and any(step.agrees(given / _factor(unit)) for unit in _UNITS):
        told = "rising evenly by the sampling_interval, as times do"
        hint = "head it with  time (ms)  if it is the time"
        raise ValidationError(f"{table.heading(0)} of {table.file}", told, "a sweep", hint)
    return None if is_sample or step is None else 0


def _interval(table: Columns, index: int, time_unit: str | None, given: float | None) -> float:
    """Sampling interval [ms] of a column of times."""
    found, written = time_step(table, index), time_unit or table.units[index]
    field = f"{table.heading(index)} of {table.file}"
    if not written and given is None:
        missing = f"given, as {field} does not say it"
        raise ValidationError("time_unit", "missing", missing, "for example time_unit='ms'")
    if not written:
        fitting = [name for name in _UNITS if found.agrees(given / _factor(name))] if given else []
        if not fitting and given and _counts(table.values[:, index]):
            return given  # numbers of the samples
        if not fitting:
            hint = "head it with  time (ms)  if it is the time; else remove it or head it with the name of a sweep"
            held = f"{given:g} ms beside {field}, which rises by {found.value:.6g}"
            raise ValidationError("sampling_interval", held, "that of the times", hint)
        written = fitting[0]
    if kind_of_unit(written) not in ("time", ""):
        raise ValidationError("time_unit", repr(written), f"a unit of time, as that of {field}")
    return agreed(found, _factor(written), given, field)


def _factor(unit: str) -> float:
    """A unit of time in ms.

    Raises:
        ValidationError: If it is none.
    """
    return to_internal(f"1 {unit}", "ms", "time_unit")


def _refuse_copies(table: Columns, index: int, rest: Sequence[int]) -> None:
    """Refuse a second column of times among the sweeps."""
    for i in rest:
        if is_time(table, i) or np.array_equal(table.values[:, i], table.values[:, index]):
            hint = "keep one column of times"
            actual = f"the times of {table.heading(index)} again"
            raise ValidationError(f"{table.heading(i)} of {table.file}", actual, "a sweep", hint)


def _uneven(table: Columns, index: int, times: np.ndarray) -> ValidationError:
    field = f"times of {table.file}, {table.heading(index)},"
    if times.size < 2:
        return ValidationError(field, "one", "two or more")
    row, step, usual = unevenness(times)
    actual = f"spaced by {step:.6g} before {table.place(row + 1)} and mostly by {usual:.6g}"
    back = "put sweeps that stand below each other side by side" if step < 0 else "resample the record first"
    return ValidationError(field, actual, "evenly spaced to 1 %", back)
