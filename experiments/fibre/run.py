"""The muscle fibre alone, at 37 degC, with smooth endplate currents: what a right one shows, and published fibres.

Published: conduction 4.02 +- 0.13 m/s, 3.3 to 5.2 (Buchthal et al., abstract); absolute refractory period 2.2 to 3.1 ms
at 34 to 36.5 degC (Buchthal & Engbaek, abstract); in slow-channel patients repetition with bursts 8.68 times as long,
at 3.5 to 4 ms, and none at 3.84 (Neurology 2020;95:e2781 and Muscle Nerve 1996;19:1127, abstracts); myotonia where
chloride is at 0.38 of normal in rat (Kurihara et al. 1984, abstract). That the endplates of such patients have half of
the normal current is a choice.
"""

from __future__ import annotations

import math

import numpy as np

from experiments.common import Estimate, Report, exact
from experiments.fibre.drives import (
    FULL,
    HALF,
    STEP,
    answers,
    current,
    drives,
    freed,
    intervals,
    stacked,
    warm,
)
from experiments.fibre.figure import draw
from nmjmc.junction.fibres import FIBRES, published
from nmjmc.junction.muscle import Muscle
from nmjmc.junction.passive import passive
from nmjmc.junction.response import FIRED, Response, muscle_response
from nmjmc.junction.safety import safety

KINDS = {
    "default": {}, "rest at -88 mV": {"resting_potential": -88.0}, "rest at -80 mV": {"resting_potential": -80.0},
    "tau_h x0.67": {"inactivation_slowness": 0.67}, "tau_h x2": {"inactivation_slowness": 2.0},
}  # fmt: skip
LONG = (8.68, 16.0, 30.0)
PARTS = (1.0, 0.5, 0.2)
TUNED = "g_Na of the endplate was tuned to it"
SAMPLE = 2 * STEP


def run(report: Report) -> None:
    """The rows and the figure."""
    short = report.fast
    kinds = dict(list(KINDS.items())[: 1 if short else None])
    cases = [(kind, FULL, longer) for kind in kinds for longer in LONG]
    cases += [("default", peak, longer) for peak in (FULL, HALF) for longer in (1.0, 3.84)]
    cases.append(("default", HALF, 8.68))
    length = 100.0
    found = answers([(warm(**kinds[k]), p, x) for k, p, x in cases], np.array([0.0, 333.0]), length)
    at = {case: i for i, case in enumerate(cases)}
    _once(report, found, at)
    _rest(report)
    _long(report, found, cases)
    free = np.asarray(freed(stacked([warm(**changes) for changes in kinds.values()]), -55.0, 20.0))
    rests = np.asarray([changes.get("resting_potential", -84.0) for changes in kinds.values()])
    far = float(np.abs(free[:, -1] - rests).max())
    report.say("all of the fibre freed after 100 ms at -55 mV: from rest 20 ms later, the worst of five", "mV",
               "back (none stays depolarised)", "D", (0, 8), exact(far))  # fmt: skip
    trains = _trains(report, 10 if short else 100)
    others = {name: published(name, temperature=37.0) for name in FIBRES}
    report.facts |= {"fibres": list(others), "step_ms": STEP}
    report.draw(draw(found, at, free[0], trains, others))


def _once(report: Report, found: Response, at: dict) -> None:
    """A normal current, and repetition with longer ones."""
    one = at["default", FULL, 1.0]
    say = report.say
    say("spikes after a normal current, 2 uS", "", "1", "V", (1, 1), exact(found.spikes[one, 0]))
    say("the same at half of it", "", "1", "V", (1, 1), exact(found.spikes[at["default", HALF, 1.0], 0]))
    endplate, distant = (np.asarray(x)[one, 0] for x in (found.course.endplate, found.course.distant))
    crossed = [np.argmax(x > FIRED) * SAMPLE for x in (endplate, distant)]
    say(
        "conduction velocity",
        "m/s",
        "3.3 to 5.2",
        "V-abs",
        (3.3, 5.2),
        exact(1.575 / (crossed[1] - crossed[0])),
    )
    say("peak of the spike, 1.6 mm away", "mV", "-", "-", None, exact(distant.max()))
    middle = 0.5 * (distant.max() + distant[0])
    say("its width at half", "ms", "-", "-", None, exact((distant > middle).sum() * SAMPLE))
    muscles = stacked([warm()])
    margin = safety(muscles, drives([current(FULL, 1.0, 8.0)], [1.0]))
    say("endplate potential of 2 uS", "mV", "-", "-", None, exact(float(margin.endplate_potential[0])))
    say("safety factor", "", "about 2, to 3.5", "M", (2, 3.5), exact(float(margin.factor[0])), TUNED)
    for longer, limits, words in ((3.84, (1, 1), "1: none repeats"), (8.68, (2, math.inf), "2 or more")):
        spikes = found.spikes[at["default", HALF, longer], 0]
        say(
            f"spikes at half the current, {longer:g} times as long", "", words, "V-abs", limits, exact(spikes)
        )
    apart = intervals(np.asarray(found.course.distant)[at["default", HALF, 8.68], 0], SAMPLE)
    say(
        "first interval of these",
        "ms",
        "3.5 to 4",
        "V-abs",
        (3, 5),
        exact(apart[0]) if apart.size else _none(),
    )
    every = [intervals(trace, SAMPLE) for row in np.asarray(found.course.distant) for trace in row]
    least = min((x.min() for x in every if x.size), default=math.nan)
    say(
        "least interval of two spikes, all currents",
        "ms",
        "at least 2.2",
        "V-abs",
        (2.2, math.inf),
        exact(least),
    )


def _none() -> Estimate:
    return Estimate(math.nan, math.nan, math.nan)


def _rest(report: Report) -> None:
    cable = passive(warm())
    say = report.say
    say("input resistance", "MOhm", "0.4 to 0.8", "M", (0.4, 0.8), exact(cable.input_resistance))
    say("resistivity of the inside", "ohm cm", "123 in man, 213 in rat", "V-abs", (100, 220),
        exact(100 * warm().effective().axial_resistivity), "set to it")  # fmt: skip
    say("resistance of the membrane", "ohm cm^2", "2,619 in man, 520 in rat", "V-abs", (520, 2619),
        exact(cable.membrane / 100))  # fmt: skip
    say(
        "capacity of the membrane",
        "uF/cm^2",
        "5.15 in man, 4.6 in rat",
        "V-abs",
        (3.5, 6),
        exact(1e5 * cable.capacity),
    )
    say("share of chloride at rest", "%", "some 80", "V-abs", (65, 95), exact(100 * cable.chloride_share))


def _long(report: Report, found: Response, cases: list) -> None:
    rows = [i for i, (_, _, longer) in enumerate(cases) if longer in LONG and cases[i][1] == FULL]
    fired = 100 * np.mean(found.spikes[rows, 1] > 0)
    stuck = 100 * np.mean(found.depolarised[rows].any(axis=1))
    words = f"of {len(rows)} currents 8.68 to 30 times as long, rests of -88 to -80 mV, tau_h x0.67 to x2"
    report.say(f"fibres that fire again 333 ms later, {words}", "%", "all", "D", (100, 100), exact(fired))
    report.say("the same: fibres still depolarised", "%", "none", "D", (0, 0), exact(stuck))


def _trains(report: Report, count: int) -> Response:
    """100 Hz with all, half and a fifth of the chloride conductance, and 50 ms after."""
    normal = float(Muscle().chloride_conductance)
    each = np.zeros((len(PARTS), count + 5, 400), np.float32)
    each[:, :count] = current(FULL, 1.0, 8.0)
    given = drives(each, [1.0] * len(PARTS))
    muscles = stacked([warm(chloride_conductance=normal * part) for part in PARTS])
    found = muscle_response(muscles, given, 10.0 * np.arange(count + 5), 10.0)
    followed = 100 * np.mean(found.spikes[0, :count] == 1)
    report.say(
        "stimuli at 100 Hz, for a second, answered by one spike", "%", "all", "M", (100, 100), exact(followed)
    )
    for part, limits in zip(PARTS[1:], ((0, 0), (1, math.inf)), strict=True):
        after = found.spikes[PARTS.index(part), count:].sum()
        words = "none" if part > 0.38 else "after-discharge: at 0.38 in rat"
        what = f"spikes in the 50 ms after it with {part:g} of the chloride conductance"
        report.say(what, "", words, "V-abs", limits, exact(after))
    return found
