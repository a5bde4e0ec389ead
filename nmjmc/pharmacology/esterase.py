"""Inhibitors of the esterase: reversible by binding, irreversible by dose and time, all at the one active site.

A free site is met by substrate, by every reversible inhibitor (constant K) and by an irreversible one (rate k). With
S = sum of c / K the reversible ones leave 1 / (1 + S) of the sites free, and as much of the irreversible one's rate,
so that after a time t the active fraction is exp(-k c t / (1 + S)) / (1 + S): a carbamate protects.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nmjmc.errors import ValidationError
from nmjmc.junction.modifier import Change, concentration, named, remember, scale
from nmjmc.junction.whole import Junction
from nmjmc.units import to_internal

HALF_INHIBITION = {
    "pyridostigmine": 0.5,  # uM; in vitro 0.3 to 1 [M]
    "neostigmine": 0.2,  # uM; a teaching simulator's value [V]
    "edrophonium": 0.5,  # uM; 0.2 to 5 in vitro [M-low]; it binds without a bond to the site, and is gone in minutes
}
ORGANOPHOSPHATE_RATE = 1e-3
"""Bimolecular rate of inhibition [1/(uM s)]: of the order of the nerve agents' is 1e0, of paraoxon 1e-2; [D]."""
MOST = 700.0
"""Greatest exponent k c t: exp(-700) is still a number, and no esterase is left."""


def reversible(name: str, dose: Any) -> Change:
    """A reversible inhibitor at equilibrium: active fraction 1 / (1 + c / K), beside others 1 / (1 + sum of c / K)."""
    c = concentration(dose, f"drug.{name}")
    return named(name, inhibit(c / HALF_INHIBITION[name], 0.0))


def organophosphate(dose: Any, exposure: Any = "60 s") -> Change:
    """An irreversible inhibitor after an exposure: active fraction exp(-k c t), slower beside a reversible one.

    Args:
        dose: Concentration, number in uM or text with a unit.
        exposure: Time, number in ms or text with a unit.
    """
    c = concentration(dose, "drug.organophosphate")
    time = to_internal(exposure, "ms", "exposure")
    if time < 0:
        raise ValidationError("exposure", f"{time:g} ms", "zero or more")
    return named("organophosphate", inhibit(0.0, min(ORGANOPHOSPHATE_RATE * 1e-3 * c * time, MOST)))


def inhibit(bound: float, gone: float) -> Change:
    """More of a reversible inhibitor (c / K) and of an irreversible one (k c t), beside what is there."""

    def changed(junction: Junction) -> Junction:
        s, e = junction.inhibition
        more = s + bound, e + gone
        factor = np.exp(e / (1.0 + s) - more[1] / (1.0 + more[0])) * (1.0 + s) / (1.0 + more[0])
        done = scale("synapse.esterase.active_fraction", float(factor))(junction)
        return remember(done, inhibition=more)

    return changed
