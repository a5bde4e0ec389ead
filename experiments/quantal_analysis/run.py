"""Each analysis of quantal data on drawn experiments of known truth: how often its interval holds it, and its bias.

Quanta are those of the kernel (the human preset), simulated once and drawn from with replacement; release is drawn
from the law that each analysis assumes, so that a fault of the analysis shows, and not one of the assumption. Where the
assumption itself is tried, the line says so and is not judged. The limits, 90 to 99 % of intervals of 95 % and a bias
of 4 %, were chosen before the run; a coverage over 100 sets has an error of 2 %.
"""

from __future__ import annotations

from scipy import stats

from experiments.common import Estimate, Report, of_normal
from experiments.quantal_analysis import evoked, spontaneous
from experiments.quantal_analysis.drawn import SETS, Sets, quanta
from experiments.quantal_analysis.figure import draw
from nmjmc.analysis import quantal
from nmjmc.data import published

COVERAGE, BIAS = (90.0, 99.0), 4.0


def run(report: Report) -> None:
    """All analyses, and the two sets of published numbers that can be typed in."""
    count = 8 if report.fast else SETS
    source = quanta(12 if report.fast else 150)
    found = [*evoked.all_of(source, count), *spontaneous.all_of(source, count)]
    for sets in found:
        _say(report, sets)
    _published(report)
    report.facts |= {"sets": count, "quanta of the kernel": len(source.current)}
    report.draw(draw(found))


def _say(report: Report, sets: Sets) -> None:
    held, count = sets.held(), sets.value.size
    ends = stats.binomtest(held, count).proportion_ci(0.95, method="wilson")
    share = Estimate(100 * held / count, 100 * float(ends.low), 100 * float(ends.high))
    limits = COVERAGE if sets.is_judged else None
    report.say(f"{sets.name}: intervals that hold the truth", "%", "95 %", "C", limits, share, sets.note)
    bias, error = sets.bias()
    limits = (-BIAS, BIAS) if sets.is_judged else None
    report.say(f"{sets.name}: bias of the median", "%", "0", "C", limits, of_normal(bias, error))


def _published(report: Report) -> None:
    """Boyd and Martin's cell by three methods; Fatt and Katz's intervals against a Poisson process."""
    large = published.histogram("boyd_martin_1956", "epp_amplitude")
    small = published.histogram("boyd_martin_1956", "mepp_amplitude")
    direct, cv = quantal.direct(large, small), float(small.variance() ** 0.5 / small.mean())
    half = 2 * direct.standard_error
    limits = (direct.value - half, direct.value + half)
    how = f"{direct.value:.2f} by the direct method, of 198 potentials (Boyd & Martin 1956, Fig. 8)"
    for name, one in (
        ("failures", quantal.failures(large.trials, large.failures)),
        ("variance", quantal.variance(large, quantal_cv=cv)),
    ):
        said = of_normal(one.value, one.standard_error)
        report.say(f"quantal content by {name}, cat end-plate", "", how, "C", limits, said)
    known = {one.name: one for one in published.statistics("fatt_katz_1952")}
    cv, n = known["interval_cv"].value, known["interval_cv"].n
    report.say(
        f"CV of {n} intervals, frog end-plate (Fatt & Katz 1952)", "", "1 for a Poisson process", "C", (0.93, 1.07),
        of_normal(cv, n**-0.5), "the limits are two standard errors of the CV of as many exponential intervals",
    )  # fmt: skip
