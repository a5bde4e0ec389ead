"""What a tile of due slots meets: the site that each comes to, what its chance makes of it, and who may.

A molecule that arrives attempts to bind; it is accepted with the chance of the site's present state,

    a(state) = (binding rate of the state) / (fastest of its plane)

A clock takes one of the spontaneous paths of its site's state with the share of its rate. Both would change the site;
who may is told by `claims`.

**Random words** of an event, by number: acceptance, choice of a path, two for the point on a tile, the wait of the
clock that takes over, and a journey.

**Invariant.** Slots that wait keep their words, so that an attempt is judged by the same chance in the next window.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Int, UInt32

from nmjmc.kernel.jax_pass import flat, folds, stepped
from nmjmc.kernel.jax_pass.arena import CLOCK, Entries, Patches, state_of
from nmjmc.kernel.jax_pass.stage import Stage
from nmjmc.kernel.physics import lattice as lattices
from nmjmc.kernel.physics import random
from nmjmc.kernel.physics.survival import Start
from nmjmc.kernel.physics.tables import Chemistry, Tables

ACCEPT, CHOICE, POINT, WAIT, JOURNEY = 0, 1, 2, 4, 5
LEAVE = JOURNEY + stepped.MOVE
"""A release by steps takes a part of a journey's words, and this one for its chance to get away."""

_EXACT, _STEPPED = JOURNEY + flat.WORDS, JOURNEY + stepped.WORDS


class Meeting(NamedTuple):
    """Some due slots and what they meet.

    Attributes:
        entry: the slots.
        patch: whose they are.
        slot: their numbers within the patch.
        words: the random words of their events.
        tile: tile that each comes to, counted within the patch.
        site: the same in the arena.
        word: of that site.
        attempts: molecules that arrive at a tile.
        escapes: molecules that arrive beyond the rim.
        clock: clocks that run out.
        deep: whether the tile is on the surfaces inside folds, where there are any.
    """

    entry: Entries
    patch: Int[Array, " e"]
    slot: Int[Array, " e"]
    words: list[Array]
    tile: Int[Array, " e"]
    site: Int[Array, " e"]
    word: UInt32[Array, " e"]
    attempts: Bool[Array, " e"]
    escapes: Bool[Array, " e"]
    clock: Bool[Array, " e"]
    deep: Bool[Array, " e"] | None = None


class Wish(NamedTuple):
    """What due slots would do if nobody had come before.

    Attributes:
        binds: whether an attempt is accepted.
        transition: the transition that the site would make.
        stays: clocks whose molecule does not get away within the step; None where transport is exact.
    """

    binds: Bool[Array, " e"]
    transition: Int[Array, " e"]
    stays: Bool[Array, " e"] | None


def counters(entry: Entries) -> int:
    """Counters of random numbers that an event uses up: one for each pair of words."""
    return (_words(entry) + 1) // 2


def _words(entry: Entries) -> int:
    return _EXACT if entry.z is None else _STEPPED


@jax.named_scope("meet")
def meet(
    tables: Tables,
    patches: Patches,
    sites: UInt32[Array, " sites"],
    entry: Entries,
    at: Int[Array, " e"],
    there: Bool[Array, " e"],
    stage: Stage,
) -> Meeting:
    """What the slots `at` (of the arena) meet; `there`: which of them are due."""
    patch = patches.of_word.at[at // 32].get(mode="promise_in_bounds")
    slot = at - patches.first[patch]
    key = (patches.keys[0][patch], patches.keys[1][patch])
    words = stage(lambda: random.words(key, (slot.astype(jnp.uint32), entry.draw), _words(entry)))
    return Meeting(
        entry, patch, slot, words, *stage(lambda: _place(tables, patches, sites, entry, patch, there))
    )


def _place(
    tables: Tables,
    patches: Patches,
    sites: UInt32[Array, " sites"],
    entry: Entries,
    patch: Int[Array, " e"],
    there: Bool[Array, " e"],
) -> tuple[Array, Array, Array, Array, Array, Array, Array | None]:
    """The fields of `Meeting` from `tile` on."""
    clock = there & (entry.kind == CLOCK)
    molecule = there & ~clock
    on_receptor = entry.kind == jnp.uint32(Start.RECEPTOR)
    escapes = molecule & (entry.kind == jnp.uint32(flat.ESCAPE))
    deep = None
    if entry.tile is None:
        plane = jnp.where(on_receptor, lattices.RECEPTOR, lattices.ESTERASE)
        tile, inside = lattices.tile_under(tables.lattice, plane, entry.x, entry.y)
        attempts = molecule & inside & (on_receptor | (entry.kind == jnp.uint32(Start.ESTERASE)))
    else:  # a step has found its tile itself
        tile, attempts = entry.tile, molecule & on_receptor
    tile = jnp.where(clock, entry.site, tile)
    if tables.stepping is not None and tables.stepping.folds is not None:
        deep = folds.in_fold(tables.stepping.folds, tile)
    site = patch * patches.sites + tile
    word = sites.at[jnp.minimum(site, sites.shape[0] - 1)].get(mode="promise_in_bounds")
    return tile, site, word, attempts, escapes, clock, deep


def decide(chemistry: Chemistry, met: Meeting) -> Wish:
    """Which attempts would be accepted, and the transition that each slot would make."""
    state, states = state_of(met.word), chemistry.states
    chance = random.uniform(met.words[ACCEPT])
    shift = 0 if met.deep is None else jnp.where(met.deep, states, 0)
    acceptance = chemistry.acceptance[state + shift]
    # an accepted chance is uniform on (0, acceptance), so it chooses the binding path as well
    u = jnp.where(met.clock, random.uniform(met.words[CHOICE]), chance / jnp.maximum(acceptance, 1e-30))
    row = state + jnp.where(met.clock, 0, states)
    column = jnp.zeros_like(state)
    for j in range(chemistry.path.shape[1] - 1):
        column = column + (u >= chemistry.cumulative[row, j]).astype(jnp.int32)
    transition = chemistry.path[row, column]
    stays = None
    if chemistry.leaving is not None:
        leaving = chemistry.leaving[chemistry.target[transition] + shift]
        stays = met.clock & chemistry.releases[transition] & (random.uniform(met.words[LEAVE]) >= leaving)
    return Wish(met.attempts & (chance < acceptance), transition, stays)
