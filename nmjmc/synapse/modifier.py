"""Functions from synapse to synapse: how a drug, a disease or an experiment changes the parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import replace as changed
from typing import Any, Generic, TypeAlias, TypeVar

import equinox as eqx
import numpy as np

from nmjmc.carried import internal
from nmjmc.errors import ValidationError, nearest
from nmjmc.synapse.build import ALL_PARTS
from nmjmc.synapse.changes import apply_all
from nmjmc.synapse.model import Synapse, checked
from nmjmc.synapse.parameter import Range, as_leaf, convert, parameters
from nmjmc.synapse.rates import Q10, rate_ranges
from nmjmc.synapse.receptor import BATH, DEPTH, FRACTION
from nmjmc.synapse.scheme_change import with_scheme

Modifier: TypeAlias = Callable[[Synapse], Synapse]
T = TypeVar("T")
PURE = Range("")
WORDS = ("name", "cleft.rim", "receptor.scheme", "esterase.scheme", "esterase.placement")
"""What `replace` changes too, though it is no number."""
NOT_GIVEN: Any = object()
"""Stands where no value was given, as None is one."""


@dataclass(frozen=True)
class Composed(Generic[T]):
    """Several changes as one.

    Attributes:
        changes: They, the first first.
    """

    changes: tuple[Callable[[T], T], ...]

    def __call__(self, subject: T) -> T:
        """The subject after all of them."""
        return apply_all(subject, self.changes)

    def __repr__(self) -> str:
        return f"compose({', '.join(map(repr, self.changes))})"


def compose(*modifiers: Callable[[T], T]) -> Composed[T]:
    """One modifier that does several, the first first; of synapses, or of whatever else they all change."""
    return Composed(modifiers)


def paths(synapse: Synapse) -> dict[str, str]:
    """Every parameter of a synapse by its path, with its stated unit ("" for a pure number)."""
    return {path: allowed.unit for path, (_, allowed) in _table(synapse).items()}


def get(synapse: Synapse, path: str) -> Any:
    """A parameter by its path, in internal units: 1/ms for a rate whose stated unit is /s.

    It goes back by `replace(synapse, path, nmjmc.internal(value))`.

    Args:
        synapse: The synapse.
        path: For example `receptor.density` or `receptor.opening_rate`.

    Raises:
        ValidationError: If there is no such parameter.
    """
    return _entry(synapse, path)[0](synapse)


def replace(synapse: Synapse, changes: str | Mapping[str, Any], value: Any = NOT_GIVEN) -> Synapse:
    """The same synapse with one or several parameters changed, all at once.

    Args:
        synapse: The synapse.
        changes: The path of one, for example `receptor.density`; or several with their values, as
            `{"receptor.density": "3000 /um^2", "esterase.density": 1500}`. Beside the numbers there are the words of
            `WORDS`: the rates that a new scheme has in common with the old one stay, and its others are given beside
            it.
        value: A number of any type in the stated unit (`paths` lists them), also one that JAX traces in `jit` or
            `grad`; text with a unit; or an object that carries a unit. What is in internal units, as `get` gives
            it, goes through `nmjmc.internal`: `replace(s, p, internal(2 * get(s, p)))`.

    Returns:
        A new synapse.

    Raises:
        ValidationError: If there is no such parameter, or a value cannot be right.
    """
    return _replaced(synapse, several(changes, value))


def several(changes: str | Mapping[str, Any], value: Any) -> dict[str, Any]:
    """Changes by path, from one path with its value or a mapping, which may be nested.

    Raises:
        ValidationError: For a value beside a mapping, or a path without one.
    """
    if isinstance(changes, Mapping):
        if value is not NOT_GIVEN:
            raise ValidationError("value", repr(value), "left out beside a mapping of changes")
        return dict(_flat(changes, ""))
    _refuse_no_path(changes)
    if value is NOT_GIVEN:
        hint = 'for example replace(synapse, "receptor.density", "3000 /um^2")'
        raise ValidationError("value", "missing", f"given for {changes}", hint)
    if isinstance(value, Mapping) and not value:
        raise ValidationError(str(changes), "an empty mapping", "a value")
    return {changes: value}


def _refuse_no_path(path: Any) -> None:
    if not isinstance(path, str):
        raise ValidationError("path", repr(path), "a parameter's path", 'for example "receptor.density"')


def _flat(changes: Mapping[str, Any], above: str) -> list[tuple[str, Any]]:
    """Paths with their values; the mapping of a scheme is a value."""
    kept = []
    for key, value in changes.items():
        _refuse_no_path(key)
        path = f"{above}.{key}" if above else key
        below = isinstance(value, Mapping) and path not in WORDS
        kept += _flat(value, path) if below else [(path, value)]
    return kept


def _replaced(synapse: Synapse, changes: Mapping[str, Any]) -> Synapse:
    """The words first, as a new scheme has parameters of its own; then all numbers; then one check of all."""
    rest = dict(changes)
    for part in ("receptor", "esterase"):
        if f"{part}.scheme" in rest:
            new, taken = with_scheme(getattr(synapse, part), part, rest.pop(f"{part}.scheme"), rest)
            synapse = eqx.tree_at(lambda s, part=part: getattr(s, part), synapse, new)
            rest = {path: value for path, value in rest.items() if path not in taken}
    if "name" in rest:
        synapse = changed(synapse, name=str(rest.pop("name")))
    for path in ("cleft.rim", "esterase.placement"):
        if path in rest:
            part, name = path.split(".")
            new = changed(getattr(synapse, part), **{name: rest.pop(path)})
            synapse = eqx.tree_at(lambda s, part=part: getattr(s, part), synapse, new)
    where = [_entry(synapse, path) for path in rest]
    if not where:
        return checked(synapse)
    leaves = [as_leaf(convert(v, w[1], p)) for w, (p, v) in zip(where, rest.items(), strict=True)]
    return checked(eqx.tree_at(lambda s: [w[0](s) for w in where], synapse, leaves))


def allowed_range(synapse: Synapse, path: str) -> Range:
    """Unit and allowed range of a parameter by its path.

    Raises:
        ValidationError: If there is no such parameter.
    """
    return _entry(synapse, path)[1]


def scale(path: str, factor: Any) -> Modifier:
    """A modifier that multiplies one parameter by a pure number."""
    times = as_leaf(convert(factor, PURE, f"factor of {path}"))

    def scaled(synapse: Synapse) -> Synapse:
        return replace(synapse, path, internal(get(synapse, path) * times))

    return scaled


def _entry(synapse: Synapse, path: str) -> tuple[Callable[[Synapse], Any], Range]:
    table = _table(synapse)
    _refuse_no_path(path)
    if path not in table:
        raise ValidationError(
            path, "unknown", "a parameter of the synapse", nearest(path, [*_similar(path, table), *WORDS])
        )
    return table[path]


def _similar(path: str, table: dict[str, Any]) -> list[str]:
    """The paths of the same part, or all."""
    part = path.split(".")[0]
    return [name for name in table if name.startswith(part + ".")] or list(table)


def _table(synapse: Synapse) -> dict[str, tuple[Callable[[Synapse], Any], Range]]:
    """Where each parameter is, and its range."""
    table: dict[str, tuple[Callable[[Synapse], Any], Range]] = {}
    for item, allowed in parameters(synapse):
        table[item.name] = (_attribute(item.name), allowed)
    for part in ALL_PARTS:
        for item, allowed in parameters(getattr(synapse, part)):
            table[f"{part}.{item.name}"] = (_attribute(part, item.name), allowed)
    for part in ("receptor", "esterase"):
        scheme = getattr(synapse, part).scheme
        for name, allowed in rate_ranges(scheme).items():
            table[f"{part}.{name}"] = (_key(part, "rates", name), allowed)
        for name in getattr(synapse, part).q10:
            table[f"{part}.q10.{name}"] = (_key(part, "q10", name), Q10)
    for name in synapse.receptor.bath:
        table[f"receptor.bath.{name}"] = (_key("receptor", "bath", name), BATH)
    if np.size(synapse.receptor.fold_profile[0]):
        table["receptor.fold_profile.depth"] = (lambda s: s.receptor.fold_profile[0], DEPTH)
        table["receptor.fold_profile.fraction"] = (lambda s: s.receptor.fold_profile[1], FRACTION)
    return table


def _attribute(*names: str) -> Callable[[Synapse], Any]:
    def where(synapse: Any) -> Any:
        for name in names:
            synapse = getattr(synapse, name)
        return synapse

    return where


def _key(part: str, group: str, name: str) -> Callable[[Synapse], Any]:
    return lambda synapse: getattr(getattr(synapse, part), group)[name]
