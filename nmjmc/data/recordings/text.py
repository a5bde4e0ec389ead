"""Columns of numbers from text: commas, semicolons, tabs or blanks, with or without a heading."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nmjmc.data.recordings.optional import existing
from nmjmc.errors import ValidationError

_HEADING = re.compile(r"^\s*(.*?)\s*[\[(]\s*([^\])]*)\s*[\])]?\s*$")
_UNIT = re.compile(
    r"[\[(]\s*[fpnumµ]?[AV]\s*[\])]\s*$"
)  # a comment above one column is its heading if it says a unit
_MISSING = {"", "nan", "na", "n/a", "none", "not found", "-", "--"}


@dataclass(frozen=True)
class Columns:
    """A table of numbers.

    Attributes:
        names: Heading of each column, lower case, without its unit; empty where there is no heading.
        units: Unit in brackets behind each heading; empty where there is none.
        values: float64 [row, column]; NaN for what is missing.
        texts: The cells as text, [row][column].
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    values: np.ndarray
    texts: tuple[tuple[str, ...], ...]


def read_columns(path: str | Path) -> Columns:
    """Read a table. Lines that begin with `#` are comments; the last with as many fields may be the heading.

    Raises:
        ValidationError: If there is no file, or no row of numbers in it.
    """
    place = existing(path)
    lines = place.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    comments = [line.lstrip("# ") for line in lines if line.startswith("#")]
    body = [line for line in lines if line.strip() and not line.startswith("#")]
    if not body:
        raise ValidationError("path", f"{path}, which holds no rows", "a table of numbers")
    rows = _split(body, _delimiter(body))
    start = next((i for i, row in enumerate(rows) if _is_data(row)), None)
    if start is None:
        raise ValidationError("path", f"{path}, which holds no numbers", "a table of numbers")
    width = len(rows[start])
    data = [row for row in rows[start:] if len(row) == width]
    if len(data) != len(rows) - start:
        bad = next(row for row in rows[start:] if len(row) != width)
        raise ValidationError(
            f"a row of {place.name}", f"{len(bad)} fields long", f"{width} fields, as the first"
        )
    above = [body[start - 1].strip()] if start and width == 1 else rows[start - 1] if start else []
    heading = above if len(above) == width else _from_comment(comments, width)
    names, units = _heading(heading, width)
    values = np.array([[_number(cell) for cell in row] for row in data], np.float64)
    return Columns(names, units, values, tuple(tuple(row) for row in data))


def _delimiter(lines: list[str]) -> str:
    """The character that most lines have in common, blanks if none."""
    sample = lines[-min(len(lines), 20) :]
    counts = {mark: min(line.count(mark) for line in sample) for mark in ("\t", ";", ",")}
    best = max(counts, key=lambda mark: counts[mark])
    return best if counts[best] else " "


def _split(lines: list[str], mark: str) -> list[list[str]]:
    if mark == " ":
        return [line.split() for line in lines]
    return [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=mark)]


def _is_data(row: list[str]) -> bool:
    """Whether most of a row's cells are numbers (a table may have words in some column)."""
    found = sum(not np.isnan(_number(cell)) for cell in row)
    return found > 0 and 2 * found >= sum(cell.casefold() not in _MISSING for cell in row)


def _number(cell: str) -> float:
    text = cell.strip().strip('"')
    if text.casefold() in _MISSING:
        return float("nan")
    # Mini Analysis writes thousands with a comma: 1,234.5
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?", text):
        text = text.replace(",", "")
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _from_comment(comments: list[str], width: int) -> list[str]:
    """A heading that stands in a comment line."""
    cells = [[cell.strip() for cell in line.split(",")] for line in comments]
    fitting = [row for row in cells if len(row) == width and (width > 1 or _UNIT.search(row[0]))]
    return fitting[-1] if fitting else []


def _heading(row: list[str], width: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if not row:
        return ("",) * width, ("",) * width
    names, units = [], []
    for cell in row:
        found = _HEADING.match(cell)
        name, unit = (found.group(1), found.group(2)) if found else (cell, "")
        names.append(re.sub(r"[\s._-]+", " ", name).strip().casefold())
        units.append(unit.strip())
    return tuple(names), tuple(units)
