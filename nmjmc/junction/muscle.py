"""The muscle fibre as parameters: a cable with a tubular system, and the excitable channels of its membrane."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nmjmc import above
from nmjmc.errors import ValidationError, nearest
from nmjmc.junction.gating import SETS
from nmjmc.synapse.parameter import check_parameters, is_traced, parameter
from nmjmc.types import Scalar

GAS = 0.0861733
"""R / F [mV/K]."""
FARADAY = 96485.0

LENGTHS = (25.0, 75.0, 150.0, 200.0, *[250.0] * 9)
"""Compartments of half the fibre, from the endplate outwards [um]; the first is the endplate, the second its rim [D].

A spike jumps late into a compartment as long as the space constant (0.7 mm at 37 degC), and back from it.
"""

_CONDUCTANCE = ("mS/cm^2", "0 mS/cm^2", "1e4 mS/cm^2")
_RATIO = ("", "0", "10")
_Q10 = ("", "0.5", "10")


class Muscle(eqx.Module):
    """A fibre, symmetric about its endplate, and sealed 2.7 mm from it (three to four space constants by default).

    All values hold at the reference temperature, 22 degC, near which the gates were measured; `effective` moves them to
    the fibre's. Each number has its source: V read (V-abs in an abstract), M from memory, C calculated, D a choice;
    what the choices were to give stands in docs/junction.md. `published` (fibres.py) has the fibres of others.

    Attributes:
        radius: Radius [um].
        axial_resistivity: Of the fibre's inside [MOhm um].
        resting_potential: Potential at which every current balances [mV].
        capacitance: Of surface and tubular membrane alike [nF/um^2].
        sodium_conductance: g_Na of the surface [uS/um^2].
        endplate_sodium_factor: g_Na of the endplate, 25 um to either side of its middle, over that elsewhere.
        perijunctional_sodium_factor: The same of the next 75 um.
        activation_shift, inactivation_shift: Of sodium's fast gates along the axis of the potential [mV].
        inactivation_slowness: Factor on the time constant of fast inactivation.
        persistent_sodium: Share f of the sodium channels that fast inactivation does not reach.
        potassium_conductance: g_K of the delayed rectifier in the surface [uS/um^2].
        chloride_conductance: g_Cl of ClC-1, all of it open, in the surface [uS/um^2].
        rectifier_conductance: g_Kir of the inward rectifier in the surface [uS/um^2].
        rectifier_width: w of the same [mV].
        pump_current: Current of the pump at rest, in the surface [nA/um^2].
        pump_constant: K_m of its potassium [uM].
        leak_conductance: A linear leak, of surface and tubules alike [uS/um^2].
        sodium_reversal: E_Na [mV].
        potassium_inside: [uM].
        potassium_outside: The same outside the fibre, and in a tubule at rest.
        tubule_access: Resistance between surface and tubule, of a unit of surface, R_a [mV um^2/nA].
        tubule_fraction: Volume of the tubules over that of the fibre, rho.
        tubule_depth: Volume over surface of the tubules, zeta [um].
        tubule_sodium, tubule_potassium, tubule_chloride, tubule_rectifier, tubule_pump: Density in the tubules over
            that in the surface, eta.
        tubule_exchange: Time constant with which potassium of the tubules returns to that outside [ms].
        temperature: Of the fibre [degC].
        reference_temperature: Temperature at which all values hold [degC].
        rate_q10: Q10 of every gate's rates, and of the pump.
        conductance_q10: Q10 of the conductances of sodium and potassium, of the fibre's inside and the tubules' mouths.
        chloride_q10: Q10 of the conductance of chloride and of the leak.
        diffusion_q10: Q10 of the exchange.
        gating: Name of a set of gates (gating.py).

    References:
        Cannon, Brown & Corey 1993, Biophys J 65:270; Shorten et al. 2007, J Muscle Res Cell Motil 28:293; Cannon-Lab
        2024, github.com/Cannon-Lab/Muscle-Fiber-Simulation, its sheet of parameters and its documentation.
    """

    # [D]; 27.5 are those of a 55-um fibre, to which miniatures are normalised [M]; for R_in with the resistivity read
    radius: Scalar = parameter("um", "5 um", "100 um", default=21.0)
    # 123 ohm cm at 37 degC by the Q10 [C]: 123 in human intercostal muscle (Lipicky et al. 1971 [V-abs], which does
    # not tell its temperature), 213 in rat diaphragm [V-abs]
    axial_resistivity: Scalar = parameter("ohm*cm", "5 ohm*cm", "5000 ohm*cm", default=1.82)
    resting_potential: Scalar = parameter("mV", "-110 mV", "-50 mV", default=-84.0)  # [D]
    capacitance: Scalar = parameter(
        "uF/cm^2", "0.1 uF/cm^2", "20 uF/cm^2", default=1e-5
    )  # [V] Cannon-Lab, Shorten
    # 300 [D]: 44 to 360 in human intercostal fibres at 23 degC (Almers, Roberts & Ruff 1984, J Physiol 347:751 [V-abs])
    sodium_conductance: Scalar = parameter(*_CONDUCTANCE, default=3e-3)
    # [D], tuned to the safety factor; folds add surface, and channels are dense in their depths [M]
    endplate_sodium_factor: Scalar = parameter("", "0", "100", default=40.0)
    # 5 to 10 in rat (Caldwell & Milton 1988, J Physiol 401:145 [V-abs]), 5 in snake within 25 um [V-abs]
    perijunctional_sodium_factor: Scalar = parameter("", "0", "100", default=5.0)
    # [D]: m^3 is half at -41 mV in the set, and at -28 mV, with h half at -72, in cultured human channels [V-abs]
    activation_shift: Scalar = parameter("mV", "-40 mV", "40 mV", default=3.0)
    inactivation_shift: Scalar = parameter("mV", "-40 mV", "40 mV", default=0.0)
    inactivation_slowness: Scalar = parameter("", "0.05", "20", default=1.0)
    # 0.001 [D]; 0.003 [V] Cannon-Lab, with which a long endplate current leaves the warm fibre depolarised
    persistent_sodium: Scalar = parameter("", "0", "1", default=0.001)
    # 25 [D]: 0 to 19 in human intercostal fibres at 23 degC (Almers et al. 1984 [V-abs])
    potassium_conductance: Scalar = parameter(*_CONDUCTANCE, default=2.5e-4)
    # 0.8 [D], of which a quarter is open at rest: with all else 1,400 ohm cm^2 of surface, between human intercostal
    # (2,619, Lipicky et al. 1971 [V-abs]) and rat diaphragm (520 [V-abs]); ClC-1 is some 80 % of it [V-abs]
    chloride_conductance: Scalar = parameter(*_CONDUCTANCE, default=8e-6)
    rectifier_conductance: Scalar = parameter(*_CONDUCTANCE, default=5e-7)  # 0.05 [D]
    rectifier_width: Scalar = parameter("mV", "1 mV", "100 mV", default=12.0)  # [V] Cannon-Lab
    pump_current: Scalar = parameter("uA/cm^2", "0 uA/cm^2", "100 uA/cm^2", default=1e-6)  # 0.1 [D]
    pump_constant: Scalar = parameter("mM", "0 mM", "100 mM", default=2.5e3)  # alpha 2 [V] Cannon-Lab
    leak_conductance: Scalar = parameter(*_CONDUCTANCE, default=0.0)  # for fibres of others
    sodium_reversal: Scalar = parameter(
        "mV", "0 mV", "120 mV", default=76.0
    )  # 138.3 over 6.9 mM [V] Cannon-Lab
    potassium_inside: Scalar = parameter("mM", "10 mM", "400 mM", default=151.9e3)  # [V] Cannon-Lab
    potassium_outside: Scalar = parameter("mM", "0.5 mM", "40 mM", default=4.5e3)  # [V] Cannon-Lab
    tubule_access: Scalar = parameter(
        "ohm*cm^2", "1 ohm*cm^2", "1e4 ohm*cm^2", default=15e3
    )  # 150 [V] Shorten
    tubule_fraction: Scalar = parameter("", "1e-5", "0.05", default=0.003)  # [V] Cannon-Lab
    tubule_depth: Scalar = parameter("nm", "1 nm", "100 nm", default=0.0125)  # 1.25e-6 cm [V] Cannon-Lab
    tubule_sodium: Scalar = parameter(*_RATIO, default=0.3)  # [D]: 0.1 [V] Shorten, 0.8 [V] Cannon-Lab
    tubule_potassium: Scalar = parameter(*_RATIO, default=0.45)  # [V] Shorten; 0.4 [V] Cannon-Lab
    # alike (DiFranco et al. 2011, J Gen Physiol 137:21 [V-abs]); 0.3 [V] Cannon-Lab, none by Lueck et al. 2010 [V-abs]
    tubule_chloride: Scalar = parameter(*_RATIO, default=1.0)
    tubule_rectifier: Scalar = parameter(*_RATIO, default=1.0)  # [V] Shorten, Cannon-Lab
    tubule_pump: Scalar = parameter(*_RATIO, default=1.0)  # [V] Cannon-Lab
    # 350 ms at a radius of 40 um [V] Cannon-Lab; diffusion goes as its square [C]
    tubule_exchange: Scalar = parameter("ms", "1 ms", "1e5 ms", default=96.0)
    temperature: Scalar = parameter("degC", "0 degC", "45 degC", default=22.0)
    reference_temperature: Scalar = parameter(
        "degC", "0 degC", "45 degC", default=22.0
    )  # 295 K [V] Cannon-Lab
    rate_q10: Scalar = parameter(*_Q10, default=2.5)  # of rate constants [V] Cannon-Lab; that of the pump [D]
    conductance_q10: Scalar = parameter(*_Q10, default=1.3)  # that of the receptor's channel [M]
    chloride_q10: Scalar = parameter(
        *_Q10, default=1.0
    )  # near 1 in rat (Palade & Barchi 1977, J Gen Physiol [V-abs])
    diffusion_q10: Scalar = parameter(*_Q10, default=1.5)  # of diffusion [V] Cannon-Lab
    gating: str = eqx.field(static=True, default="cannon_lab_2024")

    def __repr__(self) -> str:
        return above.ask("text", self)

    def __check_init__(self) -> None:
        check_parameters(self, "muscle")
        if self.gating not in SETS:
            hint = nearest(str(self.gating), SETS)
            raise ValidationError("muscle.gating", repr(self.gating), f"one of {', '.join(SETS)}", hint)
        passive = self.chloride_conductance + self.leak_conductance
        if not is_traced(passive) and not np.all(np.asarray(passive) > 0):
            hint = "set muscle.chloride_conductance or muscle.leak_conductance"
            raise ValidationError(
                "muscle.chloride_conductance", "0 mS/cm^2", "above 0 where there is no leak", hint
            )

    @property
    def tens(self) -> Any:
        """Temperature above the reference, in tens of degrees."""
        return (self.temperature - self.reference_temperature) / 10.0

    @property
    def speed(self) -> Any:
        """How much faster the gates are than at the reference temperature."""
        return self.rate_q10**self.tens

    @property
    def thermal(self) -> Any:
        """R T / F [mV]."""
        return GAS * (self.temperature + 273.15)

    def effective(self) -> Muscle:
        """The same fibre with its conductances, its exchange and E_Na at its temperature; the gates keep `speed`."""
        more, tens = self.conductance_q10**self.tens, self.tens
        thermal = (self.temperature + 273.15) / (self.reference_temperature + 273.15)
        factors = dict.fromkeys(
            ("sodium_conductance", "potassium_conductance", "rectifier_conductance"), more
        )
        factors |= dict.fromkeys(("axial_resistivity", "tubule_access"), 1.0 / more)
        factors |= dict.fromkeys(("chloride_conductance", "leak_conductance"), self.chloride_q10**tens)
        factors |= {
            "pump_current": self.speed, "tubule_exchange": self.diffusion_q10**-tens, "sodium_reversal": thermal,
        }  # fmt: skip
        names = tuple(factors)
        changed = [getattr(self, name) * factor for name, factor in factors.items()]
        return eqx.tree_at(lambda m: [getattr(m, n) for n in names], self, changed)

    @property
    def tubule_area(self) -> Scalar:
        """Area of the tubules over that of the surface, gamma = (r / 2)(rho / zeta)."""
        return self.radius / 2.0 * self.tubule_fraction / self.tubule_depth

    @property
    def axial_resistance(self) -> Scalar:
        """Resistance of the fibre's inside [mV/nA per um]."""
        return self.axial_resistivity / (np.pi * self.radius**2)

    def areas(self) -> Float[Array, " x"]:
        """Surface of each compartment of half the fibre [um^2]."""
        return jnp.asarray(2.0 * np.pi * self.radius) * jnp.asarray(LENGTHS)

    def axial(self) -> Float[Array, " c"]:
        """Conductance between neighbouring compartments [uS]; the endplate is in the middle of the first."""
        lengths = np.asarray(LENGTHS)
        centres = np.cumsum(lengths) - 0.5 * lengths
        centres[0] = 0.0
        return 1.0 / (jnp.asarray(self.axial_resistance) * jnp.asarray(np.diff(centres)))
