"""One stimulus of a terminal: channels that open at random, calcium at each vesicle, the sensor, fusion.

Channels are two-state Markov chains, stepped exactly at the spike's potential in the middle of each step. The
five-site sensor is a linear chain given the calcium at its vesicle, so its cumulative probability of fusion is
integrated (Heun) and met by one uniform number a vesicle: given the channels, the times of release are exact.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from nmjmc.junction.terminal import Terminal

STEP = 0.01
AFTER = 2.5
"""How long a stimulus is followed after the spike's peak [ms]."""
BEFORE = 2.0
"""From how long before, in widths of the spike."""
SENSOR = 5
POWER = 4.0
"""Release against calcium where there is little of it: the fourth power [V-abs]."""


class Fusion(NamedTuple):
    """What one stimulus does.

    Attributes:
        time: at which each site would release, from the stimulus; inf for none [z s] [ms].
        charge: that entered through each zone's channels [z] [pC].
        opened: channels that opened at all, of each zone [z].
    """

    time: Float[Array, "z s"]
    charge: Float[Array, " z"]
    opened: Float[Array, " z"]


class _Carry(NamedTuple):
    channels: Array
    ever: Array
    sensor: Array
    time: Array
    charge: Array


def channels_there(terminal: Terminal, key: Array) -> Bool[Array, "z c"]:
    """Which channels a terminal has; drawn once for each terminal."""
    shape = (terminal.zones, terminal.channels_per_zone)
    return jax.random.uniform(key, shape) < terminal.channel_fraction


def window_steps(terminal: Terminal) -> int:
    """Steps of a stimulus, for the widest spike that is met."""
    width = float(np.max(np.asarray(terminal.spike_width)))
    return int(np.ceil((2 * BEFORE * width + AFTER) / STEP))


def stimulate(
    terminal: Terminal, there: Bool[Array, "z c"], gain: Float[Array, ""], key: Array, steps: int
) -> Fusion:
    """Follow one action potential.

    Args:
        terminal: The terminal.
        there: Which channels it has.
        gain: Factor by which residual calcium raises release where release is rare, 1 for none. It acts as
            the fourth root on the calcium at the vesicles (a choice: with five ions bound nearly every
            vesicle fuses, so a faster fusion would do nothing).
        key: Randomness of this stimulus.
        steps: `window_steps`.

    Returns:
        The time at which each site would release, were it filled.
    """
    zones, channels = there.shape
    sites = terminal.sites_per_zone
    begin = terminal.delay - BEFORE * terminal.spike_width
    per_current = terminal.domain(terminal.distances())
    key_sites, key_channels = jax.random.split(key)
    larger = gain ** (1.0 / POWER)
    drawn = jax.random.uniform(key_sites, (zones, sites))

    def step(carry: _Carry, index: Array) -> tuple[_Carry, None]:
        middle = jnp.asarray(begin) + (index.astype(float) + 0.5) * STEP
        potential = terminal.spike(middle)
        random = jax.random.uniform(jax.random.fold_in(key_channels, index), (zones, channels))
        is_open = _gate(terminal, potential, carry.channels, random) & there
        current = terminal.channel_current(potential)
        calcium = larger * current * (is_open.astype(float) @ per_current.T)
        sensor = _heun(terminal, carry.sensor, calcium)
        fused = 1.0 - sensor.sum(axis=0)
        now = (fused > drawn) & jnp.isinf(carry.time)
        time = jnp.where(now, middle, carry.time)
        charge = carry.charge + STEP * current * is_open.sum(axis=1).astype(float)
        return _Carry(is_open, carry.ever | is_open, sensor, time, charge), None

    none = jnp.zeros((zones, channels), bool)
    resting = jnp.zeros((SENSOR + 1, zones, sites)).at[0].set(1.0)
    start = _Carry(none, none, resting, jnp.full((zones, sites), jnp.inf), jnp.zeros(zones))
    end, _ = jax.lax.scan(step, start, jnp.arange(steps))
    return Fusion(end.time, end.charge, end.ever.sum(axis=1).astype(float))


def _gate(terminal: Terminal, potential: Array, is_open: Array, random: Array) -> Array:
    """Channels after a step: relaxation to the open probability at this potential, then a draw."""
    away = jnp.clip((potential - terminal.half_activation) / terminal.activation_slope, -40.0, 40.0)
    opening = terminal.gating_rate * jnp.exp(0.5 * away)
    closing = terminal.gating_rate * jnp.exp(-0.5 * away)
    total = opening + closing
    steady = opening / total
    chance = steady + (is_open.astype(float) - steady) * jnp.exp(-STEP * total)
    return random < chance


def _heun(terminal: Any, sensor: Array, calcium: Array) -> Array:
    """The sensor's states one step on, at constant calcium; what is missing from 1 has fused."""
    first = sensor_slope(terminal, sensor, calcium)
    second = sensor_slope(terminal, sensor + STEP * first, calcium)
    return sensor + 0.5 * STEP * (first + second)


def sensor_slope(terminal: Any, sensor: Array, calcium: Array) -> Array:
    """Rate of change of the six states of the sensor [6 z s] at the calcium of each vesicle [z s] [uM]."""
    up, down = [], []
    for bound in range(SENSOR):
        up.append((SENSOR - bound) * terminal.sensor_binding * calcium * sensor[bound])
        off = (bound + 1) * terminal.sensor_unbinding * terminal.sensor_cooperativity**bound
        down.append(off * sensor[bound + 1])
    net = jnp.stack(up) - jnp.stack(down)
    zero = jnp.zeros_like(net[:1])
    change = jnp.concatenate([zero, net]) - jnp.concatenate([net, zero])
    return change.at[SENSOR].add(-terminal.fusion_rate * sensor[SENSOR])
