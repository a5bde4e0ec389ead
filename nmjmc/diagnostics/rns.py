"""Repetitive nerve stimulation: compound action potentials, decrement and increment by the clinical definitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from nmjmc.diagnostics.fibres import Fibres, fibres_of, stimulate
from nmjmc.errors import ValidationError
from nmjmc.junction.bank import Bank
from nmjmc.junction.stimulus import train
from nmjmc.junction.whole import Junction

DECREMENT = 0.10
"""Abnormal at 2 to 5 Hz, first to fourth or fifth (AAEM 2001 [V-abs])."""
INCREMENT = 0.60
"""Suggests Lambert-Eaton at 20 to 50 Hz or after exercise [V]."""
FIBRE_WIDTH = 1.0
"""Width of a single fibre's potential at the surface [ms]; a choice."""


@dataclass(frozen=True)
class Rns:
    """Responses to repetitive nerve stimulation.

    Attributes:
        frequency: [Hz].
        time: of the responses, from each stimulus [t] [ms].
        response: compound action potential of each stimulus, in units of one fibre's [k t].
        fired: share of the fibres that fired [k].
        fired_each: the same for each fibre [v k].
        quanta: mean quantal content [k].
        amplitude: negative peak [k].
    """

    frequency: float
    time: Float[np.ndarray, " t"]
    response: Float[np.ndarray, "k t"]
    fired: Float[np.ndarray, " k"]
    fired_each: np.ndarray
    quanta: Float[np.ndarray, " k"]
    amplitude: Float[np.ndarray, " k"]

    @property
    def decrement(self) -> float:
        """Loss from the first to the smaller of the fourth and the fifth response, as a share of the first."""
        return decrement_of(self.amplitude)

    @property
    def increment(self) -> float:
        """Gain from the first to the largest later response, as a share of the first."""
        return increment_of(self.amplitude)

    @property
    def meaning(self) -> str:
        """One sentence by the clinical limits."""
        if self.frequency <= 5:
            verdict = "abnormal" if self.decrement >= DECREMENT else "normal"
            return f"Decrement {100 * self.decrement:.0f} % at {self.frequency:g} Hz: {verdict} (limit 10 %)."
        verdict = "as in Lambert-Eaton" if self.increment >= INCREMENT else "below the limit"
        return f"Increment {100 * self.increment:.0f} % at {self.frequency:g} Hz: {verdict} (limit 60 %)."


def decrement_of(amplitude: Float[np.ndarray, " k"]) -> float:
    """Loss from the first to the smaller of the fourth and the fifth amplitude; NaN without a first response.

    Raises:
        ValidationError: For fewer than four responses.
    """
    if amplitude.size < 4:
        raise ValidationError("stimuli", amplitude.size, "at least 4 for a decrement")
    return float(1 - amplitude[3:5].min() / amplitude[0]) if amplitude[0] > 0 else float("nan")


def increment_of(amplitude: Float[np.ndarray, " k"]) -> float:
    """Gain from the first to the largest later amplitude; NaN without a first response."""
    if amplitude.size < 2:
        raise ValidationError("stimuli", amplitude.size, "at least 2 for an increment")
    return float(amplitude[1:].max() / amplitude[0] - 1) if amplitude[0] > 0 else float("nan")


def compound(
    arrival: Float[np.ndarray, "v k"], time: Float[np.ndarray, " t"], width: float = FIBRE_WIDTH
) -> Float[np.ndarray, "k t"]:
    """Sum of biphasic single-fibre potentials, each of peak 1, the negative phase first and upwards.

    Args:
        arrival: When each fibre's potential passes the electrode; NaN for none [ms].
        time: [ms].
        width: Standard deviation of the Gaussian whose derivative they are, twice [ms].
    """
    away = (np.nan_to_num(arrival, nan=np.inf)[..., None] - time) / (0.5 * width)
    with np.errstate(invalid="ignore", over="ignore"):
        wave = away * np.exp(0.5 * (1.0 - away**2))
    return np.nan_to_num(wave).sum(axis=0)


def repetitive(
    junction: Junction,
    frequency: Any = 3.0,
    stimuli: int = 10,
    fibres: int | Fibres = 200,
    seed: int = 0,
    bank: Bank | None = None,
) -> Rns:
    """Repetitive nerve stimulation of a muscle.

    Args:
        junction: The junction.
        frequency: Hz, or text with a unit.
        stimuli: How many, at least 4.
        fibres: How many, or the fibres themselves.
        seed: Seed.
        bank: Single quanta, if simulated before.
    """
    if stimuli < 4:
        raise ValidationError("stimuli", stimuli, "at least 4 for a decrement")
    times = train(frequency, stimuli)
    muscle = fibres if isinstance(fibres, Fibres) else fibres_of(junction, fibres, seed)
    evoked = stimulate(junction, times, muscle, seed, bank)
    arrival = evoked.response.latency + muscle.delay[:, None]
    time = np.arange(0.0, 30.0, 0.05)
    response = compound(arrival, time)
    fired = evoked.response.spikes > 0
    return Rns(
        1e3 / (times[1] - times[0]), time, response, fired.mean(axis=0), fired,
        evoked.release.quanta.mean(axis=0), response.max(axis=1),
    )  # fmt: skip
