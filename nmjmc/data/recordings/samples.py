"""Columns of a table as sweeps: each has a unit of its own, and a potential is no current."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nmjmc.data.recordings.corrections import said_unit
from nmjmc.data.recordings.headings import kind_of_name, kind_of_unit
from nmjmc.data.recordings.optional import to_unit
from nmjmc.data.recordings.text import Columns, numbers
from nmjmc.errors import ValidationError, nearest

SIGNALS = ("current", "potential")
"""What may be recorded."""


class Samples(NamedTuple):
    """Sweeps of one signal.

    Attributes:
        values: float64 [sweep, t], in the unit; NaN behind the end of a sweep that is shorter than others.
        unit: `nA` or `mV`.
        said: What was put right, in words; empty for nothing.
    """

    values: np.ndarray
    unit: str
    said: str


def samples_of(
    table: Columns, indices: Sequence[int], unit: str | None = None, signal: str | None = None
) -> Samples:
    """The sweeps in some columns of a table.

    Args:
        table: The table.
        indices: The columns without that of the times.
        unit: Of all samples, where the headings do not say it or say it wrongly.
        signal: `current` or `potential`, where a table has columns of both.

    Raises:
        ValidationError: If a unit is missing or of neither kind, if there are columns of both kinds, or if a cell is no
            number.
    """
    units = {i: unit_of(table, i, unit) for i in indices}
    kinds = {i: kind_of_unit(found) for i, found in units.items()}
    if signal is not None:
        if signal not in SIGNALS:
            raise ValidationError(
                "signal", repr(signal), "current or potential", nearest(str(signal), SIGNALS)
            )
        indices = [i for i in indices if kinds[i] == signal]
        if not indices:
            raise ValidationError("signal", f"{signal}, of which {table.file} has none", "one of the file")
    for i in indices:
        if kinds[i] not in SIGNALS:
            allowed = "a current or a potential, such as pA or mV"
            raise ValidationError(f"unit of {table.heading(i)} of {table.file}", repr(units[i]), allowed)
    if len({kinds[i] for i in indices}) > 1:
        told = ", ".join(f"{table.heading(i)} in {units[i]}" for i in indices[:4])
        hint = "say signal=current or signal=potential, which takes the columns of this kind"
        raise ValidationError(f"columns of {table.file}", told, "all currents or all potentials", hint)
    written = {table.units[i] for i in indices}
    if unit is not None and len(written) > 1 and "" not in written:
        told = f"{unit} for columns in {' and '.join(sorted(written))}"
        hint = "leave it out, as the headings say the units"
        raise ValidationError("unit", told, f"that of all columns of {table.file}", hint)
    made = [to_unit(_to_the_end(table, i), units[i], table.heading(i)) for i in indices]
    said = said_unit(unit, next(iter(written - {""}), ""))[1] if unit and written != {""} else ""
    return Samples(np.stack([values for values, _ in made]), made[0][1], said)


def lengths_of(values: np.ndarray) -> np.ndarray:
    """Samples of each sweep up to the last that is a number, int [sweep], of values [sweep, t]."""
    behind = np.isfinite(values)[:, ::-1].argmax(axis=1)
    return np.where(np.isfinite(values).any(axis=1), values.shape[1] - behind, 0)


def _to_the_end(table: Columns, index: int) -> np.ndarray:
    """The numbers of a column, which may end before the others: behind its end, cells are empty."""
    values = numbers(table, index, missing=True)
    end = int(lengths_of(values[None, :])[0])
    if end < 2 or not np.isfinite(values[:end]).all():
        numbers(table, index)
    return values


def unit_of(table: Columns, index: int, unit: str | None = None) -> str:
    """The unit of a column: as given, or as its heading says.

    Raises:
        ValidationError: If nobody says it, or if it is one of current and the column is headed as a potential, or the
            other way round.
    """
    written = unit or table.units[index]
    if not written:
        given = f"given, as {table.heading(index)} of {table.file} does not say it"
        raise ValidationError("unit", "missing", given, "for example unit='pA'")
    named, kind = kind_of_name(table.names[index]), kind_of_unit(written)
    if named and kind and named != kind:
        hint = "give the columns their units in the headings, as in  I (pA)"
        heading = f"unit of {table.heading(index)} of {table.file}"
        raise ValidationError(heading, repr(written), f"one of {named}, as the column is named", hint)
    return written
