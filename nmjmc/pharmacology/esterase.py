"""Inhibitors of the esterase: reversible by binding, irreversible by dose and time."""

from __future__ import annotations

from typing import Any

import numpy as np

from nmjmc.errors import ValidationError
from nmjmc.junction.modifier import Change, concentration, named, scale
from nmjmc.units import to_internal

HALF_INHIBITION = {
    "pyridostigmine": 0.5,  # uM; in vitro 0.3 to 1 [M]
    "neostigmine": 0.2,  # uM; a teaching simulator's value [V]
}
ORGANOPHOSPHATE_RATE = 1e-3
"""Bimolecular rate of inhibition [1/(uM s)]: of the order of the nerve agents' is 1e0, of paraoxon 1e-2; [D]."""


def reversible(name: str, dose: Any) -> Change:
    """A reversible inhibitor at equilibrium: active fraction 1 / (1 + c / K)."""
    c = concentration(dose, f"drug.{name}")
    return named(name, scale("synapse.esterase.active_fraction", 1.0 / (1.0 + c / HALF_INHIBITION[name])))


def organophosphate(dose: Any, exposure: Any = "60 s") -> Change:
    """An irreversible inhibitor after an exposure: active fraction exp(-k c t).

    Args:
        dose: Concentration, number in uM or text with a unit.
        exposure: Time, number in ms or text with a unit.
    """
    c = concentration(dose, "drug.organophosphate")
    time = to_internal(exposure, "ms", "exposure")
    if time < 0:
        raise ValidationError("exposure", f"{time:g} ms", "zero or more")
    left = float(np.exp(-ORGANOPHOSPHATE_RATE * 1e-3 * c * time))
    return named("organophosphate", scale("synapse.esterase.active_fraction", left))
