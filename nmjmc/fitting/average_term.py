"""An averaged waveform, of which the single events are not at hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nmjmc.analysis.instrument import Instrument
from nmjmc.analysis.observations import MeanWaveform
from nmjmc.errors import ValidationError
from nmjmc.fitting.event_bins import BINS, EventBins, default_edges
from nmjmc.fitting.likelihood import Gaussian
from nmjmc.fitting.quanta import Condition, Quanta
from nmjmc.fitting.terms import Term
from nmjmc.fitting.waveform_term import mean_labels
from nmjmc.numbers import in_units


class AverageTerm(Term):
    """Bin means of an averaged event.

    The covariance of the bins cannot be had from an average. Where the SD over events is known, it is taken for that of
    events which differ in size and in independent noise, sd(t)^2 = c^2 mean(t)^2 + s^2 with c and s by least squares,
    so that neighbouring bins agree as those of events do. Where it is not known, each bin has the error that is said.

    Attributes:
        bins: Where the bins are, and how a current is brought there.
        mean_waveform: The average, between the bins too.
        assumed: Whether the errors are those that were said.
    """

    @in_units(edges="[ms]", driving_force="mV", error="", model_error="")
    def __init__(
        self,
        name: str,
        waveform: MeanWaveform,
        condition: Condition,
        *,
        instrument: Instrument | None = None,
        edges: np.ndarray | None = None,
        bins: int = BINS,
        aligned: str = "onset",
        driving_force: float = -80.0,
        error: float = 0.02,
        model_error: float = 0.0,
    ) -> None:
        """Compare an average.

        Args:
            name: Of the data set.
            waveform: Inward negative [nA], time from the onset or from half the rise, with its SD where it is known.
            condition: What was done; its duration must cover the last bin.
            instrument: Filter, sampling and series resistance of the recording.
            edges: Of the bins [bin + 1] [ms]; by default chosen from the waveform.
            bins: How many, by default.
            aligned: `onset` or `half_rise`.
            driving_force: For the series resistance [mV].
            error: Standard error of each bin as a part of the peak, where the SD or the number of events is unknown.
            model_error: SD of what the model is allowed to be wrong in each bin, as a part of the peak.

        Raises:
            ValidationError: If it is no current, the bins do not fit the condition, or an error is not from 0 to 1.
        """
        for field, value in (("error", error), ("model_error", model_error)):
            if not 0.0 <= value < 1.0:
                raise ValidationError(f"{field} of {name}", value, "from 0 to below 1", "2 % is 0.02")
        if waveform.unit != "nA":
            raise ValidationError(f"unit of {name}", repr(waveform.unit), "nA, as a current is fitted")
        time, mean = waveform.time, waveform.mean
        step = float(np.diff(time).mean())
        edges = default_edges(time, mean, bins) if edges is None else edges
        self.name, self.condition = name, condition
        self.bins = EventBins(
            name, condition, aligned, edges, time, instrument or Instrument(step), driving_force
        )
        self.labels = mean_labels(self.bins)
        binned = self.bins.average @ mean
        covariance = np.diag(np.full(binned.size, (error * np.abs(binned).max()) ** 2))
        self.assumed = not (waveform.sd.size and waveform.events > 1)
        if not self.assumed:
            covariance = self._covariance(waveform) / waveform.events
        allowed = model_error * np.abs(binned).max()
        self.likelihood = Gaussian(name, binned, covariance + allowed**2 * np.eye(binned.size))
        self.mean_waveform = waveform

    def _covariance(self, waveform: MeanWaveform) -> np.ndarray:
        """Covariance of the bins of single events [bin, bin]."""
        square, noise = size_and_noise(waveform.mean, waveform.sd)
        binned = self.bins.average @ waveform.mean
        # a filter makes neighbouring samples agree: about two independent ones in a period of its corner
        step = float(np.diff(waveform.time).mean())
        corner = self.bins.instrument.bandwidth
        apart = max(1.0, 0.5 / (corner * step)) if np.isfinite(corner) else 1.0
        samples = np.maximum((self.bins.average > 0).sum(axis=1) / apart, 1.0)
        return square * np.outer(binned, binned) + np.diag(noise / samples)

    def predict(self, quanta: Quanta, values: Mapping[str, Any]) -> Float[Array, " z"]:
        return jnp.asarray(quanta.weight) @ self.bins.binned(quanta.current)

    def from_events(
        self, time: np.ndarray, currents: np.ndarray, values: Mapping[str, float], channel: float = 0.0
    ) -> np.ndarray:
        return self.bins.recorded(time, currents, values)[0].mean(axis=0)


def size_and_noise(mean: np.ndarray, sd: np.ndarray) -> tuple[float, float]:
    """Squared CV of the events' size and variance of their noise, from sd^2 = c^2 mean^2 + s^2 by least squares.

    Args:
        mean: Mean event [t].
        sd: SD over events [t].

    Returns:
        c^2 and s^2; the noise is at least a hundredth of the mean variance, so that no bin is without error.
    """
    x, y = mean**2, sd**2
    centred = x - x.mean()
    square = float(max((centred @ y) / max(centred @ centred, 1e-300), 0.0))
    noise = float(max((y - square * x).mean(), 0.01 * y.mean()))
    return square, noise
