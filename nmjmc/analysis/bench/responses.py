"""Responses to stimuli: the amplitude, the latency and the failure of each, from recorded or simulated traces alike.

An amplitude is the mean of a narrow window about the peak of the mean response, less the mean of a baseline just
before the stimulus. Every trial is read at the same place: reading each at its own peak would take the noise's peak for
a response, in failures above all. The noise of an amplitude is measured by the same windows where nothing was evoked.
A latency is the time from the stimulus to where a line through 20 and 80 % of the trial's own rise meets its baseline.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float
from scipy import ndimage

from nmjmc.analysis.bench.content import FAILURE_NOISE
from nmjmc.analysis.recording import Recording
from nmjmc.errors import ValidationError

BASELINE = 2.0
"""Before a stimulus [ms]; a choice."""

FEWEST = 3
"""Trials, below which nothing is said of their spread [D]."""

_APART = 2.0
"""How many times longer the pause between trains is than the intervals within [D]."""


@dataclass(frozen=True, eq=False)
class Windows:
    """Where a response is read.

    Attributes:
        blank: After a stimulus, left out for its artefact [ms].
        response: After a stimulus, in which the mean response peaks [ms].
        peak: About that peak, averaged for an amplitude [ms].
    """

    blank: float = 0.5
    response: float = 5.0
    peak: float = 0.2


@dataclass(frozen=True, eq=False)
class Responses:
    """What each stimulus of each trial evoked.

    Attributes:
        amplitude: Positive in the direction of the responses [trial, stimulus] [nA or mV].
        latency: From the stimulus to the foot of the rise [trial, stimulus] [ms]; NaN for a failure.
        failed: Whether nothing was evoked [trial, stimulus].
        delay: From each stimulus to where its amplitude is read [stimulus] [ms].
        noise_sd: Of an amplitude [nA or mV]; NaN where it could not be measured.
        left_over: Of the response before, at each stimulus, as a share of the mean amplitude [stimulus].
    """

    amplitude: Float[np.ndarray, "n k"]
    latency: Float[np.ndarray, "n k"]
    failed: Bool[np.ndarray, "n k"]
    delay: Float[np.ndarray, " k"]
    noise_sd: float
    left_over: Float[np.ndarray, " k"]

    def kept(self, rows: Bool[np.ndarray, " n"]) -> Responses:
        """Those of some trials only."""
        parts = {name: getattr(self, name)[rows] for name in ("amplitude", "latency", "failed")}
        return replace(self, **parts)


def responses(
    recording: Recording, times: Float[np.ndarray, " k"], polarity: int, read: Windows
) -> Responses:
    """Read every sweep at each stimulus.

    Args:
        recording: Sweeps of one length, each a trial.
        times: Of the stimuli in each sweep [k] [ms].
        polarity: 1 if responses go up, -1 if they go down.
        read: Where.

    Raises:
        ValidationError: If a stimulus lies outside the sweeps, or there are fewer than three.
    """
    rows, step = polarity * recording.signal, recording.sampling_interval
    if len(rows) < FEWEST:
        raise ValidationError(
            "the recording", f"of {len(rows)} whole sweeps", "three or more", "a sweep is a trial"
        )
    width, base = max(1, round(read.peak / step)), round(BASELINE / step)
    blank, reach = round(read.blank / step), round(read.response / step)
    amplitude, latency, place, levels = [], [], [], []
    for time in times:
        at = round(time / step)
        if at < base or at + reach + width > rows.shape[1] or blank >= reach:
            last = rows.shape[1] * step - read.response
            allowed = f"from {BASELINE:g} ms to {last:g} ms of a sweep"
            raise ValidationError("stimuli", f"{time:g} ms", allowed, "or give a shorter response")
        level = rows[:, at - base : at].mean(axis=1)
        moved = rows[:, at + blank : at + reach + width] - level[:, None]
        peak = int(moved[:, : reach - blank].mean(axis=0).argmax())
        amplitude.append(_level(moved, peak, width))
        latency.append(read.blank + feet(moved, step, width))
        place.append(blank + peak)
        levels.append(level)
    found = np.stack(amplitude, axis=1)
    noise = _noise(rows, round(times[0] / step), place[0], width, base)
    failed = failures(found, noise)
    late = np.where(failed, np.nan, np.stack(latency, axis=1))
    delay = np.array(place, np.float64) * step
    return Responses(found, late, failed, delay, noise, _left_over(np.stack(levels, axis=1), found))


def of_simulated(
    traces: Float[np.ndarray, "n k t"],
    amplitude: Float[np.ndarray, "n k"],
    time: Float[np.ndarray, " t"],
    polarity: int,
) -> Responses:
    """The same of simulated responses, which have no noise: a failure is a trial without a response at all.

    Args:
        traces: From each stimulus on.
        amplitude: Of each, positive.
        time: Since the stimulus [ms].
        polarity: 1 if responses go up, -1 if they go down.
    """
    moved = polarity * (traces - traces[..., :1])
    step = float(np.diff(time).mean())
    late = float(time[0]) + feet(moved.reshape(-1, time.size), step).reshape(amplitude.shape)
    failed = failures(amplitude, 0.0)
    delay = time[moved.mean(axis=0).argmax(axis=-1)]
    return Responses(
        amplitude,
        np.where(failed, np.nan, late),
        failed,
        delay,
        0.0,
        _left_over(polarity * traces[..., 0], amplitude),
    )


def failures(amplitude: Float[np.ndarray, "n k"], noise_sd: float) -> Bool[np.ndarray, "n k"]:
    """Which trials are failures: those below `FAILURE_NOISE` SDs of the noise; none where that is not known."""
    if not np.isfinite(noise_sd):
        return np.zeros(amplitude.shape, bool)
    return amplitude <= FAILURE_NOISE * noise_sd


def feet(rows: Float[np.ndarray, "n t"], step: float, width: int = 1) -> Float[np.ndarray, " n"]:
    """Where the rise of each upward response begins, since the first sample [n] [ms]; NaN where it does not rise.

    Args:
        rows: From a baseline of zero [n, t].
        step: Between samples [ms].
        width: Samples of the peak's window; a running mean of half of them, odd, is taken against noise.
    """
    # an odd width does not shift the rise
    smooth = rows if width < 2 else ndimage.uniform_filter1d(rows, (width // 2) | 1, axis=1, mode="nearest")
    found = np.full(len(rows), np.nan)
    for index in range(len(rows)):
        row = np.asarray(smooth[index])
        peak = int(row.argmax())
        low, high = (_last_crossing(row, peak, share * row[peak]) for share in (0.2, 0.8))
        if row[peak] > 0 and high > low >= 0:
            found[index] = step * (low - (high - low) / 3.0)
    return found


def _last_crossing(row: np.ndarray, peak: int, level: float) -> float:
    """Where a row last goes up through a level before its peak [samples]; -1 where it begins above it."""
    below = np.flatnonzero(row[: peak + 1] < level)
    if not below.size or below[-1] >= peak:
        return -1.0
    at = int(below[-1])
    return at + float((level - row[at]) / (row[at + 1] - row[at]))


def _level(rows: np.ndarray, at: int, width: int) -> np.ndarray:
    start = max(at - width // 2, 0)
    return rows[:, start : start + width].mean(axis=1)


def _noise(rows: np.ndarray, first: int, delay: int, width: int, base: int) -> float:
    """SD of an amplitude where nothing was evoked; NaN where there is no room before the first stimulus."""
    if first < base + delay + width:
        return float("nan")
    at = first - delay - width
    level = rows[:, at - base : at].mean(axis=1)
    return float((_level(rows, at + delay, width) - level).std(ddof=1))


def _left_over(levels: np.ndarray, amplitude: np.ndarray) -> np.ndarray:
    """By how much the baseline of each stimulus differs from that of the first, over the mean first amplitude."""
    mean = float(amplitude[:, 0].mean())
    moved = levels.mean(axis=0) - levels[:, 0].mean()
    return moved / mean if mean > 0 else np.zeros(moved.size)


def as_trials(
    recording: Recording, times: Float[np.ndarray, " k"], before: float, after: float
) -> tuple[Recording, Float[np.ndarray, " m"]]:
    """A long record cut into trials: one for each stimulus, or for each train of them.

    Args:
        recording: One sweep.
        times: Of all stimuli in it [k] [ms].
        before: Kept before the first stimulus of a trial [ms].
        after: Kept after the last one of it [ms].

    Returns:
        A sweep for each trial, and the times of the stimuli in each of them.

    Raises:
        ValidationError: If the trains are not of one pattern.
    """
    gaps = np.diff(times)
    long = float(np.sqrt(gaps.min() * gaps.max())) if gaps.size and gaps.max() > _APART * gaps.min() else 0.0
    groups = np.split(times, np.flatnonzero(gaps > long) + 1)
    pattern, step = groups[0] - groups[0][0], recording.sampling_interval
    for group in groups:
        if group.size != pattern.size or np.abs(group - group[0] - pattern).max() > max(0.5, 2 * step):
            found = f"{group.size} stimuli from {group[0]:.6g} ms on, and {pattern.size} in the first train"
            allowed = "of one pattern"
            raise ValidationError(
                "trains of stimuli", found, allowed, "give stimuli of one pattern, by stimuli="
            )
    starts = np.round((np.array([group[0] for group in groups]) - before) / step).astype(int)
    count = round((before + pattern[-1] + after) / step)
    fits = (starts >= 0) & (starts + count <= recording.length[0])
    if not fits.any():
        raise ValidationError("stimuli", "all near an end of the record", "within it")
    signal = np.stack([recording.signal[0, a : a + count] for a in starts[fits]])
    begin = recording.sweep_start[0] + starts[fits] * step
    cut = replace(
        recording, signal=signal, sweep_start=begin, length=np.full(len(signal), count), command=np.zeros(0)
    )
    return cut, before + pattern
