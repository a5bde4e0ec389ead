"""Gradients of a loss by name, each with its stated bias.

An estimator gives the predictions z, their Jacobian, and the covariance of their Monte Carlo error; gradient and
information follow by the chain rule. `mean_field` is the default where the mean field solves the synapse.
"""

from __future__ import annotations

import abc
from typing import Any

import numpy as np

from nmjmc.carried import Number
from nmjmc.errors import ValidationError, nearest
from nmjmc.fitting.problem import Problem
from nmjmc.fitting.quanta import Condition
from nmjmc.fitting.scores import dilution
from nmjmc.fitting.simulations import (
    Simulate,
    Simulated,
    kernel_correction,
    of_run,
    of_runs,
    score_slopes,
    simulate_all,
    simulate_points,
    simulated,
)
from nmjmc.kernel.numerics import Numerics
from nmjmc.meanfield.problem import refuse_unsupported
from nmjmc.numbers import whole_number
from nmjmc.synapse.model import Synapse

FEWEST_QUANTA, MOST_QUANTA = 8, 10_000_000
"""Of one condition; a choice."""

Evaluation = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Predictions [z], Jacobian [z, p], covariance of their Monte Carlo error [z, z]."""


class Estimator(abc.ABC):
    """A way to predict the data and its derivatives.

    Attributes:
        name: Under which it is asked for.
        bias: What is wrong with its gradient, in words.
    """

    name: str
    bias: str

    def prepare(self, problem: Problem, free: np.ndarray) -> None:
        """Work that is done once, at the parameters the fit begins from; none by default."""
        return None

    @abc.abstractmethod
    def evaluate(self, problem: Problem, free: np.ndarray) -> Evaluation:
        """Predictions, Jacobian and Monte Carlo covariance."""

    @abc.abstractmethod
    def predict(self, problem: Problem, free: np.ndarray) -> np.ndarray:
        """Predictions only."""


class MeanFieldEstimator(Estimator):
    """Pathwise derivatives through the deterministic twin."""

    name = "mean_field"
    bias = (
        "no noise; the bias of the mean field itself, about 0.1 % of the current on the human preset, which moves "
        "fitted parameters by about 1 %, and that of channel gating taken as independent"
    )

    def evaluate(self, problem: Problem, free: np.ndarray) -> Evaluation:
        z, slope = problem.predict_with_slope(free)
        return z, slope, np.zeros((z.size, z.size))

    def predict(self, problem: Problem, free: np.ndarray) -> np.ndarray:
        return problem.predict(free)


class CorrectedEstimator(Estimator):
    """The mean field plus the difference of the kernel from it at one point, z(u) + Z(u0) - z(u0).

    Attributes:
        vesicles: Quanta simulated for each condition.
        seed: Of the simulation.
    """

    name = "corrected"
    bias = (
        "at the point of correction none but the Monte Carlo error of the correction, which is told apart as seed "
        "noise; away from it the change of the mean field's bias"
    )

    def __init__(self, vesicles: int = 512, seed: int = 0, simulate: Simulate | None = None) -> None:
        self.vesicles, self.seed = vesicles, seed
        self.simulate = simulate or simulated
        self.offset = self.covariance = np.zeros(0)

    def prepare(self, problem: Problem, free: np.ndarray) -> None:
        found = kernel_correction(problem, free, self.vesicles, self.seed, self.simulate)
        self.offset, self.covariance = found

    def evaluate(self, problem: Problem, free: np.ndarray) -> Evaluation:
        z, slope = problem.predict_with_slope(free)
        return z + self.offset, slope, self.covariance

    def predict(self, problem: Problem, free: np.ndarray) -> np.ndarray:
        return problem.predict(free) + self.offset


class CommonRandomNumbersEstimator(Estimator):
    """Central differences of the kernel from the same seed on both sides.

    Attributes:
        vesicles: Quanta simulated for each condition and side.
        seed: The common seed.
        step: Of the unconstrained parameters.
    """

    name = "common_random_numbers"
    bias = "of second order in the step; its noise falls with the number of vesicles; for geometry and diffusion too"

    def __init__(
        self,
        vesicles: int = 256,
        seed: int = 0,
        step: float = 0.1,
        simulate: Simulate | None = None,
    ) -> None:
        self.vesicles, self.seed, self.step, self.simulate = vesicles, seed, step, simulate

    def evaluate(self, problem: Problem, free: np.ndarray) -> Evaluation:
        rows = self.step * np.eye(free.size)
        points = [free, *(free + rows), *(free - rows)]
        runs = simulate_points(problem, points, self.vesicles, self.seed, self.simulate)
        z, covariance = of_runs(problem, free, runs[0], self.vesicles)
        sides = np.stack([of_run(problem, at, run) for at, run in zip(points[1:], runs[1:], strict=True)])
        return z, ((sides[: free.size] - sides[free.size :]) / (2.0 * self.step)).T, covariance

    def predict(self, problem: Problem, free: np.ndarray) -> np.ndarray:
        (run,) = simulate_points(problem, [free], self.vesicles, self.seed, self.simulate)
        return of_run(problem, free, run)


class ScoreFunctionEstimator(Estimator):
    """Covariances of what quanta do with the scores of the parameters, from one simulation a condition.

    Attributes:
        vesicles: Quanta simulated for each condition.
        seed: Of the simulation.
        interval: Between records [ms].
        numerics: How it is computed.
    """

    name = "score_function"
    bias = (
        "none for rates, baths and the content of vesicles that differ, whatever the scheme; for densities none, of "
        "sites that stand at random; its noise falls with the root of the number of vesicles and is large; it knows "
        "nothing of geometry and diffusion"
    )

    def __init__(
        self, vesicles: int = 512, seed: int = 0, interval: float = 0.02, numerics: Numerics | None = None
    ) -> None:
        self.vesicles, self.seed, self.interval, self.numerics = vesicles, seed, interval, numerics

    def evaluate(self, problem: Problem, free: np.ndarray) -> Evaluation:
        runs = self._runs(problem, free)
        z, covariance = of_runs(problem, free, runs, self.vesicles)
        return z, score_slopes(problem, free, runs), covariance

    def predict(self, problem: Problem, free: np.ndarray) -> np.ndarray:
        return of_run(problem, free, self._runs(problem, free))

    def _runs(self, problem: Problem, free: np.ndarray) -> dict[Condition, Simulated]:
        tiles = dilution(problem, free)

        def scored(synapse: Synapse, condition: Condition, vesicles: int, seed: int) -> Simulated:
            how = {"scores": True, "dilution": tiles, "numerics": self.numerics}
            return simulated(synapse, condition, vesicles, seed, self.interval, **how)

        return simulate_all(problem, free, self.vesicles, self.seed, scored)


ESTIMATORS: dict[str, type[Estimator]] = {
    kind.name: kind
    for kind in (MeanFieldEstimator, CorrectedEstimator, CommonRandomNumbersEstimator, ScoreFunctionEstimator)
}
"""Estimators by name."""


def choose(
    estimator: str | Estimator, synapse: Synapse, vesicles: Number | None = None, seed: int = 0
) -> tuple[Estimator, str]:
    """An estimator by name, or the one that `auto` begins with, and why.

    Args:
        estimator: Its name, `auto`, or the estimator itself.
        synapse: That is fitted.
        vesicles: Quanta that the kernel simulates for each condition; by default the estimator's own number.
        seed: Of the simulations.

    Raises:
        ValidationError: For an unknown name, or too few vesicles.
    """
    if isinstance(estimator, Estimator):
        return estimator, f"{estimator.name}, as asked for: {estimator.bias}"
    if vesicles is not None:
        vesicles = whole_number(vesicles, "fit.vesicles", FEWEST_QUANTA, MOST_QUANTA)
    if estimator == "auto":
        try:
            refuse_unsupported(synapse)
        except ValidationError as error:
            found = made("common_random_numbers", vesicles, seed)
            return (
                found,
                f"{found.name}, as the mean field does not solve this synapse ({error.field}): {found.bias}",
            )
        found = MeanFieldEstimator()
        return found, f"{found.name}, as the mean field solves this synapse: {found.bias}"
    if estimator not in ESTIMATORS:
        known = ("auto", *ESTIMATORS)
        raise ValidationError(
            "fit.estimator", repr(estimator), "a known estimator", nearest(estimator, known)
        )
    found = made(estimator, vesicles, seed)
    if isinstance(found, MeanFieldEstimator | CorrectedEstimator):
        refuse_unsupported(synapse)
    return found, f"{found.name}, as asked for: {found.bias}"


def made(name: str, vesicles: int | None, seed: int) -> Estimator:
    """An estimator by its known name; all but the mean field, which draws nothing, take a seed."""
    kind = ESTIMATORS[name]
    if issubclass(kind, MeanFieldEstimator):
        return kind()
    estimator: Any = kind(seed=seed)  # pyright: ignore[reportCallIssue]  (the base alone has no seed)
    if vesicles is not None:
        estimator.vesicles = vesicles
    return estimator
