"""What an electrophysiologist has: sweeps of a current or a potential, and how they were recorded."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nmjmc.errors import ValidationError

UNITS = ("nA", "mV")
"""Units of a recording inside the package: a current or a potential."""


@dataclass(frozen=True, eq=False)
class Recording:
    """Sweeps of one channel, evenly sampled.

    Attributes:
        signal: Current [nA] or potential [mV], float64 [sweep, t].
        sampling_interval: Time between samples [ms].
        unit: `nA` or `mV`.
        holding_potential: Command potential in voltage clamp [mV]; NaN where it is not known.
        bandwidth: Corner (-3 dB) of the low-pass filter [kHz]; NaN where it is not known.
        series_resistance: Series resistance that was not compensated [MOhm]; NaN where it is not known.
        temperature: Of the bath [degC]; NaN where it is not known.
        sweep_start: Start of each sweep in the experiment [sweep] [ms]; by default one after the other.
        name: Short name, for files and figures.
        source: Where it came from: file, channel, protocol.
    """

    signal: np.ndarray
    sampling_interval: float
    unit: str = "nA"
    holding_potential: float = float("nan")
    bandwidth: float = float("nan")
    series_resistance: float = float("nan")
    temperature: float = float("nan")
    sweep_start: np.ndarray = field(default_factory=lambda: np.zeros(0))
    name: str = "recording"
    source: str = ""

    def __post_init__(self) -> None:
        signal = np.atleast_2d(np.asarray(self.signal, np.float64))
        object.__setattr__(self, "signal", signal)
        if signal.ndim != 2 or signal.shape[1] < 2:
            raise ValidationError(
                "signal", f"of shape {signal.shape}", "sweeps of two or more samples, [sweep, t]"
            )
        if not np.isfinite(signal).all():
            raise ValidationError(
                "signal", "with NaN or infinite samples", "finite", "cut the gaps out first"
            )
        if not (np.isfinite(self.sampling_interval) and self.sampling_interval > 0):
            raise ValidationError("sampling_interval", f"{self.sampling_interval} ms", "positive and finite")
        if self.unit not in UNITS:
            raise ValidationError("unit", repr(self.unit), "nA or mV")
        self._check_corner()
        self._set_starts()

    def _check_corner(self) -> None:
        if self.bandwidth <= 0:
            raise ValidationError("bandwidth", f"{self.bandwidth} kHz", "positive, or NaN where not known")
        if self.series_resistance < 0:
            allowed = "zero or more, or NaN where not known"
            raise ValidationError("series_resistance", f"{self.series_resistance} MOhm", allowed)

    def _set_starts(self) -> None:
        starts = np.asarray(self.sweep_start, np.float64)
        if starts.size == 0:
            starts = np.arange(self.sweeps) * self.sweep_duration
        if starts.shape != (self.sweeps,):
            raise ValidationError(
                "sweep_start", f"of shape {starts.shape}", f"one time a sweep ({self.sweeps})"
            )
        object.__setattr__(self, "sweep_start", starts)

    @property
    def sweeps(self) -> int:
        """Number of sweeps."""
        return self.signal.shape[0]

    @property
    def time(self) -> np.ndarray:
        """Time within a sweep [t] [ms]."""
        return np.arange(self.signal.shape[1]) * self.sampling_interval

    @property
    def sweep_duration(self) -> float:
        """Duration of a sweep [ms]."""
        return self.signal.shape[1] * self.sampling_interval

    @property
    def duration(self) -> float:
        """Time recorded in all sweeps [ms]."""
        return self.sweeps * self.sweep_duration

    def __repr__(self) -> str:
        kind = "current" if self.unit == "nA" else "potential"
        rate = 1.0 / self.sampling_interval
        return f"Recording {self.name!r}: {kind}, {self.sweeps} sweeps of {self.sweep_duration:g} ms at {rate:g} kHz"
