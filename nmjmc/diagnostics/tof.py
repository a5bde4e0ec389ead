"""Train of four: the fourth twitch over the first, and twitches under drugs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from nmjmc.diagnostics.fibres import fibres_of, stimulate
from nmjmc.errors import ValidationError
from nmjmc.junction.modifier import Change
from nmjmc.junction.occupancy import receptor_occupancy
from nmjmc.junction.stimulus import train
from nmjmc.junction.whole import Junction, bank_for


@dataclass(frozen=True)
class TrainOfFour:
    """Twitches of a muscle under treatments [d].

    Attributes:
        occupancy: part of the receptors that a blocker keeps out of use [d].
        twitch: share of the fibres that fired at each of four stimuli [d 4].
    """

    occupancy: Float[np.ndarray, " d"]
    twitch: Float[np.ndarray, "d four"]

    @property
    def ratio(self) -> Float[np.ndarray, " d"]:
        """T4/T1; NaN without a first twitch."""
        first = self.twitch[:, 0]
        return np.where(first > 0, self.twitch[:, 3] / np.where(first > 0, first, 1.0), np.nan)


def train_of_four(
    junction: Junction, treatments: Sequence[Change], fibres: int = 100, seed: int = 0, quanta: int = 24
) -> TrainOfFour:
    """Four stimuli at 2 Hz under each treatment; the same fibres under every one.

    Args:
        junction: The junction without drugs.
        treatments: For example `[drug("rocuronium", c) for c in (0.05, 0.1)]`.
        fibres: How many.
        seed: Seed.
        quanta: Single quanta simulated for each treatment.

    Raises:
        ValidationError: For no treatment.
    """
    if not len(treatments):
        raise ValidationError("treatments", "empty", "one or more drugs at a dose")
    twitches, occupancy = [], []
    for treatment in treatments:
        treated = treatment(junction)
        muscle = fibres_of(treated, fibres, seed)
        evoked = stimulate(treated, train("2 Hz", 4), muscle, seed, bank_for(treated, quanta, seed))
        twitches.append((evoked.response.spikes > 0).mean(axis=0))
        occupancy.append(receptor_occupancy(treated))
    return TrainOfFour(np.asarray(occupancy), np.asarray(twitches))
