"""Synapses and junctions as users hold them: told in a few lines, drawn as a table, kept in files."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax

from nmjmc.data.atomic import write_text
from nmjmc.errors import ValidationError, nearest
from nmjmc.folders import user_path
from nmjmc.junction.build import STAGES, describe_junction, describe_stage
from nmjmc.junction.presets import junction as junction_by_name
from nmjmc.junction.whole import Junction
from nmjmc.synapse.build import PARTS, describe, describe_part
from nmjmc.synapse.differences import as_html, as_partial, as_text, part_in_words
from nmjmc.synapse.model import Synapse
from nmjmc.synapse.parameter import is_traced
from nmjmc.synapse.presets import available_preparations, preparation
from nmjmc.units import to_text
from nmjmc.yaml_file import to_yaml


def text(held: Any) -> str:
    """A synapse, a junction or a part of them in a few lines: values with units, and what differs from its preset."""
    if not _is_known(held):
        return f"{type(held).__name__}, whose values are known when a compiled function runs"
    if not isinstance(held, Synapse | Junction):
        return part_in_words(type(held).__name__, _part(held))
    told = PARTS if isinstance(held, Synapse) else ()
    lines = as_text(_title(held), _whole(held), _preset_of(held), told)
    return lines if told else f"{lines}\n  its parts (.synapse, .{', .'.join(STAGES)}) tell their values"


def html(held: Synapse | Junction) -> str:
    """A synapse or a junction as a table for a notebook, with what differs from its preset in bold."""
    return as_html(_title(held), _whole(held), _preset_of(held))


def save(held: Synapse | Junction, path: str | Path, differences_from: str | None = None) -> Path:
    """Write a synapse or a junction as YAML, from which `nmjmc.preparation` or `nmjmc.junction` makes the same bits.

    Args:
        held: What to write.
        path: The file; it appears whole or not at all.
        differences_from: The name of a preparation of which only the differences are written; without it everything
            is.

    Returns:
        The path.

    Raises:
        ValidationError: If there is no such preparation, or nothing can be written there.
    """
    target = user_path(path, "path")
    if target.suffix.casefold() not in (".yaml", ".yml"):
        raise ValidationError("path", str(path), "that of a YAML file", f"for example {target.stem}.yaml")
    content = _whole(held)
    if differences_from is not None:
        if not isinstance(differences_from, str) or differences_from not in available_preparations():
            hint = nearest(str(differences_from), available_preparations())
            raise ValidationError("differences_from", repr(differences_from), "a known preparation", hint)
        base = _preset(differences_from, isinstance(held, Junction))
        # a junction's temperature is not that of its preparation, so that it always stands there
        warm = {"temperature": content["temperature"]} if isinstance(held, Junction) else {}
        content = {"preparation": differences_from, **warm, **as_partial(base, content)}
    write_text(target, to_yaml(content))
    return target


def _is_known(held: Any) -> bool:
    """Whether every value is a number now, and not one that JAX traces or a stand-in of a tree's."""
    leaves = jax.tree.leaves(held)
    return all(
        (not is_traced(leaf) and hasattr(leaf, "dtype")) or isinstance(leaf, float | int) for leaf in leaves
    )


def _whole(held: Synapse | Junction) -> dict[str, Any]:
    return describe(held) if isinstance(held, Synapse) else describe_junction(held)


def _part(held: Any) -> dict[str, Any]:
    """The description of a part alone."""
    return describe_stage(held) if type(held) in STAGES.values() else describe_part(held)


def _title(held: Synapse | Junction) -> str:
    synapse = held if isinstance(held, Synapse) else held.synapse
    warmth = to_text(synapse.temperature, "degC", 6)
    return f"{type(held).__name__} {synapse.name} at {warmth}"


def _preset_of(held: Synapse | Junction) -> Mapping[str, Any] | None:
    """The description of the preset whose name it has; None where there is none."""
    name = held.name if isinstance(held, Synapse) else held.synapse.name
    return _preset(name, isinstance(held, Junction)) if name in available_preparations() else None


@functools.lru_cache(maxsize=32)
def _preset(name: str, as_junction: bool) -> Mapping[str, Any]:
    return describe_junction(junction_by_name(name)) if as_junction else describe(preparation(name))
