"""Miniatures in numbers: their features, cumulative curves, and two conditions compared.

Kolmogorov-Smirnov takes each event for an independent sample of its condition. Events of a few cells are not: a
difference between cells passes for one between conditions. The unit of a comparison is the cell wherever there are
several.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import stats

from nmjmc.analysis.bench.measured import Measured, of_normal
from nmjmc.analysis.histogram_fit import fit_histogram
from nmjmc.analysis.observations import EventTable, Histogram
from nmjmc.errors import ValidationError

FEATURES = {"amplitude": "", "charge": "pC", "rise": "ms", "rise_20_80": "ms", "rise_10_90": "ms", "decay": "ms",
            "half_width": "ms"}  # fmt: skip
"""Features of which a table is made, and their units; an empty one is that of the amplitude."""


@dataclass(frozen=True)
class Spread:
    """How a feature is distributed over events.

    Attributes:
        mean: With the interval of Student's t.
        median: With the interval of its order statistics, which no distribution is assumed for.
        sd, cv, lower, upper: Standard deviation, CV and quartiles.
        count: Events that have the feature.
    """

    mean: Measured
    median: Measured
    sd: float
    cv: float
    lower: float
    upper: float
    count: int


@dataclass(frozen=True)
class Comparison:
    """Two conditions by Kolmogorov-Smirnov.

    Attributes:
        feature: What was compared.
        distance: Largest distance of the cumulative curves.
        p_value: Two-sided, each event taken as independent.
        ratio: Of the means, second over first.
        counts: Events of both.
    """

    feature: str
    distance: float
    p_value: float
    ratio: float
    counts: tuple[int, int]


def features(events: EventTable) -> Mapping[str, np.ndarray]:
    """The features of a table of events, intervals among them, each without what is missing."""
    by_name = {}
    for name in FEATURES:
        values = events.columns.get(name, np.zeros(0))
        if (known := values[np.isfinite(values)]).size:
            by_name[name] = known
    time = events.columns.get("time", np.zeros(0))
    if time.size > 1 and np.isfinite(time).all():
        by_name["interval"] = events.intervals()
    return by_name


def spread(name: str, unit: str, values: Float[np.ndarray, " n"]) -> Spread:
    """Mean, SD and quartiles of a feature.

    Raises:
        ValidationError: If there are fewer than three values.
    """
    if values.size < 3 or not np.isfinite(values).all():
        raise ValidationError(name, f"{values.size} numbers", "three or more finite ones")
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    error = sd / np.sqrt(values.size)
    half = float(stats.t.isf(0.025, values.size - 1)) * error
    lower, median, upper = (float(x) for x in np.percentile(values, [25, 50, 75]))
    shown = Measured(
        f"mean {name}", unit, mean, mean - half, mean + half, f"{values.size:,} events, Student's t", error
    )
    low, high = stats.binom.interval(0.95, values.size, 0.5)
    ordered = np.sort(values)
    ends = float(ordered[int(max(low - 1, 0))]), float(ordered[int(min(high, values.size - 1))])
    middle = Measured(f"median {name}", unit, median, *ends, f"{values.size:,} events, order statistics")
    return Spread(shown, middle, sd, sd / mean if mean else np.nan, lower, upper, values.size)


def cumulative(values: Float[np.ndarray, " n"]) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Sorted values [n] and the share of events up to each [n]."""
    return np.sort(values), np.arange(1.0, values.size + 1.0) / values.size


def compare(name: str, first: Float[np.ndarray, " n"], second: Float[np.ndarray, " m"]) -> Comparison:
    """Two conditions by the two-sample Kolmogorov-Smirnov test.

    Raises:
        ValidationError: If one has fewer than four events.
    """
    for which, values in (("first", first), ("second", second)):
        if values.size < 4 or not np.isfinite(values).all():
            raise ValidationError(
                f"{name} of the {which}", f"{values.size} numbers", "four or more finite ones"
            )
    found: Any = stats.ks_2samp(first, second)
    ratio = float(second.mean() / first.mean())
    return Comparison(name, float(found.statistic), float(found.pvalue), ratio, (first.size, second.size))


def quantal_distribution(
    amplitudes: Float[np.ndarray, " n"], unit: str, threshold: float | None = None, noise_sd: float = 0.0
) -> tuple[Measured, Measured, float]:
    """Mean and SD of the amplitude of all miniatures, those below the detection threshold included.

    Args:
        amplitudes: Of the events that were seen.
        unit: Theirs.
        threshold: Smallest amplitude that is detected; None where all are.
        noise_sd: SD of the noise of an amplitude.

    Returns:
        Mean and SD by a truncated normal likelihood, and the p-value of its goodness of fit.

    Raises:
        ValidationError: If there are too few events, or one is below the threshold.
    """
    if threshold is not None and (low := float(amplitudes.min())) < threshold:
        raise ValidationError(
            "threshold", f"{threshold:g} {unit}", f"at most the smallest amplitude ({low:g} {unit})"
        )
    start = float(amplitudes.min()) if threshold is None else threshold
    top = float(amplitudes.max())
    bins = int(np.clip(np.sqrt(amplitudes.size) * 2, 10, 100))
    edges = np.linspace(min(start, 0.999 * top), top * (1 + 1e-9), bins + 1)
    counted = Histogram(edges, np.histogram(amplitudes, edges)[0], unit=unit)
    fit = fit_histogram(counted, "free", most=1, threshold=threshold, noise_sd=noise_sd,
                        start={"quantum": float(amplitudes.mean()), "quantal_sd": float(amplitudes.std())})  # fmt: skip
    how = "normal likelihood" + ("" if threshold is None else f", truncated at {threshold:g} {unit}")
    mean, sd = (
        of_normal(f"{what} of all miniatures", unit, fit.estimates[key], fit.errors[key], how)
        for what, key in (("mean amplitude", "quantum"), ("SD of the amplitude", "quantal_sd"))
    )
    return mean, sd, fit.p_value
