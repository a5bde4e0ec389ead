"""`nmjmc fit`: composes the config, has the library make the fit in hydra's folder, and prints it."""

from __future__ import annotations

import dataclasses
import os
import sys
import textwrap
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from nmjmc.cli import clock, fit_report, report
from nmjmc.cli.compose import configs
from nmjmc.cli.fit_words import KNOWN, changes
from nmjmc.cli.hydra_main import Run, hand_over, told
from nmjmc.cli.origin import placing
from nmjmc.cli.words import sort
from nmjmc.data import foretelling
from nmjmc.data.foretelling import Kind
from nmjmc.data.provenance import device_name
from nmjmc.ending import Interrupted
from nmjmc.errors import NmjmcError, ValidationError
from nmjmc.fitting.config import folder_digest, planned
from nmjmc.fitting.fit import fit_in_folder
from nmjmc.fitting.plan import FitPlan
from nmjmc.fitting.reach import BEGIN
from nmjmc.fitting.request import FitRequest
from nmjmc.folders import names_in
from nmjmc.request import digest, usage
from nmjmc.runtime import choose_devices
from nmjmc.synapse.build import describe
from nmjmc.yaml_file import to_yaml

USAGE = """\
nmjmc fit data=FILE fit.free=[PATH,PATH] [KEY=VALUE ...]
nmjmc fit example=NAME [KEY=VALUE ...]

  Fits parameters of a synapse to quantal data, and leaves fit.h5, summary.json, fitted.yaml, the figures data.png,
  descent.png, pairs.png, profiles.png and posterior.png, the resolved config and the log, in the folder
  outputs/fit-NAME-CONFIG-SEED.

  data=minis.abf                    a raw recording, in which events are searched
  data=result.h5                    quanta that nmjmc simulate has made: data.events=150 data.noise="50 pA"
  data=events.csv data.kind=events  events cut out, one a column; or waveform, amplitudes, histogram, counts, statistics
  data=mine.yaml                    several data sets by name, which share their parameters
  data.bandwidth="5 kHz"            holds for all data sets; data.NAME.bandwidth for one
  data.condition.esterase.active_fraction=0     what was done to the synapse
  fit.free.receptor.closing_rate.low="500 /s"   bounds; also high, start, and a prior: median and factor

  preparation=NAME       {preparations}, or a YAML file
  example=NAME           {examples}

Settings (KEY=VALUE)

{settings}

All of them, and the parameters of the preparation

{config}

Killed, it goes on with the same words and resume=true; a requeued Slurm job does so by itself.
Its fitted.yaml is a preparation:   nmjmc simulate preparation=outputs/fit-NAME-CONFIG-SEED/fitted.yaml
"""


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


def _checked(written: list[str]) -> int:
    """Refuse what cannot be right before any folder is made, then fit."""
    words = sort(written, KNOWN)
    every = configs(words, KNOWN, changes)
    if words.wants_help:
        sys.stdout.write(_help(next(every)))
        return 0
    runs = []
    for config in every:
        dry, plan = _is_dry(config), planned(config)
        if dry and not words.is_sweep:
            _dry_run(plan)
            return 0
        runs.append(Run(f"fit-{plan.synapse.name}-{folder_digest(config)}-{plan.request.seed}", config))
    apart: list[str] = []
    here = os.getpid()

    def run(config: DictConfig) -> None:
        _run(told(config), apart)
        if os.getpid() != here:  # a launcher's process, which hands back nothing but an error
            _refuse_apart(apart)

    sweep = f"outputs/fits-{runs[0].config['name']}" if words.is_sweep else ""
    code = hand_over(runs, run, "nmjmc fit", sweep=sweep, words=words.hydra, folders=words.folders)
    _refuse_apart(apart)
    return code


def _help(config: Mapping[str, Any]) -> str:
    """The settings with their defaults, and the parameters of the preparation as the words set them."""
    return USAGE.format(
        preparations=", ".join(names_in("preparation")),
        examples=", ".join(names_in("example")),
        settings=usage(FitRequest),
        config=textwrap.indent(to_yaml(config), "  ").rstrip(),
    )


def _refuse_apart(apart: list[str]) -> None:
    """End with an error where a fit ended at parameters at which no data are.

    Raises:
        NmjmcError: With the sentences.
    """
    if apart:
        raise NmjmcError(f"{' '.join(apart)} Check the unit and gain of the data, and where the fit begins.")


def _is_dry(config: Mapping[str, Any]) -> bool:
    dry = config.get("dry_run", False)
    if not isinstance(dry, bool):
        raise ValidationError("dry_run", repr(dry), "true or false")
    return dry


def _dry_run(plan: FitPlan) -> None:
    """Print the resolved config with units, and what would be fitted."""
    report.print_text(to_yaml(plan.config()))
    told = {"predicted time": foretelling.in_words(_kind(plan))}
    report.print_estimate({**plan.sentences(), **told})


def _kind(plan: FitPlan) -> Kind:
    """What foretells a fit; it is work by its parameters, each of which takes a pass of its own."""
    asked = plan.request
    key = digest({"fit": asked.decisive(), "data": plan.described, **describe(plan.synapse)})
    names = (key, f"fit, {plan.estimator.name}", "fit")
    device = device_name(choose_devices(asked.device)[0])
    return Kind(names, 1.0 + len(plan.parameters.names), device, "", bool(asked.cache))


def _run(values: Mapping[str, Any], apart: list[str]) -> None:
    """One fit, in hydra's folder.

    Args:
        values: The config.
        apart: Gets the sentence of a fit that ended where no data are, which makes the command fail at its end.
    """
    plan = planned(values)
    if _is_dry(values):
        _dry_run(plan)
        return
    if int(os.environ.get("SLURM_RESTART_COUNT", "0")) > 0:
        plan = dataclasses.replace(plan, request=dataclasses.replace(plan.request, resume=True))
    folder = Path(HydraConfig.get().runtime.output_dir)
    ready = time.perf_counter()
    try:
        record = fit_in_folder(plan, folder)
    except KeyboardInterrupt as stop:
        for note in getattr(stop, "__notes__", ()):
            sentence = f"Interrupted {note.replace(str(folder), report.short(folder))}."
            raise Interrupted(f"{sentence} Go on with the same words and resume=true", stop) from stop
        raise
    if not plan.request.resume:
        foretelling.keep(_kind(plan), (clock.began(), ready, time.perf_counter()))
    clock.begin()
    fit_report.print_fit(record.summary(), folder)
    apart.extend(note for note in record.notes if note.startswith(BEGIN))
