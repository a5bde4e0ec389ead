"""A fit as a config of plain values: read, planned, and named."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from nmjmc.errors import ValidationError
from nmjmc.fitting.datasets.files import files_of, placed
from nmjmc.fitting.plan import FitPlan, plan_fit
from nmjmc.fitting.request import RUN, FitRequest
from nmjmc.request import settings
from nmjmc.runtime import choose_devices, only_cpu
from nmjmc.synapse.build import build, check_name, describe
from nmjmc.synapse.model import Synapse

BELOW_FIT = tuple(name for name in settings(FitRequest) if name not in RUN)
"""Keys below `fit`."""
SETTINGS = ("data", "fit", *RUN, "dry_run", "example")
"""Keys of a config that are no parameters of the synapse."""


def read(config: Mapping[str, Any]) -> tuple[Synapse, FitRequest, dict[str, Any]]:
    """The synapse, the settings and the data sets of a config.

    Raises:
        ValidationError: For an unknown key, or a value that cannot be right.
    """
    if "name" in config:
        check_name(config["name"])  # it is a part of the folder's
    by_name = {name: value for name, value in config.items() if name in SETTINGS}
    synapse = build({name: value for name, value in config.items() if name not in SETTINGS})
    section = by_name.get("fit")
    if not isinstance(section, Mapping):
        raise ValidationError("fit", repr(section), "set by its keys, as in fit.KEY=VALUE")
    run = {name: by_name[name] for name in RUN if name in by_name}
    return synapse, FitRequest.of({**section, **run}), placed(by_name.get("data"))


def planned(config: Mapping[str, Any]) -> FitPlan:
    """The fit of a config, its data read; what the command has just read is not read again."""
    _, request, data = read(config)
    if request.device == "cpu":
        only_cpu()
    choose_devices(request.device)
    return _planned(
        json.dumps(config, default=str), tuple(file.stat().st_mtime_ns for file in files_of(data))
    )


@functools.lru_cache(maxsize=4)
def _planned(config: str, _stamps: tuple[int, ...]) -> FitPlan:
    synapse, request, data = read(json.loads(config))
    return plan_fit(synapse, data, request)


def folder_digest(config: Mapping[str, Any]) -> str:
    """Eight characters that name everything that decides a fit but the seed, the bytes of the data files among it."""
    synapse, request, data = read(config)
    decisive = {
        "fit": request.decisive(), **describe(synapse),
        "data": {name: {k: v for k, v in options.items() if k != "file"} for name, options in data.items()},
    }  # fmt: skip
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files_of(data)]
    text = json.dumps([decisive, digests], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
