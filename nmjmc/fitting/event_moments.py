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


def errors(
    binned: Float[np.ndarray, "event bin"], direction: Float[np.ndarray, " bin"], noise: float
) -> tuple[Float[np.ndarray, " z"], Float[np.ndarray, "z z"]]:
    """Bin means and the log variance of the events' size, and the covariance of their errors.

    An event is mean + slope s + curvature (s^2 - variance) + rest, s the deviation of its projection on the
    direction. Slope, curvature and the covariance of the rest are those of the events; the moments of s are lognormal.
    The logarithm of a sample variance is too small by half of its own variance, which is added.
    """
    events, bins = binned.shape
    mean = binned.mean(axis=0)
    size = (binned - mean) @ direction
    found = lognormal_moments(float(mean @ direction), float(size @ size / (events - 1)), noise)
    basis = np.column_stack([size, size**2 - (size**2).mean()])
    shape = np.linalg.lstsq(basis, binned - mean, rcond=None)[0]
    rest = binned - mean - basis @ shape
    fourth = found.fourth + 2.0 * found.variance**2
    spread = np.array([[found.variance, found.third], [found.third, fourth]])
    total = np.zeros((bins + 1, bins + 1))
    total[:bins, :bins] = shape.T @ spread @ shape + rest.T @ rest / (events - 3.0)
    total[bins, :bins] = total[:bins, bins] = shape.T @ spread[:, 1] / found.variance
    total[bins, bins] = found.log_variance_error
    low = 0.5 * found.log_variance_error / events
    return np.append(mean, np.log(found.variance) + low), total / events
