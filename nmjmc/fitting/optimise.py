"""The way downhill: natural-gradient steps with damping (optax applies them), or any optax optimiser by name.

The state of a fit is a few float64 arrays. All that a step does is a function of them, so that a fit that was killed
goes on from its last checkpoint to the same bits.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from nmjmc import ending
from nmjmc.errors import FitError, ValidationError, nearest
from nmjmc.fitting.estimators import Estimator
from nmjmc.fitting.problem import Problem

OPTIMISERS: dict[str, Callable[[float], optax.GradientTransformation]] = {
    # a step of more than 3 in an unconstrained number goes from the middle to the edge of its range
    "natural": lambda rate: optax.chain(optax.clip_by_global_norm(3.0), optax.sgd(rate)),
    "adam": optax.adam,
    "sgd": optax.sgd,
}
RATES = {"natural": 1.0, "adam": 0.05, "sgd": 0.01}
CONVERGED, STUCK = 1, 2
_DAMPING = 1e-3  # of the first natural step


@dataclass(frozen=True, eq=False)
class FitState:
    """Where a fit is.

    Attributes:
        free: Unconstrained parameters [p].
        z: Predictions there [z].
        slope: Their Jacobian [z, p].
        noise: Covariance of their Monte Carlo error [z, z].
        damping: Of the natural step.
        losses: Of all steps so far [step].
        trace: Unconstrained parameters of all steps [step, p].
        gradient_noise: Size of the gradient's Monte Carlo error relative to the gradient [step].
        moments: State of the optax optimiser, flattened [m].
        done: 0 on the way; `CONVERGED` once no step is worth it; `STUCK` where no step lowers the loss, although the
            gradient says that it should fall.
    """

    free: np.ndarray
    z: np.ndarray
    slope: np.ndarray
    noise: np.ndarray
    damping: np.ndarray
    losses: np.ndarray
    trace: np.ndarray
    gradient_noise: np.ndarray
    moments: np.ndarray
    done: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """The state by name, for a checkpoint."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class FitProgress:
    """What is told after each step.

    Attributes:
        step: Steps taken.
        steps: Steps at most.
        loss: Of the present parameters.
        values: Parameters by path, internal units.
        gradient_noise: Monte Carlo error of the gradient relative to its size; 0 for the mean field.
        elapsed_seconds: In this process.
        remaining_seconds: For the steps that are left at most.
        stage: What is going on.
    """

    step: int
    steps: int
    loss: float
    values: dict[str, float]
    gradient_noise: float
    elapsed_seconds: float
    remaining_seconds: float
    stage: str = "descent"


def free_values(problem: Problem, free: np.ndarray) -> dict[str, float]:
    """The free parameters by path, internal units."""
    values = problem.values(free)
    return {name: values[name] for name in problem.parameters.names}


def progress_of(problem: Problem, state: FitState, steps: int, stage: str) -> FitProgress:
    """Where a fit is, before something begins of which nobody knows how long it takes."""
    values = free_values(problem, state.free)
    noise = float(state.gradient_noise[-1])
    return FitProgress(
        state.losses.size - 1, steps, float(state.losses[-1]), values, noise, 0.0, float("nan"), stage
    )


def begin(problem: Problem, estimator: Estimator, optimiser: str) -> FitState:
    """The state at the start of a fit.

    Raises:
        ValidationError: For an unknown optimiser.
        FitError: If the loss is not finite at the start.
    """
    if optimiser not in OPTIMISERS:
        raise ValidationError(
            "fit.optimiser", repr(optimiser), "a known optimiser", nearest(optimiser, OPTIMISERS)
        )
    free = problem.parameters.unconstrained(problem.parameters.start)
    z, slope, noise = estimator.evaluate(problem, free)
    loss = problem.loss(z, free)
    _refuse_not_finite(problem, estimator, free, free, loss)
    moments = _flat(OPTIMISERS[optimiser](RATES[optimiser]).init(_double(free)))
    return FitState(
        free, z, slope, noise, np.array(_DAMPING), np.array([loss]), free[None, :],
        np.array([_noise(problem, z, slope, noise, free)]), moments, np.array(0),
    )  # fmt: skip


def optimise(
    problem: Problem,
    estimator: Estimator,
    state: FitState,
    *,
    optimiser: str = "natural",
    steps: int = 60,
    tolerance: float = 1e-3,
    on_step: Callable[[FitProgress], None] | None = None,
    keep: Callable[[FitState], None] | None = None,
) -> FitState:
    """Take steps until the loss would fall by less than the tolerance, or until there are enough.

    Args:
        problem: What is fitted.
        estimator: Of predictions and their derivatives.
        state: Where to begin.
        optimiser: `natural` (damped Gauss-Newton: a step that does not lower the loss is taken back and made
            smaller), `adam` or `sgd`.
        steps: At most, counted from the start of the fit.
        tolerance: Decrease of the loss that is not worth a step; 0.001 is a hundredth of a likelihood unit's tenth.
        on_step: Told of each step.
        keep: Given each state, to be written as a checkpoint.

    Returns:
        The last state.

    Raises:
        FitError: If the loss becomes infinite or NaN.
    """
    begun, first = time.monotonic(), state.losses.size
    while not state.done and state.losses.size <= steps:
        state = _step(problem, estimator, state, optimiser, tolerance)
        if keep is not None:
            keep(state)
        ending.look()
        if on_step is not None:
            elapsed, taken = time.monotonic() - begun, state.losses.size - first
            left = 0.0 if state.done else elapsed / max(taken, 1) * (steps + 1 - state.losses.size)
            on_step(
                FitProgress(
                    state.losses.size - 1, steps, float(state.losses[-1]), free_values(problem, state.free),
                    float(state.gradient_noise[-1]), elapsed, left,
                )
            )  # fmt: skip
    return state


def _step(
    problem: Problem, estimator: Estimator, state: FitState, optimiser: str, tolerance: float
) -> FitState:
    """One step, kept or taken back."""
    gradient = problem.gradient(state.z, state.slope, state.free)
    information = problem.information(state.z, state.slope, state.free)
    natural = optimiser == "natural"
    scale = np.diag(np.maximum(np.diag(information), 1e-12))
    damping = float(state.damping)
    direction = np.linalg.solve(information + damping * scale, gradient) if natural else gradient
    if natural and 0.5 * float(gradient @ direction) < tolerance:
        # a step that is damped so much is worth little, wherever it stands: where none has lowered the loss yet, it
        # must be flat without that damping too
        freely = np.linalg.solve(information + min(damping, _DAMPING) * scale, gradient)
        flat = 0.5 * float(gradient @ freely) < tolerance or state.losses[-1] < state.losses[0]
        return replace(state, done=np.array(CONVERGED if flat else STUCK))
    change, moments = _apply(optimiser, direction, state)
    free = state.free + change
    z, slope, noise = estimator.evaluate(problem, free)
    loss = problem.loss(z, free)
    _refuse_not_finite(problem, estimator, free, state.free, loss)
    if natural and loss > state.losses[-1]:
        done = np.array(STUCK if damping > 1e6 else 0)
        return _kept(
            problem, replace(state, damping=np.asarray(state.damping * 10.0), done=done), state.losses[-1]
        )
    eased = np.asarray(np.maximum(state.damping / 5.0, 1e-9)) if natural else state.damping
    moved = replace(state, free=free, z=z, slope=slope, noise=noise, damping=eased, moments=moments)
    return _kept(problem, moved, loss)


def _kept(problem: Problem, state: FitState, loss: float) -> FitState:
    """The state with one more entry in its history."""
    size = _noise(problem, state.z, state.slope, state.noise, state.free)
    return replace(
        state,
        losses=np.append(state.losses, loss),
        trace=np.vstack([state.trace, state.free]),
        gradient_noise=np.append(state.gradient_noise, size),
    )


def _apply(optimiser: str, direction: np.ndarray, state: FitState) -> tuple[np.ndarray, np.ndarray]:
    """The step that optax makes of a direction, and its state after it."""
    # optax counts steps in integers that it multiplies with floats
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        rule = OPTIMISERS[optimiser](RATES[optimiser])
        empty = rule.init(jnp.asarray(state.free))
        change, after = rule.update(
            jnp.asarray(direction), _unflat(state.moments, empty), jnp.asarray(state.free)
        )
        return np.asarray(change), _flat(after)


def _double(values: np.ndarray) -> Any:
    return np.asarray(values, np.float64)


def _flat(tree: Any) -> np.ndarray:
    leaves = [np.ravel(np.asarray(leaf, np.float64)) for leaf in jax.tree.leaves(tree)]
    return np.concatenate(leaves) if leaves else np.zeros(0)


def _unflat(values: np.ndarray, like: Any) -> Any:
    leaves, structure = jax.tree.flatten(like)
    cuts = np.cumsum([0, *(np.size(leaf) for leaf in leaves)])
    made = [
        jnp.asarray(values[a:b].reshape(np.shape(leaf)), jnp.asarray(leaf).dtype)
        for leaf, a, b in zip(leaves, cuts[:-1], cuts[1:], strict=True)
    ]
    return jax.tree.unflatten(structure, made)


def _noise(problem: Problem, z: np.ndarray, slope: np.ndarray, noise: np.ndarray, free: np.ndarray) -> float:
    """Size of the gradient's Monte Carlo error relative to the gradient; 0 without Monte Carlo."""
    if not noise.any():
        return 0.0
    weight = np.zeros((z.size, z.size))
    for term, part, a, b in zip(
        problem.terms, problem.parts(z), problem.cuts[:-1], problem.cuts[1:], strict=True
    ):
        weight[a:b, a:b] = term.likelihood.information(part)
    spread = slope.T @ weight @ noise @ weight @ slope
    size = np.linalg.norm(problem.gradient(z, slope, free))
    return float(np.sqrt(np.trace(spread)) / max(size, 1e-300))


def _refuse_not_finite(
    problem: Problem, estimator: Estimator, free: np.ndarray, before: np.ndarray, loss: float
) -> None:
    """Stop at a loss that is no number, and name the parameter whose change made it so.

    Raises:
        FitError: With the parameter and its value.
    """
    if np.isfinite(loss):
        return
    changed = [i for i in range(free.size) if free[i] != before[i]]
    guilty = []
    for i in changed:
        mended = free.copy()
        mended[i] = before[i]
        if np.isfinite(problem.loss(estimator.predict(problem, mended), mended)):
            guilty.append(i)
    values = problem.values(free)
    names = [problem.parameters.names[i] for i in (guilty or changed or range(free.size))]
    raise FitError(f"the loss is {loss}", {name: values[name] for name in names})
