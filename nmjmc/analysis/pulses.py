"""Steps of the command that a recording shows though its file does not say them: test pulses, at whatever times.

The current jumps when the command steps, and jumps back as far when it steps back. Jumps come in pairs then, of
opposite signs, equal sizes and one distance, time after time. Miniatures rise as fast but fall slowly: theirs do not.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import signal as filters

from nmjmc.analysis.recording import Recording

# choices
_SPAN = 0.2  # over which a jump is measured [ms]: the edge of a step, filtered at 2 kHz and above
_HEIGHT = 8.0  # least jump, in robust SDs of all differences over that span
_SHORTEST, _LONGEST = 2.0, 1000.0  # of a pulse [ms]
_ALIKE = 1.3  # most that the sizes of two edges differ by, as a factor
_SPREAD = 0.2  # most of the sizes of all pulses, as SD over mean
_LEAST = 3  # pulses


class Pulses(NamedTuple):
    """Pulses of one length and size.

    Attributes:
        count: How many there are.
        length: Of each [ms].
        size: Of the jump at its edges, in the recording's unit.
        first: When the first begins in its sweep [ms].
        sweep: That sweep, from 0.
    """

    count: int
    length: float
    size: float
    first: float
    sweep: int


def pulses_in(recording: Recording) -> Pulses | None:
    """The pulses of a recording; None where few of the jumps that undo others are edges of pulses alike.

    Args:
        recording: Sweeps of a current.
    """
    step = recording.sampling_interval
    span = max(1, round(_SPAN / step))
    begun: list[tuple[int, int, int, float]] = []  # sweep, sample, length, size of every pair of edges
    rare = 0  # jumps of the sign that fewer have: events all jump one way
    for sweep in range(recording.sweeps):
        at, size = _jumps(recording.sweep(sweep), span)
        rare += min(int((size > 0).sum()), int((size < 0).sum()))
        begun += [(sweep, *pair) for pair in _pairs(at, size, step)]
    if len(begun) < _LEAST:
        return None
    lengths = np.array([pair[2] for pair in begun])
    alike = np.array([np.abs(lengths - length) <= span for length in lengths])
    together = [begun[index] for index in np.flatnonzero(alike[alike.sum(axis=1).argmax()])]
    apart: list[
        tuple[int, int, int, float]
    ] = []  # a pulse has several edges where the membrane's capacity shows
    for pair in together:
        if not apart or pair[0] != apart[-1][0] or pair[1] > apart[-1][1] + apart[-1][2] + 2 * span:
            apart.append(pair)
    sizes = np.abs([pair[3] for pair in apart])
    if sizes.size < _LEAST or 3 * sizes.size < rare or sizes.std() > _SPREAD * sizes.mean():
        return None
    sweep, sample, length, _ = apart[0]
    return Pulses(sizes.size, length * step, float(np.median(sizes)), sample * step, sweep)


def _jumps(trace: np.ndarray, span: int) -> tuple[np.ndarray, np.ndarray]:
    """Samples at which the trace jumps, and how far."""
    difference = trace[span:] - trace[:-span]
    if difference.size < 3:
        return np.zeros(0, int), np.zeros(0)
    noise = 1.4826 * np.median(np.abs(difference - np.median(difference)))
    at, _ = filters.find_peaks(np.abs(difference), height=max(_HEIGHT * noise, 1e-12), distance=2 * span)
    return at, difference[at]


def _pairs(at: np.ndarray, size: np.ndarray, step: float) -> list[tuple[int, int, float]]:
    """Jumps and the next that undoes each: sample, distance in samples, size."""
    found = []
    for index in range(at.size):
        away = (at[index + 1 :] - at[index]) * step
        ratio = -size[index + 1 :] / size[index]
        fits = (away >= _SHORTEST) & (away <= _LONGEST) & (ratio >= 1.0 / _ALIKE) & (ratio <= _ALIKE)
        if fits.any():
            other = index + 1 + int(np.flatnonzero(fits)[0])
            found.append((int(at[index]), int(at[other] - at[index]), float(size[index])))
    return found
