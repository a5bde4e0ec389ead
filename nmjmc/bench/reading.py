"""From what a user gives, a file or an object, to the source that it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nmjmc.analysis.bench.responses import FEWEST
from nmjmc.analysis.observations import EventTable
from nmjmc.analysis.recording import UNITS, Recording
from nmjmc.analysis.stimuli import Stimuli
from nmjmc.bench import recorded, simulated
from nmjmc.bench.request import Quantal
from nmjmc.bench.sources import Evoked, Intervals, Miniatures, Pauses, Source
from nmjmc.data.examination import Examination, is_examination, load_examination
from nmjmc.data.hdf5 import load
from nmjmc.data.read_file import is_recording, read_file
from nmjmc.data.reading import Reading
from nmjmc.data.recordings import read_events
from nmjmc.data.recordings.asked import OF_FILES, OF_SAMPLES, refuse_words
from nmjmc.data.recordings.chosen import as_given
from nmjmc.data.recordings.corrections import said_unit
from nmjmc.data.recordings.events import program_of_table
from nmjmc.data.recordings.headings import ROWS
from nmjmc.data.recordings.lists import LIST
from nmjmc.data.recordings.optional import to_unit
from nmjmc.data.recordings.read import SUFFIXES
from nmjmc.data.recordings.text import Columns, numbers, read_columns
from nmjmc.data.result import Result
from nmjmc.errors import ValidationError
from nmjmc.folders import user_path
from nmjmc.numbers import to_array_in_any_unit
from nmjmc.units import to_internal

FORMS = "a file, what nmjmc.read gave, a Recording, an EventTable, a result of nmjmc, or amplitudes [trial, stimulus]"
_ARRAY = "an array of amplitudes"


def source_of(given: Any, asked: Quantal, field: str = "the source") -> Source:
    """What a file or an object holds.

    Args:
        given: The path of a file or of a run's folder, or an object.
        asked: The settings; `kind` decides where a table could be several things.
        field: What it is, for messages.

    Raises:
        ValidationError: If it cannot be read as any source.
    """
    if field == "the source" and (what := _without_samples(given)):
        # what is said of the source is not meant for the miniatures that come with it
        refuse_words(asked, what, OF_SAMPLES if what == _ARRAY else (*OF_SAMPLES, *OF_FILES))
    if isinstance(given, Result):
        return simulated.of_result(given)
    if isinstance(given, Examination):
        return simulated.of_examination(given)
    if isinstance(given, EventTable):
        return Miniatures(_searched(given, asked), given.source or "events")
    if isinstance(given, Recording):
        return _recording(as_given(given, asked), asked)
    if isinstance(given, Reading):
        if isinstance(given.data, Recording):
            given = replace(given, data=as_given(given.data, asked))
        return _read(given, asked)
    if isinstance(given, str | Path):
        return _file(user_path(given, field), asked, field)
    if isinstance(given, list | tuple | np.ndarray) or hasattr(given, "__array__"):
        return _array(given, asked, field)
    raise ValidationError(field, repr(given)[:60], FORMS)


def _without_samples(given: Any) -> str:
    """What an object in memory is that takes no words of a recording; empty for a file or a recording."""
    if isinstance(given, Result | Examination):
        return "a simulation"
    if isinstance(given, EventTable) or (isinstance(given, Reading) and isinstance(given.data, EventTable)):
        return "a table of events in memory"
    is_array = isinstance(given, list | tuple | np.ndarray) or hasattr(given, "__array__")
    return _ARRAY if is_array else ""


def _recording(given: Recording, asked: Quantal, told: Stimuli | None = None) -> Source:
    """Responses at the stimuli where there are any, else the miniatures that are found away from them."""
    if asked.kind not in ("auto", "miniatures", "evoked", "conditions"):
        raise ValidationError("kind", asked.kind, f"miniatures or evoked, as {given.name} is a recording")
    found = recorded.stimuli_of(given, asked, told)
    enough = given.sweeps >= FEWEST or (given.sweeps == 1 and len(found) >= FEWEST)
    if asked.kind == "miniatures" or (asked.kind == "auto" and asked.stimuli is None and not enough):
        return recorded.miniatures(given, asked, found)
    if len(found):
        return recorded.evoked(given, asked, found)
    if asked.kind in ("evoked", "conditions"):
        hint = 'for example stimuli="[10 ms, 30 ms]"'
        why = "neither its file, nor its command, nor artefacts tell them"
        raise ValidationError(
            "stimuli", "missing", f"given, to read the responses of {given.name} at: {why}", hint
        )
    return recorded.miniatures(given, asked)


def _file(path: Path, asked: Quantal, field: str) -> Source:
    path = path / "result.h5" if path.is_dir() else path
    if not path.is_file():
        raise ValidationError(field, f"{path}, where there is no file", "a file, or the folder of a run")
    if is_examination(path):
        _refuse_of_files(asked, field)
        return simulated.of_examination(load_examination(path))
    kind = asked.format or SUFFIXES.get(path.suffix.casefold(), "neo")
    if kind == "hdf5" and _is_result(path):
        _refuse_of_files(asked, field)
        return simulated.of_result(load(path))
    if kind == "csv":
        table = read_columns(path, asked.decimal)
        if (
            asked.kind in ("evoked", "conditions", "recovery", "intervals") and asked.stimuli is None
        ) or not is_recording(table):
            return _table(path, table, _words_of_table(table, asked, field))
    return _read(read_file(path, asked), asked)


def _refuse_of_files(asked: Quantal, field: str) -> None:
    """Refuse words of recordings for a simulation of ours, whose file says everything."""
    if field == "the source":
        words = tuple(word for word in dict.fromkeys((*OF_SAMPLES, *OF_FILES)) if word != "format")
        refuse_words(asked, "a simulation", words)


def _words_of_table(table: Columns, asked: Quantal, field: str) -> Quantal:
    """The settings, refused where the source is a table and a word of them is one of recordings."""
    if field == "the source":
        names = {"recovery": "a table of recovery", "intervals": "a list of intervals"}
        is_sampled = program_of_table(table) == "miniml"  # which counts its times in samples
        refuse_words(asked, names.get(asked.kind, "a list of amplitudes"),
                     OF_SAMPLES if is_sampled else (*OF_SAMPLES, "sampling_interval"))  # fmt: skip
    return asked


def _read(found: Reading, asked: Quantal) -> Source:
    """What was read by `nmjmc.read`, as it was put right there."""
    if isinstance(found.data, EventTable):
        return Miniatures(_searched(found.data, asked), found.name)
    if isinstance(found.data, Recording):
        return _recording(found.data, asked, found.stimuli)
    raise ValidationError("the source", found.name, "a recording or a table of events", "give its file")


def _is_result(path: Path) -> bool:
    """Whether an HDF5 file is a simulation of ours."""
    try:
        load(path)
    except ValidationError as error:
        if "version" in str(error):
            raise
        return False
    return True


def _table(path: Path, table: Columns, asked: Quantal) -> Source:
    """A table of events, of evoked amplitudes, of conditions, or of recovery."""
    if asked.kind == "recovery":
        return _pauses(table)
    if asked.kind == "intervals":
        return _intervals(table, asked)
    program = program_of_table(table)
    if asked.kind == "auto" and (len(table.names) == 1 or (program == LIST and "time" not in table.names)):
        hint = "kind=miniatures or kind=evoked (failures as zero)"
        raise ValidationError("kind", "auto", f"given, as {path.name} lists amplitudes of either kind", hint)
    if asked.kind == "miniatures" or (asked.kind == "auto" and program):
        events = read_events(path, unit=asked.unit, sampling_interval=_interval(asked), decimal=asked.decimal)
        _, mark, said = events.source.rpartition("; unit ")
        notes = (f"unit {said}.",) if mark else ()
        return Miniatures(_searched(events, asked), path.name, notes=notes)
    skip = 1 if table.names[0] in ROWS and len(table.names) > 1 and table.names[0] else 0
    columns, unit = [], asked.unit
    for index in range(skip, len(table.names)):
        unit = unit or table.units[index]
        if not unit:
            hint = "for example unit=mV, or head the columns with it: amplitude (mV)"
            raise ValidationError("unit", "missing", f"given, as {path.name} does not say it", hint)
        columns.append(to_unit(numbers(table, index, missing=True), unit, table.heading(index)))
    made = _evoked(np.stack([c[0] for c in columns], axis=1), columns[0][1], path.name, asked)
    written = next(filter(None, table.units[skip:]), "")
    said = said_unit(asked.unit, written)[1] if written else ""
    return replace(made, notes=(f"{said}.",)) if said else made


def _pauses(table: Columns) -> Pauses:
    if len(table.names) < 2:
        allowed = "columns pause (ms), ratio, and perhaps error"
        raise ValidationError(f"columns of {table.file}", f"{len(table.names)}", allowed)
    scale = to_internal(f"1 {table.units[0] or 'ms'}", "ms", f"unit of {table.heading(0)} of {table.file}")
    error = numbers(table, 2) if len(table.names) > 2 else np.zeros(0)
    return Pauses(scale * numbers(table, 0), numbers(table, 1), error, table.file)


def _intervals(table: Columns, asked: Quantal) -> Intervals:
    unit = asked.unit or table.units[-1]
    if not unit:
        hint = "for example unit=s"
        raise ValidationError(
            "unit", "missing", f"given, as {table.file} does not say that of its intervals", hint
        )
    scale = to_internal(f"1 {unit}", "ms", f"unit of {table.heading(len(table.names) - 1)} of {table.file}")
    return Intervals(scale * numbers(table, len(table.names) - 1), table.file)


def _array(given: Any, asked: Quantal, field: str) -> Source:
    values = to_array_in_any_unit(given, field)
    unit = asked.unit or str(getattr(given, "units", "") or "")
    if not unit:
        raise ValidationError("unit", "missing", "given for an array of amplitudes", "for example unit='mV'")
    scaled, inside = to_unit(values, asked.unit or "nA", field) if asked.unit else (values, unit)
    if inside not in UNITS:
        inside = to_unit(1.0, unit, field)[1]
    if asked.kind in ("auto", "miniatures") and scaled.ndim == 1:
        if asked.kind == "auto":
            hint = "kind='miniatures' or kind='evoked'"
            raise ValidationError(
                "kind", "auto", "given, as one axis of amplitudes may be of either kind", hint
            )
        return Miniatures(_searched(EventTable({"amplitude": np.abs(scaled)}, inside), asked), "amplitudes")
    return _evoked(scaled[:, None] if scaled.ndim == 1 else scaled, inside, "amplitudes", asked)


def _evoked(values: np.ndarray, unit: str, name: str, asked: Quantal) -> Evoked:
    if values.ndim != 2:
        raise ValidationError("amplitudes", f"of shape {values.shape}", "trials in rows, stimuli in columns")
    sign = -1.0 if np.nanmean(values) < 0 else 1.0
    times = np.array(asked.stimuli or [])
    if times.size and times.size != values.shape[1]:
        raise ValidationError(
            "stimuli", f"{times.size} times", f"one for each of the {values.shape[1]} columns"
        )
    return Evoked(sign * values, name, unit, times)


def _interval(asked: Quantal) -> float | None:
    return None if asked.sampling_interval is None else asked.amount("sampling_interval")


def _searched(events: EventTable, asked: Quantal) -> EventTable:
    return events if asked.duration is None else replace(events, duration=asked.amount("duration"))
