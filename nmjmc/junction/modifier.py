"""Functions from junction to junction: what diseases and drugs are made of, and how they compose."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import equinox as eqx
import numpy as np

from nmjmc.errors import ValidationError
from nmjmc.junction.whole import Junction
from nmjmc.synapse import modifier as synapses
from nmjmc.synapse.parameter import as_leaf
from nmjmc.units import to_internal

Change: TypeAlias = Callable[[Junction], Junction]
_MASS = re.compile(r"\d\s*[mnuµk]?g\b")
LAST = ("succinylcholine",)
"""Drugs that read the receptors and the fibre as they stand, so that nothing may change these afterwards."""
OTHERS = ("terminal", "muscle", "contraction", "spread")


def scale(path: str, factor: Any) -> Change:
    """A change that multiplies one parameter: `synapse.receptor.density`, `terminal.channel_fraction`."""
    return alter(path, lambda value: value * factor)


def set_to(path: str, value: Any) -> Change:
    """A change that sets one parameter [internal units]."""
    return alter(path, lambda _: value)


def widen(path: str, variation: Any) -> Change:
    """A change that adds an independent variation to that of fibres: `spread.quantum`; variances add."""
    return alter(path, lambda value: np.hypot(value, variation))


def alter(path: str, how: Callable[[Any], Any]) -> Change:
    """A change of one parameter by a function of its value, checked as a new one is.

    Raises:
        ValidationError: When it is applied, if the value cannot be right.
    """
    part, _, rest = path.partition(".")

    def changed(junction: Junction) -> Junction:
        if part == "synapse":
            value = as_leaf(how(synapses.get(junction.synapse, rest)))
            return _with(junction, "synapse", synapses.replace(junction.synapse, rest, value))
        if part not in OTHERS or not hasattr(getattr(junction, part), rest):
            raise ValidationError(path, "unknown", "a parameter of the junction")
        old = getattr(junction, part)
        new = eqx.tree_at(lambda p: getattr(p, rest), old, as_leaf(how(getattr(old, rest))))
        new.__check_init__()
        return _with(junction, part, new)

    return changed


def _with(junction: Junction, part: str, value: Any) -> Junction:
    return eqx.tree_at(lambda j: getattr(j, part), junction, value)


def named(name: str, change: Change) -> Change:
    """A disease or a drug, which can be applied only once.

    Raises:
        ValidationError: When it is applied to a junction that has it, or that had to be changed before (`LAST`).
    """

    def changed(junction: Junction) -> Junction:
        if name in junction.applied:
            raise ValidationError(name, "applied twice", "applied once", "give it once with the full dose")
        found = change(replace(junction, applied=(*junction.applied, name)))
        last = [other for other in junction.applied if other in LAST]
        if last and not _alike(found, junction):
            hint = "that drug acts on the receptors and the fibre as they are"
            raise ValidationError(name, "applied after it", f"applied before {last[0]}", hint)
        return found

    return changed


def _alike(one: Junction, other: Junction) -> bool:
    """Whether receptors and fibre are the same."""
    parts = ((j.synapse.receptor, j.muscle) for j in (one, other))
    return bool(eqx.tree_equal(*parts))


def concentration(value: Any, field: str) -> float:
    """A drug's concentration [uM] from text with a unit or a number in uM.

    Raises:
        ValidationError: For a wrong unit or a negative dose.
    """
    if isinstance(value, str) and _MASS.search(value):
        hint = (
            'a mass becomes one by the drug\'s distribution, which is not modelled; write for example "1 uM"'
        )
        raise ValidationError(field, value, "a concentration at the endplate, in uM", hint)
    found = to_internal(value, "uM", field)
    if found < 0:
        shown = value if isinstance(value, str) else f"{found:g} uM"
        raise ValidationError(field, shown, "zero or more")
    return found


def severity(value: Any, field: str) -> float:
    """A severity between 0 (healthy) and 1.

    Raises:
        ValidationError: Outside.
    """
    found = to_internal(value, "", field)
    if not 0 <= found <= 1:
        hint = f"did you mean {found / 100:g}?" if 2 <= found <= 100 else ""
        raise ValidationError(field, f"{found:g}", "between 0 and 1", hint)
    return float(np.float64(found))
