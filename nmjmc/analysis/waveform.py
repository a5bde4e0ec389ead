"""Shape of a miniature current: amplitude, rise, decay and charge, alike for recordings and simulations.

Times between samples are interpolated linearly. A holding current is taken off first. The rise is read backwards from
the peak, so that noise in the baseline cannot start it too early. The decay constant is that of the least-squares
straight line through the logarithm of the samples between 80 % and 20 % of the peak, or to the trace's end if it does
not fall that far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from nmjmc.analysis.onset import course
from nmjmc.errors import ValidationError
from nmjmc.numbers import in_units

UNITS = {
    "amplitude": "nA",
    "time_to_peak": "ms",
    "rise_20_80": "ms",
    "rise_10_90": "ms",
    "decay_time": "ms",
    "charge": "pC",
}
"""Unit of each feature, for a trace in nA against ms."""


@dataclass(frozen=True)
class Waveform:
    """Features of traces of shape [..., t], each of shape [...]; NaN where a trace does not have them.

    Attributes:
        amplitude: Peak in the direction of the response, so positive [unit of the trace].
        time_to_peak: From the onset to the largest sample [ms].
        rise_20_80: From 20 to 80 % of the amplitude [ms].
        rise_10_90: From 10 to 90 % of the amplitude [ms].
        decay_time: Time constant of the exponential fitted to the fall from 80 to 20 % [ms].
        charge: Integral over the whole trace, by trapezoids [unit of the trace times ms; nA ms = pC].
        baseline: What was taken off each trace first [unit of the trace].
        said: Which baseline that was, in words.
    """

    amplitude: np.ndarray
    time_to_peak: np.ndarray
    rise_20_80: np.ndarray
    rise_10_90: np.ndarray
    decay_time: np.ndarray
    charge: np.ndarray
    baseline: np.ndarray = field(default_factory=lambda: np.zeros(()))
    said: str = ""

    def as_dict(self) -> dict[str, np.ndarray]:
        """The features by name, in the order of a table."""
        return {name: getattr(self, name) for name in UNITS}


@in_units(time="[ms]", trace="[?]", onset="ms", baseline="window [ms] or level")
def measure(
    time: np.ndarray,
    trace: np.ndarray,
    *,
    polarity: int | None = None,
    onset: float | None = None,
    baseline: float | np.ndarray | Sequence[float] | None = None,
) -> Waveform:
    """Measure the features of one or many traces with the same times.

    Args:
        time: Times [t], increasing, in ms or with a unit.
        trace: Traces [..., t], for example currents [nA]. Where they carry a unit, they are measured in nA, mV or uS; a
            signal of neo is [t, channel] and becomes [channel, t].
        polarity: -1 if the response goes down, 1 if it goes up; by default the direction in which the mean
            of the traces deviates most from its baseline.
        onset: When the response was caused [ms]; `time_to_peak` counts from here, by default from 0.
        baseline: What is taken off first: a level, or one for each trace [...] as an array; or a window (start, end)
            [ms], whose mean is taken. By default the median of what comes before the onset, or, where that is not
            given, before the rise of the mean trace; nothing where a trace begins with its rise. 0 takes nothing off.

    Returns:
        The features, each of shape [...], and what was taken off.

    Raises:
        ValidationError: If the times do not increase, are fewer than three, or do not fit the traces; or if a baseline
            is no level and no window with samples.

    Example:
        >>> time = np.linspace(0.0, 10.0, 1001)
        >>> float(measure(time, -4.0 * np.exp(-time / 2.0)).decay_time.round(6))
        2.0
    """
    time, trace = _checked(time, trace)
    polarity = _sign(polarity)
    level, said = _level(time, trace, polarity, onset, baseline)
    trace = trace - level[..., None]
    upward = trace * (polarity or _polarity(trace))
    rows = upward.reshape(-1, time.size)
    held = np.where(_after_the_end(rows), -np.inf, rows)
    peak = held.argmax(axis=1)
    amplitude = held.max(axis=1)
    amplitude = np.where(amplitude > 0, amplitude, np.nan)
    crossings = {level: _rise_crossing(time, rows, peak, level * amplitude) for level in (0.1, 0.2, 0.8, 0.9)}
    columns = {
        "amplitude": amplitude,
        "time_to_peak": np.where(np.isnan(amplitude), np.nan, time[peak] - (onset or 0.0)),
        "rise_20_80": crossings[0.8] - crossings[0.2],
        "rise_10_90": crossings[0.9] - crossings[0.1],
        "decay_time": _decay_time(time, rows, peak, amplitude),
        "charge": _integral(time, rows),
    }
    shaped = {name: value.reshape(trace.shape[:-1]) for name, value in columns.items()}
    return Waveform(**shaped, baseline=level, said=said)


def _level(
    time: np.ndarray,
    trace: np.ndarray,
    polarity: int | None,
    onset: float | None,
    given: float | np.ndarray | Sequence[float] | None,
) -> tuple[np.ndarray, str]:
    """What is taken off each trace [...], and how it was found.

    Raises:
        ValidationError: If a baseline was given that is no level and no window with samples.
    """
    shape = trace.shape[:-1]
    if given is not None and not isinstance(given, np.ndarray) and np.ndim(given) == 1:
        start, end = [float(edge) for edge in np.asarray(given)] if np.size(given) == 2 else (np.nan, np.nan)
        inside = (time >= start) & (time < end)
        if not inside.any():
            allowed = "a level, or a window (start, end) in ms with samples in it"
            raise ValidationError("baseline", given, allowed)
        return np.asarray(trace[..., inside].mean(axis=-1)), f"mean from {start:g} to {end:g} ms, as given"
    if given is not None:
        level = np.asarray(given, np.float64)
        if level.shape not in ((), shape) or not np.isfinite(level).all():
            raise ValidationError("baseline", given, "a finite level, or one for each trace")
        return np.array(np.broadcast_to(level, shape)), "as given"
    rows = trace.reshape(-1, time.size)
    common = rows[:, : _common(rows)]
    if common.shape[1] < 3:
        return np.zeros(shape), "none, as samples are missing before any rise"
    mean = common[np.isfinite(common).any(axis=1)].mean(axis=0)
    quiet, is_response = _quiet(time[: mean.size], mean, polarity, onset)
    if quiet:
        said = f"median of the {quiet} samples before {time[quiet]:g} ms"
    elif not is_response and (mean.min() > 0 or mean.max() < 0):
        quiet, said = mean.size, "median of the whole trace, from which no response stands out"
    else:
        return np.zeros(shape), "none, as nothing comes before the rise"
    return np.asarray(np.median(common[:, :quiet], axis=-1).reshape(shape)), said


def _quiet(time: np.ndarray, mean: np.ndarray, polarity: int | None, onset: float | None) -> tuple[int, bool]:
    """How many samples come before the rise of the mean trace [t], and before the onset where it is said.

    Also whether a response stands out at all.
    """
    before = time.size if onset is None else int((time < onset).sum())
    mean_course = course(mean, polarity if polarity in (-1, 1) else None)
    if mean_course.doubt:
        return (before if onset is not None and before < time.size else 0), mean_course.stands_out
    return min(mean_course.quiet, before), True


def _common(rows: np.ndarray) -> int:
    """How many samples all traces [n, t] have: up to the first that is missing in a trace that has any."""
    missing = ~np.isfinite(rows[np.isfinite(rows).any(axis=1)]).all(axis=0)
    return int(missing.argmax()) if missing.any() else rows.shape[1]


def _after_the_end(rows: np.ndarray) -> np.ndarray:
    """Which samples [n, t] are NaN behind the last of a trace that has some: a shorter sweep among longer ones."""
    missing = np.isnan(rows)
    behind = np.logical_and.accumulate(missing[:, ::-1], axis=1)[:, ::-1]
    return behind & ~missing.all(axis=1, keepdims=True)


def _integral(time: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Integral of each trace [n] by trapezoids, to the end of a shorter one."""
    each = 0.5 * (rows[:, 1:] + rows[:, :-1]) * np.diff(time)
    return np.where(_after_the_end(rows)[:, 1:], 0.0, each).sum(axis=1)


def _sign(polarity: int | None) -> int | None:
    if polarity is not None and (np.ndim(polarity) or polarity not in (-1, 1)):
        raise ValidationError("polarity", repr(polarity), "1 (the response goes up) or -1 (it goes down)")
    return None if polarity is None else int(polarity)


def _checked(time: np.ndarray, trace: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both, refused if they cannot be traces against time."""
    if time.ndim != 1 or time.size < 3 or not np.all(np.diff(time) > 0):
        raise ValidationError("time", f"of shape {time.shape}", "one axis of at least 3 increasing times")
    if trace.ndim < 1 or trace.shape[-1] != time.size:
        raise ValidationError(
            "trace", f"of shape {trace.shape}", f"given at the {time.size} times, on its last axis"
        )
    return time, trace


def _polarity(trace: np.ndarray) -> int:
    """Sign of the largest deviation of the mean trace from zero."""
    rows = trace.reshape(-1, trace.shape[-1])
    finite = np.isfinite(rows)
    mean = np.where(finite, rows, 0.0).sum(axis=0) / np.maximum(finite.sum(axis=0), 1)
    return -1 if mean[np.abs(mean).argmax()] < 0 else 1


def _rise_crossing(time: np.ndarray, rows: np.ndarray, peak: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Last time [n] before the peak at which each row goes up through its level."""
    index = np.arange(time.size)
    with np.errstate(invalid="ignore"):
        below = (rows < level[:, None]) & (index < peak[:, None])
    start = time.size - 1 - below[:, ::-1].argmax(axis=1)
    crossing = _interpolate(time, rows, start, level)
    return np.where(below.any(axis=1), crossing, np.nan)


def _interpolate(time: np.ndarray, rows: np.ndarray, start: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Where the straight line from sample `start` to the next one meets the level."""
    end = np.minimum(start + 1, time.size - 1)
    row = np.arange(rows.shape[0])
    low, high = rows[row, start], rows[row, end]
    with np.errstate(invalid="ignore", divide="ignore"):
        fraction = (level - low) / (high - low)
        return time[start] + fraction * (time[end] - time[start])


def _decay_time(time: np.ndarray, rows: np.ndarray, peak: np.ndarray, amplitude: np.ndarray) -> np.ndarray:
    """Time constant [n] of the log-linear least-squares fit from 80 to 20 % of the peak."""
    index = np.arange(time.size)
    after = index >= peak[:, None]
    with np.errstate(invalid="ignore"):
        first = _first(after & (rows < 0.8 * amplitude[:, None]))
        last = _first(after & (rows < 0.2 * amplitude[:, None]))
        inside = (index >= first[:, None]) & (index < last[:, None]) & (rows > 0)
    count = inside.sum(axis=1)
    enough = count >= 3
    weight = inside / np.maximum(count, 1)[:, None]
    logarithm = np.log(np.where(inside, rows, 1.0))
    centred = time - (weight * time).sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = (weight * centred * logarithm).sum(axis=1) / (weight * centred**2).sum(axis=1)
        return np.where(enough & (slope < 0), -1.0 / slope, np.nan)


def _first(mask: np.ndarray) -> np.ndarray:
    """Index [n] of the first true sample of each row; the row's length where there is none."""
    return np.where(mask.any(axis=1), mask.argmax(axis=1), mask.shape[1])
