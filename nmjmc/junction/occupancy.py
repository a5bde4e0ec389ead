"""How many receptors a blocker in the bath keeps out of use."""

from __future__ import annotations

from nmjmc.junction.whole import Junction
from nmjmc.kinetics.chain import equilibrium, generator


def receptor_occupancy(junction: Junction) -> float:
    """Part of the receptors with a blocker at one site or both at equilibrium, 1 - 1 / (1 + c / K)^2; 0 without one."""
    receptor = junction.synapse.effective().receptor
    if not receptor.scheme.bath_ligands:
        return 0.0
    q = generator(receptor.scheme, receptor.rates, {k: float(v) for k, v in receptor.bath.items()})
    return 1.0 - float(equilibrium(q)[receptor.scheme.index(receptor.scheme.resting)])
