"""The laboratory's analyses against closed forms, and against drawn experiments whose truth is known.

Tests of coverage count intervals of 95 % that hold the truth; the bounds leave, beside the binomial scatter
(false-positive rate 1e-6), a bias of the method that is stated.
"""

import numpy as np
import pytest

from nmjmc.analysis.bench import (
    channel_noise,
    content,
    covariance,
    fluctuation,
    intervals,
    measured,
    miniatures,
    release_rate,
    trains,
)
from nmjmc.analysis.observations import EventTable
from nmjmc.errors import ValidationError
from tests.statistics import assert_within, sigmas

pytestmark = pytest.mark.unit
Q, N, WITHIN, BETWEEN, NOISE = 0.4, 10, 0.2, 0.3, 0.02


def released(rng, trials, p, q=Q, within=WITHIN):
    """Amplitudes of trials of sites with probabilities p [site] and quantal sizes q."""
    p, q = np.broadcast_arrays(np.asarray(p, float), np.asarray(q, float))
    size = q * (1 + within * rng.normal(size=(trials, p.size)))
    return (size * (rng.random((trials, p.size)) < p)).sum(axis=1) + NOISE * rng.normal(size=trials)


def assert_covered(found, truth, sets, bias=0.03):
    """Intervals [(low, high)] of 95 % hold the truth as often as they say, within chance and the stated bias."""
    share = np.mean([low <= truth <= high for low, high in found])
    bound = sigmas() * np.sqrt(0.95 * 0.05 / sets) + bias
    assert share >= 0.95 - bound, f"{share:.2f} of {sets} intervals hold {truth}"


def test_the_variance_of_unequal_sites_is_the_model_s():
    """Sites of any p and q that are independent: their exact variance is that of the curve."""
    p = np.array([0.2, 0.5, 0.8, 0.3])
    q = np.array([0.3, 0.5, 0.4, 0.4])
    share, square = p.mean(), (p**2).mean()
    spread = q.var() / q.mean() ** 2
    alpha = (1 - share) / (square / share**2 - 1) - share  # from CV_p^2 = (1 - P) / (alpha + P)
    mean = 4 * share * q.mean()
    found = fluctuation._variance(
        np.array([q.mean(), 1 / 4, 1 / alpha]),
        np.array([mean]),
        np.array([mean**2]),
        (WITHIN, np.sqrt(spread)),
    )
    independent = 4 * (q**2).mean() * (share * (1 + WITHIN**2) - square)
    assert found[0] == pytest.approx(independent, rel=1e-12)
    pairs = [(a, b) for a in p for b in q]  # each p with each q: independent
    drawn = np.mean([a * b**2 * (1 + WITHIN**2) - a**2 * b**2 for a, b in pairs])
    assert 4 * drawn == pytest.approx(independent, rel=1e-12)


@pytest.mark.stat
def test_variance_against_mean_covers_q_n_and_p():
    sets, found = 30, []
    rng = np.random.default_rng(0)
    q = Q * np.linspace(1 - BETWEEN * np.sqrt(3), 1 + BETWEEN * np.sqrt(3), N)
    between = q.std() / q.mean()
    for _ in range(sets):
        conditions = [released(rng, 150, p, q) for p in (0.1, 0.35, 0.6, 0.85)]
        found.append(
            fluctuation.fluctuation(conditions, noise_sd=NOISE, within_cv=WITHIN, between_cv=between, number=200)
        )  # fmt: skip
    for truth, part in ((q.mean(), "quantum"), (N, "sites")):
        ends = [(getattr(f, part).low, getattr(f, part).high) for f in found]
        assert_covered(ends, truth, sets)
        assert np.median([getattr(f, part).value for f in found]) == pytest.approx(truth, rel=0.06)
    assert_covered([(f.probability[3].low, f.probability[3].high) for f in found], 0.85, sets)
    assert np.mean([f.p_value < 0.05 for f in found]) < 0.2


@pytest.mark.stat
def test_unequal_probabilities_bend_the_curve_and_are_found():
    rng = np.random.default_rng(1)
    alpha, sites = 1.5, 40
    conditions = []
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        beta = rng.beta(alpha, alpha * (1 - share) / share, sites * 50).reshape(50, sites)
        conditions.append(np.concatenate([released(rng, 60, p) for p in beta]))
    # 50 draws of the sites at each condition: the variance between them is part of the draw, not of a cell
    whole = [c - np.repeat(c.reshape(50, 60).mean(axis=1) - c.mean(), 60) for c in conditions]
    fitted = fluctuation.fluctuation(whole, noise_sd=NOISE, within_cv=WITHIN, alpha=None, number=60)
    given = fluctuation.fluctuation(whole, noise_sd=NOISE, within_cv=WITHIN, alpha=alpha, number=60)
    plain = fluctuation.fluctuation(whole, noise_sd=NOISE, within_cv=WITHIN, number=60)
    assert_within(given.quantum.value, Q, given.quantum.standard_error)
    assert_within(given.sites.value, sites, given.sites.standard_error)
    assert_within(fitted.quantum.value, Q, fitted.quantum.standard_error)
    assert_within(fitted.alpha.value, alpha, fitted.alpha.standard_error)
    assert plain.p_value < 1e-3 < given.p_value and plain.quantum.high < given.quantum.low


def test_points_that_do_not_bend_have_no_upper_number_of_sites():
    rng = np.random.default_rng(2)
    conditions = [Q * rng.poisson(m, 400) for m in (0.5, 1.0, 2.0)]
    found = fluctuation.fluctuation(conditions, number=100)
    assert found.sites.high == np.inf and found.sites.low > 8
    assert_within(found.quantum.value, Q, 0.5 * (found.quantum.high - found.quantum.low) / 1.96)
    with pytest.raises(ValidationError, match="2 or more release probabilities"):
        fluctuation.fluctuation(conditions[:1])
    with pytest.raises(ValidationError, match="magnitudes"):
        fluctuation.fluctuation([-c for c in conditions])


@pytest.mark.stat
@pytest.mark.parametrize("drift", [False, True])
def test_covariance_along_a_train_covers_q_and_the_vesicles(drift):
    sets, found, pool = 60, [], 12
    rng = np.random.default_rng(3)
    for _ in range(sets):
        left, rows = np.full(120, pool), []
        for p in (0.5, 0.4, 0.3):
            k = rng.binomial(left, p)
            left = left - k
            rows.append(Q * k + Q * WITHIN * np.sqrt(k) * rng.normal(size=120) + NOISE * rng.normal(size=120))
        found.append(
            covariance.covariance(np.stack(rows, 1), noise_sd=NOISE, quantal_cv=WITHIN, differences=drift)
        )
    assert_covered([(f.quantum.low, f.quantum.high) for f in found], Q, sets)
    assert_covered([(f.vesicles.low, f.vesicles.high) for f in found], pool, sets)
    assert np.median([f.quantum.value for f in found]) == pytest.approx(Q, rel=0.05)
    assert np.median([f.vesicles.value for f in found]) == pytest.approx(pool, rel=0.1)


def test_multinomial_moments_give_q_and_n_exactly():
    chance = np.array([0.5, 0.2, 0.1])
    means = 9 * chance * Q
    variances = Q * means * (1 + WITHIN**2) - means**2 / 9
    covariances = -means[:-1] * means[1:] / 9
    q, n = covariance._estimates(means[None], variances[None], covariances[None], WITHIN)
    assert (q[0], n[0]) == pytest.approx((Q, 9.0))


@pytest.mark.stat
def test_quantal_content_is_corrected_for_summation_by_each_method():
    rng, m, reach = np.random.default_rng(4), 6.0, 70.0
    sets, found = 40, []
    for _ in range(sets):
        quanta = rng.normal(1.0, 0.2, 100)
        k = rng.poisson(m, 200)
        linear = k + 0.2 * np.sqrt(k) * rng.normal(size=200)
        seen = linear / (1 + 0.8 * linear / reach) + NOISE * rng.normal(size=200)
        small = quanta / (1 + 0.8 * quanta / reach) + NOISE * rng.normal(size=100)
        found.append(content.contents(seen, small, noise_sd=NOISE, driving_force=reach))
    for method in ("direct", "variance"):
        assert_covered([(f[method].low, f[method].high) for f in found], m, sets, bias=0.04)
    plain = content.contents(seen, small, noise_sd=NOISE)
    assert plain["direct"].value < found[-1]["direct"].value
    assert plain["variance"].value > 1.05 * found[-1]["variance"].value  # summation makes the variance small


@pytest.mark.stat
def test_failures_cover_the_content_and_are_left_out_where_noise_hides_them():
    rng, sets = np.random.default_rng(5), 200
    found = []
    for _ in range(sets):
        k = rng.poisson(1.5, 100)
        values = k + 0.05 * rng.normal(size=100)
        found.append(
            content.contents(values, np.ones(10) + 0.05 * rng.normal(size=10), noise_sd=0.05)["failures"]
        )
    assert_covered([(f.low, f.high) for f in found], 1.5, sets, bias=0.01)
    assert "failures" not in content.contents(values, np.ones(10), noise_sd=0.4)


@pytest.mark.stat
def test_binomial_moments_take_the_noise_of_each_kind_off():
    rng, sets, found = np.random.default_rng(6), 60, []
    for _ in range(sets):
        small = 1.0 + 0.2 * rng.normal(size=200) + 0.1 * rng.normal(size=200)
        values = released(rng, 300, np.full(6, 0.7), 1.0) + np.sqrt(0.1**2 - NOISE**2) * rng.normal(size=300)
        found.append(content.binomial(values, small, noise_sd=0.1))
    for name, truth in (("n", 6.0), ("p", 0.7), ("q", 1.0)):
        assert_covered([(f[name].low, f[name].high) for f in found], truth, sets)
        assert np.median([f[name].value for f in found]) == pytest.approx(truth, rel=0.04)
    assert (
        content.binomial(rng.poisson(0.5, 400) * rng.exponential(size=400), np.ones(9))["n"].value == np.inf
    )


def pool_train(stimuli, pool=50.0, p=0.4, refill=3.0):
    """Release of a pool that loses the share p and gains a constant number in each interval."""
    found = []
    for _ in range(stimuli):
        found.append(p * pool)
        pool = pool - found[-1] + refill
    return np.array(found)


def test_cumulative_release_taken_back_misses_what_is_left_and_the_correction_finds_it():
    train = np.tile(pool_train(60), (4, 1))
    found = trains.cumulative(train, number=20)
    assert found.refill.value == pytest.approx(3.0, rel=1e-6)
    assert found.pool.value == pytest.approx(50 - 3 * 0.6 / 0.4, rel=1e-6)
    assert found.corrected_pool.value == pytest.approx(50.0, rel=1e-6)
    assert found.corrected_probability.value == pytest.approx(0.4, rel=1e-6)


def test_elmqvist_and_quastel_s_line_is_exact_without_refilling_and_too_flat_with_it():
    bare = trains.elmqvist_quastel(np.tile(pool_train(8, refill=0.0), (4, 1)), number=20)
    assert (bare.pool.value, bare.probability.value) == pytest.approx((50.0, 0.4))
    full = trains.elmqvist_quastel(np.tile(pool_train(8), (4, 1)), number=20)
    assert full.pool.value > 50 and full.probability.value < 0.4


@pytest.mark.stat
def test_pairs_and_trains_cover_their_truth():
    rng, sets, pairs, pools, quick = np.random.default_rng(7), 60, [], [], []
    for _ in range(sets):
        left, rows = np.full(40, 50), []
        for _ in range(24):
            k = rng.binomial(left, 0.4)
            rows.append(k.astype(float))
            left = np.minimum(left - k + rng.poisson(3, 40), 10**6)
        values = np.stack(rows, 1)
        pairs.append(trains.paired_pulse(values, number=200))
        pools.append(trains.cumulative(values, last=12, number=200))
        quick.append(trains.elmqvist_quastel(values, first=3, number=200))
    assert_covered([(f.low, f.high) for f in pairs], (0.4 * (30 + 3)) / 20, sets)
    assert_covered([(f.corrected_pool.low, f.corrected_pool.high) for f in pools], 50.0, sets)
    assert_covered([(f.corrected_probability.low, f.corrected_probability.high) for f in pools], 0.4, sets)
    assert np.median([f.pool.value for f in quick]) > 50


@pytest.mark.stat
def test_recovery_covers_its_time_constant():
    rng, sets, found = np.random.default_rng(8), 100, []
    pause = np.array([50.0, 200, 500, 1000, 2000, 5000, 10_000])
    for _ in range(sets):
        error = np.full(7, 0.04)
        ratio = 1 - 0.6 * np.exp(-pause / 1500) + error * rng.normal(size=7)
        found.append(trains.recovery(pause, ratio, error))
    assert_covered([(f.tau.low, f.tau.high) for f in found], 1500.0, sets)
    assert_covered([(f.depth.low, f.depth.high) for f in found], 0.6, sets)
    assert trains.recovery(pause, ratio, full=False).level.value == pytest.approx(1.0, abs=0.2)
    with pytest.raises(ValidationError, match="rising towards 1"):
        trains.recovery(pause, 1 + 0.5 * np.exp(-pause / 1500))


def decays(rng, events, channels, unitary=0.005, noise=0.0, spread=0.0, quiet=40):
    """Currents of channels that open together and close with 2 ms, sampled every 0.05 ms."""
    time = 0.05 * np.arange(160)
    number = np.maximum(rng.normal(channels, spread * channels, events), 5).astype(int)
    rows = [(rng.exponential(2.0, n)[:, None] > time).sum(axis=0) for n in number]
    whole = np.hstack([np.zeros((events, quiet)), np.stack(rows)])
    return -unitary * whole + noise * rng.normal(size=whole.shape)


@pytest.mark.stat
@pytest.mark.parametrize("scaling", channel_noise.SCALINGS)
def test_noise_of_decays_covers_the_unitary_current(scaling):
    rng, sets, found = np.random.default_rng(9), 50, []
    spread = 0.0 if scaling == "none" else 0.3
    for _ in range(sets):
        traces = decays(rng, 40, 120, noise=0.01, spread=spread)
        found.append(channel_noise.decay_noise(traces, quiet=40, scaling=scaling, number=150))
    assert_covered([(f.unitary.low, f.unitary.high) for f in found], 0.005, sets, bias=0.06)
    assert np.median([f.unitary.value for f in found]) == pytest.approx(0.005, rel=0.05)
    assert np.median([f.channels.value for f in found]) == pytest.approx(120, rel=0.06)
    if scaling == "none":
        assert np.median([f.open_probability.value for f in found]) == pytest.approx(1.0, rel=0.05)


def test_decays_that_cannot_be_analysed_are_refused():
    rng = np.random.default_rng(10)
    with pytest.raises(ValidationError, match="ten or more events"):
        channel_noise.decay_noise(decays(rng, 5, 50))
    with pytest.raises(ValidationError, match="peak, decay or none"):
        channel_noise.decay_noise(decays(rng, 12, 50), scaling="paek")


@pytest.mark.stat
def test_deconvolution_covers_content_and_time_of_release():
    rng, sets, found = np.random.default_rng(11), 20, []
    step, content_true = 0.05, 30.0
    time = step * np.arange(400)
    shape = (1 - np.exp(-time / 0.2)) * np.exp(-time / 1.5)
    for _ in range(sets):
        sizes = rng.normal(3.0, 0.6, (60, 1))
        small = -sizes * shape + 0.02 * rng.normal(size=(60, 400))
        rows = []
        for _ in range(20):
            k = rng.poisson(content_true)
            instants = np.bincount((2.0 / step + rng.gamma(4.0, 0.15 / step, k)).astype(int), minlength=400)[
                :400
            ]
            spread = np.convolve(instants, shape)[
                :400
            ]  # quanta of the mean size, and their scatter as one number
            rows.append(-3.0 * spread * (1 + 0.2 * rng.normal() / np.sqrt(max(k, 1))))
        evoked = np.array(rows) + 0.05 * rng.normal(size=(20, 400))
        found.append(release_rate.release_rate(step, evoked, small, noise_sd=0.05, number=100))
    assert_covered([(f.content.low, f.content.high) for f in found], content_true, sets, bias=0.05)
    mean = np.mean([f.rate for f in found], axis=0)
    assert mean.sum() * step == pytest.approx(content_true, rel=0.03)
    first = (mean * time).sum() / mean.sum()
    assert first == pytest.approx(2.0 + 4 * 0.15 - step / 2, abs=0.05)
    with pytest.raises(ValidationError, match="same sign"):
        release_rate.release_rate(step, np.ones((2, 400)), -np.ones((3, 400)))


def test_without_noise_the_rate_is_what_was_released():
    step, time = 0.05, 0.05 * np.arange(300)
    shape = (1 - np.exp(-time / 0.2)) * np.exp(-time / 1.5)
    rate = 20 * np.exp(-0.5 * ((time - 4) / 0.5) ** 2)
    evoked = np.convolve(rate, shape)[:300] * step
    found = release_rate.release_rate(step, evoked, shape, noise_sd=0.0, number=5)
    np.testing.assert_allclose(found.rate[:200], rate[:200], atol=0.05)
    assert found.resolution <= 0.2 and found.half_width.value == pytest.approx(2.355 * 0.5, abs=0.1)


@pytest.mark.stat
def test_a_poisson_process_with_a_dead_time_passes_as_often_as_is_said():
    rng, sets = np.random.default_rng(12), 80
    found = [intervals.against_poisson(5.0 + rng.exponential(200.0, 60), 5.0, seed=s) for s in range(sets)]
    assert_covered([(f.rate.low, f.rate.high) for f in found], 5.0, sets, bias=0.02)
    for p in ("distribution_p", "trend_p"):
        share = np.mean([getattr(f, p) < 0.05 for f in found])
        assert abs(share - 0.05) < sigmas() * np.sqrt(0.05 * 0.95 / sets) + 0.01
    guessed = intervals.against_poisson(5.0 + rng.exponential(200.0, 400))
    assert guessed.dead_time == pytest.approx(5.0, abs=5.0) and guessed.distribution_p > 1e-3


@pytest.mark.stat
def test_the_power_of_the_interval_test_is_what_it_says():
    rng = np.random.default_rng(13)
    told = intervals.against_poisson(rng.exponential(200.0, 150), 0.0).power[0.8]
    seen = np.mean([
        intervals.against_poisson(rng.gamma(0.8**-2, 200.0, 150), 0.0, seed=s).distribution_p < 0.05 for s in range(40)
    ])  # fmt: skip
    assert abs(seen - told) < sigmas() * np.sqrt(0.25 / 40 + 0.25 / intervals.POWER_DRAWS)
    assert 0.1 < told < 0.9
    with pytest.raises(ValidationError, match="at most the shortest interval"):
        intervals.against_poisson(np.arange(1.0, 20.0), 3.0)


def test_tables_of_miniatures_and_two_conditions():
    rng = np.random.default_rng(14)
    columns = {
        "amplitude": rng.normal(1.0, 0.3, 400),
        "decay": np.full(400, np.nan),
        "time": np.cumsum(rng.exponential(50, 400)),
    }
    found = miniatures.features(EventTable(columns, "mV", 1))
    assert set(found) == {"amplitude", "interval"} and found["interval"].size == 399
    one = miniatures.spread("amplitude", "mV", found["amplitude"])
    assert one.mean.low < 1.0 < one.mean.high and one.cv == pytest.approx(0.3, abs=0.05)
    assert one.median.low < 1.0 < one.median.high
    x, share = miniatures.cumulative(np.array([3.0, 1.0, 2.0]))
    assert x.tolist() == [1, 2, 3] and share[-1] == 1.0
    same = miniatures.compare("amplitude", found["amplitude"], rng.normal(1.0, 0.3, 300))
    other = miniatures.compare("amplitude", found["amplitude"], rng.normal(1.3, 0.3, 300))
    assert same.p_value > 1e-3 > other.p_value and other.ratio == pytest.approx(1.3, rel=0.1)
    seen = rng.normal(1.0, 0.3, 4000)
    mean, sd, p = miniatures.quantal_distribution(seen[seen > 0.8], "mV", 0.8)
    assert_within(mean.value, 1.0, mean.standard_error)
    assert_within(sd.value, 0.3, sd.standard_error)
    assert p > 1e-3
    with pytest.raises(ValidationError, match="at most the smallest amplitude"):
        miniatures.quantal_distribution(seen, "mV", 0.8)


def test_too_little_is_refused_in_a_sentence():
    one, two = np.array([1.0, 2.0]), np.array([0.5, 0.6])
    for refused in (
        lambda: trains.cumulative(np.ones((5, 4))), lambda: trains.paired_pulse(np.ones((2, 2))),
        lambda: covariance.covariance(np.ones((5, 2))), lambda: intervals.against_poisson(np.ones(4)),
        lambda: content.contents(np.array([1.0, np.nan, 2.0])), lambda: trains.recovery(one, two),
        lambda: trains.elmqvist_quastel(np.ones((5, 6)), first=9),
        lambda: miniatures.spread("decay", "ms", np.ones(2)),
    ):  # fmt: skip
        with pytest.raises(ValidationError):
            refused()
    kept = measured.of_replicates("x", "", 1.0, np.append(np.arange(100.0), np.nan))
    assert (kept.low, kept.high) == (2.0, 97.0)
