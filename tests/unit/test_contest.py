"""One site, one event: the earliest claimant wins, whoever stands where in memory; who comes later must wait."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmjmc.kernel.jax_pass.contest import PASSES, unclaimed, winners
from nmjmc.kernel.jax_pass.stage import stages
from tests.statistics import assert_chi_square

SITES, ENTRIES = 16, 64


@jax.jit
def contest(board, passed, site, claims, age, key):
    return winners(board, passed, site, claims, age, key, stages(passed >= 0))


def hold(board, passed, site, claims, keys):
    won, late, board = contest(
        board,
        jnp.int32(passed),
        jnp.asarray(site, jnp.int32),
        jnp.asarray(claims),
        jnp.asarray(keys[0], jnp.float32),
        jnp.asarray(keys[1], jnp.uint32),
    )
    return np.asarray(won), np.asarray(late), board


def claimants(seed, *, ties=False):
    rng = np.random.default_rng(seed)
    site, claims = rng.integers(0, SITES, ENTRIES), rng.random(ENTRIES) < 0.6
    age = rng.random(ENTRIES).astype(np.float32)
    if ties:
        # the first round is often a tie, the second never
        age = np.round(age)
    key = rng.permutation(ENTRIES).astype(np.uint32) << np.uint32(20)
    return site, claims, (age, key)


@pytest.mark.unit
@given(seed=st.integers(0, 2**31), ties=st.booleans(), passed=st.integers(0, PASSES - 1))
def test_each_claimed_site_has_one_winner_the_earliest(seed, ties, passed):
    site, claims, keys = claimants(seed, ties=ties)
    won, late, _ = hold(unclaimed(SITES), passed, site, claims, keys)
    assert not np.any(won & ~claims)
    expected = np.isin(np.arange(SITES), site[claims]).astype(int)
    np.testing.assert_array_equal(np.bincount(site[won], minlength=SITES), expected)
    instant = np.floor(keys[0].astype(np.float64) * (2**19 - 1))
    first = np.full(SITES, np.inf)
    np.minimum.at(first, site[claims], instant[claims])
    np.testing.assert_array_equal(instant[won], first[site[won]])
    # who only looks is late where somebody has changed the site before
    clear = np.abs(instant - first[site]) > 1
    np.testing.assert_array_equal(late[clear], (~claims & (instant > first[site]))[clear])


@pytest.mark.unit
@given(seed=st.integers(0, 2**31), ties=st.booleans())
def test_the_winner_does_not_depend_on_order_in_memory(seed, ties):
    site, claims, keys = claimants(seed, ties=ties)
    order = np.random.default_rng(seed + 1).permutation(ENTRIES)
    won, late, _ = hold(unclaimed(SITES), 3, site, claims, keys)
    moved, moved_late, _ = hold(
        unclaimed(SITES), 3, site[order], claims[order], (keys[0][order], keys[1][order])
    )
    np.testing.assert_array_equal(moved, won[order])
    np.testing.assert_array_equal(moved_late, late[order])


@pytest.mark.unit
def test_old_claims_do_not_count():
    # the same board through passes up to the last; each contest is as on a fresh board
    board = unclaimed(SITES)
    for passed in (0, 1, 2, PASSES // 2, PASSES - 2, PASSES - 1):
        site, claims, keys = claimants(passed)
        won, late, board = hold(board, passed, site, claims, keys)
        fresh, fresh_late, _ = hold(unclaimed(SITES), passed, site, claims, keys)
        np.testing.assert_array_equal(won, fresh)
        np.testing.assert_array_equal(late, fresh_late)


@pytest.mark.stat
def test_every_claimant_of_one_moment_has_the_same_chance():
    # 64 claimants of one site, 4096 contests; false-positive rate 1e-6
    rng = np.random.default_rng(8)
    wins = np.zeros(ENTRIES)
    for _ in range(4096):
        keys = np.full(ENTRIES, 0.5), rng.integers(0, 2**32, ENTRIES, dtype=np.uint32)
        won, _, _ = hold(unclaimed(SITES), 0, np.zeros(ENTRIES), np.ones(ENTRIES, bool), keys)
        wins += won
    assert_chi_square(wins, np.full(ENTRIES, 64.0))
