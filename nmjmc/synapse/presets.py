"""Named preparations: reads `configs/preparation/NAME.yaml`."""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from nmjmc.errors import ValidationError, nearest
from nmjmc.folders import config_dir, names_in
from nmjmc.synapse.build import ALL_PARTS, HISTORY, build
from nmjmc.synapse.model import Synapse
from nmjmc.yaml_file import nested, read_yaml

_KEYS = ("name", "temperature", *ALL_PARTS, HISTORY)


def available_preparations() -> tuple[str, ...]:
    """Names of the preparations in `configs/preparation`."""
    return names_in("preparation")


def preparation_mapping(name: str, more: tuple[str, ...] = ()) -> dict[str, Any]:
    """The nested mapping of a preparation, as its YAML file says it.

    Args:
        name: One of `available_preparations()`, or the path of a YAML file, such as the `fitted.yaml` of a fit.
        more: Keys that a file may have beside those of a synapse.

    Raises:
        ValidationError: If there is no such preparation, or the file is none.
    """
    if is_file(name):
        return file_mapping(name, more)
    if name not in available_preparations():
        hint = nearest(str(name), available_preparations())
        raise ValidationError("preparation", repr(name), "a known preparation", hint)
    return copy.deepcopy(_shipped(name))


@functools.cache
def _shipped(name: str) -> dict[str, Any]:
    return yaml.safe_load((config_dir() / "preparation" / f"{name}.yaml").read_text(encoding="utf-8"))


def is_file(name: str) -> bool:
    """Whether a preparation is named by the path of a YAML file."""
    return str(name).casefold().endswith((".yaml", ".yml"))


def file_mapping(path: str | Path, more: tuple[str, ...] = ()) -> dict[str, Any]:
    """The nested mapping of a preparation in a user's file, which may have more keys than those of a synapse.

    Raises:
        ValidationError: If it cannot be read, or is no mapping.
    """
    found = read_yaml(path, "preparation")
    if not isinstance(found, dict):
        raise ValidationError("preparation", str(path), "a mapping of parameters")
    whole = nested(found)
    for key in whole:
        if key not in (*_KEYS, *more):
            hint = nearest(key, (*_KEYS, *more))
            raise ValidationError(f"a key of the preparation ({path})", repr(key), "a part", hint)
    return whole


def preparation(name: str = "human", **overrides: Any) -> Synapse:
    """A synapse by name.

    Args:
        name: One of `available_preparations()`, or the path of a YAML file.
        **overrides: Parameters to set: `temperature="37 degC"`, nested as
            `receptor={"density": "3000 /um^2"}`, or by path as `**{"receptor.density": "3000 /um^2"}`.
            Plain numbers are in the stated unit.

    Returns:
        The synapse.

    Raises:
        ValidationError: For an unknown name or parameter, or a value that cannot be right.

    Example:
        >>> synapse = preparation("human", temperature="37 degC")
        >>> float(synapse.temperature)
        37.0
    """
    mapping = preparation_mapping(name)
    for path, value in overrides.items():
        put(mapping, path.split("."), value)
    try:
        return build(mapping)
    except ValidationError as error:
        raise in_file(error, name, overrides) from error


def in_file(error: ValidationError, name: str, overrides: Mapping[str, Any]) -> ValidationError:
    """The error with the file in which the value stands, where it stands in one."""
    if not is_file(name) or not {error.field, *_above(error.field)}.isdisjoint(overrides):
        return error
    return ValidationError(f"{error.field} ({name})", error.value, error.allowed, error.hint)


def _above(path: str) -> list[str]:
    """The paths of which a path is a part."""
    pieces = path.split(".")
    return [".".join(pieces[:i]) for i in range(1, len(pieces))]


def put(mapping: dict[str, Any], keys: list[str], value: Any) -> None:
    """Put a value at a path; a mapping is merged into what is there."""
    head, *rest = keys
    if rest:
        below = mapping.setdefault(head, {})
        if not isinstance(below, dict):
            raise ValidationError(".".join(keys), "given", f"a parameter ({head} has none below it)")
        put(below, rest, value)
    elif isinstance(value, Mapping) and isinstance(mapping.get(head), dict):
        for key, inner in value.items():
            put(mapping[head], str(key).split("."), inner)
    else:
        mapping[head] = value
