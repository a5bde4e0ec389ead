"""Botulism: types A and D/E before and under 3,4-DAP.

3,4-DAP restored mouse diaphragms that were intoxicated by type A and not by D or E (PMC5696531, abstract). What is
published is whether the muscle answers again; the ratio of quantal contents is the model's.
"""

from __future__ import annotations

import math

import numpy as np

from experiments.common import Report, canvas
from experiments.hospital import banks, content, estimate, mean, patient, ratio, trained
from nmjmc.viz.style import COLOURS, style

TYPES = ("botulism_a", "botulism_d")
DOSES = (0.0, 1.0, 10.0)


def run(report: Report) -> None:
    """Quantal content and fibres that fire, with and without the drug."""
    given, normal = banks(report), content(report, patient())[:, 0]
    quanta, fired = {}, {}
    for name in TYPES:
        who = [patient({name: 1.0}, {"diaminopyridine": d}) for d in DOSES]
        quanta[name] = [content(report, junction)[:, 0] for junction in who]
        fired[name] = [
            trained(report, given, j, stimuli=4).row("fibres that fire at the first stimulus")
            for j in (who[0], who[-1])
        ]
    a, d = TYPES
    report.say(
        "type A: quantal content over normal",
        "",
        "0.01 to 0.05",
        "M",
        (0.01, 0.05),
        ratio(quanta[a][0], normal),
    )
    report.say("type D: quantal content over normal", "", "near complete block", "V-abs", (0, 0.05),
               ratio(quanta[d][0], normal))  # fmt: skip
    report.say("type A: fibres that fire", "%", "none", "V-abs", (0, 5), estimate(fired[a][0]))
    report.say("type A under 3,4-DAP, 10 uM: fibres that fire", "%", "rescued", "V-abs", (5, math.inf),
               estimate(fired[a][1]))  # fmt: skip
    report.say(
        "type D under 3,4-DAP, 10 uM: fibres that fire",
        "%",
        "not rescued",
        "V-abs",
        (0, 5),
        estimate(fired[d][1]),
    )
    for name in TYPES:
        words = f"type {name[-1].upper()}: quantal content under 3,4-DAP, 10 uM"
        report.say(words, "", "-", "-", None, mean(quanta[name][-1]))
    report.draw(_figure(quanta))


def _figure(quanta):
    with style():
        figure = canvas(100, 55)
        axes = figure.subplots()
        for shift, (name, each) in enumerate(quanta.items()):
            means = [q.mean() for q in each]
            errors = [1.96 * q.std(ddof=1) / np.sqrt(q.size) for q in each]
            axes.bar(np.arange(len(DOSES)) + 0.38 * shift, means, 0.36, yerr=errors, color=COLOURS[shift],
                     error_kw={"elinewidth": 0.8}, label=f"type {name[-1].upper()}")  # fmt: skip
        axes.set_xticks(np.arange(len(DOSES)) + 0.19, [f"{d:g}" for d in DOSES])
        axes.set(xlabel="3,4-diaminopyridine (uM)", ylabel="quantal content")
        axes.legend()
    return figure
