"""Rate of release by deconvolution of evoked currents with the miniature.

If quanta add up and all are alike, E(t) = integral r(t') m(t - t') dt'. The rate is the r whose differences from
sample to sample are as small as the stated noise allows: minimal is |E - m * r|^2 + lambda |r'|^2, in the frequency
domain

    R = conj(M) E / (|M|^2 + lambda |1 - exp(-i omega step)|^2),

with lambda so large that what is left over has the SD of the noise. The integral of r is the ratio of charges, whatever
lambda: the smoothing takes nothing away.

Limits: quanta that overlap in space add less than linearly and receptors desensitise, which both make late release too
small; in a potential, driving force and membrane do the same. Quanta vary, which the error by resampling holds but the
shape of one mean miniature does not. What is faster than the resolution that is told, is not seen.

References:
    Van der Kloot 1988, J Neurosci Methods 26:33; Neher & Sakaba 2001, J Neurosci 21:444 (its limits).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import fft

from nmjmc.analysis.bench.measured import Measured, of_replicates, resamples
from nmjmc.errors import ValidationError
from nmjmc.numbers import in_units

NUMBER = 200
"""Bootstrap samples; a choice."""
LEAST, MOST = 1e-12, 1e6
"""Range of lambda over the squared charge of the miniature."""


@dataclass(frozen=True, eq=False)
class ReleaseRate:
    """Release against time.

    Attributes:
        time: [t] [ms].
        rate: [t] [1/ms].
        low, high: Its 95 % band, point by point [t] [1/ms].
        content: Quanta released in all.
        peak: Largest rate [1/ms].
        peak_time: When [ms].
        half_width: Time above half of the largest rate [ms].
        resolution: Width at half height of what an instant of release would look like [ms].
        smoothing: Lambda over the squared charge of the miniature.
    """

    time: Float[np.ndarray, " t"]
    rate: Float[np.ndarray, " t"]
    low: Float[np.ndarray, " t"]
    high: Float[np.ndarray, " t"]
    content: Measured
    peak: Measured
    peak_time: Measured
    half_width: Measured
    resolution: float
    smoothing: float


@in_units(step="ms", evoked="[?]", miniatures="[?]")
def release_rate(
    step: float,
    evoked: np.ndarray,
    miniatures: np.ndarray,
    *,
    noise_sd: float | None = None,
    number: int = NUMBER,
    seed: int = 0,
) -> ReleaseRate:
    """Rate of release from evoked currents and miniatures of the same sampling.

    Args:
        step: Sampling interval [ms].
        evoked: Trials, baseline at zero [trial, t].
        miniatures: Events, each from its onset, baseline at zero [event, t']; one row is taken for known.
        noise_sd: SD of the noise of one trial, which the rate need not explain; by default that of the second
            differences of the mean, which is right for white noise.
        number: Bootstrap samples over trials and miniatures.
        seed: Of the resampling.

    Raises:
        ValidationError: If there is too little to deconvolve, or evoked currents and miniatures go opposite ways.
    """
    evoked, miniatures = _checked(step, evoked, miniatures)
    size = int(fft.next_fast_len(evoked.shape[1] + miniatures.shape[1], real=True) or 0)
    spectrum, kernel = (np.fft.rfft(x.mean(axis=0), size) for x in (evoked, miniatures))
    rough = np.abs(1.0 - np.exp(-2j * np.pi * np.fft.rfftfreq(size))) ** 2
    charge = abs(kernel[0]) ** 2
    wanted = _white(evoked.mean(axis=0)) if noise_sd is None else float(noise_sd) / np.sqrt(len(evoked))
    smoothing = _smoothing(spectrum, kernel, rough, wanted, size, evoked.shape[1])
    down = rough * smoothing * charge

    def rates(e: np.ndarray, m: np.ndarray) -> np.ndarray:
        return np.fft.irfft(np.conj(m) * e / (np.abs(m) ** 2 + down), size)[..., : evoked.shape[1]] / step

    rate = rates(spectrum, kernel)
    trials, events = resamples(len(evoked), number, seed), resamples(len(miniatures), number, seed + 1)
    again = rates(
        np.fft.rfft(trials @ evoked / len(evoked), size),
        np.fft.rfft(events @ miniatures / len(miniatures), size),
    )
    low, high = np.percentile(again, [2.5, 97.5], axis=0)
    how = "deconvolution, bootstrap"
    made = [
        of_replicates(name, unit, values[0], values[1:], how)
        for name, unit, values in zip(
            ("quanta released", "largest release rate", "time of the largest release rate", "half width of release"),
            ("", "/ms", "ms", "ms"), _shape(np.vstack([rate, again]), step), strict=True,
        )
    ]  # fmt: skip
    answer = np.fft.irfft(np.abs(kernel) ** 2 / (np.abs(kernel) ** 2 + down), size)
    resolution = float((answer >= 0.5 * answer.max()).sum() * step)
    return ReleaseRate(
        np.arange(rate.size) * step,
        rate,
        low,
        high,
        made[0],
        made[1],
        made[2],
        made[3],
        resolution,
        smoothing,
    )


def _checked(step: float, evoked: np.ndarray, miniatures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    evoked, miniatures = np.atleast_2d(evoked), np.atleast_2d(miniatures)
    if not step > 0:
        raise ValidationError("step", f"{step} ms", "positive")
    for name, values in (("evoked", evoked), ("miniatures", miniatures)):
        if values.ndim != 2 or values.shape[1] < 8 or not np.isfinite(values).all():
            raise ValidationError(
                name, f"of shape {values.shape}", "finite traces of 8 or more samples, [trial, t]"
            )
    one, other = evoked.mean(axis=0).sum(), miniatures.mean(axis=0).sum()
    if not one * other > 0:
        hint = "take the baseline off both, and give them the same sign"
        raise ValidationError(
            "evoked", f"of charge {one * step:g}", f"of the sign of the miniatures' ({other * step:g})", hint
        )
    return evoked, miniatures


def _white(trace: np.ndarray) -> float:
    """SD of white noise in a trace whose signal is smooth from sample to sample."""
    bends = np.diff(trace, 2)
    return float(1.4826 * np.median(np.abs(bends)) / np.sqrt(6.0))


def _smoothing(
    spectrum: np.ndarray, kernel: np.ndarray, rough: np.ndarray, wanted: float, size: int, samples: int
) -> float:
    """The lambda whose residual has the SD of the noise, by halving; the least where there is no noise."""
    charge = abs(kernel[0]) ** 2

    def left(value: float) -> float:
        part = value * charge * rough
        residual = np.fft.irfft(spectrum * part / (np.abs(kernel) ** 2 + part), size)[:samples]
        return float(np.sqrt(np.mean(residual**2)))

    low, high = np.log(LEAST), np.log(MOST)
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if left(np.exp(middle)) > wanted else (middle, high)
    return float(np.exp(0.5 * (low + high)))


def _shape(rates: np.ndarray, step: float) -> tuple[np.ndarray, ...]:
    """Content, peak, its time and the half width of each rate [b]."""
    peak = rates.max(axis=1)
    place = rates.argmax(axis=1)
    index = np.arange(rates.shape[1])
    low = rates < 0.5 * peak[:, None]
    after = np.where(low & (index > place[:, None]), index, rates.shape[1]).min(axis=1)
    before = np.where(low & (index < place[:, None]), index, -1).max(axis=1)
    return rates.sum(axis=1) * step, peak, place * step, (after - before - 1.0) * step
