"""The pool: a dense list of everything that has a next event, and how the due part of it is found.

An entry is either a free ACh molecule (its next arrival) or the clock of a site (its next transition). A molecule
that binds hands its entry to the site's clock; a clock whose site has changed since it was set is stale, which
its `tag` shows, and is dropped when it falls due.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Bool, Float, Int, UInt32

from nmjmc.kernel.jax_pass.stage import Stage

NEVER = float("inf")

_WORD = 32
_BLOCK = 16


class Entries(NamedTuple):
    """Some entries, field by field.

    Attributes:
        due: time of the next event, infinite for a spent entry [ms].
        x, y: where a molecule's journey ends [um].
        owner: global number of the clock's site, or of the first site of the molecule's patch.
        tag: for a clock the site's word at its setting; for a molecule what it does on arrival (below `FIRST`).
        lineage: which molecule this is, half of the counter of its random numbers.
        draw: its first unused random number, the other half.
        z: height of a molecule above the crests [um], where transport is stepped.
        origin: where and when a molecule's journey began (x, y [um], time [ms]), where exact journeys are viewed.
    """

    due: Float[Array, " e"]
    x: Float[Array, " e"]
    y: Float[Array, " e"]
    owner: Int[Array, " e"]
    tag: UInt32[Array, " e"]
    lineage: UInt32[Array, " e"]
    draw: UInt32[Array, " e"]
    z: Float[Array, " e"] | None = None
    origin: tuple[Float[Array, " e"], Float[Array, " e"], Float[Array, " e"]] | None = None


PLAIN = 6
"""Words of a row without `z` and `origin`."""


class Pool(NamedTuple):
    """All entries: their due times, which every pass reads, and the rest in rows, which it seldom touches."""

    due: Float[Array, " n"]
    rows: UInt32[Array, "n w"]


def pack(entries: Entries, stage: Stage) -> Pool:
    """Entries as a pool; stacked first and transposed then, which is several times as fast as a row at a time."""
    fields = jax.tree.leaves(tuple(entries[1:]))
    words = [e if e.dtype == jnp.uint32 else lax.bitcast_convert_type(e, jnp.uint32) for e in fields]
    stacked = stage(lambda: jnp.stack(words, axis=0))
    return Pool(entries.due, stage(lambda: stacked.T + jnp.uint32(0)))


def unpack(pool: Pool) -> Entries:
    """A pool, field by field."""
    column = [pool.rows[:, k] for k in range(pool.rows.shape[1])]
    real = [lax.bitcast_convert_type(c, jnp.float32) for c in column[:2]]
    more = [lax.bitcast_convert_type(c, jnp.float32) for c in column[PLAIN:]]
    z = more[0] if len(more) == 1 else None
    origin = (more[0], more[1], more[2]) if len(more) == 3 else None
    owner = lax.bitcast_convert_type(column[2], jnp.int32)
    return Entries(pool.due, real[0], real[1], owner, column[3], column[4], column[5], z, origin)


def select(
    mask: Callable[[], Bool[Array, " n"]], capacity: int, stage: Stage
) -> tuple[Int[Array, " e"], Int[Array, ""]]:
    """Positions of the set entries of a mask, and their number (which may exceed the capacity).

    The mask is packed in 32-bit words, so that the cost is mostly one pass over it: about a tenth of
    `jnp.nonzero`. Unused positions hold the mask's length.

    Args:
        mask: computes the mask; its length is a multiple of 32.
        capacity: length of the answer.
        stage: see `nmjmc.kernel.jax_pass.stage`.
    """
    packed, before, after = stage(lambda: _pack_mask(mask()))
    rows = packed.shape[0]
    row = stage(lambda: _row_of_place(after, capacity))
    place = jnp.arange(capacity, dtype=jnp.int32)
    word, skip = stage(lambda: (packed[row], place - before[row]))
    index = _nth_set_bit(word, skip) * rows + row
    return stage(lambda: jnp.where(place < after[-1], index, rows * _WORD)), after[-1]


def _pack_mask(mask: Bool[Array, " n"]) -> tuple[UInt32[Array, " r"], Int[Array, " r"], Int[Array, " r"]]:
    """The mask as words of 32 bits, and how many bits are set before each word and up to its end.

    Bit b of word r stands for entry b R + r, R the number of words: so the packing runs along the entries.
    """
    bit = jnp.uint32(1) << jnp.arange(_WORD, dtype=jnp.uint32)
    rows = mask.reshape(_WORD, -1)
    packed = jnp.sum(jnp.where(rows, bit[:, None], jnp.uint32(0)), axis=0, dtype=jnp.uint32)
    count = lax.population_count(packed).astype(jnp.int32)
    after = prefix_sum(count)
    return packed, after - count, after


def _row_of_place(after: Int[Array, " r"], capacity: int) -> Int[Array, " e"]:
    """The row that holds the set bit of each place: the number of rows that end at or before it."""
    ends = (
        jnp.zeros(capacity + 1, jnp.int32).at[jnp.minimum(after, capacity)].add(1, mode="promise_in_bounds")
    )
    return jnp.minimum(prefix_sum(ends[:capacity]), after.shape[0] - 1)


def prefix_sum(values: Int[Array, " n"]) -> Int[Array, " n"]:
    """Inclusive prefix sum, by blocks: the masked triangle of a small block vectorises, a scan does not."""
    n = values.shape[0]
    rows = -(-n // _BLOCK)
    padded = jnp.pad(values, (0, rows * _BLOCK - n)).reshape(rows, _BLOCK)
    place = jnp.arange(_BLOCK)
    upper = place[:, None] <= place[None, :]
    within = jnp.sum(jnp.where(upper[None], padded[:, :, None], 0), axis=1)
    if rows == 1:
        return within[0, :n]
    total = within[:, -1]
    return (within + (prefix_sum(total) - total)[:, None]).reshape(-1)[:n]


def _nth_set_bit(word: UInt32[Array, " e"], n: Int[Array, " e"]) -> Int[Array, " e"]:
    """Position of the n-th (from 0) set bit of each word, by halving."""
    position = jnp.zeros_like(n)
    for half in (16, 8, 4, 2, 1):
        low = word & jnp.uint32((1 << half) - 1)
        below = lax.population_count(low).astype(jnp.int32)
        high = n >= below
        n = jnp.where(high, n - below, n)
        position = position + jnp.where(high, half, 0)
        word = jnp.where(high, word >> jnp.uint32(half), low)
    return position


def gather(pool: Pool, index: Int[Array, " e"]) -> Pool:
    """The entries at `index`; positions past the end give spent entries."""
    inside = jnp.minimum(index, pool.due.shape[0] - 1)
    due = pool.due.at[inside].get(mode="promise_in_bounds")
    rows = pool.rows.at[inside].get(mode="promise_in_bounds")
    return Pool(jnp.where(index < pool.due.shape[0], due, NEVER), rows)


def scatter(pool: Pool, index: Int[Array, " e"], entries: Pool) -> Pool:
    """The pool with `entries` written at `index`; positions past the end are dropped."""
    return Pool(
        pool.due.at[index].set(entries.due, mode="drop"), pool.rows.at[index].set(entries.rows, mode="drop")
    )
