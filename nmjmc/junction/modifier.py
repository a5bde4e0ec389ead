"""Functions from junction to junction: what diseases and drugs are made of, and how they compose."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import equinox as eqx
import numpy as np

from nmjmc.carried import internal
from nmjmc.errors import ValidationError, nearest
from nmjmc.junction.whole import Junction
from nmjmc.synapse import modifier as synapses
from nmjmc.synapse.parameter import Range, as_leaf, convert, parameters
from nmjmc.units import to_internal

Change: TypeAlias = Callable[[Junction], Junction]
_MASS = re.compile(r"\d\s*[mnuµk]?g\b")
LAST = ("succinylcholine",)
"""Drugs that read the receptors and the fibre as they stand, so that nothing may change these afterwards."""
MOST = 1e6
"""Concentration of a drug [uM]; a choice, as for the bath of a receptor: no solution holds more."""
OTHERS = ("terminal", "muscle", "contraction", "spread")


def scale(path: str, factor: Any) -> Change:
    """A change that multiplies one parameter (`synapse.receptor.density`, `muscle.radius`) by a pure number."""
    times = convert(factor, synapses.PURE, f"factor of {path}")
    return alter(path, lambda value: value * times)


def set_to(path: str, value: Any) -> Change:
    """A change that sets one parameter: a number in its stated unit, text with a unit, or `nmjmc.internal(...)`."""

    def changed(junction: Junction) -> Junction:
        amount = convert(value, _allowed(junction, path), path)
        return alter(path, lambda _: amount)(junction)

    return changed


def widen(path: str, variation: Any) -> Change:
    """A change that adds an independent variation to that of fibres: `spread.quantum`; variances add.

    Args:
        path: Of the variation.
        variation: A number in its stated unit, text with a unit, or `nmjmc.internal(...)`.
    """

    def changed(junction: Junction) -> Junction:
        amount = convert(variation, _allowed(junction, path), path)
        return alter(path, lambda value: np.hypot(value, amount))(junction)

    return changed


def alter(path: str, how: Callable[[Any], Any]) -> Change:
    """A change of one parameter by a function of its value, both in internal units, checked as a new one is.

    Raises:
        ValidationError: When it is applied, if the value cannot be right.
    """
    part, _, rest = path.partition(".")

    def changed(junction: Junction) -> Junction:
        if part == "synapse":
            value = as_leaf(how(synapses.get(junction.synapse, rest)))
            return _with(junction, "synapse", synapses.replace(junction.synapse, rest, internal(value)))
        _allowed(junction, path)
        old = getattr(junction, part)
        new = eqx.tree_at(lambda p: getattr(p, rest), old, as_leaf(how(getattr(old, rest))))
        new.__check_init__()
        return _with(junction, part, new)

    return changed


def _allowed(junction: Junction, path: str) -> Range:
    """Unit and range of a parameter of a junction.

    Raises:
        ValidationError: If there is none of that name.
    """
    part, _, rest = path.partition(".")
    if part == "synapse":
        return synapses.allowed_range(junction.synapse, rest)
    ranges = (
        {item.name: found for item, found in parameters(getattr(junction, part))} if part in OTHERS else {}
    )
    if rest not in ranges:
        raise ValidationError(
            path, "unknown", "a parameter of the junction", nearest(rest, ranges) if ranges else ""
        )
    return ranges[rest]


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
        found = change(remember(junction, applied=(*junction.applied, name)))
        last = [other for other in junction.applied if other in LAST]
        if last and not _alike(found, junction):
            hint = "that drug acts on the receptors and the fibre as they are"
            raise ValidationError(name, "applied after it", f"applied before {last[0]}", hint)
        return found

    return changed


def remember(junction: Junction, **history: Any) -> Junction:
    """The junction whose synapse remembers more of what has been applied: fields of `History`."""
    synapse = junction.synapse
    return replace(junction, synapse=replace(synapse, history=replace(synapse.history, **history)))


def same_as(names: tuple[str, ...], change: Change) -> Change:
    """A drug that has several names, of which only one may be given.

    Raises:
        ValidationError: When it is applied under a second one.
    """

    def changed(junction: Junction) -> Junction:
        given = [name for name in junction.applied if name in names]
        if len(given) > 1:
            raise ValidationError(given[1], f"applied beside {given[0]}, the same drug", "applied once")
        return change(junction)

    return changed


def _alike(one: Junction, other: Junction) -> bool:
    """Whether receptors and fibre are the same."""
    parts = ((j.synapse.receptor, j.muscle) for j in (one, other))
    return bool(eqx.tree_equal(*parts))


def concentration(value: Any, field: str) -> float:
    """A drug's concentration [uM] from a number in uM, text with a unit or an object that carries one.

    Raises:
        ValidationError: For a wrong unit or a negative dose.
    """
    if isinstance(value, str) and _MASS.search(value):
        hint = (
            'a mass becomes one by the drug\'s distribution, which is not modelled; write for example "1 uM"'
        )
        raise ValidationError(field, value, "a concentration at the endplate, in uM", hint)
    amount = to_internal(value, "uM", field)
    shown = value if isinstance(value, str) else f"{amount:g} uM"
    if amount < 0:
        raise ValidationError(field, shown, "zero or more")
    if amount > MOST:
        raise ValidationError(field, shown, "at most 1 M")
    return amount


def severity(value: Any, field: str) -> float:
    """A severity between 0 (healthy) and 1.

    Raises:
        ValidationError: Outside.
    """
    amount = to_internal(value, "", field)
    if not 0 <= amount <= 1:
        hint = f"did you mean {amount / 100:g}?" if 2 <= amount <= 100 else ""
        raise ValidationError(field, f"{amount:g}", "between 0 and 1", hint)
    return float(np.float64(amount))
