"""When calcium channels open and close during a spike: two-state chains, followed by what is left of their hazard.

A channel changes when its hazard, summed since its last change, meets an exponential number. So a channel needs one
number for each change, not one for each step, and its changes fall between steps (a second change within a step
waits for the next).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

MOST = 6
"""Changes of a channel in one spike that are followed, three openings; a fourth comes in under 1 of 10,000."""


class Channels(NamedTuple):
    """Channels at a moment.

    Attributes:
        changes: changes so far; odd while open [...].
        left: hazard left until the next change [...].
    """

    changes: Array
    left: Array


def gating_rates(terminal: Any, potential: Any) -> tuple[Array, Array]:
    """Opening and closing rate at a potential [1/ms]."""
    away = jnp.clip((potential - terminal.half_activation) / terminal.activation_slope, -40.0, 40.0)
    return terminal.gating_rate * jnp.exp(0.5 * away), terminal.gating_rate * jnp.exp(-0.5 * away)


def closed(key: Array, shape: tuple[int, ...]) -> tuple[Channels, Float[Array, "MOST ..."]]:
    """Closed channels, and the hazard of each of their changes."""
    drawn = jax.random.exponential(key, (MOST, *shape))
    return Channels(jnp.zeros(shape, jnp.int32), drawn[0]), drawn


def gate(
    channels: Channels, drawn: Float[Array, "MOST ..."], rates: tuple[Array, Array], step: Any
) -> tuple[Channels, Float[Array, "..."]]:
    """Channels one step on, and the share of the step for which each was open."""
    is_open = channels.changes % 2 == 1
    hazard = jnp.where(is_open, rates[1], rates[0]) * step
    now = channels.left < hazard
    part = jnp.where(now, channels.left / hazard, 1.0)
    changes = channels.changes + now.astype(jnp.int32)
    following = jnp.full_like(channels.left, jnp.inf)
    for number in range(1, MOST):
        following = jnp.where(changes == number, drawn[number], following)
    left = jnp.where(now, following, channels.left - hazard)
    return Channels(changes, left), jnp.where(is_open, part, 1.0 - part)
