"""Succinylcholine: an agonist in the bath that the esterase does not split.

It stands at the receptor's own two sites (`two_site_agonists`) and opens channels as long as it is there. Three things
follow: receptors that are occupied, a steady conductance that depolarises the fibre, so that its sodium channels
inactivate (phase I), and receptors that desensitise with time (phase II).
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import numpy as np

from nmjmc.errors import ValidationError
from nmjmc.junction.bank import tonic_conductance
from nmjmc.junction.modifier import Change, concentration, named
from nmjmc.junction.passive import passive
from nmjmc.junction.whole import Junction
from nmjmc.kinetics import load_scheme
from nmjmc.kinetics.chain import equilibrium, generator
from nmjmc.pharmacology.competitive import MIXED
from nmjmc.synapse.model import checked
from nmjmc.synapse.receptor import Receptor
from nmjmc.units import MICROMOLAR, to_internal

NAME = "succinylcholine"
EFFICACY = 3.7
"""Opening over closing with two molecules bound, a tenth of that of ACh: a partial agonist [D]."""
DISSOCIATION = 13.9
"""Of a site [uM]: with this efficacy half of the greatest open probability is at 10 uM, a teaching value [V]."""
DESENSITISATION = 0.025
"""Of a receptor with two molecules, open or closed [1/ms]: 20 to 50 /s [M]."""
RECOVERY = 3e-4
"""From desensitisation [1/ms]: 0.1 to 0.5 /s [M]."""
ENDPLATE = 800.0
"""Membrane with receptors [um^2]: 400 to 1,300 [V-abs Albuquerque et al. 1974, PNAS 71:2818]; chosen within [D]."""
LEAST_NEGATIVE = -50.0
"""Most depolarised resting potential that the fibre takes [mV]; nothing fires from there."""


def succinylcholine(dose: Any, exposure: Any = "60 s") -> Change:
    """Succinylcholine at a concentration, after it has acted for a time.

    The whole fibre is given the potential that the endplate would have in a passive cable; in truth the depolarisation
    is focal. Binding, opening and desensitisation are at equilibrium with the bath but for the time that
    desensitisation takes.

    Args:
        dose: Concentration, number in uM or text with a unit.
        exposure: Time, number in ms or text with a unit; 0 shows the depolarisation alone.

    Raises:
        ValidationError: For a negative dose or time; when applied, for a receptor of another scheme.
    """
    c = concentration(dose, f"drug.{NAME}")
    time = to_internal(exposure, "ms", "exposure")
    if time < 0:
        raise ValidationError("exposure", f"{time:g} ms", "zero or more")
    return named(NAME, lambda junction: _depolarised(junction, c, time))


def desensitised(receptor: Receptor, time: float) -> float:
    """Part of the receptors that have desensitised after a time in the bath [ms].

    Binding is fast: d' = k_d p2 (1 - d) - k_r d, p2 the share with two molecules of the agonist.
    """
    scheme = receptor.scheme
    occupancy = equilibrium(
        generator(scheme, receptor.rates, {k: float(v) for k, v in receptor.bath.items()})
    )
    entry = DESENSITISATION * float(sum(occupancy[scheme.index(s)] for s in ("S2R", "S2Ro")))
    total = entry + RECOVERY
    return float(entry / total * -np.expm1(-total * time))


def _depolarised(junction: Junction, dose: float, time: float) -> Junction:
    old = junction.synapse.receptor
    if old.scheme.name == "two_site_competitive":
        raise ValidationError(f"drug.{NAME}", "given with a competitive blocker", "given alone", MIXED)
    if old.scheme.name != "two_site_sequential":
        raise ValidationError("receptor.scheme", repr(old.scheme.name), f"two_site_sequential for {NAME}")
    receptor = _with_agonist(old, dose)
    left = 1.0 - desensitised(receptor, time)
    receptor = eqx.tree_at(lambda r: r.density, receptor, np.asarray(float(old.density) * left))
    synapse = checked(eqx.tree_at(lambda s: s.receptor, junction.synapse, receptor))
    muscle = junction.muscle
    load = float(passive(muscle).input_resistance) * tonic_conductance(synapse, ENDPLATE)
    potential = (float(muscle.resting_potential) + load * float(old.reversal_potential)) / (1.0 + load)
    potential = max(float(muscle.resting_potential), min(potential, LEAST_NEGATIVE))
    changed = eqx.tree_at(lambda j: j.synapse, junction, synapse)
    return eqx.tree_at(lambda j: j.muscle.resting_potential, changed, np.asarray(potential))


def _with_agonist(old: Receptor, dose: float) -> Receptor:
    """The receptor in a bath of the agonist, which unbinds as ACh does; energies of the two sites add [D]."""
    own = float(old.rates["opening_rate"] / old.rates["closing_rate"])
    rates = {
        **old.rates,
        "agonist_unbinding_rate": old.rates["unbinding_rate"],
        "agonist_binding_rate": old.rates["unbinding_rate"] / (DISSOCIATION * MICROMOLAR),
        "agonist_opening_rate": EFFICACY * old.rates["closing_rate"],
        "mixed_opening_rate": np.sqrt(EFFICACY * own) * old.rates["closing_rate"],
    }
    return Receptor(
        load_scheme("two_site_agonists"), rates, old.density, old.channel_conductance, old.reversal_potential,
        bath={"agonist": dose}, q10=dict(old.q10), reference_temperature=old.reference_temperature,
        fold_profile=old.fold_profile, closing_voltage_sensitivity=old.closing_voltage_sensitivity,
        reference_voltage=old.reference_voltage,
    )  # fmt: skip
