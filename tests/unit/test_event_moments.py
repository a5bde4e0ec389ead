"""Errors of bin means and log variance of skewed events, against their scatter over many data sets."""

import numpy as np
import pytest
from scipy import stats

from nmjmc.fitting.event_moments import errors, lognormal_moments
from tests.statistics import assert_proportion, assert_within

CV, EVENTS, SETS = 0.4, 100, 3000
SHAPE, CURVE = np.array([-1.0, -2.0, -0.7]), np.array([0.0, 0.3, 0.2])
DIRECTION = SHAPE / np.linalg.norm(SHAPE)
BEND = CURVE - (CURVE @ DIRECTION) * DIRECTION
LOG_VARIANCE = np.log(CV**2 * SHAPE @ SHAPE + 0.01)


def events(rng: np.random.Generator, number: int) -> np.ndarray:
    """Events of three bins whose lognormal size bends their shape, in noise; the bend leaves the size as it is."""
    width = np.sqrt(np.log1p(CV**2))
    size = np.exp(width * rng.normal(size=(number, 1)) - 0.5 * width**2)
    return size * SHAPE + (size - 1.0) ** 2 * BEND + 0.1 * rng.normal(size=(number, 3))


def test_cumulants_are_those_of_a_lognormal():
    found = lognormal_moments(-2.0, 0.64 + 0.1, 0.1)
    width = np.sqrt(np.log1p(0.16))
    skew, kurtosis = (float(x) for x in stats.lognorm(width).stats("sk"))
    assert found.third == pytest.approx(-skew * 0.8**3) and found.fourth == pytest.approx(kurtosis * 0.8**4)


def test_errors_are_the_scatter_of_many_data_sets():
    """Means and covariance over 3,000 sets, each number at 1e-6, and 5 % for what is of second order in 1/events."""
    rng = np.random.default_rng(3)
    found = [errors(events(rng, EVENTS), DIRECTION, 0.01) for _ in range(SETS)]
    z, told = np.stack([data for data, _ in found]), np.mean([covariance for _, covariance in found], axis=0)
    scatter = np.cov(z, rowvar=False)
    size = np.sqrt(np.diag(scatter))
    for value, expected, error in zip(
        z.mean(axis=0), [*(SHAPE + CV**2 * BEND), LOG_VARIANCE], size, strict=True
    ):
        # of second order in 1/events: the logarithm's next term
        assert_within(value, expected, error / np.sqrt(SETS), bias=0.02 * error)
    correlation = scatter / np.outer(size, size)
    for k in np.ndindex(correlation.shape):
        # the standard error of a covariance of nearly normal numbers
        error = np.sqrt((1.0 + correlation[k] ** 2) / SETS)
        assert_within(float((told / np.outer(size, size))[k]), float(correlation[k]), error, bias=0.05)


def test_intervals_of_the_log_variance_hold_nine_times_in_ten():
    rng = np.random.default_rng(4)
    found = [errors(events(rng, EVENTS), DIRECTION, 0.01) for _ in range(2000)]
    away = np.array([(data[-1] - LOG_VARIANCE) / np.sqrt(covariance[-1, -1]) for data, covariance in found])
    inside = np.abs(away) < stats.norm.isf(0.05)
    assert_proportion(int(inside.sum()), inside.size, 0.9)
