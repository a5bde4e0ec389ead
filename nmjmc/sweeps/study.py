"""A sweep by Optuna: several processes ask one study for points, in a journal file beside the records."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nmjmc.data.result import Result
from nmjmc.data.seal import DamageError, content_of
from nmjmc.data.sweep import Sweep
from nmjmc.errors import ValidationError
from nmjmc.sweeps import axes
from nmjmc.sweeps.axes import Axis
from nmjmc.sweeps.design import point_seed
from nmjmc.sweeps.objective import loss, optuna
from nmjmc.sweeps.work import Chosen, Worker, run_claimed
from nmjmc.units import to_internal

_JOURNAL = "optuna.log"
_DAMAGE = (ValueError, KeyError, TypeError, AttributeError, IndexError, AssertionError, RuntimeError, OSError)


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
    """The study of this folder; made by the first process that asks.

    Raises:
        ValidationError: If its journal is damaged.
    """
    try:
        with sweep.claims.turn():
            _check_journal(sweep.path / _JOURNAL)
        study = _opened(sweep)
        _check_trials(sweep, study)
    except ValidationError:
        raise  # of a record
    except DamageError as error:
        raise _damaged(sweep, str(error)) from error
    except (*_DAMAGE, optuna().exceptions.OptunaError) as error:  # of Optuna, which trusts its journal
        raise _damaged(sweep, "it is no journal of this study") from error
    return study


def _damaged(sweep: Sweep, why: str) -> ValidationError:
    hint = "what is finished stays readable by nmjmc collect; begin the study anew in another folder"
    found = f"{sweep.path / _JOURNAL}, which is damaged: {why}"
    return ValidationError("the journal of the study", found, "as it was written", hint)


def _check_journal(path: Path) -> None:
    """Whether every whole line of a journal is an entry; a last one that a killed process has cut is taken away.

    Raises:
        DamageError: If one is none.
    """
    if not path.exists() and not path.is_symlink():
        return
    content = content_of(path)
    *lines, rest = content.split(b"\n")
    if rest:
        os.truncate(path, len(content) - len(rest))
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DamageError(f"line {number} is no entry") from error
        if not isinstance(entry, dict) or not isinstance(entry.get("op_code"), int):
            raise DamageError(f"line {number} is no entry")


def _check_trials(sweep: Sweep, study: Any) -> None:
    """Whether the trials of a study are those whose records are kept.

    Raises:
        DamageError: If one has other values.
    """
    found = {axis["key"]: _axis(axis) for axis in sweep.definition["request"]["axes"]}
    states = sweep.states()  # before the trials, as other processes go on
    trials = study.get_trials(deepcopy=False)
    if extra := sorted(set(states) - {trial.number for trial in trials}):
        raise DamageError(f"trial {extra[0]} is missing")
    for trial in trials:
        if set(trial.params) - set(found):
            raise DamageError(f"trial {trial.number} has other parameters")
        state = states.get(trial.number)
        if state is None or not sweep.record_path(trial.number, state).exists():
            continue  # a failed point may be run again meanwhile
        record = sweep.read(trial.number, state)
        told = [loss(sweep.definition["request"], record["summary"])] if "summary" in record else None
        done = trial.state == optuna().trial.TrialState.COMPLETE
        if record["values"] != _values(trial.params, found) or (done and trial.values != told):
            raise DamageError(f"trial {trial.number} has other values than its record")


def _opened(sweep: Sweep) -> Any:
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
