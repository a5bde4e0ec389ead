"""How a recording changes what it records: series resistance, low-pass filter, sampling, noise.

The same is applied to a simulated current before it is compared with the recorded one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import signal as filters

from nmjmc.analysis.recording import Recording
from nmjmc.errors import ValidationError
from nmjmc.numbers import in_units


@in_units(sampling_interval="ms", bandwidth="kHz", series_resistance="MOhm", frequency="[kHz]")
@dataclass(frozen=True, eq=False)
class Instrument:
    """The recording's side of a current.

    Attributes:
        sampling_interval: [ms].
        bandwidth: Corner (-3 dB) of the Bessel low-pass filter [kHz]; NaN for none.
        poles: Of that filter; 4 and 8 are usual.
        series_resistance: What was not compensated [MOhm]; NaN counts as none.
        spectrum: One-sided power spectral density of the noise [nA^2/kHz or mV^2/kHz] [f]; empty for none.
        frequency: Its frequencies [f] [kHz].
    """

    sampling_interval: float
    bandwidth: float = float("nan")
    poles: int = 4
    series_resistance: float = float("nan")
    spectrum: np.ndarray = field(default_factory=lambda: np.zeros(0))
    frequency: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        if not self.sampling_interval > 0:
            raise ValidationError("sampling_interval", f"{self.sampling_interval} ms", "positive")
        if self.bandwidth <= 0:
            raise ValidationError("bandwidth", f"{self.bandwidth} kHz", "positive, or NaN for none")
        if self.poles not in range(1, 13):
            raise ValidationError("poles", self.poles, "a whole number from 1 to 12")

    @property
    def noise_sd(self) -> float:
        """SD of the noise, the root of the integral of its spectrum."""
        return float(np.sqrt(np.trapezoid(self.spectrum, self.frequency))) if self.spectrum.size else 0.0

    def through_series_resistance(self, current: np.ndarray, driving_force: float) -> np.ndarray:
        """Current that flows where the membrane is clamped through a resistance: I / (1 + g R), g = I / (V - E).

        Args:
            current: At the command potential [..., t] [nA].
            driving_force: Command minus reversal potential [mV].
        """
        if not self.series_resistance > 0:
            return current
        return np.asarray(current / (1.0 + current / driving_force * self.series_resistance))

    def matrix(self, time: np.ndarray, sampled: np.ndarray) -> np.ndarray:
        """Linear map from a current at some times to what is recorded at others, [r, t].

        The current is taken as straight between its times and zero before the first. It is put on a grid
        fine enough for the filter, filtered, and read at `sampled`.

        Args:
            time: Of the current [t], increasing [ms].
            sampled: Of the record [r] [ms].
        """
        time, sampled = np.asarray(time, np.float64), np.asarray(sampled, np.float64)
        fine = self._fine_grid(min(time[0], sampled.min()), max(time[-1], sampled.max()))
        onto = _interpolation(time, fine)
        onto[fine < time[0]] = 0.0
        return _interpolation(fine, sampled) @ self._filtered(onto, float(fine[1] - fine[0]))

    @in_units(time="[ms]", current="[nA]", sampled="[ms]", driving_force="mV")
    def apply(
        self, time: np.ndarray, current: np.ndarray, sampled: np.ndarray, driving_force: float = -80.0
    ) -> np.ndarray:
        """What would be recorded of simulated currents, without noise [..., r].

        Args:
            time: Of the currents [t] [ms].
            current: [..., t] [nA].
            sampled: Times of the record [r] [ms].
            driving_force: For the series resistance [mV].
        """
        clamped = self.through_series_resistance(np.asarray(current, np.float64), driving_force)
        return clamped @ self.matrix(time, sampled).T

    def noise(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Gaussian noise with the recording's spectrum, shape [..., t]."""
        if not self.spectrum.size:
            return np.zeros(shape)
        size = 2 * shape[-1]  # twice as long, so that the end does not know the beginning
        at = np.fft.rfftfreq(size, self.sampling_interval)
        density = np.interp(at, self.frequency, self.spectrum)
        amplitude = np.sqrt(0.5 * density * size / self.sampling_interval)
        amplitude[0] = 0.0
        white = rng.normal(size=(*shape[:-1], at.size)) + 1j * rng.normal(size=(*shape[:-1], at.size))
        return np.fft.irfft(white * amplitude / np.sqrt(2.0), size, axis=-1)[..., : shape[-1]]

    def _fine_grid(self, start: float, end: float) -> np.ndarray:
        """Even times [ms] at which the filter is computed: at least forty a period of its corner."""
        step = self.sampling_interval
        if np.isfinite(self.bandwidth):
            step = min(step, 1.0 / (40.0 * self.bandwidth))
        return start + step * np.arange(int(np.ceil((end - start) / step)) + 2)

    def _filtered(self, columns: np.ndarray, step: float) -> np.ndarray:
        if not np.isfinite(self.bandwidth):
            return columns
        sections = filters.bessel(self.poles, self.bandwidth, fs=1.0 / step, norm="mag", output="sos")
        return np.asarray(filters.sosfilt(sections, columns, axis=0))


def _interpolation(known: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Matrix of the linear interpolation from known to wanted times, flat outside [wanted, known]."""
    right = np.clip(np.searchsorted(known, wanted), 1, known.size - 1)
    share = np.clip((wanted - known[right - 1]) / (known[right] - known[right - 1]), 0.0, 1.0)
    matrix = np.zeros((wanted.size, known.size))
    row = np.arange(wanted.size)
    matrix[row, right - 1] = 1.0 - share
    matrix[row, right] += share
    return matrix


def instrument_of(recording: Recording, quiet: np.ndarray | None = None, *, poles: int = 4) -> Instrument:
    """The instrument that made a recording.

    Args:
        recording: The recording; its bandwidth and series resistance are used where they are known.
        quiet: Stretches without events [stretch, t] in the recording's unit, whose spectrum is the noise's.
        poles: Of the filter.

    Returns:
        The instrument.
    """
    frequency, spectrum = np.zeros(0), np.zeros(0)
    if quiet is not None:
        quiet = np.atleast_2d(quiet)
        rate = 1.0 / recording.sampling_interval
        frequency, each = filters.welch(quiet, fs=rate, nperseg=min(quiet.shape[1], 2048), axis=-1)
        spectrum = each.mean(axis=0)
    return Instrument(
        recording.sampling_interval,
        recording.bandwidth,
        poles,
        recording.series_resistance,
        spectrum,
        frequency,
    )
