"""Calcium release, its balance, and force."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import comb

from nmjmc.errors import ValidationError
from nmjmc.junction import calcium
from nmjmc.junction.contraction import Contraction
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
            state = calcium._guess()._replace(
                closed=jnp.asarray(closed / total), opened=jnp.asarray(opened / total)
            )
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
    p = Contraction()
    with jax.enable_x64(True):
        state = jax.tree.map(lambda x: x * 1.5 + 0.01, calcium._guess())
        change = jax.tree.map(np.asarray, calcium.derivative(p, state, jnp.asarray(0.0)))
    turnover = content(p, jax.tree.map(np.abs, change))
    assert np.all(np.abs(content(p, change)) < 1e-12 * turnover)
    assert abs(float(change.closed.sum() + change.opened.sum())) < 1e-9


@pytest.fixture(scope="module")
def contractions():
    """One, and trains at 10, 50 and 100 Hz, of a 2-ms depolarisation; 300 ms."""
    record = np.arange(0, 5.0, 0.1)
    pulse = -85.0 + 105.0 * np.exp(-(((record - 2.0) / 1.0) ** 2))
    traces = []
    for interval in (1000.0, 100.0, 20.0, 10.0):
        times = np.arange(10.0, 290.0, interval)
        tubule = np.repeat(pulse[None], times.size, axis=0)
        traces.append(tubular_trace(times, record, tubule, -85.0, 300.0))
    return contract_train(Contraction(), np.stack(traces), -85.0)


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
    p, much = Contraction(), calcium._guess()._replace(calcium=jnp.full(2, 1e6))

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
