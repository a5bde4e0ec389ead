"""Myasthenia gravis: decrement, jitter and blocking against severity, and pyridostigmine.

Criteria: a decrement of at least 10 % from the first to the fourth or fifth response at 2 to 5 Hz (AAEM 2001,
abstract); more than a tenth of the pairs beyond their limit or blocking (Gilchrist 1992). Which severity is moderate is
a choice: 0.6, where 46 % of the receptors are left in the mean.
"""

from __future__ import annotations

import math

import numpy as np

from experiments.common import Estimate, Report, canvas
from experiments.hospital import banks, estimate, fibres, jitter, patient, trained
from nmjmc.viz.style import COLOURS, INK, style

SEVERITIES = (0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)
MODERATE = 0.6
MODERATE_FIBRES = 300
DOSES = (0.0, 0.5, 20.0)
FIRST = "fibres that fire at the first stimulus"


def run(report: Report) -> None:
    """The sweep of severity, single-fibre EMG of the moderate one, and the drug."""
    given = banks(report)
    moderate = 0.2 if report.fast else MODERATE  # of four fibres one must answer
    severities, doses = (x[:2] if report.fast else x for x in (SEVERITIES, DOSES))
    sweep = [trained(report, given, patient({"myasthenia_gravis": s})) for s in severities]
    treated = [
        trained(
            report,
            given,
            patient({"myasthenia_gravis": moderate}, {"pyridostigmine": d}),
            full=MODERATE_FIBRES,
        )
        for d in doses
    ]
    pairs = jitter(report, given, patient({"myasthenia_gravis": moderate}))
    decrement = estimate(treated[0].row("decrement"))
    words = f"decrement at 3 Hz, severity {moderate:g}"
    report.say(
        words, "%", "at least 10", "V-abs", (10, math.inf), decrement, "the endplates' spread was tuned to it"
    )
    name = next(row.name for row in pairs.rows if row.name.startswith("pairs beyond"))
    beyond, blocking = estimate(pairs.row(name)), estimate(pairs.row("pairs with blocking"))
    report.say("pairs beyond their limit or blocking", "%", "more than 10", "V", (10, math.inf), beyond,
               "the healthy muscle may exceed this limit too, see there")  # fmt: skip
    report.say("pairs with blocking", "%", "some", "V", (1, 100), blocking)
    for severity, found in zip(severities, sweep, strict=True):
        words = f"fibres that fire at the first stimulus, severity {severity:g}"
        report.say(words, "%", "falls to block", "-", None, estimate(found.row(FIRST)))
    for dose, found in list(zip(doses, treated, strict=True))[1:]:
        change = _difference(found.row("decrement"), treated[0].row("decrement"))
        words = f"decrement under pyridostigmine {dose:g} uM, {100 * dose / (dose + 0.5):.0f} % inhibition, change"
        wanted = (
            ("less decrement", "M", (-math.inf, 0)) if dose <= 0.5 else ("does not help", "M", (0, math.inf))
        )
        report.say(words, "%", *wanted, change, "intervals of the two decrements added in quadrature")
    report.facts |= {
        "fibres": fibres(report),
        "treated": fibres(report, MODERATE_FIBRES),
        "moderate": moderate,
    }
    report.draw(_figure(severities, sweep, doses, treated, moderate))


def _difference(a, b) -> Estimate:
    half = 0.5 * np.hypot(a.high - a.low, b.high - b.low)
    return Estimate(a.value - b.value, a.value - b.value - half, a.value - b.value + half)


def _figure(severities, sweep, doses, treated, moderate):
    with style():
        figure = canvas(145, 60)
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, x, found in ((left, severities, sweep), (right, np.arange(len(doses)), treated)):
            for name, colour in (
                ("decrement", COLOURS[1]),
                (FIRST, COLOURS[0]),
            ):
                rows = [f.row(name) for f in found]
                value = np.array([r.value for r in rows])
                ends = np.array([[r.value - r.low, r.high - r.value] for r in rows]).T
                axes.errorbar(
                    x, value, np.nan_to_num(ends).clip(0), fmt="o-", color=colour, markersize=3, label=name
                )
            axes.axhline(10, color=INK, linestyle="--", linewidth=0.7)
        right.set_xticks(np.arange(len(doses)), [f"{d:g}" for d in doses])
        left.set(xlabel="severity", ylabel="per cent", ylim=(-15, 105))
        right.set(xlabel=f"pyridostigmine (uM) at severity {moderate:g}")
        left.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), fontsize=6.5)
    return figure
