"""From hydra's config to a junction, its treatments and the settings of a bedside test."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from nmjmc import treatments
from nmjmc.arguments import SEEDS, whole_number
from nmjmc.cli import bedside_tests
from nmjmc.cli.compose import check_flags, plain
from nmjmc.cli.config import register_seed
from nmjmc.cli.overrides import Known
from nmjmc.errors import ValidationError, nearest
from nmjmc.folders import config_dir
from nmjmc.junction.build import STAGES, build_junction, describe_junction
from nmjmc.junction.whole import Junction
from nmjmc.synapse.build import ALL_PARTS
from nmjmc.units import to_internal, to_text

SHARED = ("quanta", "seed", "device", "cache", "progress", "dry_run", "exposure")
MOST_QUANTA = 100_000
LONGEST_EXPOSURE = 720 * 3.6e6
"""Of a drug [ms], whether or not one reads it; a choice."""
_IDLE = ("seed", "device", "cache", "progress", "dry_run")


@dataclass(frozen=True)
class Request:
    """What a bedside test is asked to do.

    Attributes:
        test: Its name.
        healthy: The junction without diseases and drugs.
        junction: With them.
        settings: Of the test, checked.
        shared: `quanta`, `seed`, `device`, `cache`, `progress`, `dry_run`, `exposure`.
        severities, doses: Of diseases and drugs, resolved.
        definitions: Diseases and drugs of the user's own.
    """

    test: str
    healthy: Junction
    junction: Junction
    settings: Mapping[str, Any]
    shared: Mapping[str, Any]
    severities: Mapping[str, float]
    doses: Mapping[str, str]
    definitions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def resolved(self) -> dict[str, Any]:
        """The whole config with nothing left to defaults."""
        return {
            "test": self.test, **self.settings, **self.shared, "dry_run": False, "pathology": dict(self.severities),
            "drug": dict(self.doses), **({"definitions": dict(self.definitions)} if self.definitions else {}),
            **describe_junction(self.healthy),
        }  # fmt: skip

    @property
    def label(self) -> str:
        """The preparation, its diseases and its drugs, for the name of a folder."""
        names = (self.healthy.synapse.name, *self.severities, *self.doses)
        return "+".join(names)[:80]


def own_settings(test: str) -> tuple[str, ...]:
    """The settings of one test: the keys of its file."""
    text = (config_dir() / "bedside" / f"{test}.yaml").read_text(encoding="utf-8")
    return tuple(key for key in yaml.safe_load(text) if key not in ("defaults", "test"))


def known(test: str) -> Known:
    """The keys that the command of a test knows."""
    parts = (*ALL_PARTS, *STAGES, *treatments.KINDS, "definitions")
    return Known((*own_settings(test), *SHARED), parts, ("temperature", "name", "test"))


def read(config: DictConfig) -> Request:
    """The request of a composed config.

    Raises:
        ValidationError: For an unknown key, or a value that cannot be right.
    """
    return read_plain(plain(config))


def read_plain(config: Mapping[str, Any]) -> Request:
    """The request of a config of plain dicts and lists.

    Raises:
        ValidationError: For an unknown key, or a value that cannot be right.
    """
    test = config.get("test")
    if str(test) not in bedside_tests.RUNS:
        hint = nearest(str(test), bedside_tests.RUNS)
        raise ValidationError("test", repr(test), "the name of a bedside test", hint)
    own = own_settings(str(test))
    shared = _shared({name: config.get(name) for name in SHARED})
    outside = ("test", *own, *SHARED, *treatments.KINDS, "definitions")
    healthy = _build({name: value for name, value in config.items() if name not in outside})
    definitions = treatments.definitions_of(config)
    applied = treatments.treatments_of(config)
    severities = {one.name: one.amount for one in applied if one.kind == "pathology"}
    doses = {one.name: one.dose for one in applied if one.kind == "drug"}
    missing = [name for name in own if name not in config]
    if missing:
        raise ValidationError(missing[0], "missing", "given in the config")
    settings = bedside_tests.check(str(test), {name: config[name] for name in own}, config)
    return Request(
        str(test), healthy, healthy.with_(*applied), settings, shared, severities, doses, definitions
    )


def _build(given: Mapping[str, Any]) -> Junction:
    """The junction; a temperature that all parts share is called by the name under which it was given."""
    try:
        return build_junction(given)
    except ValidationError as error:
        part, _, rest = error.field.partition(".")
        own = given.get(part)
        if rest != "temperature" or (isinstance(own, Mapping) and rest in own):
            raise
        raise ValidationError("temperature", error.value, error.allowed, error.hint) from error


def _shared(given: dict[str, Any]) -> dict[str, Any]:
    given["quanta"] = whole_number(given["quanta"], "quanta", 2, MOST_QUANTA)
    if given["seed"] is not None:
        given["seed"] = whole_number(given["seed"], "seed", 0, SEEDS - 1)
    check_flags(given, "cache", "dry_run")
    bedside_tests.check_time(given["exposure"], "exposure")
    exposure = to_internal(given["exposure"], "ms", "exposure")
    if not 0 <= exposure <= LONGEST_EXPOSURE:
        raise ValidationError("exposure", given["exposure"], "from 0 to 720 h")
    given["exposure"] = to_text(exposure, "s")
    return given


def config_hash(*, _root_: DictConfig) -> str:
    """Eight characters that name everything in the config which decides the result, but the seed."""
    decisive = {name: v for name, v in _request(_root_).resolved.items() if name not in _IDLE}
    text = json.dumps(decisive, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def label(*, _root_: DictConfig) -> str:
    """The name of a run's folder, ahead of the hash."""
    return re.sub(r"[^\w.+-]", "_", _request(_root_).label)


def _request(root: DictConfig) -> Request:
    # without the node `hydra`, which is not resolved yet and holds the name that is asked for here
    return read(OmegaConf.masked_copy(root, [str(key) for key in root if key != "hydra"]))


def register() -> None:
    """Make `${nmjmc_label:}` and `${nmjmc_junction_hash:}` known to hydra's configs."""
    register_seed()
    OmegaConf.register_new_resolver("nmjmc_label", label, replace=True)
    OmegaConf.register_new_resolver("nmjmc_junction_hash", config_hash, replace=True)
