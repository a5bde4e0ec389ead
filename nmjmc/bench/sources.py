"""What a source holds: miniatures or evoked amplitudes [trial, stimulus], with traces and truth if there are any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from nmjmc.analysis.bench.responses import Responses
from nmjmc.analysis.observations import EventTable


@dataclass(frozen=True, eq=False)
class Miniatures:
    """Spontaneous events.

    Attributes:
        events: Their features.
        name: Of the source, in words.
        time: Of the traces, zero at the onset [t] [ms]; empty without traces.
        traces: As recorded, baseline at zero [event, t].
        quiet: Samples of baseline at the beginning of each trace.
        gaps: Intervals between all events that were found in a sweep, those among them that could not be measured
            [interval] [ms]; empty to take them from the table.
        truth: What a simulation knows, by the name of a row.
        notes: What a reader must know.
    """

    events: EventTable
    name: str
    time: np.ndarray = field(default_factory=lambda: np.zeros(0))
    traces: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    quiet: int = 0
    gaps: np.ndarray = field(default_factory=lambda: np.zeros(0))
    truth: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """Of the amplitudes, `nA` or `mV`."""
        return self.events.unit

    def intervals(self) -> np.ndarray:
        """Intervals between neighbouring events of one sweep, in their order [interval] [ms]; empty without times."""
        times = self.events.columns.get("time", np.zeros(0))
        if self.gaps.size or times.size < 2 or not np.isfinite(times).all():
            return self.gaps
        sweep = self.events.columns.get("sweep", np.zeros(times.size))
        order = np.lexsort((times, sweep))
        return np.diff(times[order])[np.diff(sweep[order]) == 0]

    @property
    def amplitudes(self) -> np.ndarray:
        """Those that are numbers [event]."""
        values = self.events["amplitude"]
        return values[np.isfinite(values)]


@dataclass(frozen=True, eq=False)
class Evoked:
    """Responses to stimuli.

    Attributes:
        amplitudes: Positive, failures as zero or noise [trial, stimulus]; of conditions, columns of their own length
            that end in NaN.
        name: Of the source, in words.
        unit: `nA` or `mV`.
        times: Of the stimuli [k] [ms]; empty where they are not known.
        time: Of the traces, zero at the stimulus [t] [ms]; empty without traces.
        traces: Responses to the first stimulus, baseline at zero [trial, t].
        miniatures: Amplitudes of miniatures that came with them [event]; empty if none did.
        noise_sd: Of an amplitude, as measured; NaN where it is not known.
        driving_force: Rest to reversal [mV]; NaN where it is not known.
        trials: What a row is.
        responses: Latency and failure of each, where there are traces to read them from.
        truth: What a simulation knows, by the name of a row.
        notes: What a reader must know.
    """

    amplitudes: np.ndarray
    name: str
    unit: str
    times: np.ndarray = field(default_factory=lambda: np.zeros(0))
    time: np.ndarray = field(default_factory=lambda: np.zeros(0))
    traces: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    miniatures: np.ndarray = field(default_factory=lambda: np.zeros(0))
    noise_sd: float = float("nan")
    driving_force: float = float("nan")
    trials: str = "trials"
    responses: Responses | None = None
    truth: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def conditions(self) -> list[np.ndarray]:
        """Each column without what is missing."""
        return [column[np.isfinite(column)] for column in self.amplitudes.T]

    def whole(self) -> Evoked:
        """Without trials of which an amplitude is missing, and a note of how many those were."""
        kept = np.asarray(np.isfinite(self.amplitudes).all(axis=1))
        if kept.all():
            return self
        note = f"{int((~kept).sum())} of {kept.size} {self.trials} lack an amplitude and were left out."
        traces = self.traces[kept] if self.traces.size else self.traces
        read = None if self.responses is None else self.responses.kept(kept)
        return replace(
            self, amplitudes=self.amplitudes[kept], traces=traces, responses=read, notes=(*self.notes, note)
        )


@dataclass(frozen=True, eq=False)
class Pauses:
    """Recovery: test responses over the first, after pauses.

    Attributes:
        pause: [p] [ms].
        ratio: [p].
        error: Standard errors [p]; empty where they are not known.
        name: Of the source, in words.
    """

    pause: np.ndarray
    ratio: np.ndarray
    error: np.ndarray
    name: str


@dataclass(frozen=True, eq=False)
class Intervals:
    """Intervals between successive spontaneous events.

    Attributes:
        gaps: In their order [n] [ms].
        name: Of the source, in words.
    """

    gaps: np.ndarray
    name: str


Source = Miniatures | Evoked | Pauses | Intervals
