"""Where data lie and where a model can be: told before a fit, and after one that ended where no data are.

Before anything is solved only a bound is known: all molecules of a vesicle of four SD above the mean open channels at
once, every free parameter at whichever of its bounds makes the current larger. No current is above it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from nmjmc.errors import ValidationError
from nmjmc.fitting.average_term import AverageTerm
from nmjmc.fitting.counts_term import CountsTerm
from nmjmc.fitting.histogram_term import HistogramTerm
from nmjmc.fitting.likelihood import Multinomial
from nmjmc.fitting.parameters import Parameters, with_values
from nmjmc.fitting.quanta import Quanta
from nmjmc.fitting.terms import StatisticsTerm, Term
from nmjmc.fitting.waveform_term import WaveformTerm
from nmjmc.synapse.model import Synapse

LARGEST = 4.0
"""SDs by which the largest vesicle is above the mean, in the logarithm of its content [D]."""

SEEN = 1e-3
"""Expected share of trials in all bins that hold data, below which no data lie where the model is [D]."""

APART = 2.0
"""Factor by which peaks of data and model differ that do not lie together [D]."""

BEGIN = "No data lie where the model can be: "
"""How a sentence begins that says so, in the notes of a fit."""


class Span(NamedTuple):
    """A range of amplitudes.

    Attributes:
        low: In the unit.
        high: In the unit.
        unit: `nA`, `mV` or `quanta`.
    """

    low: float
    high: float
    unit: str

    def __str__(self) -> str:
        return f"{self.low:.4g} to {self.high:.4g} {self.unit}"


def data_span(term: Term) -> Span | None:
    """The amplitudes of a data set: its bins with observations, its bin means, its amplitude; None if it has none."""
    if isinstance(term, HistogramTerm):
        seen = np.flatnonzero(term.histogram.counts > 0)
        if not seen.size:
            return None
        edges = term.histogram.edges
        return Span(float(edges[seen[0]]), float(edges[seen[-1] + 1]), term.histogram.unit)
    if isinstance(term, CountsTerm):
        trials = np.flatnonzero(term.data[1:] > 0)
        return Span(float(trials[0] + 1), float(trials[-1] + 1), "quanta")
    if isinstance(term, WaveformTerm | AverageTerm):
        size = np.abs(term.data[: term.bins.time.size])
        return Span(float(size.min()), float(size.max()), "nA")
    if isinstance(term, StatisticsTerm) and "amplitude" in term.labels:
        size = float(term.data[term.labels.index("amplitude")])
        return Span(size, size, "nA")
    return None


def model_span(synapse: Synapse, term: Term, parameters: Parameters, fixed: Mapping[str, Any]) -> Span | None:
    """From nothing to a bound on what the model can give of a data set, in its unit; None where there is no bound.

    Args:
        synapse: Before the fit.
        term: The data set.
        parameters: The free ones, with their bounds.
        fixed: Known parameters of release and recording, internal units.
    """
    if isinstance(term, CountsTerm):
        return None  # a number of quanta has no bound
    try:
        ends = [
            _largest(synapse, term, {**fixed, **parameters.named(np.asarray(end, np.float64))})
            for end in (parameters.high, parameters.low)
        ]
    except ValidationError:  # a bound may itself be just outside of what a synapse may have
        return None
    if not np.isfinite(ends).all():
        return None
    unit = term.histogram.unit if isinstance(term, HistogramTerm) else "nA"
    return Span(0.0, max(ends), unit)


def _largest(synapse: Synapse, term: Term, values: Mapping[str, Any]) -> float:
    """A bound on the response at given values; infinite where there is none."""
    warm = with_values(term.condition.of(synapse), values).effective()
    scheme = warm.receptor.scheme
    held = [b for b, g in zip(scheme.bound, scheme.conductance, strict=True) if g > 0]
    if not held or min(held) < 1:
        return float("inf")  # channels open without transmitter
    spread = float(np.sqrt(np.log1p(float(warm.vesicle.content_cv) ** 2)))
    content = float(warm.vesicle.content_mean) * np.exp(max(LARGEST * spread - 0.5 * spread**2, 0.0))
    drive = abs(float(warm.fibre.holding_potential) - float(warm.receptor.reversal_potential))
    channel = float(warm.receptor.channel_conductance) * max(scheme.conductance) * drive
    current = content / min(held) * channel * float(values.get("recording.scale", 1.0))
    if not isinstance(term, HistogramTerm):
        return current
    count = 1 if term.release == "single" else term.most
    return current * count * float(values.get("recording.gain", term.gain)) + LARGEST * term.noise_sd


def refuse_out_of_reach(
    synapse: Synapse, terms: tuple[Term, ...], parameters: Parameters, fixed: Mapping[str, Any]
) -> None:
    """Refuse data of which none lies where the model can be, whatever the parameters.

    Raises:
        ValidationError: With both ranges.
    """
    for term in terms:
        data, model = data_span(term), model_span(synapse, term, parameters, fixed)
        if data is None or model is None:
            continue
        lowest = (
            data.high if isinstance(term, WaveformTerm | AverageTerm) else data.low
        )  # a waveform begins at zero
        if lowest > model.high:
            hint = "check the unit and gain of the data, and the bounds of the free parameters"
            allowed = f"where the model can be ({model} within the bounds)"
            raise ValidationError(f"data.{term.name}", f"at {data}", allowed, hint)


def outside(term: Term, z: np.ndarray, solved: Quanta | None, gain: float) -> str:
    """That no data of a set lie where the fitted model is, in a sentence with both ranges; empty where some do.

    Args:
        term: The data set.
        z: Predictions [z].
        solved: Quanta of its condition, if the mean field gives them.
        gain: The histogram's unit per nA.
    """
    data = data_span(term)
    if data is None:
        return ""
    where = f"those of {term.name} are {data}"
    if isinstance(term.likelihood, Multinomial):
        seen = term.likelihood.counts[1:] > 0
        if z[1:][seen].sum() > SEEN:
            return ""
        model = "in none of their bins"
        if solved is not None and isinstance(term, HistogramTerm):
            peak = gain * np.abs(np.asarray(solved.current)).max(axis=1)
            model = f"at {peak.min():.4g} to {peak.max():.4g} {data.unit} for a quantum"
        return f"{BEGIN}{where}, the model is {model}."
    count = term.bins.time.size if isinstance(term, WaveformTerm | AverageTerm) else z.size
    if isinstance(term, StatisticsTerm):
        count = term.labels.index("amplitude") + 1
        top = float(np.abs(z[count - 1]))
    else:
        top = float(np.abs(z[:count]).max())
    if (
        data.high / APART <= top <= data.high * APART
        or np.abs(term.likelihood.residuals(z)[:count]).max() < 5.0
    ):
        return ""
    return f"{BEGIN}{where}, the model reaches {top:.4g} nA within the bounds."
