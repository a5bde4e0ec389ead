"""A chunk: some record intervals in one compiled program, with what the host must know afterwards."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Float, Int

from nmjmc.kernel import contest
from nmjmc.kernel.pool import FIRST, NEVER, gather, select, unpack
from nmjmc.kernel.stage import stages
from nmjmc.kernel.events import Shape
from nmjmc.kernel.step import State, advance
from nmjmc.kernel.tables import Tables


class Account(NamedTuple):
    """What the host reads after a chunk.

    Attributes:
        tally: transitions of every patch by the end of each record interval.
        last_due: entries due in the last pass.
        live: entries with a next event.
        molecules: those of them that are molecules.
    """

    tally: Int[jax.Array, "r vk"]
    last_due: Int[jax.Array, ""]
    live: Int[jax.Array, ""]
    molecules: Int[jax.Array, ""]


class Span(NamedTuple):
    """Which record intervals a chunk covers.

    Attributes:
        first: number of the first interval.
        count: how many, at most the chunk's length.
        interval: length of an interval [ms].
        substeps: passes in each.
    """

    first: Int[jax.Array, ""]
    count: Int[jax.Array, ""]
    interval: Float[jax.Array, ""]
    substeps: Int[jax.Array, "r"]


@partial(jax.jit, static_argnames=("shape", "capacity"))
def run_chunk(tables: Tables, state: State, span: Span, *, shape: Shape, capacity: int) -> tuple[State, Account]:
    """The state after the intervals of `span`, and the account of them."""

    def one_pass(j: jax.Array, carry: tuple) -> tuple:
        state, record = carry
        part = (j + 1).astype(jnp.float32) / span.substeps[record].astype(jnp.float32)
        # the times of the passes follow from the interval's number alone, whatever the chunk
        until = span.interval * ((span.first + record).astype(jnp.float32) + part)
        return advance(tables, shape, state, until, capacity), record

    def one_interval(record: jax.Array, carry: tuple) -> tuple:
        state, tally, _ = carry
        before = state.handled
        steps = span.substeps[record]
        state, _ = lax.fori_loop(0, steps, one_pass, (state, record))
        due = (state.handled - before) // steps
        return state, lax.dynamic_update_index_in_dim(tally, state.tally, record, 0), due

    tally = jnp.zeros((span.substeps.shape[0], state.tally.shape[0]), jnp.int32)
    start = state._replace(most_due=jnp.int32(0), handled=jnp.int32(0))
    state, tally, due = lax.fori_loop(0, span.count, one_interval, (start, tally, jnp.int32(0)))
    alive = state.pool.due < NEVER
    travelling = alive & (unpack(state.pool).tag < FIRST)
    account = Account(tally, due, jnp.sum(alive, dtype=jnp.int32), jnp.sum(travelling, dtype=jnp.int32))
    return state, account


@partial(jax.jit, static_argnames=("size",))
def repack(state: State, *, size: int) -> State:
    """The state with its pool packed densely into `size` entries; spent entries and stale clocks are left out."""
    entries = unpack(state.pool)
    clock = entries.tag >= FIRST
    word = state.sites.at[jnp.where(clock, entries.owner, 0)].get(mode="promise_in_bounds")
    live = (entries.due < NEVER) & (~clock | (word == entries.tag))
    index, count = select(lambda: live, size, stages(state.used >= 0))
    return state._replace(pool=gather(state.pool, index), used=count)


@jax.jit
def wipe_board(state: State) -> State:
    """The state with a fresh board for the contests."""
    return state._replace(board=contest.unclaimed(state.board.shape[0]), passed=jnp.int32(0))
