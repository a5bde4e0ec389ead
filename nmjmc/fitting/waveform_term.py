"""Mean and variance of aligned events, with the covariance that the events themselves have."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nmjmc.analysis.instrument import Instrument
from nmjmc.analysis.observations import MeanWaveform
from nmjmc.errors import ValidationError
from nmjmc.fitting.event_bins import EventBins, default_edges
from nmjmc.fitting.event_moments import errors, shape_of
from nmjmc.fitting.likelihood import Gaussian
from nmjmc.fitting.quanta import Condition, Quanta
from nmjmc.fitting.terms import Term
from nmjmc.numbers import in_units


class WaveformTerm(Term):
    """Bin means of the mean event, and the logarithm of the variance of its size.

    The size of an event is its projection on the mean event. Its variance among the events holds what the CV of the
    content does; the bin means hold the time course. The covariance of all these numbers is estimated from the
    events (`event_moments`), so that their common size, which makes neighbouring bins agree, is not counted many times.

    Attributes:
        bins: Where the bins are, and how a current is brought there.
        direction: On which events are projected [bin].
        with_variance: Whether the variance of the size takes part.
        noise_variance: Of the projection, from the baseline before the events.
        events: How many.
        mean_waveform: The mean event, between the bins too.
    """

    @in_units(time="[ms]", traces="[nA]", edges="[ms]", driving_force="mV", model_error="")
    def __init__(
        self,
        name: str,
        time: np.ndarray,
        traces: np.ndarray,
        condition: Condition,
        *,
        instrument: Instrument | None = None,
        edges: np.ndarray | None = None,
        aligned: str = "onset",
        noise_variance: float | None = None,
        with_variance: bool = True,
        driving_force: float = -80.0,
        model_error: float = 0.0,
    ) -> None:
        """Compare aligned events.

        Args:
            name: Of the data set.
            time: Of the samples [t], 0 at the onset or at half the rise [ms].
            traces: Events, inward negative, baseline at zero [event, t] [nA].
            condition: What was done; its duration must cover the last bin.
            instrument: Filter, sampling and series resistance of the recording.
            edges: Of the bins [bin + 1] [ms]; by default 12 from the onset, closer in the rise.
            aligned: `onset` (stimulated or simulated) or `half_rise` (detected).
            noise_variance: Of the projected noise; by default it is measured where `time` is below the onset,
                and zero if there is no such time.
            with_variance: Whether the variance takes part; needed for the CV of the content.
            driving_force: For the series resistance [mV].
            model_error: SD of what the model is allowed to be wrong in each bin, as a part of the peak. Where
                the model cannot have the data's shape, a fit to strongly correlated bins shrinks the whole
                curve instead of crossing it; 0.02 or so keeps it on the data.

        Raises:
            ValidationError: If the traces do not fit the times, or the bins do not fit the condition.
        """
        if traces.ndim != 2 or traces.shape[1] != time.size or len(traces) < 4:
            raise ValidationError(
                f"traces of {name}", f"of shape {traces.shape}", f"four or more events of {time.size} samples"
            )
        edges = default_edges(time, traces.mean(axis=0)) if edges is None else edges
        instrument = instrument or Instrument(float(np.diff(time).mean()))
        self.name, self.condition = name, condition
        self.bins = EventBins(name, condition, aligned, edges, time, instrument, driving_force)
        self.events, self.with_variance = len(traces), with_variance
        self.labels = (
            (*mean_labels(self.bins), "log variance of size") if with_variance else mean_labels(self.bins)
        )
        binned = traces @ self.bins.average.T
        mean = binned.mean(axis=0)
        self.direction = mean / np.linalg.norm(mean)
        self.noise_variance = self._noise(time, traces) if noise_variance is None else float(noise_variance)
        data, covariance = self._statistic(binned)
        if not 0.0 <= model_error < 1.0:
            raise ValidationError(f"model_error of {name}", model_error, "from 0 to below 1", "2 % is 0.02")
        allowed = np.append(
            np.full(mean.size, model_error * np.abs(mean).max()), np.zeros(data.size - mean.size)
        )
        self._allowed = np.diag(allowed**2)
        self.likelihood = Gaussian(name, data, covariance + self._allowed, self.events)
        self.mean_waveform = MeanWaveform(time, traces.mean(axis=0), traces.std(axis=0, ddof=1), len(traces))
        self._binned = binned

    def _statistic(self, binned: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Bin means and log variance of the projection, and the covariance of their errors."""
        if not self.with_variance:
            return binned.mean(axis=0), np.atleast_2d(np.cov(binned, rowvar=False)) / len(binned)
        return errors(binned, self.direction, self.noise_variance)

    def _noise(self, time: np.ndarray, traces: np.ndarray) -> float:
        """Variance of the projection of the noise, from as many baseline windows as fit before the onset."""
        quiet = time < (0.0 if self.bins.aligned == "onset" else -1.0)
        if quiet.sum() < 8:
            return 0.0
        # bins differ in length; the noise of a bin is that of the running mean of as many samples
        base = traces[:, quiet]
        total = 0.0
        step = float(np.diff(time).mean())
        spectrum = np.abs(np.fft.rfft(base - base.mean(axis=1, keepdims=True), axis=1)) ** 2
        lags = np.fft.irfft(spectrum.mean(axis=0), base.shape[1]) / base.shape[1]
        weight = self.bins.average.T @ self.direction
        reach = min(lags.size // 2, weight.size - 1, max(1, round(2.0 / step)))
        for lag in range(-reach, reach + 1):
            shifted = (
                weight[max(0, lag) : weight.size + min(0, lag)]
                @ weight[max(0, -lag) : weight.size - max(0, lag)]
            )
            total += shifted * lags[abs(lag)]
        return max(float(total), 0.0)

    def predict(self, quanta: Quanta, values: Mapping[str, Any]) -> Float[Array, " z"]:
        binned = self.bins.binned(quanta.current)
        weight = jnp.asarray(quanta.weight)
        mean = weight @ binned
        if not self.with_variance:
            return mean
        size = (binned - mean[None, :]) @ self.direction
        # independent channels; gating is correlated over the decay, so it adds along the projection
        gate = (jnp.sqrt(jnp.abs(mean) * quanta.channel) @ jnp.abs(self.direction)) ** 2
        variance = weight @ size**2 + gate + self.noise_variance
        return jnp.append(mean, jnp.log(variance))

    def resampled(self, rng: np.random.Generator) -> np.ndarray:
        return self._statistic(self._binned[rng.integers(0, self.events, self.events)])[0]

    def weighed(self, quanta: Quanta) -> WaveformTerm:
        """The same events, how their bins go with their size taken from the model.

        The rest of an event grows with its size, so that the error of a slope by the events goes with that of their
        mean, and sizes come out too small by a quarter of their error (docs/fitting.md).
        """
        if not self.with_variance or quanta.weight.size < 2:
            return self
        with jax.enable_x64(True):
            model = np.asarray(self.bins.binned(quanta.current))
        shape = shape_of(model, np.asarray(quanta.weight), self.direction)
        data, covariance = errors(self._binned, self.direction, self.noise_variance, shape)
        made = copy.copy(self)
        made.likelihood = Gaussian(self.name, data, covariance + self._allowed, self.events)
        return made

    def from_events(
        self, time: np.ndarray, currents: np.ndarray, values: Mapping[str, float], channel: float = 0.0
    ) -> np.ndarray:
        binned, _ = self.bins.recorded(time, currents, values)
        mean = binned.mean(axis=0)
        if not self.with_variance:
            return mean
        size = (binned - mean) @ self.direction
        gate = (np.sqrt(np.abs(mean) * channel) @ np.abs(self.direction)) ** 2
        return np.append(mean, np.log(size @ size / (len(size) - 1) + gate + self.noise_variance))


def mean_labels(bins: EventBins) -> tuple[str, ...]:
    """What each bin mean is."""
    return tuple(f"mean at {time:.3g} ms" for time in bins.time)
