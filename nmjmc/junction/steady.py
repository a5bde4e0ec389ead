"""What an agonist in the bath does to the fibre's rest."""

from __future__ import annotations

from typing import Any

import numpy as np

LEAST_NEGATIVE = -50.0
"""Most depolarised resting potential that the fibre takes [mV]; nothing fires from there."""


def depolarised(resting: Any, resistance: Any, conductance: Any, reversal: Any) -> Any:
    """Resting potential of a passive cable whose endplate is held open by a bath [mV].

    Args:
        resting: Without the bath [mV].
        resistance: Input resistance [MOhm].
        conductance: That the bath keeps open [uS].
        reversal: Of its current [mV].
    """
    load = resistance * conductance
    potential = (resting + load * reversal) / (1.0 + load)
    return np.maximum(resting, np.minimum(potential, LEAST_NEGATIVE))
