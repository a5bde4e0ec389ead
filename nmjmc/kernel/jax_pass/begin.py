"""The state before the first event: molecules in their vesicles, sites at rest.

Where sites stand and what a bath has made of them is drawn on the host, with the random numbers of each site; when each
molecule leaves its vesicle is drawn by a program, for all slots at once.

    leaves its pore at fusion + H^-1(E), E ~ Exp(1), H the hazard of leaving (`release`); there its first journey begins
"""

# Host arrays are put where device arrays are declared; JAX moves them.
# pyright: reportArgumentType=false

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int, UInt8, UInt32

from nmjmc.kernel.jax_pass import claims
from nmjmc.kernel.jax_pass import sites as stand
from nmjmc.kernel.jax_pass.arena import (
    CLOCK,
    NEVER,
    NONE,
    WORD,
    Entries,
    Patches,
    Size,
    rows_of,
    size_for,
    smallest,
)
from nmjmc.kernel.jax_pass.follow import Layout, State
from nmjmc.kernel.physics import random
from nmjmc.kernel.physics import release as releases
from nmjmc.kernel.physics.lower import Lowered
from nmjmc.kernel.physics.survival import Start

_ENOUGH = 16  # patches that keep a lane busy (a choice)


class Load(NamedTuple):
    """What stands in each slot at first (host arrays).

    Attributes:
        x, y: release site of a molecule [um]; of a reserved slot, as integers, the slot below it (none) and its site.
        time: time of fusion of a molecule's vesicle; due time of a reserved slot [ms].
        molecule: whether it is a molecule.
    """

    x: Float[Array, " n"]
    y: Float[Array, " n"]
    time: Float[Array, " n"]
    molecule: UInt8[Array, " n"]


def needed(lowered: Lowered, contents: Int[np.ndarray, "v k"]) -> Size:
    """What a batch takes of an arena."""
    slots = int(slots_of(contents, stand.reserved(lowered)).sum())
    return Size(len(contents), slots, len(contents) * lowered.tables.template.shape[0])


def memory(lowered: Lowered, contents: Int[np.ndarray, "v k"], platform: str) -> int:
    """Memory of a batch [bytes]."""
    return size_for(needed(lowered, contents), platform).bytes


def batch(lowered: Lowered, contents: Int[np.ndarray, "v k"], lanes: int, platform: str) -> int:
    """Patches of a batch: as many as the smallest arena holds, and of large runs as many in each lane.

    Args:
        lowered: the synapse as arrays.
        contents: molecules of each vesicle of each patch of the run.
        lanes: batches at once.
        platform: of the device.
    """
    room, vesicles = smallest(platform), len(contents)
    most = int(slots_of(contents, stand.reserved(lowered)).max())
    fits = min(room.patches, room.slots // most, room.sites // lowered.tables.template.shape[0])
    batches = math.ceil(vesicles / max(1, fits))
    if vesicles >= _ENOUGH * lanes:
        batches = lanes * math.ceil(batches / lanes)
    return math.ceil(vesicles / batches)


def slots_of(contents: Int[np.ndarray, "v k"], reserved: int) -> Int[np.ndarray, " v"]:
    """Slots of each patch: its molecules and what is reserved, to whole words."""
    return -(-(contents.sum(axis=1) + reserved) // WORD) * WORD


def patches_of(
    lowered: Lowered,
    contents: Int[np.ndarray, "v k"],
    reserved: int,
    keys: tuple[np.ndarray, np.ndarray],
    size: Size,
) -> Patches:
    """The patches of a batch (host arrays), padded to the size of the arena."""
    spare = size.patches - len(contents)
    slots = slots_of(contents, reserved)
    first = np.concatenate([[0], np.cumsum(slots)])
    of_word = np.repeat(np.arange(len(contents)), slots // WORD)
    return Patches(
        tuple(np.pad(np.asarray(key, np.uint32), (0, spare)) for key in keys),
        np.pad(first[:-1], (0, spare)).astype(np.int32),
        np.pad(contents.sum(axis=1), (0, spare)).astype(np.int32),
        np.pad(of_word, (0, size.slots // WORD - len(of_word))).astype(np.int32),
        np.int32(lowered.tables.template.shape[0]),
        np.bool_(reserved > 0),
        np.int32(len(of_word)),
    )


def load(
    contents: Int[np.ndarray, "v k"],
    places: Float[np.ndarray, "v k 2"],
    times: Float[np.ndarray, " k"],
    patches: Patches,
    clocks: Float[np.ndarray, "v s"] | None,
    size: Size,
) -> Load:
    """The slots of a batch.

    Args:
        contents: molecules of each vesicle.
        places: where each fuses [um].
        times: when [ms].
        patches: the patches.
        clocks: when each site of each patch changes by itself [ms], where slots are reserved for them.
        size: of the arena.
    """
    x, y = np.zeros(size.slots, np.float32), np.zeros(size.slots, np.float32)
    time, molecule = np.full(size.slots, NEVER, np.float32), np.zeros(size.slots, np.uint8)
    for held, place, begin, count in zip(contents, places, patches.first, patches.molecules, strict=False):
        own = slice(begin, begin + count)
        x[own], y[own] = np.repeat(place[:, 0], held), np.repeat(place[:, 1], held)
        time[own], molecule[own] = np.repeat(times, held), 1
    if clocks is not None:
        number = np.arange(clocks.shape[1], dtype=np.int32).view(np.float32)
        for due, begin, count in zip(clocks, patches.first, patches.molecules, strict=False):
            own = slice(begin + count, begin + count + len(number))
            x[own], y[own], time[own] = np.array(NONE, np.int32).view(np.float32), number, due
    return Load(x, y, time, molecule)


@partial(jax.jit, static_argnames=("width", "layout"))
def begin(
    patches: Patches,
    keys: random.Words,
    pore: releases.PoreTable,
    loaded: Load,
    sites: UInt32[Array, " sites"],
    *,
    width: int,
    layout: Layout,
) -> tuple[State, Float[Array, " n"]]:
    """The state at time 0, and when each slot's next event is [ms].

    Args:
        patches: the patches.
        keys: their random keys for releases.
        pore: how molecules leave their vesicle.
        loaded: what stands in the slots.
        sites: words of the sites.
        width: 0, 2 or 3 further words of a row, see `arena.Entries`.
        layout: of the tiles.
    """
    slot = jnp.arange(loaded.x.shape[0], dtype=jnp.int32)
    patch = patches.of_word[slot // WORD]
    number, zero = (slot - patches.first[patch]).astype(jnp.uint32), jnp.zeros(slot.shape, jnp.uint32)
    words = random.words((keys[0][patch], keys[1][patch]), (number, zero), 3)
    x, y, time = _leave(pore, loaded, words)
    leaves = loaded.molecule == 1
    due = jnp.where(leaves, time, loaded.time)
    kind = jnp.where(leaves, jnp.uint32(Start.RELEASED), jnp.uint32(CLOCK))
    none = jnp.zeros_like(x)
    entries = Entries(
        due,
        jnp.where(leaves, x, loaded.x),
        jnp.where(leaves, y, loaded.y),
        kind,
        zero,
        none if width == 2 else None,
        jnp.zeros_like(slot) if width == 2 else None,
        (x, y, time) if width == 3 else None,
    )
    count = jnp.int32(0)
    state = State(
        due.reshape(-1, WORD).T,
        rows_of(entries),
        sites,
        jnp.full(sites.shape, 0xFFFFFFFF, jnp.uint32),
        jnp.int32(claims.dates(layout.tile)),
        count,
        count,
        count,
        jnp.uint32(0),
    )
    return state, due


def _leave(pore: releases.PoreTable, loaded: Load, words: list[Array]) -> tuple[Array, Array, Array]:
    """Where and when molecules leave their pore: at a hazard's time, anywhere on its opening."""
    row = random.exponential(words[0]) * pore.scale
    entry = jnp.minimum(row.astype(jnp.int32), releases.ENTRIES - 2)
    part = jnp.minimum(row - entry.astype(jnp.float32), 1.0)
    after = pore.time[entry] + part * (pore.time[entry + 1] - pore.time[entry])
    radius = pore.radius[entry] * jnp.sqrt(random.uniform(words[1]))
    sine, cosine = random.sincos_turn(words[2])
    return loaded.x + radius * cosine, loaded.y + radius * sine, loaded.time + after


def released_by(
    left: Float[np.ndarray, " n"], loaded: Load, patches: Patches, count: int, interval: float, records: int
) -> Int[np.ndarray, "v t"]:
    """How many molecules each of the first `count` patches has released by each record, from when each left."""
    at = np.flatnonzero(loaded.molecule)
    patch = patches.of_word[at // WORD]
    record = np.maximum(np.ceil(left[at] / np.float32(interval) - 1e-4), 0)
    inside = record < records
    which = patch[inside].astype(np.int64) * records + record[inside].astype(np.int64)
    found = np.bincount(which, minlength=count * records).reshape(count, records)
    return np.cumsum(found, axis=1).astype(np.int32)
