"""Are true parameters recovered, and do 90 % intervals hold them 90 % of the time?

Each synthetic experiment has parameters of its own, drawn about the human preset, and 300 quanta of the particle kernel
in white noise: 150 with the esterase and 150 with all of it blocked. Both are fitted together by `nmjmc.fit` from the
preset's values, without priors. If the intervals are right whatever the truth, the share of them that hold it is
binomial, also over truths that differ; (estimate - truth) / SD is standard normal, and its distribution function is
uniform (the rank of the truth: Cook, Gelman & Rubin 2006, J Comput Graph Stat 15:675).

The estimator is `corrected`. In a fit of one's own it simulates quanta at the optimum; here one correction at the
preset serves all fits, and its Monte Carlo error, which all share, is part of their intervals.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy import stats

import nmjmc
from experiments.common import Estimate, Report, canvas, exact, of_mean
from experiments.recovery.quanta import (
    CONDITIONS,
    FREE,
    INTERVAL,
    NOISE,
    SPREAD,
    Quanta,
    correction,
    recorded,
    simulate,
)
from nmjmc.fitting import CorrectedEstimator
from nmjmc.fitting.event_bins import default_edges
from nmjmc.fitting.problem import Problem
from nmjmc.runtime import use_cache
from nmjmc.viz.style import COLOURS, style

SETS, EVENTS, CORRECTED = 50, 150, 2400
SEED = 20261
LEVEL = 0.9
ALARM = 0.01
"""Chance that a count is called wrong although the intervals are right."""


class Recovered(NamedTuple):
    """Fits of all experiments.

    Attributes:
        away: log(estimate / truth) [set, p].
        sd: Its standard error as the fit says it [set, p].
        seed_sd: The part of it that is the correction's Monte Carlo error [set, p].
        inside: Whether the 90 % interval holds the truth [set, p].
        p_value: Of the goodness of fit [set].
        picked: Estimator of each.
    """

    away: Float[np.ndarray, "n p"]
    sd: Float[np.ndarray, "n p"]
    seed_sd: Float[np.ndarray, "n p"]
    inside: Bool[np.ndarray, "n p"]
    p_value: Float[np.ndarray, " n"]
    picked: tuple[str, ...]


class SharedCorrection(CorrectedEstimator):
    """The correction of the first fit, made where all fits begin, serves the others too."""

    def prepare(self, problem: Problem, free: np.ndarray) -> None:
        """Correct at the start, once."""
        if not self.offset.size:
            super().prepare(problem, problem.parameters.unconstrained(problem.parameters.start))


def run(report: Report) -> None:
    """Simulate, fit, count."""
    use_cache(True)
    sets, events, vesicles = (2, 40, 64) if report.fast else (SETS, EVENTS, CORRECTED)
    kept = None if report.fast else report.folder / "quanta"
    quanta = simulate(sets, events, SEED, kept)
    found = fit_all(quanta, estimator=SharedCorrection(vesicles, simulate=correction(SEED, kept)))
    report.facts |= {
        "experiments": sets, "events of each": 2 * events, "noise nA": NOISE, "interval ms": INTERVAL,
        "quanta of the correction": 2 * vesicles, "spread of the truths": SPREAD,
        "log(estimate / truth)": found.away.tolist(), "its SD": found.sd.tolist(),
        "of it the correction's": found.seed_sd.tolist(), "p values": found.p_value.tolist(),
        "picked": sorted(set(found.picked)),
    }  # fmt: skip
    for k, words in enumerate(FREE.values()):
        say_coverage(report, words, found.inside[:, k])
        say_scores(report, words, found, k)
    say_coverage(report, "all six parameters", found.inside)
    within = (np.abs(found.away / found.sd) < stats.norm.isf(0.025)).ravel()
    say_coverage(report, "all six parameters", within.reshape(found.away.shape), 0.95)
    report.say("goodness of fit: p values below 0.05", "%", "5 %", "C", None, clopper(found.p_value < 0.05))
    report.draw(_figure(found))


def say_scores(report: Report, words: str, found: Recovered, k: int) -> None:
    """Lines on mean and SD of (estimate - truth) / SD and on the ranks of the truth."""
    score = found.away[:, k] / found.sd[:, k]
    share = float(np.mean((found.seed_sd[:, k] / found.sd[:, k]) ** 2))
    sets = len(score)
    reach = round(float(stats.norm.isf(ALARM / 2)) * float(np.sqrt((1.0 - share) / sets + share)), 2)
    spread = f"SD of the estimate: median {100 * np.median(found.sd[:, k]):.2g} %"
    report.say(
        f"{words}: mean of (estimate - truth) / SD", "", "0 (by definition)", "C", (-reach, reach), of_mean(score),
        spread,
    )  # fmt: skip
    freedom = sets - 1
    low, high = np.round(np.sqrt(stats.chi2.ppf([ALARM / 2, 1 - ALARM / 2], freedom) / freedom), 2)
    ends = np.sqrt(freedom / stats.chi2.ppf([0.975, 0.025], freedom)) * score.std(ddof=1)
    report.say(
        f"{words}: SD of it", "", "1 (by definition)", "C", (low, high),
        Estimate(float(score.std(ddof=1)), float(ends[0]), float(ends[1])),
    )  # fmt: skip
    uniform = float(stats.kstest(stats.norm.cdf(score), "uniform").pvalue)
    report.say(
        f"{words}: ranks of the truth, p that they are even",
        "",
        "above 0.01",
        "C",
        (ALARM, 1.0),
        exact(uniform),
    )


def fit_all(quanta: list[Quanta], **options) -> Recovered:
    """Fit each experiment, in the same bins, so that all share their programs."""
    rng = np.random.default_rng(SEED)
    edges = [
        default_edges(INTERVAL * np.arange(own.shape[1]), own.mean(axis=0))
        for own in (quanta[0].current[name] for name in CONDITIONS)
    ]
    rows = []
    for own in quanta:
        made = nmjmc.fit(
            nmjmc.preparation("human"), recorded(own, rng, edges), list(FREE), level=LEVEL,
            **{"estimator": "mean_field", **options},
        )  # fmt: skip
        truth = np.array([own.truth[name] for name in FREE])
        inside = (made.low < truth) & (truth < made.high)
        away = np.log(made.estimate / truth)
        row = away, made.relative_sd, made.seed_sd, inside, made.p_value, made.settings["picked"]
        rows.append(row)
        score = np.array2string(away / made.relative_sd, precision=1)
        print(f"  {len(rows)} of {len(quanta)}: {score}", flush=True)
    away, sd, seed_sd, inside, p_value, picked = zip(*rows, strict=True)
    return Recovered(
        np.array(away), np.array(sd), np.array(seed_sd), np.array(inside), np.array(p_value), picked
    )


def say_coverage(report: Report, words: str, inside: np.ndarray, level: float = LEVEL) -> None:
    """A line on how many intervals hold the truth; all parameters of one experiment count as one trial."""
    count = inside.size
    low, high = stats.binom.ppf([ALARM / 2, 1 - ALARM / 2], len(inside), level) / len(inside)
    note = f"{inside.sum()} of {count}"
    report.say(
        f"{words}: truth inside the {100 * level:.0f} % interval",
        "%",
        f"{100 * level:.0f} %",
        "C",
        (100 * low, 100 * high),
        clopper(inside),
        note,
    )


def clopper(inside: np.ndarray) -> Estimate:
    """A share in per cent with its exact binomial 95 % interval (Clopper and Pearson)."""
    found = stats.binomtest(int(inside.sum()), inside.size)
    low, high = found.proportion_ci(0.95)
    return Estimate(100 * found.statistic, 100 * low, 100 * high)


def _figure(found: Recovered):
    with style():
        figure = canvas(150, 62)
        left, right = figure.subplots(1, 2, width_ratios=(2, 1))
        names = list(FREE.values())
        for k in range(len(names)):
            rows = k + np.linspace(-0.36, 0.36, len(found.away))
            half = stats.norm.isf(0.05) * found.sd[:, k]
            missed = ~found.inside[:, k]
            for chosen, colour in ((~missed, COLOURS[0]), (missed, COLOURS[1])):
                left.errorbar(
                    100 * found.away[chosen, k], rows[chosen], xerr=100 * half[chosen], fmt="o", ms=1, lw=0.4,
                    color=colour,
                )  # fmt: skip
        left.axvline(0, color="k", lw=0.5)
        left.set_yticks(range(len(names)), names)
        left.invert_yaxis()
        left.set_xlabel("log(estimate / truth), 90 % intervals (%)")
        levels = np.linspace(0, 1, 101)
        held = 2 * stats.norm.cdf(np.abs(found.away / found.sd)) - 1
        for k, words in enumerate(names):
            right.plot(
                levels, (held[:, k, None] <= levels).mean(axis=0), lw=0.8, color=COLOURS[k], label=words
            )
        low, high = stats.binom.ppf([[0.025], [0.975]], len(held), levels) / len(held)
        right.fill_between(levels, low, high, color="0.85", lw=0, zorder=0)
        right.set_xlabel("level of the interval")
        right.set_ylabel("share that holds the truth")
        right.legend(fontsize=5, loc="upper left", frameon=False)
    return figure
