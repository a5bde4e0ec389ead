"""What the endplate does to its fibre: a conductance in time, whose closing feels the fibre's potential."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float


class Drive(NamedTuple):
    """What the endplate does to the fibre.

    Attributes:
        conductance: open endplate conductance at the reference voltage, on a grid of equal steps [t] [uS].
        step: of the grid [ms].
        reversal: of the endplate current [mV].
        closing: rate at which the open conductance decays at the reference voltage [1/ms].
        sensitivity: A in closing(V) = closing exp(A (V - reference)) [1/mV].
        reference: voltage at which the conductance was found [mV].
    """

    conductance: Any
    step: Any
    reversal: Any
    closing: Any
    sensitivity: Any
    reference: Any


def closing_rate(drive: Drive, voltage: Any) -> Array:
    """Rate of decay of the open conductance at a voltage [1/ms]."""
    return drive.closing * jnp.exp(jnp.clip(drive.sensitivity * (voltage - drive.reference), -5.0, 5.0))


def given(drive: Drive, time: Any) -> Array:
    """Open conductance that the grid holds for a time [uS]."""
    return interpolate(drive.conductance, drive.step, time)


def interpolate(grid: Float[Array, " t"], step: Any, time: Any) -> Array:
    """Straight-line interpolation of values at 0, step, 2 step, ...; the last one is held."""
    place = time / step
    left = jnp.clip(jnp.floor(place).astype(jnp.int32), 0, grid.shape[0] - 2)
    part = jnp.clip(place - left.astype(place.dtype), 0.0, 1.0)
    return grid[left] * (1.0 - part) + grid[left + 1] * part
