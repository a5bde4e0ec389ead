"""Amplitudes, histograms, counts and published values, made into terms."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nmjmc.analysis.observations import EventTable, Histogram, Statistic
from nmjmc.data import published
from nmjmc.data.recordings.events import read_events
from nmjmc.data.recordings.tables import read_histogram, read_statistics
from nmjmc.data.recordings.text import read_columns
from nmjmc.errors import ValidationError, nearest
from nmjmc.fitting.counts_term import CountsTerm
from nmjmc.fitting.datasets.options import Options, said_of
from nmjmc.fitting.datasets.source import Source, changes_of, driving_force
from nmjmc.fitting.features import FEATURES
from nmjmc.fitting.histogram_term import HistogramTerm
from nmjmc.fitting.terms import StatisticsTerm
from nmjmc.synapse.model import Synapse
from nmjmc.units import to_internal

RELEASES = ("single", "poisson", "binomial")
PEAK = 3.0
"""Time within which a quantum has its peak [ms] [D]."""


def amplitudes(options: Options, synapse: Synapse) -> Source:
    """Amplitudes of a table of events."""
    table = _table(options)
    histogram = _binned(options, table)
    noise = float(np.nanmedian(table["noise"])) if "noise" in table.columns else 0.0
    amplitude = table["amplitude"]
    note = f"{histogram.counts.sum()} events ({table.source}) in {histogram.counts.size} bins"
    left = len(amplitude) - int(histogram.counts.sum())
    remarks = ()
    if left and not options.has("failures"):
        remarks = (
            f"{options.name}: {left} of {len(amplitude)} amplitudes are missing, zero or of the other sign and were "
            f"left out; if they are failures of release, add data.{options.name}.failures={left}.",
        )
    return _of_histogram(options, synapse, histogram, noise if np.isfinite(noise) else 0.0, note, remarks)


def _table(options: Options) -> EventTable:
    """The table of events; times, which miniML counts in samples, are not compared."""
    held = options.held(EventTable)
    if held is not None:
        return held
    step = options.number("sampling_interval") if options.has("sampling_interval") else 1.0
    file = options.file()
    with _said(options):
        return read_events(
            file, options.given.get("program"), unit=options.given.get("unit"), sampling_interval=step,
            decimal=options.decimal(),
        )  # fmt: skip


@contextlib.contextmanager
def _said(options: Options) -> Iterator[None]:
    """What a file lacks, as a word of the data set."""
    try:
        with said_of(f"data.{options.name}", ("unit", "program", "decimal")):
            yield
    except ValidationError as error:
        if error.field != options.field("unit"):
            raise
        hint = f"add {error.field}=pA (or nA, mV)"
        raise ValidationError(error.field, error.value, error.allowed, hint) from error


def histogram(options: Options, synapse: Synapse) -> Source:
    """A histogram of amplitudes, from a file or published."""
    if options.has("published"):
        name, key = _published(options)
        found = published.histogram(name, key)
        note = f"{found.trials} observations, {found.source}"
    elif (held := options.held(Histogram)) is not None:
        found, note = held, f"{held.trials} observations"
    else:
        unit, path = options.given.get("unit"), options.file()
        zero = options.flag("failures_at_zero", False)
        with _said(options):
            found = read_histogram(path, unit=unit, failures_at_zero=zero, decimal=options.decimal())
        note = f"{found.trials} observations of {path.name}"
    if options.has("failures"):
        found = Histogram(found.edges, found.counts, options.whole("failures", 0), found.unit, found.source)
    return _of_histogram(options, synapse, found, 0.0, note)


def counts(options: Options, synapse: Synapse) -> Source:
    """Trials with 0, 1, 2 ... quanta: columns `quanta` and `trials`."""
    file = options.file()
    with _said(options):
        table = read_columns(file, options.decimal())
    column = table.names.index("quanta") if "quanta" in table.names else 0
    if table.values.shape[1] != 2:
        raise ValidationError(
            options.field("file"), f"of {table.values.shape[1]} columns", "of two: quanta, trials"
        )
    quanta, trials = table.values[:, column], table.values[:, 1 - column]
    if not np.array_equal(quanta, np.arange(quanta.size)) or (trials != np.round(trials)).any():
        raise ValidationError(
            options.field("file"), "of other rows", "rows 0, 1, 2 ... quanta with whole numbers"
        )
    release = options.word("release", RELEASES[1:], "poisson")
    changes, note = changes_of(options, synapse), f"{int(trials.sum())} trials of {options.file().name}"
    return Source(changes, 0.7, lambda c: CountsTerm(options.name, trials, c, release=release), note)


def statistics(options: Options, synapse: Synapse) -> Source:
    """Published features of the current with their errors."""
    first, *others = [key for key in ("values", "published", "file") if options.has(key)] or ["file"]
    for key in others:
        shown, allowed = repr(options.given[key]), f"left out where {first} says the numbers"
        raise ValidationError(options.field(key), shown, allowed)
    if options.has("values"):
        by_name = {name: _inline(options, name, value) for name, value in options.mapping("values").items()}
    else:
        by_name = _chosen(options)
    changes = changes_of(options, synapse)
    driving_force(options, synapse, changes)
    decay = by_name["decay_time"] if "decay_time" in by_name else None
    length = to_internal(f"{decay.value} {decay.unit}", "ms", options.field("decay_time")) if decay else 0.0
    remembered = [name for name, number in by_name.items() if number.mark == "M"]
    remarks = ()
    if remembered:
        those = " and ".join(remembered)
        are = "is" if len(remembered) == 1 else "are"
        remarks = (f"{options.name}: {those} {are} from memory [M], a target and no validation.",)
    sources = "; ".join(dict.fromkeys(number.source for number in by_name.values() if number.source))
    note = f"{', '.join(by_name)}{f' ({sources})' if sources else ''}"
    needed = max(8.0, float(np.ceil(4.0 * length))) if {"decay_time", "charge"} & set(by_name) else 3.0
    return Source(changes, needed, lambda c: StatisticsTerm(options.name, by_name, c), note, remarks)


def _of_histogram(
    options: Options,
    synapse: Synapse,
    found: Histogram,
    noise: float,
    note: str,
    remarks: tuple[str, ...] = (),
) -> Source:
    release = options.word("release", RELEASES, "poisson" if found.failures else "single")
    noise = options.number("noise", noise, found.unit)
    changes = changes_of(options, synapse)
    driving_force(options, synapse, changes)
    return Source(
        changes, PEAK, lambda c: HistogramTerm(options.name, found, c, release=release, noise_sd=noise),
        f"{note}, release {release}, noise {noise:.3g} {found.unit}", remarks,
    )  # fmt: skip


def _binned(options: Options, table: EventTable) -> Histogram:
    """Counts of the amplitudes of a table, failures apart."""
    values = table["amplitude"][table["amplitude"] > 0]
    if values.size < 10 or not np.ptp(values) > 0:
        raise ValidationError(
            f"events of data.{options.name}", values.size, "ten or more of different amplitudes"
        )
    if options.has("bin_width"):
        width = options.number("bin_width", unit=table.unit)
        if not width > 0:
            raise ValidationError(options.field("bin_width"), options.given["bin_width"], "above zero")
        first = width * np.floor(values.min() / width)
        edges = first + width * np.arange(int(np.ceil((values.max() - first) / width + 1e-9)) + 1)
    else:
        bins = options.whole("bins", int(np.clip(np.sqrt(values.size), 6, 30)), 3)
        margin = 0.02 * np.ptp(values)
        edges = np.linspace(max(float(values.min()) - margin, 0.0), values.max() + margin, bins + 1)
    number, _ = np.histogram(values, bins=edges)
    return Histogram(edges, number, options.whole("failures", 0), table.unit, table.source)


def _published(options: Options) -> tuple[str, str]:
    """Name of a published set and of one of its entries, `SET.ENTRY`."""
    name, _, key = str(options.given["published"]).partition(".")
    if name not in published.available():
        hint = nearest(name, published.available())
        raise ValidationError(options.field("published"), repr(name), "a published set", hint)
    return name, key


def _chosen(options: Options) -> dict[str, Statistic]:
    """Features and their statistics, by name from a published set or a file."""
    if options.has("published"):
        name, _ = _published(options)
        rows = {number.name: number for number in published.statistics(name)}
    else:
        file = options.file()
        with _said(options):
            rows = {number.name: number for number in read_statistics(file, decimal=options.decimal())}
    wanted = options.mapping("features") or {name: name for name in rows if name in FEATURES}
    if not wanted:
        hint = f"features maps {', '.join(FEATURES)} to the names of the numbers"
        raise ValidationError(options.field("features"), "missing", "given", hint)
    by_name = {}
    for feature, name in wanted.items():
        if name not in rows:
            raise ValidationError(options.field(f"features.{feature}"), repr(name), "one that is there", nearest(
                str(name), rows))  # fmt: skip
        by_name[feature] = rows[name]
    return by_name


def _inline(options: Options, feature: str, given: Any) -> Statistic:
    """A number with its error, written out: `{value: 3.95 nA, error: 0.1 nA}` or `{low: 1 ms, high: 2 ms}`."""
    field = options.field(f"values.{feature}")
    if not isinstance(given, Mapping) or not set(given) <= {
        "value",
        "error",
        "low",
        "high",
        "n",
        "source",
        "mark",
    }:
        raise ValidationError(field, repr(given), "a mapping with value and error, or with low and high")
    unit = {"amplitude": "nA", "charge": "pC"}.get(feature, "ms")
    numbers = {
        key: to_internal(given[key], unit, f"{field}.{key}")
        for key in ("value", "error", "low", "high")
        if key in given
    }
    if not ({"value", "error"} <= set(numbers) or {"low", "high"} <= set(numbers)):
        raise ValidationError(field, repr(dict(given)), "given with value and error, or with low and high")
    low, high = numbers.get("low", float("nan")), numbers.get("high", float("nan"))
    return Statistic(
        feature, numbers.get("value", 0.5 * (low + high)), numbers.get("error", float("nan")), unit,
        n=int(given.get("n", 0)), mark=str(given.get("mark", "D")), source=str(given.get("source", "")), low=low,
        high=high,
    )  # fmt: skip
