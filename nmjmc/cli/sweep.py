"""`nmjmc sweep`: many points in one process, or in several that share one folder; killed, it loses nothing."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from nmjmc.cli import report, sweep_plan, sweep_run, sweep_words
from nmjmc.cli.interrupt import Interrupted
from nmjmc.cli.places import placing
from nmjmc.cli.progress import console_for
from nmjmc.data.atomic import clear_leftovers
from nmjmc.data.features import UNITS, flat
from nmjmc.data.sweep import DONE, FAILED, Sweep
from nmjmc.errors import NmjmcError, ValidationError
from nmjmc.runtime import only_cpu

log = logging.getLogger("nmjmc")
_SECONDS = 2.0  # between two looks at what other processes have finished
_SHOWN = 3  # failed points whose errors are printed

USAGE = """\
nmjmc sweep KEY=VALUES ... [KEY=VALUE ...]       simulate every point, and keep a record of each
nmjmc sweep resume=FOLDER                        go on with a sweep: missing points, and failed ones once more

  receptor.density="3000 /um^2,5000 /um^2"       a list
  receptor.density="linspace(2000 /um^2, 9000 /um^2, 8)", logspace(...)     even steps
  receptor.density="interval(2000 /um^2, 9000 /um^2)", log(...)             drawn between the ends

  sampler=auto        grid, list (values in pairs), random, sobol, lhs or optuna; auto: grid, or sobol for intervals
  points=64           of a drawn design, or trials of a study        sampler_seed=0
  table=FILE.csv      points from a file whose first line names the keys
  seeds=distinct      a seed for each point, from `seed` and its number; common: the same for all
  results=true        keep the whole result of each point, not its summary alone
  together=32         points that a process claims at a time
  stop_on_failure=false   end with the first point that fails; else it is recorded and the others go on
  resume=false        true: failed points are run once more
  folder=PATH         where it stands; by default outputs/sweep-NAME-HASH, so the same words join the same sweep
  workers=1           with hydra/launcher=joblib, submitit_local, submitit_slurm or ray: processes on one folder
  objective=FEATURE target="3.2 nA"   for sampler=optuna; without a target direction=minimize or maximize

Any other word is a setting or a parameter of nmjmc simulate, the same for all points.
"""


def command(words: list[str]) -> int:
    """Run `nmjmc sweep`.

    Returns:
        0 if every point is done, 1 if one failed.

    Raises:
        ValidationError: If the words cannot be right; nothing is computed then.
        Interrupted: On Ctrl-C, SIGTERM or SIGUSR1; what has a record is whole.
    """
    if not words or words[0] in ("--help", "-h"):
        sys.stdout.write(USAGE)
        return 0
    sorted_words = sweep_words.sort(words)
    options = sorted_words.options
    with placing(words):
        sweep, how = _opened(sorted_words)
    if how["dry_run"]:
        return _dry_run(sweep)
    _repair(sweep)
    if options.resume:
        sweep.forget_failures()
    if options.workers > 1 or any(word.startswith("hydra/launcher") for word in sorted_words.hydra):
        from nmjmc.cli.sweep_job import launch

        sweep.close()
        launch(sweep.path, options, how, sorted_words.hydra)
        _check_whole(sweep)
    else:
        manner = {name: how[name] for name in ("device", "cache", "progress")}
        run(sweep, **manner, together=options.together, stop_on_failure=options.stop_on_failure)
        _tell_held(sweep)
    return summarise(sweep)


def _repair(sweep: Sweep) -> None:
    """Clear away what killed processes have left, and make points with damaged records missing again."""
    clear_leftovers(sweep.path, sweep.path / "points", sweep.path / "results")
    for index, why in sweep.forget_damaged().items():
        sentence = f"The record of point {index} is damaged, and the point is run again ({why})."
        report.console().print(sentence, soft_wrap=True, markup=False)


def _check_whole(sweep: Sweep) -> None:
    """Make sure that the workers have left no point that nobody runs."""
    sweep.check_here()
    found = sweep.states()
    if left := sweep.claim((index for index in range(sweep.size) if index not in found), 1):
        raise NmjmcError(
            f"The workers ended, but point {left[0]} has no record and nobody runs it; see {sweep.path}/jobs, and go "
            f"on with: nmjmc sweep resume={sweep.path}"
        )


def _opened(words: sweep_words.Words) -> tuple[Sweep, dict[str, Any]]:
    """The sweep of these words: the one in a folder, or a new one."""
    if isinstance(words.options.resume, str):
        if words.swept:
            hint = "leave the other words out: the folder knows them"
            raise ValidationError("resume", "given with what is swept", "given alone", hint)
        sweep = Sweep.open(words.options.resume)
        return sweep, {**sweep.definition["how"], **_how(words.shared)}
    definition = sweep_plan.define(words)
    if definition["how"]["dry_run"]:
        return Sweep(sweep_plan.folder_of(definition, words.options), definition), definition["how"]
    written = {**definition, "points": list(definition["points"])}
    return Sweep.create(sweep_plan.folder_of(definition, words.options), written), definition["how"]


def _how(shared: tuple[str, ...]) -> dict[str, Any]:
    """What may be said anew of a sweep that goes on: the device, the cache, the progress."""
    given = {}
    for word in shared:
        key, _, value = word.partition("=")
        if key not in sweep_plan.HOW:
            raise ValidationError(key, "given", "left out when a sweep goes on", "the folder knows it")
        given[key] = {"true": True, "false": False}.get(value, value)
    return given


def run(
    sweep: Sweep, *, device: str, cache: bool, progress: str | bool, together: int, stop_on_failure: bool
) -> None:
    """Run the points in this process; arguments as for `Options` and the settings of a run.

    Raises:
        Interrupted: If the user or the system ends it.
    """
    if device == "cpu":
        only_cpu()
    try:
        with _log_in(sweep.path), _bar(sweep, progress) as on_point:
            manner = sweep_run.How(device, cache, together, stop_on_failure, on_point)
            _worker(sweep)(sweep, manner)
            sweep.check_here()
    except KeyboardInterrupt as stop:
        raise Interrupted(_where(sweep), stop) from stop
    except OSError as error:
        raise sweep_run.no_room(sweep, error) from error
    finally:
        sweep.close()


def _worker(sweep: Sweep) -> Callable[[Sweep, sweep_run.How], None]:
    """What finds the points to run: the list in the folder, or Optuna's study."""
    if sweep.definition["request"]["sampler"] != "optuna":
        return sweep_run.work
    from nmjmc.cli import study

    return study.work


def _where(sweep: Sweep) -> str:
    found = sweep_run.counts(sweep)
    return (
        f"Interrupted; {found['done']} of {sweep.size} points are whole. "
        f"Go on with: nmjmc sweep resume={sweep.path}"
    )


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


@contextlib.contextmanager
def _bar(sweep: Sweep, wanted: str | bool) -> Iterator[Any]:
    """A bar of finished points on a terminal; what other processes finish is counted too."""
    console = console_for(wanted)
    if console is None:
        yield lambda index, state: None
        return
    columns = (TextColumn("points"), BarColumn(24), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=sweep.size, completed=len(sweep.states()))
        told = [time.monotonic()]

        def tell(index: int, state: str) -> None:
            if time.monotonic() - told[0] < _SECONDS:
                bar.advance(task)
                return
            bar.update(task, completed=len(sweep.states()))  # looking through the folder takes time
            told[0] = time.monotonic()

        yield tell


def _dry_run(sweep: Sweep) -> int:
    """Print what would be run."""
    request, points = sweep.definition["request"], sweep.definition["points"]
    pairs = {"points": f"{sweep.size:,}", "sampler": request["sampler"], "folder": str(sweep.path)}
    for axis in request["axes"]:
        values = axis.get("values") or [f"{axis['low']} to {axis['high']}"]
        pairs[axis["key"]] = ", ".join(values[:6]) + (f", ... ({len(values)})" if len(values) > 6 else "")
    if points:
        pairs["the first"] = ", ".join(f"{key}={value}" for key, value in points[0]["values"].items())
    report.print_pairs("this sweep would have", pairs)
    return 0


def _tell_held(sweep: Sweep) -> None:
    """Say why this process ends although points are missing: it could claim none of them."""
    if held := sweep_run.counts(sweep)["missing"]:
        points = f"{held} missing {'point is' if held == 1 else 'points are'}"
        report.console().print(
            f"This process has nothing left to do: {points} held by another process, which runs "
            f"{'it' if held == 1 else 'them'} now.",
            soft_wrap=True,
        )


def summarise(sweep: Sweep) -> int:
    """Print what is done, failed and missing, and the first errors; the exit code."""
    found = sweep_run.counts(sweep)
    out = report.console()
    state = f"{found['done']} done, {found['failed']} failed, {found['missing']} missing, in {sweep.path}"
    out.print(state, soft_wrap=True)
    if sweep.definition["request"]["sampler"] == "optuna":
        _tell_best(sweep)
    failed = sorted(index for index, state in sweep.states().items() if state == FAILED)
    for index in failed[:_SHOWN]:
        record = sweep.read(index, FAILED)
        where = ", ".join(f"{key}={value}" for key, value in record["values"].items())
        point = f"point {index}{_line(sweep, index)}"
        out.print(f"  {point} ({where}): {record['error']['sentence']}", soft_wrap=True)
    if len(failed) > _SHOWN:
        out.print(f"  and {len(failed) - _SHOWN} more")
    if failed:
        out.print(f"Run them once more with: nmjmc sweep resume={sweep.path}", soft_wrap=True)
    return 1 if failed else 0


def _tell_best(sweep: Sweep) -> None:
    """Print the best point of a study: its feature, its values and where it stands."""
    from nmjmc.cli import study

    found = study.best(sweep)
    sweep.close()
    if found is None:
        return
    index, name = found[0], sweep.definition["request"]["objective"]
    record = sweep.read(index, DONE)
    feature = flat(record["summary"])[name]
    error = "" if feature.standard_error is None else f" (standard error {feature.standard_error:.2g})"
    where = ", ".join(f"{key}={value}" for key, value in record["values"].items())
    value = f"{feature.value:.4g} {UNITS[name]}".rstrip()
    kept = sweep.result_path(index) if sweep.definition["results"] else sweep.record_path(index, DONE)
    text = f"best: point {index}, {name} = {value}{error} at {where}, in {kept}"
    report.console().print(text, soft_wrap=True)


def _line(sweep: Sweep, index: int) -> str:
    """Where a point stands in the table that it comes from; nothing for other designs."""
    table = sweep.definition.get("table")
    return f" of {table['path']}, line {table['lines'][index]}" if table else ""
