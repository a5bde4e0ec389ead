"""One pass of the kernel: everything that falls due before `until` happens once.

Events keep their own exact times. What a pass approximates is only their order: within one window, an event sees
the sites as the pass found them, and an entry that falls due again waits for the next pass. The window is the
kernel's time step; halving it is the convergence test.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float, Int, UInt32

from nmjmc.errors import Status
from nmjmc.kernel import contest, flat, random
from nmjmc.kernel import lattice as lattices
from nmjmc.kernel.pool import NEVER, Entries, Pool, gather, pack, scatter, select, unpack
from nmjmc.kernel.stage import stages
from nmjmc.kernel.survival import Start
from nmjmc.kernel.tables import Chemistry, Tables

_WORDS = 8
_STATE = 0xFF
_VERSION = 0x100
_NOWHERE = 2**31 - 1


class Shape(NamedTuple):
    """What is compiled in: sizes and kinds, never a parameter."""

    sites: int
    transitions: int
    disc: bool
    reflecting: bool


class State(NamedTuple):
    """All that evolves.

    Attributes:
        pool: everything that has a next event.
        used: length of the used part of the pool.
        sites: word of each site of each vesicle: state in the low byte, number of its changes above.
        board: scratch of the contest for sites.
        tally: how often each transition (last column: escape) happened, vesicle by vesicle.
        keys: random key of each vesicle.
        status: status bits.
        most_due: most entries that were due in one pass.
        handled: entries that were due in all passes, for the accounts.
        passed: passes since the board was wiped.
    """

    pool: Pool
    used: Int[Array, ""]
    sites: UInt32[Array, "sites"]
    board: UInt32[Array, "sites"]
    tally: Int[Array, "v_k1"]
    keys: random.Words
    status: UInt32[Array, ""]
    most_due: Int[Array, ""]
    handled: Int[Array, ""]
    passed: Int[Array, ""]


class Events(NamedTuple):
    """What happens to the due entries of one pass."""

    entry: Entries
    vesicle: Int[Array, "e"]
    words: list[Array]
    arrival: flat.Arrival
    site: Int[Array, "e"]
    word: UInt32[Array, "e"]
    clock: Bool[Array, "e"]
    live: Bool[Array, "e"]


def advance(tables: Tables, shape: Shape, state: State, until: Float[Array, ""], capacity: int) -> State:
    """One pass: what is due before `until` arrives, contests, fires, sets out again and is counted."""
    stage = stages(until > -1.0)
    index, due = select(lambda: state.pool.due < until, capacity, stage)
    rows = stage(lambda: gather(state.pool, index))
    entry = stage(lambda: unpack(rows))
    vesicle, words = stage(lambda: _draw(shape, state, entry))
    events = stage(lambda: _look(tables, shape, state, entry, vesicle, words))
    outcome = stage(lambda: _outcome(tables.chemistry, events))
    bound, board = contest.winners(
        state.board, state.passed, events.site, outcome.accepted, (words[4], words[5]), stage
    )
    fate = stage(lambda: _fate(tables.chemistry, shape, events, outcome, bound, state.tally.shape[0]))
    entries = stage(lambda: _next_entry(tables, shape, events, fate))
    spare = capacity // 4
    needs, spawned = select(lambda: fate.freed & (fate.exit_rate > 0), spare, stage)
    clocks, place = stage(lambda: _new_clocks(events, fate, needs, state))
    pool = scatter(scatter(state.pool, index, pack(entries, stage)), place, pack(clocks, stage))
    used = state.used + spawned
    sites = state.sites.at[fate.write].set(fate.word, mode="drop")
    tally = state.tally.at[fate.column].add(1, mode="drop")
    overflow = _overflow((due > capacity) | (spawned > spare), used > pool.due.shape[0])
    return State(
        pool,
        used,
        sites,
        board,
        tally,
        state.keys,
        state.status | overflow,
        jnp.maximum(state.most_due, due),
        state.handled + due,
        state.passed + 1,
    )


def _overflow(due: Bool[Array, ""], pool: Bool[Array, ""]) -> UInt32[Array, ""]:
    bits = jnp.where(due, jnp.uint32(int(Status.DUE_OVERFLOW)), jnp.uint32(0))
    return bits | jnp.where(pool, jnp.uint32(int(Status.POOL_OVERFLOW)), jnp.uint32(0))


def _draw(shape: Shape, state: State, entry: Entries) -> tuple[Int[Array, "e"], list[Array]]:
    """The vesicle and the random words of each due entry."""
    vesicle = entry.owner // shape.sites
    key = (state.keys[0][vesicle], state.keys[1][vesicle])
    return vesicle, random.words(key, (entry.lineage, entry.draw), _WORDS)


@jax.named_scope("look")
def _look(
    tables: Tables, shape: Shape, state: State, entry: Entries, vesicle: Int[Array, "e"], words: list[Array]
) -> Events:
    """The due entries' arrivals and sites."""
    live = entry.due < NEVER
    clock = entry.span < 0
    arrival = flat.arrive(
        tables, shape.disc, shape.reflecting, entry.x, entry.y, entry.span, entry.tag, words[:3]
    )
    molecule = live & ~clock
    arrival = arrival._replace(escaped=arrival.escaped & molecule, attempts=arrival.attempts & molecule)
    site = jnp.where(clock, entry.owner, entry.owner + arrival.tile)
    word = state.sites.at[site].get(mode="promise_in_bounds")
    return Events(entry, vesicle, words, arrival, site, word, clock, live)


class Outcome(NamedTuple):
    """What the due entries would do if nobody were in their way."""

    accepted: Bool[Array, "e"]
    fired: Bool[Array, "e"]
    transition: Int[Array, "e"]


def _outcome(chemistry: Chemistry, events: Events) -> Outcome:
    kind = (events.word & jnp.uint32(_STATE)).astype(jnp.int32)
    chance = random.uniform(events.words[3])
    acceptance = chemistry.acceptance[kind]
    accepted = events.arrival.attempts & (chance < acceptance)
    fired = events.clock & events.live & (events.word == events.entry.tag)
    # an accepted chance is uniform on (0, acceptance), so it chooses the binding path as well
    u = jnp.where(fired, random.uniform(events.words[5]), chance / jnp.maximum(acceptance, 1e-30))
    row = kind + jnp.where(fired, 0, chemistry.acceptance.shape[0])
    column = jnp.zeros_like(kind)
    for j in range(chemistry.path.shape[1] - 1):
        column = column + (u >= chemistry.cumulative[row, j]).astype(jnp.int32)
    return Outcome(accepted, fired, chemistry.path[row, column])


class Fate(NamedTuple):
    """What the due entries do, and where it is written."""

    to_clock: Bool[Array, "e"]
    freed: Bool[Array, "e"]
    waits: Bool[Array, "e"]
    word: UInt32[Array, "e"]
    exit_rate: Float[Array, "e"]
    write: Int[Array, "e"]
    column: Int[Array, "e"]


def _fate(
    chemistry: Chemistry, shape: Shape, events: Events, outcome: Outcome, bound: Bool[Array, "e"], columns: int
) -> Fate:
    target = chemistry.target[outcome.transition]
    freed = outcome.fired & chemistry.releases[outcome.transition]
    changed = bound | outcome.fired
    word = (events.word & jnp.uint32(0xFFFFFF00)) + jnp.uint32(_VERSION) + target.astype(jnp.uint32)
    number = events.vesicle * (shape.transitions + 1) + jnp.where(changed, outcome.transition, shape.transitions)
    return Fate(
        bound | (outcome.fired & ~freed),
        freed,
        outcome.accepted & ~bound,
        word,
        chemistry.exit_rate[target],
        jnp.where(changed, events.site, _NOWHERE),
        jnp.where(changed | events.arrival.escaped, number, columns),
    )


@jax.named_scope("depart")
def _next_entry(tables: Tables, shape: Shape, events: Events, fate: Fate) -> Entries:
    """The entries as the pass leaves them: a clock, a molecule under way, unchanged (it waits), or spent."""
    to_clock, freed, rate = fate.to_clock, fate.freed, fate.exit_rate
    entry, words, arrival = events.entry, events.words, events.arrival
    tile = events.site - events.vesicle * shape.sites
    x0, y0, plane = lattices.point_on_tile(
        tables.lattice, tile, random.uniform(words[0]), random.uniform(words[1])
    )
    x, y = jnp.where(freed, x0, arrival.x), jnp.where(freed, y0, arrival.y)
    aim = jnp.minimum(entry.tag, jnp.uint32(Start.MIXED)).astype(jnp.int32)
    start = jnp.where(freed, plane + Start.RECEPTOR, aim)
    span, goal = flat.depart(tables, shape.disc, x, y, start, words[6], words[7])
    travels = freed | (events.live & ~events.clock & ~arrival.escaped & ~to_clock)
    tick = jnp.where(to_clock & (rate > 0), random.exponential(words[7]) / jnp.maximum(rate, 1e-30), NEVER)
    due = entry.due + jnp.where(travels, span, tick)
    fresh = Entries(
        due,
        x,
        y,
        jnp.where(travels, span, -1.0),
        jnp.where(to_clock, events.site, events.vesicle * shape.sites),
        jnp.where(travels, goal, fate.word),
        entry.lineage,
        entry.draw + jnp.uint32(_WORDS // 2),
    )
    return Entries(*(jnp.where(fate.waits, old, new) for old, new in zip(entry, fresh, strict=True)))


@jax.named_scope("append")
def _new_clocks(
    events: Events, fate: Fate, needs: Int[Array, "c"], state: State
) -> tuple[Entries, Int[Array, "c"]]:
    """Clocks for the sites that lost a molecule but still hold another, and where the pool takes them.

    The molecule keeps its lineage; the site's clock starts a fresh one from two of the event's random words.
    """
    last = fate.freed.shape[0] - 1
    at = jnp.minimum(needs, last)
    due = events.entry.due[at] + random.exponential(events.words[4][at]) / jnp.maximum(fate.exit_rate[at], 1e-30)
    zero = jnp.zeros_like(due)
    lineage = events.words[2][at] | jnp.uint32(0x80000000)
    clocks = Entries(due, zero, zero, zero - 1.0, events.site[at], fate.word[at], lineage, events.words[3][at])
    place = jnp.where(needs <= last, state.used + jnp.arange(at.shape[0]), state.pool.due.shape[0])
    return clocks, place
