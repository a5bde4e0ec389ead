"""Nonstationary noise of decaying currents: the current of one channel, and how many are open.

Of n channels that are open at the peak, each closes by itself: at time t the number open is binomial with the share
s(t) = M(t) / M(peak) that the mean current M shows, and with unitary current i

    Cov(I(t), I(t')) = i M(t') (1 - s(t)),    t <= t'.

Each event is compared with the mean scaled to it, a M(t), a = sum_t w(t) I(t), where w covers the peak (peak-scaled)
or the whole decay by least squares (decay-scaled), so that events with different numbers of channels can be pooled.
The variance about it then is i B(t) with B = K(t, t) - 2 M(t) (K w)(t) + M(t)^2 w'K w and K the covariance above over
i: for peak-scaling, the parabola i M - M^2 / n. The background has the same form, with its own covariance as the
baseline has it, and is taken off. Without scaling the variance is i M - M^2 / N, for N channels that are there at
every event, and gives the probability of being open at the peak.

What is no closing of channels counts as such: events whose decays differ (vesicles of different content or place,
reopening in bursts) make i too large, a filter that is slow against the channels makes it too small.

References:
    Sigworth 1980, J Physiol 307:97. Traynelis, Silver & Cull-Candy 1993, Neuron 11:279 (peak-scaled).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from nmjmc.analysis.bench.measured import RESAMPLES, Measured, of_replicates, resamples
from nmjmc.errors import ValidationError, nearest
from nmjmc.numbers import in_units

SCALINGS = ("decay", "peak", "none")
BINS = 15
"""Of equal steps of the mean current; a choice."""
LOWEST = 0.05
"""Share of the peak down to which the decay is used; a choice."""
PEAK_SAMPLES = 3
"""Over which a peak is scaled; a choice against the noise of one sample."""


@dataclass(frozen=True, eq=False)
class ChannelNoise:
    """What the noise of decays says.

    Attributes:
        unitary: Current of one channel [nA].
        channels: Open at the peak where events were scaled, N without scaling; in the mean over events.
        open_probability: At the peak; NaN where events were scaled, which cannot know it.
        mean: Of the bins [bin] [nA].
        variance: Less the background [bin] [nA^2].
        fitted: [bin] [nA^2].
        background: Variance of the baseline [nA^2].
        scaling: `decay`, `peak` or `none`.
    """

    unitary: Measured
    channels: Measured
    open_probability: Measured
    mean: Float[np.ndarray, " b"]
    variance: Float[np.ndarray, " b"]
    fitted: Float[np.ndarray, " b"]
    background: float
    scaling: str


@in_units(traces="[?]", quiet="#")
def decay_noise(
    traces: np.ndarray, *, quiet: int = 0, scaling: str = "peak", number: int = RESAMPLES, seed: int = 0
) -> ChannelNoise:
    """Unitary current and number of channels from the variance of decays about their mean.

    Args:
        traces: Aligned events, the response of either sign [event, t].
        quiet: How many samples at the beginning are baseline; their mean is taken off each event.
        scaling: `peak`, `decay` or `none`.
        number: Bootstrap samples over events.
        seed: Of the resampling.

    Raises:
        ValidationError: If there are fewer than ten events, or the mean does not decay.
    """
    upward, before = _checked(traces, quiet, scaling)
    mean = upward.mean(axis=0)
    decay = _decay(mean)
    weights = _weights(mean, decay, scaling)
    scale = np.ones(len(upward)) if scaling == "none" else upward @ weights
    residual = (upward - scale[:, None] * mean)[:, decay]
    shape, noise = _forms(mean, decay, weights, before, scaling)
    drawn = np.vstack([np.ones(len(upward)), resamples(len(upward), number, seed)])
    spread = _binned(_variances(residual, drawn), mean[decay]) - _binned(noise, mean[decay])
    level, form = _binned(mean[decay], mean[decay]), _binned(shape, mean[decay])
    peaks = drawn @ upward[:, decay.start] / len(upward)
    background = float(before.var(ddof=1)) if before.size > 1 else 0.0
    return _reported(spread, level, form, _binned(noise, mean[decay]), peaks, background, scaling)


def _checked(traces: np.ndarray, quiet: int, scaling: str) -> tuple[np.ndarray, np.ndarray]:
    """Events with the response upwards and no baseline [e, t], and the baseline's own samples [e, quiet]."""
    if scaling not in SCALINGS:
        raise ValidationError(
            "scaling", repr(scaling), "peak, decay or none", nearest(str(scaling), SCALINGS)
        )
    if traces.ndim != 2 or traces.shape[0] < 10 or traces.shape[1] < quiet + 8:
        allowed = f"ten or more events (rows) of {quiet + 8} or more samples"
        raise ValidationError("traces", f"of shape {traces.shape}", allowed)
    if not np.isfinite(traces).all():
        raise ValidationError("traces", "with missing or infinite samples", "finite")
    before = traces[:, :quiet]
    level = before.mean(axis=1, keepdims=True) if quiet else 0.0
    moved = traces - level
    mean = moved[:, quiet:].mean(axis=0)
    sign = -1.0 if abs(mean.min()) > abs(mean.max()) else 1.0
    return sign * moved[:, quiet:], sign * (before - level)


def _decay(mean: np.ndarray) -> slice:
    """From the peak down to a twentieth of it."""
    peak = int(mean.argmax())
    below = np.flatnonzero(mean[peak:] < LOWEST * mean[peak])
    end = peak + int(below[0]) if below.size else mean.size
    if end - peak < 5:
        raise ValidationError(
            "traces", f"with a decay of {end - peak} samples", "of five or more", "sample faster"
        )
    return slice(peak, end)


def _weights(mean: np.ndarray, decay: slice, scaling: str) -> np.ndarray:
    """What a trace is multiplied with and summed to give its scale [t]."""
    numbers = np.zeros_like(mean)
    half = PEAK_SAMPLES // 2
    used = decay if scaling == "decay" else slice(max(decay.start - half, 0), decay.start + half + 1)
    numbers[used] = mean[used] / (mean[used] @ mean[used])
    return numbers


def _forms(
    mean: np.ndarray, decay: slice, weights: np.ndarray, before: np.ndarray, scaling: str
) -> tuple[np.ndarray, np.ndarray]:
    """B(t), and the variance that the background adds [t of the decay]."""
    share = np.ones_like(mean)
    share[decay] = mean[decay] / mean[decay.start]
    index = np.arange(mean.size)
    late, early = np.maximum.outer(index, index), np.minimum.outer(index, index)
    kernel = mean[late] * (1.0 - share[early])
    noise = _covariance(before, mean.size)
    if scaling == "none":
        return np.diag(kernel)[decay], np.diag(noise)[decay]

    def scaled(c: np.ndarray) -> np.ndarray:
        return (np.diag(c) - 2.0 * mean * (c @ weights) + mean**2 * (weights @ c @ weights))[decay]

    return scaled(kernel), scaled(noise)


def _covariance(before: np.ndarray, size: int) -> np.ndarray:
    """Covariance of the background in samples of an event whose baseline was taken off [t, t]."""
    count = before.shape[1]
    lags = np.zeros(size)
    if count > 1:
        for lag in range(min(count // 2, size)):
            products = before[:, : count - lag] * before[:, lag:]
            lags[lag] = products.sum() / (len(before) * (count - lag)) * count / (count - 1.0)
    index = np.arange(size)
    offset = (
        (
            lags[0]
            + 2.0
            * (lags[1:count] * (1.0 - np.arange(1, count)[: size - 1] / count)[: lags[1:count].size]).sum()
        )
        / count
        if count > 1
        else 0.0
    )
    return lags[np.abs(index[:, None] - index[None, :])] + max(offset, 0.0)


def _variances(residual: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Variance about the scaled mean of each resample [b, t]."""
    count = residual.shape[0]
    shift = drawn @ residual / count
    return (drawn @ residual**2 / count - shift**2) * count / (count - 1.0)


def _binned(values: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Means over bins of equal steps of the mean current, the largest first [..., bin]."""
    which = np.minimum((BINS * (1.0 - mean / mean[0])).astype(int), BINS - 1).clip(0)
    members = (which[None, :] == np.unique(which)[:, None]).astype(float)
    return values @ (members / members.sum(axis=1, keepdims=True)).T


def _reported(
    spread: np.ndarray, level: np.ndarray, form: np.ndarray, noise: np.ndarray, peaks: np.ndarray,
    background: float, scaling: str,
) -> ChannelNoise:  # fmt: skip
    columns = np.stack([level, -(level**2)], axis=1) if scaling == "none" else form[:, None]
    # a variance is known to a share of itself
    weight = 1.0 / np.maximum(np.abs(spread[0]) + noise, 1e-3 * np.abs(spread[0]).max())
    for _ in range(3):
        solve = np.linalg.pinv(columns * weight[:, None]) * weight
        found = spread @ solve.T
        weight = 1.0 / np.maximum(np.abs(columns @ found[0]) + noise, 0.02 * np.abs(columns @ found[0]).max())
    unitary = found[:, 0]
    how = f"{scaling}-scaled variance, bootstrap" if scaling != "none" else "variance against mean, bootstrap"
    with np.errstate(divide="ignore", invalid="ignore"):
        if scaling == "none":
            channels = np.where(found[:, 1] > 0, 1.0 / found[:, 1], np.inf)
            chance = peaks / (unitary * channels)
        else:
            channels, chance = np.where(unitary > 0, peaks / unitary, np.nan), np.full_like(unitary, np.nan)
    name = "channels" if scaling == "none" else "channels open at the peak"
    return ChannelNoise(
        of_replicates("current of one channel", "nA", unitary[0], unitary[1:], how),
        of_replicates(name, "", channels[0], channels[1:], how),
        of_replicates("open probability at the peak", "", chance[0], chance[1:], how),
        level, spread[0], columns @ found[0], background, scaling,
    )  # fmt: skip
