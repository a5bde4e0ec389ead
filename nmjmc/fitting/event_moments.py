"""Errors of the mean and of the log variance of events that differ in size, from few of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Moments(NamedTuple):
    """Central moments of the size of events, as far as it is lognormal: variance, third, and fourth cumulant."""

    variance: float
    third: float
    fourth: float

    @property
    def log_variance_error(self) -> float:
        """Variance of the log of a sample variance, times the number of events."""
        return self.fourth / self.variance**2 + 2.0


def lognormal_moments(mean: float, variance: float, noise: float) -> Moments:
    """Cumulants of a lognormal size in normal noise.

    Third and fourth moments of a hundred skewed events are little more than chance, and those of a sample go with its
    mean and variance: a likelihood that took them from the events would trust small samples of small events most.

    Args:
        mean: Of the size.
        variance: Of the size, noise included.
        noise: Variance of the noise.
    """
    own = max(variance - noise, 0.0)
    w = 1.0 + own / mean**2
    third = float(np.sign(mean)) * (w + 2.0) * np.sqrt(w - 1.0) * own**1.5
    return Moments(variance, third, (w**4 + 2.0 * w**3 + 3.0 * w**2 - 6.0) * own**2)


def shape_of(
    binned: Float[np.ndarray, "k bin"], weight: Float[np.ndarray, " k"], direction: Float[np.ndarray, " bin"]
) -> Float[np.ndarray, "2 bin"]:
    """Slope and curvature of the bins of weighted events along their size; zero where all have one size."""
    away = binned - weight @ binned
    size = away @ direction
    width = float(np.sqrt(weight @ size**2))
    if not width > 1e-9 * float(np.abs(binned).max()):
        return np.zeros((2, binned.shape[1]))
    scaled = size / width  # so that neither column is lost beside the other
    root = np.sqrt(weight)[:, None]
    basis = np.column_stack([scaled, scaled**2 - 1.0])
    return np.linalg.lstsq(basis * root, away * root, rcond=None)[0] / np.array([[width], [width**2]])


def errors(
    binned: Float[np.ndarray, "event bin"],
    direction: Float[np.ndarray, " bin"],
    noise: float,
    shape: Float[np.ndarray, "2 bin"] | None = None,
) -> tuple[Float[np.ndarray, " z"], Float[np.ndarray, "z z"]]:
    """Bin means and the log variance of the events' size, and the covariance of their errors.

    An event is mean + slope s + curvature (s^2 - variance) + rest, s the deviation of its projection on the
    direction. Slope, curvature and the covariance of the rest are those of the events; the moments of s are lognormal.
    The logarithm of a sample variance is too small by half of its own variance, which is added.

    Args:
        binned: Events.
        direction: On which they are projected.
        noise: Variance of the projected noise.
        shape: Slope and curvature, where a model knows them better than the events (`shape_of`); what the events differ
            from it by is part of the rest.
    """
    events, bins = binned.shape
    mean = binned.mean(axis=0)
    size = (binned - mean) @ direction
    found = lognormal_moments(float(mean @ direction), float(size @ size / (events - 1)), noise)
    basis = np.column_stack([size, size**2 - (size**2).mean()])
    known = shape if shape is not None else np.linalg.lstsq(basis, binned - mean, rcond=None)[0]
    rest = binned - mean - basis @ known
    fourth = found.fourth + 2.0 * found.variance**2
    spread = np.array([[found.variance, found.third], [found.third, fourth]])
    total = np.zeros((bins + 1, bins + 1))
    total[:bins, :bins] = known.T @ spread @ known + rest.T @ rest / (events - 3.0)
    total[bins, :bins] = total[:bins, bins] = known.T @ spread[:, 1] / found.variance
    total[bins, bins] = found.log_variance_error
    low = 0.5 * found.log_variance_error / events
    return np.append(mean, np.log(found.variance) + low), total / events
