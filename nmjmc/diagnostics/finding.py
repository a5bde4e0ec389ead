"""What a bedside test found: numbers with intervals, arrays with units, and one sentence of what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np


class Row(NamedTuple):
    """One number of a test with its 95 % interval.

    Attributes:
        name: What it is.
        unit: Its unit; empty for a pure number.
        value: The number; NaN where there is none.
        low, high: Ends of the interval.
        how: How the interval was made, and over what.
    """

    name: str
    unit: str
    value: float
    low: float
    high: float
    how: str


class Array(NamedTuple):
    """One array of a test: dimensions, values, unit, and what it is in words."""

    dimensions: tuple[str, ...]
    values: np.ndarray
    units: str
    long_name: str


@dataclass(frozen=True, eq=False)
class Finding:
    """What a bedside test found.

    Attributes:
        test: `rns`, `sfemg`, `tof`, `dose_response`, `epp`, `epc`, `mepc`, `twitch` or `chain`.
        rows: Its numbers.
        meaning: One sentence by the clinical definitions.
        arrays: What its figure is drawn from, by name.
        facts: Limits, verdicts and settings, as plain values.
    """

    test: str
    rows: tuple[Row, ...]
    meaning: str
    arrays: Mapping[str, Array]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name].values

    def row(self, name: str) -> Row:
        """A row by its name.

        Raises:
            KeyError: If there is none of that name.
        """
        for found in self.rows:
            if found.name == name:
                return found
        raise KeyError(name)

    def __str__(self) -> str:
        width = max(len(row.name) for row in self.rows)
        lines = [f"{r.name.ljust(width)}  {in_words(r)}" for r in self.rows]
        return "\n".join([*lines, self.meaning])


def in_words(row: Row) -> str:
    """Value, interval and unit of a row: `31.5 % (28.0 to 35.1)`; `none` where there is no value.

    A ratio without a first twitch is `undefined`, and a decrement below zero for certain is told as a growth.
    """
    if not np.isfinite(row.value):
        return missing(row)
    unit = f" {row.unit}" if row.unit else ""
    if grows(row):
        value, low, high = rounded(row._replace(value=-row.value, low=-row.high, high=-row.low))
        return f"none: grows by {value}{unit} ({low} to {high})"
    value, low, high = rounded(row)
    return f"{value}{unit}" if low == high == "" else f"{value}{unit} ({low} to {high})"


def missing(row: Row) -> str:
    """What a row without a value is called."""
    return "undefined" if row.name.startswith("T4/T1") else "none"


def grows(row: Row) -> bool:
    """Whether a row is a decrement whose whole interval is below zero: the response becomes larger."""
    return row.name.startswith("decrement") and row.high < 0


def rounded(row: Row) -> tuple[str, str, str]:
    """Value and ends of the interval as text, to two digits of the interval's half but at most four of the greatest.

    The ends are empty where there is no interval.
    """
    half = 0.5 * (row.high - row.low)
    if not np.isfinite(half):
        return f"{row.value:.4g}", "", ""
    if half < 1e-9 * max(abs(row.value), 1.0):  # no spread at all
        value, low, high = (f"{round(x, 9) + 0.0:.4g}" for x in (row.value, row.low, row.high))
        return value, low, high
    greatest = max(abs(row.value), abs(row.low), abs(row.high))
    digits = int(np.clip(min(1 - np.floor(np.log10(half)), 3 - np.floor(np.log10(greatest))), 0, 6))
    value, low, high = (f"{round(x, digits) + 0.0:.{digits}f}" for x in (row.value, row.low, row.high))
    return value, low, high
