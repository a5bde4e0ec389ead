"""Events cut out of a recording, on one time axis and from a baseline of zero, and measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmjmc.analysis.detection import Detected
from nmjmc.analysis.observations import EventTable, MeanWaveform
from nmjmc.analysis.recording import Recording
from nmjmc.analysis.waveform import measure
from nmjmc.errors import ValidationError
from nmjmc.numbers import in_units


@dataclass(frozen=True, eq=False)
class AlignedEvents:
    """Events on one time axis.

    Attributes:
        time: Time since the point of alignment [t] [ms].
        traces: Baseline at zero [event, t] [nA or mV].
        onset: Time of the point of alignment in the experiment [event] [ms].
        sweep: Sweep of each event, int [event].
        baseline: What was subtracted [event].
        noise: SD of the baseline before each event [event].
        polarity: 1 or -1.
        unit: `nA` or `mV`.
        left_out: Events too close to another or to an end of the sweep to be cut out whole.
        duration: Time that was searched [ms].
    """

    time: np.ndarray
    traces: np.ndarray
    onset: np.ndarray
    sweep: np.ndarray
    baseline: np.ndarray
    noise: np.ndarray
    polarity: int
    unit: str
    left_out: int
    duration: float

    def __len__(self) -> int:
        return self.traces.shape[0]

    def mean(self) -> MeanWaveform:
        """Mean and SD over the events."""
        sd = self.traces.std(axis=0, ddof=1) if len(self) > 1 else np.zeros(0)
        return MeanWaveform(self.time, self.traces.mean(axis=0), sd, len(self), self.unit, "aligned events")


@in_units(before="ms", after="ms", isolation="ms", refine="ms")
def align(
    recording: Recording,
    detected: Detected,
    *,
    before: float = 2.0,
    after: float = 10.0,
    isolation: float | None = None,
    refine: float | None = None,
) -> AlignedEvents:
    """Cut events out, each aligned on the half height of its rise, by linear interpolation between samples.

    Args:
        recording: What was recorded.
        detected: Onsets.
        before: Time kept before the alignment [ms]; the baseline is its mean.
        after: Time kept after it [ms].
        isolation: Least time to the previous and to the next onset [ms]; by default `before` and `after`.
        refine: How far after the detected onset the peak is looked for [ms]; by default half of `after`.

    Returns:
        The events that could be cut out whole; how many could not is said.

    Raises:
        ValidationError: If a time is shorter than two samples, or no event is left.
    """
    step = recording.sampling_interval
    for name, value in (("before", before), ("after", after)):
        if not value >= 2 * step:
            raise ValidationError(name, f"{value} ms", f"at least two samples ({2 * step:g} ms)")
    if not len(detected):
        raise ValidationError("events", "none that was found", "one or more", "lower the threshold")
    kept = _isolated(detected, step, before, after, isolation)
    window = np.arange(-round(before / step), round(after / step) + 1)
    reach = max(2, round((refine if refine is not None else 0.5 * after) / step))
    rows = [
        _cut(detected.polarity * recording.sweep(int(sweep)), int(sample), window, reach)
        for sweep, sample in zip(detected.sweep[kept], detected.sample[kept], strict=True)
    ]
    good = [index for index, row in enumerate(rows) if row is not None]
    if not good:
        raise ValidationError("events", "none that can be cut out whole", "one or more", "shorten the window")
    cut = [row for row in rows if row is not None]
    sweep = detected.sweep[kept][good]
    traces = np.stack([row[0] for row in cut])
    position = np.array([row[1] for row in cut])
    quiet = traces[:, : max(2, round(0.8 * before / step))]
    baseline = quiet.mean(axis=1)
    return AlignedEvents(
        time=window * step,
        traces=detected.polarity * (traces - baseline[:, None]),
        onset=recording.sweep_start[sweep] + position * step,
        sweep=sweep,
        baseline=detected.polarity * baseline,
        noise=quiet.std(axis=1, ddof=1),
        polarity=detected.polarity,
        unit=recording.unit,
        left_out=len(detected) - len(good),
        duration=recording.duration,
    )


def _isolated(
    detected: Detected, step: float, before: float, after: float, isolation: float | None
) -> np.ndarray:
    """Indices of the events that are far enough from their neighbours in the sweep."""
    ahead = round((before if isolation is None else isolation) / step)
    behind = round((after if isolation is None else isolation) / step)
    order = np.lexsort((detected.sample, detected.sweep))
    sweep, sample = detected.sweep[order], detected.sample[order]
    gap = np.diff(sample)
    gap = np.where(np.diff(sweep) == 0, gap, np.iinfo(np.int64).max)
    previous, following = np.append(np.iinfo(np.int64).max, gap), np.append(gap, np.iinfo(np.int64).max)
    return order[(previous >= ahead) & (following >= behind)]


def _cut(trace: np.ndarray, sample: int, window: np.ndarray, reach: int) -> tuple[np.ndarray, float] | None:
    """One upward event on the window [t] and where its alignment is [samples]; None at the ends of the sweep."""
    start = sample + window[0]
    if start < 0 or sample + reach + window[-1] + 1 >= trace.size:
        return None
    level = trace[start:sample].mean() if sample > start else trace[sample]
    peak = sample + int(trace[sample : sample + reach].argmax())
    half = 0.5 * (level + trace[peak])
    below = np.flatnonzero(trace[start : peak + 1] < half)
    if below.size == 0 or start + below[-1] >= peak:
        return None
    low = start + int(below[-1])
    position = low + (half - trace[low]) / (trace[low + 1] - trace[low])
    at = position + window
    if at[0] < 0 or at[-1] > trace.size - 1:
        return None
    return np.interp(at, np.arange(trace.size), trace), float(position)


def measure_events(events: AlignedEvents, *, smooth: int = 1) -> EventTable:
    """Features of aligned events, by the same code that measures simulations.

    Args:
        events: The aligned events.
        smooth: Samples of a centred running mean before the measurement; 1 for none.

    Returns:
        A table with time, amplitude, rises, decay, charge, baseline, noise and sweep.
    """
    traces = events.traces
    if smooth > 1:
        kernel = np.ones(smooth) / smooth
        traces = np.stack([np.convolve(row, kernel, mode="same") for row in traces])
    shape = measure(events.time, traces, polarity=events.polarity, baseline=0.0)
    columns = {
        "time": events.onset, "amplitude": shape.amplitude, "rise_20_80": shape.rise_20_80,
        "rise_10_90": shape.rise_10_90, "decay": shape.decay_time, "charge": shape.charge,
        "baseline": events.baseline, "noise": events.noise, "sweep": events.sweep,
    }  # fmt: skip
    return EventTable(columns, events.unit, events.polarity, events.duration, "measured by nmjmc")
