"""`config=FILE`: the config.yaml of a run, or a user's own few lines, as the overrides that give the same config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from nmjmc.errors import ValidationError
from nmjmc.synapse.build import PARTS

GROUPS = ("preparation", "example")
_OF_ONE_RUN = ("dry_run", "progress", "cache", "checkpoint", "resume")  # how a run was made, not what it was
_OF_HYDRA = ("hydra", "defaults")


def path_of(word: str) -> Path:
    """The file of a word `config=FILE` or `config=FOLDER`."""
    path = Path(word.removeprefix("config=")).expanduser()
    return path / "config.yaml" if path.is_dir() else path


def read(word: str) -> dict[str, Any]:
    """What the file of a word `config=FILE` says.

    Raises:
        ValidationError: If it cannot be read, is no mapping, or tells hydra what to do: a file is data, no program.
    """
    path = path_of(word)
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValidationError("config", str(path), "a YAML file that can be read") from error
    if not isinstance(found, dict):
        raise ValidationError("config", str(path), "the config.yaml of a run")
    for key in _OF_HYDRA:
        if key in found:
            hint = "say preparation: NAME there, and give hydra's words on the command line"
            raise ValidationError("a key", repr(key), "a setting or a parameter", hint)
    for group in GROUPS:
        if group in found and not isinstance(found[group], str):
            raise ValidationError(group, repr(found[group]), "the name of one", f"for example {group}: NAME")
    return found


def is_whole(found: dict[str, Any]) -> bool:
    """Whether a file has every part of a synapse, as the config.yaml of a run, so that no preset stands below it."""
    return "preparation" not in found and all(part in found for part in PARTS)


def expanded(word: str) -> list[str]:
    """`config=FILE` as overrides.

    A file that names its preparation, or leaves out parts of the synapse, changes that preparation, or the default one.

    Raises:
        ValidationError: As for `read`.
    """
    found = read(word)
    base = ["~preparation"] if is_whole(found) else []
    base += [f"{group}={found[group]}" for group in GROUPS if group in found]
    kept = {key: value for key, value in found.items() if key not in (*_OF_ONE_RUN, *GROUPS)}
    return [*base, *(f"++{key}={literal(value)}" for key, value in kept.items())]


def literal(value: Any) -> str:
    """A plain value in hydra's grammar."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{literal(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(literal, value)) + "]"
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    return quote(value) if isinstance(value, str) else str(value)


def quote(text: str) -> str:
    """Text in quotes."""
    return "'" + text.strip().replace("'", "\\'") + "'"
