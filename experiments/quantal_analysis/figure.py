"""Every analysis over all sets: estimates over their truth, and how often intervals held it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from experiments.common import canvas
from experiments.quantal_analysis.drawn import Sets
from nmjmc.viz.style import COLOURS, INK, PALE, style


def draw(found: Sequence[Sets]) -> Figure:
    """Medians and 95 % of the estimates on the left, coverage on the right."""
    with style():
        figure = canvas(165, 5.2 * len(found) + 18)
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=[2.2, 1])
        left.axvline(1.0, color=INK, linewidth=0.6)
        right.axvline(95.0, color=INK, linewidth=0.6)
        right.axvspan(90.0, 99.0, color=PALE, alpha=0.4, linewidth=0)
        for y, sets in enumerate(found):
            colour = COLOURS[0] if sets.is_judged else COLOURS[5]
            low, middle, high = np.quantile(
                sets.value / sets.truth, [0.025, 0.5, 0.975], method="inverted_cdf"
            )
            left.plot([low, min(high, 3.0)], [y, y], color=colour, linewidth=1.2)
            left.plot(middle, y, "o", color=colour, markersize=3.5)
            right.plot(100 * sets.held() / sets.value.size, y, "o", color=colour, markersize=3.5)
        left.set_yticks(range(len(found)), [sets.name for sets in found])
        left.invert_yaxis()
        left.set_xlim(0.3, 2.0)
        left.set_xlabel("estimate over truth")
        right.set_xlabel("coverage (%)")
        right.set_xlim(0, 103)
    return figure
