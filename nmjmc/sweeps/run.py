"""A sweep run in this process, with a log in its folder; and what can be said of its state."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from nmjmc.data.atomic import clear_leftovers
from nmjmc.data.sweep import DONE, FAILED, Sweep
from nmjmc.ending import Interrupted
from nmjmc.errors import NmjmcError, ValidationError
from nmjmc.kernel.executor import why_not_here
from nmjmc.progress import Show, shown
from nmjmc.runtime import choose_devices, only_cpu
from nmjmc.sweeps import study
from nmjmc.sweeps.work import Worker, counts, full_disk, work

log = logging.getLogger("nmjmc")
_SECONDS = 2.0  # between two looks at what other processes have finished


def run(sweep: Sweep, worker: Worker, progress: bool | str = "auto") -> None:
    """Run the points in this process, until none is left that nobody else runs.

    Args:
        sweep: In its folder.
        worker: How they are run.
        progress: Whether the finished points are counted on a line: True, False, or `auto`.

    Raises:
        Interrupted: If the user or the system ends it.
        NmjmcError: If the disk is full, or the folder is gone.
        ValidationError: If the sweep was begun with an executor that this machine has not.
    """
    if worker.device == "cpu":
        only_cpu()
    _check_executor(sweep, worker)
    chosen = study.work if sweep.definition["request"]["sampler"] == "optuna" else work
    try:
        with _log_in(sweep.path), shown(progress) as show:
            chosen(sweep, replace(worker, on_point=_counted(sweep, show)))
            sweep.check_here()
    except KeyboardInterrupt as stop:
        raise Interrupted(_where(sweep), stop) from stop
    except OSError as error:
        raise full_disk(sweep, error) from error
    finally:
        sweep.close()


def _check_executor(sweep: Sweep, worker: Worker) -> None:
    """Refuse a machine without the executor that `auto` means in this sweep: no point would fail by a fault of its own.

    Raises:
        ValidationError: With what is missing.
    """
    bases = sweep.definition["request"]["bases"].values()
    named = all("executor" in (base.get("numerics") or {}) for base in bases)
    if sweep.definition.get("executor") != "warp" or named:
        return
    if reason := why_not_here(choose_devices(worker.device)[0]):
        allowed = "on a machine with the executor that it was begun with, warp"
        hint = "or begin it anew in another folder with numerics.executor=jax"
        raise ValidationError(f"the sweep {sweep.path}", f"gone on with here, where {reason}", allowed, hint)


def repair(sweep: Sweep) -> dict[int, str]:
    """Clear away what killed processes have left, and make points with damaged records missing again.

    Returns:
        What was wrong with each of these points.
    """
    clear_leftovers(sweep.path, sweep.path / "points", sweep.path / "results")
    return sweep.forget_damaged()


def check_whole(sweep: Sweep) -> None:
    """Make sure that workers have left no point that nobody runs.

    Raises:
        NmjmcError: Naming the first.
    """
    sweep.check_here()
    tally = sweep.states()
    if left := sweep.claim((index for index in range(sweep.size) if index not in tally), 1):
        raise NmjmcError(
            f"The workers ended, but point {left[0]} has no record and nobody runs it; see {sweep.path}/jobs, and go "
            f"on with: nmjmc sweep resume={sweep.path}"
        )


def _where(sweep: Sweep) -> str:
    tally = counts(sweep)
    return (
        f"Interrupted; {tally[DONE]} of {sweep.size} points are whole. "
        f"Go on with: nmjmc sweep resume={sweep.path}"
    )


def _counted(sweep: Sweep, show: Show | None) -> Callable[[int, str], None]:
    """What counts the finished points on a line; those that other processes finish are counted too."""
    if show is None:
        return lambda index, state: None
    states = sweep.states()
    finished, looked = len(states), time.monotonic()

    def tell(index: int, state: str) -> None:
        nonlocal finished, looked
        finished += 1
        if time.monotonic() - looked > _SECONDS:  # looking through the folder takes time
            finished, looked = len(sweep.states()), time.monotonic()
        show("sweeping", finished / sweep.size, f"{finished:,} of {sweep.size:,} points")

    show("sweeping", finished / sweep.size, f"{finished:,} of {sweep.size:,} points")
    return tell


class _LogFile(logging.FileHandler):
    """A log that may be lost, with its folder or on a full disk, which ends no run."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, if there is where to."""
        with contextlib.suppress(OSError):
            super().emit(record)


@contextlib.contextmanager
def _log_in(folder: Path) -> Iterator[None]:
    """The log of this process, in the sweep's folder; several may write to one file."""
    handler = _LogFile(folder / "nmjmc.log", delay=True)
    handler.setFormatter(logging.Formatter(f"[%(asctime)s][{os.getpid()}][%(levelname)s] %(message)s"))
    handler.handleError = lambda record: None  # a full disk is told by what cannot be kept, not by the log
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
        with contextlib.suppress(OSError):
            handler.close()


def failed_points(sweep: Sweep) -> list[int]:
    """Numbers of the failed points, ascending."""
    return sorted(index for index, state in sweep.states().items() if state == FAILED)
