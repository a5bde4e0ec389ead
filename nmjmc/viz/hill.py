"""A dose-response curve through points with standard errors, and the band that its uncertainty allows."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.optimize import OptimizeWarning, curve_fit


@dataclass(frozen=True)
class Hill:
    """y = bottom + (top - bottom) / (1 + (x50 / x)^slope), fitted in log x50 and log |slope|.

    Attributes:
        bottom: Value without the dose.
        top: Value at a dose without limit.
        half: The dose of half the effect, x50.
        slope: Hill's coefficient.
        covariance: Of (bottom, top, log half, log slope), [4, 4].
    """

    bottom: float
    top: float
    half: float
    slope: float
    covariance: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The curve at doses x."""
        return _curve(x, self.bottom, self.top, np.log(self.half), np.log(self.slope))

    def error(self, x: np.ndarray) -> np.ndarray:
        """Standard error of the curve at doses x, to first order in the parameters."""
        centre = np.array([self.bottom, self.top, np.log(self.half), np.log(self.slope)])
        steps = 1e-5 * np.maximum(np.abs(centre), 1.0)
        columns = [
            (_curve(x, *(centre + step)) - _curve(x, *(centre - step))) / (2 * steps[i])
            for i, step in enumerate(np.diag(steps))
        ]
        jacobian = np.stack(columns, axis=-1)
        return np.sqrt(np.einsum("xi,ij,xj->x", jacobian, self.covariance, jacobian).clip(min=0))


def _curve(x: np.ndarray, bottom: float, top: float, log_half: float, log_slope: float) -> np.ndarray:
    exponent = np.clip(np.exp(log_slope) * (log_half - np.log(x)), -500, 500)
    return bottom + (top - bottom) / (1 + np.exp(exponent))


def fit(x: np.ndarray, y: np.ndarray, error: np.ndarray) -> Hill | None:
    """The least-squares curve, weighted by the standard errors.

    Args:
        x: Doses [n], positive.
        y: Responses [n].
        error: Their standard errors [n]; where one is unknown, all count alike.

    Returns:
        The curve; None for fewer than five doses, or where no curve can be found.
    """
    if x.size < 5 or np.any(x <= 0):
        return None
    weights = error if np.all(np.isfinite(error) & (error > 0)) else None
    order = np.argsort(x)
    middle = float(np.median(np.log(x)))
    start = (y[order[0]], y[order[-1]], middle, 0.0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", OptimizeWarning)
            found, covariance = curve_fit(
                _curve, x, y, p0=start, sigma=weights, absolute_sigma=weights is not None, maxfev=20_000
            )
    except (RuntimeError, OptimizeWarning):
        return None
    bottom, top, log_half, log_slope = map(float, found)
    if not -50 < log_half < 50 or not -20 < log_slope < 20:
        return None
    return Hill(bottom, top, float(np.exp(log_half)), float(np.exp(log_slope)), covariance)
