"""The state before the first release: molecules in their vesicles, sites at rest."""

# Host arrays are put where device arrays are declared; JAX moves them.
# pyright: reportArgumentType=false

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float, Int, UInt32

from nmjmc.kernel.jax_pass import contest, flat, sets, stepped
from nmjmc.kernel.jax_pass.pool import NEVER, PLAIN, Entries, Pool, pack, select
from nmjmc.kernel.jax_pass.stage import stages
from nmjmc.kernel.jax_pass.step import State
from nmjmc.kernel.physics import random
from nmjmc.kernel.physics import release as releases
from nmjmc.kernel.physics.survival import Start
from nmjmc.kernel.physics.tables import FIRST, Shape, Tables

_BLOCK = 4096  # most molecules that are prepared at a time; few enough to stay in the cache


class Load(NamedTuple):
    """The molecules of a batch before release, one row each (host arrays, padded).

    Attributes:
        patch: which patch of the batch, or -1 for padding.
        lineage: number of the molecule in its patch.
        x, y: release site [um].
        time: time of fusion [ms].
    """

    patch: Int[Array, " n"]
    lineage: UInt32[Array, " n"]
    x: Float[Array, " n"]
    y: Float[Array, " n"]
    time: Float[Array, " n"]


def load(contents: np.ndarray, sites: np.ndarray, times: np.ndarray, size: int) -> Load:
    """The molecules of every vesicle of every patch, padded to `size`.

    Args:
        contents: molecules of each vesicle [patches, vesicles].
        sites: where each fuses [patches, vesicles, 2] [um].
        times: when [vesicles] [ms].
        size: rows of the answer.
    """
    patches, vesicles = contents.shape
    repeat = contents.ravel()
    total = int(repeat.sum())
    vesicle = np.repeat(np.tile(np.arange(vesicles), patches), repeat)
    patch = np.repeat(np.repeat(np.arange(patches), vesicles), repeat)
    first = np.concatenate([[0], np.cumsum(contents.sum(axis=1))])[:-1]
    pad = (0, size - total)

    def padded(values: np.ndarray, dtype: type, fill: float = 0) -> np.ndarray:
        return np.pad(values.astype(dtype), pad, constant_values=fill)

    return Load(
        padded(patch, np.int32, -1),
        padded(np.arange(total) - first[patch], np.uint32),
        padded(sites[patch, vesicle, 0], np.float32),
        padded(sites[patch, vesicle, 1], np.float32),
        padded(times[vesicle], np.float32),
    )


@partial(jax.jit, static_argnames=("shape", "records"))
def prepare(
    tables: Tables,
    shape: Shape,
    pore: releases.PoreTable,
    load: Load,
    keys: tuple[random.Words, random.Words],
    interval: Float[Array, ""],
    records: int,
) -> tuple[State, Int[Array, "v t"], Int[Array, "v t 2"] | None]:
    """The state at time 0, and how many molecules each patch has released by each record.

    Last come the scores of the first journeys, where they are wanted, each at the record that follows the release.
    """
    patches = keys[0][0].shape[0]
    size = math.gcd(load.patch.shape[0], _BLOCK)
    blocks = jax.tree.map(lambda field: field.reshape(-1, size), load)

    def block(part: Load) -> tuple[Pool, Int[Array, " b"], Int[Array, "b 2"] | None]:
        return _release(tables, shape, pore, part, keys[1], interval)

    pool, column, score = lax.map(block, blocks)
    pool = Pool(pool.due.reshape(-1), pool.rows.reshape(-1, pool.rows.shape[2]))
    column = column.reshape(-1)
    at = jnp.where((load.patch >= 0) & (column < records), load.patch * records + column, patches * records)
    released = jnp.zeros(patches * records, jnp.int32).at[at].add(1, mode="drop").reshape(patches, records)
    if score is not None:
        score = (
            jnp.zeros((patches * records, 2), jnp.int32)
            .at[at]
            .add(score.reshape(-1, 2), mode="drop")
            .reshape(patches, records, 2)
        )
    template = (
        jnp.tile(tables.template, patches) if tables.sets is None else tables.template[tables.sets].ravel()
    )
    state = State(
        pool,
        jnp.sum(load.patch >= 0, dtype=jnp.int32),
        template,
        contest.unclaimed(patches * shape.sites),
        keys[0],
        jnp.uint32(0),
        jnp.int32(0),
        jnp.int32(0),
        jnp.int32(0),
    )
    return state, jnp.cumsum(released, axis=1), score


def _release(
    tables: Tables, shape: Shape, pore: releases.PoreTable, load: Load, keys: random.Words, interval: Array
) -> tuple[Pool, Int[Array, " b"], Int[Array, "b 2"] | None]:
    """The first journeys of some molecules, the record by which each has been released, and the journeys' scores."""
    stage = stages(interval > 0)
    patch = jnp.maximum(load.patch, 0)
    draw = jnp.zeros_like(load.lineage)
    count = 3 + (flat.WORDS if tables.stepping is None else stepped.WORDS)
    words = stage(lambda: random.words((keys[0][patch], keys[1][patch]), (load.lineage, draw), count))
    x, y, time = stage(lambda: _leave(pore, load, words, None if tables.sets is None else tables.sets[patch]))
    tables = sets.own(tables, patch, stage)
    owner, score = patch * shape.sites, None
    if tables.stepping is None:
        start = jnp.full(x.shape, int(Start.RELEASED))
        journey = flat.depart(tables, shape.disc, shape.reflecting, x, y, start, words[3:], stage)
        z, origin, score = None, ((x, y, time) if shape.viewed else None), journey.score
    else:
        start = jnp.broadcast_to(tables.stepping.released_at, x.shape)
        journey = stepped.depart(tables, shape.disc, shape.reflecting, x, y, start, words[3:], stage)
        owner, z, origin = owner + journey.tile, journey.z, None
    due = jnp.where(load.patch >= 0, time + journey.span, NEVER)
    entries = Entries(due, journey.x, journey.y, owner, journey.aim, load.lineage, draw, z, origin)
    column = jnp.ceil(time / interval - 1e-4).astype(jnp.int32)
    return pack(entries, stage), jnp.maximum(column, 0), score


def _leave(
    pore: releases.PoreTable, load: Load, words: list[Array], which: Array | None
) -> tuple[Array, Array, Array]:
    """Where and when molecules leave their pore (of the set `which`): at a hazard's time, anywhere on its opening."""
    row = random.exponential(words[0]) * (pore.scale if which is None else pore.scale[which])
    entry = jnp.minimum(row.astype(jnp.int32), releases.ENTRIES - 2)
    part = jnp.minimum(row - entry.astype(jnp.float32), 1.0)
    entry = entry if which is None else entry + which * releases.ENTRIES
    after = pore.time[entry] + part * (pore.time[entry + 1] - pore.time[entry])
    radius = pore.radius[entry] * jnp.sqrt(random.uniform(words[1]))
    sine, cosine = random.sincos_turn(words[2])
    return load.x + radius * cosine, load.y + radius * sine, load.time + after


@partial(jax.jit, static_argnames=("shape",))
def rest_sites(
    tables: Tables, shape: Shape, state: State, keys: random.Words, resting: Float[Array, "b 2 s"]
) -> tuple[UInt32[Array, " sites"], Float[Array, " sites"]]:
    """Sites at equilibrium with the bath, and when each would next change by itself.

    Returns:
        The word of each site and the due time of its clock (infinite for none).
    """
    patches = keys[0].shape[0]
    site = jnp.tile(jnp.arange(shape.sites, dtype=jnp.uint32), patches)
    patch = jnp.repeat(jnp.arange(patches), shape.sites)
    key = (keys[0][patch], keys[1][patch])
    words = random.words(key, (site, jnp.zeros_like(site)), 2)
    tables = sets.own(tables, patch, lambda compute: compute())
    states = tables.chemistry.states
    live = state.sites < jnp.uint32(FIRST + states - 1)
    second = site.astype(jnp.int32) >= tables.lattice.offset[1]
    u = random.uniform(words[0])
    kind = jnp.zeros(site.shape, jnp.int32)
    cumulative = jnp.cumsum(resting, axis=2)
    which = 0 if tables.sets is None else tables.sets[patch]
    for j in range(resting.shape[2] - 1):
        reached = jnp.where(second, cumulative[which, 1, j], cumulative[which, 0, j])
        kind = kind + (u >= reached).astype(jnp.int32)
    word = jnp.where(live, kind.astype(jnp.uint32) + jnp.uint32(FIRST), state.sites)
    rate = tables.chemistry.exit_rate[
        (word & jnp.uint32(0xFF)).astype(jnp.int32) + tables.chemistry.first(states)
    ]
    return word, jnp.where(rate > 0, random.exponential(words[1]) / jnp.maximum(rate, 1e-30), NEVER)


@partial(jax.jit, static_argnames=("shape",))
def thin_sites(
    tables: Tables,
    shape: Shape,
    state: State,
    keys: random.Words,
    chance: Float[Array, "b 2"],
    drawn: Int[Array, " b"],
) -> UInt32[Array, " sites"]:
    """The words of the sites after each has been left standing, or made vacant.

    Args:
        tables: those of the batch.
        shape: of a patch.
        state: with a site on every tile.
        keys: of each patch.
        chance: of a tile of each plane to hold a site.
        drawn: esterases that are drawn from the tiles of their plane; -1 where each tile has its chance.
    """
    patches = keys[0].shape[0]
    site = jnp.tile(jnp.arange(shape.sites, dtype=jnp.uint32), patches)
    patch = jnp.repeat(jnp.arange(patches), shape.sites)
    (word,) = random.words((keys[0][patch], keys[1][patch]), (site, jnp.zeros_like(site)), 1)
    tables = sets.own(tables, patch, lambda compute: compute())
    second = site.astype(jnp.int32) >= tables.lattice.offset[1]
    vacant = jnp.uint32(FIRST + tables.chemistry.states - 1)
    stands = random.uniform(word) < jnp.where(second, chance[patch, 1], chance[patch, 0])
    # the sites stand on the tiles whose words are least; equal words keep their tiles' order
    lot = jnp.where(second & (state.sites < vacant), word >> 1, jnp.uint32(0xFFFFFFFF))
    rank = jnp.argsort(jnp.argsort(lot.reshape(patches, -1), axis=1), axis=1).ravel()
    stands = jnp.where(second & (drawn[patch] >= 0), rank < drawn[patch], stands)
    return jnp.where(stands, state.sites, vacant)


@partial(jax.jit, static_argnames=("count", "size"))
def add_clocks(
    state: State,
    word: UInt32[Array, " sites"],
    due: Float[Array, " sites"],
    until: Float[Array, ""],
    count: int,
    size: int,
) -> State:
    """The state with the sites' words and a clock for each that changes before `until`."""
    stage = stages(until > 0)
    sites = due.shape[0]
    mask = jnp.pad(due < until, (0, -sites % 32))
    index, found = select(lambda: mask, count, stage)
    at = jnp.minimum(index, sites - 1)
    zero = jnp.zeros(count, jnp.float32)
    width = state.pool.rows.shape[1]
    # lineages above 2^30 are free: molecules count from 0, clocks that split off set the top bit
    patch_sites = sites // state.keys[0].shape[0]
    lineage = (at % patch_sites).astype(jnp.uint32) | jnp.uint32(0x40000000)
    clocks = pack(
        Entries(
            jnp.where(index < sites, due[at], NEVER),
            zero,
            zero,
            at,
            word[at],
            lineage,
            zero.astype(jnp.uint32),
            zero if width == PLAIN + 1 else None,
            (zero, zero, zero) if width == PLAIN + 3 else None,
        ),
        stage,
    )
    old = state.pool.due.shape[0]
    pool = Pool(
        jnp.full(size, NEVER, jnp.float32).at[:old].set(state.pool.due),
        jnp.zeros((size, width), jnp.uint32).at[:old].set(state.pool.rows),
    )
    place = jnp.where(index < sites, state.used + jnp.arange(count), size)
    pool = Pool(
        pool.due.at[place].set(clocks.due, mode="drop"), pool.rows.at[place].set(clocks.rows, mode="drop")
    )
    return state._replace(pool=pool, sites=word, used=state.used + found)
