"""Release against closed forms: channels, sensor, pools, quantal statistics."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm
from scipy.stats import expon

from nmjmc.errors import ValidationError
from nmjmc.junction import release
from nmjmc.junction.pools import NORMAL_CHARGE, full, miniatures, rest, rows, run_train
from nmjmc.junction.stimulus import train
from nmjmc.junction.terminal import Terminal
from tests.statistics import (
    assert_distribution,
    assert_mean,
    assert_poisson,
    assert_proportion,
    assert_within,
)

pytestmark = pytest.mark.unit

ROWS = 32


@pytest.fixture(scope="module")
def normal():
    return run_train(rows(Terminal(), ROWS), train("3 Hz", 10), seed=1)


@pytest.mark.stat
def test_quantal_content_follows_from_sites_and_probability(normal):
    first = normal.quanta[:, 0]
    # human: 31 [M], to which the channels' distance was tuned; half a quantum is the tuning
    assert_mean(first, 31.0, bias=1.0)
    assert (normal.filled[:, 0] == 240).all()


@pytest.mark.stat
def test_about_a_fifth_of_the_channels_open_in_a_spike():
    terminal = jax.tree.map(jnp.asarray, Terminal())
    there = jnp.ones((120, 4), bool)
    found = release.stimulate(
        terminal, there, jnp.ones(()), jax.random.key(3), release.window_steps(Terminal())
    )
    assert 0.1 < float(found.opened.mean()) / 4 < 0.25


@pytest.mark.stat
def test_the_normal_charge_is_that_of_a_normal_spike(normal):
    assert_mean(normal.charge.ravel(), NORMAL_CHARGE, bias=0.01 * NORMAL_CHARGE)


def test_the_sensor_is_the_chain_of_its_rates():
    # six states and fusion at constant calcium, against the matrix exponential
    terminal, calcium, steps = Terminal(), 40.0, 50
    on, off, b = 0.3 * calcium, 9.5, 0.25
    q = np.zeros((7, 7))
    for n in range(5):
        q[n, n + 1], q[n + 1, n] = (5 - n) * on, (n + 1) * off * b**n
    q[5, 6] = 6.0
    q -= np.diag(q.sum(axis=1))
    expected = expm(q * steps * release.STEP)[0, :6]
    state = jnp.zeros((6, 1, 1)).at[0].set(1.0)
    for _ in range(steps):
        state = release._heun(terminal, state, jnp.full((1, 1), calcium))
    # Heun's local error at a fastest rate of 60 /ms and a step of 0.01 ms
    np.testing.assert_allclose(state[:, 0, 0], expected, atol=4e-3)


@pytest.mark.stat
def test_channels_relax_as_two_state_chains():
    terminal, count = Terminal(), 200_000
    away = (10.0 + 5.0) / 7.0
    opening, closing = 0.15 * np.exp(0.5 * away), 0.15 * np.exp(-0.5 * away)
    is_open = jnp.zeros(count, bool)
    for step in range(100):
        random = jax.random.uniform(jax.random.key(step), (count,))
        is_open = release._gate(terminal, jnp.asarray(10.0), is_open, random)
    expected = opening / (opening + closing) * (1 - np.exp(-(opening + closing) * 1.0))
    assert_proportion(int(is_open.sum()), count, expected)


def test_a_domain_falls_as_the_screened_coulomb_potential():
    near, far = (float(x) for x in Terminal().domain(jnp.asarray([0.02, 0.04])))
    assert near / far == pytest.approx(2.0 * np.exp(0.02 / 0.1), rel=1e-5)
    # 1 nA without buffer at 1 um: i / (8 pi F D r) = 1e-9 / (8 pi 96485 2.2e-10 1e-6) mol/m^3
    bare = float(Terminal(buffer_length=10.0).domain(jnp.asarray(1.0))) * np.exp(0.1)
    assert bare == pytest.approx(1e-9 / (8 * np.pi * 96485 * 2.2e-10 * 1e-6) * 1e3, rel=1e-5)


@pytest.mark.stat
def test_release_against_calcium_is_steep_where_there_is_little():
    contents = []
    for calcium, count in ((250.0, 300), (500.0, 100)):
        found = run_train(rows(Terminal(calcium_outside=calcium), count), [0.0], seed=5)
        contents.append(found.quanta.mean())
    slope = np.log2(contents[1] / contents[0])
    # about 100 quanta stand behind the smaller count: relative error 0.12, of the slope 0.2
    assert 3.0 - 0.6 < slope < 4.0 + 0.6


@pytest.mark.stat
def test_certain_channels_make_release_binomial():
    # channels that open at once and for good: every site has the same calcium, so the same probability
    terminal = Terminal(gating_rate=50.0, channel_distance=0.018)
    found = run_train(rows(terminal, 400), [0.0], seed=7).quanta[:, 0]
    p = found.mean() / 240
    assert 0.2 < p < 0.8
    variance = found.var(ddof=1) / found.mean()
    # the ratio's standard error is (1 - p) sqrt(2 / n)
    assert_within(variance, 1 - p, (1 - p) * np.sqrt(2 / 399))


@pytest.mark.stat
def test_little_calcium_makes_release_poisson():
    found = run_train(rows(Terminal(calcium_outside=500.0), 400), [0.0], seed=8).quanta[:, 0]
    mean = found.mean()
    # two sites near one channel release together now and then: a per cent of the variance and a half
    assert_within(found.var(ddof=1) / mean, 1.0, np.sqrt(2 / 399), bias=0.05)
    failures = int((found == 0).sum())
    assert_within(failures / 400, np.exp(-mean), np.sqrt(np.exp(-mean) / 400), bias=0.02)


@pytest.mark.stat
def test_depression_follows_its_recursion():
    # no facilitation: filled sites obey x' = 1 - (1 - x (1 - p)) exp(-k / f)
    terminal = Terminal(facilitation=(0.0, 0.0, 0.0, 0.0))
    found = run_train(rows(terminal, 2 * ROWS), train("3 Hz", 10), seed=9)
    p = found.quanta[:, 0].mean() / 240
    x, kept = 1.0, np.exp(-0.25 / 3)
    for k in range(1, 10):
        x = 1 - (1 - x * (1 - p)) * kept
        assert_mean(found.filled[:, k] / 240, x, bias=0.005)


@pytest.mark.stat
def test_sparse_release_facilitates_and_dense_release_depresses():
    pair = [0.0, 20.0]
    weak = run_train(rows(Terminal(calcium_outside=600.0), 400), pair, seed=10).quanta
    gained = weak[:, 1].sum() / weak[:, 0].sum()
    error = gained * np.sqrt(1 / weak[:, 0].sum() + 1 / weak[:, 1].sum())
    # F1 decays for 20 ms, F2 hardly; charge is in proportion to the current; little depletion
    share = (600 / 3600) / (2000 / 5000)
    expected = 1 + share * (0.3 * np.exp(-20 / 55) + 0.1 * np.exp(-20 / 400))
    # the calcium grows as the fourth root, and release here as its third to fourth power
    assert_within(gained, expected**0.85, error, bias=0.05)
    dense = run_train(rows(Terminal(), ROWS), train("50 Hz", 10), seed=11).quanta
    assert dense[:, -1].mean() < 0.7 * dense[:, 0].mean()


@pytest.mark.stat
def test_a_tetanus_leaves_potentiation():
    times = np.append(train("20 Hz", 100), 5_000 + 5_000.0)
    terminal = Terminal(calcium_outside=500.0)
    found = run_train(rows(terminal, 16), times, seed=12)
    augmentation, potentiation = found.residual[0, -1, 2:]
    assert augmentation > 0.02
    assert potentiation > 0.05
    before = run_train(rows(terminal, 160), [0.0], seed=13).quanta.sum() / 10
    assert found.quanta[:, -1].sum() > before


def test_no_vesicle_is_lost(normal):
    # docked, recycling, returning and reserve: refill and rest, step by step
    terminal = jax.tree.map(jnp.asarray, Terminal())
    pools = full(terminal)
    pools = pools._replace(filled=pools.filled.at[:40].set(False), returning=jnp.asarray(80.0))

    def everywhere(pools):
        return int(pools.filled.sum()) + sum(map(float, (pools.recycling, pools.reserve, pools.returning)))

    total = everywhere(pools)
    for interval in (10.0, 1e3, 1e5):
        pools = rest(terminal, pools, interval, jax.random.key(int(interval)))
        assert everywhere(pools) == pytest.approx(total, abs=0.1)
    assert int(pools.filled.sum()) == 240
    assert (np.diff(normal.recycling, axis=1) <= 0).all()


def test_a_terminal_is_the_same_in_any_batch(normal):
    again = run_train(rows(Terminal(), 3), train("3 Hz", 10), seed=1, first=5)
    np.testing.assert_array_equal(again.time, normal.time[5:8])


@pytest.mark.stat
def test_synaptic_delay_begins_after_the_spike(normal):
    delay = normal.time[np.isfinite(normal.time)]
    assert np.percentile(delay, 1) > 1.0
    assert 0.05 < delay.std() < 0.5
    assert delay.mean() > np.median(delay)  # skewed to the right


@pytest.mark.stat
def test_miniatures_are_a_poisson_process():
    times = miniatures(Terminal(spontaneous_rate=1e-3), 2e6, seed=2)
    assert_poisson(times.size, 2000)
    assert_distribution(np.diff(times), expon(scale=1e3).cdf)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"zones": 0}, r"terminal\.zones"),
        ({"channels_per_zone": 3}, "multiple"),
        ({"channel_fraction": 1.5}, r"terminal\.channel_fraction"),
        ({"facilitation": (0.1,)}, "four"),
        ({"spike_width": -1.0}, "spike_width"),
    ],
)
def test_impossible_terminals_are_refused(values, words):
    with pytest.raises(ValidationError, match=words):
        Terminal(**values)


def test_one_terminal_is_told_to_become_rows():
    with pytest.raises(ValidationError, match="rows"):
        run_train(Terminal(), [0.0])
