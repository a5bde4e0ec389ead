"""Quantal size and number of vesicles from variance and covariance along a train.

N vesicles are released at most once each, with probability P_i at stimulus i of the train: the numbers released are
multinomial, so that amplitudes S_i with quantal size q and CV c have

    var S_i = q (1 + c^2) <S_i> - <S_i>^2 / N,    cov(S_i, S_j) = -<S_i> <S_j> / N.

Hence q = [var S_i / <S_i> - cov(S_i, S_j) / <S_j>] / (1 + c^2), whatever P does along the train, and
N = -<S_i> <S_j> / cov. Vesicles that are replaced between stimuli bring the covariance towards zero: N is then too
large, while q is still right to the extent that neighbouring stimuli are taken. A drift of all amplitudes from trial to
trial brings covariance upwards; differences of successive trials are free of it.

References:
    Scheuss & Neher 2001, Biophys J 81:1970.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from nmjmc.analysis.bench.measured import (
    RESAMPLES,
    Measured,
    checked_trials,
    of_replicates,
    resamples,
)
from nmjmc.numbers import in_units

HOW = "covariance along the train, bootstrap"


@dataclass(frozen=True, eq=False)
class Covariance:
    """What variance and covariance along a train say.

    Attributes:
        quantum: q, in the unit of the amplitudes.
        vesicles: N; infinite where neighbouring amplitudes are not negatively correlated.
        means: [k].
        variances: That of the noise taken off [k].
        covariances: Of neighbouring stimuli [k - 1].
    """

    quantum: Measured
    vesicles: Measured
    means: Float[np.ndarray, " k"]
    variances: Float[np.ndarray, " k"]
    covariances: Float[np.ndarray, " k-1"]


@in_units(trains="[?]", noise_sd="")
def covariance(
    trains: np.ndarray,
    *,
    noise_sd: float = 0.0,
    quantal_cv: float = 0.0,
    differences: bool = False,
    number: int = RESAMPLES,
    seed: int = 0,
) -> Covariance:
    """Quantal size and vesicles from the amplitudes of repeated trains.

    Args:
        trains: Amplitudes, positive, failures as zero [trial, stimulus].
        noise_sd: SD of the recording's noise.
        quantal_cv: c, CV of the quantal amplitude.
        differences: Whether second moments are taken from successive trials, against a slow drift.
        number: Bootstrap samples over trials.
        seed: Of the resampling.

    Raises:
        ValidationError: If there are fewer than eight trials or two stimuli.
    """
    values = checked_trials(trains, "trains", 8, 2)
    rows = _deviations(values, differences)
    weights = resamples(len(rows), number, seed)
    means, variances, covariances = _moments(values, rows, np.ones((1, len(rows))), noise_sd, differences)
    found = _estimates(means, variances, covariances, quantal_cv)
    again = _estimates(*_moments(values, rows, weights, noise_sd, differences), quantal_cv)
    return Covariance(
        of_replicates("quantal size", "", found[0][0], again[0], HOW),
        of_replicates("vesicles that can be released", "", found[1][0], again[1], HOW),
        means[0], variances[0], covariances[0],
    )  # fmt: skip


def _deviations(values: np.ndarray, differences: bool) -> np.ndarray:
    return np.diff(values, axis=0) / np.sqrt(2.0) if differences else values - values.mean(axis=0)


def _moments(
    values: np.ndarray, rows: np.ndarray, weights: np.ndarray, noise_sd: float, differences: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means, variances less the noise, and neighbours' covariances of each resample [b, k]."""
    count = weights.sum(axis=1, keepdims=True)
    freedom = count if differences else count - 1.0
    shift = np.zeros((len(weights), rows.shape[1])) if differences else weights @ rows / count
    centre = 0.5 * (values[1:] + values[:-1]) if differences else values
    products = weights @ (rows[:, :-1] * rows[:, 1:])
    squares = weights @ rows**2
    if not differences:
        squares, products = squares - count * shift**2, products - count * shift[:, :-1] * shift[:, 1:]
    return weights @ centre / count, squares / freedom - noise_sd**2, products / freedom


def _estimates(
    means: np.ndarray, variances: np.ndarray, covariances: np.ndarray, quantal_cv: float
) -> tuple[np.ndarray, np.ndarray]:
    """Q and N of each resample [b], all stimuli pooled."""
    first, second = means[:, :-1], means[:, 1:]
    pooled = (variances[:, :-1] - covariances * first / second).sum(axis=1) / first.sum(axis=1)
    few = -covariances.sum(axis=1) / (first * second).sum(axis=1)
    with np.errstate(divide="ignore"):
        return pooled / (1.0 + quantal_cv**2), np.where(few > 0, 1.0 / np.maximum(few, 1e-300), np.inf)
