"""The drugs by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from nmjmc.errors import ValidationError, nearest
from nmjmc.folders import config_dir, names_in
from nmjmc.junction.modifier import Change, concentration, named, same_as, scale
from nmjmc.junction.recipe import is_own, read_own
from nmjmc.pharmacology.competitive import DISSOCIATION, competitive, encapsulator
from nmjmc.pharmacology.depolarising import succinylcholine
from nmjmc.pharmacology.esterase import organophosphate, reversible
from nmjmc.pharmacology.own import read_drug
from nmjmc.yaml_file import read_yaml

DIAMINOPYRIDINE_HALF = 1.0
"""Half block of the nerve's potassium channels by 3,4-diaminopyridine [uM]; a teaching simulator's value [V]."""
SAME = ("diaminopyridine", "amifampridine")
"""Two names of one drug, of which only one may be given."""
DIAMINOPYRIDINE_MOST = 1.0
"""Greatest widening of the spike: twice its width [D]."""


def diaminopyridine(name: str, dose: Any) -> Change:
    """3,4-diaminopyridine, under either of its names: it blocks potassium, so that the terminal's spike is wider."""
    c = concentration(dose, f"drug.{name}")
    block = c / (c + DIAMINOPYRIDINE_HALF)
    return named(name, same_as(SAME, scale("terminal.spike_width", 1.0 + DIAMINOPYRIDINE_MOST * block)))


BUILT_IN: dict[str, Callable[..., Change]] = {
    "pyridostigmine": partial(reversible, "pyridostigmine"),
    "neostigmine": partial(reversible, "neostigmine"),
    "edrophonium": partial(reversible, "edrophonium"),
    "organophosphate": organophosphate,
    **{name: partial(diaminopyridine, name) for name in SAME},
    **{name: partial(competitive, name) for name in DISSOCIATION},
    "sugammadex": partial(encapsulator, "sugammadex"),
    "succinylcholine": succinylcholine,
}
SHIPPED = {
    name: read_drug(read_yaml(config_dir() / "drugs" / f"{name}.yaml", name), name)
    for name in names_in("drugs")
}
"""Drugs that are data alone."""
DRUGS: dict[str, Callable[..., Change]] = {**BUILT_IN, **SHIPPED}
WITH_EXPOSURE = ("organophosphate", "succinylcholine")


def drug(name: str, dose: Any, **options: Any) -> Change:
    """A drug at a dose, as a change of a junction.

    Args:
        name: One of `DRUGS`, or a YAML file of your own (docs/junction.md).
        dose: Concentration, number in uM or text with a unit.
        **options: `exposure` for the drugs of `WITH_EXPOSURE`.

    Raises:
        ValidationError: For an unknown drug, a negative dose, a wrong unit.

    Example:
        >>> from nmjmc.junction.whole import human
        >>> float(drug("neostigmine", "0.2 uM")(human()).synapse.esterase.active_fraction)
        0.5
    """
    if is_own(name):
        own, given = read_own(name, "drug")
        return read_drug(given, own)(dose, **options)
    if name not in DRUGS:
        raise ValidationError("drug", repr(name), "a known drug", nearest(name, DRUGS))
    return DRUGS[name](dose, **options)
