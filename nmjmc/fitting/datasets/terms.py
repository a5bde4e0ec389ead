"""What terms of waveforms have in common: bins, the time that must be simulated, the instrument."""

from __future__ import annotations

import numpy as np

from nmjmc.analysis.instrument import Instrument
from nmjmc.analysis.recording import Recording
from nmjmc.fitting.datasets.options import Options
from nmjmc.fitting.event_bins import BINS, default_edges


def edges_of(options: Options, time: np.ndarray, mean: np.ndarray, count: int) -> np.ndarray:
    """Edges of the bins [ms], fewer where there are few events."""
    given = options.edges()
    return (
        given
        if given is not None
        else default_edges(time, mean, options.whole("bins", min(BINS, max(4, count // 6)), 2))
    )


def needed(edges: np.ndarray, aligned: str) -> float:
    """Time that must be simulated for the bins [ms]; half of the rise comes later than the onset."""
    return float(np.ceil(edges[-1] + (1.0 if aligned == "half_rise" else 0.0) + 1e-9))


def instrument_of(options: Options, step: float, record: Recording | None = None) -> Instrument:
    """The instrument of a data set.

    Args:
        options: Of the data set.
        step: Sampling interval [ms].
        record: The recording, whose bandwidth and series resistance hold where there is one.
    """
    bandwidth = record.bandwidth if record is not None else options.number("bandwidth")
    resistance = record.series_resistance if record is not None else options.number("series_resistance")
    return Instrument(step, bandwidth, options.whole("poles", 4, 1), resistance)
