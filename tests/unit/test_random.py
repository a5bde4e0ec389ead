"""The generator against its authors' known answers, and the draws as the kernel uses them."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from nmjmc.kernel.physics import random
from tests.statistics import assert_chi_square, assert_distribution, assert_within

MANY = 2**18

# Salmon et al. 2011, the kat_vectors of Random123: rounds, counter, key, answer
KNOWN = [
    (13, (0, 0), (0, 0), (0x9D1C5EC6, 0x8BD50731)),
    (13, (0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, (0xFD36D048, 0x2D17272C)),
    (13, (0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xBA3E4725, 0xF27D669E)),
    (20, (0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
    (20, (0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, (0x1CB996FC, 0xBB002BE7)),
    (20, (0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
]


def many_words(count, *, seed=5, vesicle=0, purpose=random.Purpose.EVENT):
    """`count` words for each of `MANY` molecules of one vesicle."""
    keys = random.vesicle_keys(random.seed_words(seed), jnp.full(MANY, vesicle, jnp.uint32), purpose)
    lineage = jnp.arange(MANY, dtype=jnp.uint32)
    return random.words(keys, (lineage, jnp.zeros_like(lineage)), count)


def rank(word):
    """A word as a number in (0, 1), all bits of it."""
    return (np.asarray(word, np.float64) + 0.5) / 2**32


@pytest.mark.unit
@pytest.mark.parametrize(("rounds", "counter", "key", "answer"), KNOWN)
def test_known_answers(rounds, counter, key, answer):
    words = [[jnp.full(1, w, jnp.uint32) for w in pair] for pair in (key, counter)]
    found = random.threefry2x32(tuple(words[0]), tuple(words[1]), rounds)
    assert tuple(int(w[0]) for w in found) == answer


@pytest.mark.unit
def test_words_depend_on_their_counter_alone():
    whole = many_words(12)
    keys = random.vesicle_keys(random.seed_words(5), jnp.zeros(3, jnp.uint32), random.Purpose.EVENT)
    some = jnp.asarray([17, 4, 100_000], jnp.uint32)
    alone = random.words(keys, (some, jnp.zeros_like(some)), 12)
    for a, b in zip(whole, alone, strict=True):
        np.testing.assert_array_equal(a[np.asarray(some)], b)
    # the draws that follow start at the next pair
    later = random.words(keys, (some, jnp.full_like(some, 2)), 8)
    for a, b in zip(alone[4:], later, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.stat
def test_words_are_uniform():
    # 24 Kolmogorov-Smirnov tests at 1e-7 and 24 chi-squares at 1e-7: false-positive rate below 5e-6
    for word in many_words(24):
        assert_distribution(rank(word), stats.uniform.cdf, false_positive=1e-7)
        low = np.bincount(np.asarray(word) & 0xFF, minlength=256)
        assert_chi_square(low, np.full(256, MANY / 256), false_positive=1e-7)


@pytest.mark.stat
@pytest.mark.parametrize(
    ("first", "second"),
    [
        # neighbouring words of one event, purposes, vesicles, seeds and molecules
        (lambda: many_words(2)[0], lambda: many_words(2)[1]),
        (lambda: many_words(4)[1], lambda: many_words(4)[2]),
        (lambda: many_words(1)[0], lambda: many_words(1, purpose=random.Purpose.RELEASE)[0]),
        (lambda: many_words(1)[0], lambda: many_words(1, vesicle=1)[0]),
        (lambda: many_words(1)[0], lambda: many_words(1, seed=6)[0]),
        (lambda: many_words(1)[0], lambda: many_words(1, seed=5 + 2**32)[0]),
        (lambda: many_words(1)[0], lambda: np.roll(many_words(1)[0], 1)),
    ],
)
def test_streams_are_independent(first, second):
    # pairs on a 64 x 64 board; false-positive rate 1e-6
    a, b = (np.asarray(w) >> 26 for w in (first(), second()))
    board = np.bincount(a.astype(np.int64) * 64 + b, minlength=4096)
    assert_chi_square(board, np.full(4096, MANY / 4096))


@pytest.mark.unit
def test_uniform_never_reaches_its_ends():
    ends = random.uniform(jnp.asarray([0, 0xFFFFFFFF], jnp.uint32))
    assert 0.0 < float(ends[0]) < 1e-7
    assert 1.0 - 1e-6 < float(ends[1]) < 1.0
    assert np.isfinite(np.asarray(random.exponential(jnp.asarray([0, 0xFFFFFFFF], jnp.uint32)))).all()


@pytest.mark.stat
def test_exponential_and_normals():
    # six Kolmogorov-Smirnov tests at 1e-6
    words = [w.reshape(-1) for w in many_words(4)]
    assert_distribution(np.asarray(random.uniform(words[0]), float), stats.uniform.cdf)
    assert_distribution(np.asarray(random.exponential(words[1]), float), stats.expon.cdf)
    east, north = (np.asarray(z, float) for z in random.normal_pair(words[2], words[3]))
    for z in (east, north, (east + north) / np.sqrt(2)):
        assert_distribution(z, stats.norm.cdf)
    assert_within(float(np.mean(east * north)), 0.0, 1 / np.sqrt(MANY))
    assert_within(float(np.mean(east**2 + north**2)), 2.0, 2 / np.sqrt(MANY))


@pytest.mark.unit
def test_sine_and_cosine_of_a_turn():
    word = np.concatenate([np.arange(0, 2**32, 2**22 + 12345), [0, 2**30 - 1, 2**30, 2**32 - 1]])
    word = word.astype(np.uint32)
    sine, cosine = (np.asarray(v, np.float64) for v in random.sincos_turn(jnp.asarray(word)))
    np.testing.assert_allclose(sine**2 + cosine**2, 1.0, atol=3e-7)
    # the angle is uniform over the turn, each quadrant from -45 to 45 degrees of its middle
    part = ((word & 0x3FFFFFFF) >> 7) + 0.5
    angle = (word >> 30) * (np.pi / 2) + part * (np.pi / 2 / 2**23) - np.pi / 4
    np.testing.assert_allclose(sine, np.sin(angle), atol=2e-7)
    np.testing.assert_allclose(cosine, np.cos(angle), atol=2e-7)
