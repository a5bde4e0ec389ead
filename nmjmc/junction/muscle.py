"""The muscle fibre as parameters: a cable with a tubular system, and the excitable channels of its membrane."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nmjmc.synapse.parameter import check_parameters, parameter
from nmjmc.types import Scalar

LENGTHS = (100.0, 150.0, 200.0, *[250.0] * 9)
"""Compartments of half the fibre, from the endplate outwards [um]; the first is the perijunctional one [D].

A spike jumps late into a compartment as long as the space constant (0.7 mm at 37 degC), and back from it.
"""


class Muscle(eqx.Module):
    """A fibre, symmetric about its endplate, and sealed 2.7 mm from it (three to four space constants by default).

    Leak and axial resistivity follow from what is measured: the input resistance and the time constant of the
    infinite passive cable. All values hold at the reference temperature; `effective` moves them to the fibre's.

    Attributes:
        radius: Radius [um].
        input_resistance: Of the passive cable, at the endplate [MOhm = mV/nA].
        time_constant: Of the passive membrane [ms].
        resting_potential: Potential at which every current balances [mV].
        capacitance: Of surface and tubular membrane alike [nF/um^2].
        sodium_conductance: g_Na of the surface [uS/um^2].
        potassium_conductance: g_K of the delayed rectifier in the surface [uS/um^2].
        endplate_sodium_factor: g_Na of the perijunctional surface over that elsewhere.
        sodium_reversal: E_Na [mV].
        potassium_inside: [mM as uM].
        potassium_outside: The same outside the fibre, and in a tubule at rest.
        tubule_access: Resistance between surface and tubule, of a unit of surface, R_a [mV um^2/nA].
        tubule_fraction: Volume of the tubules over that of the fibre, rho.
        tubule_depth: Volume over surface of the tubules, zeta [um].
        tubule_sodium: Density of sodium channels in the tubules over that of the surface, eta_Na.
        tubule_potassium: The same of the delayed rectifier, eta_K.
        tubule_exchange: Time constant with which potassium of the tubules returns to that outside [ms].
        temperature: Of the fibre [degC].
        reference_temperature: Temperature at which all values hold [degC].
        rate_q10: Q10 of every gate's rates.
        conductance_q10: Q10 of every conductance: channels, leak, inside of the fibre, mouths of the tubules.
        diffusion_q10: Q10 of the exchange.

    References:
        Cannon, Brown & Corey 1993, Biophys J 65:270; Shorten et al. 2007, J Muscle Res Cell Motil 28:293.
    """

    radius: Scalar = parameter("um", "5 um", "100 um", default=27.0)  # 55-um fibre, physics.md 2.2 [M]
    input_resistance: Scalar = parameter("MOhm", "0.01 MOhm", "100 MOhm", default=0.75)  # [D] for a 1-mV MEPP
    # [D]; with 15 ms, as long as the leak's, the resting fibre at 37 degC is 2 mV from firing by itself
    time_constant: Scalar = parameter("ms", "0.5 ms", "200 ms", default=8.0)
    resting_potential: Scalar = parameter("mV", "-110 mV", "-50 mV", default=-84.0)  # [D]
    capacitance: Scalar = parameter("uF/cm^2", "0.1 uF/cm^2", "20 uF/cm^2", default=1e-5)  # [V] Shorten
    # between 150 [M] Cannon and 804 [V] Shorten; with 150 no spike travels at 37 degC
    sodium_conductance: Scalar = parameter("mS/cm^2", "0 mS/cm^2", "1e4 mS/cm^2", default=4e-3)  # 400 [D]
    # 90 [D]: 0.22 of g_Na, above 0.08 [V] Shorten and 0.15 [M] Cannon
    potassium_conductance: Scalar = parameter("mS/cm^2", "0 mS/cm^2", "1e4 mS/cm^2", default=9e-4)
    endplate_sodium_factor: Scalar = parameter("", "0", "20", default=5.0)  # 3 to 5 [D]
    sodium_reversal: Scalar = parameter("mV", "0 mV", "120 mV", default=76.0)  # 138.3 over 6.9 mM [V] Cannon
    potassium_inside: Scalar = parameter("mM", "10 mM", "400 mM", default=151.9e3)  # [V] Cannon
    potassium_outside: Scalar = parameter("mM", "0.5 mM", "40 mM", default=4.5e3)  # [V] Cannon
    # 150 [V] Shorten
    tubule_access: Scalar = parameter("ohm*cm^2", "1 ohm*cm^2", "1e4 ohm*cm^2", default=15e3)
    tubule_fraction: Scalar = parameter("", "1e-5", "0.05", default=0.003)  # [V] Cannon
    tubule_depth: Scalar = parameter("nm", "1 nm", "100 nm", default=0.0125)  # 1.25e-6 cm [V] Cannon
    tubule_sodium: Scalar = parameter("", "0", "10", default=0.15)  # [D]: 0.1 [V] Shorten, 0.8 [V] Cannon-Lab
    # [D]: 0.45 [V] Shorten, 0.4 [V] Cannon-Lab
    tubule_potassium: Scalar = parameter("", "0", "10", default=0.6)
    # by diffusion 159 ms: 350 ms [V] Cannon at a radius of 40 um, which goes as its square [C]. The rest stands for the
    # pump and the inward rectifier of the tubules, tuned so that a healthy fibre follows 100 Hz for a second [D]
    tubule_exchange: Scalar = parameter("ms", "1 ms", "1e5 ms", default=100.0)
    temperature: Scalar = parameter("degC", "0 degC", "45 degC", default=20.0)
    reference_temperature: Scalar = parameter("degC", "0 degC", "45 degC", default=20.0)  # 293 K [V] Shorten
    rate_q10: Scalar = parameter("", "0.5", "10", default=2.5)  # of rate constants [V] Cannon-Lab
    conductance_q10: Scalar = parameter("", "0.5", "10", default=1.3)  # that of the receptor's channel [M]
    diffusion_q10: Scalar = parameter("", "0.5", "10", default=1.5)  # of diffusion [V] Cannon-Lab

    def __check_init__(self) -> None:
        check_parameters(self, "muscle")

    @property
    def speed(self) -> Any:
        """How much faster the gates are than at the reference temperature."""
        return self.rate_q10 ** ((self.temperature - self.reference_temperature) / 10.0)

    def effective(self) -> Muscle:
        """The same fibre with its conductances, its exchange and E_Na at its temperature; the gates keep `speed`."""
        tens = (self.temperature - self.reference_temperature) / 10.0
        more = self.conductance_q10**tens
        thermal = (self.temperature + 273.15) / (self.reference_temperature + 273.15)
        changed = {
            name: getattr(self, name) * more for name in ("sodium_conductance", "potassium_conductance")
        }
        changed |= {
            name: getattr(self, name) / more
            for name in ("input_resistance", "time_constant", "tubule_access")
        }
        changed["tubule_exchange"] = self.tubule_exchange / self.diffusion_q10**tens
        changed["sodium_reversal"] = self.sodium_reversal * thermal
        names = tuple(changed)
        return eqx.tree_at(lambda m: [getattr(m, n) for n in names], self, [changed[n] for n in names])

    @property
    def tubule_area(self) -> Scalar:
        """Area of the tubules over that of the surface, gamma = (r / 2)(rho / zeta)."""
        return self.radius / 2.0 * self.tubule_fraction / self.tubule_depth

    @property
    def leak(self) -> Scalar:
        """Leak conductance of surface and tubules alike, C / tau [uS/um^2]."""
        return self.capacitance / self.time_constant

    @property
    def axial_resistance(self) -> Scalar:
        """Resistance of the fibre's inside [mV/nA per um].

        R_in = sqrt(r_m r_i) / 2 of an infinite cable, r_m = 1 / (2 pi r (1 + gamma) g).
        """
        along = 2.0 * np.pi * self.radius * (1.0 + self.tubule_area) * self.leak
        return 4.0 * self.input_resistance**2 * along

    def areas(self) -> Float[Array, " x"]:
        """Surface of each compartment of half the fibre [um^2]."""
        return jnp.asarray(2.0 * np.pi * self.radius) * jnp.asarray(LENGTHS)

    def axial(self) -> Float[Array, " c"]:
        """Conductance between neighbouring compartments [uS]; the endplate is in the middle of the first."""
        lengths = np.asarray(LENGTHS)
        centres = np.cumsum(lengths) - 0.5 * lengths
        centres[0] = 0.0
        return 1.0 / (jnp.asarray(self.axial_resistance) * jnp.asarray(np.diff(centres)))
