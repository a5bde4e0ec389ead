"""From the path of a file to what it holds: a recording, a table of events, or another table; put right and chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from nmjmc.analysis.observations import EventTable
from nmjmc.analysis.quality import quality_of
from nmjmc.analysis.recording import Recording
from nmjmc.analysis.stimuli import Stimuli, of_artefact, of_command
from nmjmc.data.kinds import kind_of
from nmjmc.data.reading import Reading
from nmjmc.data.recordings.asked import AsRead, refuse_words
from nmjmc.data.recordings.axon_contents import abf_contents
from nmjmc.data.recordings.chosen import chosen
from nmjmc.data.recordings.contents import Channel, Contents
from nmjmc.data.recordings.corrections import said_unit
from nmjmc.data.recordings.events import program_of_table, read_events
from nmjmc.data.recordings.lists import LIST, as_list
from nmjmc.data.recordings.miniml import is_miniml, miniml_events
from nmjmc.data.recordings.numerals import DECIMALS, readings
from nmjmc.data.recordings.nwb import nwb_contents
from nmjmc.data.recordings.optional import existing, to_unit
from nmjmc.data.recordings.read import format_of, read_recording
from nmjmc.data.recordings.stimfit import stimfit_contents
from nmjmc.data.recordings.table import is_time
from nmjmc.data.recordings.text import Columns, numbers, read_columns
from nmjmc.data.recordings.through_neo import neo_contents
from nmjmc.errors import ValidationError

_TELL: dict[str, Callable[[Path, int], Contents]] = {
    "abf": abf_contents, "neo": neo_contents, "nwb": nwb_contents, "stimfit": stimfit_contents,
}  # fmt: skip
_FORMATS = {
    "atf": "Axon text (.atf)", "csv": "text", "hdf5": "HDF5", "mat": "MATLAB",
}  # fmt: skip
_FEWEST = 50  # rows of a trace (a choice)
_EVEN = 0.05  # of its step, by which times of a trace may differ (a choice)


def read_file(path: str | Path, asked: AsRead) -> Reading:
    """Read a file.

    Args:
        path: A recording, or a table of events or of anything else as text.
        asked: What was said of it.

    Raises:
        ValidationError: If it cannot be read, or something has to be said of it.
    """
    place = existing(path)
    if kind_of(place):
        hint = f"nmjmc show {place.name}, or nmjmc quantal for its quanta"
        raise ValidationError("the file", f"{path}, a result of nmjmc", "a recording or a table", hint)
    kind = format_of(place, asked.format)
    if kind == "csv":
        table = read_columns(place, asked.decimal)
        if not is_recording(table) and asked.sampling_interval is None:
            return replace(_table(place, table, asked), file=str(path))
    if kind == "hdf5" and is_miniml(place):
        refuse_words(asked, "a table of events of miniML")
        interval = None if asked.sampling_interval is None else asked.amount("sampling_interval")
        events = miniml_events(place, asked.unit, interval)
        return Reading(place.name, events, Contents("HDF5 of miniML"), asked.plain(), file=str(path))
    return replace(_recording(place, kind, asked), file=str(path))


def _recording(place: Path, kind: str, asked: AsRead) -> Reading:
    whole = read_recording(place, **asked.words())
    found = chosen(whole, asked)
    told = _TELL[kind](place, int(asked.channel or 0)) if kind in _TELL else _plain(kind, whole)
    return of_recording(found, told, asked, _shifted(told.stimuli, asked, whole))


def of_recording(
    found: Recording,
    told: Contents | None = None,
    asked: AsRead | None = None,
    stimuli: Stimuli | None = None,
) -> Reading:
    """A recording with its quality and its stimuli.

    Args:
        found: Put right and chosen.
        told: What its file tells of itself.
        asked: What was said of it.
        stimuli: As its file tells, in the sweeps' own time.
    """
    seen = stimuli if stimuli is not None and len(stimuli) else of_command(found)
    if not len(seen):
        seen = of_artefact(found)
    return Reading(
        found.name, found, told or Contents("in memory"), (asked or AsRead()).plain(), seen, quality_of(found)
    )


def _shifted(stimuli: Stimuli, asked: AsRead, whole: Recording) -> Stimuli | None:
    """Stimuli in the time of a window that was chosen; None where it is not known where that begins."""
    if asked.window is None or not len(stimuli):
        return stimuli
    start = _begin(chosen(whole, AsRead.of({"window": asked.window})), whole)
    kept = stimuli.times[stimuli.times >= start] - start
    return Stimuli(kept, stimuli.by if kept.size else "")


def _begin(part: Recording, whole: Recording) -> float:
    return float(part.sweep_start[0] - whole.sweep_start[0])


def _plain(kind: str, recording: Recording) -> Contents:
    """What a format without a head of its own tells."""
    return Contents(_FORMATS.get(kind, kind), (Channel(0, recording.name, recording.unit),))


def is_recording(table: Columns) -> bool:
    """Whether a table is samples against time: its first column is a time that rises evenly."""
    first = table.values[:, 0]
    if program_of_table(table) or len(table.values) < _FEWEST or not np.isfinite(first).all():
        return False
    if is_time(table, 0) and len(table.names) > 1:
        return True
    steps = np.diff(first)
    return bool((steps > 0).all() and np.ptp(steps) < _EVEN * steps.mean())


def _table(place: Path, table: Columns, asked: AsRead) -> Reading:
    """A table of events where headings or columns tell that a program made it, else its columns."""
    refuse_words(asked, "a table of events or of numbers")
    if asked.decimal is not None:
        _check_decimal(table, asked.decimal)
    table, said = _with_unit(table, asked.unit)
    columns = tuple(Channel(i, name, table.units[i]) for i, name in enumerate(table.names))
    told = Contents("text", columns, left_out=said)
    data: EventTable | Columns = table
    program = program_of_table(table)
    if program and (program != LIST or "time" in table.names):
        interval = None if asked.sampling_interval is None else asked.amount("sampling_interval")
        data = read_events(place, unit=asked.unit, sampling_interval=interval, decimal=asked.decimal)
    return Reading(place.name, data, told, asked.plain())


def _check_decimal(table: Columns, decimal: str) -> None:
    """Refuse a decimal mark by which numbers of a table cannot be read."""
    for index in range(len(table.names)):
        marks = [readings(row[index]) for row in table.texts]
        if any(found and DECIMALS[decimal] not in found for found in marks):
            numbers(table, index, missing=True)


def _with_unit(table: Columns, unit: str | None) -> tuple[Columns, tuple[str, ...]]:
    """A table whose amplitudes have the unit that was given, and a sentence where their heading says another."""
    listed = as_list(table)
    if unit is None or listed is None or "amplitude" not in listed.names:
        return table, ()
    index = listed.names.index("amplitude")
    to_unit([], unit, f"{table.heading(index)} of {table.file}")
    written = table.units[index]
    said = said_unit(unit, written)[1] if written else ""
    units = (*table.units[:index], unit, *table.units[index + 1 :])
    return replace(table, units=units), (f"{said}.",) if said else ()
