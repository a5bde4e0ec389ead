"""What a contraction is described by: twitch, tetanus, and how far it is fused."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from nmjmc.junction.calcium import Force, contract
from nmjmc.junction.contraction import Contraction

SAMPLE = 0.025
"""Step of the tubular potential [ms]: a spike at 37 degC lasts 0.2 ms, and release goes with a high power of it."""
KEPT = 4
"""Every fourth sample of the force is kept."""


class Twitch(NamedTuple):
    """A single contraction; times from the stimulus [ms].

    Attributes:
        amplitude: peak force above rest.
        time_to_peak: [ms].
        half_relaxation: from the peak to half of it [ms]; NaN if the record ends before.
    """

    amplitude: float
    time_to_peak: float
    half_relaxation: float


def tubular_trace(
    times: np.ndarray, record: np.ndarray, tubule: np.ndarray, resting: float, duration: float
) -> Float[np.ndarray, "... t"]:
    """The tubular potential over a whole train, every 0.025 ms.

    Args:
        times: Stimuli [k] [ms].
        record: Times of the records after each stimulus [t] [ms].
        tubule: Potential in these records [... k t] [mV].
        resting: Potential elsewhere [mV].
        duration: End of the trace [ms].
    """
    grid = np.arange(round(duration / SAMPLE) + 1) * SAMPLE
    trace = np.full((*tubule.shape[:-2], grid.size), resting, np.float64)
    for k, start in enumerate(times):
        inside = (grid >= start) & (grid <= start + record[-1])
        flat = tubule[..., k, :].reshape(-1, record.size)
        placed = np.stack([np.interp(grid[inside] - start, record, row) for row in flat])
        trace[..., inside] = placed.reshape(*tubule.shape[:-2], -1)
    return trace


def twitch_of(time: np.ndarray, force: np.ndarray, onset: float = 0.0) -> Twitch:
    """Describe one twitch [t] that begins at `onset` [ms]."""
    before = force[time <= onset]
    above = force - (before[-1] if before.size else force[0])
    peak = int(above.argmax())
    below = np.flatnonzero(above[peak:] <= 0.5 * above[peak])
    relaxed = time[peak + below[0]] - time[peak] if below.size else np.nan
    return Twitch(float(above[peak]), float(time[peak] - onset), float(relaxed))


def fusion(time: np.ndarray, force: np.ndarray, interval: float) -> float:
    """Least over greatest force above rest in the last interval of a tetanus; 1 is smooth."""
    last = force[time >= time[-1] - interval] - force[0]
    return float(last.min() / last.max())


def contract_train(contraction: Contraction, tubular: Float[np.ndarray, "... t"], resting: float) -> Force:
    """The contraction that follows from `tubular_trace`, every 0.1 ms."""
    return contract(contraction, tubular, SAMPLE, resting, KEPT)
