"""Averaged waveforms, histograms and summary statistics from text."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nmjmc.analysis.observations import Histogram, MeanWaveform, Statistic
from nmjmc.data.recordings.headings import TIMES, kind_of_unit
from nmjmc.data.recordings.optional import to_unit
from nmjmc.data.recordings.samples import unit_of
from nmjmc.data.recordings.text import Columns, numbers, read_columns
from nmjmc.errors import ValidationError
from nmjmc.units import to_internal

_MEANS = ("mean", "average", "current", "potential")


def read_waveform(
    path: str | Path,
    *,
    unit: str | None = None,
    time_unit: str | None = None,
    events: int = 0,
    decimal: str | None = None,
) -> MeanWaveform:
    """Read an averaged waveform: columns time, mean and, where known, sd or se.

    Args:
        path: The file; units in brackets behind the headings, or given here.
        unit: Unit of the mean.
        time_unit: Unit of the time.
        events: How many events were averaged; needed for a column `se`.
        decimal: Decimal mark of the file, `point` or `comma`, where its numbers leave it open.

    Raises:
        ValidationError: If a unit is missing.
    """
    table = read_columns(path, decimal)
    if len(table.names) < 2:
        raise ValidationError("path", f"{path}, with one column", "columns of times and of a mean")
    time, mean = _column(table, TIMES, 0), _column(table, _MEANS, 1)
    scale = to_internal(f"1 {_time_unit(table, time, time_unit)}", "ms", f"unit of {table.heading(time)}")
    values, inside = _converted(table, mean, unit)
    sd = np.zeros(0)
    for heading in ("sd", "se", "sem"):
        if heading in table.names:
            if heading != "sd" and events <= 0:
                raise ValidationError("events", events, "given, as the file holds standard errors")
            index = table.names.index(heading)
            spread, same = _converted(table, index, table.units[index] or unit or table.units[mean])
            if same != inside:
                allowed = f"one of {inside}, as that of the mean"
                raise ValidationError(
                    f"unit of {table.heading(index)} of {table.file}", table.units[index], allowed
                )
            sd = spread if heading == "sd" else float(np.sqrt(events)) * spread
    times = numbers(table, time)
    if (fallen := np.flatnonzero(np.diff(times) <= 0)).size:
        actual = f"{times[fallen[0] + 1]:g} after {times[fallen[0]]:g}"
        where = f"{table.heading(time)} in {table.place(int(fallen[0]) + 1)}"
        raise ValidationError(where, actual, "a later time than the line above")
    return MeanWaveform(scale * times, values, sd, events, inside, Path(path).name)


def _time_unit(table: Columns, index: int, given: str | None) -> str:
    """The unit of the times."""
    if kind := kind_of_unit(table.units[index]):
        if kind != "time":
            allowed = "times, in ms or s"
            raise ValidationError(
                f"{table.heading(index)} of {table.file}", f"in {table.units[index]}", allowed
            )
    if not (given or table.units[index]):
        missing = f"given, as {table.heading(index)} of {table.file} does not say it"
        raise ValidationError("time_unit", "missing", missing, "for example time_unit='ms'")
    return given or table.units[index]


def _converted(table: Columns, index: int, unit: str | None) -> tuple[np.ndarray, str]:
    """A column in nA or mV, and which."""
    written = unit_of(table, index, unit)
    return to_unit(numbers(table, index), written, f"{table.heading(index)} of {table.file}")


def read_histogram(
    path: str | Path, *, unit: str | None = None, failures_at_zero: bool = False, decimal: str | None = None
) -> Histogram:
    """Read a histogram: a column of the centres of the bins and one of counts.

    Args:
        path: The file.
        unit: Unit of the amplitudes; kept as nA or mV.
        failures_at_zero: Whether the bin at zero holds the failures, as published figures do.
        decimal: Decimal mark of the file, `point` or `comma`, where its numbers leave it open.

    Raises:
        ValidationError: If the centres are not even, a count is no whole number, or the unit is missing.
    """
    table = read_columns(path, decimal)
    if len(table.names) != 2:
        raise ValidationError("path", f"{path}, of {len(table.names)} columns", "of two: centres and counts")
    if table.units[1] and kind_of_unit(table.units[1]):
        raise ValidationError(f"{table.heading(1)} of {table.file}", f"in {table.units[1]}", "counts")
    centres, inside = _converted(table, 0, unit)
    counts = numbers(table, 1)
    if not np.all(counts == np.round(counts)):
        raise ValidationError(f"counts of {table.file}", "not whole numbers", "numbers of observations")
    failures = 0
    if failures_at_zero:
        zero = np.abs(centres) < 1e-9
        failures = int(counts[zero].sum())
        centres, counts = centres[~zero], counts[~zero]
    return Histogram.from_centres(
        centres, counts.astype(np.int64), failures=failures, unit=inside, source=Path(path).name
    )


def read_statistics(path: str | Path, *, decimal: str | None = None) -> list[Statistic]:
    """Read summary statistics: a row each, headings name, value and, where known, standard error, unit, n, mark.

    Args:
        path: The file.
        decimal: Decimal mark of the file, `point` or `comma`, where its numbers leave it open.

    Raises:
        ValidationError: If there is no column `name` or `value`.
    """
    table = read_columns(path, decimal)
    for heading in ("name", "value"):
        if heading not in table.names:
            raise ValidationError(
                f"headings of {table.file}", ", ".join(table.names), "given with name and value"
            )
    for heading in ("value", "standard error", "n"):
        if heading in table.names:
            numbers(table, table.names.index(heading), missing=heading != "value")
    return [_statistic(table, row, Path(path).name) for row in range(len(table.values))]


def _statistic(table: Columns, row: int, source: str) -> Statistic:
    def text(heading: str, default: str) -> str:
        return table.texts[row][table.names.index(heading)] if heading in table.names else default

    def number(heading: str) -> float:
        return (
            float(table.values[row, table.names.index(heading)]) if heading in table.names else float("nan")
        )

    n = number("n")
    return Statistic(
        name=text("name", ""), value=number("value"), standard_error=number("standard error"),
        unit=text("unit", ""), n=0 if np.isnan(n) else int(n), mark=text("mark", "M") or "M",
        source=text("source", source), conditions=text("conditions", ""),
    )  # fmt: skip


def _column(table: Columns, names: tuple[str, ...], default: int) -> int:
    """Index of the first of the names, or the default."""
    return next((table.names.index(name) for name in names if name in table.names), default)
