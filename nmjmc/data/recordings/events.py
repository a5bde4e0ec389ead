"""Tables of events, as the programs that detect them export them.

Headings are matched by name, so that a column that was left out or moved does no harm. Mini Analysis exports
none: its columns stand in the order below. A list of amplitudes from elsewhere (`lists`) is taken too.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from nmjmc.analysis.observations import EventTable
from nmjmc.data.recordings.lists import LIST, as_list, is_list, is_mini_analysis
from nmjmc.data.recordings.optional import existing, to_unit
from nmjmc.data.recordings.text import Columns, read_columns
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
) -> EventTable:
    """Read a table of events.

    Args:
        path: The exported file (text).
        program: `mini_analysis`, `clampfit`, `easy_electrophysiology`, `miniml`, or `list` for a plain list of
            amplitudes; by default it follows from the headings.
        unit: Unit of the amplitudes; needed where the headings do not say it.
        sampling_interval: For miniML, whose times are samples [ms].
        duration: Time that was searched [ms], if known.

    Returns:
        The events; amplitudes positive in the direction of most of them. miniML's decay time is the time from
        the peak to half of it: it is not taken for a decay constant, and left out.

    Raises:
        ValidationError: If the program cannot be told, no amplitude is found, or nobody says their unit.
    """
    place = existing(path)
    table = _transposed(place) or read_columns(place)
    program = program or _program(table)
    if not program:
        shown = ", ".join(name for name in table.names if name) or "none"
        hint = "name the program, or head the column of the amplitudes with amplitude (pA)"
        raise ValidationError("headings", shown, "those of a known program", hint)
    if program not in _HEADINGS:
        raise ValidationError("program", repr(program), "a known one", nearest(str(program), _HEADINGS))
    table = _with_headings(table, program)
    columns, inside = _columns(table, program, unit, sampling_interval)
    sign = -1 if np.nanmedian(columns["amplitude"]) < 0 else 1
    columns["amplitude"] = sign * columns["amplitude"]
    for name in ("charge",):
        if name in columns and np.nanmedian(columns[name]) < 0:
            columns[name] = -columns[name]
    return EventTable(columns, inside, sign, duration, f"{place.name}, {program}")


def _transposed(path: Path) -> Columns | None:
    """MiniML writes a feature a row and an event a column."""
    lines = [line.split(",") for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    if not lines or not (len(lines[0]) > 1 and re.fullmatch(r"event_\d+", lines[0][1])):
        return None
    names = tuple(row[0].strip().casefold() for row in lines[1:])
    values = np.array([[float(cell) for cell in row[1:]] for row in lines[1:]], np.float64).T
    return Columns(names, ("",) * len(names), values, ())


def program_of(path: str | Path) -> str:
    """The program that exported a table of events, or `list`; empty where it may be something else."""
    place = existing(path)
    table = _transposed(place)
    if table is not None:
        return "miniml"
    table = read_columns(place)
    found = _program(table)
    return found if found != LIST or is_list(table) else ""


def _program(table: Columns) -> str:
    """The program most of whose headings are here, or what a table of other headings or of none is."""
    if is_mini_analysis(table):
        return "mini_analysis"
    known = {program: words for program, words in _HEADINGS.items() if program not in ("mini_analysis", LIST)}
    found = {program: sum(name in table.names for name in words) for program, words in known.items()}
    best = max(found, key=lambda program: found[program])
    if found[best] > 1 and "amplitude" in (_HEADINGS[best].get(name) for name in table.names):
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
    return Columns(names, ("",) * width, table.values, table.texts)


def _columns(
    table: Columns, program: str, unit: str | None, sampling_interval: float | None
) -> tuple[dict[str, np.ndarray], str]:
    """The columns that are known, in internal units, and the unit of the amplitude."""
    known = {heading: column for heading, column in _HEADINGS[program].items() if heading in table.names}
    place = next((table.names.index(h) for h, column in known.items() if column == "amplitude"), None)
    if place is None:
        raise ValidationError("headings", ", ".join(table.names), f"those of {program}, with an amplitude")
    own = unit or table.units[place]
    if not own:
        hint = "it is that of the recording, for example unit='pA'"
        raise ValidationError("unit", "missing", "given, as the table does not say it", hint)
    columns: dict[str, np.ndarray] = {}
    _, inside = to_unit(table.values[:, place], own, "amplitude")
    for heading, column in known.items():
        if column in columns:
            continue
        index = table.names.index(heading)
        values, written = table.values[:, index], table.units[index]
        if column in ("amplitude", "baseline", "noise"):
            values, _ = to_unit(values, unit or written or own, column)
        elif column == "time" and program == "miniml":
            values = values * _samples(sampling_interval)
        elif column == "time" or column in _TIMES:
            values = values * to_internal(f"1 {written or _TIME[program]}", "ms", column)
        elif column == "charge":
            values = values * _area(written or f"{own}*{_TIME[program]}")
        columns[column] = values
    columns.pop("half_decay", None)
    return columns, inside


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
