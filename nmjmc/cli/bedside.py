"""`nmjmc rns`, `sfemg`, `tof`, `dose_response`, `epp`, `epc`, `mepc`, `twitch`, `chain`: tests of a junction."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from nmjmc.bedside.folder import estimate, examine_in_folder, figure_of
from nmjmc.bedside.help import text
from nmjmc.bedside.names import KINDS, of_config
from nmjmc.bedside.request import SHARED, TREATED
from nmjmc.bedside.task import PARTS, Task, own_settings
from nmjmc.cli import clock, report, treatments
from nmjmc.cli.compose import configs
from nmjmc.cli.hydra_main import Run, hand_over, told
from nmjmc.cli.origin import placing
from nmjmc.cli.words import Known, Words, is_help, sort
from nmjmc.errors import ValidationError
from nmjmc.runtime import choose_devices, only_cpu
from nmjmc.yaml_file import to_yaml


def command(test: str, words: list[str]) -> int:
    """Run one bedside test with these words.

    Returns:
        0 when every run is done.

    Raises:
        ValidationError: If the config cannot be right; no folder is made then.
    """
    if is_help(words):
        sys.stdout.write(text(test))
        return 0
    with placing(words, (f"bedside/{test}.yaml", "junction.yaml")):
        return _checked(test, words)


def known(test: str) -> Known:
    """The keys that the command of a test knows."""
    shared = (name for name in SHARED if name not in TREATED)
    names = (*own_settings(KINDS[test]), *shared, "dry_run")
    return Known(f"bedside/{test}", names, (*PARTS, *TREATED), ("temperature", "name", "test"))


def tasks(test: str, words: list[str]) -> tuple[Words, list[tuple[Task, bool]]]:
    """The words, sorted, and for each of their runs the test with its junction, and whether it is a dry run.

    Raises:
        ValidationError: For an unknown key, or a value that cannot be right.
    """
    words, own = treatments.with_files(words)
    asked = sort(words, known(test))
    every = configs(asked, known(test), treatments.reading(own))
    return asked, [(_task_of(test, config), _is_dry(config)) for config in every]


def _checked(test: str, written: list[str]) -> int:
    """Refuse what cannot be right before any folder is made, then run."""
    words, made = tasks(test, written)
    task, is_dry = made[0]
    if not words.is_sweep:
        if task.request.device == "cpu":
            only_cpu()
        choose_devices(task.request.device)
        if is_dry:
            return _dry_run(task)
    runs = [
        _run_of(some.with_seed(), is_dry) for some, is_dry in made
    ]  # here, for the folder's name tells the seed
    sweep = f"outputs/sweep-{test}" if words.is_sweep else ""
    return hand_over(runs, _run, f"nmjmc {test}", sweep=sweep, words=words.hydra, folders=words.folders)


def _run_of(task: Task, is_dry: bool) -> Run:
    name = f"{task.request.TEST}-{task.label}-{task.hash}-{task.request.seed}"
    return Run(name, {**task.config, "dry_run": is_dry})


def _task_of(test: str, config: Mapping[str, Any]) -> Task:
    """A config of one test is not run by the command of another."""
    task = of_config(config)
    if task.request.TEST != test:
        raise ValidationError("test", task.request.TEST, test, f"run it by nmjmc {task.request.TEST}")
    return task


def _is_dry(config: Mapping[str, Any]) -> bool:
    wanted = config.get("dry_run", False)
    if not isinstance(wanted, bool):
        raise ValidationError("dry_run", repr(wanted), "true or false")
    return wanted


def _dry_run(task: Task) -> int:
    """Print the resolved config with units, and what the run would need."""
    sys.stdout.write(to_yaml(task.config))
    report.print_estimate(estimate(task))
    return 0


def _run(config: DictConfig) -> None:
    """One run, in hydra's folder."""
    given = told(config)
    task = of_config(given)
    if _is_dry(given):
        _dry_run(task)
        return
    folder = Path(HydraConfig.get().runtime.output_dir)
    examination = examine_in_folder(task, folder, clock.began())
    clock.begin()
    report.print_examination(examination, folder, figure_of(examination))
