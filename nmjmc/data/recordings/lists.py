"""Amplitudes that no known program exported: a plain list, or a column among others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nmjmc.data.recordings.headings import ROWS
from nmjmc.data.recordings.text import Columns

LIST = "list"
"""Name of such a table in the place of a program's."""

_AMPLITUDES = ("amplitude", "amplitudes", "amp", "amps", "peak", "peaks", "peak amplitude", "peak amp")
_MOST = 10_000  # rows of a list; a sweep of a second is longer (a choice)
_EVEN = 0.01


def as_list(table: Columns) -> Columns | None:
    """A table whose column of amplitudes is named `amplitude`; None if there is none, or the table may be a trace."""
    first = 1 if _has_row_numbers(table) else 0
    if len(table.names) - first == 1:
        return _named(table, first)
    named = [i for i, name in enumerate(table.names) if name in _AMPLITUDES]
    if len(named) != 1 or _is_even(table.values[:, first]):
        return None
    return _named(table, named[0])


def is_list(table: Columns) -> bool:
    """Whether a table is surely a list of amplitudes: of one sign, and no longer than lists are."""
    samples = as_list(table)
    if samples is None or len(samples.values) > _MOST:
        return False
    values = samples.values[:, samples.names.index("amplitude")]
    values = values[np.isfinite(values)]
    return bool((values >= 0).all() or (values <= 0).all())


def is_mini_analysis(table: Columns) -> bool:
    """Whether a table without headings is one of Mini Analysis: numbers of the events, their times, and more."""
    if any(table.names) or table.values.shape[1] < 3 or len(table.values) < 2:
        return False
    steps = np.diff(table.values[:, :2], axis=0)
    return bool((steps[:, 0] == 1).all() and (steps[:, 1] >= 0).all() and not _is_even(table.values[:, 1]))


def _named(table: Columns, index: int) -> Columns:
    names = (*table.names[:index], "amplitude", *table.names[index + 1 :])
    return replace(table, names=names)


def _has_row_numbers(table: Columns) -> bool:
    """Whether the first of several columns with headings counts the rows."""
    first = table.values[:, 0]
    counts = np.array_equal(first, first[0] + np.arange(first.size)) and first[0] in (0, 1)
    return any(table.names) and len(table.names) > 1 and table.names[0] in ROWS and counts


def _is_even(values: np.ndarray) -> bool:
    """Whether values rise by even steps, as the times of a trace do."""
    steps = np.diff(values)
    middle = float(np.median(steps)) if steps.size > 1 else 0.0
    return middle > 0 and bool((np.abs(steps - middle) <= _EVEN * middle).all())
