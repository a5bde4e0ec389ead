"""Which analyses miniatures allow, and their rows and curves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import stats

from nmjmc.analysis.bench import intervals as against
from nmjmc.analysis.bench import miniatures as table
from nmjmc.analysis.bench.channel_noise import decay_noise
from nmjmc.analysis.bench.measured import LEVEL, Measured, of_normal
from nmjmc.bench.amount import in_unit_of
from nmjmc.bench.found import Found
from nmjmc.bench.request import Quantal
from nmjmc.bench.sources import Intervals, Miniatures
from nmjmc.data.quantal import Curve
from nmjmc.errors import ValidationError

LABELS = {
    "rise_20_80": "20-80 % rise",
    "rise_10_90": "10-90 % rise",
    "half_width": "half width",
    "decay": "decay time",
}
P = "P of "


def analysed(source: Miniatures, asked: Quantal, other: Miniatures | None = None) -> Found:
    """Features, the quantal distribution, intervals, noise of decays, and the comparison with another condition."""
    findings = Found()
    values = features_of(source)
    _features(findings, values, source.unit)
    _distribution(findings, source, asked)
    if "interval" in values:
        _intervals(findings, values["interval"], asked)
    elif np.isfinite(source.events.duration):
        count = len(source.events)
        findings.rows.append(_rate(count, 1e-3 * source.events.duration))
    if source.traces.size and source.unit == "nA":
        _noise(findings, source, asked)
    if other is not None:
        _compared(findings, source, other)
    return findings


def _rate(count: int, time: float) -> Measured:
    """Rate of so many events in a time [s], with the exact interval of a Poisson count (Garwood 1936)."""
    tail = 0.5 * (1.0 - LEVEL)
    low = float(stats.chi2.ppf(tail, 2 * count)) / 2 if count else 0.0
    high = float(stats.chi2.isf(tail, 2 * count + 2)) / 2
    how = "events over the time searched, as a Poisson count"
    return Measured("rate of events", "/s", count / time, low / time, high / time, how, np.sqrt(count) / time)


def of_intervals(source: Intervals, asked: Quantal) -> Found:
    """Intervals by themselves."""
    findings = Found()
    one = table.spread("interval", "ms", source.gaps)
    findings.rows += [one.mean, one.median]
    _intervals(findings, source.gaps, asked)
    return findings


def _features(findings: Found, values: Mapping[str, np.ndarray], unit: str) -> None:
    for name, numbers in values.items():
        if numbers.size < 3:
            continue
        one = table.spread(LABELS.get(name, name), _unit(name, unit), numbers)
        findings.rows.append(one.mean if name in ("amplitude", "charge") else one.median)
        if name == "amplitude":
            error = one.cv * np.sqrt(0.5 / numbers.size * (1 + 2 * one.cv**2))
            findings.rows.append(
                of_normal("CV of the amplitude", "", one.cv, error, "SD over mean; normal errors")
            )
        x, share = table.cumulative(numbers)
        findings.curves[f"cumulative_{name}"] = Curve({name: x, "share": share}, {name: _unit(name, unit)})


def _unit(name: str, unit: str) -> str:
    return "ms" if name == "interval" else table.FEATURES[name] or unit


def _distribution(findings: Found, source: Miniatures, asked: Quantal) -> None:
    """The amplitude of all miniatures, those below the threshold included."""
    if source.amplitudes.size < 20:
        return
    threshold = in_unit_of(asked.threshold, source.unit, "threshold")
    noise = in_unit_of(asked.noise_sd, source.unit, "noise_sd") or 0.0
    seen = source.amplitudes
    if threshold is not None and (small := int((seen < threshold).sum())):
        findings.notes.append(
            f"{small} amplitudes below the threshold were left out of the fitted distribution."
        )
        seen = seen[seen >= threshold]
    try:
        mean, sd, p = table.quantal_distribution(seen, source.unit, threshold, noise)
    except ValidationError as error:
        findings.notes.append(f"No distribution was fitted to the amplitudes: {error}")
        return
    findings.rows += [mean, sd]
    counts, edges = np.histogram(source.amplitudes, bins="fd" if source.amplitudes.size > 50 else 10)
    findings.curves["amplitude_histogram"] = Curve(
        {"from": edges[:-1], "to": edges[1:], "count": counts}, {"from": source.unit, "to": source.unit}
    )
    if p < 0.05:
        findings.notes.append(
            f"Amplitudes are not normal (P = {p:.2g}): mean and SD of all miniatures hold for normal ones."
        )


def features_of(source: Miniatures) -> Mapping[str, np.ndarray]:
    """The features of the events, and the intervals between all that were found."""
    found, gaps = dict(table.features(source.events)), source.intervals()
    found.pop("interval", None)
    return found | ({"interval": gaps} if gaps.size else {})


def _intervals(findings: Found, gaps: np.ndarray, asked: Quantal) -> None:
    dead = None if asked.dead_time is None else asked.amount("dead_time")
    if gaps.size < 10:
        findings.notes.append(
            "There are fewer than ten intervals: they were not set against a Poisson process."
        )
        return
    if gaps.size > 5 * np.unique(gaps).size:
        findings.notes.append(
            "Many intervals are alike, as rounded ones are; the tests of their distribution find that too."
        )
    one = against.against_poisson(gaps, dead, seed=int(asked.seed))
    findings.rows += [one.rate, one.cv, one.neighbours]
    findings.rows += [
        Measured(P + "exponential intervals", "", one.distribution_p, np.nan, np.nan, _power(one.power)),
        Measured(P + "a constant rate", "", one.trend_p, np.nan, np.nan, "Laplace's test"),
    ]
    if one.distribution_p < 0.05:
        findings.notes.append(
            f"Intervals less the dead time of {one.dead_time:.3g} ms are not exponential "
            f"(P = {one.distribution_p:.2g}): the events are no Poisson process, or some were missed."
        )
    share = 1.0 - np.arange(one.excess.size) / one.excess.size
    findings.curves["intervals"] = Curve(
        {
            "interval": one.excess + one.dead_time,
            "longer": share,
            "poisson": np.exp(-one.excess * one.rate.value / 1e3),
        },
        {"interval": "ms"},
    )


def _power(power: dict[float, float]) -> str:
    told = ", ".join(f"{100 * chance:.0f} % at CV {cv:g}" for cv, chance in power.items())
    return f"Kolmogorov-Smirnov; power {told}"


def _noise(findings: Found, source: Miniatures, asked: Quantal) -> None:
    try:
        one = decay_noise(
            source.traces,
            quiet=source.quiet,
            scaling=asked.scaling,
            number=int(asked.resamples),
            seed=int(asked.seed),
        )
    except ValidationError as error:
        findings.notes.append(f"The noise of the decays was not analysed: {error}")
        return
    if not one.unitary.low > 0:
        findings.notes.append(
            "The variance of the decays is not beyond that of the background: no current of one channel can be told."
        )
        return
    findings.rows += [one.unitary, one.channels]
    findings.rows += [one.open_probability] if one.scaling == "none" else []
    findings.curves["channel_noise"] = Curve(
        {"mean": one.mean, "variance": one.variance, "fitted": one.fitted},
        {"mean": "nA", "variance": "nA^2", "fitted": "nA^2"},
    )
    share = float(
        np.mean(np.abs(one.variance - one.fitted)) / max(float(np.mean(np.abs(one.fitted))), 1e-300)
    )
    if share > 0.3:
        findings.notes.append(
            "The variance of the decays is not the curve of channels that close each by itself: events differ in more "
            "than size, and the current of one channel is an upper limit."
        )


def _compared(findings: Found, source: Miniatures, other: Miniatures) -> None:
    if other.unit != source.unit:
        raise ValidationError("against", f"in {other.unit}", f"in {source.unit}, as the first condition")
    first, second = features_of(source), features_of(other)
    for name in first.keys() & second.keys():
        if min(first[name].size, second[name].size) < 4:
            continue
        one = table.compare(name, first[name], second[name])
        label = LABELS.get(name, name)
        how = (
            f"Kolmogorov-Smirnov, distance {one.distance:.3f}, {one.counts[0]:,} and {one.counts[1]:,} events"
        )
        findings.rows.append(Measured(f"{P}the same {label}", "", one.p_value, np.nan, np.nan, how))
        findings.rows.append(_ratio(f"{label}, other over first", first[name], second[name]))
        x, share = table.cumulative(second[name])
        findings.curves[f"cumulative_{name}_other"] = Curve(
            {name: x, "share": share}, {name: _unit(name, source.unit)}
        )
    findings.notes.append(
        "Kolmogorov-Smirnov takes every event for independent: over several cells, compare one number a cell."
    )


def _ratio(name: str, first: np.ndarray, second: np.ndarray) -> Measured:
    ratio = second.mean() / first.mean()
    error = ratio * np.hypot(*(v.std(ddof=1) / v.mean() / np.sqrt(v.size) for v in (first, second)))
    return of_normal(name, "", float(ratio), float(error), "ratio of means")
