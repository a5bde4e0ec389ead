"""Counts of amplitudes, of single quanta or of responses of several, with failures and noise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nmjmc.analysis import compound
from nmjmc.analysis.observations import Histogram
from nmjmc.analysis.recording import UNITS
from nmjmc.carried import Number
from nmjmc.errors import ValidationError, nearest
from nmjmc.fitting.likelihood import Multinomial
from nmjmc.fitting.quanta import Condition, Quanta, nodes
from nmjmc.fitting.terms import Term
from nmjmc.numbers import in_units, to_array_in

NEEDS: dict[str, tuple[str, ...]] = {
    "single": (), "poisson": ("release.quantal_content",), "binomial": ("release.sites", "release.probability"),
}  # fmt: skip
"""Kinds of release, and the parameters of each."""


def numbers_of_quanta(release: str, values: Mapping[str, Any], most: int) -> Any:
    """Probability of 0, 1, 2 ... quanta in a trial [most + 1].

    Args:
        release: `poisson` or `binomial`.
        values: Its parameters by path.
        most: Largest number.
    """
    if release == "poisson":
        return compound.poisson(values["release.quantal_content"], most)
    return compound.binomial(values["release.sites"], values["release.probability"], most)


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
        if release not in NEEDS:
            raise ValidationError(f"release of {name}", repr(release), "a known one", nearest(release, NEEDS))
        if release == "single" and histogram.failures:
            raise ValidationError(f"failures of {name}", histogram.failures, "0 for single quanta")
        if histogram.unit not in (*UNITS, "quanta"):
            hint = "convert the edges to nA or mV"
            raise ValidationError(f"unit of {name}", repr(histogram.unit), "nA or mV", hint)
        noise = float(to_array_in(noise_sd, histogram.unit, f"noise_sd of {name}"))
        self.name, self.condition, self.histogram, self.release = name, condition, histogram, release
        self.gain, self.noise_sd, self.most = gain or 1.0, noise, most or 60
        self.needs = NEEDS[release]
        if histogram.unit == "mV" and gain is None:
            self.needs += ("recording.gain",)
        counts = np.append(histogram.failures, histogram.counts).astype(float)
        self.likelihood = Multinomial(counts, is_first_compared=release != "single")
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
        number = numbers_of_quanta(self.release, values, self.most)
        bins = compound.bins(self.histogram.edges, number, mean, sd, self.noise_sd)
        return jnp.append(number[:1], bins)

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
