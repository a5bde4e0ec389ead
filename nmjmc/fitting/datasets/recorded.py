"""From the file of a data set to the record that is searched: put right, in its window, at a resting command."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats

from nmjmc.analysis.detection import Detected
from nmjmc.analysis.pulses import pulses_in
from nmjmc.analysis.recording import Recording
from nmjmc.analysis.steady import SETTLE, Rest, at_rest, rest_of, windowed
from nmjmc.data.recordings import table
from nmjmc.data.recordings.asked import LAYOUTS, AsRead
from nmjmc.data.recordings.chosen import window_of, with_sweeps
from nmjmc.data.recordings.corrections import refuse_flat
from nmjmc.data.recordings.read import READERS, SUFFIXES, format_of, read_recording
from nmjmc.data.recordings.text import read_columns
from nmjmc.errors import ValidationError
from nmjmc.fitting.datasets.options import Options, said_of
from nmjmc.units import to_internal

_ARRAYS = ("unit", "time_unit", "dataset", "sampling_interval", "signal", "sweeps", "scale")
_WORDS = ("unit", "time_unit", "dataset", "decimal", "signal", "sweeps", "scale")
_READS = {
    "abf": ("unit", "channel"), "atf": ("unit", "time_unit", "channel"),
    "csv": ("unit", "time_unit", "sampling_interval", "decimal", "signal", "sweeps"), "hdf5": _ARRAYS, "mat": _ARRAYS,
    "neo": ("unit", "channel"), "nwb": ("unit", "channel"), "stimfit": ("unit", "time_unit", "channel"),
}  # fmt: skip
_KNOWN = ("bandwidth", "series_resistance", "holding_potential", "temperature")

LOCKED, TOGETHER = 1e-3, 2.0
"""Chance below which events at one time of the sweeps are no miniatures [D], and how close that is [ms] [D]."""


def recorded(options: Options) -> Recording:
    """The file as a recording of a current, with what was said of it above what it says.

    Raises:
        ValidationError: If it cannot be read, or holds no current.
    """
    held = options.held(Recording)
    if held is not None:
        return _in_memory(options, held)
    path = options.file()
    kind = format_of(path, options.word("format", tuple(READERS), "") or None)
    chosen = _choice(options)
    for key in (*_WORDS, "channel"):
        if options.has(key) and key not in _READS[kind] and key not in chosen:
            raise ValidationError(
                options.field(key), "given", f"left out, as a file of format {kind} says it"
            )
    given = [key for key in (*_WORDS, "gain") if options.has(key) and key not in chosen]
    words: dict[str, Any] = {key: options.given[key] for key in given}
    if options.has("channel"):
        words["channel"] = options.whole("channel", 0)
    words |= {key: options.number(key) for key in _KNOWN if options.has(key)}
    if options.has("sampling_interval") and "sampling_interval" in _READS[kind]:
        words["sampling_interval"] = options.number("sampling_interval")
    with said_of(f"data.{options.name}", (*options.given, *_READS[kind])):
        record = _chosen(read_recording(path, format=kind, **words), chosen)
    refuse_potential(options, record.unit)
    refuse_flat(record.signal, f"data.{options.name}: recording {path.name}")
    return record


def _in_memory(options: Options, record: Recording) -> Recording:
    """A recording that the caller has read or made, with what was said of it above what it says.

    Raises:
        ValidationError: For what only a file needs, or if it holds no current.
    """
    chosen = _choice(options)
    for key in (*_WORDS, "channel", "gain", "format"):
        if options.has(key) and key not in chosen:
            raise ValidationError(options.field(key), "given", "left out, as a Recording says it")
    record = replace(record, **{key: options.number(key) for key in _KNOWN if options.has(key)})
    with said_of(f"data.{options.name}", tuple(options.given)):
        record = _chosen(record, chosen)
    refuse_potential(options, record.unit)
    refuse_flat(record.signal, f"data.{options.name}: recording {record.name}")
    return record


def _window(options: Options, record: Recording) -> tuple[float, float] | None:
    """The part of each sweep that is used [ms]: two times, or a stretch between steps of the command by its name.

    Raises:
        ValidationError: If it is neither, or the command has no such stretch.
    """
    said = options.given.get("window")
    if not isinstance(said, str):
        return options.window()
    with said_of(f"data.{options.name}", ("window",)):
        asked = AsRead.of({"window": said}).window
        if isinstance(asked, str):
            return window_of(record, asked)
    start, end = (to_internal(time, "ms", options.field("window")) for time in asked)
    return start, end


def _choice(options: Options) -> dict[str, str]:
    """The sweeps that are taken, where they were said by number and not how they lie."""
    found = {}
    if options.has("sweeps"):
        with said_of(f"data.{options.name}", ("sweeps",)):
            said = AsRead.of({"sweeps": options.given["sweeps"]}).sweeps
        if said is not None and said not in LAYOUTS:
            found["sweeps"] = said
    return found


def _chosen(record: Recording, chosen: dict[str, str]) -> Recording:
    return with_sweeps(record, chosen["sweeps"]) if chosen else record


def refuse_potential(options: Options, unit: str) -> None:
    """Refuse what is no current.

    Raises:
        ValidationError: With what potentials are compared through.
    """
    if unit != "nA":
        hint = (
            "potentials are compared through their amplitudes: kind=amplitudes or kind=histogram; say unit=pA if the "
            "file says a wrong unit, or gain if it holds an amplifier's output (gain='0.5 V/nA')"
        )
        raise ValidationError(f"data.{options.name}", f"a waveform in {unit}", "a current", hint)


def put_right(record: Recording) -> str:
    """What was put right when the record was read, to stand in a note; empty if nothing was."""
    said = record.source.split("; ")[1:]
    return f", {', '.join(said)}" if said else ""


def searched(options: Options, record: Recording, least: float) -> tuple[Recording, str, tuple[str, ...]]:
    """The part of a record in which events are searched.

    Args:
        options: Of the data set; `window` and `settle` choose it.
        record: The whole.
        least: Shortest stretch in which events can be found [ms].

    Returns:
        It, what it is in words, and what a reader must know.

    Raises:
        ValidationError: If the command is not known, or rests nowhere for as long.
    """
    window, settle = _window(options, record), options.number("settle", SETTLE)
    if window is not None:
        return _in_window(options, record, window, settle)
    rest = rest_of(record, settle)
    field = options.field("window")
    if not record.command.size:
        _refuse_pulses(options, record)
        remark = (
            f"{options.name}: the file says nothing of the command; if it steps (test pulses, voltage steps), choose "
            f"the part of each sweep in which it rests: data.{options.name}.window=[START ms,END ms].",
        )
        return record, "", remark
    if not rest.known:
        raise ValidationError(
            field, "missing", "said, as the command cannot be told from the file", _how(options, rest)
        )
    if rest.share >= 1.0:
        return record, "", ()
    try:
        part = at_rest(record, least, settle)
    except ValidationError as error:
        value = f"missing, and the command rests nowhere for {least:g} ms ({settle:g} ms after each change left out)"
        hint = f"{_how(options, rest)}, or a shorter data.{options.name}.settle"
        raise ValidationError(field, value, "said", hint) from error
    share = 100.0 * part.duration / record.duration
    return part, f" in the {share:.0f} % of the record in which the command rests at {rest.level:g} mV", ()


def _refuse_pulses(options: Options, record: Recording) -> None:
    """Refuse a record that shows pulses which its file does not say: their edges would be found as events.

    Raises:
        ValidationError: With how many there are, and the first.
    """
    found = pulses_in(record)
    if found is None:
        return
    value = (
        f"one that shows {found.count} steps alike, of {found.size:.3g} {record.unit} and {found.length:.4g} ms, "
        f"the first at {found.first:.6g} ms of sweep {found.sweep}"
    )
    hint = f"choose data.{options.name}.window=[START ms,END ms] without them, or cut the events out: kind=events"
    allowed = "a record whose command rests, or one that says its command"
    raise ValidationError(f"data.{options.name}", value, allowed, hint)


def _in_window(
    options: Options, record: Recording, window: tuple[float, float], settle: float
) -> tuple[Recording, str, tuple[str, ...]]:
    """The record within a window of each sweep, as it was said."""
    try:
        part = windowed(record, window)
    except ValidationError as error:
        raise ValidationError(
            options.field("window"), f"{window[0]:g} to {window[1]:g} ms", error.allowed
        ) from error
    rest = rest_of(part, settle)
    remarks = ()
    if part.command.size and (rest.share < 1.0 or not rest.known):
        remarks = (
            f"{options.name}: the command changes, or cannot be told, within the window of "
            f"{window[0]:g} to {window[1]:g} ms that was chosen.",
        )
    return part, f" from {window[0]:g} to {window[1]:g} ms of each sweep", remarks


def at_one_command(options: Options, record: Recording) -> tuple[Recording, float, tuple[str, ...]]:
    """Sweeps of one length during which the command rests, and where they begin in the sweeps [ms].

    Raises:
        ValidationError: If it does not rest, or the sweeps differ in length, with the window in which they do not.
    """
    window, settle = (
        _window(options, record),
        options.number("settle", SETTLE) if "settle" in options.given else SETTLE,
    )
    rest, first, remarks = rest_of(record, settle), 0.0, ()
    if window is not None:
        record, _, remarks = _in_window(options, record, window, settle)
        first = np.ceil(window[0] / record.sampling_interval - 1e-9) * record.sampling_interval
    elif record.command.size and (rest.share < 1.0 or not rest.known):
        what = "cannot be told from the file" if not rest.known else "changes within the sweeps"
        allowed = f"said, as the command {what}: its steps are no events"
        raise ValidationError(options.field("window"), "missing", allowed, _how(options, rest))
    if not record.even:
        shortest = record.length.min() * record.sampling_interval
        value = f"{shortest:g} to {record.sweep_duration:g} ms long"
        hint = f"choose data.{options.name}.window=[0 ms,{shortest:g} ms]"
        raise ValidationError(f"sweeps of data.{options.name}", value, "of one length", hint)
    return record, float(first), remarks


def _how(options: Options, rest: Rest) -> str:
    """How a window is chosen."""
    if rest.known and rest.window:
        start, end = rest.window
        return f"for example data.{options.name}.window=[{start:.6g} ms,{end:.6g} ms], where it rests in every sweep"
    return f"choose data.{options.name}.window=[START ms,END ms], where it rests in every sweep"


def refuse_locked(options: Options, whole: Recording, part: Recording, events: Detected) -> None:
    """Refuse events that come at one time of the sweeps, as what is evoked does and miniatures do not.

    Args:
        options: Of the data set.
        whole: The record with its sweeps.
        part: What of it was searched.
        events: Events in it.

    Raises:
        ValidationError: With the time, and in how many sweeps it has an event.
    """
    if whole.sweeps < 3 or len(events) < 3:
        return
    at = part.sweep_start[events.sweep] + events.sample * part.sampling_interval
    order = np.argsort(whole.sweep_start, kind="stable")
    sweep = order[np.searchsorted(whole.sweep_start[order], at + 1e-6, side="right") - 1]
    within = at - whole.sweep_start[sweep]
    edges = np.arange(
        0.0, whole.sweep_duration + TOGETHER, 0.5 * TOGETHER
    )  # halves overlap, so none splits a burst
    each = np.array([np.unique(sweep[(within >= t) & (within < t + TOGETHER)]).size for t in edges])
    chance = -np.expm1(-len(events) * TOGETHER / part.duration)
    most = int(each.max())
    if most * 2 < whole.sweeps or stats.binom.sf(most - 1, whole.sweeps, chance) * edges.size > LOCKED:
        return
    start = float(edges[each.argmax()])
    value = f"at {start:.4g} to {start + TOGETHER:.4g} ms in {most} of {whole.sweeps} sweeps"
    hint = (
        f"what comes at one time is evoked or a test pulse: choose data.{options.name}.window=[START ms,END ms] "
        "without it, or cut it out and fit it by kind=events"
    )
    raise ValidationError(
        f"events of data.{options.name}", value, "spread over the sweeps, as miniatures are", hint
    )


def first_time(options: Options) -> float:
    """The first time that a table says [ms]; recordings themselves count from zero."""
    if options.held(Recording) is not None:
        return 0.0
    path = options.file()
    if SUFFIXES.get(path.suffix.casefold()) != "csv":
        return 0.0
    given = options.number("sampling_interval") if options.has("sampling_interval") else None
    return table.first_time(read_columns(path, options.decimal()), given, options.given.get("time_unit"))
