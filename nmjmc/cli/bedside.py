"""`nmjmc rns`, `sfemg`, `tof`, `dose_response`, `epp`, `epc`, `mepc`, `twitch`: bedside tests of the whole junction."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from nmjmc.arguments import draw_seed
from nmjmc.cli import (
    bedside_config,
    bedside_help,
    bedside_report,
    bedside_tests,
    report,
    speed,
    treatments,
)
from nmjmc.cli.bedside_config import Request
from nmjmc.cli.compose import composed
from nmjmc.cli.config import as_yaml
from nmjmc.cli.handover import hand_over, is_sweep, points
from nmjmc.cli.interrupt import Interrupted
from nmjmc.cli.overrides import prepare
from nmjmc.cli.places import placing
from nmjmc.cli.progress import telling
from nmjmc.data import provenance
from nmjmc.data.atomic import clear_leftovers, write_text
from nmjmc.data.banks import Banks
from nmjmc.data.examination import Examination
from nmjmc.data.seal import sealed
from nmjmc.errors import ValidationError
from nmjmc.junction.bank import INTERVAL
from nmjmc.junction.response import INTEGRATED
from nmjmc.runtime import choose_devices, only_cpu, use_cache

log = logging.getLogger("nmjmc")
bedside_config.register()  # on import, so that a process which a launcher starts knows our resolvers too
_BASE_MIB = 900  # of a process that runs a test of few fibres


def command(test: str, words: list[str]) -> int:
    """Run one bedside test with these words.

    Returns:
        0 when every run is done.

    Raises:
        ValidationError: If the config cannot be right; no folder is made then.
    """
    if any(word in ("--help", "-h") for word in words):
        sys.stdout.write(bedside_help.text(test))
        return 0
    with placing(words, (f"bedside/{test}.yaml", "junction.yaml")):
        return _checked(test, words)


def _checked(test: str, words: list[str]) -> int:
    """Refuse what cannot be right before any folder is made, then run."""
    name = f"bedside/{test}"
    words, own = treatments.with_files(words)
    instead = {"definitions": own} if own else None
    overrides = prepare(treatments.expand(words, own), bedside_config.known(test), instead)
    if not is_sweep(words):
        request = bedside_config.read(composed(overrides, name))
        _check_test(test, request)
        if request.shared["device"] == "cpu":
            only_cpu()
        choose_devices(request.shared["device"])
        if request.shared["dry_run"]:
            return _dry_run(request)
        if request.shared["seed"] is None:
            overrides.append(f"seed={draw_seed()}")  # drawn here, because the folder's name tells it
    else:
        for point in points(overrides):
            _check_test(test, bedside_config.read(composed(point, name)))
    return hand_over(overrides, name, f"nmjmc {test}", _run)


def _check_test(test: str, request: Request) -> None:
    """A config of one test is not run by the command of another."""
    if request.test != test:
        raise ValidationError("test", request.test, test, f"run it by nmjmc {request.test}")


def _dry_run(request: Request) -> int:
    """Print the resolved config with units, and what the run would need."""
    sys.stdout.write(as_yaml(request.resolved))
    amount = bedside_tests.cost(request.test, request.settings)
    samples = INTEGRATED / INTERVAL + 3 * 400
    each = speed.recall(_device(request), request.test)
    took = "not known before the first such run" if each is None else f"{each * amount:.2g} s, quanta apart"
    report.print_estimate(
        {
            "stimuli of fibres": f"{amount:,}",
            "memory": f"{amount * samples * 4 / 2**20:,.0f} MiB, and some {_BASE_MIB} MiB of Python, JAX and programs",
            "predicted time": took,
        }
    )
    return 0


def _device(request: Request) -> str:
    return provenance.device_name(choose_devices(request.shared["device"])[0])


def _run(config: DictConfig) -> None:
    """One run: result.h5, summary.json, the figure and the resolved config, in hydra's folder."""
    request = bedside_config.read(config)
    shared = dict(request.shared)
    if shared["dry_run"]:
        _dry_run(request)
        return
    folder = Path(HydraConfig.get().runtime.output_dir)
    clear_leftovers(folder)
    seed = draw_seed() if shared["seed"] is None else shared["seed"]
    request = dataclasses.replace(request, shared={**shared, "seed": seed})
    write_text(folder / "config.yaml", as_yaml(request.resolved))
    log.info("%s of %s, seed %s, in %s", request.test, request.label, seed, folder)
    use_cache(shared["cache"])
    import jax

    with telling(shared["progress"]) as tell, jax.default_device(choose_devices(shared["device"])[0]):
        examination = examine(request, tell)
    _leave(examination, folder)


def examine(request: Request, tell: Any) -> Examination:
    """Run a test, and put what it found together with what it was made of."""
    seed = int(request.shared["seed"])
    banks = Banks(
        request.shared["quanta"], seed, request.shared["cache"], lambda _: tell("simulating quanta")
    )
    config = request.resolved
    began = time.perf_counter()
    job = bedside_tests.Job(request.junction, request.settings, seed, banks, tell, config)
    with _going_on(banks):
        finding = bedside_tests.run(request.test, job)
    seconds = time.perf_counter() - began
    made = {
        **provenance.collect(), "seconds": round(seconds, 3), "banks_simulated": banks.simulated,
        "banks_kept": banks.kept, "quanta_per_bank": banks.quanta, **_errors(banks),
    }  # fmt: skip
    if not banks.simulated:  # a time with the kernel's compiling in it would mislead
        amount = bedside_tests.cost(request.test, request.settings)
        speed.remember(str(made["device"]), request.test, seconds, amount)
    return Examination(finding, config, seed, made)


@contextlib.contextmanager
def _going_on(banks: Banks) -> Iterator[None]:
    """Say after an interrupt what is kept."""
    try:
        yield
    except KeyboardInterrupt as stop:
        if not (banks.cache and banks.all):
            raise
        kept = f"the quanta of {len(banks.all)} junction{'s' if len(banks.all) > 1 else ''} are kept"
        raise Interrupted(f"Interrupted; {kept}, so that the same words take less time", stop) from stop


def _errors(banks: Banks) -> Mapping[str, float]:
    """How well the banks know their mean peak; the worst of them."""
    errors = [bank.relative_error for bank in banks.all if np.isfinite(bank.relative_error)]
    return {"bank_standard_error_%": round(100 * max(errors), 2)} if errors else {}


def _leave(examination: Examination, folder: Path) -> None:
    """Write the files of a run, the result first and last the summary, which says that it is done."""
    (folder / "summary.json").unlink(missing_ok=True)
    examination.save(folder / "result.h5")
    figure = f"{examination.test}.png"
    examination.plot(folder / figure)
    write_text(folder / "summary.json", sealed(examination.summary(), indent=2))
    for line in str(examination).splitlines():
        log.info(line)
    log.info("provenance: %s", json.dumps(dict(examination.provenance)))
    bedside_report.print_examination(examination, folder, figure)
