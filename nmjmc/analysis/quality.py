"""How good a recording is: its baseline, noise and drift, and the series resistance that its test pulses show.

Series resistance: a step of the command charges the membrane through it, so that the current begins at dV / Rs. A
filter cuts this peak off and delays it, but leaves the charge as it is: the height is the charge of the transient over
the time constant of its decay. Where the transient was compensated away, nothing can be said.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from scipy import stats

from nmjmc.analysis.recording import Recording
from nmjmc.analysis.steady import runs

WINDOW = 10.0
"""Of whose SDs the median is the noise [ms] [D]: events that fill less than half of the windows do not count."""

CHANGE = 0.2
"""Change of the series resistance from which on it is told [D]; the custom of the field."""

SMALLEST, LARGEST = 1.0, 20.0
"""Step of a test pulse [mV] [D]."""

_LASTS = 5.0  # ms of a test pulse (a choice)
_RISES = 1.0  # ms from a step to the peak of its transient (a choice)
_CLEAR = 5.0  # SDs of the noise that a transient must have (a choice)
_POOR = 0.15  # relative error of a time constant or charge from which on it is not told (a choice)
_SURE = 3.0  # standard errors that a change must have to be told (a choice)
_MOST = 500  # sweeps whose pairs give the drift (a choice)
_SAME = 1e-3  # mV by which a level may move and be one (a choice)


@dataclass(frozen=True, eq=False)
class Quality:
    """How good a recording is, sweep by sweep.

    Attributes:
        baseline: Median of each sweep [sweep] [nA or mV].
        noise_sd: Median of the SDs in windows of 10 ms [sweep] [nA or mV].
        drift: Slope of the baseline, the median over pairs of sweeps [nA or mV per minute]; NaN for one sweep.
        series_resistance: From a test pulse [sweep] [MOhm]; NaN where there is none.
        input_resistance: From the same [sweep] [MOhm].
        unit: `nA` or `mV`.
    """

    baseline: Float[np.ndarray, " n"]
    noise_sd: Float[np.ndarray, " n"]
    drift: float
    series_resistance: Float[np.ndarray, " n"]
    input_resistance: Float[np.ndarray, " n"]
    unit: str

    @property
    def change(self) -> float:
        """Of the series resistance from the first to the last sweeps, as a share; NaN where it is not known."""
        known = self.series_resistance[np.isfinite(self.series_resistance)]
        few = min(3, known.size // 2) if 2 * known.size > self.series_resistance.size else 0
        return float(np.median(known[-few:]) / np.median(known[:few]) - 1.0) if few else float("nan")

    @property
    def typical_resistance(self) -> float:
        """Median of the series resistance [MOhm]; NaN unless most sweeps tell it."""
        known = self.series_resistance[np.isfinite(self.series_resistance)]
        return float(np.median(known)) if 2 * known.size > self.series_resistance.size else float("nan")

    def _doubt(self) -> float:
        """Standard error of the change of the series resistance, from how neighbouring sweeps differ."""
        known = self.series_resistance[np.isfinite(self.series_resistance)]
        few = min(3, known.size // 2)
        one = 1.4826 * float(np.median(np.abs(np.diff(known)))) / np.sqrt(2.0) if known.size > 1 else 0.0
        return 1.25 * one * np.sqrt(2.0 / few) / float(np.median(known)) if few else 0.0

    def remarks(self) -> list[str]:
        """What a reader must know, in whole sentences."""
        said = []
        if abs(self.change) > max(CHANGE, _SURE * self._doubt()):
            said.append(
                f"The series resistance changes by {100 * self.change:+.0f} % from the first sweeps to the last, more "
                f"than {100 * CHANGE:.0f} %: amplitudes and rises change with it; choose sweeps=."
            )
        moved = float(np.ptp(self.baseline))
        if self.baseline.size > 2 and moved > 10.0 * float(np.median(self.noise_sd)) > 0:
            scale, unit = (1e3, "pA") if self.unit == "nA" else (1.0, "mV")
            said.append(
                f"The baseline moves by {scale * moved:.3g} {unit} between sweeps, over ten times the noise."
            )
        return said


def quality_of(recording: Recording) -> Quality:
    """How good a recording is.

    Args:
        recording: What was recorded.
    """
    sweeps = [recording.sweep(number) for number in range(recording.sweeps)]
    baseline = np.array([np.median(sweep) for sweep in sweeps])
    count = max(2, round(WINDOW / recording.sampling_interval))
    noise = np.array([_noise(sweep, count) for sweep in sweeps])
    minutes = recording.sweep_start / 6e4
    drift = float("nan")
    if len(sweeps) > 1 and np.ptp(minutes) > 0:
        some = slice(None, None, -(-len(sweeps) // _MOST))
        drift = float(np.asarray(stats.theilslopes(baseline[some], minutes[some]))[0])
    resistances = [_resistances(recording, number, noise[number]) for number in range(len(sweeps))]
    series, whole = np.array(resistances, np.float64).T
    return Quality(baseline, noise, drift, series, whole, recording.unit)


def _noise(sweep: np.ndarray, count: int) -> float:
    """Median of the SDs in windows of so many samples."""
    whole = sweep.size // count
    if whole < 1:
        return float(sweep.std(ddof=1))
    return float(np.median(sweep[: whole * count].reshape(whole, count).std(axis=1, ddof=1)))


def _resistances(recording: Recording, number: int, noise: float) -> tuple[float, float]:
    """Series and input resistance from the first test pulse of a sweep [MOhm]; NaN where there is none."""
    none = (float("nan"), float("nan"))
    found = _test_pulse(recording, number) if recording.unit == "nA" and recording.command.size else None
    if found is None:
        return none
    first, last, step = found
    sweep, interval = recording.sweep(number), recording.sampling_interval
    before = sweep[max(0, first - round(_LASTS / interval)) : max(first - 1, 1)]
    held = sweep[last - max(2, (last - first) // 4) : last - 1]
    steady, sign = float(np.median(held)), np.sign(step)
    change = float(steady - np.median(before))
    whole = step / change if abs(change) > 2.0 * noise / np.sqrt(held.size) else float("nan")
    transient = sign * (sweep[first:last] - steady)
    top = _height(transient, max(2, round(_RISES / interval)), noise)
    begins = top + sign * change
    return (abs(step) / begins if begins > 0 else float("nan")), float(whole)


def _test_pulse(recording: Recording, number: int) -> tuple[int, int, float] | None:
    """Where a test pulse begins and ends [samples], and its step [mV]; None where there is none."""
    command = recording.command[number, : recording.length[number]]
    if not np.isfinite(command).all():
        return None
    interval = recording.sampling_interval
    still = np.abs(np.diff(command)) <= _SAME
    stretches = [(a, b + 1) for a, b in runs(still) if (b + 1 - a) * interval >= _LASTS]
    for one, other in pairwise(stretches):
        step = float(command[other[0]] - command[one[0]])
        if other[0] == one[1] and SMALLEST <= abs(step) <= LARGEST:
            return other[0], other[1], step
    return None


def _height(transient: np.ndarray, reach: int, noise: float) -> float:
    """Height of a transient before it was filtered: its charge over the time constant of its fall; NaN if not clear."""
    peak = int(transient[:reach].argmax())
    height = float(transient[peak])
    if not height > _CLEAR * noise:
        return float("nan")
    below = np.flatnonzero(transient[peak:] < max(0.15 * height, 2.0 * noise))
    end = peak + int(below[0]) if below.size else transient.size
    begin = peak + (1 if end - peak > 4 else 0)
    x, y = np.arange(begin, end), transient[begin:end]
    if x.size < 3:
        return float("nan")
    slope = float(np.polyfit(x, np.log(y), 1, w=y)[0])
    reached = transient[: peak + round(min(-6.0 / slope, 1e9))] if slope < 0 else transient[:0]
    charge = float(reached.sum())
    middle = np.average(x, weights=y**2)
    errors = noise / np.sqrt((y**2 * (x - middle) ** 2).sum()), noise * np.sqrt(reached.size)
    if not (slope < 0 < charge and errors[0] < -_POOR * slope and errors[1] < _POOR * charge):
        return float("nan")
    return -slope * charge
