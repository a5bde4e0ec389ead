"""The config.yaml of a run, or a user's own few lines, as plain data: what `config=FILE` names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from nmjmc.errors import ValidationError, nearest
from nmjmc.folders import user_path
from nmjmc.synapse.build import PARTS
from nmjmc.synapse.presets import schemes_from
from nmjmc.yaml_file import nested, read_yaml

GROUPS = ("preparation", "example")
"""Groups of configs, of which one is named."""
_BEHIND = ("history", "steady")
"""What a file may say beside the keys of a command: what diseases and drugs have left behind."""
_OF_ONE_RUN = ("dry_run", "progress", "cache", "checkpoint", "resume")  # how a run was made, not what it was
_OF_HYDRA = ("hydra", "defaults")


def path_of(name: str) -> Path:
    """The file that `config=FILE` or `config=FOLDER` names.

    Raises:
        ValidationError: If no file can have this name.
    """
    path = user_path(name, "config")
    return path / "config.yaml" if path.is_dir() else path


def read(name: str, known: Collection[str] = ()) -> dict[str, Any]:
    """What the file of `config=FILE` says, with paths as keys written out as mappings.

    Args:
        name: Of the file, or of its folder.
        known: Names that may stand at its top; by default any but hydra's.

    Raises:
        ValidationError: If it cannot be read, is no mapping, or tells hydra what to do: a file is data, no program.
    """
    path = path_of(name)
    content = read_yaml(path, "config")
    if not isinstance(content, dict):
        raise ValidationError("config", str(path), "the config.yaml of a run")
    names = (*known, *_BEHIND) if known else ()
    for key in content:
        top = key.split(".")[0]
        if top.lstrip("+~") in _OF_HYDRA:
            hint = "say preparation: NAME there, and give hydra's words on the command line"
            raise ValidationError("a key", repr(key), "a setting or a parameter", hint)
        if names and top not in names:
            raise ValidationError("a key", repr(key), "a setting or a parameter", nearest(top, names))
    whole = schemes_from(nested(content), path.parent)
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
