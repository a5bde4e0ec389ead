"""Recordings as sources: miniatures that are found in them, or responses to stimuli whose times are given.

An evoked amplitude is the mean of a narrow window about the peak of the mean response, less the mean of a baseline just
before the stimulus. Every trial is read at the same place: reading each at its own peak would take the noise's peak for
a response, in failures above all. The noise of an amplitude is measured by the same windows where nothing was evoked.
"""

from __future__ import annotations

import numpy as np

from nmjmc.analysis.alignment import align, measure_events
from nmjmc.analysis.detection import biexponential, detect
from nmjmc.analysis.recording import Recording
from nmjmc.bench.request import Quantal
from nmjmc.bench.sources import Evoked, Miniatures
from nmjmc.errors import ValidationError

BASELINE = 2.0
"""Before a stimulus [ms]; a choice."""


def miniatures(recording: Recording, asked: Quantal) -> Miniatures:
    """Events found by deconvolution with a biexponential template, cut out and measured.

    Raises:
        ValidationError: If none is found.
    """
    step = recording.sampling_interval
    rise, decay = asked.amount("rise"), asked.amount("decay")
    after = min(5.0 * (rise + decay), 0.4 * recording.sweep_duration)
    template = biexponential(np.arange(max(round(after / step), 8)) * step, rise, decay)
    polarity = asked.polarity or (-1 if recording.unit == "nA" else 1)
    found = detect(recording, template, polarity=polarity, threshold=asked.amount("detection"))
    before = max(BASELINE, 3.0 * rise, 10 * step)
    events = align(recording, found, before=before, after=after, isolation=after)
    table = measure_events(events, smooth=max(1, round(asked.amount("peak") / step)))
    quiet = max(2, int(0.8 * before / step))
    gaps = [np.diff(np.sort(found.sample[found.sweep == sweep])) * step for sweep in np.unique(found.sweep)]
    notes = (
        f"{len(found)} events were found; {events.left_out} stand too close to another or to an end to be measured.",
    )
    return Miniatures(
        table, recording.name, events.time, events.traces, quiet, np.concatenate(gaps),
        notes=notes if events.left_out else (),
    )  # fmt: skip


def evoked(recording: Recording, asked: Quantal) -> Evoked:
    """Amplitudes of every sweep at each stimulus, and the noise of an amplitude.

    Raises:
        ValidationError: If a stimulus lies outside the sweeps, or there are fewer than three.
    """
    times, step = np.array(asked.stimuli), recording.sampling_interval
    whole = np.flatnonzero(recording.length == recording.length.max())
    signal = recording.signal[whole][:, : recording.length.max()]
    if len(signal) < 3:
        raise ValidationError(
            "the recording", f"of {len(signal)} whole sweeps", "three or more", "a sweep is a trial"
        )
    polarity = asked.polarity or (-1 if recording.unit == "nA" else 1)
    width = max(1, round(asked.amount("peak") / step))
    blank, reach = (round(asked.amount(name) / step) for name in ("blank", "response"))
    columns, place = [], []
    for time in times:
        at = round(time / step)
        before, last = at - round(BASELINE / step), at + reach
        if before < 0 or last + width > signal.shape[1] or blank >= reach:
            allowed = (
                f"from {BASELINE:g} ms to {signal.shape[1] * step - asked.amount('response'):g} ms of a sweep"
            )
            raise ValidationError("stimuli", f"{time:g} ms", allowed, "or give a shorter response")
        moved = polarity * (signal - signal[:, before:at].mean(axis=1, keepdims=True))
        place.append(at + blank + int(moved[:, at + blank : last].mean(axis=0).argmax()))
        columns.append(_level(moved, place[-1], width))
    first = round(times[0] / step)
    end = min(signal.shape[1], round(times[1] / step) if times.size > 1 else signal.shape[1])
    traces = signal[:, first:end] - signal[:, first - round(BASELINE / step) : first].mean(
        axis=1, keepdims=True
    )
    traces[:, :blank] = 0.0  # the artefact
    noise, notes = _noise(polarity * signal, first, place[0] - first, width, step)
    left = recording.sweeps - len(signal)
    notes += [f"{left} sweeps that end early were left out."] if left else []
    return Evoked(
        np.stack(columns, axis=1), recording.name, recording.unit, times, np.arange(traces.shape[1]) * step, traces,
        noise_sd=noise, trials="sweeps", notes=tuple(notes),
    )  # fmt: skip


def _level(rows: np.ndarray, at: int, width: int) -> np.ndarray:
    start = max(at - width // 2, 0)
    return rows[:, start : start + width].mean(axis=1)


def _noise(rows: np.ndarray, first: int, delay: int, width: int, step: float) -> tuple[float, list[str]]:
    """SD of an amplitude measured where nothing was evoked; NaN where there is no room before the first stimulus."""
    base = round(BASELINE / step)
    if first < base + delay + width:
        return float("nan"), [
            "There is no room before the first stimulus to measure the noise of an amplitude in."
        ]
    at = first - delay - width
    level = rows[:, at - base : at].mean(axis=1)
    return float((_level(rows, at + delay, width) - level).std(ddof=1)), []
