"""The concentration at which each drug does half of what it does, for choosing doses."""

from __future__ import annotations

from nmjmc.pharmacology.competitive import DISSOCIATION
from nmjmc.pharmacology.drugs import DIAMINOPYRIDINE_HALF
from nmjmc.pharmacology.esterase import HALF_INHIBITION

HALF = {
    **DISSOCIATION, **HALF_INHIBITION, "diaminopyridine": DIAMINOPYRIDINE_HALF,
    "succinylcholine": 0.1,  # where it depolarises by a few mV, far below its half effect on the receptor [D]
}  # fmt: skip
"""Constants of binding or of half effect [uM]; an organophosphate has none, as it binds for good."""
