"""One site, one change in a window: who comes first when several would change it.

What is due in a window is looked at in the order of the slots, a tile at a time. Who would change a site claims it; the
first to come, by that order, changes it, and all who come to it after wait for the next window, to be judged by what
the site is then. That order has nothing to do with time, space or fate, and does not hang on where tiles begin.

    claim = (date << bits of a place) | place in the tile

The date falls from tile to tile, so that claims of the past are larger than any of now, and nothing is ever wiped
between windows. A claim dated in this window, but smaller than none of one's own tile, is of a tile before.

**Invariant.** In a window each site is changed once at most, by the due slot of the lowest number that would.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Int, UInt32

from nmjmc.kernel.jax_pass.stage import Stage


def dates(tile: int) -> int:
    """How many tiles of this length there may be before claims must be wiped."""
    return 2**32 // tile - 1


def first_to_come(
    claims: UInt32[Array, " sites"],
    date: Int[Array, ""],
    since: Int[Array, ""],
    site: Int[Array, " e"],
    comes: Bool[Array, " e"],
    would: Bool[Array, " e"],
    stage: Stage,
) -> tuple[Bool[Array, " e"], UInt32[Array, " sites"]]:
    """Who of a tile may do what it came for, and the claims with those of this tile.

    Args:
        claims: so far.
        date: of this tile.
        since: of the first tile of this window.
        site: to which each comes.
        comes: who comes to a site at all.
        would: who of them would change it.
        stage: see `nmjmc.kernel.jax_pass.stage`.
    """
    size, tile = claims.shape[0], site.shape[0]
    width = jnp.uint32(tile.bit_length() - 1)
    own = (date.astype(jnp.uint32) << width) | jnp.arange(tile, dtype=jnp.uint32)
    oldest = (since.astype(jnp.uint32) << width) + jnp.uint32(tile - 1)
    look = jnp.minimum(site, size - 1)
    free = stage(lambda: comes & (claims.at[look].get(mode="promise_in_bounds") > oldest))
    claims = claims.at[jnp.where(free & would, site, size)].min(own, mode="drop")
    return free & (claims.at[look].get(mode="promise_in_bounds") >= own), claims
