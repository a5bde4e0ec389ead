"""One pass of the kernel: everything that falls due before `until` happens once.

Events keep their own exact times. At each site the earliest event of a pass happens, and who comes after it waits for
the next pass. So what a pass approximates is only the order of entries that fall due again within its window: the
next pass handles them, when sites may have changed later than that. The window is the kernel's time step; halving it
is the convergence test.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float, Int, UInt32

from nmjmc.errors import Status
from nmjmc.kernel.jax_pass import contest, events, sets
from nmjmc.kernel.jax_pass.pool import NEVER, Entries, Pool, gather, pack, scatter, select, unpack
from nmjmc.kernel.jax_pass.stage import stages
from nmjmc.kernel.physics import random
from nmjmc.kernel.physics.tables import Shape, Tables

_SPARE = 4  # at most one due entry in so many may be a site that splits off a clock; more is an overflow


class State(NamedTuple):
    """All that evolves.

    Attributes:
        pool: everything that has a next event.
        used: length of the used part of the pool.
        sites: word of each site of each patch: state in the low byte, number of its changes above.
        board: claims of the contests for sites.
        keys: random key of each patch.
        status: status bits.
        most_due: most entries that were due in one pass.
        handled: entries that were due in all passes, for the accounts.
        passed: passes since the board was wiped.
    """

    pool: Pool
    used: Int[Array, ""]
    sites: UInt32[Array, " sites"]
    board: UInt32[Array, " sites"]
    keys: random.Words
    status: UInt32[Array, ""]
    most_due: Int[Array, ""]
    handled: Int[Array, ""]
    passed: Int[Array, ""]


class Happened(NamedTuple):
    """What the due entries of a pass did, to be counted.

    Attributes:
        due: their own times [ms].
        column: patch and transition as one number, past all columns where nothing happened.
        patch: whose entries they are.
        score: of the journeys that begin, where it is wanted.
    """

    due: Float[Array, " e"]
    column: Int[Array, " e"]
    patch: Int[Array, " e"]
    score: Int[Array, "e 2"] | None


def advance(
    tables: Tables,
    shape: Shape,
    state: State,
    until: Float[Array, ""],
    window: Float[Array, ""],
    capacity: int,
) -> tuple[State, Happened]:
    """One pass: what is due before `until` arrives, contests, fires and sets out again.

    `window`: no entry is older than that [ms].
    """
    stage = stages(until > -1.0)
    index, due = select(lambda: state.pool.due < until, capacity, stage)
    rows = stage(lambda: gather(state.pool, index))
    entry = stage(lambda: unpack(rows))
    patch, words = stage(lambda: events.draw(shape, state.keys, entry))
    tables = sets.own(tables, patch, stage)
    chemistry = tables.chemistry
    found = events.look(tables, state.sites, entry, patch, words, stage)
    outcome = stage(lambda: events.decide(chemistry, found))
    # a site changes once in a pass: its clock and the molecules that reach it contend alike, and the earliest wins
    claims = outcome.accepted | outcome.fired
    age = (entry.due - (until - window)) / window
    key = events.contest_key(words)
    won, late, board = contest.winners(state.board, state.passed, found.site, claims, age, key, stage)
    fate = stage(lambda: events.settle(chemistry, shape, found, outcome, won, late))
    entries, score = events.next_entries(tables, shape, found, fate, stage)
    spare = capacity // _SPARE
    needs, split = select(lambda: fate.freed & (fate.exit_rate > 0), spare, stage)
    clocks = stage(lambda: events.split_clocks(state.keys, found, fate, needs))
    place = jnp.where(needs < capacity, state.used + jnp.arange(spare), state.pool.due.shape[0])
    pool = scatter(scatter(state.pool, index, pack(entries, stage)), place, pack(clocks, stage))
    used = state.used + split
    state = State(
        pool,
        used,
        state.sites.at[fate.write].set(fate.word, mode="drop"),
        board,
        state.keys,
        state.status | _faults((due > capacity) | (split > spare), used > pool.due.shape[0], entries),
        jnp.maximum(state.most_due, due),
        state.handled + due,
        state.passed + 1,
    )
    return state, Happened(entry.due, fate.column, patch, score)


def _faults(due: Bool[Array, ""], pool: Bool[Array, ""], entries: Entries) -> UInt32[Array, ""]:
    """Status bits: lists that overflowed, numbers that are none."""
    place = entries.x + entries.y if entries.z is None else entries.x + entries.y + entries.z
    broken = jnp.any(((place != place) & (entries.due < NEVER)) | (entries.due != entries.due))
    faults = ((due, Status.DUE_OVERFLOW), (pool, Status.POOL_OVERFLOW), (broken, Status.NON_FINITE))
    bits = jnp.uint32(0)
    for fault, bit in faults:
        bits = bits | jnp.where(fault, jnp.uint32(int(bit)), jnp.uint32(0))
    return bits
