"""The gates of the muscle membrane: the published sets, each as its authors give it.

I_Na = g m^3 [h (1 - f) + f] s (V - E_Na), I_K = g n^4 k (V - E_K), I_Cl = g c (V - E_Cl). Each function takes the
potential [mV] and gives a steady state and a rate [1/ms] at the temperature at which the set was measured.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array

Moves: TypeAlias = tuple[Array, Array]
"""Steady state, and rate towards it [1/ms]."""


class Gating(NamedTuple):
    """One set: activation and fast and slow inactivation of sodium, both of the delayed rectifier, ClC-1."""

    m: Callable[[Array], Moves]
    h: Callable[[Array], Moves]
    s: Callable[[Array], Moves]
    n: Callable[[Array], Moves]
    k: Callable[[Array], Moves]
    c: Callable[[Array], Moves]


def _linoid(x: Array, width: float) -> Array:
    """The function x / (1 - exp(-x / width)), with its limit at zero."""
    near = jnp.abs(x) < 1e-3 * width
    safe = jnp.where(near, 1.0, x)
    return jnp.where(near, width + 0.5 * x, safe / -jnp.expm1(-safe / width))


def _falling(v: Array, half: float, width: float) -> Array:
    """A Boltzmann function from 1 to 0."""
    return jax.nn.sigmoid((half - v) / width)


def _of_rates(forward: Array, back: Array) -> Moves:
    rate = forward + back
    return forward / rate, rate


def activation(v: Array) -> Moves:
    """Sodium activation m of Cannon et al. 1993, Shorten et al. 2007 and Cannon-Lab 2024 alike [V]."""
    return _of_rates(0.288 * _linoid(v + 46.0, 10.0), 1.38 * jnp.exp(-(v + 46.0) / 18.0))


def fast_inactivation(v: Array) -> Moves:
    """Fast inactivation h of Cannon-Lab 2024, fitted to its steady state and its time course each [V]."""
    rate = 0.508 * _falling(v, -110.0, 9.97) + 3.272 * _falling(-v, 26.2, 9.09)
    return _falling(v, -80.0, 5.37), rate


def fast_inactivation_1993(v: Array) -> Moves:
    """Fast inactivation h of Cannon et al. 1993 and Shorten et al. 2007 [V]: fast, and with a long foot."""
    return _of_rates(0.0081 * jnp.exp(-(v + 45.0) / 14.7), 4.38 * _falling(-v, 45.0, 9.0))


def slow_inactivation(v: Array) -> Moves:
    """Slow inactivation s of Hayward et al. 1997, as Cannon-Lab 2024 has it [V]; it is never complete."""
    rate = 4.04e-6 * jnp.exp(-v / 21.1) + 7.36e-4 * _falling(-v, 16.6, 21.2)
    return 0.115 + 0.885 * _falling(v, -59.0, 10.6), rate


def slow_inactivation_2007(v: Array) -> Moves:
    """Slow inactivation s of Shorten et al. 2007 [V]."""
    return _falling(v, -78.0, 5.8), (0.2 + 5.65 * ((v + 90.0) / 100.0) ** 2) / 8571.0


def rectifier(v: Array) -> Moves:
    """Activation n of the delayed rectifier of Cannon-Lab 2024 [V]."""
    return _of_rates(0.0262 * _linoid(v + 40.0, 7.0), 0.134 * jnp.exp(-(v + 40.0) / 40.0))


def rectifier_1993(v: Array) -> Moves:
    """Activation n of Cannon et al. 1993 and Shorten et al. 2007 [V]: half as fast."""
    return _of_rates(0.0131 * _linoid(v + 40.0, 7.0), 0.067 * jnp.exp(-(v + 40.0) / 40.0))


def rectifier_inactivation(v: Array) -> Moves:
    """Inactivation k of the delayed rectifier of Cannon-Lab 2024 [V]."""
    return _falling(v, -40.0, 7.5), jnp.full_like(v, 1.0 / 315.0)


def rectifier_inactivation_2007(v: Array) -> Moves:
    """Inactivation k of Shorten et al. 2007 [V]; one of the published code's two copies lacks the factor 1000."""
    return _falling(v, -40.0, 7.5), jnp.exp((v + 40.0) / 25.75) / 1000.0


def chloride(v: Array) -> Moves:
    """Opening c of ClC-1.

    Steady state: half at -61 mV, width 20.5 mV (mouse fibres, Lueck et al. 2010, J Gen Physiol 136:597 [V-abs]). Rate:
    that of Cannon-Lab 2024 [V], whose rate of closing is taken to fall with depolarisation, as it must for channels
    that open by it.
    """
    rate = 0.03 * _falling(-v, 50.0, 41.0) + 0.16 * _falling(v, -90.0, 25.0)
    return _falling(-v, 61.0, 20.5), rate


def no_gate(v: Array) -> Moves:
    """A channel that is always open."""
    return jnp.ones_like(v), jnp.ones_like(v)


SETS = {
    "cannon_lab_2024": Gating(
        activation, fast_inactivation, slow_inactivation, rectifier, rectifier_inactivation, chloride
    ),
    "shorten_2007": Gating(
        activation, fast_inactivation_1993, slow_inactivation_2007, rectifier_1993, rectifier_inactivation_2007,
        no_gate,
    ),
}  # fmt: skip
"""The sets by name; the second is also that of Cannon et al. 1993, but for slow inactivation."""
