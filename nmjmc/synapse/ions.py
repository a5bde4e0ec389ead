"""What carries the receptor's current: sodium, potassium and calcium, by constant-field theory.

The total stays what it is everywhere in the package, I = g (V - E). Of it each ion has the share that the
Goldman-Hodgkin-Katz equation gives at the potential, so that the three add up to the total at every potential, each
turns its sign at its own equilibrium potential, and the total at E:

    I_i(V) = g (V - E) / (sum of P_j J_j(V)) P_i J_i(V),
    J(V) = z^2 u (c_in - c_out exp(-z u)) / (1 - exp(-z u)),  u = V F / (R T)

A reversal potential says one thing about three permeabilities. So P_K / P_Na follows from it, and may be given only if
it agrees.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import numpy as np

from nmjmc import above
from nmjmc.errors import ValidationError
from nmjmc.synapse.parameter import check_parameters, is_traced, parameter
from nmjmc.types import Scalar

GAS = 0.0861733
"""R / F [mV/K]."""
AGREEMENT = 1.0
"""How far a given P_K / P_Na may be from the reversal potential [mV]; a choice."""
_NEAR = 1e-3
"""Distance from a pole at which a quotient is taken beside it [mV]; it changes by some 1e-8 there."""


class Ions(eqx.Module):
    """Concentrations beside the endplate's membrane, and how permeable the open receptor is.

    Attributes:
        sodium_outside, sodium_inside: [mM as uM].
        potassium_outside, potassium_inside: [mM as uM].
        calcium_outside: [mM as uM].
        calcium_inside: [uM].
        calcium_permeability: P_Ca / P_Na.
        potassium_permeability: P_K / P_Na; 0 leaves it to the receptor's reversal potential.

    References:
        Linder & Quastel 1978, J Physiol 281:535 (mouse: linear, reversal near 0, and GHK when sodium is lowered).
        Di Castro et al. 2007, J Physiol 579:671 (share of calcium).
    """

    # 138.3 over 6.9 and 4.5 over 151.9 mM [V] Cannon-Lab's sheet
    sodium_outside: Scalar = parameter("mM", "0 mM", "1000 mM", default=138.3e3)
    sodium_inside: Scalar = parameter("mM", "0 mM", "1000 mM", default=6.9e3)
    potassium_outside: Scalar = parameter("mM", "0 mM", "1000 mM", default=4.5e3)
    potassium_inside: Scalar = parameter("mM", "0 mM", "1000 mM", default=151.9e3)
    calcium_outside: Scalar = parameter("mM", "0 mM", "1000 mM", default=2e3)  # of most baths [D]
    calcium_inside: Scalar = parameter("uM", "0 uM", "1e4 uM", default=0.1)  # [M]
    # calcium carries some 7.8 % at -70 mV and 2 mM: 11.8 and 15.4 % in mutants with 1.5 and 2 times that of man's adult
    # receptor [V-abs]; from it by the equation above [C]
    calcium_permeability: Scalar = parameter("", "0", "100", default=1.5)
    # 1.11 in frog [M]; a reversal of 0 mV asks for 0.93 [C]
    potassium_permeability: Scalar = parameter("", "0", "100", default=0.0)

    def __repr__(self) -> str:
        return above.ask("text", self)

    def __check_init__(self) -> None:
        check_parameters(self, "ions")


class Currents(NamedTuple):
    """One value for each ion; of driving forces [mV] or of currents [nA], outward positive."""

    sodium: Any
    potassium: Any
    calcium: Any


def driving_forces(ions: Ions, reversal: Any, voltage: Any, temperature: Any) -> Currents:
    """What an open conductance is multiplied with for the current of each ion; they add up to V - E [mV].

    Args:
        ions: Concentrations and permeabilities.
        reversal: Reversal potential of the total current, E [mV].
        voltage: Potential, of any shape [mV].
        temperature: [degC].

    Raises:
        ValidationError: If no mixture of the three ions reverses there.
    """
    e, v = np.float64(reversal), np.asarray(voltage, np.float64)
    p = (1.0, potassium_permeability(ions, e, temperature), float(ions.calcium_permeability))
    # the quotient has a limit at E, where both sides pass through zero
    beside = np.where(np.abs(v - e) < _NEAR, e + _NEAR, v)
    total = sum(a * j for a, j in zip(p, _fluxes(ions, beside, temperature), strict=True))
    scale = (beside - e) / total
    return Currents(*(scale * a * j for a, j in zip(p, _fluxes(ions, v, temperature), strict=True)))


def potassium_permeability(ions: Ions, reversal: Any, temperature: Any) -> float:
    """P_K / P_Na of a receptor whose current reverses at a potential [mV].

    Raises:
        ValidationError: If no mixture of the three ions reverses there.
    """
    sodium, potassium, calcium = _fluxes(ions, np.float64(reversal), temperature)
    found = float(-(sodium + float(ions.calcium_permeability) * calcium) / potassium) if potassium else np.nan
    if found > 0:
        return found
    allowed = (
        "between the equilibrium potentials of potassium and of sodium, for its current to be split by ion"
    )
    raise ValidationError("receptor.reversal_potential", f"{float(reversal):g} mV", allowed)


def reversal_potential(ions: Ions, permeability: float, temperature: float) -> float:
    """Where the current reverses for a given P_K / P_Na [mV]."""
    import scipy.optimize  # slow to import, and needed here alone

    def total(voltage: float) -> float:
        sodium, potassium, calcium = _fluxes(ions, np.float64(voltage), temperature)
        return float(sodium + permeability * potassium + float(ions.calcium_permeability) * calcium)

    optimum = scipy.optimize.root_scalar(total, bracket=(-300.0, 300.0), method="brentq", xtol=1e-9)
    return float(optimum.root)


def check_agreement(ions: Ions, reversal: Any, temperature: Any) -> None:
    """Refuse a P_K / P_Na that was given and does not agree with the reversal potential.

    Raises:
        ValidationError: With the reversal potential that it asks for.
    """
    given = ions.potassium_permeability
    if any(is_traced(x) for x in (given, reversal, temperature, ions.calcium_permeability)) or not given > 0:
        return
    wanted = reversal_potential(ions, float(given), float(temperature))
    if abs(wanted - float(reversal)) > AGREEMENT:
        raise ValidationError(
            "ions.potassium_permeability", f"{float(given):g}, with which the current reverses at {wanted:.1f} mV",
            f"in agreement with receptor.reversal_potential ({float(reversal):g} mV)",
            f'write receptor.reversal_potential="{wanted:.1f} mV", or leave the permeability at 0',
        )  # fmt: skip


def _fluxes(ions: Ions, voltage: Any, temperature: Any) -> tuple[Any, Any, Any]:
    """J of sodium, potassium and calcium for equal permeabilities [uM]."""
    u = np.asarray(voltage, np.float64) / (GAS * (np.float64(temperature) + 273.15))
    pairs = (
        (1, ions.sodium_inside, ions.sodium_outside),
        (1, ions.potassium_inside, ions.potassium_outside),
        (2, ions.calcium_inside, ions.calcium_outside),
    )
    sodium, potassium, calcium = (_flux(z, u, np.float64(a), np.float64(b)) for z, a, b in pairs)
    return sodium, potassium, calcium


def _flux(z: int, u: Any, inside: Any, outside: Any) -> Any:
    near = np.abs(u) < 1e-7
    x = z * np.where(near, 1e-7, u)
    # x / (1 - exp(-x)), and the same times exp(-x) without an overflow
    return z * (inside * x / -np.expm1(-x) - outside * x / np.expm1(x))
