"""A sweep by Optuna: several processes ask one study for points, in a journal file beside the records."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from nmjmc.data.result import Result
from nmjmc.data.sweep import Sweep
from nmjmc.sweeps import axes
from nmjmc.sweeps.axes import Axis
from nmjmc.sweeps.design import point_seed
from nmjmc.sweeps.objective import loss, optuna
from nmjmc.sweeps.work import Chosen, Worker, run_claimed
from nmjmc.units import to_internal

_JOURNAL = "optuna.log"


def work(sweep: Sweep, worker: Worker) -> None:
    """Ask for points, run them and tell their values, until the study has as many trials as the sweep has points.

    A trial that a killed process left running is run again, to the same bits: its point has no record, and nobody
    holds its claim.
    """
    study = _study(sweep)
    by_name = {axis["key"]: _axis(axis) for axis in sweep.definition["request"]["axes"]}
    while chosen := _claimed(sweep, study, by_name, worker.together):
        for index, outcome in run_claimed(sweep, chosen, worker):
            _tell(sweep, study, index, outcome)


def _study(sweep: Sweep) -> Any:
    """The study of this folder; made by the first process that asks."""
    library = optuna()
    backend = library.storages.journal.JournalFileBackend(str(sweep.path / _JOURNAL))
    direction = sweep.definition["request"]["direction"]
    direction = "minimize" if sweep.definition["request"]["target"] is not None else direction
    with sweep.claims.turn():
        return library.create_study(
            storage=library.storages.JournalStorage(backend),
            study_name="sweep",
            direction=direction,
            load_if_exists=True,
        )


def _claimed(sweep: Sweep, study: Any, found: Mapping[str, Axis], most: int) -> dict[int, Chosen]:
    """Points to run now: trials that were left behind, then new ones; asked for one process at a time."""
    chosen: dict[int, Any] = {}
    with sweep.claims.turn():
        states = sweep.states()
        trials = study.get_trials(deepcopy=False)
        for trial in trials:
            if not trial.state.is_finished():
                _tell_again(sweep, study, trial, states)
        open_trials = [t.number for t in trials if t.number not in states and t.number < sweep.size]
        for index in sweep.claim(open_trials, most):
            chosen[index] = _values(trials[index].params, found)
        for _ in range(min(most - len(chosen), sweep.size - len(trials))):
            trial = _ask(sweep, study, found)
            (index,) = sweep.claim([trial.number], 1)
            chosen[index] = _values(trial.params, found)
    return {index: Chosen(values, _seed(sweep, index)) for index, values in chosen.items()}


def _seed(sweep: Sweep, index: int) -> int:
    definition = sweep.definition
    common = definition["request"]["seeds"] == "common"
    return definition["seed"] if common else point_seed(definition["seed"], index)


def _ask(sweep: Sweep, study: Any, found: Mapping[str, Axis]) -> Any:
    """A new trial; the seed of its drawing differs from trial to trial, also where many processes ask."""
    library, number = optuna(), len(study.get_trials(deepcopy=False))
    seed = point_seed(sweep.definition["request"]["sampler_seed"], number) % 2**32
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # constant_liar is marked experimental
        study.sampler = library.samplers.TPESampler(seed=seed, constant_liar=True)
    return study.ask({key: _distribution(axis) for key, axis in found.items()})


def _distribution(axis: Axis) -> Any:
    made = optuna().distributions
    if not axis.is_interval:
        return made.CategoricalDistribution(axis.values)
    if axis.key in axes.WHOLE:
        return made.IntDistribution(round(axis.low), round(axis.high), log=axis.log)
    return made.FloatDistribution(axis.low, axis.high, log=axis.log)


def _values(params: Mapping[str, Any], found: Mapping[str, Axis]) -> dict[str, str]:
    return {
        key: value if isinstance(value, str) else found[key].write(value) for key, value in params.items()
    }


def _axis(plain: Mapping[str, Any]) -> Axis:
    """The inverse of `axes.as_plain`."""
    key, unit = plain["key"], plain["unit"]
    if "values" in plain:
        return Axis(key, unit, tuple(plain["values"]))
    low, high = (to_internal(plain[end], unit or "", key) for end in ("low", "high"))
    return Axis(key, unit, (), low, high, plain["log"])


def _tell(sweep: Sweep, study: Any, index: int, outcome: Result | Exception) -> None:
    """Tell the study what came of a point."""
    value = None if isinstance(outcome, Exception) else loss(sweep.definition["request"], outcome.summary())
    state = optuna().trial.TrialState
    how = state.FAIL if value is None else state.COMPLETE
    with sweep.claims.turn():  # its claim is free by now: another process may be telling the same
        study.tell(
            index, value, state=how, skip_if_finished=True
        )  # a failed trial may have been run once more


def _tell_again(sweep: Sweep, study: Any, trial: Any, states: Mapping[int, str]) -> None:
    """A trial whose point has its record, though the process was killed before it could tell."""
    index, state = trial.number, states.get(trial.number)
    if state is None or not sweep.claims.take(index):
        return
    try:
        record = sweep.read(index, state)
        value = loss(sweep.definition["request"], record["summary"]) if "summary" in record else None
        told = optuna().trial.TrialState
        study.tell(index, value, state=told.FAIL if value is None else told.COMPLETE, skip_if_finished=True)
    finally:
        sweep.claims.release(index)


def best(sweep: Sweep) -> tuple[int, float] | None:
    """Number and value of the best trial, or None if none is finished."""
    study = _study(sweep)
    try:
        return study.best_trial.number, float(study.best_value)
    except ValueError:
        return None
