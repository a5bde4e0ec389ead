"""Axon text files (.atf 1.0): a head of lines of a given number, titles, a time and a sweep a column."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nmjmc.analysis.recording import Recording, padded
from nmjmc.data.recordings.corrections import known_unit, said_unit
from nmjmc.data.recordings.optional import existing, to_unit
from nmjmc.errors import ValidationError
from nmjmc.units import to_internal

_TITLE = re.compile(r"^\s*(.*?)\s*(?:\(([^()]*)\))?\s*$")


@dataclass(frozen=True)
class AxonText:
    """An .atf file.

    Attributes:
        head: Lines of the head by name, their values as text.
        titles: Of the columns, without their units.
        units: Of the columns; empty where a title has none.
        values: float64 [row, column]; NaN where a cell is empty.
    """

    head: dict[str, list[str]]
    titles: tuple[str, ...]
    units: tuple[str, ...]
    values: np.ndarray

    @property
    def is_trace(self) -> bool:
        """Whether the first column is the time of evenly spaced samples; else it is a table of results."""
        if not self.titles[0].casefold().startswith("time") or len(self.values) < 3 or len(self.titles) < 2:
            return False
        return _even_step(self.values[:, 0]) > 0


def read_axon_text(path: str | Path) -> AxonText:
    """Read an .atf file as it stands.

    Raises:
        ValidationError: If it is none, or cut off.
    """
    place = existing(path)
    rows = place.read_text(encoding="latin-1").splitlines()
    first = rows[0].split() if rows else []
    counts = re.findall(r"\d+", rows[1]) if len(rows) > 1 else []
    if not first or first[0].strip('"\ufeff') != "ATF" or len(counts) != 2:
        raise ValidationError("path", f"{place}, which does not begin as an .atf file", "an Axon text file")
    lines, columns = int(counts[0]), int(counts[1])
    if len(rows) < lines + 4:
        raise ValidationError("path", f"{place}, which ends in its head", "a whole .atf file")
    mark = "\t" if "\t" in rows[2 + lines] or columns == 1 else ","
    head = {}
    for cells in csv.reader(rows[2 : 2 + lines], delimiter="\t"):
        name, _, rest = (cells[0] if cells else "").partition("=")
        head[name.strip()] = [cell.strip() for cell in ([rest] if rest else []) + cells[1:]]
    kept = [_TITLE.match(cell) for cell in next(csv.reader([rows[2 + lines]], delimiter=mark))]
    titles = tuple(match.group(1) if match else "" for match in kept)
    units = tuple((match.group(2) or "").strip() if match else "" for match in kept)
    if len(titles) != columns:
        raise ValidationError(
            "path", f"{place}, with {len(titles)} titles of {columns} columns", "a whole .atf file"
        )
    body = [row for row in rows[3 + lines :] if row.strip()]
    return AxonText(head, titles, units, _numbers(body, mark, columns, place))


def _numbers(body: list[str], mark: str, columns: int, place: Path) -> np.ndarray:
    """The cells [row, column]; those of a sweep that has ended are empty.

    Raises:
        ValidationError: For a cell that is no number, or a row of another width.
    """
    try:
        return np.loadtxt(body, delimiter=mark, ndmin=2, usecols=range(columns))
    except ValueError:
        pass
    table = np.full((len(body), columns), np.nan)
    for number, cells in enumerate(csv.reader(body, delimiter=mark)):
        if len(cells) > columns and any(cell.strip() for cell in cells[columns:]):
            raise ValidationError(
                f"row {number} of {place.name}", f"{len(cells)} fields long", f"{columns} fields"
            )
        for column, cell in enumerate(cells[:columns]):
            try:
                table[number, column] = float(cell) if cell.strip() else np.nan
            except ValueError as error:
                field = f"row {number}, column {column} of {place.name}"
                raise ValidationError(field, repr(cell), "a number or empty") from error
    return table


def read_atf(
    path: str | Path, *, channel: int = 0, unit: str | None = None, time_unit: str | None = None, **known: Any
) -> Recording:
    """Read one signal of an .atf file as a recording.

    Args:
        path: The file.
        channel: Number of the signal, in the order of the columns of a sweep.
        unit: Of the samples, where the titles say a wrong one or none.
        time_unit: Of the times, likewise.
        **known: Fields of `Recording` that stand above what the file says.

    Returns:
        The recording; a sweep ends at its last number.

    Raises:
        ValidationError: If the file is no record of sweeps, has no such signal, or does not say its unit.
    """
    place = Path(path)
    text = read_axon_text(place)
    columns = _columns(text, channel, place)
    units = {text.units[column] for column in columns}
    if len(units) > 1:
        raise ValidationError(
            f"unit of channel {channel}", ", ".join(sorted(units)), "the same in all sweeps"
        )
    written, said = said_unit(unit, units.pop())
    if not known_unit(written):
        hint = "say it, for example unit=pA"
        allowed = "one of current or potential"
        raise ValidationError(f"unit of channel {channel}", repr(written), allowed, hint)
    values, length = padded([_whole(text.values[:, column], place) for column in columns])
    signal, inside = to_unit(values, written, f"channel {channel}")
    step = _step(text, time_unit, place)
    actual = {
        "sampling_interval": step, "length": length, "name": place.stem, **_starts(text, len(columns)),
        "source": "; ".join(filter(None, (f"{place.name}, channel {channel}", said))),
    }  # fmt: skip
    return Recording(signal, unit=inside, **{**actual, **known})


def _columns(text: AxonText, channel: int, place: Path) -> list[int]:
    """The columns of one signal, a sweep each.

    Raises:
        ValidationError: If there is no such signal.
    """
    names = text.head.get("Signals", [])
    if len(names) == len(text.titles) - 1:
        count = len(dict.fromkeys(names))
    elif all(re.fullmatch(r"(?i)trace #?\d+", name) for name in text.titles[1:]):
        count = text.titles[1:].count(text.titles[1])  # the same trace stands once for each signal
    else:
        count = _cycle(text)
    if channel not in range(count):
        raise ValidationError("channel", channel, f"from 0 to {count - 1} in {place.name}")
    return list(range(1 + channel, len(text.titles), count))


def _cycle(text: AxonText) -> int:
    """Signals of a sweep, where only their units tell them apart: as many as units take turns."""
    units = text.units[1:]
    kinds = list(dict.fromkeys(units))
    turns = all(unit == kinds[i % len(kinds)] for i, unit in enumerate(units))
    return len(kinds) if turns else 1


def _whole(values: np.ndarray, place: Path) -> np.ndarray:
    """A sweep to its last number.

    Raises:
        ValidationError: If a number is missing within.
    """
    there = np.flatnonzero(np.isfinite(values))
    if there.size < 2 or there[-1] + 1 != there.size:
        raise ValidationError(f"a sweep of {place.name}", "with empty cells within", "whole to its end")
    return values[: there.size]


def _even_step(times: np.ndarray) -> float:
    """The step of even times as they are printed, with few digits; 0 if they are not even."""
    step = (times[-1] - times[0]) / (times.size - 1)
    away = np.abs(times - times[0] - step * np.arange(times.size)).max()
    return float(step) if step > 0 and away < 0.5 * step else 0.0


def _step(text: AxonText, time_unit: str | None, place: Path) -> float:
    """Sampling interval [ms].

    Raises:
        ValidationError: If the first column is no even time, or its unit is not said.
    """
    if not text.is_trace:
        hint = "a table of events is read by read_events, in a fit by kind=amplitudes"
        raise ValidationError(
            f"times of {place.name}", "missing or uneven", "the first column, evenly spaced", hint
        )
    written = time_unit or text.units[0]
    if not written:
        raise ValidationError("time_unit", "missing", "given, as the title does not say it", "time_unit='s'")
    return _even_step(text.values[:, 0]) * to_internal(f"1 {written}", "ms", "time_unit")


def _starts(text: AxonText, sweeps: int) -> dict[str, np.ndarray]:
    """Starts of the sweeps [ms], where the head says one for each."""
    cells = text.head.get("SweepStartTimesMS", [])
    actual = re.findall(r"[-+.\deE]+", ",".join(cells))
    try:
        starts = np.array([float(number) for number in actual])
    except ValueError:
        return {}
    return {"sweep_start": starts} if starts.size == sweeps else {}
