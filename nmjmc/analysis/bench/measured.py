"""A number with its error, and the resampling of trials that most of these errors come from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

from nmjmc.errors import ValidationError

LEVEL = 0.95
"""Of all intervals; the custom of the field."""
RESAMPLES = 400
"""Bootstrap samples; a choice: the ends of an interval are then known to some 7 % of its half width."""


@dataclass(frozen=True)
class Measured:
    """A number with its 95 % interval.

    Attributes:
        name: What it is.
        unit: Its unit; empty for a pure number.
        value: The estimate; NaN where there is none, infinite where the data set no upper limit.
        low, high: Ends of the interval; NaN where there is none.
        how: How the number and its interval were made.
        standard_error: NaN where only an interval is known.
    """

    name: str
    unit: str
    value: float
    low: float
    high: float
    how: str
    standard_error: float = float("nan")


def of_normal(name: str, unit: str, value: float, standard_error: float, how: str) -> Measured:
    """A number whose error is normal."""
    half = float(stats.norm.isf(0.5 - LEVEL / 2)) * standard_error
    return Measured(
        name, unit, float(value), float(value - half), float(value + half), how, float(standard_error)
    )


def of_log(name: str, unit: str, value: float, standard_error: float, how: str) -> Measured:
    """A positive number whose logarithm has a normal error; its interval is not symmetric."""
    if not value > 0:
        return Measured(name, unit, float(value), float("nan"), float("nan"), how, float(standard_error))
    half = float(stats.norm.isf(0.5 - LEVEL / 2)) * standard_error / value
    ends = value * np.exp([-half, half])
    return Measured(name, unit, float(value), float(ends[0]), float(ends[1]), how, float(standard_error))


def of_replicates(
    name: str, unit: str, value: float, replicates: Float[np.ndarray, " b"], how: str = "bootstrap"
) -> Measured:
    """A number with the percentiles of its bootstrap replicates [b]; those that are no number are left out."""
    known = replicates[~np.isnan(replicates)]
    if known.size < 20:
        return Measured(name, unit, float(value), float("nan"), float("nan"), how)
    tail = 0.5 * (1.0 - LEVEL)
    low, high = np.quantile(known, [tail, 1.0 - tail], method="inverted_cdf")  # also where some are infinite
    finite = known[np.isfinite(known)]
    error = float(finite.std(ddof=1)) if finite.size == known.size else float("nan")
    return Measured(name, unit, float(value), float(low), float(high), how, error)


def resamples(trials: int, number: int = RESAMPLES, seed: int = 0) -> Float[np.ndarray, "b n"]:
    """Bootstrap weights of trials [b, trial], whole numbers, each row adding up to the number of trials."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(trials, np.full(trials, 1.0 / trials), size=number).astype(np.float64)


def weighted_moments(
    values: Float[np.ndarray, " n"], weights: Float[np.ndarray, "b n"]
) -> tuple[Float[np.ndarray, " b"], Float[np.ndarray, " b"]]:
    """Mean and variance (n - 1) of each resample [b]."""
    count = weights.sum(axis=1)
    centre = values.mean()
    mean = weights @ (values - centre) / count
    square = weights @ (values - centre) ** 2 / count
    return mean + centre, (square - mean**2) * count / (count - 1.0)


def checked_trials(
    trials: np.ndarray, field: str, least: int = 3, columns: int = 1
) -> Float[np.ndarray, "n k"]:
    """Amplitudes [trial, stimulus] as they must be.

    Raises:
        ValidationError: If there are too few trials or stimuli, or one is not finite.
    """
    numbers = np.asarray(trials, np.float64)
    numbers = numbers[:, None] if numbers.ndim == 1 else numbers
    if numbers.ndim != 2 or numbers.shape[0] < least or numbers.shape[1] < columns:
        allowed = f"{least} or more trials (rows) of {columns} or more stimuli (columns)"
        raise ValidationError(field, f"of shape {np.shape(trials)}", allowed)
    if not np.isfinite(numbers).all():
        raise ValidationError(field, "with missing or infinite numbers", "finite", "leave such trials out")
    return numbers
