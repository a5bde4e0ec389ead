"""What is chosen of a recording: its sweeps, a window of each, and what is taken off as their baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nmjmc.analysis.recording import Recording
from nmjmc.analysis.steady import rest_of, windowed
from nmjmc.data.recordings.asked import LAYOUTS, OF_FILES, AsRead, numbers_of
from nmjmc.data.recordings.corrections import put_right
from nmjmc.errors import ValidationError
from nmjmc.units import to_internal

_SAME = 1e-3  # mV or nA by which levels of a command may differ and be one (a choice)


def chosen(recording: Recording, asked: AsRead) -> Recording:
    """The sweeps, the baseline and the window that were asked for, in this order; `source` says what was done."""
    if asked.sweeps is not None and asked.sweeps not in LAYOUTS:
        recording = with_sweeps(recording, asked.sweeps)
    if asked.baseline is not None:
        recording = from_baseline(recording, asked.baseline)
    if asked.window is not None:
        recording = in_window(recording, asked.window)
    return recording


def as_given(recording: Recording, asked: AsRead) -> Recording:
    """A recording in memory with what was said of it.

    Raises:
        ValidationError: For a word that only a file takes.
    """
    for name in OF_FILES:
        if getattr(asked, name) is not None:
            raise ValidationError(name, repr(getattr(asked, name)), "left out, as a Recording says it")
    known = ("holding_potential", "bandwidth", "series_resistance", "temperature")
    told = {name: asked.amount(name) for name in known if getattr(asked, name) is not None}
    return chosen(
        put_right(replace(recording, **told) if told else recording, asked.gain, asked.polarity), asked
    )


def with_sweeps(recording: Recording, said: str) -> Recording:
    """Some of the sweeps, as `0-9,12` or `not 3` names them, each from its true start."""
    index = numbers_of(said, recording.sweeps)
    if index == list(range(recording.sweeps)):
        return recording
    longest = int(recording.length[index].max())
    command = recording.command
    return replace(
        recording, signal=recording.signal[index][:, :longest], length=recording.length[index],
        sweep_start=recording.sweep_start[index], command=command[index][:, :longest] if command.size else command,
        source=f"{recording.source}; sweeps {said} of {recording.sweeps}",
    )  # fmt: skip


def from_baseline(recording: Recording, said: str | Sequence[str]) -> Recording:
    """The recording with a level taken off each sweep.

    Args:
        recording: What was recorded.
        said: `median` of each sweep, two times whose mean is taken in each, or a level with its unit.

    Raises:
        ValidationError: If a sweep has no sample there, or a level is in another unit.
    """
    if said == "median":
        level, told = np.nanmedian(recording.signal, axis=1), "the median of each sweep"
    elif isinstance(said, str):
        level = np.full(recording.sweeps, to_internal(said, recording.unit, "baseline"))
        told = said
    else:
        start, end = (to_internal(time, "ms", "baseline") for time in said)
        inside = (recording.time >= start - 1e-9) & (recording.time < end - 1e-9)
        if not inside.any() or np.isnan(recording.signal[:, inside]).all(axis=1).any():
            shortest = recording.length.min() * recording.sampling_interval
            raise ValidationError(
                "baseline", f"{start:g} to {end:g} ms", f"within all sweeps, to {shortest:g} ms"
            )
        level, told = (
            np.nanmean(recording.signal[:, inside], axis=1),
            f"the mean from {start:g} to {end:g} ms",
        )
    return replace(
        recording, signal=recording.signal - level[:, None],
        source=f"{recording.source}; {told} was taken off as baseline",
    )  # fmt: skip


def in_window(recording: Recording, said: str | Sequence[str]) -> Recording:
    """A window of each sweep.

    Args:
        recording: What was recorded.
        said: Two times in each sweep, or a stretch between the command's steps: `rest` (the longest at rest, 50 ms
            after a change), `before` the first, `after` the last, or `step 1`, from the first to the second.

    Raises:
        ValidationError: If nothing lies there, or the command is not known.
    """
    if isinstance(said, str):
        start, end = window_of(recording, said)
    else:
        start, end = (to_internal(time, "ms", "window") for time in said)
    found = windowed(recording, (start, end))
    named = f" ({said})" if isinstance(said, str) else ""
    return replace(found, source=f"{recording.source}; from {start:g} to {end:g} ms of each sweep{named}")


def steps_of(recording: Recording) -> list[float]:
    """Times in a sweep at which the command changes in any sweep [ms]; empty where it rests or is not known."""
    if not recording.command.size:
        return []
    length = int(recording.length.min())
    moved = np.abs(np.diff(recording.command[:, :length], axis=1)) > _SAME
    at = np.flatnonzero(moved.any(axis=0)) + 1
    ramps = np.split(at, np.flatnonzero(np.diff(at) > 1) + 1) if at.size else []
    return [float(run[0]) * recording.sampling_interval for run in ramps]


def window_of(recording: Recording, said: str) -> tuple[float, float]:
    """The stretch of a sweep between steps of the command [ms].

    Args:
        recording: With its command.
        said: `rest`, `before`, `after` or `step 1`.

    Raises:
        ValidationError: If the command is not known, or has no such step.
    """
    hint = "give two times, as window=[10 ms,200 ms]"
    if not recording.command.size:
        raise ValidationError("window", said, "two times, as the file tells nothing of the command", hint)
    end = float(recording.length.min()) * recording.sampling_interval
    if said == "rest":
        window = rest_of(recording).window
        if not window:
            raise ValidationError(
                "window", said, "two times, as the command rests nowhere in all sweeps", hint
            )
        return window[0], window[1]
    edges = [0.0, *steps_of(recording), end]
    number = {"before": 0, "after": len(edges) - 2}.get(said)
    number = int(said.removeprefix("step ")) if number is None else number
    if number > len(edges) - 2:
        told = f"one of the {len(edges) - 2} steps of the command"
        raise ValidationError(
            "window", said, told if len(edges) > 2 else "two times, as the command has no step", hint
        )
    return edges[number], edges[number + 1]
