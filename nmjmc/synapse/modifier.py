"""Functions from synapse to synapse: how a drug, a disease or an experiment changes the parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import equinox as eqx
import numpy as np

from nmjmc.carried import internal
from nmjmc.errors import ValidationError, nearest
from nmjmc.synapse.build import ALL_PARTS
from nmjmc.synapse.model import Synapse, checked
from nmjmc.synapse.parameter import Range, as_leaf, convert, parameters
from nmjmc.synapse.rates import Q10, rate_ranges
from nmjmc.synapse.receptor import BATH, DEPTH, FRACTION

Modifier: TypeAlias = Callable[[Synapse], Synapse]
T = TypeVar("T")
PURE = Range("")


def compose(*modifiers: Callable[[T], T]) -> Callable[[T], T]:
    """One modifier that does several, the first first; of synapses, or of whatever else they all change."""

    def modified(subject: T) -> T:
        for modifier in modifiers:
            subject = modifier(subject)
        return subject

    return modified


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


def replace(synapse: Synapse, path: str, value: Any) -> Synapse:
    """The same synapse with one parameter changed.

    Args:
        synapse: The synapse.
        path: For example `receptor.density`.
        value: A number of any type in the stated unit (`paths` lists them), also one that JAX traces in `jit` or
            `grad`; text with a unit; or an object that carries a unit. What is in internal units, as `get` gives
            it, goes through `nmjmc.internal`: `replace(s, p, internal(2 * get(s, p)))`.

    Returns:
        A new synapse.

    Raises:
        ValidationError: If there is no such parameter, or the value cannot be right.
    """
    where, allowed = _entry(synapse, path)
    leaf = as_leaf(convert(value, allowed, path))
    return checked(eqx.tree_at(where, synapse, leaf))


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
    if not isinstance(path, str):
        raise ValidationError("path", repr(path), "a parameter's path", 'for example "receptor.density"')
    if path not in table:
        raise ValidationError(
            path, "unknown", "a parameter of the synapse", nearest(path, _similar(path, table))
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
