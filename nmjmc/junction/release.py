"""One stimulus of a terminal: channels that open at random, calcium at each vesicle, the sensor, fusion.

Channels are two-state Markov chains in the spike's potential (`openings`). The five-site sensor is a linear chain
given the calcium at its vesicle, so its cumulative probability of fusion is integrated (Heun), and met by one
uniform number a zone: given the channels, the times of release are exact to a step.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from nmjmc.junction.openings import Channels, closed, gate, gating_rates
from nmjmc.junction.terminal import Terminal

STEP = 0.004
"""At the reference temperature [ms]; slower where all rates are slower."""
AFTER = 0.8
"""How long the sensor is followed after the spike, at the reference temperature [ms]."""
BEFORE = 1.0
"""From how long before the spike's peak and until how long after it channels open, in widths of the spike."""
SENSOR = 5


class Fusion(NamedTuple):
    """What one stimulus does.

    Attributes:
        time: at which each zone would release, from the stimulus; inf for none [z].
        charge: that entered through each zone's channels [z] [pC].
        opened: channels that opened at all, of each zone [z].
    """

    time: Float[Array, " z"]
    charge: Float[Array, " z"]
    opened: Float[Array, " z"]


class Inside(NamedTuple):
    """What goes on in a terminal during a stimulus, at the middles of its steps (`middles`).

    Attributes:
        opened: calcium channels that are open, of all zones [t].
        calcium: at the vesicles near the channels, the mean of the zones that are there [t] [uM].
    """

    opened: Float[Array, " t"]
    calcium: Float[Array, " t"]


Sensor: TypeAlias = tuple[Array, ...]
"""Probability of each number of bound ions, apart: six arrays in a row are moved by one fused loop."""


class _Carry(NamedTuple):
    channels: Channels
    sensor: Sensor
    time: Array
    charge: Array


def channels_there(terminal: Terminal, key: Array) -> Bool[Array, "z c"]:
    """Which channels a terminal has; drawn once for each terminal."""
    shape = (terminal.zones, terminal.channels_per_zone)
    zone = jax.random.uniform(jax.random.fold_in(key, 2), (terminal.zones, 1)) < terminal.zone_fraction
    return zone & (jax.random.uniform(key, shape) < terminal.channel_fraction)


def reach_of(terminal: Terminal, key: Array) -> Float[Array, " z"]:
    """From each zone's channels to its vesicle [um]; drawn once for each terminal.

    Channels that have lost their places are displaced as a cluster, by a normal vector in the membrane whose root mean
    square is the disorder: some zones stay nearly whole, others hardly release.
    """
    moved = terminal.disorder * jnp.sqrt(jax.random.exponential(key, (terminal.zones,)))
    return jnp.hypot(jnp.asarray(terminal.channel_distance), moved)


def window_steps(terminal: Terminal) -> int:
    """Steps of a stimulus, for the widest spike that is met."""
    width = float(np.max(np.asarray(terminal.spike_width)))
    return int(np.ceil((2 * BEFORE * width + AFTER) / STEP))


def middles(terminal: Any, steps: int) -> Float[Array, " t"]:
    """Middles of the steps of a stimulus, from the stimulus [ms]."""
    warm = terminal.effective()
    begin = warm.delay - BEFORE * warm.spike_width
    return begin + (jnp.arange(steps).astype(float) + 0.5) * (STEP / terminal.speed)


def stimulate(
    terminal: Terminal,
    there: Bool[Array, "z c"],
    reach: Float[Array, " z"],
    residual: Float[Array, ""],
    key: Array,
    steps: int,
) -> Fusion:
    """Follow one action potential; the arguments are those of `follow`.

    Returns:
        The time at which each zone would release, were there a vesicle near its channels.
    """
    return follow(terminal, there, reach, residual, key, steps)[0]


def follow(
    terminal: Terminal,
    there: Bool[Array, "z c"],
    reach: Float[Array, " z"],
    residual: Float[Array, ""],
    key: Array,
    steps: int,
    *,
    inside: bool = False,
) -> tuple[Fusion, Inside | None]:
    """Follow one action potential, and tell what goes on in the terminal too.

    Args:
        terminal: The terminal.
        there: Which channels it has.
        reach: From each zone's channels to its vesicle [um].
        residual: Calcium left by earlier stimuli at every zone, which adds to that of the channels [uM].
        key: Randomness of this stimulus.
        steps: `window_steps`.
        inside: Whether channels and calcium are kept; the randomness is the same.

    Returns:
        The time at which each zone would release, were there a vesicle near its channels; and what was kept.
    """
    warm = terminal.effective()
    step = STEP / terminal.speed
    key_sites, key_channels = jax.random.split(key)
    drawn = jax.random.uniform(key_sites, there.shape[:1])
    times = middles(terminal, steps)
    potential = warm.spike(times)
    whole = there.any(axis=1).astype(float)
    per_channel = warm.domain(reach)
    channels, hazards = closed(key_channels, there.shape)
    # a channel that is not there never opens
    channels = channels._replace(left=jnp.where(there, channels.left, jnp.inf))

    def move(carry: _Carry, index: Array) -> tuple[_Carry, Inside | None]:
        now = potential[index]
        channels, is_open = gate(carry.channels, hazards, gating_rates(warm, now), step)
        current = warm.channel_current(now)
        calcium = residual + current * is_open.sum(axis=1) * per_channel
        sensor = _heun(warm, carry.sensor, calcium, step)
        fused = (1.0 - sum(sensor) > drawn) & jnp.isinf(carry.time)
        time = jnp.where(fused, times[index], carry.time)
        charge = carry.charge + step * current * is_open.sum(axis=1)
        seen = None
        if inside:
            mean = (whole * calcium).sum() / jnp.maximum(whole.sum(), 1.0)
            seen = Inside(is_open.sum().astype(float), mean)
        return _Carry(channels, sensor, time, charge), seen

    none = jnp.zeros_like(drawn)
    resting = (none + 1.0, *([none] * SENSOR))
    start = _Carry(channels, resting, jnp.full(drawn.shape, jnp.inf), jnp.zeros(there.shape[0]))
    end, seen = jax.lax.scan(move, start, jnp.arange(steps))
    opened = (end.channels.changes > 0).sum(axis=1).astype(float)
    return Fusion(end.time, end.charge, opened), seen


def _heun(terminal: Any, sensor: Sensor, calcium: Array, step: Any) -> Sensor:
    """The sensor's states one step on, at constant calcium; what is missing from 1 has fused."""
    first = sensor_slope(terminal, sensor, calcium)
    ahead = tuple(x + step * dx for x, dx in zip(sensor, first, strict=True))
    second = sensor_slope(terminal, ahead, calcium)
    return tuple(x + 0.5 * step * (a + b) for x, a, b in zip(sensor, first, second, strict=True))


def sensor_slope(terminal: Any, sensor: Sensor, calcium: Array) -> Sensor:
    """Rate of change of the six states of the sensor at the calcium of each vesicle [uM]."""
    net = []
    for bound in range(SENSOR):
        on = (SENSOR - bound) * terminal.sensor_binding * calcium * sensor[bound]
        off = (bound + 1) * terminal.sensor_unbinding * terminal.sensor_cooperativity**bound
        net.append(on - off * sensor[bound + 1])
    middle = (net[n - 1] - net[n] for n in range(1, SENSOR))
    return (-net[0], *middle, net[-1] - terminal.fusion_rate * sensor[SENSOR])
