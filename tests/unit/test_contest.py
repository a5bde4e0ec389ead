"""One site, one molecule: exactly one winner, whoever stands where in memory."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmjmc.kernel.contest import PASSES, unclaimed, winners
from nmjmc.kernel.stage import stages
from tests.statistics import assert_chi_square

SITES, ENTRIES = 16, 64


@jax.jit
def contest(board, passed, site, claims, first, second):
    return winners(board, passed, site, claims, (first, second), stages(passed >= 0))


def hold(board, passed, site, claims, keys):
    won, board = contest(
        board,
        jnp.int32(passed),
        jnp.asarray(site, jnp.int32),
        jnp.asarray(claims),
        jnp.asarray(keys[0], jnp.uint32),
        jnp.asarray(keys[1], jnp.uint32),
    )
    return np.asarray(won), board


def claimants(seed, *, few_keys=False):
    rng = np.random.default_rng(seed)
    site, claims = rng.integers(0, SITES, ENTRIES), rng.random(ENTRIES) < 0.6
    keys = rng.integers(0, 2**32, (2, ENTRIES), dtype=np.uint32)
    if few_keys:
        # the first round is often a tie, the second never
        keys[0] &= np.uint32(0x80000000)
        keys[1] = rng.permutation(ENTRIES).astype(np.uint32) << np.uint32(20)
    return site, claims, keys


@pytest.mark.unit
@given(seed=st.integers(0, 2**31), few_keys=st.booleans(), passed=st.integers(0, PASSES - 1))
def test_each_claimed_site_has_one_winner(seed, few_keys, passed):
    site, claims, keys = claimants(seed, few_keys=few_keys)
    won, _ = hold(unclaimed(SITES), passed, site, claims, keys)
    assert not np.any(won & ~claims)
    expected = np.isin(np.arange(SITES), site[claims]).astype(int)
    np.testing.assert_array_equal(np.bincount(site[won], minlength=SITES), expected)


@pytest.mark.unit
@given(seed=st.integers(0, 2**31), few_keys=st.booleans())
def test_the_winner_does_not_depend_on_order_in_memory(seed, few_keys):
    site, claims, keys = claimants(seed, few_keys=few_keys)
    order = np.random.default_rng(seed + 1).permutation(ENTRIES)
    won, _ = hold(unclaimed(SITES), 3, site, claims, keys)
    moved, _ = hold(unclaimed(SITES), 3, site[order], claims[order], keys[:, order])
    np.testing.assert_array_equal(moved, won[order])


@pytest.mark.unit
def test_old_claims_do_not_count():
    # the same board through passes up to the last; each contest is as on a fresh board
    board = unclaimed(SITES)
    for passed in (0, 1, 2, PASSES // 2, PASSES - 2, PASSES - 1):
        site, claims, keys = claimants(passed)
        won, board = hold(board, passed, site, claims, keys)
        fresh, _ = hold(unclaimed(SITES), passed, site, claims, keys)
        np.testing.assert_array_equal(won, fresh)


@pytest.mark.stat
def test_every_claimant_has_the_same_chance():
    # 64 claimants of one site, 4096 contests; false-positive rate 1e-6
    rng = np.random.default_rng(8)
    wins = np.zeros(ENTRIES)
    for _ in range(4096):
        keys = rng.integers(0, 2**32, (2, ENTRIES), dtype=np.uint32)
        won, _ = hold(unclaimed(SITES), 0, np.zeros(ENTRIES), np.ones(ENTRIES, bool), keys)
        wins += won
    assert_chi_square(wins, np.full(ENTRIES, 64.0))
