"""Muscle fibres by name: the package's own, and those of published programs as far as its equations can hold them.

What they share: one linear conductance for each open channel. Where the original has a constant-field current, its
conductance is the slope at rest [C] (chloride, inward rectifier) or the chord from 0 mV to the reversal (sodium,
delayed rectifier) [C]. None has an endplate of its own, so that sodium is as dense there as elsewhere; axial
resistivity is the package's where the original has a single patch. They hold at the temperature of their constants, and
are there to be compared: not all fire from an endplate at 37 degC.
"""

from __future__ import annotations

from typing import Any

from nmjmc.errors import ValidationError, nearest
from nmjmc.junction.muscle import Muscle

_PATCH = {"endplate_sodium_factor": 1.0, "perijunctional_sodium_factor": 1.0, "activation_shift": 0.0}

FIBRES: dict[str, dict[str, Any]] = {
    "human": {},
    # Cannon-Lab 2024 [V]: P_Na 1.02e-4 and P_K 1.2e-5 cm/s by F P (c_in - c_out) / E_rev at 0 mV, 17 and 1.9 mS/cm^2
    # [C]; 0.2 of P_Cl 8e-4 cm/s with its surface charge and P_Kir 4.35e-6 cm/s as slopes at their reversals, 1.2 and
    # 0.27 mS/cm^2 [C]; the pump is the package's, the co-transporter is left out
    "cannon_lab_2024": {
        **_PATCH, "radius": 40.0, "sodium_conductance": 1.7e-4, "potassium_conductance": 1.9e-5,
        "chloride_conductance": 1.2e-5, "tubule_chloride": 0.3, "rectifier_conductance": 2.7e-6,
        "persistent_sodium": 0.003, "tubule_access": 4e3, "tubule_sodium": 0.8, "tubule_potassium": 0.4,
        "tubule_exchange": 350.0,
    },
    # Shorten et al. 2007, fast fibre [V code]: 804 and 64.8; 19.65 and 11.1 by their formulas as slopes at -80 mV [C]
    "shorten_2007": {
        **_PATCH, "radius": 40.0, "sodium_conductance": 8.04e-3, "potassium_conductance": 6.48e-4,
        "chloride_conductance": 2.1e-5, "tubule_chloride": 0.1, "rectifier_conductance": 1.2e-5,
        "pump_current": 0.0, "persistent_sodium": 0.0, "tubule_sodium": 0.1, "tubule_potassium": 0.45,
        "tubule_exchange": 350.0, "sodium_reversal": 59.0, "potassium_inside": 150.9e3, "potassium_outside": 5.9e3,
        "resting_potential": -80.0, "temperature": 20.0, "reference_temperature": 20.0, "gating": "shorten_2007",
    },
    # Wallinga et al. 1999, as a program of others has it (SageanneS/mitochondria-model-ecc [V code]): a third of
    # Shorten's conductances, 0.58 uF/cm^2, radius 20 um, 125 ohm cm
    "wallinga_1999": {
        **_PATCH, "radius": 20.0, "axial_resistivity": 1.25, "capacitance": 0.58e-5, "sodium_conductance": 2.68e-3,
        "potassium_conductance": 2.16e-4, "chloride_conductance": 7e-6, "tubule_chloride": 0.1,
        "rectifier_conductance": 4e-6, "pump_current": 0.0, "persistent_sodium": 0.0, "tubule_depth": 0.01,
        "tubule_sodium": 0.1, "tubule_potassium": 0.45, "resting_potential": -80.0, "gating": "shorten_2007",
    },
}  # fmt: skip
"""What each fibre sets; the rest is the package's."""


def published(name: str, **changes: Any) -> Muscle:
    """A fibre by its name, with changes [internal units].

    Raises:
        ValidationError: For an unknown name, or values that cannot be right.
    """
    if name not in FIBRES:
        raise ValidationError(
            "muscle.preset", repr(name), f"one of {', '.join(FIBRES)}", nearest(name, FIBRES)
        )
    return Muscle(**{**FIBRES[name], **changes})
