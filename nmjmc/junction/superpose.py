"""Endplate conductance as a sum: rows of a bank, each from its own time."""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from nmjmc.junction.bank import Bank
from nmjmc.junction.together import PatchBank, in_patches
from nmjmc.runtime import in_single


class Added(NamedTuple):
    """What is added up: up to n rows of a bank for each fibre and stimulus.

    Attributes:
        time: when each begins, from its stimulus; inf for none [v k n] [ms].
        first: number of the first row of its kind [v k n].
        kinds: rows of that kind [v k n].
        place: which draw is its own [v k n].
        weight: factor on its conductance [v k n].
    """

    time: Float[np.ndarray, "v k n"]
    first: Int[np.ndarray, "v k n"]
    kinds: Int[np.ndarray, "v k n"]
    place: Int[np.ndarray, "v k n"]
    weight: Float[np.ndarray, "v k n"]


@in_single
def superpose(
    bank: Bank,
    release: Float[np.ndarray, "v k n"],
    times: np.ndarray,
    samples: int,
    seed: int,
    scale: Any = 1.0,
) -> Float[np.ndarray, "v k t"]:
    """Conductance after each stimulus: rows of the bank, drawn at random, each at its own time.

    What is still open at the next stimulus is counted there too.

    Args:
        bank: Single quanta, or patches whose quanta were simulated together.
        release: Time of release of each site after its stimulus; inf for none [ms].
        times: The stimuli [k] [ms].
        samples: Samples after each stimulus, at the bank's interval.
        seed: Seed of the draw.
        scale: Factor on the conductance of each fibre [v].
    """
    added = in_patches(bank, release) if isinstance(bank, PatchBank) else None
    added = _one_by_one(bank, release) if added is None else Added(*added)
    order = np.argsort(added.time, axis=-1, kind="stable")
    most = max(1, int(np.isfinite(added.time).sum(axis=-1).max()))
    added = Added(*(np.take_along_axis(x, order, -1)[..., :most] for x in added))
    since = np.asarray(times)[:, None] - np.asarray(times)[None, :]
    reach = bank.conductance.shape[1] * bank.interval
    back = int(max(1, ((since >= 0) & (since < reach)).sum(axis=1).max()))
    currents = _superpose(
        jnp.asarray(bank.conductance), jax.tree.map(jnp.asarray, added), jnp.asarray(since, jnp.float32),
        jax.random.key(seed), samples, back, bank.interval,
    )  # fmt: skip
    factor = np.broadcast_to(np.asarray(scale, np.float32), currents.shape[:1])
    return np.asarray(currents) * factor[:, None, None]


def _one_by_one(bank: Bank, release: Float[np.ndarray, "v k n"]) -> Added:
    """Every released quantum by itself."""
    time = release.astype(np.float32)
    zero = np.zeros(time.shape, np.int32)
    place = zero + np.arange(time.shape[-1], dtype=np.int32)
    return Added(time, zero, zero + bank.quanta, place, np.ones_like(time))


@eqx.filter_jit
def _superpose(
    bank: Array, added: Added, since: Array, key: Array, samples: int, back: int, interval: float
) -> Array:
    length = bank.shape[1]
    fibres, stimuli, most = added.time.shape
    grid = jnp.arange(samples).astype(jnp.float32) * interval
    row = added.first + _draws(added, key)
    ks = jnp.arange(stimuli)

    def add(total: Array, item: Array) -> tuple[Array, None]:
        which, lag = jnp.divmod(item, back)
        source = ks - lag
        present = source >= 0
        source = jnp.maximum(source, 0)
        start = added.time[:, source, which]
        delay = since[ks, source]
        place = (grid[None, None, :] + delay[None, :, None] - start[:, :, None]) / interval
        left = jnp.clip(jnp.floor(jnp.where(jnp.isfinite(place), place, -1.0)), -1.0, length - 1.0)
        part = jnp.clip(place - left, 0.0, 1.0)
        index = jnp.clip(left.astype(jnp.int32), 0, length - 2)
        own = row[:, source, which][:, :, None]
        value = bank[own, index] * (1.0 - part) + bank[own, index + 1] * part
        value = value * added.weight[:, source, which][:, :, None]
        inside = (left >= 0) & (left < length - 1) & present[None, :, None]
        return total + jnp.where(inside, value, 0.0), None

    zero = jnp.zeros((fibres, stimuli, samples), bank.dtype)
    return jax.lax.scan(add, zero, jnp.arange(most * back))[0]


def _draws(added: Added, key: Array) -> Array:
    """A row of its kind for each; one fibre's draws do not depend on its company."""

    def draw(fibre: Array, k: Array, place: Array, kinds: Array) -> Array:
        own = jax.random.fold_in(jax.random.fold_in(jax.random.fold_in(key, fibre), k), place)
        return jax.random.randint(own, (), 0, kinds)

    fibres, stimuli, _ = added.time.shape
    each = jax.vmap(jax.vmap(jax.vmap(draw, (None, None, 0, 0)), (None, 0, 0, 0)), (0, None, 0, 0))
    places, kinds = jnp.asarray(added.place), jnp.asarray(added.kinds)
    return each(jnp.arange(fibres), jnp.arange(stimuli), places, kinds)
