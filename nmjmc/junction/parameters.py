"""The parameters of a junction by their paths, as the command writes them: `receptor.density`, `terminal.release`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import equinox as eqx

from nmjmc.errors import ValidationError, nearest
from nmjmc.junction.build import STAGES
from nmjmc.junction.whole import Junction, at_temperature
from nmjmc.synapse import modifier as synapses
from nmjmc.synapse.parameter import Range, as_leaf, convert, parameters

_SYNAPSE = "synapse."
_WARMTH = "temperature"


def paths(junction: Junction) -> dict[str, str]:
    """Every parameter by its path, with its stated unit ("" for a pure number)."""
    by_name = dict(synapses.paths(junction.synapse))
    for stage in STAGES:
        by_name |= {f"{stage}.{name}": allowed.unit for name, allowed in _ranges(junction, stage).items()}
    return by_name


def get(junction: Junction, path: str) -> Any:
    """A parameter by its path, in internal units.

    Raises:
        ValidationError: If there is no such parameter.
    """
    stage, name = _place(junction, path)
    return synapses.get(junction.synapse, name) if not stage else getattr(getattr(junction, stage), name)


def replace(junction: Junction, changes: Mapping[str, Any]) -> Junction:
    """The junction with several parameters changed, all of a part at once; `temperature` is that of all parts.

    Raises:
        ValidationError: If there is no such parameter, or a value cannot be right.
    """
    rest = dict(changes)
    if _WARMTH in rest:
        junction = at_temperature(junction, rest.pop(_WARMTH))
    sorted_: dict[str, dict[str, Any]] = {}
    for path, value in rest.items():
        stage, name = _place(junction, path)
        sorted_.setdefault(stage, {})[name] = value
    for stage, values in sorted_.items():
        part = synapses.replace(junction.synapse, values) if not stage else _changed(junction, stage, values)
        name = stage or "synapse"
        junction = eqx.tree_at(lambda j, name=name: getattr(j, name), junction, part)
    return junction


def _changed(junction: Junction, stage: str, values: Mapping[str, Any]) -> Any:
    """A stage with other values, checked as a new one is."""
    ranges = _ranges(junction, stage)
    made = {
        name: as_leaf(convert(value, ranges[name], f"{stage}.{name}")) if name in ranges else value
        for name, value in values.items()
    }
    return dataclasses.replace(getattr(junction, stage), **made)


def _place(junction: Junction, path: str) -> tuple[str, str]:
    """The stage of a path, empty for the synapse, and the name below it.

    Raises:
        ValidationError: If there is no such parameter.
    """
    if not isinstance(path, str):
        raise ValidationError("path", repr(path), "a parameter's path", 'for example "receptor.density"')
    stage, _, name = path.partition(".")
    if stage not in STAGES:
        return "", path.removeprefix(_SYNAPSE)
    known = [item.name for item in dataclasses.fields(STAGES[stage])]
    if name not in known:
        hint = nearest(name, known).replace("did you mean ", f"did you mean {stage}.")
        raise ValidationError(path, "unknown", "a parameter of the junction", hint)
    return stage, name


def _ranges(junction: Junction, stage: str) -> dict[str, Range]:
    return {item.name: allowed for item, allowed in parameters(getattr(junction, stage))}
