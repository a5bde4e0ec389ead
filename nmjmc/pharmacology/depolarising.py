"""Succinylcholine: an agonist in the bath that the esterase does not split.

It stands at the receptor's own two sites (`two_site_agonists`) and opens channels as long as it is there. Three things
follow: receptors that are occupied, a steady conductance that depolarises the fibre, so that its sodium channels
inactivate (phase I), and receptors that desensitise with time, first soon and then deeply (phase II). The steady
conductance falls with the receptors that are left, so that a fibre repolarises as phase II comes.

Its constants follow from those of ACh at the same receptor: at low concentrations it is 7.6 times less potent, of which
2.9 times in affinity (Marshall, Ogden & Colquhoun 1990, J Physiol 428:155, single channels of the frog [V-abs]). The
half-effective 10.8 uM of human receptors in oocytes (Jonsson et al. 2006, Anesthesiology 104:724 [V-abs]) is no
constant of this scheme: taken for one, with an efficacy of a tenth, it made the drug 3.6 times as potent as ACh, and
its steady conductance goes with the square of the dose. So at 200 nM every fibre of a muscle fired, at 300 nM none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import equinox as eqx
import numpy as np

from nmjmc.errors import ValidationError
from nmjmc.junction.bank import tonic_conductance
from nmjmc.junction.modifier import Change, concentration, named
from nmjmc.junction.passive import passive
from nmjmc.junction.steady import depolarised
from nmjmc.junction.whole import Junction
from nmjmc.kinetics import load_scheme
from nmjmc.kinetics.chain import equilibrium, generator, relaxation
from nmjmc.pharmacology.competitive import MIXED
from nmjmc.synapse.model import checked
from nmjmc.synapse.receptor import Receptor
from nmjmc.units import to_internal

NAME = "succinylcholine"
AFFINITY = 2.9
"""Dissociation constant over that of ACh [V-abs]."""
EFFICACY = (AFFINITY / 7.6) ** 2
"""Opening over closing with two molecules bound, over that with two ACh [V-abs]: potency goes with K / sqrt(E)."""
DESENSITISATION = 0.025
"""Of a receptor with two molecules, open or closed [1/ms]: 20 to 50 /s [M]."""
RECOVERY = 3e-4
"""From desensitisation [1/ms]: 0.1 to 0.5 /s [M]."""
SLOW_ENTRY, SLOW_RECOVERY = 1.0 / 6e4, 1.0 / 3e5
"""From desensitised to deeply so, and back [1/ms]: a minute and five, for a block that turns in tens of minutes [D]."""
ENDPLATE = 800.0
"""Membrane with receptors [um^2]: 400 to 1,300 [V-abs Albuquerque et al. 1974, PNAS 71:2818]; chosen within [D]."""


def succinylcholine(dose: Any, exposure: Any = "60 s") -> Change:
    """Succinylcholine at a concentration, after it has acted for a time.

    The whole fibre is given the potential that the endplate would have in a passive cable; in truth the depolarisation
    is focal. Fibres of a muscle have their own, by their input resistance and their receptors. Binding, opening and
    desensitisation are at equilibrium with the bath but for the time that desensitisation takes.

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

    Binding is fast: those with two molecules of the agonist desensitise at k_d, and recover at k_r; the desensitised go
    deeper, and come back, more slowly.
    """
    scheme = receptor.scheme
    occupancy = equilibrium(
        generator(scheme, receptor.rates, {k: float(v) for k, v in receptor.bath.items()})
    )
    entry = DESENSITISATION * float(sum(occupancy[scheme.index(s)] for s in ("S2R", "S2Ro")))
    q = np.array([
        [-entry, entry, 0.0],
        [RECOVERY, -RECOVERY - SLOW_ENTRY, SLOW_ENTRY],
        [0.0, SLOW_RECOVERY, -SLOW_RECOVERY],
    ])  # fmt: skip
    return float(1.0 - relaxation(q, np.array([1.0, 0.0, 0.0]), [time])[0, 0])


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
    open_bath, resting = tonic_conductance(synapse, ENDPLATE), float(junction.muscle.resting_potential)
    mean = float(passive(junction.muscle).input_resistance)
    potential = float(depolarised(resting, mean, open_bath, float(old.reversal_potential)))
    changed = replace(eqx.tree_at(lambda j: j.synapse, junction, synapse), steady=(open_bath, resting, mean))
    return eqx.tree_at(lambda j: j.muscle.resting_potential, changed, np.asarray(potential))


def _with_agonist(old: Receptor, dose: float) -> Receptor:
    """The receptor in a bath of the agonist, which unbinds as ACh does; energies of the two sites add [D]."""
    rates = {
        **old.rates,
        "agonist_unbinding_rate": old.rates["unbinding_rate"],
        "agonist_binding_rate": old.rates["binding_rate"] / AFFINITY,
        "agonist_opening_rate": EFFICACY * old.rates["opening_rate"],
        "mixed_opening_rate": np.sqrt(EFFICACY) * old.rates["opening_rate"],
    }
    return Receptor(
        load_scheme("two_site_agonists"), rates, old.density, old.channel_conductance, old.reversal_potential,
        bath={"agonist": dose}, q10=dict(old.q10), reference_temperature=old.reference_temperature,
        fold_profile=old.fold_profile, closing_voltage_sensitivity=old.closing_voltage_sensitivity,
        reference_voltage=old.reference_voltage,
    )  # fmt: skip
