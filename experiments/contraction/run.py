"""Twitch, doublet and tetanus of a healthy human muscle at 37 degC, through the whole chain.

Human thenar units by stimulation of single axons: contraction times 35 to 80 ms and half relaxations 25 to 108 ms
(Thomas, Johansson, Westling & Bigland-Ritchie 1990, J Neurophysiol, abstract); fusion from 5 to 8 Hz, the greatest
force at 30 to 100 Hz, half of it at 12 +- 4 (SD) Hz (Thomas et al. 1991, J Neurophysiol 65:1509, abstract); two
stimuli 5 to 15 ms apart give 48 +- 13 (SD) % of it, 3.5 times the first twitch (Thomas et al. 1999, J Neurophysiol
82:3188, abstract), so that the twitch is 0.14 of the tetanus.
"""

from __future__ import annotations

import math

import numpy as np

from experiments.common import Estimate, Report, canvas
from experiments.hospital import SEED, banks, estimate, patient
from nmjmc.diagnostics import force
from nmjmc.viz.style import COLOURS, style

TUNED = "the pace of the cross-bridges was tuned to it"
CHOSEN = "release and pump of mixed muscle were chosen (docs/junction.md)"


def run(report: Report) -> None:
    """A twitch, two stimuli, and a second at each of four frequencies."""
    fibres, length = (2, 100.0) if report.fast else (6, 1000.0)
    frequencies = (50, 100) if report.fast else (12, 25, 50, 100)
    given = banks(report)(patient())

    def pulled(times) -> force.Contractions:
        return force.contractions(patient(), fibres=fibres, seed=SEED, bank=given, times=times)

    trains = {hz: pulled(np.arange(0.0, length - 1e-9, 1e3 / hz)) for hz in frequencies}
    double = pulled(np.asarray([0.0, 10.0]))
    tetanus = trains[100]
    rows = force.finding(tetanus).row
    report.say(
        "time to the peak of a twitch",
        "ms",
        "35 to 80",
        "V-abs",
        (35, 80),
        estimate(rows("time to peak")),
        TUNED,
    )
    report.say("half relaxation", "ms", "25 to 108", "V-abs", (25, 108), estimate(rows("half relaxation")))
    ratio = estimate(rows("twitch over the train's peak"))
    report.say("twitch over tetanus at 100 Hz", "", "0.2 to 0.3", "M", (0.2, 0.3), ratio, CHOSEN)
    report.say(
        "the same, human thenar units", "", "0.14, from 48 % and 3.5 times", "C", (0.1, 0.2), ratio, CHOSEN
    )
    report.say(
        "two stimuli 10 ms apart over tetanus", "%", "48 ± 13 (SD)", "V-abs", (35, 61), _over(double, tetanus)
    )
    share = {hz: _over(found, tetanus).value for hz, found in trains.items()}
    half = float(np.interp(50.0, list(share.values()), list(share)))
    report.say(
        "frequency of half the tetanus", "Hz", "12 ± 4 (SD)", "V-abs", (8, 16), Estimate(half, half, half)
    )
    ripple = estimate(force.finding(trains[min(50, max(frequencies))]).row("ripple of the last interval"))
    report.say("ripple at 50 Hz", "%", "fused: greatest force from 30 to 100 Hz", "V-abs", (0, 5), ripple)
    last = estimate(rows("fibres that fire at the last stimulus"))
    report.say("fibres that follow 100 Hz to the last stimulus", "%", "all", "M", (95, math.inf), last,
               "the clearance of tubular potassium was tuned to it")  # fmt: skip
    most = 100.0 * float(tetanus.force.mean(axis=0).max()) / tetanus.greatest
    report.say(
        "tetanus over what the cross-bridges can bear", "%", "-", "-", None, Estimate(most, most, most)
    )
    report.facts |= {"fibres": fibres, "length_ms": length}
    report.draw(_figure(trains, double))


def _over(found: force.Contractions, tetanus: force.Contractions) -> Estimate:
    """Peak force of a train over that of the tetanus, mean over fibres [%]."""
    peak, most = ((f.force.max(axis=1) - f.resting).mean() for f in (found, tetanus))
    value = 100.0 * float(peak / most)
    return Estimate(value, value, value)


def _figure(trains, double):
    with style():
        figure = canvas(140, 60)
        left, right = figure.subplots(1, 2)
        greatest = double.greatest
        twitch = 100 * double.twitch.mean(axis=0) / greatest
        left.plot(double.twitch_time, twitch, color=COLOURS[0], label="one stimulus")
        left.plot(
            double.time,
            100 * double.force.mean(axis=0) / greatest,
            color=COLOURS[1],
            label="two, 10 ms apart",
        )
        left.set(xlabel="time (ms)", ylabel="force (% of the greatest)", ylim=(0, None))
        left.legend()
        for colour, (hz, found) in zip(COLOURS, trains.items(), strict=False):
            right.plot(found.time, 100 * found.force.mean(axis=0) / greatest, color=colour, label=f"{hz} Hz")
        right.set(xlabel="time (ms)", ylim=(0, 105))
        right.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return figure
