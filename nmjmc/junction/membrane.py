"""Currents and gates of the muscle membrane: surface and lumped tubules of every compartment.

C dV_S/dt = -I_S - (V_S - V_T)/R_a + axial;  C dV_T/dt = -I_T + (V_S - V_T)/(R_a gamma)

I_Na = g m^3 h s (V - E_Na), I_K = g n^4 k (V - E_K), and a leak whose reversal balances all at rest. Every
gate has rates alpha and beta or a steady state and a time constant [1/ms, mV]; constants of Shorten et al.
2007 [V], which are those of Cannon et al. 1993 but for the slow gates.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nmjmc.junction.muscle import Muscle

GAS = 0.0861733
"""R / F [mV/K]."""
FARADAY = 96485.0


class State(NamedTuple):
    """Membranes of half a fibre; axis 0 of the first six: surface, tubule.

    Attributes:
        voltage: depolarisation from rest, which float32 resolves finer than the potential itself [mV].
        m, h, s: sodium activation, fast and slow inactivation.
        n, k: potassium activation and inactivation.
        potassium: K of the tubules [uM].
        excess: open endplate conductance above that at the reference voltage [uS].
    """

    voltage: Float[Array, "2 x"]
    m: Float[Array, "2 x"]
    h: Float[Array, "2 x"]
    s: Float[Array, "2 x"]
    n: Float[Array, "2 x"]
    k: Float[Array, "2 x"]
    potassium: Float[Array, " x"]
    excess: Float[Array, ""]


class Gates(NamedTuple):
    """Steady state of each gate, and its rate towards it [1/ms]."""

    steady: tuple[Array, ...]
    rate: tuple[Array, ...]


def gates(v: Float[Array, "*shape"], speed: Any = 1.0) -> Gates:
    """The gates m, h, s, n, k at a potential [mV], all faster than at 20 degC by a factor."""
    v = jnp.clip(v, -200.0, 200.0)  # beyond, an exponential could overflow
    m = 0.288 * _linoid(v + 46.0, 10.0), 1.38 * jnp.exp(-(v + 46.0) / 18.0)
    h = 0.0081 * jnp.exp(-(v + 45.0) / 14.7), 4.38 * jax.nn.sigmoid((v + 45.0) / 9.0)
    n = 0.0131 * _linoid(v + 40.0, 7.0), 0.067 * jnp.exp(-(v + 40.0) / 40.0)
    s_steady = jax.nn.sigmoid(-(v + 78.0) / 5.8)
    s_rate = (0.2 + 5.65 * ((v + 90.0) / 100.0) ** 2) / 8571.0
    k_steady = jax.nn.sigmoid(-(v + 40.0) / 7.5)
    # 1000 ms in surface and tubule alike: one of the published code's two copies lacks the factor
    k_rate = jnp.exp((v + 40.0) / 25.75) / 1000.0
    steady = (*(a / (a + b) for a, b in (m, h)), s_steady, n[0] / (n[0] + n[1]), k_steady)
    rate = (m[0] + m[1], h[0] + h[1], s_rate, n[0] + n[1], k_rate)
    return Gates(steady, tuple(speed * r for r in rate))


def _linoid(x: Array, width: float) -> Array:
    """The function x / (1 - exp(-x / width)), with its limit at zero."""
    near = jnp.abs(x) < 1e-3 * width
    safe = jnp.where(near, 1.0, x)
    return jnp.where(near, width + 0.5 * x, safe / -jnp.expm1(-safe / width))


class Membrane(NamedTuple):
    """A fibre's membrane, ready for integration; conductances [uS/um^2], axis 0 surface and tubule.

    Attributes:
        sodium, potassium: maximal conductances [2, x].
        leak: leak conductance.
        rest: resting potential, from which all potentials here are counted [mV].
        leak_reversal: [2, x] [mV].
        capacitance: [nF/um^2].
        access: 1/R_a, then 1/(R_a gamma) [2] [uS/um^2].
        axial: between compartments [x-1] [uS].
        area: surface [x] [um^2].
        sodium_reversal: from rest [mV].
        potassium_inside, potassium_outside: [uM].
        to_concentration: change of tubular K for a current density [uM um^2/(nA ms)].
        exchange: rate of exchange with the outside [1/ms].
        thermal: R T / F [mV].
        speed: of the gates against those at the reference temperature.
    """

    sodium: Array
    potassium: Array
    leak: Array
    rest: Array
    leak_reversal: Array
    capacitance: Array
    access: Array
    axial: Array
    area: Array
    sodium_reversal: Array
    potassium_inside: Array
    potassium_outside: Array
    to_concentration: Array
    exchange: Array
    thermal: Array
    speed: Array


def build(muscle: Muscle, *, sodium_open: float = 1.0) -> tuple[Membrane, State]:
    """The membrane of a fibre, and its state at rest, from which it does not drift.

    Args:
        muscle: The fibre.
        sodium_open: 0 blocks every sodium channel (as a mu-conotoxin does), 1 none.
    """
    p = jax.tree.map(jnp.asarray, muscle).effective()
    area, axial = p.areas(), p.axial()
    ones = jnp.ones_like(area)
    access = 1.0 / p.tubule_access
    factor = ones.at[0].set(p.endplate_sodium_factor)
    sodium = sodium_open * p.sodium_conductance * jnp.stack([factor, p.tubule_sodium * ones])
    potassium = p.potassium_conductance * jnp.stack([ones, p.tubule_potassium * ones])
    zero = jnp.zeros((2, *area.shape))
    m, h, s, n, k = gates(p.resting_potential + zero).steady
    # nA ms = pC; pC / (C/mol) / um^3 is 1e-12 mol / 1e-15 l = 1e3 mol/l = 1e9 uM
    concentration = 1e9 / (FARADAY * p.tubule_depth)
    membrane = Membrane(
        sodium, potassium, p.leak, p.resting_potential, zero, p.capacitance,
        jnp.stack([access, access / p.tubule_area]), axial, area, p.sodium_reversal - p.resting_potential,
        p.potassium_inside, p.potassium_outside, concentration, 1.0 / p.tubule_exchange,
        GAS * (p.temperature + 273.15), p.speed,
    )  # fmt: skip
    start = State(zero, m, h, s, n, k, p.potassium_outside * ones, jnp.zeros(()))
    sodium_current, potassium_current, _ = currents(membrane, start)
    # the leak balances at rest what little flows through the gated channels
    reversal = (sodium_current + potassium_current) / p.leak
    resting_flux = potassium_current[1]
    outside = p.potassium_outside - concentration * resting_flux[0] * p.tubule_exchange
    return membrane._replace(leak_reversal=reversal, potassium_outside=outside), start


def potassium_reversal(membrane: Membrane, state: State) -> Float[Array, "2 x"]:
    """Reversal potential of potassium, surface and tubules, from rest [mV]."""
    tubule = membrane.thermal * jnp.log(state.potassium / membrane.potassium_inside)
    surface = membrane.thermal * jnp.log(membrane.potassium_outside / membrane.potassium_inside)
    return jnp.stack([surface * jnp.ones_like(tubule), tubule]) - membrane.rest


def currents(membrane: Membrane, state: State) -> tuple[Array, Array, Array]:
    """Sodium, potassium and leak current, outward positive [2, x] [nA/um^2]."""
    v, e_k = state.voltage, potassium_reversal(membrane, state)
    sodium = membrane.sodium * state.m**3 * state.h * state.s * (v - membrane.sodium_reversal)
    potassium = membrane.potassium * state.n**4 * state.k * (v - e_k)
    return sodium, potassium, membrane.leak * (v - membrane.leak_reversal)


def derivative(membrane: Membrane, state: State, injected: Float[Array, ""]) -> State:
    """Rate of change of the state, with a current into the endplate of half the fibre [nA]."""
    sodium, potassium, leak = currents(membrane, state)
    across = state.voltage[0] - state.voltage[1]
    flow = membrane.axial * jnp.diff(state.voltage[0])
    zero = jnp.zeros(1, flow.dtype)
    axial = jnp.concatenate([flow, zero]) - jnp.concatenate([zero, flow])
    axial = axial.at[0].add(injected) / membrane.area
    into = jnp.stack([axial - membrane.access[0] * across, membrane.access[1] * across])
    voltage = (into - sodium - potassium - leak) / membrane.capacitance
    found = gates(membrane.rest + state.voltage, membrane.speed)
    values = (state.m, state.h, state.s, state.n, state.k)
    m, h, s, n, k = (r * (x - y) for x, y, r in zip(found.steady, values, found.rate, strict=True))
    exchanged = membrane.exchange * (membrane.potassium_outside - state.potassium)
    gained = membrane.to_concentration * potassium[1] + exchanged
    return State(voltage, m, h, s, n, k, gained, jnp.zeros_like(state.excess))
