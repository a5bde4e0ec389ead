"""Vesicles in their pools, residual calcium between stimuli, and trains of stimuli of many terminals.

Each place holds a vesicle or none. A release leaves its zone silent with a chance of its own (occlusion), until the
remains of the vesicle have been cleared (Neher 2010). So what falls in a train is mostly the number of zones that can
release, and hardly how surely they do, as in cut rat diaphragm [V-abs]. An empty place is refilled with probability
1 - exp(-rate interval), where the rate grows with the residual calcium and with the filling of the recycling pool; a
silent zone is cleared likewise, whatever the pool. Fused vesicles come back to that pool; the reserve replaces what it
lacks. Residual calcium has four components (two of facilitation, augmentation, potentiation; Magleby & Zengel [V-abs]),
each raised by every stimulus in proportion to the calcium that entered, and decaying by itself. Their sum adds to the
calcium that the open channels bring to a vesicle.
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
from nmjmc.junction.release import Fusion, Inside, channels_there, follow, reach_of, window_steps
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
        cleared: zones that can release; the others are silent since a release of theirs [z].
        residual: calcium of facilitation (fast, slow), augmentation, potentiation [4] [uM].
    """

    filled: Bool[Array, "z s"]
    recycling: Float[Array, ""]
    reserve: Float[Array, ""]
    returning: Float[Array, ""]
    cleared: Bool[Array, " z"]
    residual: Float[Array, " 4"]


class Release(NamedTuple):
    """Release of terminals [v] at stimuli [k].

    Attributes:
        time: of release at each zone, from the stimulus; inf for none [v k n] [ms].
        quanta: quantal content [v k].
        filled: places with a vesicle before each stimulus [v k].
        cleared: zones that can release before each stimulus [v k].
        charge: calcium that entered [v k] [pC].
        residual: components of the residual calcium before each stimulus [v k 4] [uM].
        recycling: vesicles of the recycling pool before each stimulus [v k].
    """

    time: Float[np.ndarray, "v k n"]
    quanta: Int[np.ndarray, "v k"]
    filled: Int[np.ndarray, "v k"]
    cleared: Int[np.ndarray, "v k"]
    charge: Float[np.ndarray, "v k"]
    residual: Float[np.ndarray, "v k 4"]
    recycling: Float[np.ndarray, "v k"]


def full(terminal: Terminal) -> Pools:
    """A terminal after a long rest."""
    filled = jnp.ones((terminal.zones, terminal.sites_per_zone), bool)
    pools = (terminal.recycling_pool, terminal.reserve_pool, 0.0)
    recycling, reserve, returning = (jnp.asarray(x, float) for x in pools)
    cleared = jnp.ones(terminal.zones, bool)
    return Pools(filled, recycling, reserve, returning, cleared, jnp.zeros(4))


def after_stimulus(terminal: Any, pools: Pools, fusion: Fusion, key: Array) -> tuple[Pools, Array]:
    """The pools after a stimulus, and which zones released [z]."""
    released = pools.filled[:, 0] & pools.cleared & jnp.isfinite(fusion.time)
    occluded = released & (jax.random.uniform(key, released.shape) < terminal.occlusion)
    # a longer spike in the cold brings more charge, which is taken to be caught up as it enters
    # a small terminal has less of both calcium and room for it
    share = fusion.charge.sum() / NORMAL_CHARGE * terminal.speed / jnp.maximum(terminal.zone_fraction, 1e-3)
    residual = pools.residual + share * terminal.facilitation
    returning = pools.returning + released.sum().astype(float)
    return pools._replace(
        filled=pools.filled.at[:, 0].set(pools.filled[:, 0] & ~released),
        returning=returning,
        cleared=pools.cleared & ~occluded,
        residual=residual,
    ), released


def rest(terminal: Any, pools: Pools, interval: Any, key: Array) -> Pools:
    """The pools after an interval without stimuli [ms].

    The rates of refilling and clearing are the means over the interval of what the decaying residual calcium makes
    of them.
    """
    times = terminal.facilitation_times
    kept = jnp.exp(-interval / times)
    mean = pools.residual * times / jnp.maximum(interval, 1e-3) * (1.0 - kept)
    lasting = mean[1] + mean[2]
    faster = 1.0 + terminal.refilling_gain * lasting
    supply = jnp.clip(pools.recycling / terminal.recycling_pool, 0.0, 1.0)
    chance = -jnp.expm1(-terminal.refilling_rate * faster * supply * interval)
    key_refill, key_turn = jax.random.split(key)
    clearing = terminal.clearing_rate * (1.0 + terminal.clearing_gain * lasting)
    drawn = jax.random.uniform(jax.random.fold_in(key, 2), pools.cleared.shape)
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
        pools.cleared | (drawn < -jnp.expm1(-clearing * interval)),
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
    return _run(terminals, times, seed, first, inside=False)[0]


@in_single
def watch_train(terminals: Terminal, times: Any, seed: int = 0, *, first: int = 0) -> tuple[Release, Inside]:
    """The same release, and what goes on in the terminals at each stimulus [v k t]; arguments as for `run_train`."""
    release, inside = _run(terminals, times, seed, first, inside=True)
    return release, Inside(*inside)


def _run(terminals: Terminal, times: Any, seed: int, first: int, *, inside: bool) -> tuple[Release, Any]:
    times = stimulus_times(times)
    count = np.shape(terminals.channel_distance)[:1]
    if not count:
        raise ValidationError("terminals", "one terminal", "rows of terminals", "use nmjmc.junction.rows")
    intervals = jnp.asarray(np.append(np.diff(times), 1.0))
    numbers = jnp.arange(first, first + count[0])
    key, steps = jax.random.key(seed), window_steps(terminals)
    found, seen = _train(terminals, intervals, key, numbers, steps, inside)
    time, *counted = (np.asarray(x) for x in found)
    release = Release(time.reshape(*time.shape[:2], -1), *counted)
    return release, jax.tree.map(np.asarray, seen)


@eqx.filter_jit
def _train(
    terminals: Terminal, intervals: Array, key: Array, numbers: Array, steps: int, inside: bool
) -> tuple[tuple[Array, ...], Inside | None]:
    def one(terminal: Terminal, number: Array) -> tuple[tuple[Array, ...], Inside | None]:
        own = jax.random.fold_in(key, number)
        lasting = jax.random.fold_in(own, 0)
        there = channels_there(terminal, lasting)
        reach = reach_of(terminal, jax.random.fold_in(lasting, 1))

        def stimulus(pools: Pools, given: tuple[Array, Array]) -> tuple[Pools, Any]:
            index, interval = given
            key_spike, key_rest = jax.random.split(jax.random.fold_in(own, 1 + index))
            calcium = pools.residual.sum()
            fusion, seen = follow(terminal, there, reach, calcium, key_spike, steps, inside=inside)
            after, released = after_stimulus(terminal, pools, fusion, jax.random.fold_in(key_spike, 2))
            found = (
                jnp.where(released, fusion.time, jnp.inf), released.sum(), pools.filled.sum(),
                pools.cleared.sum(), fusion.charge.sum(), pools.residual, pools.recycling,
            )  # fmt: skip
            return rest(terminal, after, interval, key_rest), (found, seen)

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
