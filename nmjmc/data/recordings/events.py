"""Tables of events, as the programs that detect them export them.

Headings are matched by name, so that a column that was left out or moved does no harm. Mini Analysis exports
none: its columns stand in the order below. A list of amplitudes from elsewhere (`lists`) is taken too.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from nmjmc.analysis.observations import EventTable
from nmjmc.data.recordings.corrections import refuse_impossible, said_unit
from nmjmc.data.recordings.lists import LIST, as_list, is_list, is_mini_analysis
from nmjmc.data.recordings.optional import existing, to_unit
from nmjmc.data.recordings.text import Columns, numbers, read_columns
from nmjmc.errors import ValidationError, nearest
from nmjmc.units import to_internal

_MINI_ANALYSIS = (
    "number", "time", "amplitude", "rise", "decay", "area", "baseline", "noise", "group", "channel", "10-90 rise",
    "halfwidth",
)  # fmt: skip

# heading -> column; the first heading that is present wins
_HEADINGS: dict[str, dict[str, str]] = {
    "mini_analysis": {
        "time": "time", "amplitude": "amplitude", "rise": "rise", "decay": "decay", "area": "charge",
        "baseline": "baseline", "noise": "noise", "10-90 rise": "rise_10_90", "halfwidth": "half_width",
    },
    "clampfit": {
        "event start time": "time", "time of peak": "time", "peak amp": "amplitude", "baseline": "baseline",
        "trace": "sweep", "decay tau": "decay", "half width": "half_width", "area": "charge", "rise tau": "rise",
        "10% 90% rise time": "rise_10_90", "10 90% rise time": "rise_10_90", "rise time 10% to 90%": "rise_10_90",
        "peak noise": "noise",
    },
    "easy_electrophysiology": {
        "event time": "time", "peak time": "time", "amplitude": "amplitude", "baseline": "baseline", "rec": "sweep",
        "record": "sweep", "rise time": "rise", "decay tau": "decay", "tau": "decay", "half width": "half_width",
        "decay time": "decay", "area under curve": "charge", "auc": "charge",
    },
    "miniml": {
        "location": "time", "amplitude": "amplitude", "risetime": "rise_10_90", "decaytime": "half_decay",
        "charge": "charge", "score": "score",
    },
}  # fmt: skip
_HEADINGS[LIST] = _HEADINGS["mini_analysis"]

# unit of time that a program uses where its table does not say it; amplitudes have none, as it is that of the recording
_TIME = {"mini_analysis": "ms", "clampfit": "ms", "easy_electrophysiology": "ms", "miniml": "s", LIST: "ms"}
_TIMES = ("rise", "rise_10_90", "rise_20_80", "decay", "half_width", "half_decay")


def read_events(
    path: str | Path,
    program: str | None = None,
    *,
    unit: str | None = None,
    sampling_interval: float | None = None,
    duration: float = float("nan"),
    decimal: str | None = None,
) -> EventTable:
    """Read a table of events.

    Args:
        path: The exported file (text).
        program: `mini_analysis`, `clampfit`, `easy_electrophysiology`, `miniml`, or `list` for a plain list of
            amplitudes; by default it follows from the headings.
        unit: Unit of the amplitudes; needed where the headings do not say it.
        sampling_interval: For miniML, whose times are samples [ms].
        duration: Time that was searched [ms], if known.
        decimal: Decimal mark of the file, `point` or `comma`, where its numbers leave it open.

    Returns:
        The events; amplitudes positive in the direction of most of them. miniML's decay time is the time from
        the peak to half of it: it is not taken for a decay constant, and left out.

    Raises:
        ValidationError: If the program cannot be told, no amplitude is found, nobody says their unit, or they are
            larger than a cell's can be.
    """
    place = existing(path)
    table = read_columns(place, decimal)
    table = _transposed(table) or table
    program = program or _program(table)
    if not program:
        shown = ", ".join(name for name in table.names if name) or "none"
        hint = "name the program, or head the column of the amplitudes with amplitude (pA)"
        raise ValidationError(f"headings of {place.name}", shown, "those of a known program", hint)
    if program not in _HEADINGS:
        raise ValidationError("program", repr(program), "a known one", nearest(str(program), _HEADINGS))
    table = _with_headings(table, program)
    columns, inside, said = _columns(table, program, unit, sampling_interval)
    if not np.isfinite(columns["amplitude"]).any():
        raise ValidationError(f"amplitudes of {place.name}", "all missing", "numbers")
    refuse_impossible(inside, columns["amplitude"], f"amplitudes of {place.name}")
    sign = -1 if np.nanmedian(columns["amplitude"]) < 0 else 1
    columns["amplitude"] = sign * columns["amplitude"]
    charge = columns.get("charge", np.zeros(0))
    if np.isfinite(charge).any() and np.nanmedian(charge) < 0:
        columns["charge"] = -charge
    return EventTable(columns, inside, sign, duration, f"{place.name}, {program}{said}")


def _transposed(table: Columns) -> Columns | None:
    """MiniML writes a feature a row and an event a column; None for any other table."""
    if len(table.names) < 2 or not re.fullmatch(r"event \d+", table.names[1]):
        return None
    names = tuple(row[0].strip().casefold() for row in table.texts)
    texts = tuple(zip(*(row[1:] for row in table.texts), strict=True))
    return Columns(names, ("",) * len(names), table.values[:, 1:].T, texts, table.file)


def program_of(path: str | Path, decimal: str | None = None) -> str:
    """The program that exported a table of events, or `list`; empty where it may be something else."""
    return program_of_table(read_columns(path, decimal))


def program_of_table(table: Columns) -> str:
    """The program that exported a table of events that has been read; see `program_of`."""
    if _transposed(table) is not None:
        return "miniml"
    found = _program(table)
    return found if found != LIST or is_list(table) else ""


def _program(table: Columns) -> str:
    """The program most of whose headings are here, or what a table of other headings or of none is."""
    if is_mini_analysis(table):
        return "mini_analysis"
    known = {program: words for program, words in _HEADINGS.items() if program not in ("mini_analysis", LIST)}
    by_name = {program: sum(name in table.names for name in words) for program, words in known.items()}
    best = max(by_name, key=lambda program: by_name[program])
    if by_name[best] > 1 and "amplitude" in (_HEADINGS[best].get(name) for name in table.names):
        return best
    return LIST if as_list(table) is not None else ""


def _with_headings(table: Columns, program: str) -> Columns:
    """The table with the headings that it lacks."""
    if program == LIST:
        return as_list(table) or table
    if any(table.names):
        return table
    width = table.values.shape[1]
    names = (*_MINI_ANALYSIS, *("",) * max(0, width - len(_MINI_ANALYSIS)))[:width]
    return replace(table, names=names, units=("",) * width)


def _columns(
    table: Columns, program: str, unit: str | None, sampling_interval: float | None
) -> tuple[dict[str, np.ndarray], str, str]:
    """The columns that are known, in internal units, the unit of the amplitude, and what was said against its own."""
    known = {heading: column for heading, column in _HEADINGS[program].items() if heading in table.names}
    for heading in known:
        if table.names.count(heading) > 1:
            raise ValidationError(
                f"columns of {table.file}", f"two headed {heading}", "each headed otherwise"
            )
    place = next((table.names.index(h) for h, column in known.items() if column == "amplitude"), None)
    if place is None:
        raise ValidationError(
            f"headings of {table.file}", ", ".join(table.names), f"those of {program}, with an amplitude"
        )
    own = unit or table.units[place]
    if not own:
        hint = "it is that of the recording, for example unit='pA'"
        raise ValidationError("unit", "missing", f"given, as {table.file} does not say it", hint)
    columns: dict[str, np.ndarray] = {}
    _, inside = to_unit([], own, f"{table.heading(place)} of {table.file}")
    for heading, column in known.items():
        index = table.names.index(heading)
        factor = _factor(table, index, column, own, program, sampling_interval)
        if column not in columns and factor is not None:
            columns[column] = numbers(table, index, missing=True) * factor
    columns.pop("half_decay", None)
    said = said_unit(unit, table.units[place])[1] if table.units[place] else ""
    return columns, inside, f"; {said}" if said else ""


def _factor(
    table: Columns, index: int, column: str, own: str, program: str, sampling_interval: float | None
) -> float | None:
    """By what a column is multiplied to have internal units; None where nobody says its unit.

    Args:
        table: The table.
        index: Of the column.
        column: What it is.
        own: Unit of the amplitudes.
        program: That exported the table; a plain list has no unit of time of its own.
        sampling_interval: For miniML [ms].
    """
    written, field = table.units[index], f"{table.heading(index)} of {table.file}"
    if column in ("amplitude", "baseline", "noise"):
        values, inside = to_unit([1.0], own if column == "amplitude" else written or own, field)
        if inside != to_unit([1.0], own, field)[1]:
            raise ValidationError(f"unit of {field}", repr(written), f"one of the amplitudes, such as {own}")
        return float(values[0])
    if column == "time" and program == "miniml":
        return _samples(sampling_interval)
    if column == "time" or column in _TIMES:
        unit = written or ("" if program == LIST else _TIME[program])
        return to_internal(f"1 {unit}", "ms", field) if unit else None
    if column == "charge":
        return _area(written or f"{own}*{_TIME[program]}")
    return 1.0


def _samples(sampling_interval: float | None) -> float:
    if sampling_interval is None:
        raise ValidationError("sampling_interval", "missing", "given in ms, as miniML counts samples")
    return sampling_interval


def _area(written: str) -> float:
    """Factor from a unit of area to nA ms; areas of potentials, and of an unknown unit, are not converted."""
    text = re.sub(r"\s*[·*x ]\s*", "*", written)
    try:
        return to_internal(f"1 {text}", "nA*ms", "area")
    except ValidationError:
        return float("nan")
