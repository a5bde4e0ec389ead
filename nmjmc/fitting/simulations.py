"""Simulated quanta for fits: their predictions of the data, the error of these, and their derivatives by scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from nmjmc.errors import NmjmcError, ValidationError
from nmjmc.fitting.parameters import EXTRA
from nmjmc.fitting.problem import Problem
from nmjmc.fitting.quanta import Condition
from nmjmc.fitting.score_slopes import score_slope
from nmjmc.fitting.scores import Run, Scores, changed, plain, scores, weights
from nmjmc.fitting.terms import Term
from nmjmc.kernel import simulate as kernel
from nmjmc.kernel.many import Request, run_many
from nmjmc.kernel.numerics import Numerics
from nmjmc.kernel.physics import release
from nmjmc.synapse.model import Synapse


class Simulated(NamedTuple):
    """Simulated quanta: times [t] [ms], currents [v, t] [nA], contents [v]; what scores need, where they are wanted."""

    time: np.ndarray
    current: np.ndarray
    content: np.ndarray
    run: Run | None = None


Simulate = Callable[[Synapse, Condition, int, int], Simulated]
"""Quanta of a synapse under a condition: how many, from which seed."""


def of_run(problem: Problem, free: np.ndarray, runs: Mapping[Condition, Simulated]) -> np.ndarray:
    """Predictions from runs of all conditions [z]."""
    values = problem.values(free)
    with jax.enable_x64(True):
        parts = [
            t.from_events(runs[t.condition].time, runs[t.condition].current, values) for t in problem.terms
        ]
    return np.concatenate(parts)


def of_runs(
    problem: Problem, free: np.ndarray, runs: Mapping[Condition, Simulated], vesicles: int
) -> tuple[np.ndarray, np.ndarray]:
    """Predictions from runs of all conditions and the covariance of their Monte Carlo error."""
    values = problem.values(free)
    return _with_jackknife(
        problem, lambda term, kept: term.from_events(*_events(runs[term.condition], kept), values), vesicles
    )


def kernel_correction(
    problem: Problem, free: np.ndarray, vesicles: int, seed: int, simulate: Simulate
) -> tuple[np.ndarray, np.ndarray]:
    """Predictions of the kernel less those of the mean field for the very same contents, and their covariance.

    The contents of the simulated vesicles, whose scatter would dominate the Monte Carlo error, are common to both.
    """
    values, runs = problem.values(free), simulate_all(problem, free, vesicles, seed, simulate)
    twins = {c: problem.currents_of(free, c, run.content, run.time) for c, run in runs.items()}

    def difference(term: Term, kept: np.ndarray) -> np.ndarray:
        run, (currents, channel) = runs[term.condition], twins[term.condition]
        # the twin's currents carry the scale already
        plain = {name: value for name, value in values.items() if name != "recording.scale"}
        twin = term.from_events(run.time, currents[kept], plain, channel)
        return term.from_events(*_events(run, kept), values) - twin

    return _with_jackknife(problem, difference, vesicles)


def simulate_all(
    problem: Problem, free: np.ndarray, vesicles: int, seed: int, simulate: Simulate
) -> dict[Condition, Simulated]:
    """Simulated quanta of each condition."""
    return {c: simulate(changed(problem, c, free), c, vesicles, seed) for c in problem.conditions}


def simulate_points(
    problem: Problem, points: Sequence[np.ndarray], vesicles: int, seed: int, simulate: Simulate | None = None
) -> list[dict[Condition, Simulated]]:
    """Simulated quanta of each condition at several points [p], from one seed.

    By default all points share the kernel's programs: each alone would compile programs for its numbers of sites and
    molecules.

    Raises:
        SimulationError: If a simulation failed; failed vesicles are never dropped.
    """
    if simulate is not None:
        return [simulate_all(problem, free, vesicles, seed, simulate) for free in points]
    asked = [(changed(problem, c, free), c, vesicles, seed) for free in points for c in problem.conditions]
    by_name: dict[int, Simulated] = dict(simulated_many(asked))
    each = len(problem.conditions)
    return [{c: by_name[k * each + i] for i, c in enumerate(problem.conditions)} for k in range(len(points))]


def _events(run: Simulated, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return run.time, run.current[kept]


def _with_jackknife(
    problem: Problem, statistic: Callable[[Term, np.ndarray], np.ndarray], vesicles: int, groups: int = 32
) -> tuple[np.ndarray, np.ndarray]:
    """Predictions of all data sets and the delete-a-group jackknife covariance of each, [z] and [z, z]."""
    everyone = np.arange(vesicles)
    parts = np.array_split(everyone, min(groups, vesicles))
    covariance = np.zeros((problem.cuts[-1], problem.cuts[-1]))
    kept = []
    with jax.enable_x64(True):
        for term, a, b in zip(problem.terms, problem.cuts[:-1], problem.cuts[1:], strict=True):
            kept.append(statistic(term, everyone))
            left = np.stack([statistic(term, np.setdiff1d(everyone, part)) for part in parts])
            away = left - left.mean(axis=0)
            covariance[a:b, a:b] = (len(parts) - 1.0) / len(parts) * away.T @ away
    return np.concatenate(kept), covariance


def simulated(
    synapse: Synapse,
    condition: Condition,
    vesicles: int,
    seed: int,
    interval: float = 0.02,
    scores: bool = False,
    dilution: tuple[float, float] = (1.0, 1.0),
    numerics: Numerics | None = None,
) -> Simulated:
    """Quanta of the particle kernel, recorded every `interval` ms; with what scores need, if wanted.

    `dilution` and `numerics`: see `nmjmc.kernel.simulate.run`.
    """
    host = plain(synapse)
    duration = _duration(condition, interval)
    record = kernel.run(
        host, vesicles=vesicles, seed=seed, duration=duration, record_interval=interval, scores=scores,
        dilution=dilution, numerics=numerics,
    )  # fmt: skip
    current = _current(host, record.counts)
    time = np.asarray(record.time, np.float64)
    run = None
    if record.scores is not None:
        contents = np.asarray(release.contents(host.vesicle, seed, 0, vesicles), np.float64)
        run = Run(record.scores, contents, np.asarray(host.vesicle.times, np.float64), time)
    return Simulated(time, current, np.asarray(record.content, np.float64), run)


def simulated_many(
    asked: Sequence[tuple[Synapse, Condition, int, int]], interval: float = 0.02
) -> Iterator[tuple[int, Simulated]]:
    """Quanta of many synapses, which share the kernel's programs.

    Args:
        asked: Of each the synapse (the changes of its condition made already), the condition, quanta and seed.
        interval: Between records [ms].

    Yields:
        Which of them it is, and its quanta, as soon as they are finished, in any order; the same as from `simulated`.

    Raises:
        SimulationError: If one of them failed.
    """
    requests = [
        Request(plain(synapse), vesicles, seed, _duration(condition, interval), interval)
        for synapse, condition, vesicles, seed in asked
    ]
    for index, record in run_many(requests):
        if isinstance(record, NmjmcError):
            raise record
        current = _current(requests[index].synapse, record.counts)
        time, content = np.asarray(record.time, np.float64), np.asarray(record.content, np.float64)
        yield index, Simulated(time, current, content)


def _duration(condition: Condition, interval: float) -> float:
    return float(interval * np.ceil(condition.duration / interval - 1e-9))


def _current(synapse: Synapse, counts: Mapping[str, Any]) -> np.ndarray:
    """Current through the open channels [v, t] [nA]."""
    warm = synapse.effective()
    scheme = warm.receptor.scheme
    total = sum(g * np.asarray(counts[s]) for s, g in zip(scheme.states, scheme.conductance, strict=True))
    drive = float(warm.fibre.holding_potential) - float(warm.receptor.reversal_potential)
    return float(warm.receptor.channel_conductance) * drive * np.asarray(total, np.float64)


def score_slopes(problem: Problem, free: np.ndarray, runs: Mapping[Condition, Simulated]) -> np.ndarray:
    """Jacobian of the predictions by the score function, from one run of each condition [z, p].

    Raises:
        ValidationError: For a parameter that has no score.
    """
    by_name: dict[Condition, tuple[Scores, np.ndarray]] = {}
    for condition, run in runs.items():
        if run.run is None:
            raise ValidationError("fit.estimator", "score_function", "given simulations that keep scores")
        known = scores(problem, condition, free, run.run)
        by_name[condition] = known, weights(known, run.content)
    parts = []
    with jax.enable_x64(True):
        for term in problem.terms:
            (known, weight), run = by_name[term.condition], runs[term.condition]
            by_score = score_slope(term, run.time, run.current, weight, problem.values(free))
            parts.append(by_score + _along_path(problem, term, free, run, known.current))
    return np.concatenate(parts)


def _along_path(
    problem: Problem, term: Term, free: np.ndarray, run: Simulated, by_current: np.ndarray, step: float = 1e-4
) -> np.ndarray:
    """Derivatives by what scales the current and by the numbers of release and recording, for given openings [z, p]."""
    numbers = np.zeros((term.data.size, free.size))
    for k, name in enumerate(problem.parameters.names):
        if name not in EXTRA and by_current[k] == 0.0:
            continue
        sides = []
        for sign in (1.0, -1.0):
            values = problem.values(free + sign * step * np.eye(free.size)[k])
            current = (1.0 + sign * step * by_current[k]) * run.current
            sides.append(term.from_events(run.time, current, values))
        numbers[:, k] = (sides[0] - sides[1]) / (2.0 * step)
    return numbers
