"""Named preparations: reads `configs/preparation/NAME.yaml`."""

from __future__ import annotations

import copy
import functools
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from nmjmc.errors import NmjmcWarning, ValidationError, nearest
from nmjmc.folders import config_dir, names_in
from nmjmc.kinetics.schemes import is_scheme_file, scheme_file
from nmjmc.numbers import plain_text
from nmjmc.synapse.build import ALL_PARTS, HISTORY, PARTS, build
from nmjmc.synapse.differences import merged
from nmjmc.synapse.model import Synapse
from nmjmc.yaml_file import nested, read_yaml

BASE = "preparation"
"""The key by which a file names the preparation from which it differs."""
OF_A_JUNCTION = ("terminal", "muscle", "contraction", "spread", "steady")
"""Keys of a junction's file that a synapse alone has not."""
_KEYS = ("name", "temperature", *ALL_PARTS, HISTORY)


class LeftOutWarning(NmjmcWarning):
    """A part of a file is left out, because what is made of it has no such part."""


def available_preparations() -> tuple[str, ...]:
    """Names of the preparations in `configs/preparation`."""
    return names_in("preparation")


def preparation_mapping(
    name: str, more: tuple[str, ...] = (), temperature: float | None = None
) -> dict[str, Any]:
    """The nested mapping of a preparation, as its YAML file says it.

    A file may hold every part of a synapse, or what differs from a preparation that it names (`preparation: lizard`;
    without that word, `human`). Without that word a part that stands whole in the file is taken as it is.

    Args:
        name: One of `available_preparations()`, or the path of a YAML file, such as `synapse.save` writes.
        more: Keys that a file may have beside those of a synapse.
        temperature: What takes the place of a preparation's own, and of a file's that says none [degC].

    Raises:
        ValidationError: If there is no such preparation, or the file is none.
    """
    warm = {} if temperature is None else {"temperature": temperature}
    if not is_file(name):
        return known_preparation(name) | warm
    mapping = file_mapping(name, more)
    base = mapping.pop(BASE, None)
    if base is None and all(part in mapping for part in PARTS):
        return warm | mapping
    below = known_preparation("human" if base is None else base) | warm
    whole = () if base is not None else [part for part in mapping if _stands_alone(part, mapping, below)]
    return merged({k: v for k, v in below.items() if k not in whole}, mapping)


def _stands_alone(part: str, found: Mapping[str, Any], below: Mapping[str, Any]) -> bool:
    """Whether a part of a file has all that it needs."""
    if part not in PARTS:
        return False
    try:
        build({**below, part: found[part]})
    except ValidationError:
        return False
    return True


def known_preparation(name: str) -> dict[str, Any]:
    """The nested mapping of a shipped preparation.

    Raises:
        ValidationError: If there is none of that name.
    """
    name = plain_text(name, "preparation", "the name of one, or the path of a file")
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
    """The nested mapping of a preparation in a user's file, a scheme's file with its path from here.

    Args:
        path: The file.
        more: Keys that it may have beside those of a synapse; those of a junction are left out otherwise, and told.

    Raises:
        ValidationError: If it cannot be read, or is no mapping.
    """
    content = read_yaml(path, "preparation")
    if not isinstance(content, dict):
        raise ValidationError("preparation", str(path), "a mapping of parameters")
    whole = nested(content)
    if left := [key for key in whole if key in OF_A_JUNCTION and key not in more]:
        told = " and ".join([", ".join(left[:-1]), left[-1]] if left[1:] else left)
        sentence = f"{told} of {path} {'are' if left[1:] else 'is'} left out: a synapse alone has none."
        warnings.warn(sentence, LeftOutWarning, stacklevel=2)
    known = (BASE, *_KEYS, *more)
    for key in whole:
        if key not in (*known, *left):
            raise ValidationError(
                f"a key of the preparation ({path})", repr(key), "a part", nearest(key, known)
            )
    return schemes_from({k: v for k, v in whole.items() if k not in left}, Path(path).parent)


def schemes_from(by_name: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A nested mapping in which each scheme that is named by a file is written out, its path being from a folder."""
    for part in ("receptor", "esterase"):
        below = by_name.get(part)
        if isinstance(below, Mapping) and is_scheme_file(below.get("scheme")):
            by_name = {**by_name, part: {**below, "scheme": scheme_file(str(folder / below["scheme"]))}}
    return by_name


def preparation(name: str = "human", **overrides: Any) -> Synapse:
    """A synapse by name.

    Args:
        name: One of `available_preparations()`, or the path of a YAML file, whole or with differences alone.
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
