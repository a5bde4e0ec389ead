"""Where the bins of a waveform are, and how a current is brought there: filter, sampling, alignment, bin means."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nmjmc.analysis.instrument import Instrument
from nmjmc.errors import ValidationError
from nmjmc.fitting.features import half_rise
from nmjmc.fitting.quanta import Condition, Quanta

BINS = 12

_LARGEST = 1e8
"""Entries of the matrix that filters and samples a current (a choice: 0.8 GB)."""


class EventBins:
    """Bin means of a current as an instrument would have recorded it.

    Attributes:
        name: Of the data set, for messages.
        condition: What was done to the synapse.
        aligned: `onset` or `half_rise`.
        edges: Of the bins [bin + 1] [ms].
        time: Their centres [bin] [ms].
        sampled: Times of the samples [t], 0 at the onset or at half the rise [ms].
        average: From samples to bin means [bin, t].
        instrument: Filter, sampling and series resistance of the recording.
        driving_force: For the series resistance [mV].
    """

    def __init__(
        self,
        name: str,
        condition: Condition,
        aligned: str,
        edges: np.ndarray,
        sampled: np.ndarray,
        instrument: Instrument,
        driving_force: float,
    ) -> None:
        """Keep where the bins are, and how the model is brought there.

        Raises:
            ValidationError: If the alignment is unknown, or the bins do not fit the samples or the condition.
        """
        self.edges = edges
        self.name, self.condition, self.aligned = name, condition, aligned
        if aligned not in ("onset", "half_rise"):
            raise ValidationError(f"alignment of {name}", repr(aligned), "onset or half_rise")
        if self.edges[-1] > condition.duration + 1e-9:
            allowed = f"at least that of the last bin ({self.edges[-1]:g} ms)"
            raise ValidationError(f"duration of {name}", f"{condition.duration:g} ms", allowed)
        self.sampled, self.average = sampled, _bin_matrix(sampled, self.edges)
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

    def _prepare(self) -> None:
        """The linear map from the solved current to the bins, or to a dense trace that is then aligned."""
        known = self.condition.times()
        if self.aligned == "onset":
            self.map = self.average @ self.instrument.matrix(known, self.sampled)
            return
        step = min(self.instrument.sampling_interval, 0.02)
        self.dense = np.arange(0.0, self.condition.duration, step)
        self.map = self.instrument.matrix(known, self.dense)

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
