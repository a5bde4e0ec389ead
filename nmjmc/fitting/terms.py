"""What a loss is made of: each data set predicts some numbers and holds the likelihood of them.

A fit needs of a data set only `predict` (free parameters to predicted numbers z, with derivatives) and its likelihood:
the loss as a function of z, and the information about z. Gradient and Fisher information follow by the chain rule,
whatever estimator gives z and its Jacobian.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nmjmc.analysis.observations import Statistic
from nmjmc.errors import ValidationError, nearest
from nmjmc.fitting.features import FEATURES, features
from nmjmc.fitting.likelihood import Gaussian, Likelihood
from nmjmc.fitting.quanta import Condition, Quanta
from nmjmc.units import to_internal


class Term(abc.ABC):
    """One data set of a fit.

    Attributes:
        name: Of the data set.
        condition: What was done to the synapse.
        likelihood: Of the data, as a function of what is predicted.
        labels: What each number is [z].
        needs: Parameters of release and recording that must be free or fixed.
    """

    name: str
    condition: Condition
    likelihood: Likelihood
    labels: tuple[str, ...]
    needs: tuple[str, ...] = ()

    @property
    def data(self) -> np.ndarray:
        """What the predictions are compared with [z]."""
        return self.likelihood.data

    @abc.abstractmethod
    def predict(self, quanta: Quanta, values: Mapping[str, Any]) -> Float[Array, " z"]:
        """Expected data under free and fixed parameters, from the quanta of this term's condition."""

    @abc.abstractmethod
    def from_events(
        self, time: np.ndarray, currents: np.ndarray, values: Mapping[str, float], channel: float = 0.0
    ) -> np.ndarray:
        """The same numbers from simulated quanta.

        Args:
            time: [t] [ms].
            currents: [v, t] [nA].
            values: Free and fixed parameters by path.
            channel: Current of one channel where the quanta are without gating noise, else 0 [nA].
        """

    def resampled(self, rng: np.random.Generator) -> np.ndarray:
        """The data of another experiment: with the same events, drawn with replacement, where they are known [z]."""
        return self.likelihood.drawn(rng)

    def weighed(self, quanta: Quanta) -> Term:
        """The same data, their errors weighed by fitted quanta; the term itself where these know nothing of them."""
        return self


class StatisticsTerm(Term):
    """Published means with their standard errors: features of the current of a vesicle of mean content."""

    def __init__(self, name: str, statistics: Mapping[str, Statistic], condition: Condition) -> None:
        """Compare features with published means.

        Args:
            name: Of the data set.
            statistics: By feature: `amplitude` [nA], `rise_20_80`, `rise_10_90`, `time_to_peak`, `decay_time` [ms],
                `charge` [pC]; each with a standard error, or a range, taken as plus and minus two.
            condition: What was done.

        Raises:
            ValidationError: For an unknown feature or unit, or a number without an error.
        """
        self.name, self.condition = name, condition
        self.labels = tuple(statistics)
        rows = [_published(name, feature, number) for feature, number in statistics.items()]
        values, errors = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
        self.likelihood = Gaussian(name, values, np.diag(errors**2))

    def predict(self, quanta: Quanta, values: Mapping[str, Any]) -> Float[Array, " z"]:
        measured = features(jnp.asarray(quanta.time), quanta.mean())
        return jnp.stack([measured[name] for name in self.labels])

    def from_events(
        self, time: np.ndarray, currents: np.ndarray, values: Mapping[str, float], channel: float = 0.0
    ) -> np.ndarray:
        mean = values.get("recording.scale", 1.0) * currents.mean(axis=0)
        measured = features(jnp.asarray(time), jnp.asarray(mean))
        return np.array([float(measured[name]) for name in self.labels])


def _published(name: str, feature: str, number: Statistic) -> tuple[float, float]:
    """Value and standard error in internal units."""
    if feature not in FEATURES:
        raise ValidationError(f"feature of {name}", feature, "a known one", nearest(feature, FEATURES))
    unit = {"amplitude": "nA", "charge": "nA*ms"}.get(feature, "ms")
    factor = to_internal(f"1 {number.unit}", unit, f"unit of {feature}")
    error = number.standard_error if np.isfinite(number.standard_error) else 0.25 * (number.high - number.low)
    if not error > 0:
        hint = "give a standard error, or a range as low and high"
        raise ValidationError(f"standard error of {feature}", error, "positive", hint)
    return factor * number.value, factor * error
