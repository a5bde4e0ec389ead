"""What an electrophysiologist has: sweeps of a current or a potential, and how they were recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from nmjmc.carried import carried
from nmjmc.errors import ValidationError
from nmjmc.numbers import in_units, to_array
from nmjmc.units import to_internal

UNITS = ("nA", "mV")
"""Units of a recording inside the package: a current or a potential."""


@in_units(
    signal="*", sampling_interval="ms", holding_potential="mV", bandwidth="kHz", series_resistance="MOhm",
    temperature="degC", sweep_start="[ms]", command="[?]",
)  # fmt: skip
@dataclass(frozen=True, eq=False)
class Recording:
    """Sweeps of one channel, evenly sampled.

    Every number is in the unit stated below, or says its own: text with a unit, or an object of pint, quantities, neo,
    unyt, astropy or xarray, which is converted. A signal of neo, [t, channel], becomes a sweep for each channel.

    Attributes:
        signal: Current [nA] or potential [mV], float64 [sweep, t]; NaN behind the end of a sweep that is shorter than
            the longest.
        sampling_interval: Time between samples [ms].
        unit: `nA` or `mV`.
        holding_potential: Command potential in voltage clamp [mV]; NaN where it is not known.
        bandwidth: Corner (-3 dB) of the low-pass filter [kHz]; NaN where it is not known.
        series_resistance: Series resistance that was not compensated [MOhm]; NaN where it is not known.
        temperature: Of the bath [degC]; NaN where it is not known.
        sweep_start: Start of each sweep in the experiment [sweep] [ms]; by default one after the other.
        name: Short name, for files and figures.
        source: Where it came from: file, channel, protocol; and what was put right when it was read.
        length: Samples of each sweep, int [sweep]; by default all have as many as there are.
        command: What the amplifier was told [sweep, t], a potential [mV] where a current was recorded, else mostly a
            current [nA]; NaN where it is not known, empty where nothing is known of it.
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
    length: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    command: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        self._take_units()
        signal = self.signal
        if signal.ndim != 2 or signal.shape[1] < 2:
            raise ValidationError(
                "signal", f"of shape {signal.shape}", "sweeps of two or more samples, [sweep, t]"
            )
        self._set_lengths()
        if not (np.isfinite(self.sampling_interval) and self.sampling_interval > 0):
            raise ValidationError("sampling_interval", f"{self.sampling_interval} ms", "positive and finite")
        self._check_corner()
        self._set_starts()
        command = self.command
        if command.size and command.shape != self.signal.shape:
            raise ValidationError(
                "command", f"of shape {command.shape}", f"as the signal, {self.signal.shape}"
            )

    def _set_lengths(self) -> None:
        """Lengths as given or as long as the signal; what lies behind a sweep's end is NaN."""
        count, longest = self.signal.shape
        length = np.asarray(self.length, np.int64)
        length = np.full(count, longest) if length.size == 0 else length
        if length.shape != (count,) or length.min(initial=2) < 2 or length.max(initial=2) > longest:
            allowed = f"one number of samples from 2 to {longest} for each of {count} sweeps"
            raise ValidationError("length", length.tolist(), allowed)
        inside = np.arange(longest) < length[:, None]
        if not np.isfinite(self.signal[inside]).all():
            raise ValidationError(
                "signal", "with NaN or infinite samples", "finite", "cut the gaps out first"
            )
        if not inside.all():
            object.__setattr__(self, "signal", np.where(inside, self.signal, np.nan))
        object.__setattr__(self, "length", length)

    def _take_units(self) -> None:
        """Bring the signal to its unit; a sampling that neo knows is not contradicted."""
        if not isinstance(self.unit, str) or self.unit not in UNITS:
            raise ValidationError("unit", repr(self.unit), "nA or mV")
        period = getattr(self.signal, "sampling_period", None)
        object.__setattr__(self, "signal", np.atleast_2d(to_array(self.signal, self.unit, "signal")))
        if carried(period) is not None:
            own = to_internal(period, "ms", "sampling_period")
            if not np.isclose(own, self.sampling_interval, rtol=1e-6):
                allowed = f"the sampling period of the signal ({own:g} ms)"
                raise ValidationError("sampling_interval", f"{self.sampling_interval:g} ms", allowed)

    def _check_corner(self) -> None:
        if self.bandwidth <= 0:
            raise ValidationError("bandwidth", f"{self.bandwidth} kHz", "positive, or NaN where not known")
        if self.series_resistance < 0:
            allowed = "zero or more, or NaN where not known"
            raise ValidationError("series_resistance", f"{self.series_resistance} MOhm", allowed)

    def _set_starts(self) -> None:
        starts = self.sweep_start
        if starts.size == 0:
            starts = np.append(0.0, np.cumsum(self.length[:-1]) * self.sampling_interval)
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
        """Time within the longest sweep [t] [ms]."""
        return np.arange(self.signal.shape[1]) * self.sampling_interval

    @property
    def sweep_duration(self) -> float:
        """Duration of the longest sweep [ms]."""
        return self.signal.shape[1] * self.sampling_interval

    @property
    def duration(self) -> float:
        """Time recorded in all sweeps [ms]."""
        return float(self.length.sum()) * self.sampling_interval

    @property
    def even(self) -> bool:
        """Whether all sweeps have one length."""
        return bool((self.length == self.length[0]).all())

    def sweep(self, number: int) -> np.ndarray:
        """Samples of one sweep, to its end [t]."""
        return self.signal[number, : self.length[number]]

    def __repr__(self) -> str:
        kind = "current" if self.unit == "nA" else "potential"
        rate = 1.0 / self.sampling_interval
        step = self.sampling_interval
        shortest = "" if self.even else f"{self.length.min() * step:g} to "
        each = f"{self.sweeps} sweeps of {shortest}{self.sweep_duration:g} ms"
        return f"Recording {self.name!r}: {kind}, {each} at {rate:g} kHz"


def padded(sweeps: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Sweeps of any lengths as one array.

    Args:
        sweeps: Samples of each [t].

    Returns:
        float64 [sweep, t], NaN behind the ends, and the lengths [sweep].
    """
    length = np.array([len(sweep) for sweep in sweeps], np.int64)
    signal = np.full((len(sweeps), int(length.max(initial=0))), np.nan)
    for row, sweep in zip(signal, sweeps, strict=True):
        row[: len(sweep)] = sweep
    return signal, length
