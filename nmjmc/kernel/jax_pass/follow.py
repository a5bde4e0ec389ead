"""The program: windows of time one after the other, each in tiles of due slots of one fixed length.

A window handles all that falls due before its end. Every event keeps its own exact time and is counted in the record of
that time. What is approximated is the order within a window: at each site one change happens, that of the first in the
order of the slots, and who comes after it, or falls due again, waits for the next window, when other sites may have
changed later than that. The window is the time step of the pass; halving it is the convergence test.

    while records are left:                      one program, whatever the numbers of a run
        until = end of the next window
        due   = slots with a time before it      (`due`)
        for each tile of them:
            meet, claim, change, count           (`meet`, `claims`, `change`)

**Layout.** `State` is given back in place of itself (donated): no array of it is ever copied.

**Invariant.** Each slot's next event comes from its own random numbers, its own row, and its site: none of them hangs
on the tile, the batch or the chunk.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Bool, Float, Int, UInt32

from nmjmc.errors import Status
from nmjmc.kernel.jax_pass import change, claims, due, meet
from nmjmc.kernel.jax_pass.arena import CLOCK, NEVER, WORD, Entries, Patches, entries_of, rows_of
from nmjmc.kernel.jax_pass.stage import Stage, stages
from nmjmc.kernel.physics.likelihood import UNIT
from nmjmc.kernel.physics.tables import Shape, Tables

BEFORE = 8
"""Intervals before a chunk to which its events may belong: those that fell due again in the last windows of the
chunk before. An interval holds at least two windows, and one window handles each link of a chain of such events, so
the chain would need sixteen links within one step to be counted an interval late."""

RECORDS = 64
"""Most record intervals of a chunk."""


class Layout(NamedTuple):
    """Lengths of the tile and of the part of the slots that is looked through together, for a platform (by trial)."""

    tile: int
    words: int


LAYOUTS = {"cpu": Layout(1024, 2048), "gpu": Layout(2**16, 2**17)}


class State(NamedTuple):
    """All that evolves; see `arena` for the arrays.

    Attributes:
        date: of the last tile, which falls from tile to tile (`claims`).
        record, window: interval of the chunk and window in it that come next.
        handled: slots that were due in all windows, for the accounts.
        status: status bits.
    """

    due: Float[Array, "b w"]
    rows: UInt32[Array, "n k"]
    sites: UInt32[Array, " sites"]
    claims: UInt32[Array, " sites"]
    date: Int[Array, ""]
    record: Int[Array, ""]
    window: Int[Array, ""]
    handled: Int[Array, ""]
    status: UInt32[Array, ""]


class Sums(NamedTuple):
    """What scores need, in the intervals of the tally, in units of `likelihood.UNIT`.

    Attributes:
        instants: sum of the times within the interval, as fractions of it, of what the tally counts.
        journeys: sum of the scores of the journeys that began, for the two planes.
    """

    instants: Int[jax.Array, "r vk"]
    journeys: Int[jax.Array, "r v 2"]


class Counts(NamedTuple):
    """What happened in a chunk.

    Attributes:
        tally: transitions of every patch in each interval: `BEFORE` intervals before the chunk's (events that
            were handled late), then the chunk's own.
        sums: where scores are wanted, else None.
    """

    tally: Int[jax.Array, " rvk"]
    sums: Sums | None


class Report(NamedTuple):
    """What the host reads after a chunk: its counts, the slots with a next event, and the molecules among them."""

    counts: Counts
    live: Int[jax.Array, ""]
    molecules: Int[jax.Array, ""]


class Chunk(NamedTuple):
    """Which record intervals a chunk covers.

    Attributes:
        first: number of the first interval.
        count: how many.
        interval: length of an interval [ms].
        windows: windows in each.
        lateness: how late an event may be handled in each [ms].
        flush: further windows at the end of the last, which handle what fell due again.
    """

    first: Int[jax.Array, ""]
    count: Int[jax.Array, ""]
    interval: Float[jax.Array, ""]
    windows: Int[jax.Array, " r"]
    lateness: Float[jax.Array, " r"]
    flush: Int[jax.Array, ""]


@partial(jax.jit, static_argnames=("shape", "layout"), donate_argnames=("state",))
def follow(
    tables: Tables, patches: Patches, state: State, chunk: Chunk, *, shape: Shape, layout: Layout
) -> tuple[State, Report]:
    """The state after the intervals of a chunk; or before, if claims must be wiped first (`State.record` tells)."""
    stage = stages(chunk.interval > 0)
    most = state.rows.shape[0] // layout.tile + 1

    def goes_on(carry: tuple[State, Counts, due.Due]) -> Bool[Array, ""]:
        now = carry[0]
        return (now.record < chunk.count) & (now.date > most) & (now.status == 0)

    def window(carry: tuple[State, Counts, due.Due]) -> tuple[State, Counts, due.Due]:
        state, counts, found = carry
        windows = chunk.windows[state.record]
        part = (state.window + 1).astype(jnp.float32) / windows.astype(jnp.float32)
        # the times of the windows follow from the interval's number alone, whatever the chunk
        until = chunk.interval * ((chunk.first + state.record).astype(jnp.float32) + jnp.minimum(part, 1.0))
        found = due.find(state.due, until, patches.words, found, layout.words, stage)
        since = state.date - 1
        bounds = (until, until - chunk.lateness[state.record], since)

        def tile(number: Int[Array, ""], carry: tuple[State, Counts]) -> tuple[State, Counts]:
            return _tile(tables, patches, shape, chunk, *carry, found, number, bounds, layout.tile, stage)

        tiles = (found.total + layout.tile - 1) // layout.tile
        state, counts = lax.fori_loop(0, tiles, tile, (state, counts))
        more = jnp.where(state.record == chunk.count - 1, chunk.flush, 0)
        last = state.window + 1 >= windows + more
        state = state._replace(
            record=state.record + last.astype(jnp.int32),
            window=jnp.where(last, 0, state.window + 1),
            handled=state.handled + found.total,
        )
        return state, counts, found

    counts = _no_counts(shape, patches.first.shape[0])
    carry = (state._replace(handled=jnp.int32(0)), counts, due.nothing(state.due.shape[1]))
    state, counts, _ = lax.while_loop(goes_on, window, carry)
    rows, sums = BEFORE + RECORDS, counts.sums
    if sums is not None:
        sums = Sums(sums.instants.reshape(rows, -1), sums.journeys.reshape(rows, -1, 2))
    counts = Counts(counts.tally.reshape(rows, -1), sums)
    # a slot whose time is no number would never fall due, and so would never be found by a window
    broken = jnp.any(state.due != state.due)
    state = state._replace(status=state.status | _bit(broken, Status.NON_FINITE))
    alive = state.due < NEVER
    travels = alive.T.reshape(-1) & (state.rows[:, 2] != CLOCK)
    return state, Report(counts, jnp.sum(alive, dtype=jnp.int32), jnp.sum(travels, dtype=jnp.int32))


def _no_counts(shape: Shape, patches: int) -> Counts:
    rows = BEFORE + RECORDS
    tally = jnp.zeros(rows * patches * shape.columns, jnp.int32)
    return Counts(tally, Sums(tally, jnp.zeros((rows * patches, 2), jnp.int32)) if shape.scored else None)


def _tile(
    tables: Tables,
    patches: Patches,
    shape: Shape,
    chunk: Chunk,
    state: State,
    counts: Counts,
    found: due.Due,
    number: Int[Array, ""],
    bounds: tuple[Array, Array, Array],
    length: int,
    stage: Stage,
) -> tuple[State, Counts]:
    """The state and the counts after a tile; `bounds`: the window's end, the oldest event it bears, its first date."""
    until, oldest, since = bounds
    slots = state.rows.shape[0]
    at, there = stage(lambda: due.tile(found, number * length + jnp.arange(length, dtype=jnp.int32)))
    rows, times = stage(
        lambda: (state.rows.at[at].get(mode="promise_in_bounds"), state.due[at % WORD, at // WORD])
    )
    # a clock may have been put to sleep since the list was made
    there = there & (times < until)
    entry = stage(lambda: entries_of(jnp.where(there, times, NEVER), rows))
    met = meet.meet(tables, patches, state.sites, entry, at, there, stage)
    wish = stage(lambda: meet.decide(tables.chemistry, met))
    comes, would = met.attempts | met.clock, wish.binds | met.clock
    date = state.date - 1
    may, board = claims.first_to_come(state.claims, date, since, met.site, comes, would, stage)
    done = stage(lambda: change.settle(tables.chemistry, shape, patches, met, wish, may))
    after, score = change.next_events(tables, shape, met, done, stage)
    writes = there & ~done.waits
    index = jnp.where(writes, at, slots)
    other, wakes, missing = stage(lambda: change.others(patches, met, wish, done))
    other = jnp.where(other < 0, slots, other)
    both = jnp.concatenate([index, other])
    fresh = stage(lambda: rows_of(after) + jnp.uint32(0))
    state = state._replace(
        due=state.due.at[both % WORD, both // WORD].set(jnp.concatenate([after.due, wakes]), mode="drop"),
        rows=state.rows.at[index].set(fresh, mode="drop"),
        sites=state.sites.at[jnp.where(done.changes, met.site, state.sites.shape[0])].set(
            done.word, mode="drop"
        ),
        claims=board,
        date=date,
        status=state.status | _faults(after, writes) | _bit(missing, Status.POOL_OVERFLOW),
    )
    counts, late = _count(counts, shape, chunk, met, done.column, score)
    late = late | (jnp.min(entry.due) < oldest)
    return state._replace(status=state.status | _bit(late, Status.STEP_TOO_LONG)), counts


def _count(
    counts: Counts,
    shape: Shape,
    chunk: Chunk,
    met: meet.Meeting,
    column: Int[Array, " e"],
    score: Array | None,
) -> tuple[Counts, Bool[Array, ""]]:
    """The counts with a tile's events, each in the interval of its own time; and whether one came too late for that."""
    rows, columns = BEFORE + RECORDS, shape.columns
    patches = counts.tally.shape[0] // (rows * columns)
    happened = column < columns
    own = jnp.ceil(met.entry.due / chunk.interval).astype(jnp.int32) - 1 - chunk.first + BEFORE
    late = jnp.any((own < 0) & happened & (chunk.first > BEFORE))
    row = jnp.clip(own, 0, rows - 1)
    which = row * patches + met.patch
    at = jnp.where(happened, which * columns + column, counts.tally.shape[0])
    sums = counts.sums
    if sums is not None and score is not None:
        within = met.entry.due / chunk.interval - (row + chunk.first - BEFORE).astype(jnp.float32)
        instant = jnp.round(jnp.clip(within, 0.0, 1.0) * (1.0 / UNIT)).astype(jnp.int32)
        sums = Sums(
            sums.instants.at[at].add(instant, mode="drop"), sums.journeys.at[which].add(score, mode="drop")
        )
    return Counts(counts.tally.at[at].add(1, mode="drop"), sums), late


def _faults(after: Entries, writes: Bool[Array, " e"]) -> UInt32[Array, ""]:
    """Whether a number of what is written is none."""
    place = after.x + after.y if after.z is None else after.x + after.y + after.z
    molecule = after.kind != CLOCK
    return _bit(
        jnp.any(writes & ((molecule & (place != place)) | (after.due != after.due))), Status.NON_FINITE
    )


def _bit(fault: Bool[Array, ""], bit: Status) -> UInt32[Array, ""]:
    return jnp.where(fault, jnp.uint32(int(bit)), jnp.uint32(0))
