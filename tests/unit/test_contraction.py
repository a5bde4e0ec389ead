"""Calcium release, its balance, and force."""

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import comb

from nmjmc.errors import ValidationError
from nmjmc.junction import calcium
from nmjmc.junction.contraction import Contraction, mouse
from nmjmc.junction.rosenbrock import Rosenbrock
from nmjmc.junction.twitch import contract_train, fusion, tubular_trace, twitch_of

pytestmark = pytest.mark.unit


def test_rosenbrock_is_of_second_order_and_stable():
    def at_end(slope, start, end, step):
        found = diffrax.diffeqsolve(
            diffrax.ODETerm(slope), Rosenbrock(), 0.0, end, step, jnp.asarray(start), max_steps=1000
        )
        return float(found.ys[0])

    with jax.enable_x64(True):
        # y' = -y^2 from 1 is 1 / (1 + t)
        errors = [at_end(lambda t, y, a: -(y**2), 1.0, 2.0, h) - 1 / 3 for h in (0.1, 0.05)]
        # a step a thousand times too long for an explicit method
        stiff = at_end(lambda t, y, a: -1e4 * (y - 2.0), 1.0, 2.0, 0.2)
    assert 3.0 < errors[0] / errors[1] < 5.0
    assert stiff == pytest.approx(2.0, abs=1e-3)


def test_release_channels_come_to_their_allosteric_equilibrium():
    # closed with i moved: C(4, i) x^i; open: K C(4, i) (x / f^2)^i
    p = Contraction()
    for voltage in (-85.0, -30.0, 0.0):
        x = np.exp((voltage + 20.0) / (4.0 * 4.5))
        ways = comb(4, np.arange(5))
        closed = ways * x ** np.arange(5)
        opened = 2e-6 * ways * (x / 0.04) ** np.arange(5)
        total = closed.sum() + opened.sum()
        with jax.enable_x64(True):
            state = calcium._guess(p, jnp.asarray(voltage))
            np.testing.assert_allclose(state.closed, closed / total, rtol=1e-12)
            np.testing.assert_allclose(state.opened, opened / total, rtol=1e-12)
            rates = calcium._release_channels(p, state, jnp.asarray(voltage))
        for rate in rates:
            np.testing.assert_allclose(rate, 0.0, atol=1e-12)


def content(p, state):
    """Calcium in moles times volume [uM um^3]; also magnesium and ATP."""
    near, far, near_store, far_store = p.volumes
    myo, store = np.array([near, far]), np.array([near_store, far_store])
    on_troponin = state.troponin @ [1, 2] + state.shifted @ [0, 1, 2] + 2 * state.bridge.sum()
    ca = (state.calcium + state.parvalbumin + state.atp_calcium) @ myo + on_troponin * far
    ca += (state.reticulum + state.calsequestrin) @ store
    mg = (state.magnesium + state.parvalbumin_magnesium + state.atp_magnesium) @ myo
    return np.array([ca, mg, (state.atp + state.atp_calcium + state.atp_magnesium) @ myo])


def test_nothing_is_lost():
    p = mouse()  # with parvalbumin
    with jax.enable_x64(True):
        state = jax.tree.map(lambda x: x * 1.5 + 0.01, calcium._guess(p, -85.0))
        change = jax.tree.map(np.asarray, calcium.derivative(p, state, jnp.asarray(0.0)))
    turnover = content(p, jax.tree.map(np.abs, change))
    assert np.all(np.abs(content(p, change)) < 1e-12 * turnover)
    assert abs(float(change.closed.sum() + change.opened.sum())) < 1e-9


@pytest.fixture(scope="module")
def contractions():
    """One, and trains at 10, 50 and 100 Hz, of a 2-ms depolarisation of a fast fibre of the mouse; 300 ms."""
    record = np.arange(0, 5.0, 0.1)
    pulse = -85.0 + 105.0 * np.exp(-(((record - 2.0) / 1.0) ** 2))
    traces = []
    for interval in (1000.0, 100.0, 20.0, 10.0):
        times = np.arange(10.0, 290.0, interval)
        tubule = np.repeat(pulse[None], times.size, axis=0)
        traces.append(tubular_trace(times, record, tubule, -85.0, 300.0))
    return contract_train(mouse(), np.stack(traces), -85.0)


def test_force_rests_before_the_first_stimulus(contractions):
    before = contractions.force[:, contractions.time < 10]
    np.testing.assert_allclose(before, np.broadcast_to(before[:, :1], before.shape), rtol=1e-3)


def test_force_grows_and_fuses_with_frequency(contractions):
    peak = contractions.force.max(axis=1)
    assert (np.diff(peak[1:]) > 0).all()
    assert peak[3] > 3 * peak[0]
    ripple = [
        fusion(contractions.time[:2800], contractions.force[i, :2800], t) for i, t in ((2, 20), (3, 10))
    ]
    assert ripple[0] < ripple[1]
    assert ripple[1] > 0.9


def test_the_greatest_force_is_that_in_much_calcium():
    # troponin by itself, with its calcium held at 1 M, from none bound to where it rests
    p = mouse()
    much = calcium._guess(p, -85.0)._replace(calcium=jnp.full(2, 1e6))

    def slope(t, y, a):
        troponin, shifted, bridge, _ = calcium._troponin(p, much._replace(**y))
        return {"troponin": troponin, "shifted": shifted, "bridge": bridge}

    with jax.enable_x64(True):
        start = {"troponin": jnp.zeros(2), "shifted": jnp.zeros(3), "bridge": jnp.zeros(2)}
        end = diffrax.diffeqsolve(
            diffrax.ODETerm(slope), Rosenbrock(), 0.0, 400.0, 0.05, start, max_steps=10_000
        ).ys
    force = float(end["bridge"][0, 1]) / 140.0
    assert force == pytest.approx(float(p.greatest_force), rel=1e-3)


def test_a_twitch_follows_calcium(contractions):
    twitch = twitch_of(contractions.time, contractions.force[0], onset=10.0)
    assert 5.0 < twitch.time_to_peak < 60.0
    assert 10.0 < twitch.half_relaxation < 100.0
    assert contractions.calcium[0].argmax() < contractions.force[0].argmax()


@pytest.fixture(scope="module")
def human():
    """A twitch and 100 Hz of a brief tubular spike, as at 37 degC; 300 ms."""
    record = np.arange(0, 3.0, 0.025)
    spike = -84.0 + 150.0 * np.exp(-(((record - 1.5) / 0.2) ** 2))  # about that of the default fibre
    return np.stack(
        [tubular_trace(t, record, np.repeat(spike[None], t.size, axis=0), -84.0, 300.0)
         for t in (np.zeros(1), np.arange(0.0, 250.0, 10.0))]
    )  # fmt: skip


def test_a_human_twitch_is_a_human_twitch(human):
    # thenar units: 35 to 80 ms and 25 to 108 ms (Thomas et al. 1990); the ratio has a range of its own in textbooks
    p = Contraction()
    found = contract_train(p, human, -84.0)
    twitch = twitch_of(found.time, found.force[0])
    assert 35.0 < twitch.time_to_peak < 80.0
    assert 25.0 < twitch.half_relaxation < 108.0
    tetanus = found.force[1].max() - found.force[1, 0]
    assert 0.1 < twitch.amplitude / tetanus < 0.3
    assert tetanus > 0.8 * p.greatest_force


def test_equal_q10s_only_stretch_time():
    # then everything happens at the same states and potentials, twice as fast
    equal = Contraction(diffusion_q10=2.5, sensor_q10=2.5, parvalbumin_total=100.0)
    degrees = 10.0 * np.log(2) / np.log(2.5)
    warmer = Contraction(
        diffusion_q10=2.5, sensor_q10=2.5, parvalbumin_total=100.0, temperature=37.0 + degrees
    )
    with jax.enable_x64(True):
        state = jax.tree.map(lambda x: x * 1.5 + 0.01, calcium._guess(equal, -85.0))
        calm, quick = (calcium.derivative(p.effective(), state, -10.0) for p in (equal, warmer))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, 2.0 * b, rtol=1e-5, atol=1e-9), quick, calm)


def test_a_cold_muscle_is_slow(human):
    # Q10 of twitch times 2.5 in rat and mouse (Stein et al. 1982); here within a tenth of it at the same spike
    warm, cool = (
        twitch_of(f.time, f.force[0])
        for f in (contract_train(Contraction(temperature=t), human, -84.0) for t in (37.0, 32.0))
    )
    assert cool.time_to_peak / warm.time_to_peak == pytest.approx(2.5**0.5, rel=0.1)
    assert cool.half_relaxation > 1.3 * warm.half_relaxation


def test_rest_stands_still_at_any_potential():
    # long steps carried calcium below zero, or to no number, from -85 mV down
    settle = eqx.filter_jit(calcium.resting_state)
    with jax.enable_x64(True):
        for fibre in (Contraction(), mouse(), mouse(slow=True)):
            parameters = jax.tree.map(lambda x: jnp.asarray(x, jnp.float64), fibre)
            for voltage in (-95.0, -75.0):
                rest = settle(parameters, jnp.asarray(voltage))
                change = calcium.derivative(parameters, rest, jnp.asarray(voltage))
                assert 0.02 < float(rest.calcium[1]) < 2.0
                assert abs(float(change.calcium[1])) < 1e-4
                assert abs(float(change.bridge[1])) < 1e-6


def test_steps_are_short_where_the_potential_moves():
    traces = np.full((2, 4001), -84.0)
    traces[1, 2000:2010] = 20.0  # at 50 ms of 100
    times = calcium.steps_of(traces, 0.025)
    lengths = np.diff(times)
    assert times[0] == 0.0
    assert times[-1] >= 100.0
    assert lengths.size % calcium.MULTIPLE == 0
    near = (times[:-1] >= 49.5) & (times[:-1] < 52.0)
    np.testing.assert_allclose(lengths[near], calcium.STEP)
    assert lengths[times[:-1] < 49.0].min() > 10 * calcium.STEP


def test_twitches_are_measured():
    time = np.arange(0, 300, 0.1)
    since = np.maximum(time - 20, 0)
    twitch = twitch_of(time, 0.5 + since / 30 * np.exp(1 - since / 30), onset=20.0)
    assert twitch.amplitude == pytest.approx(1.0, rel=1e-4)
    assert twitch.time_to_peak == pytest.approx(30.0, abs=0.15)
    # x exp(1 - x) = 1/2 at x = 2.678
    assert twitch.half_relaxation == pytest.approx(1.678 * 30, abs=0.2)


def test_impossible_rates_are_refused():
    with pytest.raises(ValidationError, match=r"contraction\.troponin_on"):
        Contraction(troponin_on=-1.0)
