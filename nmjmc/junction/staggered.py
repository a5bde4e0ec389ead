"""A second-order solver for a cable with gates, stable at any step: gates and potential leapfrog.

Gates (and all that is slow) live half a step behind the potential. A step moves each gate by its exact
exponential at the present potential, then the potential, linear once the gates stand, by the implicit
midpoint rule; the tubules are eliminated and the tridiagonal cable solved directly (Hines 1984, Int J Biomed
Comput 15:69 [M]). An explicit method of diffrax would need half the step and two to six times the work.
"""

from __future__ import annotations

from typing import Any

import diffrax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nmjmc.junction.drive import Drive, closing_rate, given
from nmjmc.junction.membrane import Membrane, State, gates, potassium_reversal
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
    found = gates(membrane.rest + state.voltage, membrane.speed)
    old = (state.m, state.h, state.s, state.n, state.k)
    moved = (x + (y - x) * jnp.exp(-step * r) for x, y, r in zip(found.steady, old, found.rate, strict=True))
    m, h, s, n, k = moved
    current = (
        membrane.potassium[1] * n[1] ** 4 * k[1] * (state.voltage[1] - potassium_reversal(membrane, state)[1])
    )
    gained = membrane.to_concentration * current
    gained = gained + membrane.exchange * (membrane.potassium_outside - state.potassium)
    rate = closing_rate(drive, membrane.rest + state.voltage[0, 0])
    kept = jnp.exp(-step * rate)
    lost = (rate - drive.closing) * given(drive, time) * (1.0 - kept) / rate
    return State(state.voltage, m, h, s, n, k, state.potassium + step * gained, state.excess * kept - lost)


def _move_voltage(
    membrane: Membrane, drive: Drive, time: Any, step: Any, state: State
) -> Float[Array, "2 x"]:
    """The potential one step on, at fixed conductances: twice the implicit half step, less the start."""
    sodium = membrane.sodium * state.m**3 * state.h * state.s
    potassium = membrane.potassium * state.n**4 * state.k
    e_k = potassium_reversal(membrane, state)
    inert = 2.0 * membrane.capacitance / step
    diagonal = inert + sodium + potassium + membrane.leak
    right = inert * state.voltage + sodium * membrane.sodium_reversal + potassium * e_k
    right = right + membrane.leak * membrane.leak_reversal
    conductance = 0.5 * (given(drive, time) + state.excess) / membrane.area[0]
    below = diagonal[1] + membrane.access[1]
    surface = diagonal[0] + membrane.access[0] * (1.0 - membrane.access[1] / below)
    wanted = right[0] + membrane.access[0] * right[1] / below
    surface = surface.at[0].add(conductance)
    wanted = wanted.at[0].add(conductance * (drive.reversal - membrane.rest))
    half = _solve_cable(surface * membrane.area, wanted * membrane.area, membrane.axial)
    tubule = (right[1] + membrane.access[1] * half) / below
    return 2.0 * jnp.stack([half, tubule]) - state.voltage


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
