"""Miniature events found in raw recordings: by deconvolution, or by a sliding template.

Deconvolution (Pernia-Andrade et al. 2012, Biophys J 103:1429): the trace divided by the template in the frequency
domain and band-passed has a sharp peak at each onset; its noise is Gaussian, and the threshold is a multiple of
its SD. Template (Clements & Bekkers 1997, Biophys J 73:220): the template is scaled to fit the trace at every
sample, and the criterion is the scale over its standard error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft
from scipy import signal as filters

from nmjmc.analysis.recording import Recording
from nmjmc.errors import ValidationError, nearest
from nmjmc.numbers import in_units

METHODS = ("deconvolution", "template")


@dataclass(frozen=True, eq=False)
class Detected:
    """Onsets of events.

    Attributes:
        sweep: Sweep of each event, int [event].
        sample: Sample of its onset in the sweep, int [event].
        score: Height of the detection trace in units of its noise [event].
        polarity: 1 or -1.
        threshold: In units of the noise.
    """

    sweep: np.ndarray
    sample: np.ndarray
    score: np.ndarray
    polarity: int
    threshold: float

    def __len__(self) -> int:
        return self.sample.size


@in_units(time="[ms]", rise="ms", decay="ms")
def biexponential(time: np.ndarray, rise: float, decay: float) -> np.ndarray:
    """A template (1 - exp(-t/rise)) exp(-t/decay) with peak 1, zero before time 0.

    Args:
        time: [t] [ms].
        rise: Time constant of the rise [ms].
        decay: Time constant of the decay [ms], longer than nothing.

    Raises:
        ValidationError: If a time constant is not positive.
    """
    for name, value in (("rise", rise), ("decay", decay)):
        if not value > 0:
            raise ValidationError(name, f"{value} ms", "positive")
    after = np.maximum(time, 0.0)
    peak_time = rise * np.log1p(decay / rise)
    peak = (1.0 - np.exp(-peak_time / rise)) * np.exp(-peak_time / decay)
    return -np.expm1(-after / rise) * np.exp(-after / decay) / peak


@in_units(template="[?]", threshold="", band="[kHz]", dead_time="ms")
def detect(
    recording: Recording,
    template: np.ndarray,
    *,
    method: str = "deconvolution",
    threshold: float = 4.0,
    polarity: int = -1,
    band: tuple[float, float] = (0.0001, 0.2),
    dead_time: float | None = None,
) -> Detected:
    """Find the onsets of events of a known shape.

    Args:
        recording: What was recorded.
        template: Shape of an event at the recording's sampling [t], beginning at its onset; any scale.
        method: `deconvolution` or `template`.
        threshold: Height in units of the noise of the detection trace.
        polarity: -1 if events go down.
        band: Pass band of the deconvolved trace [kHz]; the published choice is 0.1 to 200 Hz.
        dead_time: Shortest interval of two events [ms]; by default the template's time to peak.

    Returns:
        The onsets, by sweep and sample.

    Raises:
        ValidationError: If the template does not fit the recording, or a setting cannot be right.
    """
    template = _checked(recording, template, method, threshold, polarity)
    step = recording.sampling_interval
    least = max(1, round((dead_time if dead_time is not None else int(template.argmax()) * step) / step))
    sweeps, samples, scores = [], [], []
    for number in range(recording.sweeps):
        trace = recording.sweep(number)
        if trace.size < template.size:  # a sweep that is too short for an event holds none
            continue
        found = _detection_trace(polarity * trace, template, step, method, band)
        # a shoulder on the way down from an event is no second one
        peaks, heights = filters.find_peaks(
            found, height=threshold, distance=least, prominence=0.5 * threshold
        )
        sweeps.append(np.full(peaks.size, number))
        samples.append(peaks)
        scores.append(heights["peak_heights"])
    return Detected(
        np.concatenate(sweeps), np.concatenate(samples), np.concatenate(scores), polarity, threshold
    )


def _checked(
    recording: Recording, template: np.ndarray, method: str, threshold: float, polarity: int
) -> np.ndarray:
    template = np.asarray(template, np.float64)
    if template.ndim != 1 or not 4 <= template.size <= recording.signal.shape[1]:
        allowed = f"one axis of 4 to {recording.signal.shape[1]} samples"
        raise ValidationError("template", f"of shape {template.shape}", allowed)
    if not np.isfinite(template).all() or not np.abs(template).max() > 0:
        raise ValidationError("template", "flat or not finite", "the shape of an event")
    if method not in METHODS:
        raise ValidationError("method", repr(method), "a known method", nearest(method, METHODS))
    if not threshold > 0 or polarity not in (-1, 1):
        raise ValidationError("threshold and polarity", f"{threshold}, {polarity}", "positive; 1 or -1")
    upward = template * np.sign(template[np.abs(template).argmax()])
    return upward / upward.max()


def _detection_trace(
    trace: np.ndarray, template: np.ndarray, step: float, method: str, band: tuple[float, float]
) -> np.ndarray:
    """The detection trace in units of its noise [t]."""
    if method == "template":
        return criterion(trace, template)
    raw = deconvolve(trace, template, step, band)
    # the median and the median deviation do not see the events, if they fill less than half the trace
    centre = np.median(raw)
    return (raw - centre) / (1.4826 * np.median(np.abs(raw - centre)))


def deconvolve(trace: np.ndarray, template: np.ndarray, step: float, band: tuple[float, float]) -> np.ndarray:
    """The trace divided by the template in the frequency domain, within a band with Gaussian edges [t].

    Args:
        trace: [t].
        template: [shorter].
        step: Sampling interval [ms].
        band: Lower and upper corner [kHz].
    """
    size = int(fft.next_fast_len(trace.size + template.size, real=True) or 0)
    frequency = np.fft.rfftfreq(size, step)
    kernel = np.fft.rfft(template, size)
    low, high = band
    passed = np.exp(-0.5 * (frequency / high) ** 2 * np.log(2.0))
    passed *= -np.expm1(-0.5 * (frequency / low) ** 2 * np.log(2.0)) if low > 0 else 1.0
    # where the template has next to no power, the division would only enlarge noise
    floor = 1e-3 * np.abs(kernel).max()
    divided = np.fft.rfft(trace - np.median(trace), size) * np.conj(kernel) / (np.abs(kernel) ** 2 + floor**2)
    return np.fft.irfft(divided * passed, size)[: trace.size]


def criterion(trace: np.ndarray, template: np.ndarray) -> np.ndarray:
    """Clements and Bekkers' detection criterion at every sample [t]; zero where the template does not fit."""
    count = template.size
    total, square = _sliding(trace, np.ones(count)), _sliding(trace**2, np.ones(count))
    product = _sliding(trace, template)
    e, ee = template.sum(), (template**2).sum()
    scale = (product - e * total / count) / (ee - e**2 / count)
    offset = (total - scale * e) / count
    rest = (
        square
        + scale**2 * ee
        + count * offset**2
        - 2.0 * (scale * product + offset * total - scale * offset * e)
    )
    error = np.sqrt(np.maximum(rest, 1e-12 * np.maximum(square, 1e-300)) / (count - 1))
    numbers = np.zeros(trace.size)
    numbers[: scale.size] = scale / error
    return numbers


def _sliding(trace: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Sum over the window times the trace from each sample on [t - window + 1]."""
    return filters.fftconvolve(trace, window[::-1], mode="valid")
