"""The helpers themselves: they pass a right model and fail a wrong one."""

import numpy as np
import pytest
from scipy import stats

from tests import statistics as st

pytestmark = pytest.mark.stat


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def test_sigmas_is_the_two_sided_quantile():
    assert st.sigmas(0.3173105) == pytest.approx(1.0, abs=1e-6)
    assert st.sigmas(1e-6) == pytest.approx(4.8916, abs=1e-4)


def test_mean_passes_the_right_value_and_fails_a_wrong_one(rng):
    samples = rng.normal(3.0, 1.0, 10_000)
    st.assert_mean(samples, 3.0)
    with pytest.raises(AssertionError, match="off by"):
        st.assert_mean(samples, 3.1)
    st.assert_mean(samples, 3.1, bias=0.1)


def test_mean_keeps_its_rate_for_few_samples(rng):
    """At a rate of 5 %, 4,000 repeats of 4 samples fail 200 times, within the binomial bounds."""
    failures = 0
    for _ in range(4_000):
        try:
            st.assert_mean(rng.normal(0.0, 1.0, 4), 0.0, false_positive=0.05)
        except AssertionError:
            failures += 1
    st.assert_proportion(failures, 4_000, 0.05)


def test_proportion_and_poisson():
    st.assert_proportion(5_030, 10_000, 0.5)
    st.assert_poisson(1_040, 1_000.0)
    with pytest.raises(AssertionError):
        st.assert_proportion(5_300, 10_000, 0.5)
    with pytest.raises(AssertionError):
        st.assert_poisson(1_200, 1_000.0)


def test_chi_square_merges_thin_cells(rng):
    expected = 10_000 * stats.poisson.pmf(np.arange(30), 5.0)
    expected[-1] += 10_000 - expected.sum()
    observed = np.bincount(np.minimum(rng.poisson(5.0, 10_000), 29), minlength=30)
    st.assert_chi_square(observed, expected)
    wrong = np.bincount(np.minimum(rng.poisson(5.3, 10_000), 29), minlength=30)
    with pytest.raises(AssertionError):
        st.assert_chi_square(wrong, expected)


def test_distributions(rng):
    samples = rng.exponential(1.0, 5_000)
    st.assert_distribution(samples, stats.expon.cdf)
    st.assert_same_distribution(samples, rng.exponential(1.0, 5_000))
    with pytest.raises(AssertionError):
        st.assert_distribution(samples * 1.2, stats.expon.cdf)
    with pytest.raises(AssertionError):
        st.assert_same_distribution(samples, rng.exponential(1.25, 5_000))
