"""Vesicles in their pools, residual calcium between stimuli, and trains of stimuli of many terminals.

Each place holds a vesicle or none. An empty place is refilled with probability 1 - exp(-rate interval), where the
rate grows with the residual calcium and with the filling of the recycling pool. Fused vesicles come back to that
pool; the reserve replaces what it lacks. Residual calcium has four components (two of facilitation, augmentation,
potentiation; Magleby & Zengel [V-abs]), each raised by every stimulus in proportion to the calcium that entered, and
decaying by itself. Their sum adds to the calcium that the open channels bring to a vesicle.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from nmjmc.carried import Number
from nmjmc.errors import ValidationError
from nmjmc.junction.release import Fusion, channels_there, reach_of, stimulate, window_steps
from nmjmc.junction.stimulus import stimulus_times
from nmjmc.junction.terminal import Terminal
from nmjmc.runtime import in_single
from nmjmc.units import to_internal

NORMAL_CHARGE = 0.01164
"""Calcium that enters a terminal of 1,368 channels in a normal spike [pC]; calculated, see the tests."""


class Pools(NamedTuple):
    """A terminal between stimuli.

    Attributes:
        filled: places with a vesicle [z s]; the first is near the channels.
        recycling: vesicles of the recycling pool.
        reserve: vesicles of the reserve.
        returning: vesicles on their way back from fusion.
        residual: calcium of facilitation (fast, slow), augmentation, potentiation [4] [uM].
    """

    filled: Bool[Array, "z s"]
    recycling: Float[Array, ""]
    reserve: Float[Array, ""]
    returning: Float[Array, ""]
    residual: Float[Array, " 4"]


class Release(NamedTuple):
    """Release of terminals [v] at stimuli [k].

    Attributes:
        time: of release at each zone, from the stimulus; inf for none [v k n] [ms].
        quanta: quantal content [v k].
        filled: places with a vesicle before each stimulus [v k].
        charge: calcium that entered [v k] [pC].
        residual: components of the residual calcium before each stimulus [v k 4] [uM].
        recycling: vesicles of the recycling pool before each stimulus [v k].
    """

    time: Float[np.ndarray, "v k n"]
    quanta: Int[np.ndarray, "v k"]
    filled: Int[np.ndarray, "v k"]
    charge: Float[np.ndarray, "v k"]
    residual: Float[np.ndarray, "v k 4"]
    recycling: Float[np.ndarray, "v k"]


def full(terminal: Terminal) -> Pools:
    """A terminal after a long rest."""
    filled = jnp.ones((terminal.zones, terminal.sites_per_zone), bool)
    pools = (terminal.recycling_pool, terminal.reserve_pool, 0.0)
    recycling, reserve, returning = (jnp.asarray(x, float) for x in pools)
    return Pools(filled, recycling, reserve, returning, jnp.zeros(4))


def after_stimulus(terminal: Any, pools: Pools, fusion: Fusion) -> tuple[Pools, Array]:
    """The pools after a stimulus, and which zones released [z]."""
    released = pools.filled[:, 0] & jnp.isfinite(fusion.time)
    # a longer spike in the cold brings more charge, which is taken to be caught up as it enters
    # a small terminal has less of both calcium and room for it
    share = fusion.charge.sum() / NORMAL_CHARGE * terminal.speed / jnp.maximum(terminal.zone_fraction, 1e-3)
    residual = pools.residual + share * terminal.facilitation
    returning = pools.returning + released.sum().astype(float)
    return pools._replace(
        filled=pools.filled.at[:, 0].set(pools.filled[:, 0] & ~released),
        returning=returning,
        residual=residual,
    ), released


def rest(terminal: Any, pools: Pools, interval: Any, key: Array) -> Pools:
    """The pools after an interval without stimuli [ms].

    The rate of refilling is the mean over the interval of what the decaying residual calcium makes of it.
    """
    times = terminal.facilitation_times
    kept = jnp.exp(-interval / times)
    mean = pools.residual * times / jnp.maximum(interval, 1e-3) * (1.0 - kept)
    faster = 1.0 + terminal.refilling_gain * (mean[1] + mean[2])
    supply = jnp.clip(pools.recycling / terminal.recycling_pool, 0.0, 1.0)
    chance = -jnp.expm1(-terminal.refilling_rate * faster * supply * interval)
    key_refill, key_turn = jax.random.split(key)
    docked = ~pools.filled & (jax.random.uniform(key_refill, pools.filled.shape) < chance)
    back = pools.returning * -jnp.expm1(-interval / terminal.recycling_time)
    vacancy = jnp.maximum(terminal.recycling_pool - pools.recycling, 0.0)
    moved = vacancy * -jnp.expm1(-terminal.mobilisation_rate * interval)
    moved = jnp.minimum(moved, pools.reserve)
    recycling = pools.recycling - docked.sum().astype(float) + back + moved
    return Pools(
        turned(pools.filled | docked, key_turn),
        recycling,
        pools.reserve - moved,
        pools.returning - back,
        kept * pools.residual,
    )


def turned(filled: Bool[Array, "z s"], key: Array) -> Bool[Array, "z s"]:
    """A zone's vesicles change places between spikes: which of its places is near the channels is drawn anew."""
    zones, sites = filled.shape
    first = jax.random.randint(key, (zones, 1), 0, sites)
    return jnp.take_along_axis(filled, (first + jnp.arange(sites)[None, :]) % sites, axis=1)


@in_single
def run_train(terminals: Terminal, times: Any, seed: int = 0, *, first: int = 0) -> Release:
    """Release of terminals over a train, from a long rest.

    Args:
        terminals: One terminal a row: every float leaf has the axis v.
        times: The stimuli [k] [ms].
        seed: Seed of all randomness; terminal i has the same release in any batch.
        first: Number of the first terminal.

    Raises:
        ValidationError: If the times cannot be those of a train.
    """
    times = stimulus_times(times)
    count = np.shape(terminals.channel_distance)[:1]
    if not count:
        raise ValidationError("terminals", "one terminal", "rows of terminals", "use nmjmc.junction.rows")
    intervals = jnp.asarray(np.append(np.diff(times), 1.0))
    numbers = jnp.arange(first, first + count[0])
    train = _train(terminals, intervals, jax.random.key(seed), numbers, window_steps(terminals))
    time, quanta, filled, charge, residual, recycling = (np.asarray(x) for x in train)
    return Release(time.reshape(*time.shape[:2], -1), quanta, filled, charge, residual, recycling)


@eqx.filter_jit
def _train(
    terminals: Terminal, intervals: Array, key: Array, numbers: Array, steps: int
) -> tuple[Array, ...]:
    def one(terminal: Terminal, number: Array) -> tuple[Array, ...]:
        own = jax.random.fold_in(key, number)
        lasting = jax.random.fold_in(own, 0)
        there = channels_there(terminal, lasting)
        reach = reach_of(terminal, jax.random.fold_in(lasting, 1))

        def stimulus(pools: Pools, given: tuple[Array, Array]) -> tuple[Pools, tuple[Array, ...]]:
            index, interval = given
            key_spike, key_rest = jax.random.split(jax.random.fold_in(own, 1 + index))
            fusion = stimulate(terminal, there, reach, pools.residual.sum(), key_spike, steps)
            after, released = after_stimulus(terminal, pools, fusion)
            seen = (
                jnp.where(released, fusion.time, jnp.inf), released.sum(), pools.filled.sum(),
                fusion.charge.sum(), pools.residual, pools.recycling,
            )  # fmt: skip
            return rest(terminal, after, interval, key_rest), seen

        indices = jnp.arange(intervals.shape[0])
        return jax.lax.scan(stimulus, full(terminal), (indices, intervals))[1]

    terminals = jax.tree.map(jnp.asarray, terminals)
    return jax.vmap(one)(terminals, numbers)


def rows(part: Any, count: int) -> Any:
    """The same parameters for several fibres: every float leaf gets an axis v in front."""
    return jax.tree.map(lambda x: np.repeat(np.asarray(x, np.float32)[None], count, axis=0), part)


def miniatures(terminal: Terminal, duration: Number, seed: int = 0) -> Float[np.ndarray, " n"]:
    """Times of the spontaneous quanta of a terminal at rest, a Poisson process [ms].

    Args:
        terminal: One terminal.
        duration: Length of the record, ms or text with a unit.
        seed: Seed.
    """
    duration = to_internal(duration, "ms", "duration")
    if not duration > 0:
        raise ValidationError("duration", f"{duration:g} ms", "positive")
    generator = np.random.default_rng(seed)
    number = generator.poisson(float(terminal.spontaneous_rate) * duration)
    return np.sort(generator.uniform(0.0, duration, number))
