"""An average of events: which way it goes, where it begins and from which level, and the term that is made of it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nmjmc.analysis.observations import MeanWaveform
from nmjmc.analysis.onset import Course, course
from nmjmc.data.recordings.corrections import refuse_flat, refuse_impossible
from nmjmc.data.recordings.read import SUFFIXES
from nmjmc.data.recordings.tables import read_waveform
from nmjmc.errors import ValidationError
from nmjmc.fitting.average_term import AverageTerm
from nmjmc.fitting.datasets.options import Options, said_of
from nmjmc.fitting.datasets.recorded import at_one_command, put_right, recorded, refuse_potential
from nmjmc.fitting.datasets.source import Source, changes_of, driving_force
from nmjmc.fitting.datasets.terms import edges_of, instrument_of, needed
from nmjmc.synapse.model import Synapse
from nmjmc.units import to_internal

EARLY, LATE = 0.1, 0.5
"""Parts of the time from the begin of the rise to its peak by which it may begin before or after a file's time 0,
and that be the onset [D]; a rise that has to come out of noise seems to begin late, and none seems to begin early."""


_SHOWN = 5.0
"""Time before and after the bins that is kept for the figure [ms] (a choice)."""


class Begun(NamedTuple):
    """Where an average begins and what is taken off it.

    Attributes:
        polarity: 1 if it goes up in the file.
        onset: In the file [ms].
        baseline: In the file's direction [nA].
        said: All of it, in words.
        remarks: What a reader must know.
    """

    polarity: int
    onset: float
    baseline: float
    said: str
    remarks: tuple[str, ...]


def waveform(options: Options, synapse: Synapse) -> Source:
    """An average of events."""
    found, what, remarks = _read(options)
    aligned = options.word("aligned", ("onset", "half_rise"), "onset")
    begun = begin(options, found.time, found.mean, aligned)
    time = found.time - begun.onset
    mean = -begun.polarity * (found.mean - begun.baseline)
    changes = changes_of(options, synapse)
    edges = edges_of(options, time, mean, 72)
    shown = (time > edges[0] - _SHOWN) & (time < edges[-1] + _SHOWN)  # the rest is compared with nothing
    sd = found.sd[shown] if found.sd.size else found.sd
    average = MeanWaveform(time[shown], mean[shown], sd, found.events, found.unit, found.source)
    made: dict[str, Any] = {
        "instrument": instrument_of(options, float(np.diff(time).mean())), "edges": edges, "aligned": aligned,
        "driving_force": driving_force(options, synapse, changes), "error": options.number("error", 0.02),
        "model_error": options.number("model_error", 0.0),
    }  # fmt: skip
    if not (found.sd.size and found.events > 1):
        share = 100 * float(made["error"])
        remarks += (
            f"{options.name}: the file says no SD with a number of events, so each bin was given an error of "
            f"{share:.2g} % of the peak, and the intervals are no better than that choice.",
        )
    count = f"{found.events} events" if found.events else "an unknown number of events"
    note = f"the average of {count} in {options.label()}{what}; {begun.said}"
    return Source(
        changes,
        needed(edges, aligned),
        lambda condition: AverageTerm(options.name, average, condition, **made),
        note,
        (*remarks, *begun.remarks),
    )


def _read(options: Options) -> tuple[MeanWaveform, str, tuple[str, ...]]:
    """The average of a table or of a recording of one sweep, what was put right, and what must be known.

    Raises:
        ValidationError: If it cannot be read, is no average of a current, or has gaps.
    """
    held = options.held(MeanWaveform)
    if held is not None:
        refuse_potential(options, held.unit)
        return held, "", ()
    path, events = options.file(), options.whole("events", 0)
    kind = options.given.get("format") or SUFFIXES.get(path.suffix.casefold(), "neo")
    if kind != "csv":
        record, first, remarks = at_one_command(options, recorded(options))
        if record.sweeps > 1:
            hint = f"fit its sweeps by data.{options.name}.kind=events, or average them first"
            raise ValidationError(
                options.field("file"), f"{path.name}, of {record.sweeps} sweeps", "one average", hint
            )
        time = first + record.time
        return MeanWaveform(time, record.signal[0], events=events), put_right(record), remarks
    for key in ("channel", "dataset", "sampling_interval", "window", "signal", "sweeps", "scale"):
        if options.has(key):
            raise ValidationError(
                options.field(key), "given", "left out, as the file is a table of an average"
            )
    unit, time_unit = options.given.get("unit"), options.given.get("time_unit")
    with said_of(f"data.{options.name}", ("unit", "time_unit", "events", "decimal")):
        average = read_waveform(
            path, unit=unit, time_unit=time_unit, events=events, decimal=options.decimal()
        )
    what = ""
    if options.has("gain"):
        gain = to_internal(options.given["gain"], "", options.field("gain"))
        if not gain > 0:
            raise ValidationError(options.field("gain"), options.given["gain"], "above zero")
        average = MeanWaveform(
            average.time,
            average.mean / gain,
            average.sd / gain,
            average.events,
            average.unit,
            average.source,
        )
        what = f", divided by the gain {options.given['gain']} as given"
    refuse_potential(options, average.unit)
    if not (np.isfinite(average.mean).all() and np.isfinite(average.sd).all()):
        raise ValidationError(
            options.field("file"), f"{path.name}, where a number is missing or NaN", "whole"
        )
    refuse_impossible(average.unit, average.mean, f"data.{options.name}: average {path.name}")
    refuse_flat(average.mean, f"data.{options.name}: average {path.name}")
    return average, what, ()


def begin(options: Options, time: np.ndarray, mean: np.ndarray, aligned: str) -> Begun:
    """Direction, onset and baseline of a mean event: as said, else from its shape.

    Args:
        options: Of the data set; `polarity`, `onset` and `baseline` stand above what the shape says.
        time: In the file [t] [ms].
        mean: In the file's direction [t] [nA].
        aligned: Whether time 0 is the `onset` or `half_rise`.

    Raises:
        ValidationError: If it cannot be told, with the words that say it.
    """
    polarity = options.polarity(0)
    mean_course = course(mean, polarity or None)
    if mean_course.doubt and not (polarity and options.has("onset")):
        allowed = (
            f"said with data.{options.name}.onset, as the average does not show them: {mean_course.doubt}"
        )
        hint = f"for example data.{options.name}.polarity=-1 data.{options.name}.onset='{time[0]:g} ms'"
        raise ValidationError(
            options.field("polarity"), "missing" if not polarity else polarity, allowed, hint
        )
    onset, remarks = _onset(options, time, mean, mean_course, aligned)
    if not time[0] <= onset < time[-1]:
        raise ValidationError(options.field("onset"), f"{onset:g} ms", "within the events")
    level, words, more = _baseline(options, time, mean, mean_course, onset)
    way = "up" if mean_course.polarity > 0 else "down"
    where = "onset" if aligned == "onset" else "half of the rise"
    said = f"goes {way} in the file, {where} {onset:.3g} ms in the file, {words}"
    return Begun(mean_course.polarity, onset, level, said, (*remarks, *more))


def _onset(
    options: Options, time: np.ndarray, mean: np.ndarray, found: Course, aligned: str
) -> tuple[float, tuple[str, ...]]:
    """The onset, or half of the rise, in the file [ms]."""
    if options.has("onset"):
        return options.number("onset"), ()
    if aligned == "half_rise":
        return (0.0 if time[0] < 0 else float(_half(time, mean, found))), ()
    shown = float(time[found.onset])
    if time[0] >= 0:
        return shown, ()
    step, rise = float(np.diff(time).mean()), float(time[found.peak] - time[found.onset])
    if -max(1.5 * step, EARLY * rise) <= shown <= max(2.5 * step, LATE * rise):
        return 0.0, ()
    how = f"data.{options.name}.onset=0, or data.{options.name}.aligned=half_rise"
    return shown, (
        f"{options.name}: the average begins to rise at {shown:.3g} ms and not at the file's time 0, so that the onset "
        f"was taken there; if time 0 means something else, say so ({how}).",
    )


def _half(time: np.ndarray, mean: np.ndarray, found: Course) -> float:
    """When the mean goes through half of its height [ms]."""
    upward = found.polarity * (mean - found.baseline)
    low, high = upward[found.half], upward[min(found.half + 1, upward.size - 1)]
    share = np.clip((0.5 * found.height - low) / (high - low), 0.0, 1.0) if high > low else 0.0
    return float(time[found.half] + share * (time[min(found.half + 1, time.size - 1)] - time[found.half]))


def _baseline(
    options: Options, time: np.ndarray, mean: np.ndarray, found: Course, onset: float
) -> tuple[float, str, tuple[str, ...]]:
    """What is taken off, in words too, and what must be known of it."""
    if options.has("baseline"):
        level = options.number("baseline")
        return level, f"baseline {level:.4g} nA as given", ()
    before = int((time < onset - 1e-9).sum())
    quiet = min(found.quiet, before) if found.quiet else 0
    remarks = ()
    if before > quiet + 1 and options.has("onset"):
        reached = float(found.polarity * (mean[before - 1] - found.baseline) / found.height)
        if reached > 0.1:
            remarks = (
                f"{options.name}: the average has risen to {100 * reached:.0f} % of its peak before the onset that was "
                f"said ({onset:g} ms); the baseline ends where the rise begins.",
            )
    if quiet < 2:
        return 0.0, "no baseline before it", remarks
    level = float(mean[:quiet].mean())
    return level, f"baseline {level:.4g} nA (mean of {quiet} samples, to {time[quiet - 1]:.3g} ms)", remarks
