"""Headings of columns: the name, the unit behind it, and what it is that stands below."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nmjmc.data.recordings.numerals import is_missing, readings
from nmjmc.units import internal_unit

TIMES = ("time", "times", "t", "zeit", "temps", "tiempo", "tempo", "tijd", "tid", "czas")
"""First words of headings of a column of times."""

ROWS = (
    "", "rownames", "row", "index", "number", "no", "id", "event", "event number", "event num", "sample", "samples",
    "point", "points",
)  # fmt: skip
"""Headings of a column that numbers the rows."""

_SWEEPS = ("sweep", "trace", "episode", "event", "signal", "channel", "record")

_KINDS = {
    "potential": {"voltage", "potential", "vm", "v", "vmem", "membrane potential", "membrane voltage", "spannung"},
    "current": {"current", "im", "i", "membrane current", "strom", "courant", "corriente"},
}  # fmt: skip
_INSIDE = {"nA": "current", "mV": "potential", "ms": "time"}

_BRACKETS = re.compile(r"^\s*(.*?)\s*[\[(]\s*([^\])]*?)\s*[\])]?\s*$")
_SLASH = re.compile(r"^\s*(.*?\S)\s*/\s*([a-zA-Zµμ]{1,2})\s*$")
_BEHIND = re.compile(r"^\s*(.*?\S)(?:_|\s+in\s+)([munpfµμ][sAV]|sec|msec)\s*$")
_GAP = re.compile(r"\t+|\s{2,}")
_CLOSED = re.compile(r"[^\s\[(][^\[(]*?[\[(][^\])]*[\])]")


def name_and_unit(cell: str) -> tuple[str, str]:
    """The name of a column, in lower case, and its unit; empty where the heading says none.

    A unit stands in brackets, behind a slash (as in `I / pA`), or behind `_` or `in`.
    """
    text, unit = cell.strip().strip('"'), ""
    if match := _BRACKETS.match(text):
        text, unit = match.groups()
    elif (match := _SLASH.match(text)) and kind_of_unit(match.group(2)) and not is_missing(text):
        text, unit = match.groups()
    elif (match := _BEHIND.match(text)) and kind_of_unit(match.group(2)):
        text, unit = match.groups()
    return re.sub(r"[\s._-]+", " ", text).strip().casefold(), unit.strip()


def kind_of_unit(unit: str) -> str:
    """`current`, `potential` or `time`; empty for any other unit, and for what is none."""
    try:
        return _INSIDE.get(internal_unit(unit), "")
    except Exception:  # pint raises many kinds for text that is no unit
        return ""


def kind_of_name(name: str) -> str:
    """`current`, `potential` or `time`, where the name of a column says so; else empty."""
    if name.split(" ")[0] in TIMES:
        return "time"
    bare = re.sub(r"[\s\d]+$", "", name)
    return next((kind for kind, names in _KINDS.items() if bare in names), "")


def is_sweep(name: str) -> bool:
    """Whether a heading names a sweep or what was recorded."""
    return name.split(" ")[0] in _SWEEPS or kind_of_name(name) in ("current", "potential")


def is_heading(row: Sequence[str]) -> bool:
    """Whether a row is of words, two or more, without a number."""
    words = [cell for cell in row if not is_missing(cell)]
    return len(words) > 1 and not any(readings(cell) for cell in words)


def is_units(row: Sequence[str]) -> bool:
    """Whether a row holds units, one or more, and nothing else."""
    kept = [cell.strip().strip("[]()") for cell in row if cell.strip()]
    return bool(kept) and all(kind_of_unit(cell) for cell in kept)


def parted(line: str) -> list[str]:
    """A heading between blanks, whose names may have blanks within: parted by gaps, or behind the units."""
    gaps = [cell for cell in _GAP.split(line.strip()) if cell]
    closed = _CLOSED.findall(line)
    return closed if len(closed) > len(gaps) else gaps if len(gaps) > 1 else line.split()
