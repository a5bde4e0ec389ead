"""A bedside test in a folder: its result, its figure, its config, and last the summary, which says that it is done."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path

from nmjmc.bedside.examine import examine
from nmjmc.bedside.task import Task
from nmjmc.data import foretelling, provenance
from nmjmc.data.atomic import clear_leftovers, write_text
from nmjmc.data.examination import Examination
from nmjmc.data.foretelling import Kind
from nmjmc.data.seal import sealed
from nmjmc.junction.bank import INTERVAL
from nmjmc.junction.response import INTEGRATED
from nmjmc.progress import telling
from nmjmc.runtime import choose_devices
from nmjmc.yaml_file import to_yaml

log = logging.getLogger("nmjmc")
_BASE_MIB = 900  # of a process that runs a test of few fibres


def examine_in_folder(task: Task, folder: Path, began: float | None = None) -> Examination:
    """Run a bedside test, and leave its files in a folder.

    Args:
        task: The test and the junction; a seed that was left open is drawn.
        folder: It need not be there.
        began: When the process or its last run began, of `time.perf_counter` [s]; by default now.

    Raises:
        ValidationError: If the test cannot be made of this junction.
        Interrupted: On Ctrl-C, where quanta are kept.
    """
    began = time.perf_counter() if began is None else began
    task = task.with_seed()
    folder.mkdir(parents=True, exist_ok=True)
    clear_leftovers(folder)
    write_text(folder / "config.yaml", to_yaml(task.config))
    log.info("%s of %s, seed %s, in %s", task.request.TEST, task.label, task.request.seed, folder)
    ready = time.perf_counter()
    with telling(task.request.progress) as tell:
        examination = examine(task, tell)
    done, made = time.perf_counter(), examination.provenance
    _leave(examination, folder)
    foretelling.keep(_kind(task, str(made["device"])), (began, ready, done), float(made["quanta_seconds"]))
    return examination


def figure_of(examination: Examination) -> str:
    """The name of the file of its figure."""
    return f"{examination.test}.png"


def _leave(examination: Examination, folder: Path) -> None:
    """Write the files of a test, the result first and last the summary."""
    (folder / "summary.json").unlink(missing_ok=True)
    examination.save(folder / "result.h5")
    examination.plot(folder / figure_of(examination))
    write_text(folder / "summary.json", sealed(examination.summary(), indent=2))
    for line in str(examination).splitlines():
        log.info(line)
    log.info("provenance: %s", json.dumps(dict(examination.provenance)))


def estimate(task: Task) -> dict[str, str]:
    """What a test would need, in words by name."""
    amount = task.request.cost()
    samples = INTEGRATED / INTERVAL + 3 * 400
    device = provenance.device_name(choose_devices(task.request.device)[0])
    memory = f"{amount * samples * 4 / 2**20:,.0f} MiB"
    kept = task.request.numbers_kept(task.junction)
    traces = f"at most {kept * 4 / 2**20:,.1f} MiB, before they are compressed"
    return {
        "stimuli of fibres": f"{amount:,}",
        "memory": f"{memory}, and some {_BASE_MIB} MiB of Python, JAX and programs",
        "predicted time": foretelling.in_words(_kind(task, device)),
        **({"traces in the file": traces} if kept else {}),
    }


def _kind(task: Task, device: str) -> Kind:
    """What foretells a test."""
    asked = task.request
    # quanta alone need no program of the junction, which takes the most time of the others' first run
    names = (task.hash, asked.TEST, "quanta alone" if asked.cost() == 1 else "bedside")
    return Kind(names, float(asked.cost()), device, "simulating quanta", bool(asked.cache))
