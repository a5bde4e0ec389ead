"""What hydra may make from a config: classes of this package, of hydra itself and of its launchers, nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from nmjmc.cli.compose import REFUSALS, sentence
from nmjmc.errors import ValidationError
from nmjmc.folders import config_dir

ALLOWED = (
    "nmjmc.", "hydra._internal.core_plugins.", "hydra_plugins.hydra_joblib_launcher.",
    "hydra_plugins.hydra_submitit_launcher.", "hydra_plugins.hydra_ray_launcher.",
)  # fmt: skip


def check(name: str, words: Sequence[str]) -> None:
    """Refuse a config that would let hydra call something else: a config file is data, not a program.

    Args:
        name: The primary config.
        words: Overrides and flags, as hydra takes them.

    Raises:
        ValidationError: Naming the key and what it would call.
    """
    overrides = [word for word in words if "=" in word and not word.startswith("-")]
    folders = [words[i + 1] for i, word in enumerate(words[:-1]) if word in ("--config-dir", "-cd")]
    if folders:
        overrides.append(f"hydra.searchpath=[{','.join(f'file://{folder}' for folder in folders)}]")
    try:
        with initialize_config_dir(str(config_dir()), version_base="1.3"):
            whole = compose(name, overrides=_single(overrides), return_hydra_config=True)
    except REFUSALS as error:
        raise sentence(error) from error
    for path, target in _targets(OmegaConf.to_container(whole, resolve=False), ""):
        if not str(target).startswith(ALLOWED):
            raise ValidationError(path, repr(target), "a class of this package or of hydra's launchers")


def _single(overrides: Sequence[str]) -> list[str]:
    """The overrides of hydra and those that name a target: values that are swept cannot change what is made."""
    return [word for word in overrides if word.lstrip("+~").startswith("hydra") or "_target_" in word]


def _targets(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            below = f"{path}.{key}" if path else str(key)
            if key == "_target_":
                yield below, value
            else:
                yield from _targets(value, below)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _targets(value, f"{path}[{index}]")
