"""Averaged waveforms, histograms and summary statistics from text."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nmjmc.analysis.observations import Histogram, MeanWaveform, Statistic
from nmjmc.data.recordings.optional import to_unit
from nmjmc.data.recordings.text import Columns, read_columns
from nmjmc.errors import ValidationError
from nmjmc.units import to_internal


def read_waveform(
    path: str | Path, *, unit: str | None = None, time_unit: str | None = None, events: int = 0
) -> MeanWaveform:
    """Read an averaged waveform: columns time, mean and, where known, sd or se.

    Args:
        path: The file; units in brackets behind the headings, or given here.
        unit: Unit of the mean.
        time_unit: Unit of the time.
        events: How many events were averaged; needed for a column `se`.

    Raises:
        ValidationError: If a unit is missing.
    """
    table = read_columns(path)
    time, mean = (
        _column(table, ("time", "t"), 0),
        _column(table, ("mean", "average", "current", "potential"), 1),
    )
    time_written, mean_written = time_unit or table.units[time], unit or table.units[mean]
    if not time_written or not mean_written:
        raise ValidationError("unit and time_unit", "missing", "given, as the headings do not say them")
    scale = to_internal(f"1 {time_written}", "ms", "time_unit")
    values, inside = to_unit(table.values[:, mean], mean_written, "mean")
    sd = np.zeros(0)
    for heading, factor in (("sd", 1.0), ("se", float(np.sqrt(events))), ("sem", float(np.sqrt(events)))):
        if heading in table.names:
            if heading != "sd" and events <= 0:
                raise ValidationError("events", events, "given, as the file holds standard errors")
            sd = factor * to_unit(table.values[:, table.names.index(heading)], mean_written, heading)[0]
    return MeanWaveform(scale * table.values[:, time], values, sd, events, inside, Path(path).name)


def read_histogram(path: str | Path, *, unit: str | None = None, failures_at_zero: bool = False) -> Histogram:
    """Read a histogram: a column of the centres of the bins and one of counts.

    Args:
        path: The file.
        unit: Unit of the amplitudes; kept as nA or mV.
        failures_at_zero: Whether the bin at zero holds the failures, as published figures do.

    Raises:
        ValidationError: If the centres are not even, a count is no whole number, or the unit is missing.
    """
    table = read_columns(path)
    written = unit or table.units[0]
    if not written:
        raise ValidationError("unit", "missing", "given, as the heading does not say it", "unit='mV'")
    centres, inside = to_unit(table.values[:, 0], written, "amplitude")
    counts = table.values[:, 1]
    if not np.all(counts == np.round(counts)):
        raise ValidationError("counts", "not whole numbers", "numbers of observations")
    failures = 0
    if failures_at_zero:
        zero = np.abs(centres) < 1e-9
        failures = int(counts[zero].sum())
        centres, counts = centres[~zero], counts[~zero]
    return Histogram.from_centres(
        centres, counts.astype(np.int64), failures=failures, unit=inside, source=Path(path).name
    )


def read_statistics(path: str | Path) -> list[Statistic]:
    """Read summary statistics: a row each, headings name, value and, where known, standard error, unit, n, mark.

    Raises:
        ValidationError: If there is no column `name` or `value`.
    """
    table = read_columns(path)
    for heading in ("name", "value"):
        if heading not in table.names:
            raise ValidationError("headings", ", ".join(table.names), "given with name and value")
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
