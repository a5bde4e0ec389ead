"""Hydra's composing of the config, with its errors as sentences of ours."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from nmjmc.errors import ValidationError, nearest
from nmjmc.folders import config_dir

# our configs of launchers have the names of the plugins' own, and are checked against them, which is what we want
warnings.filterwarnings("ignore", message=r"\s*'hydra/launcher/\w+' is validated against ConfigStore schema")

REFUSALS = (HydraException, OmegaConfBaseException)


def composed(overrides: list[str], name: str = "config") -> DictConfig:
    """The config before any folder is made, so that a mistake leaves nothing behind.

    Args:
        overrides: As hydra takes them.
        name: The primary config.

    Raises:
        ValidationError: For whatever hydra refuses.
    """
    try:
        with initialize_config_dir(str(config_dir()), version_base="1.3"):
            return compose(name, overrides=overrides)
    except REFUSALS as error:
        raise sentence(error) from error


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


def sentence(error: Exception) -> ValidationError:
    """The first line of one of hydra's errors, as ours."""
    if isinstance(error.__cause__, ValidationError):  # raised by ours, while hydra named the folder
        return error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    first = lines[0] if lines else str(error)
    hint = "add -m to run a sweep" if first.startswith("Ambiguous value") else ""
    return ValidationError("the config", f"refused by hydra ({first.rstrip('.')})", "readable", hint)
