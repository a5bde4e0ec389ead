"""`nmjmc fit`: composes the config, has the library make the fit in hydra's folder, and prints it."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from nmjmc.cli import config as configs
from nmjmc.cli import fit_report, report
from nmjmc.cli.compose import composed, plain
from nmjmc.cli.fit_words import SETTINGS, prepare
from nmjmc.cli.hydra_main import hand_over, is_help, is_sweep, points
from nmjmc.cli.value_origin import placing
from nmjmc.ending import Interrupted
from nmjmc.errors import NmjmcError, ValidationError
from nmjmc.fitting.datasets.files import files_of, placed
from nmjmc.fitting.fit import fit_in_folder
from nmjmc.fitting.plan import FitPlan, plan_fit
from nmjmc.fitting.reach import BEGIN
from nmjmc.fitting.request import RUN, FitRequest
from nmjmc.request import usage
from nmjmc.runtime import choose_devices, only_cpu
from nmjmc.synapse.build import build, describe
from nmjmc.synapse.model import Synapse

_NAME = "fit"  # of the primary config


def command(words: list[str]) -> int:
    """Run `nmjmc fit` with these words.

    Returns:
        0 when every fit is done.

    Raises:
        ValidationError: If config or data cannot be right; no folder is made then.
        FitError: If the loss is no number, with the parameter to blame.
        Interrupted: On Ctrl-C, SIGTERM or SIGUSR1; the checkpoint is whole.
    """
    with placing(words):
        return _checked(words)


def _checked(words: list[str]) -> int:
    """Refuse what cannot be right before any folder is made, then fit."""
    overrides = prepare(words)
    if is_help(words):
        composed(overrides, _NAME)
    elif not is_sweep(words):
        config = plain(composed(overrides, _NAME))
        if _is_dry(config):
            _dry_run(planned(config))
            return 0
        planned(config)
    else:
        for point in points(overrides):
            planned(plain(composed(point, _NAME)))
    apart: list[str] = []
    here = os.getpid()

    def run(config: DictConfig) -> None:
        _run(config, apart)
        if os.getpid() != here:  # a launcher's process, which hands back nothing but an error
            _refuse_apart(apart)

    code = hand_over(overrides, _NAME, "nmjmc fit", run)
    _refuse_apart(apart)
    return code


def _refuse_apart(apart: list[str]) -> None:
    """End with an error where a fit ended at parameters at which no data are.

    Raises:
        NmjmcError: With the sentences.
    """
    if apart:
        raise NmjmcError(f"{' '.join(apart)} Check the unit and gain of the data, and where the fit begins.")


def read(config: Mapping[str, Any]) -> tuple[Synapse, FitRequest, dict[str, Any]]:
    """The synapse, the settings and the data sets of a config.

    Raises:
        ValidationError: For an unknown key, or a value that cannot be right.
    """
    settings = {name: value for name, value in config.items() if name in SETTINGS}
    synapse = build({name: value for name, value in config.items() if name not in SETTINGS})
    section = settings.get("fit")
    if not isinstance(section, Mapping):
        raise ValidationError("fit", repr(section), "set by its keys, as in fit.KEY=VALUE")
    run = {name: settings[name] for name in RUN if name in settings}
    return synapse, FitRequest.of({**section, **run}), placed(settings.get("data"))


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


def _is_dry(config: Mapping[str, Any]) -> bool:
    dry = config.get("dry_run", False)
    if not isinstance(dry, bool):
        raise ValidationError("dry_run", repr(dry), "true or false")
    return dry


def _dry_run(plan: FitPlan) -> None:
    """Print the resolved config with units, and what would be fitted."""
    report.print_text(configs.as_yaml(plan.config()))
    report.print_estimate(plan.sentences())


def _run(config: DictConfig, apart: list[str]) -> None:
    """One fit, in hydra's folder.

    Args:
        config: Composed.
        apart: Gets the sentence of a fit that ended where no data are, which makes the command fail at its end.
    """
    values = plain(config)
    plan = planned(values)
    if _is_dry(values):
        _dry_run(plan)
        return
    if int(os.environ.get("SLURM_RESTART_COUNT", "0")) > 0:
        plan = dataclasses.replace(plan, request=dataclasses.replace(plan.request, resume=True))
    folder = Path(HydraConfig.get().runtime.output_dir)
    try:
        record = fit_in_folder(plan, folder)
    except KeyboardInterrupt as stop:
        for note in getattr(stop, "__notes__", ()):
            sentence = f"Interrupted {note.replace(str(folder), report.short(folder))}."
            raise Interrupted(f"{sentence} Go on with the same words and resume=true", stop) from stop
        raise
    fit_report.print_fit(record.summary(), folder)
    apart.extend(note for note in record.notes if note.startswith(BEGIN))


def fit_hash(*, _root_: DictConfig) -> str:
    """Eight characters that name everything that decides a fit but the seed, the bytes of the data files among it."""
    own = OmegaConf.masked_copy(_root_, [str(key) for key in _root_ if key != "hydra"])
    synapse, request, data = read(plain(own))
    decisive = {
        "fit": request.decisive(), **describe(synapse),
        "data": {name: {k: v for k, v in options.items() if k != "file"} for name, options in data.items()},
    }  # fmt: skip
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files_of(data)]
    text = json.dumps([decisive, digests], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


configs.register()
OmegaConf.register_new_resolver("nmjmc_fit_hash", fit_hash, replace=True)
OmegaConf.register_new_resolver("nmjmc_fit_settings", lambda: usage(FitRequest, indent=""), replace=True)
