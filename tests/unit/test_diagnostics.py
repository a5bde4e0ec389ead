"""The clinical definitions, on responses that are known."""

import numpy as np
import pytest

from nmjmc.diagnostics.fibres import fibres_of
from nmjmc.diagnostics.rns import compound, decrement_of, increment_of
from nmjmc.diagnostics.sfemg import Sfemg, limits, mean_consecutive_difference
from nmjmc.diagnostics.tof import TrainOfFour
from nmjmc.errors import ValidationError
from nmjmc.junction.whole import human
from nmjmc.pathology import disease
from tests.statistics import assert_within

pytestmark = pytest.mark.unit


def test_decrement_is_from_the_first_to_the_fourth_or_fifth():
    assert decrement_of(np.array([1.0, 0.9, 0.85, 0.8, 0.82, 0.1])) == pytest.approx(0.2)
    assert decrement_of(np.array([2.0, 1.0, 1.0, 1.5])) == pytest.approx(0.25)
    assert np.isnan(decrement_of(np.zeros(5)))
    with pytest.raises(ValidationError, match="at least 4"):
        decrement_of(np.ones(3))


def test_increment_is_to_the_largest_response():
    assert increment_of(np.array([1.0, 0.8, 2.6, 2.0])) == pytest.approx(1.6)


def test_single_potentials_add_to_the_compound():
    time = np.arange(0, 20, 0.01)
    one = compound(np.array([[8.0]]), time)
    assert one.max() == pytest.approx(1.0, abs=1e-4)
    assert one.min() == pytest.approx(-1.0, abs=1e-4)
    assert time[one[0].argmax()] < 8.0 < time[one[0].argmin()]
    three = compound(np.array([[8.0], [8.0], [np.nan]]), time)
    np.testing.assert_allclose(three, 2 * one, atol=1e-12)


@pytest.mark.stat
def test_jitter_of_independent_latencies_is_known():
    # 2 / sqrt(pi) of the standard deviation
    interval = np.random.default_rng(1).normal(0, 0.02, (400, 100))
    found = mean_consecutive_difference(interval)
    assert_within(found.mean(), 0.02 * 2 / np.sqrt(np.pi), found.std() / 20)


def test_failures_break_the_sequence():
    interval = np.array([0.0, 1, 0, 1, 0, 1, np.nan, 5, 6])
    assert mean_consecutive_difference(interval) == pytest.approx(1.0)
    assert np.isnan(mean_consecutive_difference(np.array([1.0, np.nan, 2.0, np.nan, 1.0])))


def test_the_tenth_rule():
    def of(jitter, blocking):
        return Sfemg(np.asarray(jitter, float), np.asarray(blocking, float), np.zeros((len(jitter), 2)))

    assert not of([30] * 20, [0] * 20).abnormal()
    assert of([40] * 20, [0] * 20).abnormal()
    assert not of([20] * 18 + [60] * 2, [0] * 20).abnormal()
    assert of([20] * 17 + [60] * 3, [0] * 20).abnormal()
    assert of([20] * 20, [0] * 17 + [0.1] * 3).abnormal()
    # a pair that never fires together is not found by an electrode
    assert not of([20] * 17 + [np.nan] * 3, [0] * 17 + [1] * 3).abnormal()
    assert of([np.nan] * 20, [1] * 20).abnormal()


@pytest.mark.parametrize(
    ("muscle", "mean", "pair"),
    [
        ("extensor_digitorum", [34.9, 34.9, 35.1, 35.4, 35.9, 36.6, 37.7, 39.1, 40.9],
         [50.0, 50.1, 50.5, 51.3, 52.5, 54.4, 57.2, 61.1, 66.5]),
        ("frontalis", [33.6, 33.9, 34.4, 35.5, 37.3, 40.0, 43.8], [49.7, 50.1, 51.3, 53.5, 57.5, 63.9, 74.1]),
        ("orbicularis_oculi", [39.8, 39.8, 40.0, 40.4, 40.9, 41.8, 43.0], [54.6, 54.7, 54.7, 54.8, 55.0, 55.3, 55.8]),
    ],
)  # fmt: skip
def test_limits_are_those_of_the_decade(muscle, mean, pair):
    for i, expected in enumerate(zip(mean, pair, strict=True)):
        assert limits(10 * (i + 1), muscle) == limits(10 * (i + 1) + 9.5, muscle) == expected
    for age in (9.9, 10 * (len(mean) + 1), float("nan")):
        with pytest.raises(ValidationError, match=f"10 to {10 * len(mean) + 9} years for {muscle}"):
            limits(age, muscle)
    with pytest.raises(ValidationError, match="did you mean frontalis"):
        limits(40, "frontali")


def test_the_ratio_of_four():
    found = TrainOfFour(np.array([0.5, 0.9]), np.array([[1.0, 0.9, 0.8, 0.6], [0, 0, 0, 0]]))
    assert found.ratio[0] == pytest.approx(0.6)
    assert np.isnan(found.ratio[1])


def test_fibres_are_the_same_before_and_after_a_disease():
    healthy, sick = fibres_of(human(), 50, 3), fibres_of(disease("lambert_eaton")(human()), 50, 3)
    np.testing.assert_array_equal(healthy.quantum, sick.quantum)
    np.testing.assert_array_equal(healthy.delay, sick.delay)
    assert healthy.quantum.std() == pytest.approx(0.1, abs=0.04)
    # myasthenia spreads the same fibres further: variances of the logarithm add
    spread = fibres_of(disease("myasthenia_gravis")(human()), 50, 3)
    np.testing.assert_array_equal(np.argsort(spread.quantum), np.argsort(healthy.quantum))
    factor = np.log(spread.quantum).std() / np.log(healthy.quantum).std()
    assert factor == pytest.approx(np.hypot(0.1, 0.55) / 0.1, rel=1e-5)
    with pytest.raises(ValidationError, match="fibres"):
        fibres_of(human(), 0)
