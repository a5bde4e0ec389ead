"""From hydra's config to what a fit needs: the synapse, the data, the free parameters and the settings."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from nmjmc.arguments import SEEDS, whole_number
from nmjmc.cli.compose import check_flags, plain
from nmjmc.cli.fit_words import FIT, SETTINGS
from nmjmc.errors import ValidationError, nearest
from nmjmc.fitting.datasets import DataSets, read_datasets
from nmjmc.fitting.datasets.options import flattened
from nmjmc.fitting.datasets.read import named
from nmjmc.fitting.estimators import Estimator, choose
from nmjmc.fitting.fit import profiled, refuse_posterior
from nmjmc.fitting.optimise import OPTIMISERS
from nmjmc.fitting.parameters import OPTIONS, Parameters, free_parameters
from nmjmc.fitting.problem import Problem
from nmjmc.fitting.quanta import COARSE, GRID
from nmjmc.folders import user_path
from nmjmc.meanfield import Grid
from nmjmc.synapse.build import build, describe
from nmjmc.synapse.model import Synapse

GRIDS = {"coarse": COARSE, "standard": GRID, "fine": Grid()}
IDLE = ("device", "cache", "progress", "resume", "dry_run", "seed")
"""Settings that change how a fit is made or shown, and the seed."""


@dataclass(frozen=True)
class FitConfig:
    """A fit as the config says it, checked.

    Attributes:
        synapse: Before the fit.
        data: What is said of each data set, with absolute paths.
        free: Options of each free parameter by path.
        fixed: Known parameters of release and recording.
        how: `estimator`, `vesicles`, `optimiser`, `steps`, `tolerance`, `level`, `profiles`, `bootstrap`,
            `posterior`, `grid`.
        seed: Of bootstrap, sampler and kernel.
        device: `auto`, `cpu` or `gpu`.
        cache: Whether compiled programs are kept.
        progress: Whether a bar is drawn.
        resume: Whether to go on.
        dry_run: Whether to stop before anything is computed.
    """

    synapse: Synapse
    data: Mapping[str, Any]
    free: Mapping[str, Mapping[str, Any]]
    fixed: Mapping[str, Any]
    how: Mapping[str, Any]
    seed: int
    device: str
    cache: bool
    progress: str | bool
    resume: bool
    dry_run: bool

    @property
    def grid(self) -> Grid:
        """Resolution of the mean field."""
        return GRIDS[self.how["grid"]]


def read(config: DictConfig) -> FitConfig:
    """The fit of a composed config.

    Raises:
        ValidationError: For an unknown key, or a value that cannot be right.
    """
    return read_plain(plain(config))


def read_plain(config: Mapping[str, Any]) -> FitConfig:
    """The fit of a config of plain dicts and lists.

    Raises:
        ValidationError: For an unknown key, or a value that cannot be right.
    """
    settings = {name: value for name, value in config.items() if name in SETTINGS}
    synapse = build({name: value for name, value in config.items() if name not in SETTINGS})
    check_flags(settings, "cache", "resume", "dry_run")
    how = _how(settings.get("fit"))
    return FitConfig(
        synapse, _data(settings.get("data")), _free(how.pop("free")), flattened(how.pop("fixed") or {}), how,
        whole_number(settings.get("seed"), "seed", 0, SEEDS - 1), str(settings.get("device")),
        settings["cache"], settings["progress"], settings["resume"], settings["dry_run"],
    )  # fmt: skip


def _how(given: Any) -> dict[str, Any]:
    """What stands below `fit`, checked."""
    if not isinstance(given, Mapping):
        raise ValidationError("fit", repr(given), "set by its keys, as in fit.KEY=VALUE")
    for key in given:
        if key not in FIT:
            raise ValidationError("a key", repr(f"fit.{key}"), "a setting of the fit", nearest(str(key), FIT))
    how = {"free": None, "fixed": None, **given}
    for key in FIT:
        if key not in how:
            raise ValidationError(f"fit.{key}", "missing", "given in the config")
    if not isinstance(how["estimator"], str):
        raise ValidationError("fit.estimator", repr(how["estimator"]), "the name of one, or auto")
    for key, known in (("optimiser", OPTIMISERS), ("grid", GRIDS)):
        if str(how[key]) not in known:
            raise ValidationError(f"fit.{key}", repr(how[key]), "a known one", nearest(str(how[key]), known))
    for key, least, most in (
        ("steps", 1, 100_000),
        ("bootstrap", 0, 100_000),
        ("posterior", 0, 10_000_000),
        ("vesicles", 8, 10_000_000),
    ):
        how[key] = whole_number(how[key], f"fit.{key}", least, most)
    for key in ("tolerance", "level"):
        if isinstance(how[key], bool) or not isinstance(how[key], int | float) or not how[key] > 0:
            raise ValidationError(f"fit.{key}", repr(how[key]), "a number above zero")
    if not how["level"] < 1:
        raise ValidationError("fit.level", how["level"], "between 0 and 1", "write 0.95 for 95 %")
    if how["bootstrap"] == 1:
        raise ValidationError("fit.bootstrap", 1, "two or more repeats, or 0 for none")
    if not isinstance(how["fixed"], Mapping | None):
        raise ValidationError(
            "fit.fixed", repr(how["fixed"]), "set by its keys, as in fit.fixed.recording.gain=VALUE"
        )
    if not isinstance(how["profiles"], list | str):
        raise ValidationError("fit.profiles", repr(how["profiles"]), "a list of parameters, or all")
    return how


def _data(given: Any) -> dict[str, Any]:
    """Data sets with absolute paths, so that the config of a run means the same anywhere."""
    if not given:
        hint = "for example data=events.csv, data=mine.yaml, or example=boyd_martin_1956"
        raise ValidationError("data", "missing", "given", hint)
    whole = named(given)
    if not isinstance(given, Mapping):
        given = {name: {key: v for key, v in o.items() if key != "__shared__"} for name, o in whole.items()}
    found = {str(name): dict(options) for name, options in given.items() if options is not None}
    for options in found.values():
        if options.get("file"):
            options["file"] = str(Path.cwd() / user_path(str(options["file"]), "the file of a data set"))
    return found


def _free(given: Any) -> dict[str, dict[str, Any]]:
    """Options of each free parameter by path, from a list or from a mapping nested or flat."""
    if isinstance(given, str):
        given = [given]
    if isinstance(given, list):
        return {str(path): {} for path in given}
    if not isinstance(given, Mapping) or not given:
        hint = "for example fit.free=[receptor.closing_rate,vesicle.content_mean]"
        raise ValidationError("fit.free", "missing" if not given else repr(given), "a list of paths", hint)
    found: dict[str, dict[str, Any]] = {}
    _collect(given, "", found)
    return found


def _collect(node: Mapping[str, Any], prefix: str, found: dict[str, dict[str, Any]]) -> None:
    for key, value in node.items():
        path = f"{prefix}{key}"
        is_option = key in OPTIONS or (prefix.count(".") > 1 and value is not None)
        if prefix and is_option and not isinstance(value, Mapping):
            found.setdefault(prefix[:-1], {})[key] = value
        elif value is None or value == {}:
            found.setdefault(path, {})
        elif isinstance(value, Mapping):
            _collect(value, f"{path}.", found)
        else:
            raise ValidationError(
                f"fit.free.{path}",
                repr(value),
                "a parameter with options",
                f"did you mean fit.free.{path}.start?",
            )


@dataclass(frozen=True)
class Prepared:
    """All that a fit needs, read and checked, before anything is compiled."""

    config: FitConfig
    data: DataSets
    parameters: Parameters
    estimator: Estimator
    why: str


def prepared(config: FitConfig) -> Prepared:
    """Read the data and check everything; the same config is read once.

    Raises:
        ValidationError: For whatever cannot be right.
    """
    key = json.dumps(
        [describe(config.synapse), config.data, [Path(f).stat().st_mtime_ns for f in _files(config)]]
    )
    return Prepared(config, *_prepared(_Keyed(key, config)))


class _Keyed:
    """A config that equals another if its key does."""

    def __init__(self, key: str, config: FitConfig) -> None:
        how = [config.how, config.free, config.fixed, config.seed]
        self.key, self.config = json.dumps([key, how], default=str), config

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keyed) and other.key == self.key


@functools.lru_cache(maxsize=4)
def _prepared(keyed: _Keyed) -> tuple[DataSets, Parameters, Estimator, str]:
    config = keyed.config
    parameters = free_parameters(config.synapse, config.free, config.fixed)
    profiled(parameters.names, config.how["profiles"])
    estimator, why = choose(config.how["estimator"], config.synapse, config.how["vesicles"], config.seed)
    refuse_posterior(estimator, config.how["posterior"])
    data = read_datasets(config.data, config.synapse)
    Problem(config.synapse, data.terms, parameters, config.fixed, config.grid)
    return data, parameters, estimator, why


def resolved(config: FitConfig) -> dict[str, Any]:
    """The whole config with nothing left to defaults."""
    fit = {
        "free": {path: dict(options) for path, options in config.free.items()},
        "fixed": dict(config.fixed),
    }
    return {
        "data": dict(config.data), "fit": {**fit, **config.how}, "seed": config.seed, "device": config.device,
        "cache": config.cache, "progress": config.progress, "resume": False, "dry_run": False,
        **describe(config.synapse),
    }  # fmt: skip


def _files(config: FitConfig) -> list[str]:
    paths = [str(options["file"]) for options in config.data.values() if options.get("file")]
    return [path for path in paths if Path(path).is_file()]


def fit_hash(*, _root_: DictConfig) -> str:
    """Eight characters that name everything that decides a fit but the seed, the bytes of the data files among it."""
    own = OmegaConf.masked_copy(_root_, [str(key) for key in _root_ if key != "hydra"])
    config = read(own)
    decisive = {name: value for name, value in resolved(config).items() if name not in IDLE}
    decisive["data"] = {
        name: {key: value for key, value in options.items() if key != "file"}
        for name, options in config.data.items()
    }
    digests = [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in _files(config)]
    text = json.dumps([decisive, digests], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def register() -> None:
    """Make `${nmjmc_fit_hash:}` known to hydra's configs."""
    OmegaConf.register_new_resolver("nmjmc_fit_hash", fit_hash, replace=True)
