"""What a loss is made of: each data set predicts some numbers and has the likelihood of them.

A fit needs of a data set only `predict` (free parameters to predicted numbers z, with derivatives), `loss` (minus
the log likelihood as a function of z) and `information` (its expected second derivative). Gradient and Fisher
information follow by the chain rule, whatever estimator gives z and its Jacobian.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nmjmc.analysis import compound
from nmjmc.analysis.goodness import g_statistic
from nmjmc.analysis.observations import Histogram, Statistic
from nmjmc.analysis.recording import UNITS
from nmjmc.carried import Number
from nmjmc.errors import ValidationError, nearest
from nmjmc.fitting.features import FEATURES, features
from nmjmc.fitting.quanta import Condition, Quanta, nodes
from nmjmc.numbers import in_units, to_array_in


class Term(abc.ABC):
    """One data set of a fit.

    Attributes:
        name: Of the data set.
        condition: What was done to the synapse.
        data: What z is compared with [z].
        labels: What each number is [z].
        needs: Parameters of release and recording that must be free or fixed.
    """

    name: str
    condition: Condition
    data: np.ndarray
    labels: tuple[str, ...]
    needs: tuple[str, ...] = ()

    @abc.abstractmethod
    def predict(self, quanta: Quanta, values: Mapping[str, Any]) -> Float[Array, " z"]:
        """Expected data under free and fixed parameters, from the quanta of this term's condition."""

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
    def resampled(self, rng: np.random.Generator) -> np.ndarray:
        """The data of another experiment with the same events, drawn with replacement [z]."""

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

    @abc.abstractmethod
    def goodness(self, z: np.ndarray, noise: np.ndarray) -> tuple[float, int]:
        """A statistic that is chi-square under the model, and how many numbers it compares.

        Args:
            z: Predictions [z].
            noise: Covariance of their Monte Carlo error [z, z].
        """

    def weighed(self, quanta: Quanta) -> Term:
        """The same data, their errors weighed by fitted quanta; the term itself where these know nothing of them."""
        return self

    def residuals(self, z: np.ndarray) -> np.ndarray:
        """Data minus prediction in units of the data's standard error [z]."""
        error = np.sqrt(np.diag(np.linalg.pinv(self.information(z), hermitian=True)))
        return (self.data - z) / np.where(error > 0, error, np.inf)


class GaussianTerm(Term):
    """Data with a normal error of known covariance."""

    covariance: np.ndarray
    precision: np.ndarray
    shrink: float = 1.0

    def _set(self, data: np.ndarray, covariance: np.ndarray, events: int = 0) -> None:
        """Keep data and covariance; with few events the inverse of an estimated covariance is too large.

        The factor (n - d - 2)/(n - 1) makes it unbiased (Hartlap et al. 2007, Astron Astrophys 464:399).
        """
        self.data, self.covariance = np.asarray(data, np.float64), np.asarray(covariance, np.float64)
        size = self.data.size
        self.shrink = factor = (events - size - 2.0) / (events - 1.0) if events else 1.0
        if factor <= 0.1:
            hint = f"use fewer bins than {max(1, events // 2)}"
            raise ValidationError(
                f"events of {self.name}", events, f"many more than the {size} numbers compared", hint
            )
        scale = np.sqrt(np.diag(self.covariance))
        if not (np.isfinite(scale).all() and (scale > 0).all()):
            raise ValidationError(f"errors of {self.name}", "zero or not finite", "positive")
        inverse = np.linalg.inv(self.covariance / np.outer(scale, scale))
        self.precision = factor * inverse / np.outer(scale, scale)

    def loss(self, z: Any) -> Any:
        away = self.data - z
        return 0.5 * away @ self.precision @ away

    def slope(self, z: np.ndarray) -> np.ndarray:
        return -self.precision @ (self.data - z)

    def information(self, z: np.ndarray) -> np.ndarray:
        return self.precision

    def goodness(self, z: np.ndarray, noise: np.ndarray) -> tuple[float, int]:
        away, scale = self.data - z, np.sqrt(np.diag(self.covariance + noise))
        whitened = np.linalg.solve((self.covariance + noise) / np.outer(scale, scale), away / scale)
        return float(self.shrink * (away / scale) @ whitened), self.data.size

    def residuals(self, z: np.ndarray) -> np.ndarray:
        return (self.data - z) / np.sqrt(np.diag(self.covariance))


class StatisticsTerm(GaussianTerm):
    """Published means with their standard errors: features of the current of a vesicle of mean content.

    Attributes:
        features: Which feature each number is.
    """

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
        self._set(np.array([row[0] for row in rows]), np.diag([row[1] ** 2 for row in rows]))

    def predict(self, quanta: Quanta, values: Mapping[str, Any]) -> Float[Array, " z"]:
        found = features(jnp.asarray(quanta.time), quanta.mean())
        return jnp.stack([found[name] for name in self.labels])

    def resampled(self, rng: np.random.Generator) -> np.ndarray:
        return rng.multivariate_normal(self.data, self.covariance)

    def from_events(
        self, time: np.ndarray, currents: np.ndarray, values: Mapping[str, float], channel: float = 0.0
    ) -> np.ndarray:
        mean = values.get("recording.scale", 1.0) * currents.mean(axis=0)
        found = features(jnp.asarray(time), jnp.asarray(mean))
        return np.array([float(found[name]) for name in self.labels])


def _published(name: str, feature: str, number: Statistic) -> tuple[float, float]:
    """Value and standard error in internal units."""
    from nmjmc.units import to_internal

    if feature not in FEATURES:
        raise ValidationError(f"feature of {name}", feature, "a known one", nearest(feature, FEATURES))
    unit = {"amplitude": "nA", "charge": "nA*ms"}.get(feature, "ms")
    factor = to_internal(f"1 {number.unit}", unit, f"unit of {feature}")
    error = number.standard_error if np.isfinite(number.standard_error) else 0.25 * (number.high - number.low)
    if not error > 0:
        hint = "give a standard error, or a range as low and high"
        raise ValidationError(f"standard error of {feature}", error, "positive", hint)
    return factor * number.value, factor * error


class HistogramTerm(Term):
    """Counts of amplitudes, of single quanta or of responses of several, with failures and noise.

    The peak of a quantum follows from its content: its logarithm is a parabola in that of the content, through the
    nodes. Sums of quanta are normal with the quantum's mean and SD, as Boyd and Martin took them.

    Attributes:
        histogram: The counts; data are their shares of all trials, the share of failures first.
        release: `single`, `poisson` or `binomial`.
        gain: Unit of the histogram per nA [MOhm for mV]; `recording.gain` stands above it.
        noise_sd: SD of the recording's noise in the histogram's unit.
    """

    @in_units(gain="MOhm")
    def __init__(
        self,
        name: str,
        histogram: Histogram,
        condition: Condition,
        *,
        release: str = "single",
        gain: float | None = None,
        noise_sd: Number = 0.0,
        most: int | None = None,
    ) -> None:
        """Compare counts of amplitudes.

        Args:
            name: Of the data set.
            histogram: The counts.
            condition: What was done.
            release: `single` quanta; or `poisson` with `release.quantal_content`; or `binomial` with
                `release.sites` and `release.probability`.
            gain: Peak depolarisation per peak current [MOhm], for a histogram in mV; else `recording.gain` says it.
            noise_sd: In the histogram's unit.
            most: Largest number of quanta; by default ample.

        Raises:
            ValidationError: For an unknown release, or failures of single quanta.
        """
        kinds = ("single", "poisson", "binomial")
        if release not in kinds:
            raise ValidationError(f"release of {name}", repr(release), "a known one", nearest(release, kinds))
        if release == "single" and histogram.failures:
            raise ValidationError(f"failures of {name}", histogram.failures, "0 for single quanta")
        if histogram.unit not in (*UNITS, "quanta"):
            hint = "convert the edges to nA or mV"
            raise ValidationError(f"unit of {name}", repr(histogram.unit), "nA or mV", hint)
        noise = float(to_array_in(noise_sd, histogram.unit, f"noise_sd of {name}"))
        self.name, self.condition, self.histogram, self.release = name, condition, histogram, release
        self.gain, self.noise_sd, self.most = gain or 1.0, noise, most or 60
        self.needs = {
            "single": (), "poisson": ("release.quantal_content",),
            "binomial": ("release.sites", "release.probability"),
        }[release]  # fmt: skip
        if histogram.unit == "mV" and gain is None:
            self.needs += ("recording.gain",)
        self.counts = np.append(histogram.failures, histogram.counts).astype(float)
        self.data = self.counts / histogram.trials
        self.labels = ("failures", *(f"{centre:.4g} {histogram.unit}" for centre in histogram.centres))

    def predict(self, quanta: Quanta, values: Mapping[str, Any]) -> Float[Array, " z"]:
        peak = jnp.max(jnp.abs(quanta.current), axis=1) * values.get("recording.gain", self.gain)
        # gating noise at the peak, at most that of independent channels (it is less as most are open)
        gate = jnp.sqrt(peak * quanta.channel * values.get("recording.gain", self.gain))
        return self._shares(*_sizes(jnp.log(peak), quanta.node), gate[gate.shape[0] // 2], values)

    def _shares(
        self, size: Array, weight: np.ndarray, gate: Any, values: Mapping[str, Any]
    ) -> Float[Array, " z"]:
        """Probability of a failure and of each bin, from amplitudes of single quanta and their weights."""
        if self.release == "single":
            spread = jnp.sqrt(gate**2 + self.noise_sd**2)
            edges = (jnp.asarray(self.histogram.edges)[:, None] - size[None, :]) / spread
            return jnp.append(jnp.zeros(1), compound.between(edges) @ jnp.asarray(weight))
        mean = weight @ size
        return self.compound(mean, jnp.sqrt(weight @ (size - mean) ** 2 + gate**2), values)

    def compound(self, mean: Any, sd: Any, values: Mapping[str, Any]) -> Float[Array, " z"]:
        """Probability of a failure and of each bin, where several quanta of that mean and SD add up."""
        if self.release == "poisson":
            number = compound.poisson(values["release.quantal_content"], self.most)
        else:
            number = compound.binomial(values["release.sites"], values["release.probability"], self.most)
        found = compound.bins(self.histogram.edges, number, mean, sd, self.noise_sd)
        return jnp.append(number[:1], found)

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

    def resampled(self, rng: np.random.Generator) -> np.ndarray:
        return rng.multinomial(int(self.counts.sum()), self.data) / self.counts.sum()

    def from_events(
        self, time: np.ndarray, currents: np.ndarray, values: Mapping[str, float], channel: float = 0.0
    ) -> np.ndarray:
        size = np.abs(currents).max(axis=1) * self.scale(values)
        weight = np.full(size.size, 1.0 / size.size)
        gain = values.get("recording.gain", self.gain)
        gate = max(float(np.sqrt(size.mean() * channel * gain)), self.least_gate(size))
        return np.asarray(self._shares(jnp.asarray(size), weight, gate, values))

    def scale(self, values: Mapping[str, float]) -> float:
        """The histogram's unit per nA of a simulated current."""
        return values.get("recording.gain", self.gain) * values.get("recording.scale", 1.0)

    def least_gate(self, size: np.ndarray) -> float:
        """SD of gating that simulated quanta are given: the bins add noise; a quantum without any had no width."""
        return 1e-6 * float(size.mean())

    def goodness(self, z: np.ndarray, noise: np.ndarray) -> tuple[float, int]:
        observed, expected = self.counts, self.counts.sum() * z
        if self.release == "single":
            observed, expected = observed[1:], expected[1:]
        statistic, bins = g_statistic(observed, expected)
        return statistic, bins - 1


_DEVIATES, _SHARES = np.polynomial.hermite_e.hermegauss(60)
_SHARES = _SHARES / _SHARES.sum()


def _sizes(log_peak: Array, node: Array) -> tuple[Array, np.ndarray]:
    """Amplitudes of quanta on a fine set of nodes, by the polynomial of the logarithm through the few [k]."""
    if node.size == 1:
        return jnp.exp(log_peak), np.ones(1)
    known = nodes(True)[0]
    powers = np.arange(known.size)
    interpolate = (_DEVIATES[:, None] ** powers) @ np.linalg.inv(known[:, None] ** powers)
    return jnp.exp(jnp.asarray(interpolate) @ log_peak), _SHARES
