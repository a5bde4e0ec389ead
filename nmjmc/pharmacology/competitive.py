"""Competitive blockers: they stand at the receptor's own two sites, so that dose and response come out of binding.

Sugammadex does not meet the receptor: it encapsulates rocuronium and vecuronium one to one, and what is left free
blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import numpy as np

from nmjmc.errors import ValidationError
from nmjmc.junction.modifier import Change, concentration, named, remember
from nmjmc.junction.solutes import Solute, free
from nmjmc.junction.whole import Junction
from nmjmc.kinetics import load_scheme
from nmjmc.synapse.model import Synapse, checked
from nmjmc.synapse.receptor import Receptor
from nmjmc.units import MICROMOLAR

HALF_OF_RECEPTORS = {
    # half inhibition of the adult human receptor [uM]: Liu & Dilger 2008, Anesth Analg 107:525, as the public program
    # of Hoshino & Furutani (arXiv 2305.07195) has them: 10 +- 1, 15 +- 2, 17 +- 2 nM [V-2nd]
    "cisatracurium": 0.010,
    "vecuronium": 0.015,
    "rocuronium": 0.017,
    "pancuronium": 0.0055,  # [M-low]
    "mivacurium": 0.020,  # [M-low]
    "tubocurarine": 0.029,  # [M-low]; 0.2 uM at the electroplaque's sites [V-abs]
}
DISSOCIATION = {name: float(half / (np.sqrt(2.0) - 1.0)) for name, half in HALF_OF_RECEPTORS.items()}
"""Of a site [uM]: a receptor is out of use once either of its two equal sites is taken, 1 / (1 + c / K)^2 = 1 / 2."""
ENCAPSULATED = {
    # by sugammadex [uM]: 3.8e7 /M in Haerter et al. 2015, Anesthesiology 123:1337 [V-abs]; vecuronium 1e7 /M [M]
    "rocuronium": 0.026,
    "vecuronium": 0.1,
}
UNBINDING = 5e-3
"""Rate of unbinding [1/ms]: 1 to 15 /s [M-low]; slow against an endplate current."""

MIXED = "receptors with one of each are not modelled"


def competitive(name: str, dose: Any, dissociation: float | None = None) -> Change:
    """A blocker at equilibrium with the sites, which hardly moves during an endplate current.

    Args:
        name: Of the drug.
        dose: Concentration, number in uM or text with a unit.
        dissociation: Of a site [uM]; by default that of `DISSOCIATION`.

    Raises:
        ValidationError: When it is applied to a receptor of another scheme than two equal sites.
    """
    constant = DISSOCIATION[name] if dissociation is None else dissociation
    solute = Solute(name, concentration(dose, f"drug.{name}"), constant)
    return named(name, dissolve(solute))


def encapsulator(name: str, dose: Any, guests: Mapping[str, float] = ENCAPSULATED) -> Change:
    """A drug that takes blockers out of the bath, whichever of them comes first.

    Args:
        name: Of the drug.
        dose: Concentration, number in uM or text with a unit.
        guests: Dissociation constant of each blocker that it encapsulates [uM].
    """
    solute = Solute(name, concentration(dose, f"drug.{name}"), guests=tuple(guests.items()))
    return named(name, dissolve(solute))


def dissolve(solute: Solute) -> Change:
    """One more drug in the bath, without the name that lets it be applied once only."""
    return lambda junction: _dissolved(junction, solute)


def _dissolved(junction: Junction, solute: Solute) -> Junction:
    """The junction with one more drug in its bath, and the receptor among those that are free.

    Blockers at the same sites add their c / K: exact for equilibrium, and all hardly move.
    """
    solutes = tuple(sorted((*junction.solutes, solute)))
    new = remember(junction, solutes=solutes)
    blockers = [s for s in solutes if np.isfinite(s.dissociation)]
    if not blockers:
        return new
    loose, reference = free(solutes), blockers[0].dissociation
    level = sum(loose[s.name] * (reference / s.dissociation) for s in blockers)
    receptor = _with_antagonist(_free_of_agonists(new), level, reference)
    return eqx.tree_at(lambda j: j.synapse, new, _with_receptor(new, receptor))


def _free_of_agonists(junction: Junction) -> Receptor:
    receptor = junction.synapse.receptor
    name = receptor.scheme.name
    if name == "two_site_agonists":
        raise ValidationError("a competitive blocker", "given with succinylcholine", "given alone", MIXED)
    if name not in ("two_site_sequential", "two_site_competitive"):
        allowed = "two_site_sequential for a competitive blocker"
        raise ValidationError("receptor.scheme", repr(name), allowed)
    return receptor


def _with_antagonist(old: Receptor, dose: float, constant: float) -> Receptor:
    # k_on = k_off / K_d, in um^3/ms per molecule; K_d is taken to have no temperature [D]
    binding = UNBINDING / (constant * MICROMOLAR)
    rates = {**old.rates, "antagonist_binding_rate": binding, "antagonist_unbinding_rate": UNBINDING}
    return Receptor(
        load_scheme("two_site_competitive"), rates, old.density, old.channel_conductance, old.reversal_potential,
        bath={"antagonist": dose}, q10={**old.q10, "antagonist_binding_rate": 2.0, "antagonist_unbinding_rate": 2.0},
        reference_temperature=old.reference_temperature, fold_profile=old.fold_profile,
        closing_voltage_sensitivity=old.closing_voltage_sensitivity, reference_voltage=old.reference_voltage,
    )  # fmt: skip


def _with_receptor(junction: Junction, receptor: Receptor) -> Synapse:
    return checked(eqx.tree_at(lambda s: s.receptor, junction.synapse, receptor))
