"""Myasthenia gravis: decrement, jitter and blocking against severity, and pyridostigmine.

Criteria: a decrement of at least 10 % from the first to the fourth or fifth response at 2 to 5 Hz (AAEM 2001,
abstract);
more than a tenth of the pairs beyond their limit or blocking (Gilchrist 1992). Which severity is moderate is a choice:
0.6, where 46 % of the receptors are left.
"""

from __future__ import annotations

import math

import numpy as np

from experiments.common import Estimate, Report, canvas
from experiments.hospital import banks, estimate, jitter, patient, trained
from nmjmc.viz.style import COLOURS, INK, style

SEVERITIES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
MODERATE = 0.6
DOSES = (0.0, 0.125, 0.5, 2.0, 20.0)


def run(report: Report) -> None:
    """The sweep of severity, single-fibre EMG of the moderate one, and the drug."""
    given = banks(report)
    sweep = [trained(report, given, patient({"myasthenia_gravis": s})) for s in SEVERITIES]
    treated = [
        trained(report, given, patient({"myasthenia_gravis": MODERATE}, {"pyridostigmine": d})) for d in DOSES
    ]
    moderate, pairs = treated[0], jitter(report, given, patient({"myasthenia_gravis": MODERATE}))
    decrement = estimate(moderate.row("decrement"))
    report.say("decrement at 3 Hz, severity 0.6", "%", "at least 10", "V-abs", (10, math.inf), decrement)
    name = next(row.name for row in pairs.rows if row.name.startswith("pairs beyond"))
    beyond, blocking = estimate(pairs.row(name)), estimate(pairs.row("pairs with blocking"))
    report.say("pairs beyond their limit or blocking", "%", "more than 10", "V", (10, math.inf), beyond,
               "the healthy muscle may exceed this limit too, see there")  # fmt: skip
    report.say("pairs with blocking", "%", "some", "V", (1, 100), blocking)
    shares = [f.row("fibres that fire at the first stimulus") for f in sweep]
    report.say("fibres that fire at severity 1", "%", "block", "-", None, estimate(shares[-1]))
    best, most = treated[2], treated[-1]
    for words, found in (("0.5 uM, half of the esterase", best), ("20 uM, 98 % of it", most)):
        change = _difference(found.row("decrement"), moderate.row("decrement"))
        wanted = ("less decrement", (-math.inf, 0)) if found is best else ("does not help", None)
        report.say(f"decrement under pyridostigmine {words}, change", "%", wanted[0], "M", wanted[1], change,
                   "intervals of the two decrements added in quadrature")  # fmt: skip
    report.draw(_figure(sweep, treated))


def _difference(a, b) -> Estimate:
    half = 0.5 * np.hypot(a.high - a.low, b.high - b.low)
    return Estimate(a.value - b.value, a.value - b.value - half, a.value - b.value + half)


def _figure(sweep, treated):
    with style():
        figure = canvas(145, 60)
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, x, found in ((left, SEVERITIES, sweep), (right, np.arange(len(DOSES)), treated)):
            for name, colour in (
                ("decrement", COLOURS[1]),
                ("fibres that fire at the first stimulus", COLOURS[0]),
            ):
                rows = [f.row(name) for f in found]
                value = np.array([r.value for r in rows])
                ends = np.array([[r.value - r.low, r.high - r.value] for r in rows]).T
                axes.errorbar(
                    x, value, np.nan_to_num(ends).clip(0), fmt="o-", color=colour, markersize=3, label=name
                )
            axes.axhline(10, color=INK, linestyle="--", linewidth=0.7)
        right.set_xticks(np.arange(len(DOSES)), [f"{d:g}" for d in DOSES])
        left.set(xlabel="severity", ylabel="per cent", ylim=(-15, 105))
        right.set(xlabel="pyridostigmine (uM) at severity 0.6")
        left.legend(loc="center left", fontsize=6.5)
    return figure
