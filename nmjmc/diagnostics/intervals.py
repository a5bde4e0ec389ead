"""Intervals of 95 %: Wilson's for counts, the bootstrap over fibres or pairs for everything else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from nmjmc.diagnostics.finding import Row

NORMAL = 1.959964
"""Quantile of the normal law for 95 %."""
RESAMPLES = 1000


def wilson(count: float, total: int) -> tuple[float, float, float]:
    """A share and Wilson's interval of it (Wilson 1927, J Am Stat Assoc 22:209).

    Args:
        count: How many of them.
        total: Of how many.
    """
    if total < 1:
        return float("nan"), float("nan"), float("nan")
    share, z2 = count / total, NORMAL**2 / total
    centre = (share + 0.5 * z2) / (1.0 + z2)
    half = NORMAL * np.sqrt(share * (1.0 - share) / total + 0.25 * z2 / total) / (1.0 + z2)
    # at 0 and 1 the ends are exactly these
    low = 0.0 if count == 0 else centre - half
    high = 1.0 if count == total else centre + half
    return float(share), float(low), float(high)


def resamples(count: int, seed: int = 0, number: int = RESAMPLES) -> Float[np.ndarray, "b v"]:
    """How often each of `count` members is drawn in each resample, over `count`: rows add up to 1."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(count, np.full(count, 1.0 / count), size=number) / count


def of_share(name: str, flags: Any, what: str) -> Row:
    """A row for the share of members that have a property [%], by Wilson."""
    flags = np.asarray(flags, bool)
    share, low, high = wilson(int(flags.sum()), flags.size)
    return Row(name, "%", 100 * share, 100 * low, 100 * high, f"Wilson, {what}")


def of_shares(name: str, shares: Any, what: str) -> Row:
    """A row for the mean of each member's own share [%], by Wilson with the members as the number of trials.

    A member's own trials are taken as one, as if they were all alike: the interval is rather too wide.
    """
    shares = np.asarray(shares, float)
    value, low, high = wilson(float(shares.sum()), shares.size)
    return Row(name, "%", 100 * value, 100 * low, 100 * high, f"Wilson, {what}")


def of_replicates(name: str, unit: str, value: float, replicates: Any, what: str) -> Row:
    """A row with the percentile interval of bootstrap replicates; NaN ends where too few have a value."""
    numbers = np.asarray(replicates, np.float64)
    numbers = numbers[np.isfinite(numbers)]
    known = np.isfinite(value) and numbers.size >= RESAMPLES // 2
    low, high = np.percentile(numbers, [2.5, 97.5]) if known else (np.nan, np.nan)
    return Row(name, unit, float(value), float(low), float(high), f"bootstrap, {what}")


def of_mean(name: str, unit: str, samples: Any, what: str, seed: int = 0) -> Row:
    """A row for the mean of what each member gives, those without a value left out; `how` says of how many it is."""
    samples = np.asarray(samples, np.float64)
    known = samples[np.isfinite(samples)]
    what = what if known.size == samples.size else f"{known.size} of {what}"
    return of_statistic(name, unit, known, _mean, what, seed)


def of_statistic(
    name: str, unit: str, samples: np.ndarray, statistic: Callable[..., Any], what: str, seed: int = 0
) -> Row:
    """A row for a statistic of members.

    Args:
        name, unit: Of the row.
        samples: One member a row [v ...].
        statistic: Of the samples and of weights [b v] that add up to 1; gives [b].
        what: What the members are, with their number.
        seed: Seed of the resampling.
    """
    count = len(samples)
    if count == 0:
        return Row(name, unit, np.nan, np.nan, np.nan, f"bootstrap, {what}")
    value = statistic(samples, np.full((1, count), 1.0 / count))[0]
    return of_replicates(name, unit, float(value), statistic(samples, resamples(count, seed)), what)


def _mean(samples: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return weights @ samples
