"""A run in a folder: its result, its picture, its config, and last the summary, which says that it is done."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

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
from nmjmc.runtime import choose_devices
from nmjmc.seeds import draw_seed
from nmjmc.simulation import distributed, estimate
from nmjmc.simulation import simulate as simulation
from nmjmc.simulation.config import IDLE, Simulation
from nmjmc.yaml_file import to_yaml

log = logging.getLogger("nmjmc")
RESULT, SUMMARY, CONFIG, FIGURE = "result.h5", "summary.json", "config.yaml", "mepc.png"
_CLOCK = 30.0  # seconds between checkpoints
_BLOCKS = (128, 8192)  # least and most vesicles between them


def simulate_in_folder(asked: Simulation, folder: Path, began: float | None = None) -> Result | None:
    """Make a run, and leave its files in a folder.

    Args:
        asked: What is simulated; where its request says `resume`, a finished run is left as it is, and one that was cut
            short is gone on with, to the same bits.
        folder: It need not be there.
        began: When the process or its last run began, of `time.perf_counter` [s]; by default now.

    Returns:
        The result, which may have been there; None in a process that is not the first of several, which writes nothing.

    Raises:
        ValidationError: If another run is finished in the folder and `resume` was asked for.
        SimulationError: If the run failed; no result file is left then.
        Interrupted: Where finished blocks are kept.
    """
    began = time.perf_counter() if began is None else began
    request = asked.request
    count, index = distributed.join(request.distributed, request.seed)
    folder.mkdir(parents=True, exist_ok=True)
    clear_leftovers(folder)
    if request.resume and all((folder / name).exists() for name in (RESULT, SUMMARY, CONFIG)):
        refuse_another_config(folder / CONFIG, asked.config(), IDLE)
        log.info("%s is finished", folder)
        return _finished(folder)
    seed = draw_seed() if request.seed is None else request.seed
    asked = replace(asked, request=replace(request, seed=seed)).settled()
    # an old result keeps its config until a new one is whole
    if index == 0 and not (folder / RESULT).exists():
        write_text(folder / CONFIG, to_yaml(asked.config()))
    name, vesicles = asked.synapse.name, request.vesicles
    log.info("simulating %s, %s vesicles, seed %s, in %s", name, vesicles, seed, folder)
    kept = folder / "checkpoint" if request.checkpoint or request.resume else None
    kept = kept / f"process-{index}" if kept is not None and count > 1 else kept
    ready = time.perf_counter()
    with _telling(kept):
        result = _simulated(asked, kept, count, index)
    if index > 0:
        return None  # the first process has the whole too, and writes it
    simulated = time.perf_counter()
    if asked.treatments:
        told = {"diseases_and_drugs": "; ".join(map(str, asked.treatments))}
        result = replace(result, provenance={**result.provenance, **told})
    _leave(result, folder, to_yaml(asked.config()))
    remove(folder / "checkpoint")
    if count == 1:
        estimate.remember(asked, result, (began, ready, simulated))
    return result


def _simulated(asked: Simulation, kept: Path | None, count: int, index: int) -> Result:
    """The result of this process, or of all of them together."""
    request = asked.request
    before = speed.recall(device_name(choose_devices(request.device)[0]), asked.cost_digest())
    names = ("seed", "duration", "record_interval", "numerics", "device", "cache")
    run = functools.partial(
        simulation.simulate,
        asked.synapse,
        **{name: getattr(request, name) for name in names},
        checkpoint=kept,
        checkpoint_vesicles=_block(kept, before),
        progress=request.progress if index == 0 else False,
    )  # fmt: skip
    vesicles = request.vesicles
    return distributed.simulate(run, vesicles, count, index) if count > 1 else run(vesicles=vesicles)


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


def _finished(folder: Path) -> Result:
    """A finished run, whose files are whole then: an earlier version wrote its picture last.

    A summary that is damaged is written again from the result.

    Raises:
        ValidationError: If the result is damaged.
    """
    result = hdf5.load(folder)
    if not (folder / FIGURE).exists():
        result.plot(folder / FIGURE)
    remove(folder / "checkpoint")
    try:
        read_summary(folder / SUMMARY)
    except ValidationError:
        write_text(folder / SUMMARY, sealed(result.summary(), indent=2))
    return result


def _leave(result: Result, folder: Path, config: str) -> None:
    """Write the files of a run, the result first and last the summary."""
    (folder / SUMMARY).unlink(missing_ok=True)
    result.save(folder / RESULT)
    write_text(folder / CONFIG, config)
    result.plot(folder / FIGURE)
    write_text(folder / SUMMARY, sealed(result.summary(), indent=2))
    for line in str(result).splitlines():
        log.info(line)
    log.info("provenance: %s", json.dumps(dict(result.provenance)))
