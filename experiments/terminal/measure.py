"""Release of like terminals, and what statistics make of their counts."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from experiments.common import Estimate, of_normal, of_replicates, resamples
from experiments.hospital import SEED
from nmjmc.analysis.goodness import g_statistic
from nmjmc.junction.pools import rows, run_train
from nmjmc.junction.release import STEP
from nmjmc.junction.terminal import Terminal

ROWS = 400
"""Terminals that run side by side, so that all numbers of them share a program."""
APART = 100_000
"""Between the numbers of the first terminals of two measurements, which so share no randomness."""
BIN = 5 * STEP
EDGES = np.arange(-0.3, 1.5, BIN) + 0.5 * STEP
"""Of the histogram of times [ms]: five steps a bin, and no edge upon the middle of a step, where times lie."""


class Released(NamedTuple):
    """Quantal content and zones that could release [v k], times after the spike's peak, inf for none [v k n] [ms]."""

    quanta: Int[np.ndarray, "v k"]
    cleared: Int[np.ndarray, "v k"]
    time: Float[np.ndarray, "v k n"]


def released(calcium: float, times: Any, count: int, number: int, most: int = ROWS) -> Released:
    """Release of human terminals at 37 degC, from a long rest.

    Args:
        calcium: Outside [uM].
        times: The stimuli [ms].
        count: How many terminals, at most `most` side by side.
        number: Of the measurement.
        most: Terminals of a batch.
    """
    terminal = Terminal(calcium_outside=calcium)
    size = min(most, count)
    found = [
        run_train(rows(terminal, size), times, SEED, first=number * APART + begin)
        for begin in range(0, count, size)
    ]
    quanta, cleared, time = (
        np.concatenate([getattr(f, name) for f in found]) for name in ("quanta", "cleared", "time")
    )
    return Released(quanta, cleared, time - float(terminal.delay))


def variance_over_mean(counts: np.ndarray) -> Estimate:
    """Of independent counts [n]; its relative standard error is that of a variance, sqrt(2 / (n - 1))."""
    value = float(counts.var(ddof=1) / counts.mean())
    return of_normal(value, value * np.sqrt(2.0 / (counts.size - 1)))


def consecutive(counts: Int[np.ndarray, "v k"]) -> Estimate:
    """Half the mean square of what one count differs from the next, over the mean: all that jitter sees of counts."""
    weights = np.concatenate([np.full((1, len(counts)), 1 / len(counts)), resamples(len(counts))])
    square = weights @ (0.5 * (np.diff(counts.astype(float), axis=1) ** 2).mean(axis=1))
    found = square / (weights @ counts.mean(axis=1))
    return of_replicates(found[0], found[1:])


def slope(less: np.ndarray, more: np.ndarray, factor: float) -> Estimate:
    """Log-log slope between counts [n] at a calcium and at one so many times greater, by the delta method."""
    value = np.log(more.mean() / less.mean()) / np.log(factor)
    error = np.sqrt(sum(x.var(ddof=1) / x.size / x.mean() ** 2 for x in (less, more))) / np.log(factor)
    return of_normal(float(value), float(error))


def failures(counts: np.ndarray) -> tuple[float, float]:
    """Share of failures less exp(-m) of the same counts [n], and its standard error if they are Poisson.

    Var = exp(-2 m) (exp(m) - 1 - m) / n, because failures and mean are of the same counts (delta method).
    """
    mean = float(counts.mean())
    error = np.exp(-mean) * np.sqrt((np.exp(mean) - 1.0 - mean) / counts.size)
    return float((counts == 0).mean() - np.exp(-mean)), float(error)


def binomial_p(counts: np.ndarray, sites: int) -> float:
    """Chance of counts [n] at least as far from the binomial law of their mean, by the G statistic."""
    expected = counts.size * stats.binom.pmf(np.arange(sites + 1), sites, counts.mean() / sites)
    statistic, bins = g_statistic(np.bincount(counts, minlength=sites + 1).astype(float), expected)
    # one degree for the total, one for the mean; with fewer bins there is nothing to tell
    return float(stats.chi2.sf(statistic, bins - 2)) if bins > 2 else 1.0


def spread_in_time(time: Float[np.ndarray, "v n"]) -> tuple[Estimate, Estimate]:
    """Standard deviation and mode of times of release [ms], by the bootstrap over terminals.

    The mode is that of a histogram of five steps of the simulation a bin, smoothed once.
    """
    known = np.isfinite(time)
    values = np.where(known, time, 0.0)
    weights = np.concatenate([np.full((1, len(time)), 1 / len(time)), resamples(len(time))])
    number, total, square = (weights @ x.sum(axis=1) for x in (known, values, values**2))
    deviation = np.sqrt(square / number - (total / number) ** 2)
    each = np.pad(weights @ np.stack([np.histogram(own, EDGES)[0] for own in time]), ((0, 0), (1, 1)))
    smooth = 0.25 * each[:, :-2] + 0.5 * each[:, 1:-1] + 0.25 * each[:, 2:]
    mode = EDGES[smooth.argmax(axis=1)] + 0.5 * BIN
    return of_replicates(deviation[0], deviation[1:]), of_replicates(mode[0], mode[1:])
