"""Columns of numbers from text: commas, semicolons, tabs or blanks, with or without a heading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nmjmc.data.recordings.encoding import lines_of
from nmjmc.data.recordings.headings import name_and_unit
from nmjmc.data.recordings.numerals import DECIMALS, column, decimal_of, is_missing
from nmjmc.data.recordings.optional import existing
from nmjmc.data.recordings.split import rows_of
from nmjmc.errors import ValidationError


@dataclass(frozen=True)
class Columns:
    """A table of numbers.

    Attributes:
        names: Heading of each column, lower case, without its unit; empty where there is no heading.
        units: Unit behind each heading; empty where there is none.
        values: float64 [row, column]; NaN for what is missing or a word.
        texts: The cells as text, [row][column].
        file: Name of the file, for messages.
        lines: Where each row stands in the file [row]; empty where it is none of text.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    values: np.ndarray
    texts: Sequence[Sequence[str]]
    file: str = "the table"
    lines: tuple[int, ...] = ()

    def heading(self, index: int) -> str:
        """A column in words: its number and its name."""
        name = self.names[index]
        return f"column {index + 1} ({name})" if name else f"column {index + 1}"

    def place(self, row: int) -> str:
        """A row in words."""
        return f"line {self.lines[row]} of {self.file}" if self.lines else f"row {row + 1} of {self.file}"


def read_columns(path: str | Path, decimal: str | None = None) -> Columns:
    """Read a table. Lines that begin with `#` are comments; the last with as many cells may be the heading.

    Args:
        path: The file.
        decimal: Its decimal mark, `point` or `comma`; by default it follows from the numbers.

    Raises:
        ValidationError: If there is no file, no row of numbers in it, or what its numbers mean cannot be told.
    """
    place = existing(path)
    name = place.name
    rows = rows_of(lines_of(place), name, DECIMALS.get(str(decimal)) if decimal is not None else None)
    columns = list(zip(*rows.cells, strict=True))
    mark = decimal_of(columns, rows.lines, name, decimal)
    headings = rows.heading or ("",) * len(columns)
    pairs = [name_and_unit(cell) for cell in headings]
    units = [below.strip("[]() ") for below in rows.units] or [unit for _, unit in pairs]
    values = np.array([column(cells, mark) for cells in columns], np.float64).T
    table = Columns(tuple(name for name, _ in pairs), tuple(units), values, rows.cells, name, rows.lines)
    if np.isfinite(values[:, 0]).mean() > 0.5:
        numbers(table, 0, missing=True)  # a word among numbers begins another table, or a line of means
    return table


def numbers(table: Columns, index: int, *, missing: bool = False) -> np.ndarray:
    """The numbers of one column.

    Args:
        table: The table.
        index: Of the column.
        missing: Whether cells may say that they hold none: these are NaN.

    Returns:
        float64 [row].

    Raises:
        ValidationError: If a cell is a word, too large for a number, or missing where it may not be.
    """
    values = table.values[:, index]
    for row in np.flatnonzero(~np.isfinite(values)).tolist():
        text = table.texts[row][index]
        if missing and is_missing(text):
            continue
        shown = repr(text) if text else "empty"
        raise ValidationError(f"{table.heading(index)} in {table.place(row)}", shown, "a number")
    return values
