"""What due slots do once it is settled who may: sites change, molecules set out, clocks are set.

    binds      the molecule's slot becomes the clock, on top of the slots that the site has; the one below sleeps
    fires      the site changes, its clock is set anew
    frees      the slot on top leaves with the molecule, from anywhere on the tile; the one below runs
    travels    an attempt was refused, or a journey was cut short: the next journey begins where the last one ended
    escapes    the slot is spent
    waits      somebody came first: the slot stays as it is, and falls due in the next window

Waits of clocks are exponential with the total rate of the spontaneous transitions of the state, drawn anew at every
change: they have no memory.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float, Int, UInt32

from nmjmc.kernel.jax_pass import flat, stepped
from nmjmc.kernel.jax_pass.arena import CLOCK, NEVER, NONE, Entries, Patches, bits, state_of, top_of, word_of
from nmjmc.kernel.jax_pass.meet import JOURNEY, POINT, WAIT, Meeting, Wish, counters
from nmjmc.kernel.jax_pass.stage import Stage
from nmjmc.kernel.physics import lattice as lattices
from nmjmc.kernel.physics import random
from nmjmc.kernel.physics.survival import Start
from nmjmc.kernel.physics.tables import Chemistry, Shape, Tables


class Change(NamedTuple):
    """What some due slots do.

    Attributes:
        waits: who does nothing yet.
        ticks: whose slot is a clock afterwards.
        frees: whose slot leaves its site with a molecule.
        travels: molecules that set out, the freed ones among them.
        changes: who changes its site.
        word: of the site afterwards.
        rate: of the spontaneous transitions of its state then [1/ms].
        below: the slot below on the chain of a clock that ticks; where one frees, that which takes over (`NONE`: none).
        column: what is counted, as a column of a patch; past the last where nothing is.
    """

    waits: Bool[Array, " e"]
    ticks: Bool[Array, " e"]
    frees: Bool[Array, " e"]
    travels: Bool[Array, " e"]
    changes: Bool[Array, " e"]
    word: UInt32[Array, " e"]
    rate: Float[Array, " e"]
    below: Int[Array, " e"]
    column: Int[Array, " e"]


def settle(
    chemistry: Chemistry, shape: Shape, patches: Patches, met: Meeting, wish: Wish, may: Bool[Array, " e"]
) -> Change:
    """What each slot does, once it is known who may."""
    before, stays = state_of(met.word), jnp.zeros_like(may) if wish.stays is None else wish.stays
    fires, binds = met.clock & may, wish.binds & may
    frees = fires & chemistry.releases[wish.transition] & ~stays
    after = jnp.where(stays, before, chemistry.target[wish.transition])
    rate = chemistry.exit_rate[after]
    below = jnp.where(binds, top_of(met.word), met.entry.below)
    spare = jnp.where(rate > 0, patches.molecules[met.patch] + met.tile, NONE)
    below = jnp.where(frees & (below == NONE), spare, below)
    changes = binds | (fires & ~stays)
    molecule = (met.entry.kind != CLOCK) & (met.entry.due < NEVER)
    waits = (met.attempts | met.clock) & ~may
    return Change(
        waits,
        binds | (fires & ~frees),
        frees,
        frees | (molecule & ~met.escapes & ~binds & ~waits),
        changes,
        word_of(after, jnp.where(frees, below, met.slot)),
        rate,
        below,
        _column(shape, met, wish, may, changes),
    )


def _column(
    shape: Shape, met: Meeting, wish: Wish, may: Bool[Array, " e"], changes: Bool[Array, " e"]
) -> Int[Array, " e"]:
    """What each slot's doings are counted as."""
    column = jnp.where(changes, wish.transition, jnp.where(met.escapes, shape.transitions, shape.columns))
    if not shape.scored:
        return column
    refused = met.attempts & may & ~wish.binds
    return jnp.where(refused, shape.transitions + 1 + state_of(met.word), column)


@jax.named_scope("depart")
def next_events(
    tables: Tables, shape: Shape, met: Meeting, change: Change, stage: Stage
) -> tuple[Entries, Int[Array, "e 2"] | None]:
    """The slots as they are afterwards, but for those that wait; and the scores of the journeys that begin."""
    entry, z, tile, origin, score = met.entry, None, None, None, None
    if tables.stepping is None:
        x, y, start = stage(lambda: _set_out(tables, met, change))
        way = flat.depart(tables, shape.disc, shape.reflecting, x, y, start, met.words[JOURNEY:], stage)
        origin = (x, y, entry.due) if shape.viewed else None
        score = way.score if way.score is None else jnp.where(change.travels[:, None], way.score, 0)
    else:
        way = _step(tables, shape, met, change, stage)
        z, tile = way.z, way.tile
    wait = random.exponential(met.words[JOURNEY]) / jnp.maximum(change.rate, 1e-30)
    tick = jnp.where(change.ticks & (change.rate > 0), wait, NEVER)
    return Entries(
        entry.due + jnp.where(change.travels, way.span, tick),
        jnp.where(change.travels, way.x, bits(change.below, jnp.float32)),
        jnp.where(change.travels, way.y, bits(met.tile, jnp.float32)),
        jnp.where(change.travels, way.aim, jnp.uint32(CLOCK)),
        entry.draw + jnp.uint32(counters(entry)),
        z,
        tile,
        origin,
    ), score


def others(
    patches: Patches, met: Meeting, wish: Wish, change: Change
) -> tuple[Int[Array, " e"], Float[Array, " e"], Bool[Array, ""]]:
    """What events do to another slot of their site: where it is (-1: nowhere), when it is due; whether one is missing.

    A molecule that binds puts the clock to sleep that has run so far; one that is freed leaves it to the next to run.
    """
    runs = change.frees & (change.rate > 0)
    sleeps = change.changes & wish.binds
    slot = jnp.where(runs, change.below, top_of(met.word))
    wait = random.exponential(met.words[WAIT]) / jnp.maximum(change.rate, 1e-30)
    at = jnp.where((runs | sleeps) & (change.below != NONE), patches.first[met.patch] + slot, -1)
    missing = runs & (slot >= patches.molecules[met.patch]) & ~patches.reserved
    return at, jnp.where(runs, met.entry.due + wait, NEVER), jnp.any(missing)


def _step(tables: Tables, shape: Shape, met: Meeting, change: Change, stage: Stage) -> stepped.Step:
    """The next step of the molecules that go on, and the first of those that are freed."""
    entry, words = met.entry, met.words[JOURNEY:]
    height = entry.x if entry.z is None else entry.z
    step = stepped.depart(tables, shape.disc, shape.reflecting, entry.x, entry.y, height, words, stage)
    u, v = random.uniform(met.words[POINT]), random.uniform(met.words[POINT + 1])
    free = stage(lambda: stepped.release(tables, shape.disc, shape.reflecting, met.tile, u, v, words))
    return stage(lambda: jax.tree.map(lambda a, b: jnp.where(change.frees, a, b), free, step))


def _set_out(tables: Tables, met: Meeting, change: Change) -> tuple[Array, Array, Array]:
    """Where molecules set out from: the point they reached, or anywhere on the tile that frees them."""
    u, v = random.uniform(met.words[POINT]), random.uniform(met.words[POINT + 1])
    x, y, plane = lattices.point_on_tile(tables.lattice, met.tile, u, v)
    kind = jnp.minimum(met.entry.kind, jnp.uint32(Start.MIXED)).astype(jnp.int32)
    start = jnp.where(change.frees, plane + Start.RECEPTOR, kind)
    return jnp.where(change.frees, x, met.entry.x), jnp.where(change.frees, y, met.entry.y), start
