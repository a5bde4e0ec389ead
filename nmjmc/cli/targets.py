"""What hydra may make from a config: its own sweeper and the launchers that we know, nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nmjmc.errors import ValidationError

_PLUGINS = "hydra_plugins.hydra_"
ALLOWED = (
    "hydra._internal.core_plugins.basic_launcher.BasicLauncher",
    "hydra._internal.core_plugins.basic_sweeper.BasicSweeper",
    f"{_PLUGINS}joblib_launcher.joblib_launcher.JoblibLauncher",
    f"{_PLUGINS}submitit_launcher.submitit_launcher.LocalLauncher",
    f"{_PLUGINS}submitit_launcher.submitit_launcher.SlurmLauncher",
    f"{_PLUGINS}ray_launcher.ray_launcher.RayLauncher",
)
_PLACES = ("hydra.launcher._target_", "hydra.sweeper._target_")
_INSTRUCTIONS = ("_args_", "_partial_", "_recursive_", "_convert_")
# of logging's own files
_HANDLERS = ("logging.FileHandler", "logging.StreamHandler")


def check(whole: Mapping[str, Any]) -> None:
    """Refuse a composed config that would let hydra call something else: a config is data, not a program.

    Args:
        whole: The composed config with its node `hydra`, plain and not resolved; so it does not matter which word,
            file or default has put something in.

    Raises:
        ValidationError: Naming the key and what it would call.
    """
    hydra = whole.get("hydra") or {}
    if hydra.get("callbacks"):
        raise ValidationError(
            "hydra.callbacks", repr(hydra["callbacks"])[:200], "left out", "a config calls nothing"
        )
    for path, key, value in _leaves(whole, ""):
        if key == "_target_" and (path not in _PLACES or value not in ALLOWED):
            raise ValidationError(path, repr(value), "one of hydra's launchers, and left out elsewhere")
        if key in _INSTRUCTIONS:
            raise ValidationError(path, repr(value), "left out", "a config is data, and calls nothing")
        if path.startswith(("hydra.job_logging", "hydra.hydra_logging")) and _makes(key, value):
            raise ValidationError(path, repr(value), "as it is in our own config of the log")


def _makes(key: str, value: Any) -> bool:
    """Whether a line of a config of the log would make something that no log needs."""
    is_factory = key in ("()", "factory", ".") or (key == "class" and value not in _HANDLERS)
    return is_factory or (
        isinstance(value, str) and value.startswith(("ext://", "cfg://")) and "sys.std" not in value
    )


def _leaves(node: Any, path: str) -> Iterator[tuple[str, str, Any]]:
    """Path, key and value of everything that is no mapping and no list; instructions whatever they hold."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            below = f"{path}.{name}" if path else str(name)
            if str(name) == "_target_" or str(name) in _INSTRUCTIONS or not isinstance(value, Mapping | list):
                yield below, str(name), value
            else:
                yield from _leaves(value, below)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _leaves(value, f"{path}[{index}]")
