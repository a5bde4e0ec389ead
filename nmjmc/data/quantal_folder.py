"""The folder of a quantal analysis, read again: its numbers, its curves and what was said of them."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from nmjmc.analysis.bench.measured import Measured
from nmjmc.data.quantal import FIGURE, Curve, QuantalReport
from nmjmc.data.seal import DamageError, content_of, unsealed
from nmjmc.errors import ValidationError

TABLE, SUMMARY = "table.csv", "summary.json"
_HEAD = re.compile(r"(?P<name>.*?)(?: \((?P<unit>.*)\))?")


def is_quantal(folder: Path) -> bool:
    """Whether a folder is that of a quantal analysis."""
    return all((folder / name).is_file() for name in (TABLE, SUMMARY)) and not (folder / "result.h5").exists()


def load_quantal(folder: Path) -> QuantalReport:
    """What `QuantalReport.save` has written, numbers as they were.

    Raises:
        ValidationError: If a file of it is damaged.
    """
    try:
        summary = unsealed(content_of(folder / SUMMARY))
        heads, lines = _columns(folder / TABLE)
        rows = [dict(zip(heads, line, strict=True)) for line in lines]
        measured = tuple(map(_measured, rows))
        truth = {row["name"]: float(row["truth"]) for row in rows if row["truth"] not in ("", "nan")}
        places = sorted(path for path in folder.glob("*.csv") if path.name != TABLE)
        curves = {path.stem: _curve(path) for path in places}
        return QuantalReport(
            summary["title"],
            summary["kind"],
            measured,
            curves,
            tuple(summary["notes"]),
            truth,
            summary["config"],
        )
    except (OSError, DamageError, KeyError, TypeError, ValueError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else error
        hint = f"analyse the recording again; {FIGURE} may still be whole"
        allowed = "the folder that nmjmc quantal has written"
        raise ValidationError("path", f"{folder}, which is damaged ({why})", allowed, hint) from error


def _columns(path: Path) -> tuple[list[str], list[list[str]]]:
    lines = list(csv.reader(content_of(path).decode().splitlines()))
    if len({len(line) for line in lines}) != 1:
        raise DamageError(f"{path.name} has rows of several lengths, or none")
    return lines[0], lines[1:]


def _measured(row: Mapping[str, str]) -> Measured:
    """A number of the table, as `QuantalReport.table` names its parts."""
    value, low, high, error = (float(row[name]) for name in ("value", "low", "high", "standard_error"))
    return Measured(row["name"], row["unit"], value, low, high, row["how"], error)


def _curve(path: Path) -> Curve:
    """A curve; the heads of its columns are `name (unit)`."""
    heads, lines = _columns(path)
    parts = [match for head in heads if (match := _HEAD.fullmatch(head))]
    columns = {part["name"]: _numbers([line[i] for line in lines]) for i, part in enumerate(parts)}
    return Curve(columns, {part["name"]: part["unit"] or "" for part in parts})


def _numbers(cells: Sequence[str]) -> np.ndarray:
    """A column of numbers, of truth values, or of words."""
    if cells and all(cell in ("True", "False") for cell in cells):
        return np.asarray([cell == "True" for cell in cells])
    try:
        return np.asarray([float(cell) for cell in cells])
    except ValueError:
        return np.asarray(cells)
