"""Finding what falls due in a window: the slots whose time has come, in the order of the slots, a tile at a time.

The due times stand in 32 rows, so that a column of them makes one word of 32 bits; the words' counts are added up.
A place in the list of due slots is then found by halving: first the word, then the bit.

    packed [words]  bit b of word w: slot 32 w + b is due
    after  [words]  how many are due up to the end of a word; more than any where no slots are in use

**Invariant.** The order is that of the slots, so that a patch's own are met in the same order in any company.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Bool, Float, Int, UInt32

from nmjmc.kernel.jax_pass.arena import WORD
from nmjmc.kernel.jax_pass.stage import Stage

_MANY = 2**31 - 1
_BLOCK = 16


class Due(NamedTuple):
    """Which slots are due."""

    packed: UInt32[Array, " w"]
    after: Int[Array, " w"]
    total: Int[Array, ""]


def nothing(words: int) -> Due:
    """A list of none, for so many words of slots."""
    return Due(jnp.zeros(words, jnp.uint32), jnp.full(words, _MANY, jnp.int32), jnp.int32(0))


def find(
    due: Float[Array, "b w"],
    until: Float[Array, ""],
    used: Int[Array, ""],
    last: Due,
    length: int,
    stage: Stage,
) -> Due:
    """The slots due before `until`.

    Args:
        due: the due times.
        until: end of the window [ms].
        used: words of slots that are in use.
        last: the list of the last window, which is written over.
        length: words that are looked at together; divides the number of words.
        stage: see `nmjmc.kernel.jax_pass.stage`.
    """
    bit = jnp.uint32(1) << jnp.arange(WORD, dtype=jnp.uint32)

    def some(block: Int[Array, ""], found: Due) -> Due:
        at = block * length
        part = lax.dynamic_slice(due, (0, at), (WORD, length))
        packed = stage(
            lambda: jnp.sum(jnp.where(part < until, bit[:, None], jnp.uint32(0)), axis=0, dtype=jnp.uint32)
        )
        after = stage(lambda: found.total + prefix_sum(lax.population_count(packed).astype(jnp.int32)))
        return Due(
            lax.dynamic_update_slice(found.packed, packed, (at,)),
            lax.dynamic_update_slice(found.after, after, (at,)),
            after[-1],
        )

    return lax.fori_loop(0, (used + length - 1) // length, some, last._replace(total=jnp.int32(0)))


def tile(found: Due, place: Int[Array, " e"]) -> tuple[Int[Array, " e"], Bool[Array, " e"]]:
    """The slots at some places of the list, and which places there are."""
    word = jnp.zeros_like(place)
    half = found.after.shape[0] // 2
    while half:
        beyond = found.after.at[word + (half - 1)].get(mode="promise_in_bounds") <= place
        word = jnp.where(beyond, word + half, word)
        half //= 2
    before = jnp.where(word > 0, found.after.at[jnp.maximum(word - 1, 0)].get(mode="promise_in_bounds"), 0)
    bit = _nth_set_bit(found.packed.at[word].get(mode="promise_in_bounds"), place - before)
    return word * WORD + bit, place < found.total


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
