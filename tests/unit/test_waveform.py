"""Features of traces whose features are known in closed form."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from nmjmc.analysis.waveform import UNITS, Waveform, measure
from nmjmc.errors import ValidationError

pytestmark = pytest.mark.unit

TIME = np.arange(0.0, 20.0, 0.01)


def ramp_then_exponential(rise=0.5, decay=2.0, amplitude=4.0, start=1.0):
    """Zero, a straight rise, then an exponential fall: every feature is exact."""
    up = np.clip((TIME - start) / rise, 0.0, 1.0)
    down = np.exp(-np.clip(TIME - start - rise, 0.0, None) / decay)
    return amplitude * up * down


def test_features_are_exact_for_a_ramp_and_an_exponential():
    shape = measure(TIME, ramp_then_exponential(), onset=1.0)
    assert shape.amplitude == pytest.approx(4.0, rel=1e-12)
    assert shape.time_to_peak == pytest.approx(0.5, abs=1e-9)
    assert shape.rise_20_80 == pytest.approx(0.6 * 0.5, rel=1e-9)
    assert shape.rise_10_90 == pytest.approx(0.8 * 0.5, rel=1e-9)
    assert shape.decay_time == pytest.approx(2.0, rel=1e-9)
    assert shape.charge == pytest.approx(4.0 * (0.25 + 2.0), rel=1e-3)


def test_a_trace_that_does_not_fall_to_a_fifth_is_fitted_to_its_end():
    shape = measure(TIME[:300], ramp_then_exponential(decay=3.0)[:300])
    assert shape.decay_time == pytest.approx(3.0, rel=1e-9)


def test_inward_currents_are_measured_upside_down():
    up, down = measure(TIME, ramp_then_exponential()), measure(TIME, -ramp_then_exponential())
    assert {k: float(v) for k, v in up.as_dict().items()} == {k: float(v) for k, v in down.as_dict().items()}
    assert np.isnan(measure(TIME, ramp_then_exponential(), polarity=-1).amplitude)


def test_many_traces_keep_their_leading_axes():
    traces = np.stack([[ramp_then_exponential(decay=d) for d in (1.0, 2.0, 3.0)]] * 2)
    shape = measure(TIME, traces)
    assert all(value.shape == (2, 3) for value in shape.as_dict().values())
    np.testing.assert_allclose(shape.decay_time, [[1.0, 2.0, 3.0]] * 2, rtol=1e-9)
    assert set(shape.as_dict()) == set(UNITS)


def test_a_flat_trace_has_no_features_but_no_charge_either():
    shape = measure(TIME, np.zeros_like(TIME))
    assert np.isnan(shape.amplitude) and np.isnan(shape.decay_time) and np.isnan(shape.time_to_peak)
    assert shape.charge == 0.0


def test_noise_in_the_baseline_does_not_start_the_rise():
    trace = ramp_then_exponential()
    trace[20] = 1.0  # a quarter of the peak, long before the response
    assert measure(TIME, trace).rise_20_80 == pytest.approx(0.3, rel=1e-9)


@given(scale=some.floats(1e-6, 1e6), decay=some.floats(0.5, 5.0))
def test_times_do_not_depend_on_the_scale(scale, decay):
    trace = ramp_then_exponential(decay=decay)
    one, many = measure(TIME, trace), measure(TIME, scale * trace)
    assert many.amplitude == pytest.approx(scale * one.amplitude, rel=1e-12)
    assert many.rise_20_80 == pytest.approx(float(one.rise_20_80), rel=1e-9)
    assert many.decay_time == pytest.approx(decay, rel=1e-6)


@pytest.mark.parametrize(
    ("time", "trace", "names"),
    [
        (np.array([0.0, 1.0]), np.zeros(2), "time"),
        (np.array([0.0, 2.0, 1.0]), np.zeros(3), "time"),
        (np.zeros((2, 3)), np.zeros((2, 3)), "time"),
        (np.arange(4.0), np.zeros(5), "trace"),
    ],
)
def test_impossible_input_is_refused(time, trace, names):
    with pytest.raises(ValidationError, match=f"^{names} must be"):
        measure(time, trace)


def test_the_result_is_frozen():
    shape = measure(TIME, ramp_then_exponential())
    assert isinstance(shape, Waveform)
    with pytest.raises(AttributeError):
        shape.amplitude = 1.0
