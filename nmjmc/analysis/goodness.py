"""Goodness of fit of counts: the G statistic over neighbouring bins that hold enough."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

FEWEST = 5.0
"""Expected count of a merged bin, at least: the usual rule for the chi-squared law of the statistic."""


def g_statistic(observed: Float[np.ndarray, " n"], expected: Float[np.ndarray, " n"]) -> tuple[float, int]:
    """G = 2 sum o log(o / e), neighbours merged to five expected, e scaled to the observed total.

    Args:
        observed: Counts in each bin.
        expected: Expected counts in each bin.

    Returns:
        G, and the number of merged bins.
    """
    starts, running = [0], 0.0
    for index, count in enumerate(expected[:-1]):
        running += count
        if running >= FEWEST and expected[index + 1 :].sum() >= FEWEST:
            starts.append(index + 1)
            running = 0.0
    o, e = np.add.reduceat(observed, starts), np.add.reduceat(expected, starts)
    e = e * o.sum() / e.sum()
    return float(2.0 * np.sum(np.where(o > 0, o * np.log(np.where(o > 0, o, 1.0) / e), 0.0))), len(starts)
