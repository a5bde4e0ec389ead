"""Handing over to hydra, which makes the folder of each run, keeps its log, and starts runs by its launchers.

Every run that is handed over is data: its folder's name, and its config as one text of JSON in quotes. So nothing that
a user or a file has written is ever read by hydra's grammar, and no name is looked up by hydra.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import hydra
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from nmjmc.cli import hydra_words
from nmjmc.cli.words import Word
from nmjmc.errors import NmjmcError, ValidationError
from nmjmc.folders import config_dir, user_path
from nmjmc.yaml_file import INSTRUCTION, Plain

REFUSALS = (HydraException, OmegaConfBaseException)
LAUNCHERS = (
    "hydra._internal.core_plugins.basic_launcher.BasicLauncher",
    "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher",
    "hydra_plugins.hydra_submitit_launcher.submitit_launcher.LocalLauncher",
    "hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher",
    "hydra_plugins.hydra_ray_launcher.ray_launcher.RayLauncher",
)
"""What hydra may make: the launchers that we know, nothing else."""
_PRIMARY = "run"
_GROUP = "told"

# our configs of launchers have the names of the plugins' own, and are checked against them, which is what we want
warnings.filterwarnings("ignore", message=r"\s*'hydra/launcher/\w+' is validated against ConfigStore schema")


class Run(NamedTuple):
    """One run that hydra starts.

    Attributes:
        folder: The name of its folder.
        config: What it is told.
    """

    folder: str
    config: Mapping[str, Plain]


def hand_over(
    runs: Sequence[Run],
    run: Callable[[DictConfig], None],
    program: str,
    *,
    sweep: str = "",
    words: Sequence[Word] = (),
    folders: Sequence[str] = (),
) -> int:
    """Let hydra call a function for each run.

    Args:
        runs: One, or those of a sweep with `-m`.
        run: Called in the run's folder; `told` gives the config, `hydra`'s own runtime the folder.
        program: What the user called.
        sweep: The folder of a sweep, in which each run has its own; "" for a single run.
        words: What the user tells hydra.
        folders: With launchers of the user's own.

    Returns:
        The exit code.

    Raises:
        ValidationError: For whatever hydra refuses.
    """
    common = _common(words, folders, sweep)
    launcher(words, folders, sweep)
    asked = ",".join(_quoted(some) for some in runs)
    failed: list[Exception] = []
    here = os.getpid()

    def told_by_us(config: DictConfig) -> None:
        try:
            run(config)
        except (NmjmcError, OSError) as error:
            if os.getpid() != here:  # a launcher's process, whose error only hydra brings back
                raise
            failed.append(error)  # hydra would print a line of its own before ours

    decorated = hydra.main(config_path=str(config_dir()), config_name=_PRIMARY, version_base="1.3")(
        told_by_us
    )
    os.environ["HYDRA_FULL_ERROR"] = "1"  # exceptions come to us, and we make sentences of them
    saved, sys.argv = sys.argv, [program, *common, f"asked={asked}", *(["--multirun"] if sweep else [])]
    try:
        decorated()
    except SystemExit as done:
        return int(done.code or 0)
    except REFUSALS as error:
        raise _sentence(error) from error
    finally:
        sys.argv = saved
    if failed:
        raise failed[0]
    return 0


def told(config: DictConfig) -> dict[str, Any]:
    """What a run was told, of the config with which hydra calls it."""
    return json.loads(config.asked.config)


def launcher(words: Sequence[Word], folders: Sequence[str] = (), sweep: str = "sweep") -> dict[str, Any]:
    """The parameters of the launcher that the words choose, with everything looked up.

    Raises:
        ValidationError: For a launcher that there is not, or that is none of those which we know.
    """
    asked = f"asked={_quoted(Run('one', {}))}"
    try:
        with initialize_config_dir(str(config_dir()), version_base="1.3"):
            overrides = [*_common(words, folders, sweep), asked]
            composed = compose(_PRIMARY, overrides=overrides, return_hydra_config=True).hydra.launcher
        _check(OmegaConf.to_container(composed, resolve=False), "hydra.launcher")
        # its names are looked up in the whole, of which it is still a part
        plain = OmegaConf.to_container(composed, resolve=True) if words else {}
        return {str(key): value for key, value in plain.items()} if isinstance(plain, dict) else {}
    except REFUSALS as error:
        raise _sentence(error) from error


def _check(node: object, path: str) -> None:
    """Refuse a launcher that would make something else than itself."""
    pairs = node.items() if isinstance(node, Mapping) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        place = f"{path}.{key}"
        is_its_own = place == "hydra.launcher._target_" and value in LAUNCHERS
        if INSTRUCTION.fullmatch(str(key)) and not is_its_own:
            raise ValidationError(place, repr(value), "one of hydra's launchers, and left out elsewhere")
        _check(value, place)


def _common(words: Sequence[Word], folders: Sequence[str], sweep: str) -> list[str]:
    """The overrides for all runs: the launcher's name, where launchers stand, and everything else as data."""
    data = {"sweep": sweep, **hydra_words.as_data(words)}
    name = f"words_{hashlib.sha256(json.dumps(data).encode()).hexdigest()[:16]}"
    ConfigStore.instance().store(group=_GROUP, name=name, node=data, package="_global_")
    chosen = [f"{word.key}={(word.text or '').strip()}" for word in words if word.key == hydra_words.LAUNCHER]
    paths = [str(user_path(folder, "--config-dir").resolve()).replace("'", "\\'") for folder in folders]
    places = ",".join(f"'file://{path}'" for path in paths)
    return [f"+{_GROUP}={name}", *chosen, *([f"hydra.searchpath=[{places}]"] if places else [])]


def _quoted(run: Run) -> str:
    """A run in hydra's grammar: JSON in quotes, in which the two letters that mean something there stand as codes."""
    config = json.dumps(run.config).replace("'", "\\u0027").replace("$", "\\u0024")
    return f"{{folder:'{run.folder}',config:'{config}'}}"


_TOLD = (
    ("Could not find '", "the name of a config that there is"),
    ("Could not override '", "a key that there is"),
)


def _sentence(error: Exception) -> ValidationError:
    """The first line of one of hydra's errors, as ours, with the key if it names one."""
    if isinstance(error.__cause__, ValidationError):
        return error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    first = (lines[0] if lines else str(error)).rstrip(".")
    for words, allowed in _TOLD:
        if words in first:
            key = first.split(words)[1].split("'")[0]
            return ValidationError("a key of the config", repr(key), allowed)
    field = str(getattr(error, "full_key", "") or "the words for hydra")
    return ValidationError(field, f"refused ({first})", "readable")
