"""How well a fit knows its parameters: Fisher information, profile likelihood, bootstrap over events.

Intervals are made in the unconstrained numbers, where the likelihood is closer to normal, and carried back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from nmjmc.errors import ValidationError, nearest
from nmjmc.fitting.estimators import Estimator
from nmjmc.fitting.optimise import FitState
from nmjmc.fitting.problem import Problem

UNKNOWN = 1e3
"""SD of an unconstrained parameter of which nothing is known; from -10 to 10 it goes from bound to bound."""

_AT_BOUND = 20.0  # unconstrained numbers beyond it are a bound to nine digits (a choice)

FLAT = 0.5
"""Relative SD beyond which a combination of parameters counts as not known."""


@dataclass(frozen=True, eq=False)
class Profile:
    """Likelihood of one parameter with all others at their best.

    Attributes:
        name: Path.
        values: Internal units [point].
        losses: Minus the logarithm of likelihood times prior [point].
        low: Ends of the interval at the level asked for, internal units; infinite where the profile does not
            rise high enough within the bounds.
        high: Likewise.
        level: Of the interval.
    """

    name: str
    values: np.ndarray
    losses: np.ndarray
    low: float
    high: float
    level: float


def covariance(problem: Problem, state: FitState, *, prior: bool = True) -> np.ndarray:
    """Covariance of the unconstrained parameters from the Fisher information [p, p].

    A combination of which the data know nothing has an SD of `UNKNOWN`, so that its interval ends at the bounds.
    """
    information = problem.information(state.z, state.slope, state.free, prior=prior)
    strength, vectors = np.linalg.eigh(information)
    least = max(UNKNOWN**-2, 1e-14 * float(strength[-1]))
    return (vectors / np.maximum(strength, least)) @ vectors.T


def seed_covariance(problem: Problem, state: FitState) -> np.ndarray:
    """Covariance of the estimate from the Monte Carlo error of the predictions alone [p, p]."""
    spread = covariance(problem, state)
    weighted = np.zeros((state.free.size, state.z.size))
    for term, part, a, b in zip(
        problem.terms, problem.parts(state.z), problem.cuts[:-1], problem.cuts[1:], strict=True
    ):
        weighted[:, a:b] = state.slope[a:b].T @ term.likelihood.information(part)
    gain = spread @ weighted
    return gain @ state.noise @ gain.T


def fisher_interval(problem: Problem, state: FitState, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the intervals from the Fisher information and the seed noise, internal units [p], [p]."""
    total = covariance(problem, state) + seed_covariance(problem, state)
    half = stats.norm.isf(0.5 * (1.0 - level)) * np.sqrt(np.diag(total))
    ends = [np.asarray(_values(problem, state.free + sign * half)) for sign in (-1.0, 1.0)]
    return ends[0], ends[1]


def profile(
    problem: Problem,
    estimator: Estimator,
    state: FitState,
    name: str,
    *,
    level: float = 0.95,
    points: int = 4,
) -> Profile:
    """Profile likelihood of one parameter, from the optimum outwards on both sides.

    Args:
        problem: What was fitted.
        estimator: As in the fit.
        state: The optimum.
        name: Path of the parameter.
        level: Of the interval.
        points: On each side; the last lies beyond where the Fisher interval ends.

    Returns:
        The profile and the interval at which the loss has risen by half the chi-square quantile.

    Raises:
        ValidationError: If the parameter was not free.
    """
    names = problem.parameters.names
    if name not in names:
        raise ValidationError("profile", name, "a free parameter", nearest(name, names))
    index = names.index(name)
    rise = 0.5 * float(stats.chi2.isf(1.0 - level, 1))
    spread = float(np.sqrt(covariance(problem, state)[index, index]))
    reach = min(1.4 * np.sqrt(2.0 * rise) * spread, 8.0)
    best = problem.loss(state.z, state.free)
    free, losses, ends = [float(state.free[index])], [best], []
    for sign in (-1.0, 1.0):
        begin, found = state.free, []
        for step in range(1, points + 1):
            at = float(state.free[index] + sign * reach * step / points)
            begin, loss = _without(problem, estimator, begin, index, at)
            found.append((at, loss))
        ends.append(_crossing(float(state.free[index]), best, found, best + rise))
        free += [at for at, _ in found]
        losses += [loss for _, loss in found]
    order = np.argsort(free)
    values = np.array([_values(problem, _with(state.free, index, free[i]))[index] for i in order])
    low, high = (
        _values(problem, _with(state.free, index, end))[index] if np.isfinite(end) else sign * np.inf
        for end, sign in zip(ends, (-1.0, 1.0), strict=True)
    )
    return Profile(name, values, np.array(losses)[order], float(low), float(high), level)


def _without(
    problem: Problem, estimator: Estimator, begin: np.ndarray, index: int, at: float, steps: int = 12
) -> tuple[np.ndarray, float]:
    """The other parameters at their best while one is held [p], and the loss there."""
    free = _with(begin, index, at)
    others = np.delete(np.arange(free.size), index)
    damping = 1e-3
    z, slope, _ = estimator.evaluate(problem, free)
    loss = problem.loss(z, free)
    for _ in range(steps if others.size else 0):
        gradient = problem.gradient(z, slope, free)[others]
        information = problem.information(z, slope, free)[np.ix_(others, others)]
        change = np.linalg.solve(
            information + damping * np.diag(np.maximum(np.diag(information), 1e-12)), gradient
        )
        if 0.5 * float(gradient @ change) < 1e-3:
            break
        trial = free.copy()
        trial[others] -= change * min(1.0, 3.0 / max(float(np.linalg.norm(change)), 1e-300))
        new_z, new_slope, _ = estimator.evaluate(problem, trial)
        new_loss = problem.loss(new_z, trial)
        if np.isfinite(new_loss) and new_loss < loss:
            free, z, slope, loss, damping = trial, new_z, new_slope, new_loss, damping / 5.0
        else:
            damping *= 10.0
    return free, loss


def _crossing(start: float, best: float, found: Sequence[tuple[float, float]], level: float) -> float:
    """Where the profile crosses a level, by a straight line in the root of its rise; infinite if nowhere."""
    previous, height = start, 0.0
    target = np.sqrt(level - best)
    for at, loss in found:
        root = np.sqrt(max(loss - best, 0.0))
        if root >= target:
            return previous + (at - previous) * (target - height) / (root - height)
        previous, height = at, root
    return float("inf")


def bootstrap(problem: Problem, state: FitState, repeats: int = 200, seed: int = 0) -> np.ndarray:
    """Estimates from resampled events, one natural step from the optimum each [repeat, p], internal units.

    One step from the optimum is the full refit to first order; a full refit is `fit` with the resampled data.

    Raises:
        ValidationError: For fewer than two repeats.
    """
    if repeats < 2:
        raise ValidationError("bootstrap", repeats, "two or more repeats")
    spread, rng = covariance(problem, state), np.random.default_rng(seed)
    rows = []
    for _ in range(repeats):
        push = np.zeros(state.free.size)
        for term, part, a, b in zip(
            problem.terms, problem.parts(state.z), problem.cuts[:-1], problem.cuts[1:], strict=True
        ):
            push += state.slope[a:b].T @ term.likelihood.information(part) @ (term.resampled(rng) - term.data)
        rows.append(_values(problem, state.free + spread @ push))
    return np.array(rows)


def flat_directions(problem: Problem, state: FitState, threshold: float = FLAT) -> list[str]:
    """Combinations of parameters that the data do not fix, in words.

    The data's information alone is used, without priors: an eigenvector of the covariance of the scaled parameters
    whose SD is above the threshold is named with the parameters that take part. A parameter at its bound is left out:
    nothing moves it there.
    """
    stretch = problem.parameters.stretch(state.free)
    inside = np.flatnonzero(np.abs(state.free) < _AT_BOUND)
    information = problem.information(state.z, state.slope, state.free, prior=False)
    scaled = information[np.ix_(inside, inside)] / np.outer(stretch[inside], stretch[inside])
    strength, own = np.linalg.eigh(scaled)
    vectors = np.zeros((stretch.size, inside.size))
    vectors[inside] = own
    sentences = []
    for value, vector in zip(strength, vectors.T, strict=True):
        sd = 1.0 / np.sqrt(max(value, 1e-12))
        if sd > threshold:
            sentences.append(_sentence(problem, vector, sd))
    return sentences


def _sentence(problem: Problem, vector: np.ndarray, sd: float) -> str:
    """One flat combination in words, its largest part positive."""
    vector = vector * np.sign(vector[np.abs(vector).argmax()])
    part = [(n, v) for n, v in zip(problem.parameters.names, vector, strict=True) if abs(v) > 0.15]
    part.sort(key=lambda pair: -abs(pair[1]))
    up = " and ".join(name for name, v in part if v > 0)
    down = " and ".join(name for name, v in part if v < 0)
    powers = " * ".join(f"{name}^{v:.2f}" for name, v in part)
    size = f"a factor of {np.exp(min(sd, 50.0)):.3g}" if sd < 10 else "any factor"
    if len(part) == 1:
        return f"{part[0][0]} is not known from these data to better than {size}"
    together = f"{up} can rise together" if not down else f"{up} can rise while {down} falls"
    return f"{together} with hardly a change of the predictions: {powers} is known only to {size}"


def _with(free: np.ndarray, index: int, value: float) -> np.ndarray:
    changed = free.copy()
    changed[index] = value
    return changed


def _values(problem: Problem, free: np.ndarray) -> np.ndarray:
    found = problem.values(free)
    return np.array([found[name] for name in problem.parameters.names])
