"""Where a mean response begins, which way it goes, and from which level: told from its shape alone.

A response rises to its peak and falls back. Of the two directions that one is taken in which the largest sample stands
highest above both what is before and what is after it: in the other one, the largest sample is the baseline's or the
tail's, and one of the two is next to nothing. A baseline is what lies before the foot of the rise; an average that
begins at its onset has none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nmjmc.errors import ValidationError

_CLEAR = 2.0
"""How many times higher a response stands in its direction than in the other one (a choice)."""

_TELLING = 0.1
"""Part of a trace's range below which what stands above both its sides is no response (a choice)."""

_FOOT = 0.05
"""Part of the peak at which a rise is said to begin (a choice)."""

_ZERO = 0.15
"""Part of the peak from which an average without a baseline may begin (a choice)."""


@dataclass(frozen=True)
class Course:
    """A response in a trace.

    Attributes:
        polarity: 1 if it goes up, -1 if it goes down.
        onset: Last sample before the rise; 0 where the trace begins with it.
        half: Last sample of the rise below its half.
        peak: Sample of the peak.
        quiet: How many samples before the rise are its baseline; 0 where there are none.
        baseline: Mean of these, in the trace's unit; 0 where there are none.
        height: Of the peak above the baseline, positive.
        doubt: Why polarity and onset cannot be told, in words; empty where they can.
        stands_out: Whether there is a response at all: the trace is not flat, and goes one way more than the other.
    """

    polarity: int
    onset: int
    half: int
    peak: int
    quiet: int
    baseline: float
    height: float
    doubt: str = ""
    stands_out: bool = True


def course(trace: np.ndarray, polarity: int | None = None) -> Course:
    """Find the response in a mean trace.

    Args:
        trace: [t], any unit, holding current and all.
        polarity: 1 or -1 where it is known.

    Raises:
        ValidationError: If the trace is no axis of three or more finite samples.
    """
    trace = np.asarray(trace, np.float64)
    if trace.ndim != 1 or trace.size < 3 or not np.isfinite(trace).all():
        raise ValidationError("trace", f"of shape {trace.shape}", "one axis of three or more finite samples")
    smooth = _smoothed(trace)
    up, down = _stands(smooth), _stands(-smooth)
    found = polarity or (1 if up > down else -1)
    doubt, stands_out = "", True
    if not np.ptp(trace) > 0:
        doubt, stands_out = "it is flat", False
    elif polarity is None and max(up, down) < _CLEAR * min(up, down):
        doubt, stands_out = f"it goes up by {up:.3g} and down by {down:.3g}", False
    elif polarity is None and max(up, down) < _TELLING * np.ptp(smooth):
        doubt = "it only falls or only rises"
    return replace(_described(found * trace, found * smooth, found, doubt), stands_out=stands_out)


def _described(upward: np.ndarray, smooth: np.ndarray, polarity: int, doubt: str) -> Course:
    """The response of a trace that goes up."""
    peak = int(smooth.argmax())
    top = float(smooth[peak])
    half = _last_below(smooth, peak, 0.5 * (top + float(smooth[: peak + 1].min())))
    quiet, onset = _quiet(upward, smooth, half, top)
    level = float(upward[:quiet].mean()) if quiet else 0.0
    height = float(upward[peak]) - level
    if not doubt and not quiet and abs(float(smooth[0])) > _ZERO * abs(height):
        share = 100 * smooth[0] / height
        doubt = f"no baseline comes before the rise, and its first sample is {share:.0f} % of its peak"
    return Course(polarity, onset, half, peak, quiet, polarity * level, height, doubt)


def _smoothed(trace: np.ndarray) -> np.ndarray:
    """The trace, averaged over few samples where it is noisy."""
    noise = 1.4826 * float(np.median(np.abs(np.diff(trace)))) / np.sqrt(2.0)
    if trace.size < 30 or not noise * 30.0 > np.ptp(trace):
        return trace
    width = 5 if noise * 10.0 > np.ptp(trace) else 3
    padded = np.pad(trace, width // 2, mode="edge")
    return np.convolve(padded, np.ones(width) / width, mode="valid")


def _stands(upward: np.ndarray) -> float:
    """How far the largest sample stands above both what is before and what is after it."""
    peak = int(upward.argmax())
    return float(upward[peak] - max(upward[: peak + 1].min(), upward[peak:].min()))


def _last_below(upward: np.ndarray, before: int, level: float) -> int:
    """Last sample before another that is below a level; 0 if there is none."""
    below = np.flatnonzero(upward[: before + 1] < level)
    return int(below[-1]) if below.size else 0


def _quiet(upward: np.ndarray, smooth: np.ndarray, half: int, top: float) -> tuple[int, int]:
    """How many samples are the baseline, and the last one before the rise.

    Begins with all before half the rise and takes the foot away until nothing of it is left.
    """
    quiet, onset = half, half
    while quiet >= 2:
        level = float(upward[:quiet].mean())
        onset = _last_below(smooth, half, level + _FOOT * (top - level))
        fewer = min(quiet, onset - int(np.ceil(0.5 * (half - onset))))
        if fewer == quiet:
            return quiet, onset
        quiet = fewer
    return 0, 0
