"""What the due entries do: arrive, bind, fire, set out again; and where each outcome is written."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float, Int, UInt32

from nmjmc.kernel.jax_pass import flat, folds, stepped
from nmjmc.kernel.jax_pass.pool import NEVER, Entries
from nmjmc.kernel.jax_pass.stage import Stage
from nmjmc.kernel.physics import lattice as lattices
from nmjmc.kernel.physics import random
from nmjmc.kernel.physics.survival import Start
from nmjmc.kernel.physics.tables import FIRST, Chemistry, Shape, Tables

# random words of an event by number: acceptance, two keys of the contest, two for the point on a tile, a journey.
# A clock uses the first ones for its choice of path and the lineage of the clock that splits off.
_ACCEPT, _KEY, _CHOICE, _POINT, _JOURNEY = 0, 1, 2, 3, 5
# A release by steps takes a part of a journey's words, and the one after them for its chance to get away.
WORDS = _JOURNEY + flat.WORDS
_LEAVE = _JOURNEY + stepped.MOVE
_STEP_WORDS = _JOURNEY + stepped.WORDS

STATE = 0xFF
_NOWHERE = 2**31 - 1
_SPLIT = 0x80000000


class Events(NamedTuple):
    """The due entries and what they meet; `deep`: whether the site is on the surfaces inside folds."""

    entry: Entries
    patch: Int[Array, " e"]
    words: list[Array]
    site: Int[Array, " e"]
    word: UInt32[Array, " e"]
    attempts: Bool[Array, " e"]
    escapes: Bool[Array, " e"]
    clock: Bool[Array, " e"]
    deep: Bool[Array, " e"] | None = None


class Outcome(NamedTuple):
    """What the due entries would do if nobody were in their way; `again`: a clock whose molecule did not get away."""

    accepted: Bool[Array, " e"]
    fired: Bool[Array, " e"]
    transition: Int[Array, " e"]
    again: Bool[Array, " e"] | None = None


class Fate(NamedTuple):
    """What the due entries do, and where it is written (nowhere: past the end)."""

    to_clock: Bool[Array, " e"]
    freed: Bool[Array, " e"]
    waits: Bool[Array, " e"]
    word: UInt32[Array, " e"]
    exit_rate: Float[Array, " e"]
    write: Int[Array, " e"]
    column: Int[Array, " e"]


def draws(entry: Entries) -> tuple[int, int]:
    """Random words of an event, and the counters that it uses up: pairs of words, and one for a clock split off."""
    words = WORDS if entry.z is None else _STEP_WORDS
    return words, (words + 1) // 2 + 1


def draw(shape: Shape, keys: random.Words, entry: Entries) -> tuple[Int[Array, " e"], list[Array]]:
    """The patch and the random words of each due entry."""
    patch = entry.owner // shape.sites
    return patch, random.words((keys[0][patch], keys[1][patch]), (entry.lineage, entry.draw), draws(entry)[0])


@jax.named_scope("look")
def look(
    tables: Tables,
    sites: UInt32[Array, " sites"],
    entry: Entries,
    patch: Int[Array, " e"],
    words: list[Array],
    stage: Stage,
) -> Events:
    """The sites that the due entries belong to or arrive at."""
    # what a stage hands through is copied, so that only what is new comes out of it
    return Events(entry, patch, words, *stage(lambda: _meet(tables, sites, entry, patch)))


def _meet(
    tables: Tables, sites: UInt32[Array, " sites"], entry: Entries, patch: Int[Array, " e"]
) -> tuple[Array, Array, Array, Array, Array, Array | None]:
    """The fields of `Events` from `site` on."""
    live = entry.due < NEVER
    clock = live & (entry.tag >= jnp.uint32(FIRST))
    molecule = live & ~clock
    on_receptor = entry.tag == jnp.uint32(Start.RECEPTOR)
    escapes = molecule & (entry.tag == jnp.uint32(flat.ESCAPE))
    if tables.stepping is not None:  # a step has found its tile itself
        word = sites.at[entry.owner].get(mode="promise_in_bounds")
        deep = None
        if tables.stepping.folds is not None:
            deep = folds.in_fold(tables.stepping.folds, entry.owner - patch * tables.template.shape[0])
        return entry.owner + 0, word, molecule & on_receptor, escapes, clock, deep
    plane = jnp.where(on_receptor, lattices.RECEPTOR, lattices.ESTERASE)
    tile, there = lattices.tile_under(tables.lattice, plane, entry.x, entry.y)
    aims = on_receptor | (entry.tag == jnp.uint32(Start.ESTERASE))
    site = jnp.where(clock, entry.owner, entry.owner + tile)
    word = sites.at[site].get(mode="promise_in_bounds")
    return site, word, molecule & aims & there, escapes, clock, None


def decide(chemistry: Chemistry, events: Events) -> Outcome:
    """Which attempts would be accepted, which clocks fire, and the transition that each would make."""
    kind = (events.word & jnp.uint32(STATE)).astype(jnp.int32)
    chance = random.uniform(events.words[_ACCEPT])
    states = chemistry.states
    shift = jnp.zeros_like(kind) if events.deep is None else jnp.where(events.deep, states, 0)
    own = kind + chemistry.first(states)
    acceptance = chemistry.acceptance[own if events.deep is None else own + shift]
    accepted = events.attempts & (chance < acceptance)
    fired = events.clock & (events.word == events.entry.tag)
    # an accepted chance is uniform on (0, acceptance), so it chooses the binding path as well
    u = jnp.where(fired, random.uniform(events.words[_CHOICE]), chance / jnp.maximum(acceptance, 1e-30))
    row = kind + jnp.where(fired, 0, states)
    column = jnp.zeros_like(kind)
    at = row + chemistry.first(2 * states)
    for j in range(chemistry.path.shape[1] - 1):
        column = column + (u >= chemistry.cumulative[at, j]).astype(jnp.int32)
    transition = chemistry.path[row, column]
    if chemistry.leaving is None:
        return Outcome(accepted, fired, transition)
    freed_into = chemistry.target[transition] + chemistry.first(states) + shift
    stay = random.uniform(events.words[_LEAVE]) >= chemistry.leaving[freed_into]
    again = fired & chemistry.releases[transition] & stay
    return Outcome(accepted, fired & ~again, transition, again)


def contest_key(words: list[Array]) -> UInt32[Array, " e"]:
    """The random word that decides between molecules that reach a site at the same moment."""
    return words[_KEY]


def settle(
    chemistry: Chemistry,
    shape: Shape,
    events: Events,
    outcome: Outcome,
    won: Bool[Array, " e"],
    late: Bool[Array, " e"],
) -> Fate:
    """The fate of each due entry, once the contests are decided.

    Who did not win its site waits, and so does who reached one after its winner (`late`): the next pass judges it by
    what the site is then.
    """
    target = chemistry.target[outcome.transition]
    stays = outcome.again
    if stays is not None:
        target = jnp.where(stays, (events.word & jnp.uint32(STATE)).astype(jnp.int32), target)
    bound, fired = outcome.accepted & won, outcome.fired & won
    freed = fired & chemistry.releases[outcome.transition]
    changed = bound | fired
    word = (events.word & jnp.uint32(0xFFFFFFFF - STATE)) + jnp.uint32(FIRST) + target.astype(jnp.uint32)
    number = events.patch * shape.columns + jnp.where(changed, outcome.transition, shape.transitions)
    # after 2^24 changes the count starts again; it must not look like a molecule's aim
    word = jnp.where(word < jnp.uint32(FIRST), word + jnp.uint32(FIRST), word)
    to_clock = bound | (fired & ~freed)
    return Fate(
        to_clock if stays is None else to_clock | stays,
        freed,
        ((outcome.accepted | outcome.fired) & ~won) | (events.attempts & late),
        word if stays is None else jnp.where(stays, events.word, word),
        chemistry.exit_rate[target + chemistry.first(chemistry.states)],
        jnp.where(changed, events.site, _NOWHERE),
        _column(shape, events, outcome, late, changed, number),
    )


def _column(
    shape: Shape,
    events: Events,
    outcome: Outcome,
    late: Bool[Array, " e"],
    changed: Bool[Array, " e"],
    number: Int[Array, " e"],
) -> Int[Array, " e"]:
    """Where each entry's doings are counted: as `number` says, or where scores are wanted as a rejection."""
    if not shape.scored:
        return jnp.where(changed | events.escapes, number, _NOWHERE)
    rejected = events.attempts & ~outcome.accepted & ~late
    kind = (events.word & jnp.uint32(STATE)).astype(jnp.int32)
    turned_down = events.patch * shape.columns + shape.transitions + 1 + kind
    return jnp.where(changed | events.escapes, number, jnp.where(rejected, turned_down, jnp.int32(_NOWHERE)))


@jax.named_scope("depart")
def next_entries(
    tables: Tables, shape: Shape, events: Events, fate: Fate, stage: Stage
) -> tuple[Entries, Int[Array, "e 2"] | None]:
    """The entries as the pass leaves them: a clock, a molecule under way, unchanged (it waits), or spent.

    With them the scores of the journeys that begin, where they are wanted.
    """
    entry, words = events.entry, events.words
    owner, z, origin, score = events.patch * shape.sites, None, None, None
    if tables.stepping is None:
        x, y, start = stage(lambda: _set_out(tables, shape, events, fate))
        journey = flat.depart(tables, shape.disc, shape.reflecting, x, y, start, words[_JOURNEY:], stage)
        origin, score = (x, y, entry.due) if shape.viewed else None, journey.score
    else:
        journey = _step(tables, shape, events, fate, stage)
        owner, z = owner + journey.tile, journey.z
    travels = fate.freed | ((entry.due < NEVER) & ~events.clock & ~events.escapes & ~fate.to_clock)
    wait = random.exponential(words[_JOURNEY]) / jnp.maximum(fate.exit_rate, 1e-30)
    tick = jnp.where(fate.to_clock & (fate.exit_rate > 0), wait, NEVER)
    fresh = Entries(
        entry.due + jnp.where(travels, journey.span, tick),
        journey.x,
        journey.y,
        jnp.where(fate.to_clock, events.site, owner),
        jnp.where(travels, journey.aim, fate.word),
        entry.lineage,
        entry.draw + jnp.uint32(draws(entry)[1]),
        z,
        origin,
    )
    if score is not None:
        score = jnp.where((travels & ~fate.waits)[:, None], score, 0)
    return stage(lambda: jax.tree.map(lambda a, b: jnp.where(fate.waits, a, b), entry, fresh)), score


def _step(tables: Tables, shape: Shape, events: Events, fate: Fate, stage: Stage) -> stepped.Step:
    """The next step of the molecules that go on, and the first of those that are freed."""
    entry, words = events.entry, events.words
    step = stepped.depart(
        tables, shape.disc, shape.reflecting, entry.x, entry.y, _height(entry), words[_JOURNEY:], stage
    )
    tile = events.site - events.patch * shape.sites
    u, v = random.uniform(words[_POINT]), random.uniform(words[_POINT + 1])
    free = stage(lambda: stepped.release(tables, shape.disc, shape.reflecting, tile, u, v, words[_JOURNEY:]))
    return stage(lambda: jax.tree.map(lambda a, b: jnp.where(fate.freed, a, b), free, step))


def _height(entry: Entries) -> Float[Array, " e"]:
    return entry.x if entry.z is None else entry.z


def _set_out(tables: Tables, shape: Shape, events: Events, fate: Fate) -> tuple[Array, Array, Array]:
    """Where molecules set out from: the point they reached, or anywhere on the tile that frees them."""
    entry, words = events.entry, events.words
    tile = events.site - events.patch * shape.sites
    x0, y0, plane = lattices.point_on_tile(
        tables.lattice, tile, random.uniform(words[_POINT]), random.uniform(words[_POINT + 1])
    )
    aim = jnp.minimum(entry.tag, jnp.uint32(Start.MIXED)).astype(jnp.int32)
    start = jnp.where(fate.freed, plane + Start.RECEPTOR, aim)
    return jnp.where(fate.freed, x0, entry.x), jnp.where(fate.freed, y0, entry.y), start


@jax.named_scope("split")
def split_clocks(keys: random.Words, events: Events, fate: Fate, needs: Int[Array, " c"]) -> Entries:
    """Clocks for the sites that lost a molecule but still hold another.

    The molecule keeps its lineage; the site's clock starts a fresh one from two of the event's random words.
    """
    at = jnp.minimum(needs, fate.freed.shape[0] - 1)
    entry, patch = jax.tree.map(lambda field: field[at], events.entry), events.patch[at]
    counter = (entry.lineage, entry.draw + jnp.uint32(draws(entry)[1] - 1))
    wait = random.exponential(random.words((keys[0][patch], keys[1][patch]), counter, 1)[0])
    due = entry.due + wait / jnp.maximum(fate.exit_rate[at], 1e-30)
    lineage = events.words[_ACCEPT][at] | jnp.uint32(_SPLIT)
    zero = jnp.zeros_like(due)
    height = None if entry.z is None else zero
    origin = None if entry.origin is None else (zero, zero, zero)
    words = (fate.word[at], lineage, events.words[_KEY][at])
    return Entries(due, zero, zero, events.site[at], *words, height, origin)
