"""Features of a current for JAX, with derivatives: the same numbers as `nmjmc.analysis.waveform.measure`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

FEATURES = ("amplitude", "time_to_peak", "rise_20_80", "rise_10_90", "decay_time", "charge")


def features(time: Float[Array, " t"], current: Float[Array, " t"], polarity: int = -1) -> dict[str, Array]:
    """Amplitude, time to peak, rises, decay constant and charge of one noiseless current.

    Args:
        time: Increasing [ms].
        current: With one peak [nA].
        polarity: -1 if it goes down.
    """
    upward = polarity * current
    peak = upward.argmax()
    amplitude = upward[peak]
    crossing = {level: _rise(time, upward, peak, level * amplitude) for level in (0.1, 0.2, 0.8, 0.9)}
    return {
        "amplitude": amplitude,
        "time_to_peak": time[peak],
        "rise_20_80": crossing[0.8] - crossing[0.2],
        "rise_10_90": crossing[0.9] - crossing[0.1],
        "decay_time": _decay(time, upward, peak, amplitude),
        "charge": jnp.trapezoid(upward, time),
    }


def half_rise(time: Float[Array, " t"], upward: Float[Array, " t"]) -> Array:
    """Time at which a current goes up through half of its peak [ms]."""
    peak = upward.argmax()
    return _rise(time, upward, peak, 0.5 * upward[peak])


def _rise(time: Array, upward: Array, peak: Array, level: Array) -> Array:
    """Last time before the peak at which the current goes up through a level."""
    index = jnp.arange(time.shape[0])
    below = (upward < level) & (index < peak)
    start = jnp.max(jnp.where(below, index, 0))
    low, high = upward[start], upward[start + 1]
    share = (level - low) / jnp.where(high == low, 1.0, high - low)
    return time[start] + share * (time[start + 1] - time[start])


def _decay(time: Array, upward: Array, peak: Array, amplitude: Array) -> Array:
    """Time constant of the log-linear least-squares line from 80 to 20 % of the peak.

    Which samples take part jumps as parameters change; the line hardly does.
    """
    index = jnp.arange(time.shape[0])
    after = index >= peak
    first = _first(after & (upward < 0.8 * amplitude), index)
    last = _first(after & (upward < 0.2 * amplitude), index)
    inside = (index >= first) & (index < last) & (upward > 0)
    weight: Any = jnp.where(inside, 1.0, 0.0) / jnp.maximum(jnp.sum(jnp.where(inside, 1.0, 0.0)), 1.0)
    logarithm = jnp.log(jnp.where(inside, upward, 1.0))
    centred = time - (weight * time).sum()
    return -(weight * centred**2).sum() / (weight * centred * logarithm).sum()


def _first(mask: Array, index: Array) -> Array:
    return jnp.min(jnp.where(mask, index, mask.shape[0]))
