"""`config=FILE`: the config.yaml of a run, or a user's own few lines, as data that hydra puts below the words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nmjmc.errors import ValidationError, nearest
from nmjmc.folders import user_path
from nmjmc.synapse.build import PARTS
from nmjmc.synapse.presets import schemes_from
from nmjmc.yaml_file import nested, read_yaml

GROUPS = ("preparation", "example")
_OF_ONE_RUN = ("dry_run", "progress", "cache", "checkpoint", "resume")  # how a run was made, not what it was
_OF_HYDRA = ("hydra", "defaults")


def path_of(word: str) -> Path:
    """The file of a word `config=FILE` or `config=FOLDER`.

    Raises:
        ValidationError: If no file can have this name.
    """
    path = user_path(word.removeprefix("config="), "config")
    return path / "config.yaml" if path.is_dir() else path


def read(word: str, known: Sequence[str] | None = None) -> dict[str, Any]:
    """What the file of a word `config=FILE` says, with paths as keys written out as mappings.

    Args:
        word: The word.
        known: The names that may stand at its top; None for any but hydra's.

    Raises:
        ValidationError: If it cannot be read, is no mapping, or tells hydra what to do: a file is data, no program.
    """
    path = path_of(word)
    found = read_yaml(path, "config")
    if not isinstance(found, dict):
        raise ValidationError("config", str(path), "the config.yaml of a run")
    for key in found:
        top = key.split(".")[0]
        if top.lstrip("+~") in _OF_HYDRA:
            hint = "say preparation: NAME there, and give hydra's words on the command line"
            raise ValidationError("a key", repr(key), "a setting or a parameter", hint)
        if known is not None and top not in known:
            raise ValidationError("a key", repr(key), "a setting or a parameter", nearest(top, known))
    whole = schemes_from(nested(found), path.parent)
    for group in GROUPS:
        if group in whole and not isinstance(whole[group], str):
            raise ValidationError(group, repr(whole[group]), "the name of one", f"for example {group}: NAME")
    return whole


def is_whole(found: Mapping[str, Any]) -> bool:
    """Whether a file has every part of a synapse, as the config.yaml of a run, so that no preset stands below it."""
    return "preparation" not in found and all(part in found for part in PARTS)


def lasting(found: Mapping[str, Any]) -> dict[str, Any]:
    """What a file says of what is run: without its groups, and without how one run was made."""
    return {key: value for key, value in found.items() if key not in (*_OF_ONE_RUN, *GROUPS)}


def literal(value: Any) -> str:
    """A plain value of ours in hydra's grammar; texts of files never come this way."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{literal(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(literal, value)) + "]"
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    return quote(value) if isinstance(value, str) else str(value)


def quote(text: str) -> str:
    """Text in quotes, as hydra's grammar reads it back to the same text."""
    made, slashes = [], 0  # a backslash counts only ahead of a quote
    for letter in text.strip():
        made.append("\\" * slashes + "\\'" if letter == "'" else letter)
        slashes = slashes + 1 if letter == "\\" else 0
    return "'" + "".join(made) + "\\" * slashes + "'"
