"""Four estimators of one gradient: bias, noise and cost.

The loss compares the first 1.2 ms of the human quantum (bin means and the variance of the size) with kernel quanta
whose parameters differ. The reference of its gradient is the mean of central differences with half the step of the
estimator, from other seeds. Costs are processor time of the whole process, compiling left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

import nmjmc
from experiments.common import Report, canvas, of_normal
from nmjmc.fitting import (
    CommonRandomNumbersEstimator,
    Condition,
    CorrectedEstimator,
    MeanFieldEstimator,
    ScoreFunctionEstimator,
    WaveformTerm,
)
from nmjmc.fitting.estimators import Estimator
from nmjmc.fitting.parameters import free_parameters
from nmjmc.fitting.problem import Problem
from nmjmc.fitting.simulations import simulated
from nmjmc.runtime import use_cache
from nmjmc.viz.style import COLOURS, style

FREE = {
    "receptor.binding_rate": "binding",
    "receptor.unbinding_rate": "unbinding",
    "receptor.closing_rate": "closing",
    "esterase.density": "esterase density",
    "vesicle.content_mean": "content mean",
    "vesicle.content_cv": "content CV",
}
DISTURBED = {"receptor.binding_rate": 1.25, "receptor.closing_rate": 0.8, "vesicle.content_mean": 1.15}
"""Parameters of the data over those at which the gradient is taken: so that it is far from zero (a choice)."""

SHORT = Condition(duration=1.2)
EVENTS, NOISE = 60, 0.02
STEP = 0.1


def run(report: Report) -> None:
    """Compute the gradient by each estimator several times and say how they differ."""
    use_cache(True)
    size, replicates = (8, 3) if report.fast else (32, 6)
    problem = the_problem(8 if report.fast else EVENTS)
    free = problem.parameters.unconstrained(problem.parameters.start)
    stretch = problem.parameters.stretch(free)
    makers = {
        "mean_field": (lambda seed: MeanFieldEstimator(), 1),
        "corrected": (lambda seed: CorrectedEstimator(size, seed), replicates),
        "common_random_numbers": (lambda seed: CommonRandomNumbersEstimator(size, seed, STEP), replicates),
        "score_function": (lambda seed: ScoreFunctionEstimator(size, seed), replicates),
    }
    reference, error, _ = gradients(
        "the reference", problem, free,
        lambda seed: CommonRandomNumbersEstimator(size, 1000 + seed, STEP / 2), replicates,
    )  # fmt: skip
    found = {name: gradients(name, problem, free, *maker) for name, maker in makers.items()}
    report.facts |= {"quanta of an estimate": size, "estimates": replicates, "step": STEP}
    report.facts["gradient by the logarithms"] = {
        name: {"mean": (mean / stretch).tolist(), "sd": (sd / stretch).tolist(), "cpu_s": seconds}
        for name, (mean, sd, seconds) in {"reference": (reference, error, 0.0), **found}.items()
    }
    for name, (mean, sd, seconds) in found.items():
        count = makers[name][1]
        for k, words in enumerate(FREE.values()):
            doubt = np.hypot(error[k] / np.sqrt(replicates), sd[k] / np.sqrt(count)) / stretch[k]
            noise = f"SD of one estimate {sd[k] / stretch[k]:.2g}" if sd[k] else "no noise"
            report.say(
                f"{name}, {words}: gradient less the reference ({noise})", "",
                f"reference {reference[k] / stretch[k]:.4g}", "C", None,
                of_normal((mean[k] - reference[k]) / stretch[k], doubt),
            )  # fmt: skip
        report.say(f"{name}: processor time of one gradient", "s", "-", "C", None, of_normal(seconds, 0.0))
    plain, scored = plain_cost(problem, size), found["score_function"][2]
    report.say(
        "the same quanta simulated, nothing else: processor time", "s", "-", "C", None, of_normal(plain, 0.0)
    )
    report.say(
        "score_function: processor time over that",
        "",
        "at most 3 (target)",
        "C",
        (0, 3),
        of_normal(scored / plain, 0.0),
    )
    report.draw(_figure(found, reference / stretch, error / stretch / np.sqrt(replicates), stretch))


def plain_cost(problem: Problem, size: int, repeats: int = 4) -> float:
    """Processor time of a simulation without scores, compiling left out."""
    seconds = []
    for seed in range(repeats + 1):
        begun = time.process_time()
        simulated(problem.synapse, SHORT, size, seed)
        seconds.append(time.process_time() - begun)
    return float(np.median(seconds[1:]))


def the_problem(events: int) -> Problem:
    """The human quantum and events of a disturbed one, in noise."""
    synapse = nmjmc.preparation("human")
    other = synapse
    for path, factor in DISTURBED.items():
        other = nmjmc.replace(other, path, nmjmc.internal(factor * nmjmc.get(synapse, path)))
    drawn = simulated(other, SHORT, events, 77)
    traces = drawn.current + NOISE * np.random.default_rng(1).normal(size=drawn.current.shape)
    edges = np.array([0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.8, 1.18]) + 0.01
    term = WaveformTerm("events", drawn.time, traces, SHORT, edges=edges)
    return Problem(synapse, [term], free_parameters(synapse, list(FREE)))


def gradients(
    name: str, problem: Problem, free: np.ndarray, maker: Callable[[int], Estimator], replicates: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean and SD of an estimator's gradient over seeds, and the processor time of one.

    The first run compiles, and so may another with longer lists: the median of all but the first leaves them out.
    """
    found, seconds = [], []
    # without noise one is enough; the second is timed
    for seed in range(max(replicates, 2)):
        begun = time.process_time()
        estimator = maker(seed)
        estimator.prepare(problem, free)
        z, slope, _ = estimator.evaluate(problem, free)
        found.append(problem.gradient(z, slope, free))
        seconds.append(time.process_time() - begun)
        print(f"  {name}, {seed + 1} of {max(replicates, 2)}: {seconds[-1]:.1f} CPU-s", flush=True)
    kept = np.stack(found[:replicates])
    spread = kept.std(axis=0, ddof=1) if replicates > 1 else np.zeros(free.size)
    return kept.mean(axis=0), spread, float(np.median(seconds[1:]))


def _figure(found, reference: np.ndarray, error: np.ndarray, stretch: np.ndarray):
    with style():
        figure = canvas(140, 62)
        axes = figure.subplots()
        place = np.arange(len(FREE))
        axes.axhline(0, color="k", lw=0.5)
        axes.errorbar(place - 0.35, reference, 1.96 * error, fmt="_", ms=8, color="k", label="reference")
        for k, (name, (mean, sd, _)) in enumerate(found.items()):
            x = place - 0.15 + 0.17 * k
            label = name.replace("_", " ")
            axes.errorbar(x, mean / stretch, sd / stretch, fmt="o", ms=3, color=COLOURS[k], label=label)
        axes.set_xticks(place, [words.replace(" ", "\n") for words in FREE.values()])
        axes.set_ylabel("gradient of the loss by the logarithm")
        axes.set_yscale("symlog", linthresh=100)
        axes.legend(ncols=3, loc="upper center", bbox_to_anchor=(0.5, 1.2), columnspacing=1)
    return figure
