"""One site, one molecule: who wins when several arrive in one pass."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Int, UInt32

from nmjmc.kernel.stage import Stage

_RANDOM_BITS = 19
_ROUNDS = 2
PASSES = 2 ** (32 - _RANDOM_BITS) // _ROUNDS - 1
"""Passes after which the board must be wiped, because the numbers that date the claims run out."""


def unclaimed(sites: int) -> UInt32[Array, "sites"]:
    """A board on which nobody has claimed anything."""
    return jnp.full(sites, 0xFFFFFFFF, jnp.uint32)


def winners(
    board: UInt32[Array, "sites"],
    passed: Int[Array, ""],
    site: Int[Array, "e"],
    claims: Bool[Array, "e"],
    keys: tuple[UInt32[Array, "e"], UInt32[Array, "e"]],
    stage: Stage,
) -> tuple[Bool[Array, "e"], UInt32[Array, "sites"]]:
    """The claimant of each site with the smallest random key, whatever the order in memory.

    A claim is a number that falls from pass to pass, followed by random bits; the smallest claim on a site
    stands. So the board needs no wiping between passes. A second round decides ties of the first; what remains
    is one tie in 2^38 contests, which the conservation check would find.

    Args:
        board: claims of earlier passes.
        passed: passes since the board was wiped, below `PASSES`.
        site: site that each entry claims.
        claims: which entries claim at all.
        keys: two random words an entry.
        stage: see `nmjmc.kernel.stage`.
    """
    size = board.shape[0]
    left = claims
    for turn, key in enumerate(keys):
        date = (
            jnp.uint32(_ROUNDS * PASSES) - jnp.uint32(_ROUNDS) * passed.astype(jnp.uint32) - jnp.uint32(turn)
        )
        bid = (date << jnp.uint32(_RANDOM_BITS)) | (key >> jnp.uint32(32 - _RANDOM_BITS))
        at, bid = stage(lambda left=left, bid=bid: (jnp.where(left, site, size), bid))
        board = board.at[at].min(bid, mode="drop")
        best = board.at[jnp.minimum(at, size - 1)].get(mode="promise_in_bounds")
        left = left & (best == bid)
        if turn + 1 < _ROUNDS:
            left = stage(lambda left=left: left)
    return left, board
