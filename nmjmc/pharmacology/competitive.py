"""Competitive blockers: they stand at the receptor's own two sites, so that dose and response come out of binding."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import numpy as np

from nmjmc.errors import ValidationError
from nmjmc.junction.modifier import Change, concentration, named
from nmjmc.junction.whole import Junction
from nmjmc.kinetics import load_scheme
from nmjmc.synapse.model import checked
from nmjmc.synapse.receptor import Receptor

DISSOCIATION = {
    # site dissociation constant [uM]; half inhibition of adult receptors 10 to 20, 20 to 40, 40 to 100 nM [M-low]
    "vecuronium": 0.015,
    "rocuronium": 0.030,
    "tubocurarine": 0.070,
}
UNBINDING = 5e-3
"""Rate of unbinding [1/ms]: 1 to 15 /s [M-low]; slow against an endplate current."""

MIXED = "receptors with one of each are not modelled"


def competitive(name: str, dose: Any) -> Change:
    """A blocker at equilibrium with the sites, which hardly moves during an endplate current.

    Raises:
        ValidationError: When it is applied to a receptor of another scheme than two equal sites.
    """
    c = concentration(dose, f"drug.{name}")
    return named(name, lambda junction: _blocked(junction, c, DISSOCIATION[name]))


def _blocked(junction: Junction, dose: float, constant: float) -> Junction:
    """The junction with the competitive scheme and the blocker in its bath.

    A second blocker at the same sites adds its c / K: exact for equilibrium, and both hardly move.
    """
    old = junction.synapse.receptor
    if old.scheme.name == "two_site_competitive":
        before = float(old.bath["antagonist"])
        share = (
            float(old.rates["antagonist_unbinding_rate"] / old.rates["antagonist_binding_rate"]) / 602.214076
        )
        bath = np.asarray(before + dose / constant * share)
        receptor = eqx.tree_at(lambda r: r.bath["antagonist"], old, bath)
    elif old.scheme.name == "two_site_agonists":
        raise ValidationError("a competitive blocker", "given with succinylcholine", "given alone", MIXED)
    elif old.scheme.name == "two_site_sequential":
        receptor = _with_antagonist(old, dose, constant)
    else:
        raise ValidationError(
            "receptor.scheme", repr(old.scheme.name), "two_site_sequential for a competitive blocker"
        )
    return eqx.tree_at(lambda j: j.synapse, junction, _with_receptor(junction, receptor))


def _with_antagonist(old: Receptor, dose: float, constant: float) -> Receptor:
    # k_on = k_off / K_d, in um^3/ms per molecule; K_d is taken to have no temperature [D]
    binding = UNBINDING / (constant * 602.214076)
    rates = {**old.rates, "antagonist_binding_rate": binding, "antagonist_unbinding_rate": UNBINDING}
    return Receptor(
        load_scheme("two_site_competitive"), rates, old.density, old.channel_conductance, old.reversal_potential,
        bath={"antagonist": dose}, q10={**old.q10, "antagonist_binding_rate": 2.0, "antagonist_unbinding_rate": 2.0},
        reference_temperature=old.reference_temperature, fold_profile=old.fold_profile,
        closing_voltage_sensitivity=old.closing_voltage_sensitivity, reference_voltage=old.reference_voltage,
    )  # fmt: skip


def _with_receptor(junction: Junction, receptor: Receptor) -> Any:
    return checked(eqx.tree_at(lambda s: s.receptor, junction.synapse, receptor))
