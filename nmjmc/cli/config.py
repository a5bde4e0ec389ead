"""From hydra's config to a synapse and the arguments of a run."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from nmjmc import api
from nmjmc.api import make_numerics
from nmjmc.cli.compose import check_flags, plain
from nmjmc.cli.overrides import SETTINGS
from nmjmc.data.same import refuse_another_config
from nmjmc.errors import ValidationError
from nmjmc.folders import names_in
from nmjmc.kernel.executor import settled
from nmjmc.kernel.numerics import TIMES
from nmjmc.kinetics import available_schemes, load_scheme
from nmjmc.runtime import choose_devices
from nmjmc.synapse.build import build, describe
from nmjmc.synapse.model import Synapse
from nmjmc.units import to_internal, to_text
from nmjmc.yaml_file import to_yaml

# settings that change how a run is made or shown, and not one bit of its result
_IDLE = ("seed", "device", "cache", "progress", "dry_run", "checkpoint", "resume", "distributed")


@dataclass(frozen=True)
class Settings:
    """The settings of a run, as the config says them; `nmjmc.api` checks the numbers."""

    vesicles: Any
    seed: Any
    duration: Any
    record_interval: Any
    numerics: Mapping[str, Any]
    device: str
    cache: bool
    progress: str | bool
    dry_run: bool
    checkpoint: bool
    resume: bool
    distributed: Any


def read(config: DictConfig) -> tuple[Synapse, Settings]:
    """The synapse and the settings of a composed config.

    Raises:
        ValidationError: For an unknown key, or a value that cannot be right.
    """
    return read_plain(plain(config))


def read_plain(config: Mapping[str, Any]) -> tuple[Synapse, Settings]:
    """The synapse and the settings of a config of plain dicts and lists.

    Raises:
        ValidationError: For an unknown key, or a value that cannot be right.
    """
    values = {name: value for name, value in config.items() if name in SETTINGS}
    parameters = {name: value for name, value in config.items() if name not in SETTINGS}
    _check_name(parameters.get("name"))
    return build(parameters), settings_of(values)


def _check_name(name: Any) -> None:
    """The name becomes part of a folder's name."""
    if not isinstance(name, str) or not re.fullmatch(r"\w[\w.+-]{0,79}", name):
        raise ValidationError("name", repr(name), "a word of letters, digits, '.', '_', '+' and '-'")


def settings_of(values: dict[str, Any]) -> Settings:
    """The settings of a plain config; the numbers are checked by `nmjmc.api`.

    Raises:
        ValidationError: If one is missing, or is no word that it can be.
    """
    for name in (field.name for field in fields(Settings)):
        if name not in values:
            raise ValidationError(name, "missing", "given in the config")
    check_flags(values, "cache", "checkpoint", "dry_run", "resume")
    if not isinstance(values["numerics"], Mapping):
        raise ValidationError(
            "numerics", repr(values["numerics"]), "set by its keys, as in numerics.KEY=VALUE"
        )
    return Settings(**values)


def resolved(synapse: Synapse, settings: Settings) -> dict[str, Any]:
    """The whole config with nothing left to defaults: settings, numerics, every parameter with its unit."""
    return {
        "vesicles": api.whole_number(settings.vesicles, "vesicles", 1, api.MOST_VESICLES),
        "seed": settings.seed and api.whole_number(settings.seed, "seed", 0, api.SEEDS - 1),
        "duration": _in_ms(settings.duration, "duration"),
        "record_interval": _in_ms(settings.record_interval, "record_interval"),
        "numerics": _numerics(settings.numerics),
        "device": settings.device,
        "cache": settings.cache,
        "checkpoint": settings.checkpoint,
        "progress": settings.progress,
        "dry_run": False,
        "resume": False,
        "distributed": None,
        **describe(synapse),
    }


def _numerics(given: Mapping[str, Any]) -> dict[str, Any]:
    """The numerics with their units."""
    found = asdict(make_numerics(given))
    if found["executor"] == "auto":
        del found["executor"]  # which of them it is says the result, and the config that stands beside it
    return {name: to_text(v, "ms") if name in TIMES and v is not None else v for name, v in found.items()}


def settle(synapse: Synapse, settings: Settings) -> Settings:
    """The settings with the executor that a run takes here named in them, so that the config gives the same bits."""
    found = settled(make_numerics(settings.numerics), synapse, choose_devices(settings.device)[0])
    return replace(settings, numerics={**settings.numerics, "executor": found.executor})


def _in_ms(value: Any, field: str) -> str:
    return to_text(to_internal(value, "ms", field), "ms")


def as_yaml(config: Mapping[str, Any]) -> str:
    """A plain nested mapping as YAML."""
    return to_yaml(config)


def check_same(path: Path, asked: Mapping[str, Any]) -> None:
    """Refuse to go on in a folder where something else is finished.

    Args:
        path: The resolved config that was left there.
        asked: The resolved config of what is asked for.

    Raises:
        ValidationError: If the config there would give another result.
    """
    refuse_another_config(path, asked, _IDLE)


def config_hash(*, _root_: DictConfig) -> str:
    """Eight characters that name everything in the config which decides the result, but the seed.

    Taken from the resolved config, so that `30 nm` and `0.03 um` name the same folder.
    """
    # without the node `hydra`, which is not resolved yet and holds the name that is asked for here
    own = OmegaConf.masked_copy(_root_, [str(key) for key in _root_ if key != "hydra"])
    synapse, settings = read(own)
    if settings.numerics.get("executor") == "warp":
        # as `auto` has it: a run that is repeated from the config beside its result finds its folder
        settings = replace(settings, numerics={**settings.numerics, "executor": "auto"})
    return _hash(synapse, settings, _IDLE)


def cost_key(synapse: Synapse, settings: Settings) -> str:
    """Names everything that decides what one vesicle costs."""
    return _hash(synapse, settings, (*_IDLE, "vesicles", "name"))


def _hash(synapse: Synapse, settings: Settings, without: tuple[str, ...]) -> str:
    decisive = {name: v for name, v in resolved(synapse, settings).items() if name not in without}
    text = json.dumps(decisive, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def register() -> None:
    """Make `${nmjmc_hash:}` and `${nmjmc_options:KIND}` known to hydra's configs."""
    OmegaConf.register_new_resolver("nmjmc_hash", config_hash, replace=True)
    OmegaConf.register_new_resolver("nmjmc_options", _options, replace=True)
    register_seed()


def register_seed() -> None:
    """Make `${nmjmc_seed:}` known, which is the same whether 1000 or 1e3 was written."""
    OmegaConf.register_new_resolver("nmjmc_seed", _seed, replace=True)


def _seed(*, _root_: DictConfig) -> str:
    seed = _root_.get("seed")
    return str(seed) if seed is None else str(api.whole_number(seed, "seed", 0, api.SEEDS - 1))


def _options(kind: str) -> str:
    """The names that may be chosen: preparations, examples, or schemes of a receptor or an esterase."""
    if kind in ("preparation", "example"):
        return ", ".join(names_in(kind))
    opens = {name: bool(load_scheme(name).open_states) for name in available_schemes()}
    return ", ".join(name for name, found in opens.items() if found == (kind == "receptor"))
