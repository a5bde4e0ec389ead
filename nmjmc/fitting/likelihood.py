"""Likelihoods of predicted numbers: normal errors of known covariance, and counts in cells.

Each is a function of the predictions z alone; data sets hold one, so that what they predict and how it is judged do not
hang together.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np

from nmjmc.analysis.goodness import g_statistic
from nmjmc.errors import ValidationError


class Likelihood(abc.ABC):
    """How likely some numbers are under predictions of them.

    Attributes:
        data: What z is compared with [z].
    """

    data: np.ndarray

    @abc.abstractmethod
    def loss(self, z: Any) -> Any:
        """Minus the logarithm of the likelihood, without its constant; z may be traced."""

    @abc.abstractmethod
    def slope(self, z: np.ndarray) -> np.ndarray:
        """Derivative of the loss by each prediction [z]."""

    @abc.abstractmethod
    def information(self, z: np.ndarray) -> np.ndarray:
        """Expected second derivative of the loss by the predictions [z, z]."""

    @abc.abstractmethod
    def residuals(self, z: np.ndarray) -> np.ndarray:
        """Data minus prediction in units of the data's standard error [z]."""

    @abc.abstractmethod
    def goodness(self, z: np.ndarray, noise: np.ndarray) -> tuple[float, int]:
        """A statistic that is chi-square under the model, and how many numbers it compares.

        Args:
            z: Predictions [z].
            noise: Covariance of their Monte Carlo error [z, z].
        """

    @abc.abstractmethod
    def drawn(self, rng: np.random.Generator) -> np.ndarray:
        """Numbers as another experiment would give them, were these the truth [z]."""


@dataclass(frozen=True, eq=False)
class Gaussian(Likelihood):
    """Normal errors of known covariance.

    With few events the inverse of an estimated covariance is too large. The factor (n - d - 2)/(n - 1) makes it
    unbiased (Hartlap et al. 2007, Astron Astrophys 464:399).

    Attributes:
        name: Of the data set, for messages.
        data: [z].
        covariance: [z, z].
        events: From which the covariance was estimated; 0 where it is known.
        shrink: Hartlap's factor.
        precision: Inverse of the covariance, with the factor [z, z].
    """

    name: str
    data: np.ndarray
    covariance: np.ndarray
    events: int = 0
    shrink: float = field(init=False)
    precision: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        data, covariance = np.asarray(self.data, np.float64), np.asarray(self.covariance, np.float64)
        size, events = data.size, self.events
        factor = (events - size - 2.0) / (events - 1.0) if events else 1.0
        if factor <= 0.1:
            hint = f"use fewer bins than {max(1, events // 2)}"
            raise ValidationError(
                f"events of {self.name}", events, f"many more than the {size} numbers compared", hint
            )
        scale = np.sqrt(np.diag(covariance))
        if not (np.isfinite(scale).all() and (scale > 0).all()):
            raise ValidationError(f"errors of {self.name}", "zero or not finite", "positive")
        inverse = np.linalg.inv(covariance / np.outer(scale, scale))
        precision = factor * inverse / np.outer(scale, scale)
        known = {"data": data, "covariance": covariance, "shrink": factor, "precision": precision}
        for name, value in known.items():
            object.__setattr__(self, name, value)

    def loss(self, z: Any) -> Any:
        away = self.data - z
        return 0.5 * away @ self.precision @ away

    def slope(self, z: np.ndarray) -> np.ndarray:
        return -self.precision @ (self.data - z)

    def information(self, z: np.ndarray) -> np.ndarray:
        return self.precision

    def residuals(self, z: np.ndarray) -> np.ndarray:
        return (self.data - z) / np.sqrt(np.diag(self.covariance))

    def goodness(self, z: np.ndarray, noise: np.ndarray) -> tuple[float, int]:
        away, scale = self.data - z, np.sqrt(np.diag(self.covariance + noise))
        whitened = np.linalg.solve((self.covariance + noise) / np.outer(scale, scale), away / scale)
        return float(self.shrink * (away / scale) @ whitened), self.data.size

    def drawn(self, rng: np.random.Generator) -> np.ndarray:
        return rng.multivariate_normal(self.data, self.covariance)


class Multinomial(Likelihood):
    """Counts in cells; z are the probabilities of the cells, and what no cell holds is one more.

    Attributes:
        counts: [z].
        data: Their shares [z].
        is_first_compared: Whether the first cell can hold anything, and counts for the goodness of fit.
    """

    def __init__(self, counts: np.ndarray, *, is_first_compared: bool = True) -> None:
        self.counts = np.asarray(counts, np.float64)
        self.data = self.counts / self.counts.sum()
        self.is_first_compared = is_first_compared

    def loss(self, z: Any) -> Any:
        numpy = np if isinstance(z, np.ndarray) else jnp
        seen = self.counts > 0
        return -(self.counts[seen] * numpy.log(numpy.maximum(z[seen], 1e-300))).sum()

    def slope(self, z: np.ndarray) -> np.ndarray:
        return np.where(self.counts > 0, -self.counts / np.maximum(z, 1e-300), 0.0)

    def information(self, z: np.ndarray) -> np.ndarray:
        # what no bin holds is a cell of its own; without it the shares would not be those of trials
        trials = self.counts.sum()
        outside = max(1.0 - z.sum(), 1e-12)
        shared = float(outside > 1e-9) / outside
        return trials * (np.diag(1.0 / np.maximum(z, 1e-12)) + shared * np.ones((z.size, z.size)))

    def residuals(self, z: np.ndarray) -> np.ndarray:
        trials = self.counts.sum()
        return (self.counts - trials * z) / np.sqrt(np.maximum(trials * z, 1e-12))

    def goodness(self, z: np.ndarray, noise: np.ndarray) -> tuple[float, int]:
        first = 0 if self.is_first_compared else 1
        statistic, bins = g_statistic(self.counts[first:], (self.counts.sum() * z)[first:])
        return statistic, bins - 1

    def drawn(self, rng: np.random.Generator) -> np.ndarray:
        return rng.multinomial(int(self.counts.sum()), self.data) / self.counts.sum()
