"""A second-order solver for a cable with gates, stable at any step: gates and potential leapfrog.

Gates (and all that is slow) live half a step behind the potential. A step moves each gate by its exact
exponential at the present potential, then the potential, linear once the gates stand, by an implicit rule
between midpoint and backward Euler; the tubules are eliminated and the tridiagonal cable solved directly (Hines
1984, Int J Biomed Comput 15:69 [M]). An explicit method of diffrax would need a small part of the step: at the
endplate, open sodium channels make the time constant shorter than a microsecond.
"""

from __future__ import annotations

from typing import Any

import diffrax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nmjmc.junction.drive import Drive, closing_rate, given
from nmjmc.junction.membrane import (
    GATES,
    Membrane,
    State,
    gates,
    inward_rectifier,
    open_sodium,
    potassium_reversal,
    pump_current,
)
from nmjmc.junction.solver import SecondOrder


class Staggered(SecondOrder):
    """The solver, for the field of `nmjmc.junction.potential` only: its arguments are (Membrane, Drive)."""

    def step(
        self, terms: Any, t0: Any, t1: Any, y0: State, args: Any, solver_state: None, made_jump: Any
    ) -> tuple[State, None, dict, None, diffrax.RESULTS]:
        """One step; no error estimate."""
        membrane, drive = args
        moved = _move_gates(membrane, drive, t0, t1 - t0, y0)
        y1 = moved._replace(voltage=_move_voltage(membrane, drive, 0.5 * (t0 + t1), t1 - t0, moved))
        return y1, None, {"y0": y0, "y1": y1}, None, diffrax.RESULTS.successful


def _move_gates(membrane: Membrane, drive: Drive, time: Any, step: Any, state: State) -> State:
    """Gates, tubular potassium and excess conductance, one step, with the potential in its middle."""
    gating = gates(membrane.rest + state.voltage, membrane.gating, membrane.pace)
    old = (getattr(state, name) for name in GATES)
    moved = (
        x + (y - x) * jnp.exp(-step * r) for x, y, r in zip(gating.steady, old, gating.rate, strict=True)
    )
    m, h, s, n, k, c = moved
    after = State(state.voltage, m, h, s, n, k, c, state.potassium, state.excess)
    e_k = potassium_reversal(membrane, state)
    current = membrane.potassium * after.n**4 * after.k * (state.voltage - e_k)
    current = current + inward_rectifier(membrane, state, e_k)[0] - 2.0 * pump_current(membrane, state)
    gained = membrane.to_concentration * current[1]
    gained = gained + membrane.exchange * (membrane.potassium_exchanged - state.potassium)
    rate = closing_rate(drive, membrane.rest + state.voltage[0, 0])
    kept = jnp.exp(-step * rate)
    lost = (rate - drive.closing) * given(drive, time) * (1.0 - kept) / rate
    return after._replace(potassium=state.potassium + step * gained, excess=state.excess * kept - lost)


def _move_voltage(
    membrane: Membrane, drive: Drive, time: Any, step: Any, state: State
) -> Float[Array, "2 x"]:
    """The potential one step on, at fixed conductances.

    C (v1 - v0) / h = F(v), v = theta v1 + (1 - theta) v0, with theta = (z + 3) / (z + 6) for z = h G / C: of second
    order as the midpoint rule (theta = 1/2), which it is where little is open, but without its ringing where sodium
    channels make a compartment faster than the step: alone, a compartment then decays by the (1, 2) Pade approximation
    of exp(-z). The inward rectifier, which has no gate that stands still, is taken with its slope at the start.
    """
    sodium = open_sodium(membrane, state) + membrane.background
    potassium = membrane.potassium * state.n**4 * state.k
    chloride = membrane.chloride * state.c + membrane.leak
    e_k = potassium_reversal(membrane, state)
    rectified, slope = inward_rectifier(membrane, state, e_k)
    open_now = sodium + potassium + chloride + slope
    fast = jnp.maximum(step * open_now / membrane.capacitance, 0.0)
    theta = (fast + 3.0) / (fast + 6.0)
    inert = membrane.capacitance / (step * theta)
    diagonal = inert + open_now
    right = (inert + slope) * state.voltage + sodium * membrane.sodium_reversal + potassium * e_k
    right = right + chloride * membrane.chloride_reversal - rectified - pump_current(membrane, state)
    conductance = 0.5 * (given(drive, time) + state.excess) / membrane.area[0]
    below = diagonal[1] + membrane.access[1]
    surface = diagonal[0] + membrane.access[0] * (1.0 - membrane.access[1] / below)
    wanted = right[0] + membrane.access[0] * right[1] / below
    surface = surface.at[0].add(conductance)
    wanted = wanted.at[0].add(conductance * (drive.reversal - membrane.rest))
    between = _solve_cable(surface * membrane.area, wanted * membrane.area, membrane.axial)
    tubule = (right[1] + membrane.access[1] * between) / below
    return state.voltage + (jnp.stack([between, tubule]) - state.voltage) / theta


def _solve_cable(
    diagonal: Float[Array, " x"], right: Float[Array, " x"], axial: Float[Array, " c"]
) -> Float[Array, " x"]:
    """Solve (diagonal + axial coupling) v = right by elimination from the far end."""
    last = diagonal.shape[0] - 1
    d, r = [diagonal[last] + axial[last - 1]], [right[last]]
    for i in range(last - 1, -1, -1):
        share = axial[i] / d[-1]
        here = diagonal[i] + axial[i] + (axial[i - 1] if i else 0.0)
        d.append(here - share * axial[i])
        r.append(right[i] + share * r[-1])
    v = [r[-1] / d[-1]]
    for i in range(1, last + 1):
        v.append((r[last - i] + axial[i - 1] * v[-1]) / d[last - i])
    return jnp.stack(v)
