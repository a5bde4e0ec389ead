"""Quantal data in the forms in which they are published and exported: what a fit is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from nmjmc.analysis.recording import UNITS
from nmjmc.errors import ValidationError, nearest
from nmjmc.numbers import in_units, to_array, to_array_in

COLUMNS = {
    "time": "ms", "amplitude": "", "rise": "ms", "rise_10_90": "ms", "rise_20_80": "ms", "decay": "ms",
    "half_width": "ms", "charge": "pC", "baseline": "", "noise": "", "sweep": "1", "score": "1",
}  # fmt: skip
"""Columns of a table of events and their units; an empty unit is that of the amplitude (nA or mV)."""


@in_units(columns="*", duration="ms")
@dataclass(frozen=True, eq=False)
class EventTable:
    """Events and their measured features.

    Attributes:
        columns: Features by name, those of `COLUMNS`, each [event]; NaN where an event has none. Amplitudes are
            positive in the direction of the response. `rise` and `decay` are whatever the program that
            measured them calls so; `rise_10_90` and `rise_20_80` are what they say.
        unit: Unit of the amplitude, `nA` or `mV`.
        polarity: 1 where the response goes up, -1 where it goes down.
        duration: Time that was searched [ms]; NaN where it is not known.
        source: Where it came from.
    """

    columns: Mapping[str, np.ndarray]
    unit: str = "nA"
    polarity: int = -1
    duration: float = float("nan")
    source: str = ""

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValidationError("unit", repr(self.unit), "nA or mV")
        for name in self.columns:
            if name not in COLUMNS:
                raise ValidationError("a column", name, "a known feature", nearest(name, COLUMNS))
        columns = {
            name: to_array(values, COLUMNS[name] or self.unit, f"column {name}")
            for name, values in self.columns.items()
        }
        for name, values in columns.items():
            if values.ndim != 1 or values.size != len(next(iter(columns.values()))):
                raise ValidationError(f"column {name}", f"of shape {values.shape}", "one number an event")
        if "amplitude" not in columns:
            raise ValidationError("columns", sorted(columns), "given with an amplitude")
        object.__setattr__(self, "columns", columns)

    def __len__(self) -> int:
        return self.columns["amplitude"].size

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.columns:
            raise ValidationError("column", name, "one of the table", nearest(name, self.columns))
        return self.columns[name]

    @property
    def frequency(self) -> float:
        """Events per time searched [1/ms = kHz]."""
        return len(self) / self.duration

    def intervals(self) -> np.ndarray:
        """Intervals between successive events [event - 1] [ms]."""
        return np.diff(np.sort(self["time"]))


@in_units(time="[ms]", mean="*", sd="*")
@dataclass(frozen=True, eq=False)
class MeanWaveform:
    """A waveform averaged over events.

    Attributes:
        time: [t] [ms].
        mean: [t] [nA or mV].
        sd: Standard deviation over the events [t]; empty where it is not known.
        events: How many events were averaged; 0 where it is not known.
        unit: `nA` or `mV`.
        source: Where it came from.
    """

    time: np.ndarray
    mean: np.ndarray
    sd: np.ndarray = field(default_factory=lambda: np.zeros(0))
    events: int = 0
    unit: str = "nA"
    source: str = ""

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValidationError("unit", repr(self.unit), "nA or mV")
        for name in ("mean", "sd"):
            object.__setattr__(self, name, to_array(getattr(self, name), self.unit, name))
        if self.time.ndim != 1 or not np.all(np.diff(self.time) > 0):
            raise ValidationError("time", f"of shape {self.time.shape}", "one axis of increasing times")
        if self.mean.shape != self.time.shape or self.sd.shape not in ((0,), self.time.shape):
            raise ValidationError(
                "mean and sd", f"of {self.mean.size} and {self.sd.size} numbers", "one a time"
            )


@in_units(edges="*", counts="[]")
@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts in bins of one width, with the failures apart.

    Attributes:
        edges: Edges of the bins [bin + 1], rising, in the unit.
        counts: Observations in each bin [bin].
        failures: Trials without a response; they are in no bin.
        unit: Unit of the edges, for example `mV`; empty for counts of quanta.
        source: Where it came from.
    """

    edges: np.ndarray
    counts: np.ndarray
    failures: int = 0
    unit: str = "mV"
    source: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "edges", to_array_in(self.edges, self.unit, "edges"))
        object.__setattr__(self, "counts", np.asarray(self.counts).astype(np.int64))
        if self.counts.shape != (self.edges.size - 1,) or not np.all(np.diff(self.edges) > 0):
            raise ValidationError(
                "edges", f"{self.edges.size}", f"{self.counts.size + 1} rising edges of the bins"
            )
        if self.counts.min(initial=0) < 0 or self.failures < 0:
            raise ValidationError("counts", "negative", "zero or more")

    @classmethod
    def from_centres(cls, centres: np.ndarray, counts: np.ndarray, **others: object) -> Histogram:
        """A histogram from the centres of bins of one width.

        Raises:
            ValidationError: If the centres are not evenly spaced to a hundredth.
        """
        centres = to_array_in(centres, str(others.get("unit", "mV")), "centres")
        gaps = np.diff(centres)
        if centres.size < 2 or np.ptp(gaps) > 0.02 * abs(gaps.mean()):
            raise ValidationError(
                "centres", "unevenly spaced", "the centres of bins of one width", "give the edges"
            )
        width = float(gaps.mean())
        edges = np.append(centres - 0.5 * width, centres[-1] + 0.5 * width)
        return cls(edges=edges, counts=counts, **others)  # pyright: ignore[reportArgumentType]  (the class takes its own fields)

    @property
    def centres(self) -> np.ndarray:
        """Centres of the bins [bin]."""
        return 0.5 * (self.edges[1:] + self.edges[:-1])

    @property
    def trials(self) -> int:
        """All observations, failures included."""
        return int(self.counts.sum()) + self.failures

    def mean(self) -> float:
        """Mean of all trials, failures as zero, in the unit."""
        return float((self.counts * self.centres).sum() / self.trials)

    def variance(self, *, sheppard: bool = False) -> float:
        """Variance over all trials (n - 1), failures as zero; Sheppard's correction takes width^2/12 away."""
        squares = (self.counts * (self.centres - self.mean()) ** 2).sum() + self.failures * self.mean() ** 2
        width = float(np.diff(self.edges).mean())
        part = width**2 / 12.0 * self.counts.sum() / self.trials if sheppard else 0.0
        return float(squares / (self.trials - 1)) - part


@in_units(value="*", standard_error="*", low="*", high="*")
@dataclass(frozen=True)
class Statistic:
    """A published number with its error.

    Attributes:
        name: What it is, for example `amplitude` or `decay_time` of a MEPC.
        value: In the unit.
        standard_error: In the unit; NaN where none was given.
        unit: As written in the source.
        n: Size of the sample; 0 where it is not known.
        mark: V read in the source's public text, M from memory, C calculated, D a choice.
        source: Citation.
        conditions: Species, temperature, potential.
        low: Lower end, where a range was given (the value is then its middle).
        high: Upper end, likewise.
    """

    name: str
    value: float
    standard_error: float = float("nan")
    unit: str = ""
    n: int = 0
    mark: str = "M"
    source: str = ""
    conditions: str = ""
    low: float = float("nan")
    high: float = float("nan")

    def __post_init__(self) -> None:
        if self.mark not in ("V", "M", "C", "D"):
            raise ValidationError(f"mark of {self.name}", repr(self.mark), "V, M, C or D")
        for name in ("value", "standard_error", "low", "high"):
            numbers = to_array_in(getattr(self, name), self.unit, f"{name} of {self.name}")
            object.__setattr__(self, name, float(numbers))
        if not np.isfinite(self.value):
            raise ValidationError(f"value of {self.name}", self.value, "a finite number")
