"""Derivatives of what data sets predict, from simulated quanta and the weights that scores give them.

A weight w[p, v, t] makes sum_v w M_v(t) the derivative of the mean of any M that is known at t (`scores.weights`). What
becomes known bit by bit, as a peak or a charge does, is summed by its increments, each with the weight of its own time:
later scores would add noise and nothing else.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from nmjmc.errors import ValidationError
from nmjmc.fitting.average_term import AverageTerm
from nmjmc.fitting.counts_term import CountsTerm
from nmjmc.fitting.event_bins import EventBins
from nmjmc.fitting.features import features
from nmjmc.fitting.histogram_term import HistogramTerm
from nmjmc.fitting.terms import StatisticsTerm, Term
from nmjmc.fitting.waveform_term import WaveformTerm

Weights = Float[np.ndarray, "p v t"]


@functools.singledispatch
def score_slope(
    term: Term, time: np.ndarray, currents: np.ndarray, weights: Weights, values: Mapping[str, float]
) -> Float[np.ndarray, "z p"]:
    """Derivatives of a data set's predictions by the unconstrained parameters.

    Args:
        term: The data set.
        time: [t] [ms].
        currents: Simulated quanta [v, t] [nA].
        weights: From their scores.
        values: Free and fixed parameters by path.

    Raises:
        ValidationError: For a kind of data set that has none.
    """
    raise ValidationError("fit.data", type(term).__name__, "of a kind that has a score-function derivative")


@score_slope.register
def _statistics(
    term: StatisticsTerm,
    time: np.ndarray,
    currents: np.ndarray,
    weights: Weights,
    values: Mapping[str, float],
) -> np.ndarray:
    scale = values.get("recording.scale", 1.0)
    mean, change = scale * currents.mean(axis=0), scale * np.einsum("pvt,vt->pt", weights, currents)
    at = jnp.asarray(time)

    def numbers(current: Any) -> Any:
        measured = features(at, current)
        return jnp.stack([measured[name] for name in term.labels])

    return np.stack(
        [np.asarray(jax.jvp(numbers, (jnp.asarray(mean),), (jnp.asarray(row),))[1]) for row in change], axis=1
    )


@score_slope.register
def _waveform(
    term: WaveformTerm, time: np.ndarray, currents: np.ndarray, weights: Weights, values: Mapping[str, float]
) -> np.ndarray:
    if not term.with_variance:
        return _of_means(term.bins, time, currents, weights, values)
    binned, onto = term.bins.recorded(time, currents, values)
    if onto is None:  # each event is moved to its own half rise, which is known only at the end
        means = weights[..., -1] @ binned
        size = (binned - binned.mean(axis=0)) @ term.direction
        squares = weights[..., -1] @ size**2
    else:
        flowing, matrix = onto
        means = np.einsum("pvt,vt->pt", weights, flowing) @ matrix.T
        so_far = np.cumsum((flowing - flowing.mean(axis=0)) * (term.direction @ matrix), axis=1)
        size = so_far[:, -1]
        squares = _by_increments(weights, so_far**2)
    degrees = len(size) - 1
    by_variance = squares * len(size) / degrees / (size @ size / degrees + term.noise_variance)
    return np.column_stack([means, by_variance]).T


@score_slope.register
def _average(
    term: AverageTerm, time: np.ndarray, currents: np.ndarray, weights: Weights, values: Mapping[str, float]
) -> np.ndarray:
    return _of_means(term.bins, time, currents, weights, values)


def _of_means(
    bins: EventBins, time: np.ndarray, currents: np.ndarray, weights: Weights, values: Mapping[str, float]
) -> np.ndarray:
    """Derivatives of bin means [bin, p]."""
    binned, onto = bins.recorded(time, currents, values)
    if onto is None:
        return (weights[..., -1] @ binned).T
    flowing, matrix = onto
    return (np.einsum("pvt,vt->pt", weights, flowing) @ matrix.T).T


@score_slope.register
def _histogram(
    term: HistogramTerm, time: np.ndarray, currents: np.ndarray, weights: Weights, values: Mapping[str, float]
) -> np.ndarray:
    peak = np.maximum.accumulate(np.abs(currents), axis=1) * term.scale(values)
    if term.release != "single":
        size = peak[:, -1]
        moments = jnp.asarray([size.mean(), (size**2).mean()])
        change = [_by_increments(weights, peak), _by_increments(weights, peak**2)]
        known = {name: float(value) for name, value in values.items()}

        def shares(moment: Any) -> Any:
            return term.compound(moment[0], jnp.sqrt(moment[1] - moment[0] ** 2), known)

        return np.stack(
            [np.asarray(jax.jvp(shares, (moments,), (jnp.asarray(c),))[1]) for c in np.stack(change, axis=1)],
            axis=1,
        )
    spread = np.hypot(term.least_gate(peak[:, -1]), term.noise_sd)
    below = [
        _by_increments(weights, np.asarray(jax.scipy.special.ndtr((edge - peak) / spread)))
        for edge in term.histogram.edges
    ]
    return np.vstack([np.zeros((1, len(weights))), np.diff(np.stack(below), axis=0)])


@score_slope.register
def _counts(
    term: CountsTerm, time: np.ndarray, currents: np.ndarray, weights: Weights, values: Mapping[str, float]
) -> np.ndarray:
    return np.zeros((term.data.size, len(weights)))  # counts know nothing of a quantum's current


def _by_increments(weights: Weights, known: Float[np.ndarray, "v t"]) -> Float[np.ndarray, " p"]:
    """Derivative of the mean of the last of what is known at each time."""
    return np.einsum("pvt,vt->p", weights[..., 1:], np.diff(known, axis=1)) + weights[..., 0] @ known[:, 0]
