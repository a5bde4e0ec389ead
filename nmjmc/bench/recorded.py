"""Recordings as sources: miniatures that are found in them, or the responses to stimuli."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nmjmc.analysis.alignment import align, measure_events
from nmjmc.analysis.bench.responses import BASELINE, Responses, Windows, as_trials, responses
from nmjmc.analysis.detection import biexponential, detect
from nmjmc.analysis.recording import Recording
from nmjmc.analysis.searchable import searchable
from nmjmc.analysis.stimuli import Stimuli, of_artefact, of_command
from nmjmc.bench.request import Quantal
from nmjmc.bench.sources import Evoked, Miniatures

_LEFT = 0.15
"""Of a response, that is left when the next stimulus comes, from which on it is told [D]."""


def stimuli_of(recording: Recording, asked: Quantal, told: Stimuli | None = None) -> Stimuli:
    """The stimuli of a recording: as asked, as its file tells, as its command pulses, or as its artefacts show.

    Args:
        recording: What was recorded.
        asked: The settings.
        told: As the file tells, by a digital output or by tags; None where it tells of none.
    """
    if asked.stimuli is not None:
        return Stimuli(np.array(asked.stimuli, np.float64), "times as given")
    if told is not None and len(told):
        return told
    pulses = of_command(recording)
    return pulses if len(pulses) else of_artefact(recording)


def miniatures(recording: Recording, asked: Quantal, stimuli: Stimuli | None = None) -> Miniatures:
    """Events found by deconvolution with a biexponential template, cut out and measured.

    They are searched where the command rests, away from stimuli and gaps.

    Raises:
        ValidationError: If none is found.
    """
    step = recording.sampling_interval
    rise, decay = asked.amount("rise"), asked.amount("decay")
    after = min(5.0 * (rise + decay), 0.4 * recording.sweep_duration)
    template = biexponential(np.arange(max(round(after / step), 8)) * step, rise, decay)
    before = max(BASELINE, 3.0 * rise, 10 * step)
    parts, left = searchable(recording, 2.0 * (before + after), None if stimuli is None else stimuli.times)
    polarity = _direction(recording)
    found = detect(parts, template, polarity=polarity, threshold=asked.amount("detection"))
    events = align(parts, found, before=before, after=after, isolation=after)
    table = measure_events(events, smooth=max(1, round(asked.amount("peak") / step)))
    quiet = max(2, int(0.8 * before / step))
    gaps = [np.diff(np.sort(found.sample[found.sweep == sweep])) * step for sweep in np.unique(found.sweep)]
    told = (
        f"{len(found)} events were found; {events.left_out} stand too close to another or to an end to be measured.",
    )
    return Miniatures(
        table, recording.name, events.time, events.traces, quiet, np.concatenate(gaps),
        notes=(*left, *(told if events.left_out else ())),
    )  # fmt: skip


def _direction(recording: Recording) -> int:
    """Of events, once a recording was put right: inward currents go down, depolarisations up."""
    return -1 if recording.unit == "nA" else 1


def evoked(recording: Recording, asked: Quantal, stimuli: Stimuli) -> Evoked:
    """Amplitude, latency and failure of every trial at each stimulus, and the noise of an amplitude.

    Raises:
        ValidationError: If a stimulus lies outside the sweeps, or there are fewer than three trials.
    """
    notes = [f"{len(stimuli)} stimuli: {stimuli.by}."] if stimuli.by != "times as given" else []
    trials, times, more = _trials(recording, asked, stimuli)
    polarity, step = _direction(recording), recording.sampling_interval
    read = Windows(*(asked.amount(name) for name in ("blank", "response", "peak")))
    found = responses(trials, times, polarity, read)
    first = round(times[0] / step)
    end = min(trials.signal.shape[1], round(times[1] / step) if times.size > 1 else trials.signal.shape[1])
    base = trials.signal[:, first - round(BASELINE / step) : first].mean(axis=1, keepdims=True)
    traces = trials.signal[:, first:end] - base
    traces[:, : round(read.blank / step)] = 0.0  # the artefact
    return Evoked(
        found.amplitude, recording.name, recording.unit, times, np.arange(traces.shape[1]) * step, traces,
        noise_sd=found.noise_sd, trials="sweeps" if trials.sweeps == recording.sweeps or more else "trials",
        responses=found, notes=(*notes, *more, *remarks(found, read, times)),
    )  # fmt: skip


def _trials(
    recording: Recording, asked: Quantal, stimuli: Stimuli
) -> tuple[Recording, np.ndarray, tuple[str, ...]]:
    """Sweeps of one length, each a trial; a single long sweep is cut into one for each stimulus or train."""
    if recording.sweeps == 1 and len(stimuli) > 2:
        room = 2.0 * BASELINE + asked.amount("response")
        cut, times = as_trials(recording, stimuli.times, room, room)
        return cut, times, ()
    whole = recording.length == recording.length.max()
    left = int((~whole).sum())
    if not left:
        return recording, stimuli.times, ()
    command = recording.command[whole] if recording.command.size else recording.command
    kept = replace(
        recording, signal=recording.signal[whole], length=recording.length[whole], command=command,
        sweep_start=recording.sweep_start[whole],
    )  # fmt: skip
    return kept, stimuli.times, (f"{left} sweeps that end early were left out.",)


def remarks(found: Responses, read: Windows, times: np.ndarray) -> list[str]:
    """What a reader must know of responses: a window that does not hold them, and what is left of the one before."""
    said = []
    edges = {"beginning": found.delay <= read.blank + 1e-9, "end": found.delay >= read.response - read.peak}
    for edge, there in edges.items():
        if there.any():
            which = ", ".join(str(i + 1) for i in np.flatnonzero(there)[:6])
            cause = (
                "the artefact may reach into it (blank)"
                if edge == "beginning"
                else "they may come later (response)"
            )
            said.append(
                f"The mean response to stimulus {which} is largest at the {edge} of its window of {read.blank:g} to "
                f"{read.response:g} ms after the stimulus: {cause}."
            )
    if not np.isfinite(found.noise_sd):
        said.append(
            "There is no room before the first stimulus to measure the noise of an amplitude in; failures are not told."
        )
    if times.size > 1 and found.left_over[1:].max() > _LEFT:
        share = 100 * found.left_over[1:].max()
        said.append(
            f"Up to {share:.0f} % of the first response is left when a later stimulus comes; each amplitude is counted "
            "from there, and what is left goes on to decay: later amplitudes are too small."
        )
    return said
