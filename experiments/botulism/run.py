"""Botulism: types A and D/E before and under 3,4-DAP.

3,4-DAP restored mouse diaphragms that were intoxicated by type A and not by D or E (PMC5696531, abstract). What is
published is whether the muscle answers again; the ratio of quantal contents is the model's.
"""

from __future__ import annotations

import math

import numpy as np

from experiments.common import Report, canvas
from experiments.hospital import answering, banks, content, fibres, mean, patient, ratio, share
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
        fired[name] = [share(answering(report, given, junction)) for junction in who]
    a, d = TYPES
    for words, published, mark, limits, found in (
        (
            "type A: quantal content over normal",
            "0.01 to 0.05",
            "M",
            (0.01, 0.05),
            ratio(quanta[a][0], normal),
        ),
        ("type D: quantal content over normal", "near 0", "V-abs", (0, 0.05), ratio(quanta[d][0], normal)),
    ):
        report.say(words, "", published, mark, limits, found, "a choice of the preset")
    for words, published, limits, found in (
        ("type A: fibres that fire", "none", (0, 5), fired[a][0]),
        ("type A under 3,4-DAP, 10 uM: fibres that fire", "rescued", (5, math.inf), fired[a][-1]),
        ("type D: fibres that fire", "none", (0, 5), fired[d][0]),
        ("type D under 3,4-DAP, 10 uM: fibres that fire", "not rescued", (0, 5), fired[d][-1]),
    ):
        report.say(words, "%", published, "V-abs", limits, found)
    for name in TYPES:
        words = f"type {name[-1].upper()}: quantal content under 3,4-DAP, 10 uM"
        report.say(words, "", "-", "-", None, mean(quanta[name][-1]))
    report.facts |= {"fibres": fibres(report)}
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
