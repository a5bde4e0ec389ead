"""The concentration at which each drug does half of what it does, for choosing doses."""

from __future__ import annotations

from nmjmc.pharmacology.competitive import DISSOCIATION, ENCAPSULATED
from nmjmc.pharmacology.drugs import DIAMINOPYRIDINE_HALF, SHIPPED
from nmjmc.pharmacology.esterase import HALF_INHIBITION

HALF: dict[str, float] = {
    **DISSOCIATION, **HALF_INHIBITION, "diaminopyridine": DIAMINOPYRIDINE_HALF, "amifampridine": DIAMINOPYRIDINE_HALF,
    "sugammadex": ENCAPSULATED["rocuronium"],
    "succinylcholine": 3.0,  # where it depolarises by a few mV, far below its half effect on the receptor [D]
    **{name: recipe.half for name, recipe in SHIPPED.items()},
}  # fmt: skip
"""Constants of binding or of half effect [uM]; an organophosphate has none, as it binds for good."""
