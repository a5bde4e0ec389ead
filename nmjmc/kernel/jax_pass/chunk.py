"""A chunk: some record intervals in one compiled program, with what the host must know afterwards."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Float, Int

from nmjmc.errors import Status
from nmjmc.kernel.jax_pass import contest
from nmjmc.kernel.jax_pass.pool import NEVER, gather, select, unpack
from nmjmc.kernel.jax_pass.stage import stages
from nmjmc.kernel.jax_pass.step import Happened, State, advance
from nmjmc.kernel.physics.likelihood import UNIT
from nmjmc.kernel.physics.tables import FIRST, Shape, Tables

BEFORE = 8
"""Intervals before a chunk to which its events may belong: those that fell due again in the last passes of the
chunk before. An interval holds at least two passes, and one pass handles each link of a chain of such events, so
the chain would need sixteen links within one step to be counted an interval late."""

_LATE = np.uint32(int(Status.STEP_TOO_LONG))


class Sums(NamedTuple):
    """What scores need, in the intervals of the tally, in units of `likelihood.UNIT`.

    Attributes:
        instants: sum of the times within the interval, as fractions of it, of what the tally counts.
        journeys: sum of the scores of the journeys that began, for the two planes.
    """

    instants: Int[jax.Array, "r vk"]
    journeys: Int[jax.Array, "r v 2"]


class Account(NamedTuple):
    """What the host reads after a chunk.

    Attributes:
        tally: transitions of every patch in each interval: `BEFORE` intervals before the chunk's (events that
            were handled late), then the chunk's own.
        last_due: entries due in the last pass.
        live: entries with a next event.
        molecules: those of them that are molecules.
        scores: where they are wanted, else None.
    """

    tally: Int[jax.Array, "r vk"]
    last_due: Int[jax.Array, ""]
    live: Int[jax.Array, ""]
    molecules: Int[jax.Array, ""]
    scores: Sums | None = None


class Span(NamedTuple):
    """Which record intervals a chunk covers.

    Attributes:
        first: number of the first interval.
        count: how many, at most the chunk's length.
        interval: length of an interval [ms].
        substeps: passes in each.
        patience: how late an event may be handled in each [ms].
        flush: further passes at the end of the last, which handle what fell due again.
    """

    first: Int[jax.Array, ""]
    count: Int[jax.Array, ""]
    interval: Float[jax.Array, ""]
    substeps: Int[jax.Array, " r"]
    patience: Float[jax.Array, " r"]
    flush: Int[jax.Array, ""]


@partial(jax.jit, static_argnames=("shape", "capacity"))
def run_chunk(
    tables: Tables, state: State, span: Span, *, shape: Shape, capacity: int
) -> tuple[State, Account]:
    """The state after the intervals of `span`, and the account of them."""

    def one_pass(j: jax.Array, carry: tuple) -> tuple:
        state, tally, sums, record = carry
        part = (j + 1).astype(jnp.float32) / span.substeps[record].astype(jnp.float32)
        # the times of the passes follow from the interval's number alone, whatever the chunk
        until = span.interval * ((span.first + record).astype(jnp.float32) + jnp.minimum(part, 1.0))
        state, event = advance(tables, shape, state, until, span.patience[record], capacity)
        # an event counts in the interval of its own time, though a later pass may have handled it
        row = jnp.ceil(event.due / span.interval).astype(jnp.int32) - 1 - span.first + BEFORE
        late = jnp.any((row < 0) & (event.column < columns) & (span.first > BEFORE))
        late = late | (jnp.min(event.due) < until - span.patience[record])
        state = state._replace(status=state.status | jnp.where(late, _LATE, jnp.uint32(0)))
        row = jnp.clip(row, 0, rows - 1)
        at = jnp.where(event.column < columns, row * columns + event.column, rows * columns)
        if sums is not None:
            within = event.due / span.interval - (row + span.first - BEFORE).astype(jnp.float32)
            sums = _add(sums, event, at, row * patches + event.patch, within)
        return state, tally.at[at].add(1, mode="drop"), sums, record

    def one_interval(record: jax.Array, carry: tuple) -> tuple:
        state, tally, sums, _ = carry
        before = state.handled
        steps = span.substeps[record]
        more = jnp.where(record == span.count - 1, span.flush, 0)
        state, tally, sums, _ = lax.fori_loop(0, steps + more, one_pass, (state, tally, sums, record))
        return state, tally, sums, (state.handled - before) // steps

    patches = state.keys[0].shape[0]
    columns = patches * shape.columns
    rows = BEFORE + span.substeps.shape[0]
    tally = jnp.zeros(rows * columns, jnp.int32)
    sums = Sums(tally, jnp.zeros((rows * patches, 2), jnp.int32)) if shape.scored else None
    start = state._replace(most_due=jnp.int32(0), handled=jnp.int32(0))
    state, tally, sums, due = lax.fori_loop(0, span.count, one_interval, (start, tally, sums, jnp.int32(0)))
    tally = tally.reshape(rows, columns)
    if sums is not None:
        sums = Sums(sums.instants.reshape(rows, columns), sums.journeys.reshape(rows, patches, 2))
    # an entry whose time is no number would never fall due, and so would never be found by a pass
    broken = jnp.any(state.pool.due != state.pool.due)
    status = state.status | jnp.where(broken, jnp.uint32(int(Status.NON_FINITE)), jnp.uint32(0))
    state = state._replace(status=status)
    alive = state.pool.due < NEVER
    travelling = alive & (unpack(state.pool).tag < FIRST)
    account = Account(tally, due, jnp.sum(alive, dtype=jnp.int32), jnp.sum(travelling, dtype=jnp.int32), sums)
    return state, account


def _add(sums: Sums, event: Happened, at: jax.Array, own: jax.Array, within: jax.Array) -> Sums:
    """The sums with a pass's events, which are at `at` of the tally, `own` of the patches, `within` their interval."""
    instant = jnp.round(jnp.clip(within, 0.0, 1.0) * (1.0 / UNIT)).astype(jnp.int32)
    return Sums(
        sums.instants.at[at].add(instant, mode="drop"), sums.journeys.at[own].add(event.score, mode="drop")
    )


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
