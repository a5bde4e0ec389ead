"""`nmjmc simulate`: composes the config, runs the kernel, and leaves the files of the run."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import os
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from nmjmc.cli import clock, report
from nmjmc.cli import config as configs
from nmjmc.cli.compose import composed, plain
from nmjmc.cli.hydra_main import hand_over, is_help, is_sweep, points
from nmjmc.cli.treatments import prepared
from nmjmc.cli.value_origin import placing
from nmjmc.data import hdf5, speed
from nmjmc.data.atomic import clear_leftovers, write_text
from nmjmc.data.checkpoint import block_size, remove
from nmjmc.data.provenance import device_name
from nmjmc.data.result import Result
from nmjmc.data.same import refuse_another_config
from nmjmc.data.seal import sealed
from nmjmc.data.summary import read_summary
from nmjmc.ending import Interrupted
from nmjmc.errors import ValidationError
from nmjmc.folders import names_in
from nmjmc.kinetics import available_schemes, load_scheme
from nmjmc.request import usage
from nmjmc.runtime import choose_devices, only_cpu
from nmjmc.seeds import draw_seed
from nmjmc.simulation import distributed
from nmjmc.simulation import simulate as simulation
from nmjmc.simulation.config import IDLE, SETTINGS, Simulation
from nmjmc.simulation.request import SimulateRequest
from nmjmc.simulation.simulate import Plan
from nmjmc.yaml_file import to_yaml

log = logging.getLogger("nmjmc")
_BASE_MIB = 600  # of a process that simulates 100 vesicles (measured; docs/benchmarks.md)
_CLOCK = 30.0  # seconds between checkpoints
_BLOCKS = (128, 8192)  # least and most vesicles between them
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

configs.register()  # on import, so that a process which a launcher starts knows our resolvers too


def command(words: list[str]) -> int:
    """Run `nmjmc simulate` with these words.

    Returns:
        0 when every run is done.

    Raises:
        ValidationError: If the config cannot be right; no folder is made then.
        SimulationError: If a run failed; no result file is left then.
    """
    with placing(words):
        return _checked(words)


def _checked(words: list[str]) -> int:
    """Refuse what cannot be right before any folder is made, then run."""
    overrides = prepared(words)
    if is_help(words):
        sys.stdout.write(_help(plain(composed(overrides))))
        return 0
    if not is_sweep(words):
        asked = configs.read(composed(overrides))
        request = asked.request
        if request.device == "cpu":
            only_cpu()
        if not request.dry_run:
            distributed.join(request.distributed, request.seed)  # before any device is started
        plan = _plan(asked)
        if request.dry_run:
            return _dry_run(asked, plan)
        if request.seed is None:
            overrides.append(f"seed={draw_seed()}")  # drawn here, because the folder's name tells it
    else:
        for point in points(overrides):
            _plan(configs.read(composed(point)))
    return hand_over(overrides, "config", "nmjmc simulate", _run)


def _help(config: dict[str, Any]) -> str:
    """The settings with their defaults, and the parameters of the preparation as the words set them."""
    opens = {name: bool(load_scheme(name).open_states) for name in available_schemes()}
    parameters = {name: value for name, value in config.items() if name not in SETTINGS}
    return USAGE.format(
        preparations=", ".join(names_in("preparation")),
        receptors=", ".join(name for name, found in opens.items() if found),
        esterases=", ".join(name for name, found in opens.items() if not found),
        settings=usage(SimulateRequest),
        parameters=textwrap.indent(to_yaml(parameters), "  ").rstrip(),
    )


def _plan(asked: Simulation) -> Plan:
    """What the run would need; refuses what cannot be run, before any folder is made."""
    names = ("vesicles", "seed", "duration", "record_interval", "numerics", "device")
    return simulation.plan(asked.synapse, **{name: getattr(asked.request, name) for name in names})


def _dry_run(asked: Simulation, plan: Plan) -> int:
    """Print the resolved config with units, and what the run would need."""
    asked = asked.settled()
    sys.stdout.write(to_yaml(asked.config()))
    report.print_estimate(
        {
            **{f"changes {path}": words for path, words in asked.changes().items()},
            "time step": plan.time_step,
            "records": f"{plan.records:,} a vesicle",
            "memory": f"{plan.memory_bytes / 2**20:,.0f} MiB, and some {_BASE_MIB} MiB of Python, JAX and programs",
            "predicted time": _predicted(plan, asked),
        }
    )
    return 0


def _tell_changes(asked: Simulation) -> None:
    """Print what diseases and drugs have changed, where there are any."""
    if changes := asked.changes():
        report.print_pairs("changed by " + ", ".join(map(str, asked.treatments)), changes)
        log.info("diseases and drugs: %s", "; ".join(f"{path} {words}" for path, words in changes.items()))


def _predicted(plan: Plan, asked: Simulation) -> str:
    """How long the run would take, by what such runs have taken on this machine."""
    name = asked.synapse.name
    found = speed.foretell(plan.device, asked.cost_digest(), name, plan.vesicles, asked.request.cache)
    if found is None:
        return f"not known on {plan.device} before the first run of {name}"
    cost, same = found
    parts = f"{_seconds(cost.compiling)} compiling, {_seconds(cost.running)} running, "
    parts += f"{_seconds(cost.starting)} starting, {_seconds(cost.saving)} saving"
    how = "by earlier runs of this config" if same else f"perhaps, by runs of {name} with other parameters"
    return f"{_seconds(cost.total)} on {plan.device} ({parts}; {how})"


def _seconds(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds >= 10 else f"{seconds:.2g} s"


def _run(config: DictConfig) -> None:
    """One run: result.h5, summary.json, mepc.png and the resolved config, in hydra's folder."""
    asked = configs.read(config)
    if asked.request.dry_run:
        _dry_run(asked, _plan(asked))
        return
    count, index = distributed.join(asked.request.distributed, asked.request.seed)
    folder = Path(HydraConfig.get().runtime.output_dir)
    clear_leftovers(folder)
    resuming = asked.request.resume or int(os.environ.get("SLURM_RESTART_COUNT", "0")) > 0
    if resuming and all((folder / name).exists() for name in ("result.h5", "summary.json", "config.yaml")):
        refuse_another_config(folder / "config.yaml", asked.config(), IDLE)
        log.info("%s is finished", folder)
        report.print_result(_completed(folder), folder)
        return
    seed = draw_seed() if asked.request.seed is None else asked.request.seed
    asked = replace(asked, request=replace(asked.request, seed=seed)).settled()
    # an old result keeps its config until a new one is whole
    if index == 0 and not (folder / "result.h5").exists():
        write_text(folder / "config.yaml", to_yaml(asked.config()))
    kept = folder / "checkpoint" if asked.request.checkpoint or resuming else None
    log.info(
        "simulating %s, %s vesicles, seed %s, in %s",
        asked.synapse.name,
        asked.request.vesicles,
        seed,
        folder,
    )
    kept = kept / f"process-{index}" if kept is not None and count > 1 else kept
    ready = time.perf_counter()
    with _telling(kept):
        result = _simulated(asked, kept, count, index)
    if index > 0:
        return  # the first process has the whole too, and writes it
    simulated = time.perf_counter()
    if asked.treatments:
        told = {"diseases_and_drugs": "; ".join(map(str, asked.treatments))}
        result = replace(result, provenance={**result.provenance, **told})
    _leave(result, folder, to_yaml(asked.config()))
    _tell_changes(asked)
    remove(folder / "checkpoint")
    if count == 1:
        times = (clock.began(), ready, simulated, time.perf_counter())
        _remember(result, (asked.cost_digest(), asked.synapse.name), times)


def _simulated(asked: Simulation, kept: Path | None, count: int, index: int) -> Result:
    """The result of this process, or of all of them together."""
    request = asked.request
    speed_before = speed.recall(device_name(choose_devices(request.device)[0]), asked.cost_digest())
    run = functools.partial(
        simulation.simulate,
        asked.synapse,
        seed=request.seed,
        duration=request.duration,
        record_interval=request.record_interval,
        numerics=request.numerics,
        device=request.device,
        cache=request.cache,
        checkpoint=kept,
        checkpoint_vesicles=_block(kept, speed_before),
        progress=request.progress if index == 0 else False,
    )
    vesicles = request.vesicles
    return distributed.simulate(run, vesicles, count, index) if count > 1 else run(vesicles=vesicles)


def _remember(result: Any, names: tuple[str, ...], times: tuple[float, float, float, float]) -> None:
    """Keep what the run took, for the next dry run.

    Args:
        result: Of the run.
        names: The key of its config, and its preparation.
        times: When the command began, the kernel was asked, the kernel was done, and all was written [s].
    """
    began, ready, simulated, ended = times
    found = result.provenance
    running, compiling = float(found["run_seconds"]), float(found["compile_seconds"])
    # what the kernel's call took beside its own two is starting too
    starting = max(ready - began + (simulated - ready - running - compiling), 0.0)
    cost = speed.Cost(result.vesicles, running, compiling, starting, ended - simulated)
    speed.remember_cost(str(found["device"]), names, cost)
    for name in names:
        speed.remember(str(found["device"]), name, running, result.vesicles)
    clock.begin()


@contextlib.contextmanager
def _telling(kept: Path | None) -> Iterator[None]:
    """Say how to go on where finished blocks are kept."""
    try:
        yield
    except KeyboardInterrupt as stop:
        if kept is None:
            raise
        blocks = len(list(kept.glob("vesicles_*.h5")))
        sentence = (
            f"Interrupted; {blocks} finished blocks are kept. Go on with the same words and resume=true"
        )
        raise Interrupted(sentence, stop) from stop


def _block(kept: Path | None, seconds: float | None) -> int:
    """Vesicles of a block: what is done in half a minute, by the last such run; a run that goes on keeps its own."""
    if kept is None:
        return _BLOCKS[0]
    size = _BLOCKS[0] if not seconds else min(max(int(_CLOCK / seconds), _BLOCKS[0]), _BLOCKS[1])
    return block_size(kept, size)


def _completed(folder: Path) -> dict[str, Any]:
    """The summary of a finished run, whose files are whole then: an earlier version wrote its picture last.

    A summary that is damaged is written again from the result.

    Raises:
        ValidationError: If the result is damaged.
    """
    result = hdf5.load(folder)
    if not (folder / "mepc.png").exists():
        result.plot(folder / "mepc.png")
    remove(folder / "checkpoint")
    try:
        read_summary(folder / "summary.json")
    except ValidationError:
        write_text(folder / "summary.json", sealed(result.summary(), indent=2))
    return result.summary()


def _leave(result: Any, folder: Path, config: str) -> None:
    """Write the files of a run, the result first and last the summary, which says that it is done."""
    (folder / "summary.json").unlink(missing_ok=True)
    result.save(folder / "result.h5")
    write_text(folder / "config.yaml", config)
    result.plot(folder / "mepc.png")
    summary = result.summary()
    write_text(folder / "summary.json", sealed(summary, indent=2))
    for line in str(result).splitlines():
        log.info(line)
    log.info("provenance: %s", json.dumps(dict(result.provenance)))
    report.print_result(summary, folder)
