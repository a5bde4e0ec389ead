"""One site, one event: who comes first when several arrive in one pass."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float, Int, UInt32

from nmjmc.kernel.jax_pass.stage import Stage

_LOW_BITS = 19
_ROUNDS = 2
PASSES = 2 ** (32 - _LOW_BITS) // _ROUNDS - 1
"""Passes after which the board must be wiped, because the numbers that date the claims run out."""


def unclaimed(sites: int) -> UInt32[Array, " sites"]:
    """A board on which nobody has claimed anything."""
    return jnp.full(sites, 0xFFFFFFFF, jnp.uint32)


def winners(
    board: UInt32[Array, " sites"],
    passed: Int[Array, ""],
    site: Int[Array, " e"],
    claims: Bool[Array, " e"],
    age: Float[Array, " e"],
    key: UInt32[Array, " e"],
    stage: Stage,
) -> tuple[Bool[Array, " e"], Bool[Array, " e"], UInt32[Array, " sites"]]:
    """The earliest claimant of each site, whatever the order in memory, and who came to a site after its winner.

    A claim is a number that falls from pass to pass, followed by the claimant's time; the smallest claim on a site
    stands. So the board needs no wiping between passes. A second round with random bits decides ties of the first;
    what remains is one tie in 2^19 of claims of the same moment, which the conservation check would find.

    Args:
        board: claims of earlier passes.
        passed: passes since the board was wiped, below `PASSES`.
        site: site that each entry claims or looks at.
        claims: which entries claim at all.
        age: time of each entry within the window, 0 to 1.
        key: a random word an entry.
        stage: see `nmjmc.kernel.jax_pass.stage`.

    Returns:
        Which entries have won; which did not claim, but look at a site that somebody has changed before; the board.
    """
    size = board.shape[0]
    look = jnp.clip(site, 0, size - 1)
    instant = (jnp.clip(age, 0.0, 1.0) * float(2**_LOW_BITS - 1)).astype(jnp.uint32)
    left = claims
    late = claims
    for turn, low in enumerate((instant, key >> jnp.uint32(32 - _LOW_BITS))):
        date = (
            jnp.uint32(_ROUNDS * PASSES) - jnp.uint32(_ROUNDS) * passed.astype(jnp.uint32) - jnp.uint32(turn)
        )
        bid = (date << jnp.uint32(_LOW_BITS)) | low
        at, bid = stage(lambda left=left, bid=bid: (jnp.where(left, site, size), bid))
        board = board.at[at].min(bid, mode="drop")
        best = board.at[look].get(mode="promise_in_bounds")
        if turn == 0:
            # claims of earlier passes are larger than any of this one
            late = ~claims & (best < bid)
        left = left & (best == bid)
        if turn + 1 < _ROUNDS:
            left, late = stage(lambda left=left, late=late: (left, late))
    return left, late, board
