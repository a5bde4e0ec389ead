"""`nmjmc.sweep`: many points of parameters and settings, as the command of that name runs them, to the same folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nmjmc.carried import Number
from nmjmc.data.sweep import Sweep
from nmjmc.errors import ValidationError
from nmjmc.kernel.numerics import Numerics
from nmjmc.simulation.config import Simulation
from nmjmc.simulation.request import SimulateRequest
from nmjmc.sweeps.design import read_table
from nmjmc.sweeps.plan import columns_of, plan
from nmjmc.sweeps.points import PREPARATION
from nmjmc.sweeps.request import SweepRequest
from nmjmc.sweeps.result import SweepResult
from nmjmc.sweeps.run import repair, run
from nmjmc.sweeps.work import Worker
from nmjmc.synapse import preparation
from nmjmc.synapse.model import Synapse


def sweep(
    synapse: Synapse | str = "human",
    over: Mapping[str, Any] | None = None,
    *,
    vesicles: Number = 1000,
    seed: Number = 0,
    duration: Number = 10.0,
    record_interval: Number = 0.01,
    numerics: Numerics | Mapping[str, Any] | None = None,
    sampler: str = "auto",
    points: Number = 64,
    sampler_seed: Number = 0,
    table: str | Path | None = None,
    seeds: str = "distinct",
    results: bool = True,
    objective: str | None = None,
    target: str | None = None,
    direction: str | None = None,
    folder: str | Path | None = None,
    resume: bool = False,
    together: Number = 32,
    stop_on_failure: bool = False,
    device: str = "auto",
    cache: bool = True,
    progress: bool | str = "auto",
) -> SweepResult:
    """Simulate every point of a sweep, and keep a record of each in a folder.

    Killed and called again, it goes on with what is missing. The same words of `nmjmc sweep` join the same folder, and
    several processes may work on it at once.

    Args:
        synapse: A synapse, or the name of a preparation or its file.
        over: What is swept: for each parameter (`receptor.density`, `temperature`) or setting (`vesicles`) a list of
            values, or a text: `"linspace(2000 /um^2, 9000 /um^2, 8)"`, `logspace(...)`, `"interval(low, high)"`,
            `log(...)`. The key `preparation` takes names.
        vesicles: Quanta of a point; by default as many as the command takes.
        seed: Of the sweep; each point has its own, from this one and its number.
        duration: Simulated time [ms], or text or an object with a unit.
        record_interval: Time between records [ms], likewise.
        numerics: How it is computed, as for `simulate`.
        sampler: `grid`, `list` (values in pairs), `random`, `sobol`, `lhs` or `optuna`; `auto` is a grid, or Sobol
            where there is an interval.
        points: Of a design that is drawn, or trials of a study.
        sampler_seed: Seed of the drawing.
        table: A CSV file of points, whose first line names the keys, in the place of `over`.
        seeds: `distinct`, or `common` for the same seed everywhere.
        results: Whether each point keeps its whole result, beside its summary.
        objective: For `optuna`: the feature to optimise.
        target: The value that it shall come near to, with its unit.
        direction: Without a target: `minimize` or `maximize`.
        folder: Where it stands; by default `outputs/sweep-NAME-HASH`.
        resume: Whether failed points are run once more.
        together: Points that a process claims at a time.
        stop_on_failure: Whether it ends with the first point that fails; else that is recorded.
        device: `auto`, `cpu` or `gpu`.
        cache: Whether compiled programs are kept.
        progress: Whether finished points are counted on a line: True, False, or `auto`.

    Returns:
        The sweep, half-finished or whole: `print(x)`, `x.table`, `x.to_xarray()`, `x.plot()`, `x.save()`.

    Raises:
        ValidationError: If something cannot be right; nothing is computed then.
        Interrupted: On Ctrl-C; what has a record is whole.

    Example:
        >>> import nmjmc
        >>> found = nmjmc.sweep("human", {"temperature": ["22 degC", "37 degC"]}, vesicles=50)  # doctest: +SKIP
    """
    options = SweepRequest.of(
        {
            "sampler": sampler, "points": points, "sampler_seed": sampler_seed, "seeds": seeds, "results": results,
            "table": None if table is None else str(table), "folder": None if folder is None else str(folder),
            "objective": objective, "target": target, "direction": direction, "resume": resume,
            "together": together, "stop_on_failure": stop_on_failure,
        }
    )  # fmt: skip
    request = SimulateRequest.of(
        {
            "vesicles": vesicles, "seed": seed, "duration": duration, "record_interval": record_interval,
            "numerics": numerics, "device": device, "cache": cache, "progress": progress,
        }
    )  # fmt: skip
    rows = read_table(options.table) if options.table else None
    swept = columns_of(rows, over or {}) if rows else dict(over or {})
    names = rows.values(PREPARATION) if rows and PREPARATION in swept else swept.get(PREPARATION)
    planned = plan(options, swept, _configs(synapse, request, names), rows)
    found = Sweep.create(planned.folder, planned.written())
    repair(found)
    if options.resume:
        found.forget_failures()
    worker = Worker(device, cache, options.together, stop_on_failure, built=planned.built)
    run(found, worker, progress)
    return SweepResult(found.path)


def _configs(
    synapse: Synapse | str, request: SimulateRequest, names: str | Iterable[str] | None
) -> dict[str, dict[str, Any]]:
    """What all points share: one config for each preparation that is swept."""
    if names is None:
        made = preparation(synapse) if isinstance(synapse, str) else synapse
        request.run_of(made)  # refuses what is no synapse
        return {"": Simulation(made, request).config()}
    if not isinstance(synapse, str):
        raise ValidationError(PREPARATION, "swept", "left out where a synapse is given")
    listed = [names] if isinstance(names, str) else names
    return {name: Simulation(preparation(name), request).config() for name in listed}
