"""The arena of the pass of JAX: slots survive being written, what is due is found, a site changes once a window."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmjmc.kernel.jax_pass import arena, begin, claims, due
from nmjmc.kernel.jax_pass.stage import stages
from nmjmc.kernel.physics.lower import lower
from tests.system.test_reproducible import small

pytestmark = pytest.mark.unit
WORDS, BLOCK, TILE, SITES = 64, 16, 32, 16
LOWERED = lower(small())


@pytest.mark.parametrize("more", [(), ("z", "tile"), ("origin",)])
def test_rows_are_read_as_they_were_written(more):
    rng = np.random.default_rng(1)
    real, word = (
        rng.normal(size=(7, 100)).astype(np.float32),
        rng.integers(0, 2**32, (3, 100), dtype=np.uint32),
    )
    rest = {"z": real[3], "tile": word[2].view(np.int32), "origin": tuple(real[4:])}
    entries = arena.Entries(*real[:3], *word[:2], **{name: rest[name] for name in more})
    entries = jax.tree.map(jnp.asarray, entries)
    found = arena.entries_of(entries.due, arena.rows_of(entries))
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(entries), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def test_a_site_names_its_state_and_its_slot():
    state, top = jnp.asarray([0, 7, 254]), jnp.asarray([0, 2**24 - 2, arena.NONE])
    word = arena.word_of(state, top)
    np.testing.assert_array_equal(arena.state_of(word), state)
    np.testing.assert_array_equal(arena.top_of(word), top)


def test_nearly_all_batches_have_one_arena():
    base = arena.smallest("cpu")
    assert arena.size_for(arena.Size(1, 1, 1), "cpu") == arena.size_for(base, "cpu") == base
    larger = arena.size_for(base._replace(slots=base.slots + 1), "cpu")
    assert larger == tuple(8 * part for part in base)


@given(vesicles=st.integers(1, 3000), mean=st.integers(1, 60_000), lanes=st.integers(1, 8))
@settings(max_examples=50)
def test_a_batch_fits_the_smallest_arena_wherever_a_patch_does(vesicles, mean, lanes):
    contents = np.full((vesicles, 1), mean)
    count = begin.batch(LOWERED, contents, lanes, "cpu")
    assert 1 <= count <= vesicles
    assert arena.size_for(begin.needed(LOWERED, contents[:count]), "cpu") == arena.smallest("cpu")


@jax.jit
def find(times, until, used):
    """All slots of the list, tile after tile."""
    found = due.find(times, until, used, due.nothing(WORDS), BLOCK, stages(until > -1.0))
    at, there = due.tile(found, jnp.arange(32 * WORDS, dtype=jnp.int32))
    return at, there, found.total


@pytest.mark.parametrize("share", [0.0, 0.001, 0.03, 0.5, 1.0])
@pytest.mark.parametrize("used", [1, 16, 40, WORDS])
def test_what_is_due_is_found_in_the_order_of_the_slots(share, used):
    times = np.random.default_rng(used).random(32 * WORDS).astype(np.float32)
    times[32 * used :] = np.inf
    at, there, total = map(np.asarray, find(jnp.asarray(times.reshape(-1, 32).T), np.float32(share), used))
    expected = np.flatnonzero(times < share)
    assert total == expected.size == there.sum()
    np.testing.assert_array_equal(at[there], expected)


@pytest.mark.parametrize("length", [1, 16, 17, 257, 4097])
def test_prefix_sum(length):
    values = np.random.default_rng(length).integers(-5, 50, length).astype(np.int32)
    np.testing.assert_array_equal(due.prefix_sum(jnp.asarray(values)), np.cumsum(values))


@jax.jit
def come(board, date, since, site, comes, would):
    return claims.first_to_come(board, date, since, site, comes, would, stages(date >= 0))


def visits(seed, count):
    rng = np.random.default_rng(seed)
    would = rng.random(count) < 0.4
    return rng.integers(0, SITES, count), would | (rng.random(count) < 0.5), would


def held(board, date, tiles, site, comes, would):
    """Who may, in a window of so many tiles; the board and the date afterwards."""
    since, found = date - 1, []
    for part in range(tiles):
        own = slice(part * TILE, (part + 1) * TILE)
        date -= 1
        may, board = come(board, date, since, *(jnp.asarray(v[own]) for v in (site, comes, would)))
        found.append(np.asarray(may))
    return np.concatenate(found), board, date


@given(seed=st.integers(0, 2**31), tiles=st.integers(1, 4), windows=st.integers(1, 3))
@settings(max_examples=40)
def test_the_first_to_change_a_site_in_a_window_may_and_who_comes_after_waits(seed, tiles, windows):
    board, date = jnp.full(SITES, 0xFFFFFFFF, jnp.uint32), claims.dates(TILE)
    for window in range(windows):  # claims of windows before do not count
        site, comes, would = visits(seed + window, tiles * TILE)
        may, board, date = held(board, date, tiles, site, comes, would)
        changed = set()
        for place in range(len(site)):
            assert may[place] == (comes[place] and site[place] not in changed)
            if may[place] and would[place]:
                changed.add(site[place])


def test_dates_last_to_the_end():
    board = jnp.full(SITES, 0xFFFFFFFF, jnp.uint32)
    site, comes, would = visits(3, 2 * TILE)
    first, _, _ = held(board, claims.dates(TILE), 2, site, comes, would)
    _, board, _ = held(board, claims.dates(TILE), 2, site, comes, would)
    last, _, date = held(board, 2, 2, site, comes, would)
    assert date == 0
    np.testing.assert_array_equal(first, last)
