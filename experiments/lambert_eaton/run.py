"""Lambert-Eaton: a small first response, decrement at 3 Hz, increment at 50 Hz and after exercise, and 3,4-DAP.

Criteria: an increment of at least 60 % at 20 to 50 Hz or after ten seconds of exercise. Miniatures are those of the
healthy junction by construction, because the synapse behind the terminal is the same. The severity is the worst, 1.
"""

from __future__ import annotations

import math

import numpy as np

from experiments.common import Estimate, Report, canvas, exact
from experiments.hospital import (
    SEED,
    answering,
    banks,
    content,
    estimate,
    fibres,
    patient,
    ratio,
    share,
    trained,
)
from nmjmc.diagnostics import rns, rns_finding
from nmjmc.viz.style import COLOURS, style

SEVERITY = 1.0
DOSE = {"diaminopyridine": 1.0}
FAST = 50.0
SLOW_FIBRES = 1000
"""In the slow train: the latencies of the few fibres that fire scatter, and with them the amplitude."""


def run(report: Report) -> None:
    """Trains at 3 and 50 Hz, exercise, and the drug."""
    given = banks(report)
    severity = {"lambert_eaton": 0.4 if report.fast else SEVERITY}  # of four fibres one must answer
    sick, treated, normal = patient(severity), patient(severity, DOSE), patient()
    slow = trained(report, given, sick, stimuli=5, full=SLOW_FIBRES)
    fast = trained(report, given, sick, FAST, 6 if report.fast else 30)
    exercised = _exercised(report, given, sick)
    few, more, usual = (content(report, j)[:, 0] for j in (sick, treated, normal))
    report.say("quantal content over normal", "", "about 0.1", "M", (0.05, 0.4), ratio(few, usual))
    first, helped = (share(answering(report, given, j)) for j in (sick, treated))
    report.say("fibres that fire at the first stimulus", "%", "few: a small response", "V", (0, 50), first)
    report.say("decrement at 3 Hz", "%", "at least 10", "V", (10, math.inf), estimate(slow.row("decrement")))
    words = "fibres that fire at 3 Hz, fall from the first to the fourth and fifth stimulus"
    report.say(
        words, "%", "at least 10", "V", (10, math.inf), _fall(slow), "of their number, the amplitude apart"
    )
    gain = estimate(fast.row("increment"))
    report.say(f"increment at {FAST:g} Hz", "%", "at least 60", "V", (60, math.inf), gain,
               "of the compound amplitude; the best of 30 responses, which chance favours")  # fmt: skip
    gain = estimate(exercised.row("increment by exercise"))
    report.say("increment by ten seconds of exercise", "%", "at least 60", "V", (60, math.inf), gain,
               "exercise is a train at 30 Hz, the test begins 2 s after it; choices")  # fmt: skip
    mini = exact(given(sick).peak / given(normal).peak)
    report.say("miniature over normal", "", "unchanged", "M", (0.9, 1.1), mini, "by construction")
    report.say("quantal content under 3,4-DAP, 1 uM, over that without", "", "1.5 to 3", "M", (1.5, 3),
               ratio(more, few))  # fmt: skip
    report.say("fibres that fire at the first stimulus under 3,4-DAP", "%", "more than without", "V-abs",
               (first.value, math.inf), helped)  # fmt: skip
    report.facts |= {"fibres": fibres(report), "severity": severity["lambert_eaton"]}
    report.draw(_figure(slow, fast, exercised))


def _fall(slow):
    fired = np.isfinite(slow["arrival"])
    left = ratio(fired[:, 3:5].mean(axis=1), fired[:, 0])
    return Estimate(100 * (1 - left.value), 100 * (1 - left.high), 100 * (1 - left.low))


def _exercised(report: Report, given, junction):
    duration, size = ("0.2 s", 4) if report.fast else ("10 s", 100)
    run = (junction, 3.0, 5, min(size, fibres(report)), SEED, given(junction))
    return rns_finding.finding(rns.repetitive(*run), rns.repetitive(*run, before=rns.exercise(duration)))


def _figure(slow, fast, exercised):
    with style():
        figure = canvas(150, 55)
        panels = figure.subplots(1, 3, sharey=True)
        named = (
            ("3 Hz", slow, ""),
            (f"{FAST:g} Hz", fast, ""),
            ("3 Hz, after exercise", exercised, "after_exercise_"),
        )
        for axes, (words, found, prefix) in zip(panels, named, strict=True):
            base = max(found["amplitude"][0], 1e-9)
            amplitude = 100 * found[f"{prefix}amplitude"] / base
            axes.bar(np.arange(1, amplitude.size + 1), amplitude, color=COLOURS[0])
            axes.axhline(160 if words != "3 Hz" else 90, color=COLOURS[1], linestyle="--", linewidth=0.8)
            axes.set_title(words, loc="left")
            axes.set_xlabel("stimulus")
        panels[0].set_ylabel("amplitude (% of the first at rest)")
    return figure
