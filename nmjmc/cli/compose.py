"""Hydra's composing of the config, with its errors as sentences of ours."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from nmjmc.cli import targets
from nmjmc.cli.config_file import literal
from nmjmc.errors import ValidationError, nearest
from nmjmc.folders import config_dir, user_path

# our configs of launchers have the names of the plugins' own, and are checked against them, which is what we want
warnings.filterwarnings("ignore", message=r"\s*'hydra/launcher/\w+' is validated against ConfigStore schema")

REFUSALS = (HydraException, OmegaConfBaseException)


def launcher(overrides: list[str], name: str) -> dict[str, Any]:
    """The parameters of the launcher that the words choose, with everything looked up.

    Args:
        overrides: As for `composed`.
        name: The primary config.

    Raises:
        ValidationError: As `composed` does.
    """
    found = OmegaConf.to_container(_whole(overrides, name).hydra.launcher, resolve=True)
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}


def composed(overrides: list[str], name: str = "config") -> DictConfig:
    """The config before any folder is made, so that a mistake leaves nothing behind.

    Args:
        overrides: As hydra takes them; of the flags, `--config-dir FOLDER` counts.
        name: The primary config.

    Raises:
        ValidationError: For whatever hydra refuses, and for a config that would call anything.
    """
    whole = _whole(overrides, name)
    with open_dict(whole):
        del whole["hydra"]
    return whole


def _whole(overrides: list[str], name: str) -> DictConfig:
    """The composed config with hydra's own node, which calls nothing but what we know."""
    try:
        with initialize_config_dir(str(config_dir()), version_base="1.3"):
            whole = compose(name, overrides=_without_flags(overrides), return_hydra_config=True)
    except REFUSALS as error:
        raise sentence(error) from error
    found = OmegaConf.to_container(whole, resolve=False)
    targets.check({str(key): value for key, value in found.items()} if isinstance(found, dict) else {})
    return whole


def _without_flags(overrides: list[str]) -> list[str]:
    """The overrides alone; a folder of configs as hydra's own word for it."""
    places = [i for i, word in enumerate(overrides) if word in ("--config-dir", "-cd")]
    folders = [str(user_path(overrides[i + 1], "--config-dir").resolve()) for i in places]
    words = [w for i, w in enumerate(overrides) if not w.startswith("-") and i - 1 not in places]
    return [*words, *([f"hydra.searchpath={literal([f'file://{f}' for f in folders])}"] if folders else [])]


def plain(config: DictConfig) -> dict[str, Any]:
    """A composed config as plain dicts and lists.

    Raises:
        ValidationError: If it is no mapping.
    """
    found = OmegaConf.to_container(config, resolve=True)
    if not isinstance(found, dict):
        raise ValidationError("the config", repr(found), "a mapping")
    return {str(name): value for name, value in found.items() if name != "hydra"}


def check_flags(values: Mapping[str, Any], *names: str) -> None:
    """Refuse a switch that is neither on nor off, and a `progress` that is not known.

    Raises:
        ValidationError: With the switch.
    """
    for name in names:
        if not isinstance(values.get(name), bool):
            raise ValidationError(name, repr(values.get(name)), "true or false")
    if values.get("progress") not in ("auto", True, False):
        hint = nearest(str(values.get("progress")), ("auto", "true", "false"))
        raise ValidationError("progress", repr(values.get("progress")), "auto, true or false", hint)


_TOLD = (
    (r"Could not delete '([^'=]+)", "a group with such a choice", ""),
    (r"Could not delete from config\. The value of '([^']+)'",
     "left out with the value that it has, or with none", "write ~KEY alone"),
    (r"Could not (?:override|append to config|delete from config)\W+(?:An item is already at |')?'?([\w./-]+)",
     "a key that there is", "`dry_run=true` prints them all"),
    (r"Error (?:merging|parsing) override '?(?:\+\+|\+|~)?([\w./-]+)", "a mapping or a value, as in the config", ""),
    (r"Could not find '([^']+)'", "the name of a config that there is", ""),
    (r"Ambiguous value for argument '([^']+)'", "one value", "add -m to run a sweep"),
)  # fmt: skip


def sentence(error: Exception) -> ValidationError:
    """The first line of one of hydra's errors, as ours, with the key if it names one."""
    if isinstance(error.__cause__, ValidationError):  # raised by ours, while hydra named the folder
        return error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    first = (lines[0] if lines else str(error)).rstrip(".")
    for pattern, allowed, hint in _TOLD:
        if found := re.search(pattern, first):
            if pattern.startswith("Error"):
                return ValidationError(found.group(1), f"given in another form ({first})", allowed, hint)
            return ValidationError("a key of the config", repr(found.group(1)), allowed, hint)
    field = str(getattr(error, "full_key", "") or "the config")
    return ValidationError(field, f"refused ({first})", "readable")
