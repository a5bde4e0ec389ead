"""Gradients of a loss by name, each with its stated bias.

An estimator gives the predictions z, their Jacobian, and the covariance of their Monte Carlo error; gradient and
information follow by the chain rule. `mean_field` is the default where the mean field solves the synapse.
"""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np

from nmjmc.errors import ValidationError, nearest
from nmjmc.fitting.parameters import with_values
from nmjmc.fitting.problem import Problem
from nmjmc.fitting.quanta import Condition
from nmjmc.fitting.terms import Term
from nmjmc.kernel import simulate as kernel
from nmjmc.kernel.numerics import Numerics
from nmjmc.meanfield.problem import refuse_unsupported
from nmjmc.synapse.model import Synapse

Evaluation = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Predictions [z], Jacobian [z, p], covariance of their Monte Carlo error [z, z]."""


class Simulated(NamedTuple):
    """Simulated quanta: times [t] [ms], currents [v, t] [nA], contents [v]."""

    time: np.ndarray
    current: np.ndarray
    content: np.ndarray


Simulate = Callable[[Synapse, Condition, int, int], Simulated]
"""Quanta of a synapse under a condition: how many, from which seed."""


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
        "no noise; the bias of the mean field itself, below about 1 % of the peak on the shipped presets, and that "
        "of channel gating taken as independent"
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
        self.vesicles, self.seed, self.step = vesicles, seed, step
        self.simulate = simulate or simulated

    def evaluate(self, problem: Problem, free: np.ndarray) -> Evaluation:
        z, covariance = kernel_predictions(problem, free, self.vesicles, self.seed, self.simulate)
        sides = [
            [self.predict(problem, free + sign * row) for sign in (1.0, -1.0)]
            for row in self.step * np.eye(free.size)
        ]
        slope = np.stack([(up - down) / (2.0 * self.step) for up, down in sides], axis=1)
        return z, slope, covariance

    def predict(self, problem: Problem, free: np.ndarray) -> np.ndarray:
        return kernel_predictions(problem, free, self.vesicles, self.seed, self.simulate)[0]


ESTIMATORS: dict[str, type[Estimator]] = {
    kind.name: kind for kind in (MeanFieldEstimator, CorrectedEstimator, CommonRandomNumbersEstimator)
}
"""Estimators by name."""


def choose(
    estimator: str | Estimator, synapse: Synapse, vesicles: int | None = None, seed: int = 0
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
    if vesicles is not None and (vesicles != int(vesicles) or vesicles < 8):
        raise ValidationError("fit.vesicles", vesicles, "a whole number from 8 on")
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
    if not isinstance(found, CommonRandomNumbersEstimator):
        refuse_unsupported(synapse)
    return found, f"{found.name}, as asked for: {found.bias}"


def made(name: str, vesicles: int | None, seed: int) -> Estimator:
    """An estimator by its known name."""
    if name == MeanFieldEstimator.name:
        return MeanFieldEstimator()
    if name == CorrectedEstimator.name:
        return CorrectedEstimator(seed=seed) if vesicles is None else CorrectedEstimator(int(vesicles), seed)
    found = CommonRandomNumbersEstimator(seed=seed)
    return found if vesicles is None else CommonRandomNumbersEstimator(int(vesicles), seed)


def kernel_predictions(
    problem: Problem, free: np.ndarray, vesicles: int, seed: int, simulate: Simulate
) -> tuple[np.ndarray, np.ndarray]:
    """Predictions from simulated quanta and the covariance of their Monte Carlo error, [z] and [z, z].

    Raises:
        SimulationError: If a simulation failed; failed vesicles are never dropped.
    """
    values, runs = problem.values(free), _runs(problem, free, vesicles, seed, simulate)
    return _with_jackknife(
        problem, lambda term, kept: term.from_events(*_events(runs[term.condition], kept), values), vesicles
    )


def kernel_correction(
    problem: Problem, free: np.ndarray, vesicles: int, seed: int, simulate: Simulate
) -> tuple[np.ndarray, np.ndarray]:
    """Predictions of the kernel less those of the mean field for the very same contents, and their covariance.

    The contents of the simulated vesicles, whose scatter would dominate the Monte Carlo error, are common to both.
    """
    values, runs = problem.values(free), _runs(problem, free, vesicles, seed, simulate)
    twins = {c: problem.currents_of(free, c, run.content, run.time) for c, run in runs.items()}

    def difference(term: Term, kept: np.ndarray) -> np.ndarray:
        run, (currents, channel) = runs[term.condition], twins[term.condition]
        # the twin's currents carry the scale already
        plain = {name: value for name, value in values.items() if name != "recording.scale"}
        twin = term.from_events(run.time, currents[kept], plain, channel)
        return term.from_events(*_events(run, kept), values) - twin

    return _with_jackknife(problem, difference, vesicles)


def _runs(
    problem: Problem, free: np.ndarray, vesicles: int, seed: int, simulate: Simulate
) -> dict[Condition, Simulated]:
    """Simulated quanta of each condition."""
    values = problem.values(free)
    changes = {name: np.float64(value) for name, value in values.items() if name in problem.parameters.names}
    return {
        c: simulate(with_values(c.of(problem.synapse), changes), c, vesicles, seed)
        for c in problem.conditions
    }


def _events(run: Simulated, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return run.time, run.current[kept]


def _with_jackknife(
    problem: Problem, statistic: Callable[[Term, np.ndarray], np.ndarray], vesicles: int, groups: int = 32
) -> tuple[np.ndarray, np.ndarray]:
    """Predictions of all data sets and the delete-a-group jackknife covariance of each, [z] and [z, z]."""
    everyone = np.arange(vesicles)
    parts = np.array_split(everyone, min(groups, vesicles))
    covariance = np.zeros((problem.cuts[-1], problem.cuts[-1]))
    found = []
    with jax.enable_x64(True):
        for term, a, b in zip(problem.terms, problem.cuts[:-1], problem.cuts[1:], strict=True):
            found.append(statistic(term, everyone))
            left = np.stack([statistic(term, np.setdiff1d(everyone, part)) for part in parts])
            away = left - left.mean(axis=0)
            covariance[a:b, a:b] = (len(parts) - 1.0) / len(parts) * away.T @ away
    return np.concatenate(found), covariance


def simulated(
    synapse: Synapse, condition: Condition, vesicles: int, seed: int, interval: float = 0.02
) -> Simulated:
    """Quanta of the particle kernel, recorded every `interval` ms."""
    plain = jax.tree.map(lambda x: np.asarray(x, np.float64) if isinstance(x, jax.Array) else x, synapse)
    duration = float(interval * np.ceil(condition.duration / interval - 1e-9))
    record = kernel.run(
        plain, vesicles=vesicles, seed=seed, duration=duration, record_interval=interval, numerics=Numerics()
    )
    warm = plain.effective()
    scheme = warm.receptor.scheme
    total = sum(
        g * np.asarray(record.counts[s]) for s, g in zip(scheme.states, scheme.conductance, strict=True)
    )
    drive = float(warm.fibre.holding_potential) - float(warm.receptor.reversal_potential)
    current = float(warm.receptor.channel_conductance) * drive * np.asarray(total, np.float64)
    return Simulated(np.asarray(record.time, np.float64), current, np.asarray(record.content, np.float64))
