"""The drugs by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from nmjmc.carried import Number
from nmjmc.errors import ValidationError, similar
from nmjmc.folders import config_dir, names_in
from nmjmc.junction.modifier import Change, concentration, named, same_as, scale
from nmjmc.junction.recipe import is_own, read_own, refuse_taken
from nmjmc.junction.treatment import Treatment
from nmjmc.pharmacology.competitive import DISSOCIATION, competitive, encapsulator
from nmjmc.pharmacology.depolarising import succinylcholine
from nmjmc.pharmacology.esterase import organophosphate, reversible
from nmjmc.pharmacology.own import read_drug
from nmjmc.units import to_internal
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
"""Drugs whose effect grows with the time for which they have acted."""
EXPOSURE = "60 s"


def drug(
    name: str, dose: Number, *, exposure: Number | None = None, definition: Mapping[str, Any] | None = None
) -> Treatment:
    """A drug at a dose, to be applied to a junction or a synapse by `|` or `with_`.

    Args:
        name: One of `nmjmc.available_drugs()`, or a YAML file of your own (docs/junction.md).
        dose: Concentration, number in uM or text with a unit.
        exposure: Time for which an organophosphate or succinylcholine has acted, number in ms or text with a unit;
            by default 60 s.
        definition: What such a file holds, for a drug called `name`.

    Raises:
        ValidationError: For an unknown drug, a negative dose, a wrong unit, an exposure of which the drug knows
            nothing; when applied, if applied twice.

    Example:
        >>> from nmjmc.junction.whole import human
        >>> float(drug("neostigmine", "0.2 uM")(human()).synapse.esterase.active_fraction)
        0.5
    """
    if definition is None and is_own(name):
        name, definition = read_own(name, "drug")
        refuse_taken(name, "drug", DRUGS)
    if definition is None and name not in DRUGS:
        raise ValidationError("drug", repr(name), "a known drug", similar(name, DRUGS))
    if exposure is not None and name not in WITH_EXPOSURE:
        raise ValidationError("exposure", f"given for {name}", f"given for {' or '.join(WITH_EXPOSURE)} only")
    level = concentration(dose, f"drug.{name}")
    if definition is not None:
        return Treatment("drug", name, level, read_drug(definition, name)(level), None, definition)
    if name not in WITH_EXPOSURE:
        return Treatment("drug", name, level, DRUGS[name](level))
    time = to_internal(EXPOSURE if exposure is None else exposure, "ms", "exposure")
    return Treatment("drug", name, level, DRUGS[name](level, exposure=time), time)


def available_drugs() -> tuple[str, ...]:
    """Names of the drugs that are known."""
    return tuple(sorted(DRUGS))
