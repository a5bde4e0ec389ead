"""Shape of a miniature current: amplitude, rise, decay and charge, alike for recordings and simulations.

Times between samples are interpolated linearly. The rise is read backwards from the peak, so that noise in
the baseline cannot start it too early. The decay constant is that of the least-squares straight line through
the logarithm of the samples between 80 % and 20 % of the peak, or to the trace's end if it does not fall that
far.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from nmjmc.errors import ValidationError

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
    """

    amplitude: np.ndarray
    time_to_peak: np.ndarray
    rise_20_80: np.ndarray
    rise_10_90: np.ndarray
    decay_time: np.ndarray
    charge: np.ndarray

    def as_dict(self) -> dict[str, np.ndarray]:
        """The features by name, in the order of a table."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def measure(
    time: np.ndarray, trace: np.ndarray, *, polarity: int | None = None, onset: float = 0.0
) -> Waveform:
    """Measure the features of one or many traces with the same times.

    Args:
        time: Times [t], increasing [ms].
        trace: Traces [..., t] with the baseline at zero, for example currents [nA].
        polarity: -1 if the response goes down, 1 if it goes up; by default the direction in which the mean
            of the traces deviates most.
        onset: When the response was caused [ms]; `time_to_peak` counts from here.

    Returns:
        The features, each of shape [...].

    Raises:
        ValidationError: If the times do not increase, are fewer than three, or do not fit the traces.

    Example:
        >>> time = np.linspace(0.0, 10.0, 1001)
        >>> float(measure(time, -4.0 * np.exp(-time / 2.0)).decay_time.round(6))
        2.0
    """
    time, trace = _checked(time, trace)
    upward = trace * (polarity or _polarity(trace))
    rows = upward.reshape(-1, time.size)
    peak = rows.argmax(axis=1)
    amplitude = rows.max(axis=1)
    amplitude = np.where(amplitude > 0, amplitude, np.nan)
    crossings = {level: _rise_crossing(time, rows, peak, level * amplitude) for level in (0.1, 0.2, 0.8, 0.9)}
    columns = {
        "amplitude": amplitude,
        "time_to_peak": np.where(np.isnan(amplitude), np.nan, time[peak] - onset),
        "rise_20_80": crossings[0.8] - crossings[0.2],
        "rise_10_90": crossings[0.9] - crossings[0.1],
        "decay_time": _decay_time(time, rows, peak, amplitude),
        "charge": np.trapezoid(rows, time, axis=1),
    }
    return Waveform(**{name: value.reshape(trace.shape[:-1]) for name, value in columns.items()})


def _checked(time: np.ndarray, trace: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64, refused if they cannot be traces against time."""
    time, trace = np.asarray(time, dtype=np.float64), np.asarray(trace, dtype=np.float64)
    if time.ndim != 1 or time.size < 3 or not np.all(np.diff(time) > 0):
        raise ValidationError("time", f"of shape {time.shape}", "one axis of at least 3 increasing times")
    if trace.ndim < 1 or trace.shape[-1] != time.size:
        raise ValidationError(
            "trace", f"of shape {trace.shape}", f"given at the {time.size} times, on its last axis"
        )
    return time, trace


def _polarity(trace: np.ndarray) -> int:
    """Sign of the largest deviation of the mean trace from zero."""
    mean = np.nan_to_num(trace.reshape(-1, trace.shape[-1]).mean(axis=0))
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
