"""The terminal alone: content, calcium, delay, the laws of its counts, pairs, a train, a tetanus, miniatures.

Terminals of one kind are trials: there is no fibre and no spread. Agreement with a law of chance is told
in standard errors, and called wrong beyond 2.58 of them, which happens to a right program once in a hundred.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import stats

from experiments.common import Report, exact, of_mean
from experiments.hospital import SEED, ratio
from experiments.terminal.figure import draw
from experiments.terminal.measure import (
    Released,
    binomial_p,
    consecutive,
    failures,
    released,
    slope,
    spread_in_time,
    variance_over_mean,
)
from nmjmc.junction.pools import miniatures
from nmjmc.junction.terminal import Terminal
from nmjmc.runtime import use_cache

ALARM = round(float(stats.norm.isf(0.005)), 2)
LITTLE, TWICE, NORMAL = 125.0, 250.0, 2000.0
SINGLES = {125.0: 2000, 177.0: 2000, 250.0: 2000, 354.0: 800, 500.0: 800, 1000.0: 400, 2000.0: 2000}
"""Terminals that get one stimulus, at each calcium [uM]."""
SPARSE = 500.0
INTERVALS = (10.0, 20.0, 50.0, 100.0, 200.0, 400.0)
TETANIC = 150.0
"""Calcium at which a tetanus is given [uM]: little is released, so the store stays nearly full."""
RECORD, WINDOW = 1e8, 5e4
"""Length of the record of miniatures, and of the windows in which they are counted [ms]."""


class Tetanus(NamedTuple):
    """Content over that before, in each terminal, by the time after the tetanus [s]."""

    before: np.ndarray
    after: dict[float, np.ndarray]


def run(report: Report) -> None:
    """Everything that a terminal shows without a fibre."""
    use_cache()
    report.facts |= {"singles": {} if report.fast else SINGLES, "seed": SEED}
    singles = _singles(report)
    pairs = _pairs(report)
    train = _train(report)
    tetanus = _tetanus(report)
    times = _miniatures(report)
    report.draw(draw(singles, pairs, train, tetanus, times))


def _singles(report: Report) -> dict[float, Released]:
    found = {
        calcium: released(calcium, [0.0], 200 if report.fast else count, number)
        for number, (calcium, count) in enumerate(SINGLES.items())
    }
    counts = {calcium: one.quanta[:, 0] for calcium, one in found.items()}
    sites, normal, little = Terminal().zones, counts[NORMAL], counts[LITTLE]
    report.say("quantal content at 2 mM, tuned", "", "31 in human", "M", (28, 34), of_mean(normal),
               "the sensor's binding was tuned to it")  # fmt: skip
    report.say("its variance over its mean, the number of sites chosen for it", "", "0.10 to 0.18 in rat", "V-abs",
               (0.10, 0.18), variance_over_mean(normal))  # fmt: skip
    report.say(f"chance of the counts at 2 mM if they are binomial of {sites} sites", "", "above 0.01", "C", (0.01, 1),
               exact(binomial_p(normal, sites)))  # fmt: skip
    report.say("log-log slope of release from 125 to 250 uM calcium", "", "3 to 4; 4 in toad", "V-abs", (3, 4),
               slope(little, counts[TWICE], TWICE / LITTLE))  # fmt: skip
    report.say("the same from 1 to 2 mM", "", "less than at low calcium", "V-abs", None,
               slope(counts[1000.0], normal, 2.0))  # fmt: skip
    of_poisson = variance_over_mean(little)
    error = math.sqrt(2.0 / (little.size - 1))
    report.say(f"variance over mean at 125 uM, {of_poisson}: from 1, in standard errors", "", "0 (Poisson)", "C",
               (-ALARM, ALARM), exact((of_poisson.value - 1.0) / error))  # fmt: skip
    away, error = failures(little)
    share = (little == 0).mean()
    report.say(f"failures at 125 uM, {100 * share:.1f} %: from exp(-m), in standard errors", "", "0 (Poisson)", "C",
               (-ALARM, ALARM), exact(away / max(error, 1e-12)))  # fmt: skip
    deviation, mode = spread_in_time(found[NORMAL].time[:, 0])
    report.say("release after the spike's peak, mode", "ms", "no figure at hand", "-", None, mode)
    report.say("its standard deviation in time", "ms", "no figure at hand", "-", None, deviation)
    return found


def _pairs(report: Report) -> dict[float, dict[float, np.ndarray]]:
    """Content of a first and a second stimulus [v 2], by calcium and interval."""
    found, number = {}, 20
    for calcium in (SPARSE, NORMAL):
        found[calcium] = {}
        for interval in INTERVALS[:2] if report.fast else INTERVALS:
            count = 40 if report.fast else (1200 if (calcium, interval) == (SPARSE, INTERVALS[0]) else 400)
            found[calcium][interval] = released(calcium, [0.0, interval], count, number).quanta
            number += 1
    sparse, normal = found[SPARSE][10.0], found[NORMAL][10.0]
    report.say(
        "second over first of a pair 10 ms apart at 0.5 mM, tuned", "",
        "1.38 to 1.47: 0.5 at once, 35 and 163 ms, in mouse at 20 degC", "V-abs", (1.38, 1.47),
        ratio(sparse[:, 1], sparse[:, 0]),
        "the residual calcium was tuned to 0.5 at once",
    )  # fmt: skip
    report.say(
        "the same at 2 mM", "", "below 1: depression", "V-abs", (0, 1), ratio(normal[:, 1], normal[:, 0])
    )
    return found


def _train(report: Report) -> np.ndarray:
    """Content at each stimulus of a train at 40 Hz [v k]."""
    count, stimuli = (20, 8) if report.fast else (100, 40)
    quanta = released(NORMAL, 25.0 * np.arange(stimuli), count, 40).quanta
    report.say("train at 40 Hz at 2 mM: sixth over first", "", "plateau 0.75 to 0.80 in mouse", "M", (0.75, 0.80),
               ratio(quanta[:, 5], quanta[:, 0]))  # fmt: skip
    late = quanta[:, -10:].mean(axis=1)
    report.say("the same: last ten of 40 over first", "", "plateau 0.75 to 0.80 in mouse", "M", (0.75, 0.80),
               ratio(late, quanta[:, 0]))  # fmt: skip
    _in_trains(report)
    return quanta


def _in_trains(report: Report) -> None:
    """What 10 Hz leaves of n and p, how evenly it releases, and the fall at 3 Hz."""
    count, stimuli = (20, 8) if report.fast else (100, 40)
    found = released(NORMAL, 100.0 * np.arange(stimuli), count, 42)
    late = found.quanta[:, stimuli // 4 :]
    report.say("10 Hz: variance over mean of consecutive counts", "", "0.16 to 0.19 for the published jitter", "C",
               None, consecutive(late))  # fmt: skip
    able = found.cleared[:, stimuli // 4 :].mean(axis=1)
    report.say("the same: zones that can release over those at rest", "", "n falls", "V-abs", (0, 1),
               ratio(able, found.cleared[:, 0]))  # fmt: skip
    surely = late.mean(axis=1) / able / (found.quanta[:, 0].mean() / found.cleared[:, 0].mean())
    report.say("the same: how surely they do, over that at rest", "", "p falls hardly", "V-abs", (0.9, 1),
               of_mean(surely))  # fmt: skip
    slow = released(NORMAL, 1000.0 / 3.0 * np.arange(10), count, 43).quanta
    report.say("train at 3 Hz: mean of fourth and fifth over first", "", "0.81 and 0.75 by the simple model", "D",
               None, ratio(slow[:, 3:5].mean(axis=1), slow[:, 0]))  # fmt: skip


def _tetanus(report: Report) -> Tetanus:
    """Test stimuli before and after 2 s at 50 Hz, at low calcium."""
    count, pulses = (40, 10) if report.fast else (160, 100)
    before, tetanus = 1e3 * np.arange(5), 5e3 + 20.0 * np.arange(pulses)
    groups = {0.1: [0.1], 5.0: [3.0, 4.0, 5.0, 6.0, 7.0], 30.0: [28.0, 29.0, 30.0, 31.0, 32.0]}
    tests = tetanus[-1] + 1e3 * np.concatenate(list(groups.values()))
    quanta = released(TETANIC, np.concatenate([before, tetanus, tests]), count, 41).quanta
    usual, begin, after = quanta[:, : before.size].mean(axis=1), before.size + pulses, {}
    for when, group in groups.items():
        after[when] = quanta[:, begin : begin + len(group)].mean(axis=1)
        begin += len(group)
        words = f"content {when:g} s after {pulses} stimuli at 50 Hz over that before, 0.15 mM"
        report.say(words, "", "above 1; only its time constants are published", "V-abs", (1, math.inf),
                   ratio(after[when], usual), "how much residual calcium each stimulus leaves is a choice")  # fmt: skip
    return Tetanus(usual, after)


def _miniatures(report: Report) -> np.ndarray:
    """Times of miniatures [ms]."""
    terminal, length = Terminal(), RECORD / (20 if report.fast else 1)
    times = miniatures(terminal, length, SEED)
    counts = np.histogram(times, np.arange(0.0, length + 1.0, WINDOW))[0]
    p = float(stats.kstest(np.diff(times), "expon", (0, 1.0 / float(terminal.spontaneous_rate))).pvalue)
    report.say("intervals of miniatures at rest: chance if they are exponential (Kolmogorov-Smirnov)", "",
               "above 0.01", "C", (0.01, 1), exact(p), "drawn as a Poisson process, not found to be one")  # fmt: skip
    dispersion = variance_over_mean(counts)
    words = f"their number in 50 s, variance over mean, {dispersion}: from 1, in standard errors"
    error = math.sqrt(2.0 / (counts.size - 1))
    report.say(words, "", "0 (Poisson)", "C", (-ALARM, ALARM), exact((dispersion.value - 1.0) / error))
    return times
