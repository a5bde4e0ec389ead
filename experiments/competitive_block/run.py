"""Competitive block: occupancy at first failure and near-complete block at 0.1 Hz, fade of the train of four.

Paton & Waud 1967, J Physiol 191:59 (abstract): in cats block of the twitch began at a receptor occupancy of 0.76 +-
0.05 and was nearly complete at 0.917. They inferred occupancy from dose ratios, 1 - 1/(1 + c/K), which for two
independent sites is the occupancy of a site; a receptor is out of use when either of its sites is taken. Both are
given. The margin of safety of the cat is 4 to 12, of man about 2: the model stands for man.
"""

from __future__ import annotations

import math

import numpy as np

from experiments.common import Estimate, Report, canvas
from experiments.hospital import SEED, banks, estimate, fibres, patient
from nmjmc.diagnostics import dose, tof
from nmjmc.pharmacology import drug
from nmjmc.pharmacology.competitive import DISSOCIATION
from nmjmc.viz.style import COLOURS, style

AGENT = "rocuronium"
PATIENTS = {
    # diseases, doses in multiples of the constant
    "healthy": ({}, (0.0, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)),
    "up-regulated": ({"denervation": 0.5}, (0.0, 1.0, 2.0, 3.0, 4.0, 6.0)),
    "myasthenia 0.3": ({"myasthenia_gravis": 0.3}, (0.0, 0.25, 0.5, 0.75, 1.0)),
}


def run(report: Report) -> None:
    """Dose and response in health, up-regulation and myasthenia; the train of four."""
    given = banks(report)
    found = {name: _titrated(report, given, *of) for name, of in PATIENTS.items()}
    for words, published, limits in (
        ("block begins", "0.76 ± 0.05", (0.68, 0.84)),
        ("block nearly complete", "0.917", (0.837, 0.997)),
    ):
        at = _dose(found["healthy"], words)
        site = _each(at, lambda c: c / (c + DISSOCIATION[AGENT]))
        receptor = _each(at, lambda c: 1 - (DISSOCIATION[AGENT] / (c + DISSOCIATION[AGENT])) ** 2)
        report.say(f"{words}: occupancy of a site", "", published, "V-abs", limits, site, "in cats")
        report.say(f"{words}: receptors out of use", "", published, "V-abs", limits, receptor, "in cats")
    half = {name: _dose(f, "half of the fibres fail") for name, f in found.items()}
    for name, published, limits in (
        ("up-regulated", "above 1: resistance", (1, math.inf)), ("myasthenia 0.3", "below 1: sensitivity", (0, 1)),
    ):  # fmt: skip
        report.say(f"{name}: dose where half of the fibres fail over that in health", "", published, "M", limits,
                   _quotient(half[name], half["healthy"]))  # fmt: skip
    # four fibres may all fail at their own half
    mid = 0.2 * DISSOCIATION[AGENT] if report.fast else half["healthy"].value
    four = tof.finding(
        tof.train_of_four(patient(), [drug(AGENT, mid)], fibres(report), SEED, bank_of=given), AGENT, [mid]
    )
    row = next(r for r in four.rows if r.name.startswith("T4/T1"))
    report.say(
        "T4/T1 at the dose where half of the fibres fail", "", "below 0.9: fade", "M", (0, 0.9), estimate(row)
    )
    report.facts |= {"fibres": fibres(report, 60), "agent": AGENT}
    report.draw(_figure(found))


def _titrated(report: Report, given, sick, multiples):
    """Dose and response of one patient."""
    doses = [
        m * DISSOCIATION[AGENT] for m in (multiples[:: len(multiples) - 1] if report.fast else multiples)
    ]
    run = dose.dose_response(
        patient(sick), lambda c: drug(AGENT, c), doses, fibres(report, 60), 2, SEED, bank_of=given
    )
    return dose.finding(run, AGENT)


def _dose(finding, words: str) -> Estimate:
    """A dose of the finding [uM]."""
    names = [row.name for row in finding.rows]
    name = f"dose where {words}"
    if name not in names:
        return Estimate(math.nan, math.nan, math.nan)
    row = finding.row(name)
    return _each(estimate(row), lambda c: c * (1e-3 if row.unit == "nM" else 1.0))


def _each(found: Estimate, law) -> Estimate:
    return Estimate(*(float(law(x)) for x in (found.value, found.low, found.high)))


def _quotient(a: Estimate, b: Estimate) -> Estimate:
    """Ratio of two doses; half widths of the logarithms added in quadrature."""
    if not (a.value > 0 and b.value > 0):
        return Estimate(math.nan, math.nan, math.nan)
    spread = math.hypot(*(0.5 * math.log(e.high / e.low) if e.low > 0 else math.inf for e in (a, b)))
    value = a.value / b.value
    return Estimate(value, value * math.exp(-spread), value * math.exp(spread))


def _figure(found):
    with style():
        figure = canvas(125, 60)
        axes = figure.subplots()
        for colour, (name, f) in zip(COLOURS, found.items(), strict=False):
            share, low, high = (100 * f[n] for n in ("share", "share_low", "share_high"))
            axes.errorbar(1e3 * f["dose"], share, np.stack([share - low, high - share]).clip(0), fmt="o-", color=colour,
                          markersize=3, elinewidth=0.8, label=name)  # fmt: skip
        healthy = found["healthy"]
        axes.plot(
            1e3 * healthy["dose"],
            100 * healthy["occupancy"],
            ":",
            color=COLOURS[6],
            label="receptors out of use",
        )
        axes.set(xlabel="rocuronium (nM)", ylabel="fibres that fire at 0.1 Hz (%)", ylim=(0, 108))
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return figure
