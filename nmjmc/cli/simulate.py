"""`nmjmc simulate`: composes the config, has the library make the run in hydra's folder, and prints it."""

from __future__ import annotations

import logging
import os
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from nmjmc.cli import clock, report, treatments
from nmjmc.cli.compose import Change, configs
from nmjmc.cli.hydra_main import Run, hand_over, told
from nmjmc.cli.origin import placing
from nmjmc.cli.words import SIMULATE, Word, Words, sort
from nmjmc.folders import names_in
from nmjmc.kinetics import available_schemes, load_scheme
from nmjmc.request import usage
from nmjmc.runtime import only_cpu
from nmjmc.seeds import draw_seed
from nmjmc.simulation import distributed, estimate
from nmjmc.simulation.config import SETTINGS, Simulation
from nmjmc.simulation.folder import simulate_in_folder
from nmjmc.simulation.request import SimulateRequest
from nmjmc.yaml_file import to_yaml

log = logging.getLogger("nmjmc")
_FILES = ("result.h5", "summary.json", "mepc.png", "config.yaml", "nmjmc.log")
USAGE = """\
nmjmc simulate [KEY=VALUE ...]

  Follows every ACh molecule of many vesicles across the cleft, and leaves result.h5, summary.json, mepc.png,
  the resolved config and the log in outputs/NAME-CONFIG-SEED.

  preparation=NAME       {preparations}; or a YAML file
  receptor.scheme=NAME   {receptors}
                         (other rates are asked for; those of another scheme are left out with receptor.RATE=null)
  esterase.scheme=NAME   {esterases}
                         (or a YAML file of your own: docs/own_scheme.md)
  pathology=NAME:SEVERITY  drug=NAME:DOSE   what acts on the synapse; nmjmc rns --help lists them

Settings
{settings}

Parameters
{parameters}

A quantity is text with its unit: receptor.density="3000 /um^2". Add -m to sweep: vesicles=100,1000 -m
"""


def command(words: list[str]) -> int:
    """Run `nmjmc simulate` with these words.

    Returns:
        0 when every run is done.

    Raises:
        ValidationError: If the config cannot be right; no folder is made then.
        SimulationError: If a run failed; no result file is left then.
    """
    with placing(words):
        words, own = treatments.with_files(words)
        return _checked(sort(words, SIMULATE), treatments.reading(own))


def _checked(words: Words, reading: Callable[[Sequence[Word], bool], list[Change]]) -> int:
    """Refuse what cannot be right before any folder is made, then run."""
    every = configs(words, SIMULATE, reading)
    if words.wants_help:
        sys.stdout.write(_help(next(every)))
        return 0
    runs = []
    for config in every:
        asked = Simulation.of(config)
        request = asked.request
        if not words.is_sweep:
            if request.device == "cpu":
                only_cpu()
            if not request.dry_run:
                distributed.join(request.distributed, request.seed)  # before any device is started
        estimate.plan_of(asked)  # refuses what cannot be run
        if request.dry_run and not words.is_sweep:
            return _dry_run(asked)
        if request.seed is None:  # drawn here, because the folder's name tells it
            asked = replace(asked, request=replace(request, seed=draw_seed()))
        name = f"{asked.synapse.name}-{asked.folder_digest()}-{asked.request.seed}"
        runs.append(Run(name, {**config, "seed": asked.request.seed}))
    sweep = f"outputs/sweep-{runs[0].config['name']}" if words.is_sweep else ""
    return hand_over(runs, _run, "nmjmc simulate", sweep=sweep, words=words.hydra, folders=words.folders)


def _help(config: dict[str, Any]) -> str:
    """The settings with their defaults, and the parameters of the preparation as the words set them."""
    opens = {name: bool(load_scheme(name).open_states) for name in available_schemes()}
    parameters = {name: value for name, value in config.items() if name not in SETTINGS}
    return USAGE.format(
        preparations=", ".join(names_in("preparation")),
        receptors=", ".join(name for name, is_open in opens.items() if is_open),
        esterases=", ".join(name for name, is_open in opens.items() if not is_open),
        settings=usage(SimulateRequest),
        parameters=textwrap.indent(to_yaml(parameters), "  ").rstrip(),
    )


def _dry_run(asked: Simulation) -> int:
    """Print the resolved config with units, and what the run would need."""
    asked = asked.settled()
    sys.stdout.write(to_yaml(asked.config()))
    report.print_estimate(estimate.sentences(asked, estimate.plan_of(asked)))
    return 0


def _run(config: DictConfig) -> None:
    """One run, in hydra's folder."""
    asked = Simulation.of(told(config))
    if asked.request.dry_run:
        _dry_run(asked)
        return
    if int(os.environ.get("SLURM_RESTART_COUNT", "0")) > 0:
        asked = replace(asked, request=replace(asked.request, resume=True))
    folder = Path(HydraConfig.get().runtime.output_dir)
    result = simulate_in_folder(asked, folder, clock.began())
    if result is not None:
        report.print_result(result.summary(), folder, _FILES)
        _tell_changes(asked)
    clock.begin()


def _tell_changes(asked: Simulation) -> None:
    """Print what diseases and drugs have changed, where there are any."""
    if changes := asked.changes():
        report.print_pairs("changed by " + ", ".join(map(str, asked.treatments)), changes)
        log.info("diseases and drugs: %s", "; ".join(f"{path} {words}" for path, words in changes.items()))
