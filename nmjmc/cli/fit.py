"""`nmjmc fit`: composes the config, reads the data, fits, and leaves the files of the fit."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from nmjmc.cli import config as configs
from nmjmc.cli import fit_config, fit_report, report
from nmjmc.cli.compose import composed
from nmjmc.cli.fit_progress import FitMeter
from nmjmc.cli.fit_words import prepare
from nmjmc.cli.handover import hand_over, is_help, is_sweep, points
from nmjmc.cli.interrupt import Interrupted
from nmjmc.cli.places import placing
from nmjmc.data.atomic import clear_leftovers, write_text
from nmjmc.data.fits import FitRecord, load_fit
from nmjmc.data.gather import read_summary
from nmjmc.data.seal import sealed
from nmjmc.errors import NmjmcError, ValidationError
from nmjmc.fitting import fit
from nmjmc.fitting.reach import BEGIN
from nmjmc.runtime import choose_devices, only_cpu, use_cache

log = logging.getLogger("nmjmc")
_NAME = "fit"  # of the primary config
_CHECKPOINT = "fit.state.h5"
_apart: list[str] = []
"""Sentences of the fits of this command that ended where no data are."""
configs.register()
fit_config.register()


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
        found = fit_config.read(composed(overrides, _NAME))
        _device(found)
        made = fit_config.prepared(found)
        if found.dry_run:
            return _dry_run(made)
    else:
        for point in points(overrides):
            fit_config.prepared(fit_config.read(composed(point, _NAME)))
    _apart.clear()
    code = hand_over(overrides, _NAME, "nmjmc fit", _run)
    if _apart:
        raise NmjmcError(f"{' '.join(_apart)} Check the unit and gain of the data, and where the fit begins.")
    return code


def _device(found: fit_config.FitConfig) -> None:
    """Refuse a device that is not there, and start no other."""
    if found.device == "cpu":
        only_cpu()
    choose_devices(found.device)


def _dry_run(made: fit_config.Prepared) -> int:
    """Print the resolved config with units, and what would be fitted."""
    sys.stdout.write(configs.as_yaml(fit_config.resolved(made.config)))
    report.print_estimate(fit_report.plan(made))
    return 0


def _run(config: DictConfig) -> None:
    """One fit, in hydra's folder."""
    found = fit_config.read(config)
    made = fit_config.prepared(found)
    if found.dry_run:
        _dry_run(made)
        return
    folder = Path(HydraConfig.get().runtime.output_dir)
    clear_leftovers(folder)
    checkpoint = folder / _CHECKPOINT
    resuming = found.resume or int(os.environ.get("SLURM_RESTART_COUNT", "0")) > 0
    if resuming and all((folder / name).exists() for name in ("fit.h5", "summary.json", "config.yaml")):
        configs.check_same(folder / "config.yaml", fit_config.resolved(found), fit_config.IDLE)
        log.info("%s is finished", folder)
        _complete(made, folder)
        return
    if not resuming:
        checkpoint.unlink(missing_ok=True)
    if not (folder / "fit.h5").exists():  # an old fit keeps its config until a new one is whole
        write_text(folder / "config.yaml", configs.as_yaml(fit_config.resolved(found)))
    for name, sentence in fit_report.plan(made).items():
        log.info("%s: %s", name, sentence)
    _leave(_fitted(made, checkpoint), made, folder)
    checkpoint.unlink(missing_ok=True)


def _fitted(made: fit_config.Prepared, checkpoint: Path) -> FitRecord:
    """The fit, from its checkpoint if there is one."""
    found, how = made.config, dict(made.config.how)
    use_cache(found.cache)
    _device(found)
    how["grid"] = found.grid
    with FitMeter.for_terminal(found.progress) as meter, _telling(meter, checkpoint):
        record = fit(
            found.synapse, made.data.terms, found.free, fixed=found.fixed, seed=found.seed, checkpoint=checkpoint,
            on_step=meter, **how,
        )  # fmt: skip
    return dataclasses.replace(record, notes=(*record.notes, *made.data.remarks))


@contextlib.contextmanager
def _telling(meter: FitMeter, checkpoint: Path) -> Iterator[None]:
    """Say how to go on where the state is kept."""
    try:
        yield
    except KeyboardInterrupt as stop:
        if not checkpoint.is_file():
            raise
        step = "" if meter.last is None else f" after step {meter.last.step}"
        kept = f"Interrupted{step}; the state is kept in {report.short(checkpoint)}."
        raise Interrupted(f"{kept} Go on with the same words and resume=true", stop) from stop


def _complete(made: fit_config.Prepared, folder: Path) -> None:
    """Say what a finished fit found; its other files are written again where the summary is damaged.

    Raises:
        ValidationError: If its record is damaged.
    """
    record = load_fit(folder / "fit.h5")
    (folder / _CHECKPOINT).unlink(missing_ok=True)
    try:
        summary = read_summary(folder / "summary.json")
    except ValidationError:
        _leave(record, made, folder)
        return
    fit_report.print_fit(summary, folder)
    _remember(summary)


def _leave(record: FitRecord, made: fit_config.Prepared, folder: Path) -> None:
    """Write the files of a fit, the record first and the summary last, and say what stands where."""
    from nmjmc.viz import fit as figures

    (folder / "summary.json").unlink(missing_ok=True)  # it says that the fit is done
    record.save(folder / "fit.h5")
    write_text(folder / "config.yaml", configs.as_yaml(fit_config.resolved(made.config)))
    record.save_preparation(folder / "fitted.yaml")
    figures.plot_data(record, folder / "data.png")
    figures.plot_descent(record, folder / "descent.png")
    if len(record.names) > 1:
        figures.plot_pairs(record, folder / "pairs.png")
    if record.posterior is not None:
        figures.plot_posterior(record, folder / "posterior.png")
    if record.profiles:
        figures.plot_profiles(record, folder / "profiles.png")
    summary = record.summary()
    summary["data"] = {name: made.data.notes[name] for name in made.data.notes}
    write_text(folder / "summary.json", sealed(json.loads(json.dumps(summary, default=str)), indent=2))
    for line in str(record).splitlines():
        log.info(line)
    log.info("provenance: %s", json.dumps(dict(record.provenance)))
    fit_report.print_fit(summary, folder)
    _remember(summary)


def _remember(summary: dict[str, Any]) -> None:
    """Keep what makes the command end with an error, once all fits have left their files."""
    _apart.extend(note for note in summary["notes"] if note.startswith(BEGIN))
