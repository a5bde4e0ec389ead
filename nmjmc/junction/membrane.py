"""Currents of the muscle membrane: surface and lumped tubules of every compartment.

C dV_S/dt = -I_S - (V_S - V_T)/R_a + axial;  C dV_T/dt = -I_T + (V_S - V_T)/(R_a gamma)

Sodium, delayed rectifier and ClC-1 have gates (`gating`). Beside them stand an inward rectifier without delay,
I_Kir = g (V - E_K) / (1 + exp((V - E_K) / w)), the current of the pump, I_p [(1 + K_m/K_0)/(1 + K_m/K)]^2 for the
potassium K on its outside, and a linear leak, which is zero but in some published fibres. Chloride is at equilibrium
at rest, and a background conductance to sodium balances what leaves by pump and potassium channels; where sodium
channels already bring more than that, chloride and leak balance the rest. In the tubules potassium follows from what
flows, with two ions for each charge that the pump moves.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nmjmc.junction.gating import SETS
from nmjmc.junction.muscle import FARADAY, Muscle

GATES = ("m", "h", "s", "n", "k", "c")


class State(NamedTuple):
    """Membranes of half a fibre; axis 0 of all but the last two: surface, tubule.

    Attributes:
        voltage: depolarisation from rest, which float32 resolves finer than the potential itself [mV].
        m, h, s: sodium activation, fast and slow inactivation.
        n, k: activation and inactivation of the delayed rectifier.
        c: opening of ClC-1.
        potassium: K of the tubules [uM].
        excess: open endplate conductance above that at the reference voltage [uS].
    """

    voltage: Float[Array, "2 x"]
    m: Float[Array, "2 x"]
    h: Float[Array, "2 x"]
    s: Float[Array, "2 x"]
    n: Float[Array, "2 x"]
    k: Float[Array, "2 x"]
    c: Float[Array, "2 x"]
    potassium: Float[Array, " x"]
    excess: Float[Array, ""]


class Gates(NamedTuple):
    """Steady state of each gate, and its rate towards it [1/ms]."""

    steady: tuple[Array, ...]
    rate: tuple[Array, ...]


class Pace(NamedTuple):
    """What stands between a published set of gates and those of a fibre.

    Attributes:
        speed: of all gates against those at the reference temperature.
        activation_shift, inactivation_shift: along the axis of the potential [mV].
        inactivation_slowness: factor on the time constant of fast inactivation.
    """

    speed: Any = 1.0
    activation_shift: Any = 0.0
    inactivation_shift: Any = 0.0
    inactivation_slowness: Any = 1.0


AS_PUBLISHED = Pace()
"""The pace of a set of gates as it stands."""


def pace_of(muscle: Muscle) -> Pace:
    """The pace of a fibre's gates."""
    shifts = muscle.activation_shift, muscle.inactivation_shift, muscle.inactivation_slowness
    return Pace(muscle.speed, *shifts)


def gates(v: Float[Array, "*shape"], name: str, pace: Pace = AS_PUBLISHED) -> Gates:
    """The gates m, h, s, n, k, c of a published set at a potential [mV]."""
    v = jnp.clip(v, -200.0, 200.0)  # beyond, an exponential could overflow
    kinds = SETS[name]
    m = kinds.m(v - pace.activation_shift)
    h, rate = kinds.h(v - pace.inactivation_shift)
    found = (m, (h, rate / pace.inactivation_slowness), kinds.s(v), kinds.n(v), kinds.k(v), kinds.c(v))
    return Gates(tuple(x for x, _ in found), tuple(pace.speed * r for _, r in found))


class Membrane(eqx.Module):
    """A fibre's membrane, ready for integration; conductances [uS/um^2], axis 0 surface and tubule.

    Attributes:
        sodium, potassium, chloride, rectifier, leak: maximal conductances [2, x].
        background: conductance to sodium that is always open [2, x].
        persistent: share of the sodium channels that fast inactivation does not reach.
        rectifier_width: of the inward rectifier [mV].
        pump: current of the pump at rest [2, x] [nA/um^2].
        pump_constant: of its potassium [uM].
        potassium_rest: of the tubules at rest [uM].
        rest: resting potential, from which all potentials here are counted [mV].
        chloride_reversal: of chloride and leak [2, x] [mV].
        capacitance: [nF/um^2].
        access: 1/R_a, then 1/(R_a gamma) [2] [uS/um^2].
        axial: between compartments [x-1] [uS].
        area: surface [x] [um^2].
        sodium_reversal: from rest [mV].
        potassium_inside, potassium_outside: [uM].
        potassium_exchanged: that of the outside less what flows at rest, towards which the tubules' is exchanged [uM].
        to_concentration: change of tubular K for a current density [uM um^2/(nA ms)].
        exchange: rate of exchange with the outside [1/ms].
        thermal: R T / F [mV].
        pace: of the gates.
        gating: name of their set.
    """

    sodium: Array
    potassium: Array
    chloride: Array
    rectifier: Array
    leak: Array
    background: Array
    persistent: Array
    rectifier_width: Array
    pump: Array
    pump_constant: Array
    potassium_rest: Array
    rest: Array
    chloride_reversal: Array
    capacitance: Array
    access: Array
    axial: Array
    area: Array
    sodium_reversal: Array
    potassium_inside: Array
    potassium_outside: Array
    potassium_exchanged: Array
    to_concentration: Array
    exchange: Array
    thermal: Array
    pace: Pace
    gating: str = eqx.field(static=True)


def build(muscle: Muscle, *, sodium_open: float = 1.0) -> tuple[Membrane, State]:
    """The membrane of a fibre, and its state at rest, from which it does not drift.

    Args:
        muscle: The fibre.
        sodium_open: 0 blocks every sodium channel (as a mu-conotoxin does), 1 none.
    """
    p = jax.tree.map(jnp.asarray, muscle).effective()
    area = p.areas()
    ones = jnp.ones_like(area)
    zero = jnp.zeros((2, *area.shape))

    def both(surface: Any, tubule: Any, along: Array = ones) -> Float[Array, "2 x"]:
        return surface * jnp.stack([along, tubule * ones])

    near = ones.at[0].set(p.endplate_sodium_factor).at[1].set(p.perijunctional_sodium_factor)
    pace = pace_of(p)
    m, h, s, n, k, c = gates(p.resting_potential + zero, p.gating, pace).steady
    start = State(zero, m, h, s, n, k, c, p.potassium_outside * ones, jnp.zeros(()))
    # nA ms = pC; pC / (C/mol) / um^3 is 1e-12 mol / 1e-15 l = 1e3 mol/l = 1e9 uM
    concentration = 1e9 / (FARADAY * p.tubule_depth)
    access = 1.0 / p.tubule_access
    membrane = Membrane(
        sodium=sodium_open * both(p.sodium_conductance, p.tubule_sodium, near),
        potassium=both(p.potassium_conductance, p.tubule_potassium),
        chloride=both(p.chloride_conductance, p.tubule_chloride),
        rectifier=both(p.rectifier_conductance, p.tubule_rectifier),
        leak=both(p.leak_conductance, 1.0),
        background=zero,
        persistent=p.persistent_sodium,
        rectifier_width=p.rectifier_width,
        pump=both(p.pump_current, p.tubule_pump),
        pump_constant=p.pump_constant,
        potassium_rest=p.potassium_outside,
        rest=p.resting_potential,
        chloride_reversal=zero,
        capacitance=p.capacitance,
        access=jnp.stack([access, access / p.tubule_area]),
        axial=p.axial(),
        area=area,
        sodium_reversal=p.sodium_reversal - p.resting_potential,
        potassium_inside=p.potassium_inside,
        potassium_outside=p.potassium_outside,
        potassium_exchanged=p.potassium_outside,
        to_concentration=concentration,
        exchange=1.0 / p.tubule_exchange,
        thermal=p.thermal,
        pace=pace,
        gating=p.gating,
    )
    return _balanced(membrane, start, p), start


def _balanced(membrane: Membrane, start: State, p: Muscle) -> Membrane:
    """The membrane with what keeps its resting potential and the potassium of its tubules."""
    flows = currents(membrane, start)
    outward = flows.sodium + flows.potassium + flows.rectifier + flows.pump
    background = jnp.maximum(outward, 0.0) / membrane.sodium_reversal
    passive = membrane.chloride * start.c + membrane.leak
    reversal = (outward - background * membrane.sodium_reversal) / passive
    gained = membrane.to_concentration * potassium_flow(flows)[1, 0]
    exchanged = p.potassium_outside - gained * p.tubule_exchange
    found = (background, reversal, exchanged)
    return eqx.tree_at(lambda m: (m.background, m.chloride_reversal, m.potassium_exchanged), membrane, found)


class Currents(NamedTuple):
    """What flows, outward positive [2, x] [nA/um^2]; sodium without the background."""

    sodium: Array
    potassium: Array
    chloride: Array
    rectifier: Array
    pump: Array
    background: Array

    @property
    def total(self) -> Float[Array, "2 x"]:
        """All of it."""
        return sum(self[1:], start=self[0])


def potassium_reversal(membrane: Membrane, state: State) -> Float[Array, "2 x"]:
    """Reversal potential of potassium, surface and tubules, from rest [mV]."""
    tubule = membrane.thermal * jnp.log(state.potassium / membrane.potassium_inside)
    surface = membrane.thermal * jnp.log(membrane.potassium_outside / membrane.potassium_inside)
    return jnp.stack([surface * jnp.ones_like(tubule), tubule]) - membrane.rest


def open_sodium(membrane: Membrane, state: State) -> Float[Array, "2 x"]:
    """Conductance of the open sodium channels [uS/um^2]."""
    left = state.h + membrane.persistent * (1.0 - state.h)
    return membrane.sodium * state.m**3 * left * state.s


def inward_rectifier(membrane: Membrane, state: State, e_k: Array) -> tuple[Array, Array]:
    """Current of the inward rectifier [nA/um^2], and its slope [uS/um^2]."""
    away = state.voltage - e_k
    part = jax.nn.sigmoid(-away / membrane.rectifier_width)
    slope = part * (1.0 - away * (1.0 - part) / membrane.rectifier_width)
    return membrane.rectifier * away * part, membrane.rectifier * slope


def pump_current(membrane: Membrane, state: State) -> Float[Array, "2 x"]:
    """Current of the pump, which follows the potassium of the tubules [nA/um^2]."""
    km = membrane.pump_constant
    faster = ((1.0 + km / membrane.potassium_rest) / (1.0 + km / state.potassium)) ** 2
    return membrane.pump * jnp.stack([jnp.ones_like(faster), faster])


def potassium_flow(flows: Currents) -> Float[Array, "2 x"]:
    """Current that potassium carries outward: the pump takes up two ions for each charge that it moves."""
    return flows.potassium + flows.rectifier - 2.0 * flows.pump


def potassium_clearance(membrane: Membrane, start: State) -> Float[Array, " x"]:
    """Rate at which the tubules' potassium returns to rest: by exchange, inward rectifier and pump [1/ms]."""

    def flow(potassium: Array) -> Array:
        return potassium_flow(currents(membrane, start._replace(potassium=potassium)))[1]

    slope = jax.jvp(flow, (start.potassium,), (jnp.ones_like(start.potassium),))[1]
    return membrane.exchange - membrane.to_concentration * slope


def currents(membrane: Membrane, state: State) -> Currents:
    """What flows through the membranes."""
    v, e_k = state.voltage, potassium_reversal(membrane, state)
    return Currents(
        open_sodium(membrane, state) * (v - membrane.sodium_reversal),
        membrane.potassium * state.n**4 * state.k * (v - e_k),
        (membrane.chloride * state.c + membrane.leak) * (v - membrane.chloride_reversal),
        inward_rectifier(membrane, state, e_k)[0],
        pump_current(membrane, state),
        membrane.background * (v - membrane.sodium_reversal),
    )


def derivative(membrane: Membrane, state: State, injected: Float[Array, ""]) -> State:
    """Rate of change of the state, with a current into the endplate of half the fibre [nA]."""
    flows = currents(membrane, state)
    across = state.voltage[0] - state.voltage[1]
    flow = membrane.axial * jnp.diff(state.voltage[0])
    zero = jnp.zeros(1, flow.dtype)
    axial = jnp.concatenate([flow, zero]) - jnp.concatenate([zero, flow])
    axial = axial.at[0].add(injected) / membrane.area
    into = jnp.stack([axial - membrane.access[0] * across, membrane.access[1] * across])
    voltage = (into - flows.total) / membrane.capacitance
    gating = gates(membrane.rest + state.voltage, membrane.gating, membrane.pace)
    values = (getattr(state, name) for name in GATES)
    m, h, s, n, k, c = (r * (x - y) for x, y, r in zip(gating.steady, values, gating.rate, strict=True))
    exchanged = membrane.exchange * (membrane.potassium_exchanged - state.potassium)
    gained = membrane.to_concentration * potassium_flow(flows)[1] + exchanged
    return State(voltage, m, h, s, n, k, c, gained, jnp.zeros_like(state.excess))
