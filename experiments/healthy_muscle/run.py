"""A healthy human muscle: no decrement, jitter inside its limits, a safety factor of about two, every stimulus fires.

The limits of jitter are those of voluntary single-fibre EMG of extensor digitorum at 40 years (Gilchrist 1992).
"""

from __future__ import annotations

import math

import numpy as np

from experiments.common import Report, canvas
from experiments.hospital import SEED, TUNED, banks, estimate, fibres, jitter, patient, trained
from nmjmc.diagnostics import epp
from nmjmc.viz.style import COLOURS, INK, style


def run(report: Report) -> None:
    """Repetitive stimulation, single-fibre EMG, endplate potentials."""
    junction, given = patient(), banks(report)
    train = trained(report, given, junction)
    report.say(
        "decrement at 3 Hz", "%", "none beyond 5 %", "V", (-5, 5), estimate(train.row("decrement")), TUNED
    )
    fired = train.row("fibres that fire at the last stimulus")
    report.say(
        "fibres that fire at the sixth stimulus", "%", "all", "V", (100, math.inf), estimate(fired), TUNED
    )
    pairs = jitter(report, given, junction)
    limit = pairs.facts["limit_mean_us"]
    mean = estimate(pairs.row("mean jitter (MCD)"))
    report.say("mean jitter", "us", f"at most {limit:g}", "V", (0, limit), mean)
    name = next(row.name for row in pairs.rows if row.name.startswith("pairs beyond"))
    for words in (name, "pairs with blocking"):
        report.say(words, "%", "at most 10", "V", (0, 10), estimate(pairs.row(words)))
    potentials = epp.finding(
        epp.endplate_potentials(junction, 3.0, 5, fibres(report, 60), SEED, given(junction))
    )
    factor, quanta = (potentials.row(n) for n in ("safety factor", "quantal content, first stimulus"))
    report.say("safety factor", "", "about 2", "M", (1.5, 3.0), estimate(factor), TUNED)
    report.say(
        "quantal content", "", "31", "M", (28, 34), estimate(quanta), "the sensor's binding was tuned to it"
    )
    mepp = estimate(potentials.row("miniature potential"))
    report.say("miniature potential", "mV", "1.00", "M", (0.8, 1.2), mepp, "the fibre was chosen for it")
    report.facts |= {"fibres": fibres(report)}
    report.draw(_figure(pairs, potentials))


def _figure(pairs, potentials):
    with style():
        figure = canvas(140, 60)
        left, right = figure.subplots(1, 2)
        factor = potentials["safety_factor"]
        left.hist(factor[np.isfinite(factor)], bins=12, color=COLOURS[0])
        left.axvline(1.0, color=INK, linestyle="--", linewidth=0.8)
        left.set(xlabel="safety factor", ylabel="fibres", xlim=(0, None))
        known = pairs["jitter"][np.isfinite(pairs["jitter"])]
        right.hist(known, bins=12, color=COLOURS[0])
        right.axvline(pairs.facts["limit_pair_us"], color=COLOURS[1], linestyle="--", label="limit of a pair")
        right.set(xlabel="jitter (us)", ylabel="pairs", xlim=(0, None))
        right.legend()
    return figure
