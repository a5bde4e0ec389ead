"""Where everything that has a next event stands: arrays of one fixed size, whatever the numbers of a run.

**Layout.** An arena holds the patches of a batch one behind the other. Each patch has a stretch of *slots*, which
begins at a multiple of 32: first one for each of its molecules, then, where sites may have clocks that no molecule has
brought, one reserved for each site. A slot holds either a free molecule, whose next event is its arrival, or the clock
of a site, whose next event is a transition of that site. A molecule that binds brings its slot: it becomes the clock.
The slots that a site has are a chain: the site's word names the top, each slot names the one below it. Only the top may
run; those below sleep until the top leaves with a molecule. So slots are neither sought, packed nor lost.

    due    [32, words]   time of the next event [ms]; slot s stands at [s % 32, s // 32]; infinite: asleep or spent
    rows   [slots, ...]  the rest of a slot, in words of 32 bits (`Entries`)
    sites  [sites]       state in the low byte, the slot on top above it, counted within the patch
    claims [sites]       who came last to change a site, see `claims`

**Invariant.** A clock with a finite due time is the top of its site, and a site has at least as many slots as
molecules.

**One rounding rule.** The smallest arena of its platform, or 8, 64, ... times as large in all three sizes. So nearly
all runs have the same arena, and with it the same programs.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Bool, Float, Int, UInt32

from nmjmc.kernel.physics import random

NEVER = float("inf")
WORD = 32
CLOCK = 5
"""Kind of a slot that is a site's clock; free molecules have kinds below it (`survival.Start`, `flat.ESCAPE`)."""
NONE = 0xFFFFFF
"""Number of a slot that there is not; a site's word has 24 bits for it."""
PLAIN = 4
"""Words of a row without `z` and `tile`, or `origin`."""

_STATE = 0xFF
_RATIO = 8


class Size(NamedTuple):
    """Most patches, slots and sites of a batch."""

    patches: int
    slots: int
    sites: int

    @property
    def bytes(self) -> int:
        """Memory of an arena of this size, the longest rows taken."""
        return 4 * (self.slots * (1 + PLAIN + 3) + 2 * self.sites)


_SMALLEST = {"cpu": Size(64, 2**19, 2**20), "gpu": Size(2**11, 2**24, 2**25)}


def smallest(platform: str) -> Size:
    """The smallest arena of a platform, which nearly all runs take."""
    return _SMALLEST["cpu" if platform == "cpu" else "gpu"]


def size_for(needed: Size, platform: str) -> Size:
    """The arena for a batch."""
    size = smallest(platform)
    while any(have < wanted for have, wanted in zip(size, needed, strict=True)):
        size = Size(*(_RATIO * part for part in size))
    return size


class Patches(NamedTuple):
    """What stays the same while a batch runs.

    Attributes:
        keys: random key of each patch.
        first: first slot of each patch.
        molecules: how many molecules each has, which is the number in the patch of the slot reserved for site 0.
        of_word: which patch the 32 slots of a word belong to.
        sites: sites of a patch.
        reserved: whether there are reserved slots.
        words: words of slots that are in use.
    """

    keys: random.Words
    first: Int[Array, " v"]
    molecules: Int[Array, " v"]
    of_word: Int[Array, " w"]
    sites: Int[Array, ""]
    reserved: Bool[Array, ""]
    words: Int[Array, ""]


class Entries(NamedTuple):
    """Some slots, field by field.

    Attributes:
        due: time of the next event [ms].
        x, y: where a molecule's journey ends [um]; of a clock, as integers, the slot below it and the number of its
            site in the patch.
        kind: what a molecule does on arrival, or `CLOCK`.
        draw: the first random number that it has not used.
        z, tile: height of a molecule above the crests [um] and the tile that it tries, where transport is stepped.
        origin: where and when a molecule's journey began (x, y [um], time [ms]), where exact journeys are viewed.
    """

    due: Float[Array, " e"]
    x: Float[Array, " e"]
    y: Float[Array, " e"]
    kind: UInt32[Array, " e"]
    draw: UInt32[Array, " e"]
    z: Float[Array, " e"] | None = None
    tile: Int[Array, " e"] | None = None
    origin: tuple[Float[Array, " e"], Float[Array, " e"], Float[Array, " e"]] | None = None

    @property
    def below(self) -> Int[Array, " e"]:
        """The slot below a clock."""
        return bits(self.x, jnp.int32)

    @property
    def site(self) -> Int[Array, " e"]:
        """The site of a clock, counted within its patch."""
        return bits(self.y, jnp.int32)


def bits(values: Array, kind: type) -> Array:
    """The same bits read as another kind of number."""
    return lax.bitcast_convert_type(values, kind)


def rows_of(entries: Entries) -> UInt32[Array, "e w"]:
    """The rows of some slots; stacked first and transposed then, which is several times as fast as a row at a time."""
    fields = jax.tree.leaves(tuple(entries[1:]))
    return jnp.stack([f if f.dtype == jnp.uint32 else bits(f, jnp.uint32) for f in fields]).T


def entries_of(due: Float[Array, " e"], rows: UInt32[Array, "e w"]) -> Entries:
    """Slots field by field, from their due times and rows."""
    column = [rows[:, k] for k in range(rows.shape[1])]
    x, y = (bits(word, jnp.float32) for word in column[:2])
    more = [bits(word, jnp.float32) for word in column[PLAIN:]]
    z, tile = (more[0], bits(column[PLAIN + 1], jnp.int32)) if len(more) == 2 else (None, None)
    origin = (more[0], more[1], more[2]) if len(more) == 3 else None
    return Entries(due, x, y, column[2], column[3], z, tile, origin)


def state_of(word: UInt32[Array, " e"]) -> Int[Array, " e"]:
    """The state that a site's word names."""
    return (word & jnp.uint32(_STATE)).astype(jnp.int32)


def top_of(word: UInt32[Array, " e"]) -> Int[Array, " e"]:
    """The slot on top of a site, `NONE` for none."""
    return (word >> jnp.uint32(8)).astype(jnp.int32)


def word_of(state: Int[Array, " e"], top: Int[Array, " e"]) -> UInt32[Array, " e"]:
    """The word of a site."""
    return state.astype(jnp.uint32) | (top.astype(jnp.uint32) << jnp.uint32(8))
