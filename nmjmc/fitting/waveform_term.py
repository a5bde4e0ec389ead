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
from nmjmc.fitting.event_moments import errors, shape_of
from nmjmc.fitting.features import half_rise
from nmjmc.fitting.quanta import Condition, Quanta
from nmjmc.fitting.terms import GaussianTerm
from nmjmc.numbers import in_units

BINS = 12

_LARGEST = 1e8
"""Entries of the matrix that filters and samples a current (a choice: 0.8 GB)."""


class WaveformTerm(GaussianTerm):
    """Bin means of the mean event, and the logarithm of the variance of its size.

    The size of an event is its projection on the mean event. Its variance among the events holds what the CV of the
    content does; the bin means hold the time course. The covariance of all these numbers is estimated from the
    events (`event_moments`), so that their common size, which makes neighbouring bins agree, is not counted many times.

    Attributes:
        time: Centres of the bins [bin] [ms].
        aligned: `onset` or `half_rise`.
        noise_variance: Of the projection, from the baseline before the events.
        events: How many.
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
        self.edges = default_edges(time, traces.mean(axis=0)) if edges is None else edges
        instrument = instrument or Instrument(float(np.diff(time).mean()))
        self._place(name, condition, aligned, time, instrument, driving_force)
        self.events, self.with_variance = len(traces), with_variance
        binned = traces @ self.average.T
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
        self._set(data, covariance + self._allowed, self.events)
        self.mean_waveform = MeanWaveform(time, traces.mean(axis=0), traces.std(axis=0, ddof=1), len(traces))
        self._binned = binned

    def _place(
        self,
        name: str,
        condition: Condition,
        aligned: str,
        time: np.ndarray,
        instrument: Instrument,
        driving_force: float,
    ) -> None:
        """Keep where the bins are, and how the model is brought there.

        Raises:
            ValidationError: If the alignment is unknown, or the bins do not fit the samples or the condition.
        """
        self.name, self.condition, self.aligned = name, condition, aligned
        if aligned not in ("onset", "half_rise"):
            raise ValidationError(f"alignment of {name}", repr(aligned), "onset or half_rise")
        if self.edges[-1] > condition.duration + 1e-9:
            allowed = f"at least that of the last bin ({self.edges[-1]:g} ms)"
            raise ValidationError(f"duration of {name}", f"{condition.duration:g} ms", allowed)
        self.sampled, self.average = time, _bin_matrix(time, self.edges)
        self.time = 0.5 * (self.edges[1:] + self.edges[:-1])
        self.instrument, self.driving_force = instrument, driving_force
        self._refuse_endless()
        self._prepare()

    def _refuse_endless(self) -> None:
        """Refuse what would fill the memory: the map from the current to the samples is a full matrix.

        Raises:
            ValidationError: With how to shorten the record.
        """
        corner = self.instrument.bandwidth
        fine = min(
            self.instrument.sampling_interval, 1.0 / (40.0 * corner) if np.isfinite(corner) else np.inf
        )
        span = max(float(self.sampled[-1]), self.condition.duration) - min(float(self.sampled[0]), 0.0)
        rows = self.sampled.size if self.aligned == "onset" else self.condition.duration / min(fine, 0.02)
        if rows * span / fine > _LARGEST:
            value = f"{self.sampled.size} samples, over {span:.3g} ms"
            hint = "cut it shorter, average neighbouring samples, or give edges that end earlier"
            raise ValidationError(f"a waveform of {self.name}", value, "one of fewer samples", hint)

    def _statistic(self, binned: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Bin means and log variance of the projection, and the covariance of their errors."""
        if not self.with_variance:
            return binned.mean(axis=0), np.atleast_2d(np.cov(binned, rowvar=False)) / len(binned)
        return errors(binned, self.direction, self.noise_variance)

    def _noise(self, time: np.ndarray, traces: np.ndarray) -> float:
        """Variance of the projection of the noise, from as many baseline windows as fit before the onset."""
        quiet = time < (0.0 if self.aligned == "onset" else -1.0)
        if quiet.sum() < 8:
            return 0.0
        # bins differ in length; the noise of a bin is that of the running mean of as many samples
        base = traces[:, quiet]
        total = 0.0
        step = float(np.diff(time).mean())
        spectrum = np.abs(np.fft.rfft(base - base.mean(axis=1, keepdims=True), axis=1)) ** 2
        lags = np.fft.irfft(spectrum.mean(axis=0), base.shape[1]) / base.shape[1]
        weight = self.average.T @ self.direction
        reach = min(lags.size // 2, weight.size - 1, max(1, round(2.0 / step)))
        for lag in range(-reach, reach + 1):
            shifted = (
                weight[max(0, lag) : weight.size + min(0, lag)]
                @ weight[max(0, -lag) : weight.size - max(0, lag)]
            )
            total += shifted * lags[abs(lag)]
        return max(float(total), 0.0)

    def _prepare(self) -> None:
        """The linear map from the solved current to the bins, or to a dense trace that is then aligned."""
        known = self.condition.times()
        if self.aligned == "onset":
            self.map = self.average @ self.instrument.matrix(known, self.sampled)
            return
        step = min(self.instrument.sampling_interval, 0.02)
        self.dense = np.arange(0.0, self.condition.duration, step)
        self.map = self.instrument.matrix(known, self.dense)

    @property
    def labels(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """What each number is."""
        means = tuple(f"mean at {t:.3g} ms" for t in self.time)
        return (*means, "log variance of size") if self.with_variance else means

    def binned(self, current: Float[Array, "k t"]) -> Float[Array, "k b"]:
        """Bin means of recorded currents."""
        current = self._clamped(current)
        if self.aligned == "onset":
            return current @ jnp.asarray(self.map).T
        return jax.vmap(self._shifted)(current @ jnp.asarray(self.map).T)

    def curve(self, quanta: Quanta) -> np.ndarray:
        """The model's mean event between the bins too, at the times of the samples [t] [nA]."""
        current = self._clamped(quanta.current)
        if self.aligned == "onset":
            known = self.condition.times()
            traces = current @ jnp.asarray(self.instrument.matrix(known, self.sampled)).T
        else:
            traces = jax.vmap(self._moved)(current @ jnp.asarray(self.map).T)
        return np.asarray(jnp.asarray(quanta.weight) @ traces)

    def _clamped(self, current: Array) -> Array:
        """Currents through the series resistance."""
        resistance = self.instrument.series_resistance
        return current / (1.0 + current / self.driving_force * resistance) if resistance > 0 else current

    def _moved(self, trace: Array) -> Array:
        """A dense trace aligned at half the rise, at the times of the samples."""
        dense = jnp.asarray(self.dense)
        return jnp.interp(jnp.asarray(self.sampled) + half_rise(dense, -trace), dense, trace, left=0.0)

    def _shifted(self, trace: Array) -> Array:
        """Its bin means."""
        return jnp.asarray(self.average) @ self._moved(trace)

    def predict(self, quanta: Quanta, values: Mapping[str, Any]) -> Float[Array, " z"]:
        binned = self.binned(quanta.current)
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
            model = np.asarray(self.binned(quanta.current))
        shape = shape_of(model, np.asarray(quanta.weight), self.direction)
        data, covariance = errors(self._binned, self.direction, self.noise_variance, shape)
        made = copy.copy(self)
        made._set(data, covariance + self._allowed, self.events)
        return made

    def from_events(
        self, time: np.ndarray, currents: np.ndarray, values: Mapping[str, float], channel: float = 0.0
    ) -> np.ndarray:
        binned, _ = self.recorded(time, currents, values)
        mean = binned.mean(axis=0)
        if not self.with_variance:
            return mean
        size = (binned - mean) @ self.direction
        gate = (np.sqrt(np.abs(mean) * channel) @ np.abs(self.direction)) ** 2
        return np.append(mean, np.log(size @ size / (len(size) - 1) + gate + self.noise_variance))

    def recorded(
        self, time: np.ndarray, currents: np.ndarray, values: Mapping[str, float]
    ) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray] | None]:
        """Bin means of simulated quanta [v, bin]; and, at the onset, the currents and the matrix they follow by."""
        resistance, scaled = self.instrument.series_resistance, values.get("recording.scale", 1.0) * currents
        if resistance > 0:
            scaled = scaled / (1.0 + scaled / self.driving_force * resistance)
        if self.aligned == "onset":
            matrix = self.average @ self.instrument.matrix(time, self.sampled)
            return scaled @ matrix.T, (scaled, matrix)
        dense = scaled @ self.instrument.matrix(time, self.dense).T
        return np.asarray(jax.vmap(self._shifted)(jnp.asarray(dense))), None


def default_edges(time: np.ndarray, mean: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Edges of bins that hold about equal shares of the mean event's path up and down [bin + 1].

    A bin is at least two samples wide; the record ends where a twentieth of the peak is left.

    Raises:
        ValidationError: If the mean event has its peak before time 0, or too few samples after it.
    """
    upward = np.abs(mean)
    peak = int(upward.argmax())
    end = peak + int(np.argmax(np.append(upward[peak:], 0.0) < 0.05 * upward[peak]))
    inside = (time >= min(0.0, time[-1])) & (np.arange(time.size) <= min(end, time.size - 1))
    if inside.sum() < 5 or not upward[peak] > 0:
        value = f"at {time[peak]:.3g} ms, with {int(inside.sum())} samples between its onset and its end"
        hint = "these may be no events: check polarity, onset and the command, or choose another window"
        raise ValidationError(
            "the peak of the mean event", value, "after its onset, with five samples or more", hint
        )
    level = np.convolve(upward, np.ones(3) / 3.0, mode="same")
    path = np.cumsum(
        np.where(inside, np.append(0.0, np.abs(np.diff(level))) + 0.2 * upward[peak] / inside.sum(), 0.0)
    )
    wanted = np.interp(np.linspace(0.0, path[-1], bins + 1), path, np.arange(time.size))
    index = np.round(wanted).astype(int)
    index[0] = int(np.flatnonzero(inside)[0])
    for i in range(1, index.size):
        index[i] = max(index[i], index[i - 1] + 2)
    step = float(np.diff(time).mean())
    # half a sample before, so that each edge lies between two samples
    return time[0] + step * (index[index < time.size] - 0.5)


def _bin_matrix(time: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Mean over the samples within each bin, [bin, t].

    Raises:
        ValidationError: If a bin holds no sample.
    """
    inside = (time[None, :] >= edges[:-1, None]) & (time[None, :] < edges[1:, None])
    count = inside.sum(axis=1)
    if edges.ndim != 1 or edges.size < 2 or (count == 0).any():
        empty = int(np.flatnonzero(count == 0)[0]) if count.size else 0
        raise ValidationError(
            "edges", f"bin {empty} without a sample", "bins that each hold a sample or more"
        )
    return inside / count[:, None]
