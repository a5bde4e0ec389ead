"""The drugs by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from nmjmc.errors import ValidationError, nearest
from nmjmc.junction.modifier import Change, concentration, named, scale
from nmjmc.pharmacology.competitive import competitive
from nmjmc.pharmacology.depolarising import succinylcholine
from nmjmc.pharmacology.esterase import organophosphate, reversible

DIAMINOPYRIDINE_HALF = 1.0
"""Half block of the nerve's potassium channels by 3,4-diaminopyridine [uM]; a teaching simulator's value [V]."""
DIAMINOPYRIDINE_MOST = 1.0
"""Greatest widening of the spike: twice its width [D]."""


def diaminopyridine(dose: Any) -> Change:
    """3,4-diaminopyridine: blocks the terminal's potassium channels, so that its spike lasts longer."""
    c = concentration(dose, "drug.diaminopyridine")
    block = c / (c + DIAMINOPYRIDINE_HALF)
    return named("diaminopyridine", scale("terminal.spike_width", 1.0 + DIAMINOPYRIDINE_MOST * block))


DRUGS: dict[str, Callable[..., Change]] = {
    "pyridostigmine": partial(reversible, "pyridostigmine"),
    "neostigmine": partial(reversible, "neostigmine"),
    "organophosphate": organophosphate,
    "diaminopyridine": diaminopyridine,
    "tubocurarine": partial(competitive, "tubocurarine"),
    "vecuronium": partial(competitive, "vecuronium"),
    "rocuronium": partial(competitive, "rocuronium"),
    "succinylcholine": succinylcholine,
}
WITH_EXPOSURE = ("organophosphate", "succinylcholine")


def drug(name: str, dose: Any, **options: Any) -> Change:
    """A drug at a dose, as a change of a junction.

    Args:
        name: One of `DRUGS`.
        dose: Concentration, number in uM or text with a unit.
        **options: `exposure` for the drugs of `WITH_EXPOSURE`.

    Raises:
        ValidationError: For an unknown drug, a negative dose, a wrong unit.

    Example:
        >>> from nmjmc.junction.whole import human
        >>> float(drug("neostigmine", "0.2 uM")(human()).synapse.esterase.active_fraction)
        0.5
    """
    if name not in DRUGS:
        raise ValidationError("drug", repr(name), "a known drug", nearest(name, DRUGS))
    return DRUGS[name](dose, **options)
