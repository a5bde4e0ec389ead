"""Release against closed forms: channels, sensor, pools, quantal statistics."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm
from scipy.stats import expon

from nmjmc.errors import ValidationError
from nmjmc.junction import release
from nmjmc.junction.openings import closed, gate, gating_rates
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
SITES = 38 * 6


@pytest.fixture(scope="module")
def normal():
    return run_train(rows(Terminal(), ROWS), train("3 Hz", 10), seed=1)


@pytest.mark.stat
def test_quantal_content_follows_from_sites_and_probability(normal):
    first = normal.quanta[:, 0]
    # human: 31 [M], to which the sensor's binding was tuned; half a quantum is the tuning
    assert_mean(first, 31.0, bias=1.0)
    assert (normal.filled[:, 0] == SITES).all()


@pytest.mark.stat
def test_counts_vary_as_of_few_and_nearly_certain_sites(normal):
    # rat: binomial with p of 0.82 to 0.90 [V-abs], a variance of 0.1 to 0.18 of the mean; 228 sites alike give 0.86
    first = run_train(rows(Terminal(), 400), [0.0], seed=2).quanta[:, 0]
    # the ratio's relative standard error is sqrt(2 / 399), so 0.3 stands ten of them off
    assert 0.1 < first.var(ddof=1) / first.mean() < 0.3


@pytest.mark.stat
def test_counts_in_a_train_vary_as_places_that_are_filled_and_then_release(normal):
    # zones are alike and independent, so each count is binomial: variance over mean 1 - p d, whatever the depletion,
    # where d is the chance that a zone can release and has a vesicle near its channels
    counts = normal.quanta[:, 1:].astype(float)
    share = counts.mean(axis=0) / 38
    expected = (1.0 - share).mean()
    assert expected > 0.2  # of the store's depletion; 0.16 at rest
    ratio = (counts.var(axis=0, ddof=1) / (38 * share)).mean()
    # nine stimuli of 32 terminals; what one takes from the next correlates their variances by its square, hardly
    assert_within(ratio, expected, expected * np.sqrt(2 / (31 * 9)))


@pytest.mark.stat
def test_about_a_fifth_of_the_channels_open_in_a_spike():
    terminal = jax.tree.map(jnp.asarray, Terminal())
    there = jnp.ones((38, 36), bool)
    found = release.stimulate(
        terminal, there, jnp.full(38, terminal.channel_distance), jnp.zeros(()), jax.random.key(3),
        release.window_steps(Terminal()),
    )  # fmt: skip
    assert 0.1 < float(found.opened.mean()) / 36 < 0.3


@pytest.mark.stat
def test_channels_are_displaced_by_a_normal_vector_a_zone():
    """In each terminal anew: the mean square of the reach is that of the distance and of the disorder together."""
    terminal = Terminal(channel_distance=0.065, disorder=0.07)
    keys = jax.random.split(jax.random.key(4), 400)
    reach = np.asarray(jax.vmap(lambda key: release.reach_of(terminal, key))(keys))
    assert reach.shape == (400, 38)
    assert_mean(reach.ravel() ** 2, 0.065**2 + 0.07**2)
    assert_proportion(int((reach > np.hypot(0.065, 0.07)).sum()), reach.size, np.exp(-1))
    whole = release.reach_of(Terminal(), jax.random.key(0))
    np.testing.assert_allclose(whole, 0.065, rtol=1e-6)


@pytest.mark.stat
def test_the_normal_charge_is_that_of_a_normal_spike(normal):
    assert_mean(normal.charge.ravel(), NORMAL_CHARGE, bias=0.01 * NORMAL_CHARGE)


def test_the_sensor_is_the_chain_of_its_rates():
    # six states and fusion at constant calcium, against the matrix exponential
    terminal, calcium, steps = Terminal(), 20.0, 50
    on, off, b = 1.13 * calcium, 35.8, 0.25
    q = np.zeros((7, 7))
    for n in range(5):
        q[n, n + 1], q[n + 1, n] = (5 - n) * on, (n + 1) * off * b**n
    q[5, 6] = 22.6
    q -= np.diag(q.sum(axis=1))
    expected = expm(q * steps * release.STEP)[0, :6]
    state = (jnp.ones((1, 1)), *([jnp.zeros((1, 1))] * 5))
    for _ in range(steps):
        state = release._heun(terminal, state, jnp.full((1, 1), calcium), release.STEP)
    # Heun's local error at a fastest rate of 110 /ms and a step of 4 us
    np.testing.assert_allclose([float(x[0, 0]) for x in state], expected, atol=8e-3)


@pytest.mark.stat
def test_channels_relax_as_two_state_chains():
    terminal, count = Terminal(), 200_000
    rates = gating_rates(terminal, jnp.asarray(5.0))
    opening, closing = (float(r) for r in rates)
    assert opening / closing == pytest.approx(np.exp(10.0 / 7.0))
    channels, drawn = closed(jax.random.key(1), (count,))
    share, steps = 0.0, 250
    for _ in range(steps):
        channels, is_open = gate(channels, drawn, rates, 0.004)
        share += float(is_open.mean()) / steps
    total, time = opening + closing, steps * 0.004
    steady = opening / total
    is_open = float((channels.changes % 2 == 1).mean())
    chance = steady * (1 - np.exp(-total * time))
    # a second change within a step waits: 4 us of a mean time of 2 ms or more
    assert_within(is_open, chance, np.sqrt(chance * (1 - chance) / count), bias=1e-3)
    expected = steady * (1 - (1 - np.exp(-total * time)) / (total * time))
    assert share == pytest.approx(expected, rel=0.02)


@pytest.mark.stat
def test_a_colder_terminal_releases_as_much_more_slowly(normal):
    warm, cold = Terminal(), Terminal(temperature=22.0)
    slower = 2.42**-1.5
    assert float(cold.effective().sensor_binding) == pytest.approx(1.13 * slower)
    assert float(cold.effective().spike_width) == pytest.approx(0.25 / slower)
    found = run_train(rows(cold, ROWS), train("3 Hz", 10), seed=1)
    # the same random numbers meet the same chances
    np.testing.assert_allclose(found.quanta[:, 0], normal.quanta[:, 0], atol=1)
    late = found.time[:, 0] - float(warm.delay), normal.time[:, 0] - float(warm.delay)
    both = np.isfinite(late[0]) & np.isfinite(late[1])
    np.testing.assert_allclose(late[0][both], late[1][both] / slower, atol=0.05)


def test_a_domain_falls_as_the_screened_coulomb_potential():
    near, far = (float(x) for x in Terminal().domain(jnp.asarray([0.02, 0.04])))
    assert near / far == pytest.approx(2.0 * np.exp(0.02 / 0.1), rel=1e-5)
    # 1 nA without buffer at 1 um: i / (8 pi F D r) = 1e-9 / (8 pi 96485 2.2e-10 1e-6) mol/m^3
    bare = float(Terminal(buffer_length=10.0).domain(jnp.asarray(1.0))) * np.exp(0.1)
    assert bare == pytest.approx(1e-9 / (8 * np.pi * 96485 * 2.2e-10 * 1e-6) * 1e3, rel=1e-5)


@pytest.mark.stat
def test_release_against_calcium_is_steep_where_there_is_little():
    # a third power at least, the fourth at most [V-abs, toad]
    less, more = (
        np.concatenate([
            run_train(rows(Terminal(calcium_outside=calcium), 400), [0.0], seed=5, first=first).quanta[:, 0]
            for first in range(0, count, 400)
        ])
        for calcium, count in ((125.0, 1200), (250.0, 400))
    )  # fmt: skip
    slope = np.log2(more.mean() / less.mean())
    # about 180 and 640 quanta: a standard error of 0.12 about the 3.46 of `experiments.terminal`, nearly four of them
    # from either end: false-positive rate below 2e-4
    assert 3.0 < slope < 4.0


@pytest.mark.stat
def test_certain_channels_make_release_binomial():
    # channels that open at once and for good: every site has the same calcium, so the same probability
    terminal = Terminal(
        zones=240, sites_per_zone=1, channels_per_zone=4, half_activation=-80.0, activation_slope=1.0,
        gating_rate=5.0, channel_distance=0.14,
    )  # fmt: skip
    found = run_train(rows(terminal, 400), [0.0], seed=7).quanta[:, 0]
    p = found.mean() / 240
    assert 0.2 < p < 0.8
    variance = found.var(ddof=1) / found.mean()
    # the ratio's standard error is (1 - p) sqrt(2 / n)
    assert_within(variance, 1 - p, (1 - p) * np.sqrt(2 / 399))


@pytest.mark.stat
def test_little_calcium_makes_release_poisson():
    found = run_train(rows(Terminal(calcium_outside=250.0), 400), [0.0], seed=8).quanta[:, 0]
    mean = found.mean()
    # 1.6 quanta of 38 zones: four per cent less than the Poisson variance
    assert_within(found.var(ddof=1) / mean, 1.0, np.sqrt(2 / 399), bias=0.05)
    failures = int((found == 0).sum())
    assert_within(failures / 400, np.exp(-mean), np.sqrt(np.exp(-mean) / 400), bias=0.02)


@pytest.mark.stat
def test_depression_follows_its_recursion():
    # no residual calcium: filled sites obey x' = 1 - (1 - x (1 - p)) exp(-k / f)
    terminal = Terminal(facilitation=(0.0, 0.0, 0.0, 0.0), occlusion=0.0, refilling_rate=2e-4)
    found = run_train(rows(terminal, ROWS), train("3 Hz", 10), seed=9)
    p = found.quanta[:, 0].mean() / SITES
    x, kept = 1.0, np.exp(-0.2 / 3)
    for k in range(1, 10):
        x = 1 - (1 - x * (1 - p)) * kept
        assert_mean(found.filled[:, k] / SITES, x, bias=0.005)


@pytest.mark.stat
def test_zones_fall_silent_and_are_cleared_by_their_recursion():
    # no residual calcium: silent zones obey y' = (y + o q) exp(-k / f) for q releases, each silenced with chance o
    terminal = Terminal(facilitation=(0.0, 0.0, 0.0, 0.0), occlusion=0.3)
    found = run_train(rows(terminal, ROWS), train("3 Hz", 10), seed=13)
    silent = 38.0 - found.cleared
    assert not silent[:, 0].any()
    kept = np.exp(-0.8 / 3)
    for k in range(1, 10):
        before, quanta = silent[:, k - 1], found.quanta[:, k - 1]
        assert_mean(silent[:, k] - kept * (before + 0.3 * quanta), 0.0)
    assert (found.quanta <= found.cleared).all()
    assert silent[:, -1].mean() > 10.0


@pytest.mark.stat
def test_in_a_train_the_number_of_zones_falls_and_their_certainty_hardly(normal):
    # cut rat diaphragm [V-abs]: n falls in trains, p only slightly
    number = normal.cleared[:, 5:].mean() / 38
    certainty = normal.quanta[:, 5:].sum() / normal.cleared[:, 5:].sum()
    assert 0.75 < number < 0.95
    assert certainty > 0.9 * normal.quanta[:, 0].mean() / 38


@pytest.mark.stat
def test_a_pair_facilitates_where_release_is_sparse():
    # 0.5 at once [V-abs], to which the residual calcium was tuned; 10 ms later 0.38 to 0.47 with its time constants
    weak = run_train(rows(Terminal(calcium_outside=500.0), 400), [0.0, 10.0], seed=10).quanta
    gained = weak[:, 1].sum() / weak[:, 0].sum()
    error = gained * np.sqrt(1 / weak[:, 0].sum() + 1 / weak[:, 1].sum())
    assert_within(gained, 1 + 0.4 * np.exp(-10 / 35) + 0.1, error, bias=0.1)


@pytest.mark.stat
def test_dense_release_depresses():
    dense = run_train(rows(Terminal(), ROWS), train("50 Hz", 10), seed=11).quanta
    assert dense[:, -1].mean() < 0.9 * dense[:, 0].mean()


def test_residual_calcium_follows_its_recursion(normal):
    # R' = (R + dR q) exp(-T / tau), q the charge over that of a normal spike
    times, added = np.array([35.0, 163.0, 7e3, 6e4]), np.array([2.0, 0.33, 0.012, 0.006])
    share = normal.charge / NORMAL_CHARGE
    expected = np.zeros((ROWS, 4))
    for k in range(1, 10):
        expected = (expected + share[:, k - 1, None] * added) * np.exp(-1e3 / 3 / times)
        np.testing.assert_allclose(normal.residual[:, k], expected, rtol=1e-4, atol=1e-7)


@pytest.mark.stat
def test_a_tetanus_leaves_potentiation():
    times = np.append(train("50 Hz", 9), 5_160.0)
    found = run_train(rows(Terminal(), ROWS), times, seed=12)
    before, after = found.residual[:, 0], found.residual[:, -1].mean(axis=0)
    assert not before.any()
    # nine stimuli and 5 s of decay, by which facilitation is gone
    left = 9 * np.array([0.012, 0.006]) * np.exp(-5.08e3 / np.array([7e3, 6e4]))
    np.testing.assert_allclose(after[2:], left, rtol=0.05)
    assert (after[:2] < 1e-9).all()


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
    assert int(pools.filled.sum()) == SITES
    assert (np.diff(normal.recycling, axis=1) <= 0).all()


def test_a_terminal_is_the_same_in_any_batch(normal):
    again = run_train(rows(Terminal(), 3), train("3 Hz", 10), seed=1, first=5)
    np.testing.assert_array_equal(again.time, normal.time[5:8])


@pytest.mark.stat
def test_synaptic_delay_begins_after_the_spike(normal):
    delay = normal.time[np.isfinite(normal.time)]
    assert np.percentile(delay, 1) > 1.0
    assert 0.03 < delay.std() < 0.15
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
