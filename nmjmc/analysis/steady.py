"""Stretches of a recording in which the command rests.

What happens elsewhere may be the cell's or the electrode's answer to it (test pulses, steps of voltage, ramps), and is
no spontaneous event.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nmjmc.analysis.recording import Recording, padded
from nmjmc.errors import ValidationError

SETTLE = 50.0
"""Time after a change of the command that is left out [ms] [D]: ten time constants of a slow clamp (5 ms)."""

AHEAD = 1.0
"""Time before a change that is left out [ms] [D], as filters and clocks blur it."""

_SAME = 0.1  # mV or pA by which a command may differ and rest (a choice, below any test pulse)


@dataclass(frozen=True)
class Rest:
    """How the command behaves.

    Attributes:
        known: Whether it is known everywhere.
        level: At which it rests [mV or nA]; NaN if it is not known.
        share: Part of the record in which it rests, settled.
        window: The longest stretch in which it rests in every sweep [ms], empty if there is none.
    """

    known: bool
    level: float
    share: float
    window: tuple[float, float] | tuple[()]


def windowed(recording: Recording, window: tuple[float, float]) -> Recording:
    """The part of each sweep that lies in a window of the sweep's own time.

    Args:
        recording: What was recorded.
        window: Start and end [ms].

    Raises:
        ValidationError: If no sweep has two samples in it.
    """
    step = recording.sampling_interval
    first, last = int(np.ceil(window[0] / step - 1e-9)), int(np.floor(window[1] / step + 1e-9))
    inside = np.zeros(recording.signal.shape, bool)
    inside[:, max(first, 0) : max(last, 0)] = True
    return cut_out(recording, inside, 2, "window")


def rest_of(recording: Recording, settle: float = SETTLE) -> Rest:
    """Where the command rests: at the level at which it is most of the time.

    Args:
        recording: With its command.
        settle: Time after a change that is left out [ms].
    """
    if not recording.command.size:
        return Rest(False, float("nan"), 1.0, (0.0, recording.sweep_duration))
    there = within(recording)
    calm = _calm(recording, settle)
    level = _level(recording.command[there])
    common = (calm | ~there).all(axis=0) & (np.arange(calm.shape[1]) < recording.length.min())
    calm_runs = runs(common)
    step = recording.sampling_interval
    longest = max(calm_runs, key=lambda run: run[1] - run[0], default=(0, 0))
    window = (longest[0] * step, longest[1] * step) if longest[1] - longest[0] > 1 else ()
    known = bool(np.isfinite(recording.command[there]).all())
    return Rest(known, level, float(calm[there].mean()), window)


def at_rest(recording: Recording, least: float, settle: float = SETTLE) -> Recording:
    """The stretches in which the command rests, each a sweep of its own.

    Args:
        recording: With its command.
        least: Shortest stretch that is kept [ms].
        settle: Time after a change that is left out [ms].

    Raises:
        ValidationError: If there is none.
    """
    samples = max(2, int(np.ceil(least / recording.sampling_interval)))
    return cut_out(recording, _calm(recording, settle), samples, "stretches at rest")


def within(recording: Recording) -> np.ndarray:
    """Whether a sample is one of its sweep, bool [sweep, t]."""
    return np.arange(recording.signal.shape[1]) < recording.length[:, None]


def _level(command: np.ndarray) -> float:
    """The level that a command has most of the time."""
    finite = command[np.isfinite(command)]
    if not finite.size:
        return float("nan")
    values, counts = np.unique(np.round(finite, 6), return_counts=True)
    return float(values[counts.argmax()])


def changes(recording: Recording) -> np.ndarray:
    """Whether the command is not at its level of rest, or not known, bool [sweep, t].

    Args:
        recording: With its command.
    """
    there = within(recording)
    level = _level(recording.command[there])
    tolerance = _SAME if recording.unit == "nA" else 1e-3 * _SAME
    return there & ~(np.abs(recording.command - level) <= tolerance)


def _calm(recording: Recording, settle: float) -> np.ndarray:
    """Whether the command rests and has settled, bool [sweep, t]."""
    there, step = within(recording), recording.sampling_interval
    moved = changes(recording)
    behind, ahead = round(settle / step), round(AHEAD / step)
    for row in moved:
        for first, last in runs(row.copy()):
            row[max(0, first - ahead) : last + behind] = True
    return there & ~moved


def runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """First and behind-the-last index of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def cut_out(recording: Recording, inside: np.ndarray, least: int, name: str) -> Recording:
    """The runs of samples that are inside, as sweeps.

    Args:
        recording: What was recorded.
        inside: Whether a sample is kept, bool [sweep, t].
        least: Samples of the shortest run that is kept.
        name: What the runs are, for messages.

    Raises:
        ValidationError: If none has as many samples as it takes.
    """
    inside = inside & within(recording)
    step = recording.sampling_interval
    kept = [(n, a, b) for n, row in enumerate(inside) for a, b in runs(row) if b - a >= least]
    if not kept:
        allowed = f"within the sweeps of {recording.sweep_duration:g} ms, {least * step:g} ms or longer"
        raise ValidationError(name, "none", allowed)
    signal, length = padded([recording.signal[n, a:b] for n, a, b in kept])
    starts = np.array([recording.sweep_start[n] + a * step for n, a, _ in kept])
    command = recording.command
    if command.size:
        command = padded([command[n, a:b] for n, a, b in kept])[0]
    return replace(recording, signal=signal, length=length, sweep_start=starts, command=command)
