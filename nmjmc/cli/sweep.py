"""`nmjmc sweep`: many points in one process, or in several that share one folder; killed, it loses nothing."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from nmjmc.cli import compose, report, sweep_words, treatments, words
from nmjmc.cli.origin import placing
from nmjmc.data.sweep import Sweep
from nmjmc.errors import ValidationError
from nmjmc.request import usage
from nmjmc.simulation.request import SimulateRequest
from nmjmc.sweeps import axes, told
from nmjmc.sweeps.design import Table, read_table
from nmjmc.sweeps.plan import HOW, Plan, columns_of, plan
from nmjmc.sweeps.points import PREPARATION
from nmjmc.sweeps.request import SweepRequest
from nmjmc.sweeps.run import check_whole, failed_points, repair, run
from nmjmc.sweeps.work import Worker
from nmjmc.treatments import KINDS

USAGE = """\
nmjmc sweep KEY=VALUES ... [KEY=VALUE ...]       simulate every point, and keep a record of each
nmjmc sweep resume=FOLDER                        go on with a sweep: missing points, and failed ones once more

  receptor.density="3000 /um^2,5000 /um^2"       a list
  receptor.density="linspace(2000 /um^2, 9000 /um^2, 8)", logspace(...)     even steps
  receptor.density="interval(2000 /um^2, 9000 /um^2)", log(...)             drawn between the ends

{options}

  hydra/launcher=NAME starts the workers: joblib, submitit_local, submitit_slurm, slurm_gpu or ray
  objective=amplitude target="3.2 nA", or direction=minimize or maximize, for sampler=optuna

Any other word is a setting or a parameter of nmjmc simulate, the same for all points.
"""


def command(written: list[str]) -> int:
    """Run `nmjmc sweep`.

    Returns:
        0 if every point is done, 1 if one failed.

    Raises:
        ValidationError: If the words cannot be right; nothing is computed then.
        Interrupted: On Ctrl-C, SIGTERM or SIGUSR1; what has a record is whole.
    """
    if not written or written[0] in words.HELP:
        sys.stdout.write(USAGE.replace("{options}", usage(SweepRequest)))
        return 0
    written, own = treatments.with_files(written)
    asked = sweep_words.sort(written)
    with placing(written):
        if isinstance(asked.options.resume, str):
            return _go_on(asked, asked.options.resume)
        planned = _planned(asked, own)
    settings = SimulateRequest.of(planned.definition["how"])
    if settings.dry_run:
        report.print_pairs("this sweep would have", told.planned(planned))
        return 0
    return _run(Sweep.create(planned.folder, planned.written()), asked, settings, planned)


def _go_on(asked: sweep_words.Words, folder: str) -> int:
    """Go on with the sweep that stands in a folder."""
    if asked.swept:
        hint = "leave the other words out: the folder knows them"
        raise ValidationError("resume", "given with what is swept", "given alone", hint)
    sweep = Sweep.open(folder)
    settings = SimulateRequest.of({**sweep.definition["how"], **_said_anew(asked.shared)})
    return _run(sweep, asked, settings)


def _run(
    sweep: Sweep, asked: sweep_words.Words, settings: SimulateRequest, planned: Plan | None = None
) -> int:
    """Run the points that are missing, here or by workers, and tell what came of all."""
    options = asked.options
    for index, why in repair(sweep).items():
        sentence = f"The record of point {index} is damaged, and the point is run again ({why})."
        report.print_lines([sentence])
    if options.resume:
        sweep.forget_failures()
    worker = Worker(settings.device, settings.cache, options.together, options.stop_on_failure)
    if options.detach:
        return _leave(sweep, worker, asked)
    if options.workers > 1 or asked.launcher:
        from nmjmc.cli.workers import launch

        sweep.close()
        launch(sweep.path, worker, options.workers, asked.hydra)
        check_whole(sweep)
    else:
        run(sweep, replace(worker, built=planned.built if planned else {}), settings.progress)
        if sentence := told.held(sweep):
            report.print_lines([sentence])
    report.print_lines(told.outcome(sweep))
    return 1 if failed_points(sweep) else 0


def _leave(sweep: Sweep, worker: Worker, asked: sweep_words.Words) -> int:
    """Submit the workers, and say how to look at what they do."""
    from nmjmc.cli.workers import detach

    kind = sweep_words.LEFT[asked.launcher]
    jobs = detach(sweep, worker, asked.options.workers, kind, asked.hydra)
    sweep.close()
    submitted = f"Submitted {len(jobs)} worker{'s' if len(jobs) > 1 else ''} as job {jobs[0].split('_')[0]}"
    report.print_lines([f"{submitted}. Look at it by: nmjmc collect {sweep.path}"])
    return 0


def _planned(asked: sweep_words.Words, own: Mapping[str, Any] | None = None) -> Plan:
    """The plan of a new sweep: its configs are composed as those of `nmjmc simulate`."""
    options = asked.options
    table = read_table(options.table) if options.table else None
    swept = dict(asked.swept) if table is None else columns_of(table, asked.swept)
    return plan(options, swept, _configs(asked.shared, swept, table, own), table)


def _configs(
    shared: Sequence[str], swept: Mapping[str, str], table: Table | None, own: Mapping[str, Any] | None
) -> dict[str, dict[str, Any]]:
    """What all points share: one config for each preparation that is swept."""
    for key in swept:
        if key not in (PREPARATION, *KINDS):
            try:
                words.check_known(words.Word(key, "{"), key, words.SIMULATE)
            except ValidationError as error:
                raise table.refusal(error, None) if table else error from error
    if PREPARATION not in swept:
        return {"": _config(shared, own)}
    names = table.values(PREPARATION) if table else axes.pieces(swept[PREPARATION])
    return {name: _config([*shared, f"{PREPARATION}={name}"], own) for name in names}


def _config(shared: Sequence[str], own: Mapping[str, Any] | None) -> dict[str, Any]:
    """The config of words as `nmjmc simulate` takes them."""
    return compose.one(words.sort(shared, words.SIMULATE), words.SIMULATE, treatments.reading(own or {}))


def _said_anew(shared: tuple[str, ...]) -> dict[str, Any]:
    """What may be said anew of a sweep that goes on: the device, the cache, the progress."""
    given = {}
    for word in shared:
        key, _, value = word.partition("=")
        if key not in HOW:
            raise ValidationError(key, "given", "left out when a sweep goes on", "the folder knows it")
        given[key] = {"true": True, "false": False}.get(value, value)
    return given
