"""Nested mappings that a user gave: their keys and what stands below them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nmjmc.errors import ValidationError, nearest


def without_none(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping without keys whose value is None, at every depth.

    Raises:
        ValidationError: If it is no mapping.
    """
    if not isinstance(mapping, Mapping):
        raise ValidationError("the synapse", repr(mapping), "a mapping of its parts")
    return {
        key: without_none(value) if isinstance(value, Mapping) else value
        for key, value in mapping.items()
        if value is not None
    }


def submapping(given: Mapping[str, Any], path: str, key: str) -> Mapping[str, Any]:
    """A mapping below a part, empty where it is left out."""
    below = given.get(key)
    if below is not None and not isinstance(below, Mapping):
        raise ValidationError(f"{path}.{key}", repr(below), "a mapping of parameters")
    return below or {}


def refuse_unknown(path: str, given: Any, valid: tuple[str, ...]) -> None:
    """Refuse what is no mapping, and keys that are not known, with the nearest."""
    if not isinstance(given, Mapping):
        raise ValidationError(path, repr(given), "a mapping of parameters")
    for key in given:
        if key not in valid:
            prefix = "" if path == "synapse" else f"{path}."
            hint = nearest(str(key), valid)
            hint = hint.replace("did you mean ", f"did you mean {prefix}")
            raise ValidationError(f"{prefix}{key}", "unknown", "a known parameter", hint)
