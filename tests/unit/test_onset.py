"""Direction, onset, baseline and height of an average, from its shape: right, or refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from nmjmc.analysis.onset import course
from nmjmc.analysis.waveform import measure
from nmjmc.errors import ValidationError

pytestmark = pytest.mark.unit


def response(time, rise, decay, power=1):
    """A rise from zero at time 0 and an exponential fall, with peak 1."""
    after = np.maximum(time, 0.0)
    shape = (1.0 - np.exp(-after / rise)) ** power * np.exp(-after / decay)
    return shape / shape.max()


AVERAGES = {
    "step": some.sampled_from([0.001, 0.01, 0.02, 0.05, 0.1]), "duration": some.sampled_from([6.0, 10.0, 25.0]),
    "lead": some.sampled_from([0.0, 0.0, 0.5, 2.0, 10.0]), "rise": some.floats(0.06, 0.5),
    "decay": some.floats(0.8, 6.0), "power": some.integers(1, 3), "size": some.sampled_from([1e-3, 0.05, 4.0, 60.0]),
    "way": some.sampled_from([-1, 1]), "hold": some.sampled_from([0.0, -0.4, 0.8, 3.0]),
    "noise": some.sampled_from([0.0, 0.01, 0.03]), "seed": some.integers(0, 99),
}  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True)
@given(**AVERAGES)
def test_an_average_is_told_right_or_refused(
    step, duration, lead, rise, decay, power, size, way, hold, noise, seed
):
    time = np.arange(-round(lead / step), round(duration / step)) * step
    clean = response(time, rise, decay, power)
    chance = noise * np.random.default_rng(seed).normal(size=time.size)
    level = hold * size if lead else 0.0  # without a baseline nothing tells a holding current
    found = course(way * size * (clean + chance) + level)
    if found.doubt:
        return
    top = time[clean.argmax()]
    assert found.polarity == way
    assert -max(3 * step, 0.15 * rise) <= time[found.onset] <= max(2 * step, 0.4 * top)
    assert found.height == pytest.approx(size, rel=max(0.03, 5 * noise))
    if lead >= 2.0:
        assert found.quiet > 1
    if found.quiet:
        assert abs(found.baseline - level) < size * max(0.02, 5 * noise / np.sqrt(found.quiet))


def test_few_averages_are_refused():
    """One in fifty at most of clear averages may be refused, else the rule above would hold of nothing."""
    rng, refused, count = np.random.default_rng(3), 0, 300
    for _ in range(count):
        lead, step = rng.choice([0.0, 2.0]), rng.choice([0.01, 0.05])
        time = np.arange(-round(lead / step), round(12.0 / step)) * step
        clean = response(time, rng.uniform(0.1, 0.4), rng.uniform(1.0, 4.0), 2)
        found = course(rng.choice([-3.0, 3.0]) * (clean + 0.01 * rng.normal(size=time.size)))
        refused += bool(found.doubt)
    assert refused <= count // 50


@pytest.mark.parametrize(
    ("trace", "why"),
    [
        (np.zeros(50), "flat"),
        (np.exp(-np.arange(100) / 30.0), "only falls or only rises"),
        (np.random.default_rng(1).normal(size=200), "goes up by"),
        (response(np.arange(200) * 0.05 + 0.2, 0.3, 2.0), "no baseline comes before the rise"),
    ],
)
def test_what_cannot_be_told_is_doubted(trace, why):
    assert why in course(trace).doubt


def test_a_known_direction_is_kept():
    trace = np.sin(np.arange(200) / 10.0)
    assert course(trace, -1).polarity == -1 and course(trace, 1).polarity == 1
    with pytest.raises(ValidationError, match="finite samples"):
        course(np.array([0.0, np.nan, 1.0]))


TIME = np.arange(0.0, 30.0, 0.02)


def test_a_holding_current_is_taken_off_and_said():
    held = -0.5 - 2.09 * response(TIME - 5.0, 0.2, 2.0)
    found = measure(TIME, held)
    assert found.amplitude == pytest.approx(2.09, rel=1e-3) and found.baseline == pytest.approx(-0.5)
    assert "samples before 4.9" in found.said or "samples before 5" in found.said
    assert measure(TIME, held, onset=5.0).amplitude == pytest.approx(2.09, rel=1e-9)
    assert measure(TIME, held, onset=5.0).time_to_peak == pytest.approx(TIME[held.argmin()] - 5.0)
    for given_one in (-0.5, (0.0, 4.0), [0.0, 4.0]):
        same = measure(TIME, held, baseline=given_one)
        assert same.amplitude == pytest.approx(2.09, rel=1e-9) and "as given" in same.said
    raw = measure(TIME, held, baseline=0.0)
    assert raw.amplitude == pytest.approx(2.59, rel=1e-9) and raw.baseline == 0.0


def test_each_trace_has_its_own_holding_current():
    levels = np.array([-0.5, -0.1, 2.0])
    traces = levels[:, None] - 2.0 * response(TIME - 5.0, 0.2, 2.0)
    found = measure(TIME, traces)
    np.testing.assert_allclose(found.amplitude, 2.0, rtol=1e-3)
    np.testing.assert_allclose(found.baseline, levels, atol=1e-9)
    np.testing.assert_allclose(measure(TIME, traces, baseline=levels).amplitude, 2.0, rtol=1e-9)


def test_nothing_is_taken_off_a_trace_that_begins_with_its_rise():
    found = measure(TIME, -2.0 * response(TIME, 0.2, 2.0))
    assert found.amplitude == pytest.approx(2.0, rel=1e-9) and found.baseline == 0.0
    assert found.said == "none, as nothing comes before the rise"


@pytest.mark.parametrize("baseline", [np.nan, (40.0, 50.0), (1.0, 2.0, 3.0), np.zeros(7)])
def test_impossible_baselines_are_refused(baseline):
    with pytest.raises(ValidationError, match=r"^baseline must be"):
        measure(TIME, response(TIME - 5.0, 0.2, 2.0), baseline=baseline)


def _held(time, amplitude, level, begin=3.0):
    after = np.clip(time - begin, 0.0, None)
    shape = np.exp(-after / 1.5) - np.exp(-after / 0.5)
    return level - amplitude * np.where(time > begin, shape, 0.0) / shape.max()


def test_a_short_sweep_among_longer_ones_is_measured_to_its_end():
    time = np.arange(0.0, 20.0, 0.01)
    sweeps = np.stack([_held(time, 2.09, -0.5)] * 3)
    sweeps[1, time > 12.0] = np.nan
    sweeps[2] = np.nan
    measured = measure(time, sweeps)
    np.testing.assert_allclose(measured.amplitude, [2.09, 2.09, np.nan], rtol=1e-4)
    np.testing.assert_allclose(measured.baseline[:2], -0.5)
    assert measured.charge[1] == pytest.approx(measured.charge[0], rel=0.01)
    sweeps[1, 500] = np.nan  # a sample that is lost is no end
    assert np.isnan(measure(time, sweeps).amplitude[1])


def test_a_holding_current_without_a_response_is_no_event():
    time = np.arange(0.0, 20.0, 0.01)
    noise = 0.02 * np.random.default_rng(5).standard_normal(time.size)
    measured = measure(time, noise - 0.5)
    assert measured.amplitude < 0.1 and "no response stands out" in measured.said
    assert np.isnan(measure(time, np.full(time.size, -0.5)).amplitude)
