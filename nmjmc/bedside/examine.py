"""Running a bedside test: its quanta, its stages, and what it leaves."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nmjmc.bedside.request import Bedside, Job
from nmjmc.bedside.task import Task, of_junction
from nmjmc.data import provenance
from nmjmc.data.banks import Banks
from nmjmc.data.examination import Examination
from nmjmc.ending import Interrupted
from nmjmc.progress import telling
from nmjmc.runtime import choose_devices, use_cache
from nmjmc.treatments import definition_in


def examined(kind: type[Bedside], given: dict[str, Any]) -> Examination:
    """Ask a test of a junction.

    Args:
        kind: The request of the test.
        given: Its settings by name, and the `junction`.

    Raises:
        ValidationError: If one of them cannot be right.
    """
    asked = kind(**with_files({name: value for name, value in given.items() if name != "junction"}))
    task = of_junction(given["junction"], asked)
    with telling(asked.progress) as tell:
        return examine(task, tell)


def with_files(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings in which a user's own files stand as the names of what they define, beside these definitions.

    Raises:
        ValidationError: For a file that cannot be right, or a name that is taken.
    """
    definitions: dict[str, Any] = {}

    def named(name: Any, kind: str) -> Any:
        if not (isinstance(name, str | Path) and Path(name).suffix.casefold() in (".yaml", ".yml")):
            return name
        own, definition = definition_in(str(name), kind, definitions)
        definitions[own] = definition
        return own

    by_name = dict(settings)
    for kind in ("pathology", "drug"):
        amounts = {} if by_name.get(kind) is None else by_name[kind]
        is_mapping = isinstance(amounts, Mapping)
        by_name[kind] = {named(n, kind): a for n, a in amounts.items()} if is_mapping else amounts
    if "agent" in by_name:
        by_name["agent"] = named(by_name["agent"], "drug")
    return {**by_name, "definitions": definitions}


def examine(task: Task, tell: Callable[[str], None]) -> Examination:
    """Run a test, and put what it found together with what it was made of.

    Args:
        task: The test and the junction.
        tell: Called with the name of each stage.

    Raises:
        ValidationError: If there is no such device, or the test cannot be made of this junction.
        Interrupted: On Ctrl-C, where quanta are kept.
    """
    task = task.with_seed()
    asked = task.request
    use_cache(asked.cache)
    devices = choose_devices(asked.device)
    import jax

    seed = int(asked.seed or 0)
    banks = Banks(asked.quanta, seed, asked.cache, lambda _: tell("simulating quanta"))
    began = time.perf_counter()
    with jax.default_device(devices[0]), _going_on(banks):
        finding = asked.run(Job(task.junction, seed, banks, tell))
        seconds = time.perf_counter() - began
        made = {
            **provenance.collect(), "seconds": round(seconds, 3), "quanta_seconds": round(banks.seconds, 3),
            "banks_simulated": banks.simulated,
            "banks_kept": banks.kept, "quanta_per_bank": banks.quanta, **_errors(banks),
        }  # fmt: skip
    return Examination(finding, task.config, seed, made)


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
