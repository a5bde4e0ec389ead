"""Events in time: raw recordings, events cut out, averages and simulated quanta, made into terms."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import signal as filters

from nmjmc.analysis.alignment import align
from nmjmc.analysis.detection import METHODS, Detected, biexponential, detect
from nmjmc.analysis.instrument import Instrument
from nmjmc.analysis.observations import MeanWaveform
from nmjmc.analysis.recording import Recording
from nmjmc.data.hdf5 import load
from nmjmc.data.recordings.read import READERS, SUFFIXES, read_recording
from nmjmc.data.recordings.tables import read_waveform
from nmjmc.data.recordings.text import read_columns
from nmjmc.errors import ValidationError
from nmjmc.fitting.average_term import AverageTerm
from nmjmc.fitting.datasets.options import Options
from nmjmc.fitting.datasets.source import Source, changes_of, driving_force
from nmjmc.fitting.waveform_term import BINS, WaveformTerm, default_edges
from nmjmc.synapse.model import Synapse

FEWEST = 12
"""Events of which the covariance of a few bins can be told."""

RISE, DECAY = 0.4, 3.0
"""Time constants of the template by default [ms]: about those of a miniature endplate current [D]."""

_READS = {
    "abf": ("channel",), "csv": ("unit", "time_unit", "sampling_interval"),
    "hdf5": ("unit", "dataset", "sampling_interval"), "neo": ("channel",),
}  # fmt: skip
_KNOWN = ("bandwidth", "series_resistance", "holding_potential", "temperature")


def recording(options: Options, synapse: Synapse) -> Source:
    """Events found in raw sweeps."""
    record = _recorded(options)
    step, polarity = record.sampling_interval, options.polarity(-1)
    decay = options.number("decay", DECAY)
    template = biexponential(np.arange(0.0, 4.0 * decay, step), options.number("rise", RISE), decay)
    found = detect(
        record, template, method=options.word("method", METHODS, METHODS[0]), polarity=polarity,
        threshold=options.number("threshold", 5.0), dead_time=_given(options, "dead_time"),
    )  # fmt: skip
    if not len(found):
        hint = "check polarity, rise and decay of the template, or lower the threshold"
        raise ValidationError(f"events of data.{options.name}", "none found", f"{FEWEST} or more", hint)
    after = options.number("after", 4.0 * decay)
    cut = align(
        record, found, before=options.number("before", 3.0), after=after, isolation=_given(options, "isolation"),
        refine=options.number("refine", min(2.0 * options.number("rise", RISE) + decay, after)),
    )  # fmt: skip
    minutes = record.duration / 6e4
    note = f"{len(cut)} of {len(found)} events found in {minutes:.2g} min of {record.name}"
    return _of_events(options, synapse, record, cut.time, -polarity * cut.traces, "half_rise", note)


def events(options: Options, synapse: Synapse) -> Source:
    """Events cut out already, one a sweep."""
    record = _recorded(options)
    step, first = record.sampling_interval, _first_time(options)
    mean = record.signal.mean(axis=0)
    polarity = options.polarity(_direction(mean))
    onset = options.number("onset", 0.0 if first < 0 else first + _onset(polarity * mean) * step) - first
    if not 0 <= onset < record.sweep_duration:
        raise ValidationError(options.field("onset"), f"{onset + first:g} ms", "within the events")
    aligned = options.word("aligned", ("half_rise", "onset"), "half_rise")
    if aligned == "onset":
        time, traces = record.time - onset, record.signal
        if (time < 0).sum() > 1:
            traces = traces - traces[:, time < 0].mean(axis=1, keepdims=True)
    else:
        time, traces = _realigned(options, record, onset, polarity)
    note = (
        f"{len(traces)} of {record.sweeps} events of {record.name}, onset {onset + first:.3g} ms in the file"
    )
    return _of_events(options, synapse, record, time, -polarity * traces, aligned, note)


def waveform(options: Options, synapse: Synapse) -> Source:
    """An average of events."""
    path = options.file()
    found = read_waveform(
        path, unit=options.given.get("unit"), time_unit=options.given.get("time_unit"),
        events=options.whole("events", 0),
    )  # fmt: skip
    _current(options, found.unit)
    if not (np.isfinite(found.mean).all() and np.isfinite(found.sd).all()):
        raise ValidationError(
            options.field("file"), f"{path.name}, where a number is missing or NaN", "whole"
        )
    polarity = options.polarity(_direction(found.mean))
    mean = -polarity * found.mean
    aligned = options.word("aligned", ("onset", "half_rise"), "onset")
    start = found.time[_onset(-mean)] if found.time[0] >= 0 else 0.0
    time = found.time - options.number("onset", float(start))
    quiet = time < (0.0 if aligned == "onset" else -1.0)
    mean = mean - (mean[quiet].mean() if quiet.sum() > 1 else 0.0)
    average = MeanWaveform(time, mean, found.sd, found.events, found.unit, found.source)
    changes = changes_of(options, synapse)
    edges = _edges(options, time, mean, 72)
    made: dict[str, Any] = {
        "instrument": _instrument(options, float(np.diff(time).mean())), "edges": edges, "aligned": aligned,
        "driving_force": driving_force(options, synapse, changes), "error": options.number("error", 0.02),
        "model_error": options.number("model_error", 0.0),
    }  # fmt: skip
    remarks = ()
    if not (found.sd.size and found.events > 1):
        share = 100 * float(made["error"])
        remarks = (
            f"{options.name}: the file says no SD with a number of events, so each bin was given an error of "
            f"{share:.2g} % of the peak, and the intervals are no better than that choice.",
        )
    note = f"the average of {found.events or 'an unknown number of'} events in {path.name}"
    needed = _needed(edges, aligned)
    return Source(
        changes,
        needed,
        lambda condition: AverageTerm(options.name, average, condition, **made),
        note,
        remarks,
    )


def simulation(options: Options, synapse: Synapse) -> Source:
    """Simulated quanta, recorded as an amplifier would."""
    result = load(options.file())
    count = options.whole("events", result.vesicles, 1)
    if count > result.vesicles:
        raise ValidationError(options.field("events"), count, f"at most the {result.vesicles} of the file")
    step, noise = options.number("sampling_interval", 0.02), options.number("noise", 0.0, "nA")
    instrument = _instrument(options, step)
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
    _current(options, record.unit)
    if len(traces) < FEWEST:
        hint = "average them and use kind=waveform"
        raise ValidationError(f"events of data.{options.name}", len(traces), f"{FEWEST} or more", hint)
    changes = changes_of(options, synapse, record.holding_potential, record.temperature)
    edges = _edges(options, time, traces.mean(axis=0), len(traces))
    made: dict[str, Any] = {
        "instrument": _instrument(options, record.sampling_interval, record), "edges": edges, "aligned": aligned,
        "driving_force": driving_force(options, synapse, changes), "with_variance": options.flag("with_variance", True),
        "model_error": options.number("model_error", 0.0),
    }  # fmt: skip
    return Source(
        changes, _needed(edges, aligned), lambda c: WaveformTerm(options.name, time, traces, c, **made), note
    )


def _recorded(options: Options) -> Recording:
    """The file as a recording, with what was said of it above what it says."""
    path = options.file()
    kind = options.word("format", tuple(READERS), SUFFIXES.get(path.suffix.casefold(), "neo"))
    for key in ("unit", "time_unit", "channel", "dataset"):
        if options.has(key) and key not in _READS[kind]:
            raise ValidationError(
                options.field(key), "given", f"left out, as a file of format {kind} says it"
            )
    words = {key: options.given[key] for key in ("unit", "time_unit", "dataset") if options.has(key)}
    if options.has("channel"):
        words["channel"] = options.whole("channel", 0)
    numbers = {key: options.number(key) for key in _KNOWN if options.has(key)}
    if options.has("sampling_interval") and "sampling_interval" in _READS[kind]:
        numbers["sampling_interval"] = options.number("sampling_interval")
    try:
        return read_recording(path, format=kind, **words, **numbers)
    except ValidationError as error:
        field = (
            options.field(error.field)
            if error.field in options.given or error.field in _READS[kind]
            else (f"data.{options.name}: {error.field}")
        )
        raise ValidationError(field, error.value, error.allowed, error.hint) from error


def _first_time(options: Options) -> float:
    """The first time that a table says [ms]; recordings themselves count from zero."""
    path = options.file()
    if SUFFIXES.get(path.suffix.casefold()) != "csv" or options.has("sampling_interval"):
        return 0.0
    table = read_columns(path)
    from nmjmc.units import to_internal

    unit = options.given.get("time_unit") or table.units[0] or "ms"
    return float(table.values[0, 0]) * to_internal(f"1 {unit}", "ms", options.field("time_unit"))


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


def _onset(upward: np.ndarray) -> int:
    """Sample at which a mean event begins: the last before its peak below a twentieth of it."""
    level = upward - np.median(upward[: max(2, upward.size // 20)])
    peak = int(level.argmax())
    below = np.flatnonzero(level[: peak + 1] < 0.05 * level[peak])
    return int(below[-1]) if below.size else 0


def _direction(mean: np.ndarray) -> int:
    """1 where a mean event goes up, -1 where it goes down."""
    away = mean - np.median(mean[: max(2, mean.size // 20)])
    return 1 if away[np.abs(away).argmax()] > 0 else -1


def _edges(options: Options, time: np.ndarray, mean: np.ndarray, count: int) -> np.ndarray:
    """Edges of the bins [ms], fewer where there are few events."""
    given = options.edges()
    return (
        given
        if given is not None
        else default_edges(time, mean, options.whole("bins", min(BINS, max(4, count // 6)), 2))
    )


def _needed(edges: np.ndarray, aligned: str) -> float:
    """Time that must be simulated for the bins [ms]; half of the rise comes later than the onset."""
    return float(np.ceil(edges[-1] + (1.0 if aligned == "half_rise" else 0.0) + 1e-9))


def _instrument(options: Options, step: float, record: Recording | None = None) -> Instrument:
    bandwidth = record.bandwidth if record is not None else options.number("bandwidth")
    resistance = record.series_resistance if record is not None else options.number("series_resistance")
    return Instrument(step, bandwidth, options.whole("poles", 4, 1), resistance)


def _current(options: Options, unit: str) -> None:
    if unit != "nA":
        hint = "potentials are compared through their amplitudes: kind=amplitudes or kind=histogram"
        raise ValidationError(f"data.{options.name}", f"a waveform in {unit}", "a current", hint)


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
