"""The pool: finding what is due, sums, and entries that survive being packed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nmjmc.kernel.jax_pass.pool import NEVER, Entries, gather, pack, prefix_sum, scatter, select, unpack
from nmjmc.kernel.jax_pass.stage import stages


def chosen(mask, capacity):
    """`select` under jit, as the kernel calls it; in what order it lists is its own affair."""

    @jax.jit
    def find(mask):
        return select(lambda: mask, capacity, stages(mask.shape[0] > jnp.int32(0)))

    index, count = find(jnp.asarray(mask))
    return np.asarray(index), int(count)


def some_entries(count, seed=1):
    rng = np.random.default_rng(seed)
    word = rng.integers(0, 2**32, (3, count), dtype=np.uint32)
    real = rng.normal(size=(3, count)).astype(np.float32)
    owner = rng.integers(0, 2**31 - 1, count).astype(np.int32)
    return Entries(*(jnp.asarray(v) for v in (*real, owner, *word)))


@pytest.mark.unit
@pytest.mark.parametrize("density", [0.0, 0.001, 0.03, 0.5, 1.0])
@pytest.mark.parametrize("length", [32, 1024, 33 * 32])
def test_select_is_nonzero(length, density):
    mask = np.random.default_rng(length).random(length) < density
    expected = np.nonzero(mask)[0]
    index, count = chosen(mask, length)
    assert count == expected.size
    np.testing.assert_array_equal(np.sort(index[:count]), expected)
    np.testing.assert_array_equal(index[count:], length)


@pytest.mark.unit
def test_select_tells_when_its_list_is_too_short():
    mask = np.random.default_rng(3).random(2048) < 0.5
    index, count = chosen(mask, 96)
    assert count == mask.sum() > 96
    assert np.unique(index).size == 96
    assert mask[index].all()


@pytest.mark.unit
@pytest.mark.parametrize("length", [1, 15, 16, 17, 255, 256, 257, 4097, 70_000])
def test_prefix_sum(length):
    values = np.random.default_rng(length).integers(-5, 50, length).astype(np.int32)
    np.testing.assert_array_equal(prefix_sum(jnp.asarray(values)), np.cumsum(values))


@pytest.mark.unit
def test_entries_survive_packing():
    entries = some_entries(100)
    stage = stages(jnp.asarray(True))
    for a, b in zip(jax.tree.leaves(unpack(pack(entries, stage))), jax.tree.leaves(entries), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


@pytest.mark.unit
def test_gather_and_scatter():
    stage = stages(jnp.asarray(True))
    pool, new = pack(some_entries(64), stage), pack(some_entries(4, seed=2), stage)
    # positions past the end: spent when read, dropped when written
    read = gather(pool, jnp.asarray([3, 64, 60, 64]))
    np.testing.assert_array_equal(read.due[1::2], np.full(2, NEVER))
    np.testing.assert_array_equal(read.rows[::2], pool.rows[np.array([3, 60])])
    written = scatter(pool, jnp.asarray([5, 64, 0, 70]), new)
    np.testing.assert_array_equal(written.due[np.array([5, 0])], new.due[::2])
    np.testing.assert_array_equal(written.rows[np.array([5, 0])], new.rows[::2])
    rest = np.setdiff1d(np.arange(64), [0, 5])
    np.testing.assert_array_equal(written.rows[rest], pool.rows[rest])
