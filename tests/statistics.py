"""Assertions about chance, each with a stated false-positive rate.

Every helper fails a correct program with probability `false_positive` (default 1e-6) at most, if the seed
were drawn anew; the seeds in the tests are fixed, so a test that passes today passes tomorrow. No tolerance
is chosen by eye: it follows from the standard error and the rate. A known bias (a discretisation, a reference
with its own error) is given apart as `bias` and is added to the bound.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats

FALSE_POSITIVE = 1e-6


def sigmas(false_positive: float = FALSE_POSITIVE) -> float:
    """Half-width, in standard errors, of the two-sided normal interval with that false-positive rate."""
    return float(stats.norm.isf(false_positive / 2))


def assert_within(
    value: float,
    expected: float,
    standard_error: float,
    *,
    bias: float = 0.0,
    false_positive: float = FALSE_POSITIVE,
) -> None:
    """A number with a known standard error agrees with what was expected (k sigma)."""
    bound = sigmas(false_positive) * standard_error + bias
    error = abs(value - expected)
    message = (
        f"{value:.6g} against {expected:.6g}: off by {error:.3g}, allowed {bound:.3g} "
        f"(standard error {standard_error:.3g}, bias {bias:.3g}, false-positive rate {false_positive:g})"
    )
    assert np.isfinite(value) and error <= bound, message


def assert_mean(
    samples: np.ndarray, expected: float, *, bias: float = 0.0, false_positive: float = FALSE_POSITIVE
) -> None:
    """The mean of independent samples [n] agrees with what was expected (Student's t)."""
    samples = np.asarray(samples, dtype=np.float64)
    error = samples.std(ddof=1) / np.sqrt(samples.size)
    # Student's quantile in place of the normal one, because the standard error is itself an estimate.
    widened = error * stats.t.isf(false_positive / 2, samples.size - 1) / sigmas(false_positive)
    assert_within(float(samples.mean()), expected, float(widened), bias=bias, false_positive=false_positive)


def assert_proportion(
    successes: int, trials: int, probability: float, *, false_positive: float = FALSE_POSITIVE
) -> None:
    """A count agrees with the binomial distribution (exact two-sided test)."""
    p_value = stats.binomtest(int(successes), int(trials), probability).pvalue
    message = f"{successes} of {trials} at p = {probability:.6g}: p-value {p_value:.3g} < {false_positive:g}"
    assert p_value >= false_positive, message


def assert_poisson(count: int, expected: float, *, false_positive: float = FALSE_POSITIVE) -> None:
    """A count agrees with the Poisson distribution (two-sided, each tail at half the rate)."""
    tail = min(stats.poisson.cdf(count, expected), stats.poisson.sf(count - 1, expected))
    message = f"{count} against a Poisson mean of {expected:.6g}: tail {tail:.3g} < {false_positive / 2:g}"
    assert tail >= false_positive / 2, message


def assert_chi_square(
    observed: np.ndarray,
    expected: np.ndarray,
    *,
    fitted: int = 0,
    false_positive: float = FALSE_POSITIVE,
) -> None:
    """Counts in cells agree with expected counts of the same total (Pearson's chi-square).

    Neighbouring cells are merged until each expects at least 10, where the asymptotic distribution holds.
    """
    observed, expected = _merge_small_cells(np.ravel(observed), np.ravel(expected))
    assert np.isclose(observed.sum(), expected.sum(), rtol=1e-9), "the two tables have different totals"
    statistic = float(((observed - expected) ** 2 / expected).sum())
    freedom = observed.size - 1 - fitted
    p_value = stats.chi2.sf(statistic, freedom)
    message = f"chi-square {statistic:.2f} with {freedom} degrees of freedom: p-value {p_value:.3g}"
    assert p_value >= false_positive, message


def _merge_small_cells(
    observed: np.ndarray, expected: np.ndarray, least: float = 10.0
) -> tuple[np.ndarray, np.ndarray]:
    """Sum runs of neighbouring cells so that each expects at least `least`."""
    starts, running = [0], 0.0
    for index, count in enumerate(expected[:-1]):
        running += count
        if running >= least and expected[index + 1 :].sum() >= least:
            starts.append(index + 1)
            running = 0.0
    return np.add.reduceat(observed, starts).astype(float), np.add.reduceat(expected, starts).astype(float)


def assert_distribution(
    samples: np.ndarray,
    cdf: Callable[[np.ndarray], np.ndarray],
    *,
    false_positive: float = FALSE_POSITIVE,
) -> None:
    """Independent samples [n] follow a continuous distribution (Kolmogorov-Smirnov)."""
    result = stats.kstest(np.ravel(samples), cdf)
    message = f"KS distance {result.statistic:.4g} of {np.size(samples)} samples: p-value {result.pvalue:.3g}"
    assert result.pvalue >= false_positive, message


def assert_same_distribution(
    first: np.ndarray, second: np.ndarray, *, false_positive: float = FALSE_POSITIVE
) -> None:
    """Two sets of independent samples come from one distribution (two-sample Kolmogorov-Smirnov)."""
    result = stats.ks_2samp(np.ravel(first), np.ravel(second))
    message = f"two-sample KS distance {result.statistic:.4g}: p-value {result.pvalue:.3g}"
    assert result.pvalue >= false_positive, message
