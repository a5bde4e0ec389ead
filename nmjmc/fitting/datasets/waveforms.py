"""Events in time: raw recordings, events cut out and simulated quanta, made into terms."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy import signal as filters

from nmjmc.analysis.alignment import align
from nmjmc.analysis.detection import METHODS, Detected, biexponential, detect
from nmjmc.analysis.instrument import Instrument
from nmjmc.analysis.onset import course
from nmjmc.analysis.recording import Recording
from nmjmc.data.hdf5 import load
from nmjmc.errors import ValidationError
from nmjmc.fitting.datasets.averages import begin
from nmjmc.fitting.datasets.options import Options
from nmjmc.fitting.datasets.recorded import (
    at_one_command,
    first_time,
    put_right,
    recorded,
    refuse_locked,
    refuse_potential,
    searched,
)
from nmjmc.fitting.datasets.source import Source, changes_of, driving_force
from nmjmc.fitting.datasets.terms import edges_of, instrument_of, needed
from nmjmc.fitting.waveform_term import WaveformTerm
from nmjmc.synapse.model import Synapse

FEWEST = 12
"""Events of which the covariance of a few bins can be told."""

RISE, DECAY = 0.4, 3.0
"""Time constants of the template by default [ms]: about those of a miniature endplate current [D]."""


def recording(options: Options, synapse: Synapse) -> Source:
    """Events found in raw sweeps, where the command rests."""
    whole = recorded(options)
    step, polarity = whole.sampling_interval, options.polarity(-1)
    decay = options.number("decay", DECAY)
    template = biexponential(np.arange(0.0, 4.0 * decay, step), options.number("rise", RISE), decay)
    before, after = options.number("before", 3.0), options.number("after", 4.0 * decay)
    record, where, remarks = searched(options, whole, max(2.0 * template.size * step, before + 1.5 * after))
    found = detect(
        record, template, method=options.word("method", METHODS, METHODS[0]), polarity=polarity,
        threshold=options.number("threshold", 5.0), dead_time=_given(options, "dead_time"),
    )  # fmt: skip
    if not len(found):
        hint = "check polarity, rise and decay of the template, or lower the threshold"
        raise ValidationError(f"events of data.{options.name}", "none found", f"{FEWEST} or more", hint)
    refuse_locked(options, whole, record, found)
    cut = align(
        record, found, before=before, after=after, isolation=_given(options, "isolation"),
        refine=options.number("refine", min(2.0 * options.number("rise", RISE) + decay, after)),
    )  # fmt: skip
    minutes = record.duration / 6e4
    note = f"{len(cut)} of {len(found)} events found in {minutes:.2g} min of {record.name}{where}{put_right(whole)}"
    made = _of_events(options, synapse, record, cut.time, -polarity * cut.traces, "half_rise", note)
    return replace(made, remarks=(*made.remarks, *remarks))


def events(options: Options, synapse: Synapse) -> Source:
    """Events cut out already, one a sweep."""
    record, first, remarks = at_one_command(options, recorded(options))
    first += first_time(options)
    mean, step = record.signal.mean(axis=0), record.sampling_interval
    begun = begin(options, first + record.time, mean, "onset")
    onset = begun.onset - first
    aligned = options.word("aligned", ("half_rise", "onset"), "half_rise")
    if aligned == "onset":
        time, traces = record.time - onset, record.signal
        quiet = min(course(mean, begun.polarity).quiet, int((time < 0).sum()))
        if quiet > 1:
            traces = traces - traces[:, :quiet].mean(axis=1, keepdims=True)
    elif onset < 4.0 * step:
        hint = f"say data.{options.name}.aligned=onset, or cut them out with a baseline"
        value = f"{onset:.3g} ms after their begin"
        raise ValidationError(
            f"the rise of data.{options.name}", value, "after a baseline, to be aligned at", hint
        )
    else:
        time, traces = _realigned(options, record, onset, begun.polarity)
    note = f"{len(traces)} of {record.sweeps} events of {record.name}{put_right(record)}; {begun.said}"
    made = _of_events(options, synapse, record, time, -begun.polarity * traces, aligned, note)
    return replace(made, remarks=(*made.remarks, *begun.remarks, *remarks))


def simulation(options: Options, synapse: Synapse) -> Source:
    """Simulated quanta, recorded as an amplifier would."""
    result = load(options.file())
    count = options.whole("events", result.vesicles, 1)
    if count > result.vesicles:
        raise ValidationError(options.field("events"), count, f"at most the {result.vesicles} of the file")
    step, noise = options.number("sampling_interval", 0.02), options.number("noise", 0.0, "nA")
    instrument = instrument_of(options, step)
    warm = result.synapse.effective()
    drive = float(warm.fibre.holding_potential) - float(warm.receptor.reversal_potential)
    time = np.arange(-2.0, float(result.time[-1]) - result.onset, step)
    clean = instrument.apply(result.time - result.onset, result.current[:count], time, drive)
    clean[:, time < 0] = 0.0
    traces = clean + _noise(clean.shape, noise, instrument, options.whole("seed", 0))
    record = Recording(
        traces, step, bandwidth=instrument.bandwidth, series_resistance=instrument.series_resistance,
        holding_potential=float(result.synapse.fibre.holding_potential),
        temperature=float(result.synapse.temperature), name=options.file().name,
    )  # fmt: skip
    note = f"{count} simulated quanta of {options.file().name} in noise of {1e3 * noise:.3g} pA"
    return _of_events(options, synapse, record, time, traces, "onset", note)


def _of_events(
    options: Options,
    synapse: Synapse,
    record: Recording,
    time: np.ndarray,
    traces: np.ndarray,
    aligned: str,
    note: str,
) -> Source:
    """The source of aligned events, inward negative [event, t]."""
    refuse_potential(options, record.unit)
    if len(traces) < FEWEST:
        hint = "average them and use kind=waveform"
        raise ValidationError(f"events of data.{options.name}", len(traces), f"{FEWEST} or more", hint)
    changes = changes_of(options, synapse, record.holding_potential, record.temperature)
    edges = edges_of(options, time, traces.mean(axis=0), len(traces))
    made: dict[str, Any] = {
        "instrument": instrument_of(options, record.sampling_interval, record), "edges": edges, "aligned": aligned,
        "driving_force": driving_force(options, synapse, changes), "with_variance": options.flag("with_variance", True),
        "model_error": options.number("model_error", 0.0),
    }  # fmt: skip
    return Source(
        changes, needed(edges, aligned), lambda c: WaveformTerm(options.name, time, traces, c, **made), note
    )


def _realigned(
    options: Options, record: Recording, onset: float, polarity: int
) -> tuple[np.ndarray, np.ndarray]:
    """Events aligned at half of their rise: time [t] and traces from a baseline of zero [event, t]."""
    step, start = record.sampling_interval, round(onset / record.sampling_interval)
    chosen = Detected(
        np.arange(record.sweeps), np.full(record.sweeps, start), np.ones(record.sweeps), polarity, 0.0
    )
    mean = polarity * record.signal.mean(axis=0)
    peak = (int(mean.argmax()) - start) * step
    refine = max(2.0 * peak, 4.0 * step)
    before = options.number("before", max(0.8 * onset, 2.0 * step))
    after = options.number("after", record.sweep_duration - onset - refine - 4.0 * step)
    cut = align(record, chosen, before=before, after=after, refine=refine, isolation=0.0)
    return cut.time, cut.traces


def _noise(shape: tuple[int, int], sd: float, instrument: Instrument, seed: int) -> np.ndarray:
    """White noise through the recording's filter, of a given SD."""
    lead = 200  # in which the filter forgets where it began
    white = np.random.default_rng(seed).normal(size=(shape[0], lead + shape[1]))
    corner, rate = instrument.bandwidth, 1.0 / instrument.sampling_interval
    if np.isfinite(corner) and corner < 0.5 * rate:
        sections = filters.bessel(instrument.poles, corner, fs=rate, norm="mag", output="sos")
        white = filters.sosfilt(sections, white, axis=1)
        white = np.asarray(white)[:, lead:]
        return sd * white / white.std()
    return sd * white[:, lead:]


def _given(options: Options, key: str) -> float | None:
    return options.number(key) if options.has(key) else None
