"""Single-fibre EMG: jitter of pairs of fibres as mean consecutive difference, and blocking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from nmjmc.diagnostics.fibres import fibres_of, stimulate
from nmjmc.errors import ValidationError
from nmjmc.junction.bank import Bank
from nmjmc.junction.stimulus import train
from nmjmc.junction.whole import Junction

LIMITS = {
    # muscle: ((age up to, mean jitter, jitter of one pair) [us]): 95 % limits, voluntary, Gilchrist 1992 [V]
    "extensor_digitorum": ((59, 35.9, 52.5), (69, 36.6, 54.4), (79, 37.7, 57.2)),
    "frontalis": ((19, 33.6, 49.7), (49, 35.5, 53.5), (79, 43.8, 74.1)),
}
MOST_ABNORMAL = 0.10


@dataclass(frozen=True)
class Sfemg:
    """Jitter and blocking.

    Attributes:
        jitter: mean consecutive difference of each pair [p] [us]; NaN with too few intervals.
        blocking: share of the stimuli at which one of the pair fails [p].
        interval: between the two potentials at each stimulus [p k] [ms]; NaN where one fails.
    """

    jitter: Float[np.ndarray, " p"]
    blocking: Float[np.ndarray, " p"]
    interval: Float[np.ndarray, "p k"]

    def abnormal(self, age: float = 40, muscle: str = "extensor_digitorum") -> bool:
        """Whether the mean jitter, or more than a tenth of the pairs (jitter or blocking), exceeds the limits.

        Raises:
            ValidationError: For a muscle or an age without limits.
        """
        mean, pair = limits(age, muscle)
        beyond = (self.jitter > pair) | (self.blocking > 0)
        return bool(np.nanmean(self.jitter) > mean or beyond.mean() > MOST_ABNORMAL)


def limits(age: float, muscle: str) -> tuple[float, float]:
    """Upper limits of mean jitter and of one pair's jitter [us].

    Raises:
        ValidationError: For a muscle or an age without limits.
    """
    if muscle not in LIMITS:
        raise ValidationError("muscle", repr(muscle), f"one of {', '.join(LIMITS)}")
    for until, mean, pair in LIMITS[muscle]:
        if 10 <= age <= until:
            return mean, pair
    raise ValidationError("age", age, f"10 to {LIMITS[muscle][-1][0]} years for {muscle}")


def mean_consecutive_difference(interval: Float[np.ndarray, "... k"]) -> Float[np.ndarray, "..."]:
    """Mean absolute difference of consecutive intervals; failures (NaN) break the sequence.

    For independent normal jitter it is 2 / sqrt(pi) of the standard deviation.
    """
    steps = np.abs(np.diff(interval, axis=-1))
    found = np.isfinite(steps)
    count = found.sum(axis=-1)
    total = np.where(found, steps, 0.0).sum(axis=-1)
    return np.where(count >= 5, total / np.maximum(count, 1), np.nan)


def single_fibre(
    junction: Junction,
    pairs: int = 20,
    stimuli: int = 50,
    frequency: Any = 10.0,
    seed: int = 0,
    bank: Bank | None = None,
) -> Sfemg:
    """Stimulated single-fibre EMG of pairs of fibres of one motor unit.

    Raises:
        ValidationError: For fewer than one pair or ten stimuli.
    """
    if pairs < 1 or stimuli < 10:
        raise ValidationError("pairs, stimuli", f"{pairs}, {stimuli}", "at least 1 pair and 10 stimuli")
    muscle = fibres_of(junction, 2 * pairs, seed)
    evoked = stimulate(junction, train(frequency, stimuli), muscle, seed, bank)
    latency = evoked.response.latency
    interval = latency[1::2] - latency[0::2]
    jitter = 1e3 * mean_consecutive_difference(interval)
    return Sfemg(jitter, np.isnan(interval).mean(axis=-1), interval)
