"""Intervals of spontaneous events against a Poisson process, of which a detector with a dead time sees a part.

After each event none is seen for a time d. Intervals less d are then exponential, with the true rate 1 / (mean - d).
Four looks at this, since one alone is blind to much: the distribution (Kolmogorov-Smirnov with the rate fitted; its
p-value from drawn exponential intervals, as tables for a known rate do not hold), the CV (1), neighbours (rank
correlation 0), and a trend of the rate (Laplace's test). The power of the first is told, by drawing gamma-distributed
intervals.

References:
    Fatt & Katz 1952, J Physiol 117:109. Cox & Lewis 1966, The Statistical Analysis of Series of Events. Lilliefors
    1969, J Am Stat Assoc 64:387.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

from nmjmc.analysis.bench.measured import Measured, of_normal
from nmjmc.errors import ValidationError
from nmjmc.numbers import in_units

DRAWS = 1000
"""Of the null distribution; a choice: a p-value of 0.05 is known to 0.007."""
POWER_DRAWS = 200
OTHER_CVS = (0.8, 1.25)
"""CVs of the gamma-distributed intervals for which the power is told: more regular, and more in bursts; a choice."""
SIZE = 0.05
"""Of the test whose power is told."""


@dataclass(frozen=True, eq=False)
class PoissonTest:
    """Whether events come as a Poisson process does.

    Attributes:
        rate: True rate [1/s], the dead time taken into account.
        dead_time: d [ms].
        distribution_p: Of the Kolmogorov-Smirnov test with a fitted rate.
        cv: Of the intervals less d, with the interval that holds for exponential ones.
        neighbours: Rank correlation of neighbouring intervals.
        trend_p: Of Laplace's test.
        power: By CV of gamma-distributed intervals, the chance to find them at 5 %.
        excess: Sorted intervals less d [n] [ms].
    """

    rate: Measured
    dead_time: float
    distribution_p: float
    cv: Measured
    neighbours: Measured
    trend_p: float
    power: dict[float, float]
    excess: Float[np.ndarray, " n"]


@in_units(intervals="[ms]", dead_time="ms")
def against_poisson(intervals: np.ndarray, dead_time: float | None = None, *, seed: int = 0) -> PoissonTest:
    """Test intervals against a Poisson process with a dead time.

    Args:
        intervals: Between successive events, in their order [n] [ms].
        dead_time: d [ms]; by default the shortest interval, which is too long by 1 / (n rate) in the mean.
        seed: Of the drawn intervals.

    Raises:
        ValidationError: If there are fewer than ten intervals, or one is shorter than the dead time.
    """
    if intervals.ndim != 1 or intervals.size < 10 or not np.isfinite(intervals).all():
        raise ValidationError("intervals", f"of shape {intervals.shape}", "ten or more finite times")
    shortest = float(intervals.min())
    if shortest < 0 or (dead_time is not None and not 0 <= dead_time <= shortest):
        actual = f"{shortest:g} ms" if dead_time is None else f"{dead_time:g} ms"
        field = "the shortest interval" if dead_time is None else "dead_time"
        raise ValidationError(
            field, actual, f"zero or more, and at most the shortest interval ({shortest:g} ms)"
        )
    fitted = dead_time is None
    dead = shortest if fitted else float(dead_time or 0.0)
    excess = intervals - dead
    # the shortest interval is where the dead time was read: the others are what is left to test
    tested = np.delete(excess, excess.argmin()) if fitted else excess
    count = tested.size
    if not tested.mean() > 0:
        raise ValidationError("intervals", "all alike", "those of events that come by chance")
    rng = np.random.default_rng(seed)
    null = _distance(rng.exponential(size=(DRAWS, count)))
    seen = float(_distance(tested[None])[0])
    critical = np.quantile(null, 1.0 - SIZE)
    power = {
        cv: float((_distance(rng.gamma(cv**-2, size=(POWER_DRAWS, count))) > critical).mean())
        for cv in OTHER_CVS
    }
    rate = 1e3 / tested.mean()
    ranks = stats.rankdata(excess)
    rho = float(np.corrcoef(ranks[:-1], ranks[1:])[0, 1])
    cv = float(tested.std(ddof=1) / tested.mean())
    return PoissonTest(
        of_normal("rate of events", "/s", rate, rate / np.sqrt(count), "1 / (mean interval less dead time)"),
        dead, float((1 + (null >= seen).sum()) / (DRAWS + 1)),
        of_normal("CV of the intervals", "", cv, 1.0 / np.sqrt(count), "less the dead time; error of an exponential"),
        of_normal("rank correlation of neighbouring intervals", "", rho, 1.0 / np.sqrt(count - 1), "Spearman"),
        _laplace(tested), power, np.sort(excess),
    )  # fmt: skip


def _distance(values: Float[np.ndarray, "b n"]) -> Float[np.ndarray, " b"]:
    """Kolmogorov's distance of each row from the exponential of its own mean [b]."""
    ordered = np.sort(values, axis=1)
    chance = -np.expm1(-ordered / values.mean(axis=1, keepdims=True))
    steps = np.arange(values.shape[1] + 1.0) / values.shape[1]
    return np.maximum(steps[1:] - chance, chance - steps[:-1]).max(axis=1)


def _laplace(intervals: np.ndarray) -> float:
    """Two-sided p-value: at a constant rate the events up to the last lie evenly, their mean at half the time."""
    times = np.cumsum(intervals)
    inner = times[:-1]
    z = (inner.mean() / times[-1] - 0.5) * np.sqrt(12.0 * inner.size)
    return float(2.0 * stats.norm.sf(abs(z)))
