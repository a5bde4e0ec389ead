"""Diffusion, binding rate and distance to the exit from the falling phase of MEPCs with the esterase blocked.

Land, Harris, Salpeter & Salpeter 1984, PNAS 81:1594 (values: 4e-6 cm2/s, 3.3e7 /M/s, 1.6 um): what they fitted to
recordings is fitted here to quanta of the particle kernel in which the truth is known. Their design could not be
read; this one takes what the equations ask for.

Without esterase ACh leaves only at the rim. Where it is buffered by receptors it spreads with D / (1 + b),
b = 2 density k+ / (height k-), so that the decay at a high density knows R^2 (1 + b) / D, and at a low one R^2 / D:
two densities tell k+ from R^2 / D. Shapes know no more: with R -> s R, D -> s^2 D and content -> s^2 content all
concentrations stay as they are at scaled places, and the current of s^2 as many channels has the same shape. Only its
size in nA, or a known content, fixes the length.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import nmjmc
from experiments.common import Estimate, Report, canvas
from nmjmc.fitting import Condition, WaveformTerm
from nmjmc.fitting.estimators import simulated
from nmjmc.fitting.parameters import free_parameters
from nmjmc.fitting.problem import Problem
from nmjmc.fitting.quanta import COARSE
from nmjmc.viz.style import COLOURS, style

DENSITIES = {10000: 25.0, 3000: 14.0, 1000: 10.0}
"""Receptors left per um^2, and how long is simulated [ms]: all, and after most have been blocked for good."""

FREE = {
    "cleft.diffusion": {"start": "800 um^2/s", "low": "50 um^2/s", "high": "4000 um^2/s"},
    "receptor.binding_rate": {"start": "8e7 /M/s"},
    "cleft.exit_radius": {"start": "2.6 um", "low": "0.6 um", "high": "6 um"},
    "vesicle.content_mean": {"start": 6000},
}
LINES = {
    "cleft.diffusion": ("D", "um^2/s", "400 (the truth here)", 1e3),
    "receptor.binding_rate": ("binding rate", "1e7 /M/s", "3.3 (the truth here)", None),
    "cleft.exit_radius": ("distance to the exit", "um", "1.6 (the truth here)", 1.0),
}
CV, NOISE, BINS = 0.2, 0.05, 10  # of the contents; SD of a sample at 50 kHz [nA]; in the falling phase


def run(report: Report) -> None:
    """Simulate blocked quanta at three densities, and fit their falling phases together."""
    events, vesicles = (16, 8) if report.fast else (48, 32)
    truth = nmjmc.preparation("lizard", vesicle={"content_cv": CV})
    densities = {d: t / 5.0 for d, t in DENSITIES.items()} if report.fast else DENSITIES
    terms = [falling(truth, density, t, events, 1984 + i) for i, (density, t) in enumerate(densities.items())]
    found = nmjmc.fit(truth, terms, FREE, grid=COARSE, estimator="corrected", vesicles=vesicles, seed=84)
    for name, (quantity, unit, published, factor) in LINES.items():
        factor = factor or float(found.stated(found.names.index(name), 1.0) or 0.0) / 1e7
        value, (low, high) = found[name] * factor, (end * factor for end in found.interval(name))
        true = float(nmjmc.get(truth, name)) * factor
        estimate = Estimate(value, low, high)
        report.say(quantity, unit, published, "V-2nd", (0.75 * true, 1.25 * true), estimate)
    report.facts["fit"] = found.summary()
    report.facts["estimate over truth"] = {n: found[n] / float(nmjmc.get(truth, n)) for n in found.names}
    for words, errors in identifiability(truth, terms).items():
        text = ", ".join(f"{LINES[n][0]} {100 * e:.0f} %" for n, e in errors.items() if n in LINES)
        report.facts[words] = errors
        print(f"    standard errors, {words}: {text}")
    report.draw(_figure(found, truth))


def falling(truth: Any, density: float, duration: float, events: int, seed: int) -> WaveformTerm:
    """The falling phase of noisy quanta of the kernel, from the peak of their mean to a twentieth of it."""
    condition = Condition(
        (("esterase.active_fraction", 0.0), ("receptor.density", f"{density} /um^2")), duration
    )
    quanta = simulated(condition.of(truth), condition, events, seed)
    rng = np.random.default_rng(seed)
    traces = quanta.current + NOISE * rng.normal(size=quanta.current.shape)
    mean = np.abs(quanta.current.mean(axis=0))
    peak = int(mean.argmax())
    end = peak + int(np.argmax(np.append(mean[peak:], 0.0) < 0.05 * mean[peak])) - 1
    edges = np.linspace(quanta.time[peak], quanta.time[end], BINS + 1)
    return WaveformTerm(
        f"{density} receptors /um^2", quanta.time, traces, condition, edges=edges, with_variance=False,
        noise_variance=0.0,
    )  # fmt: skip


def identifiability(truth: Any, terms: list[WaveformTerm]) -> dict[str, dict[str, float]]:
    """Relative standard errors at the truth by the Fisher information, under several states of knowledge."""
    names = (*FREE, "receptor.unbinding_rate", "receptor.closing_rate")
    problem = Problem(truth, terms, free_parameters(truth, {n: _at_truth(n) for n in names}), grid=COARSE)
    free = problem.parameters.unconstrained(problem.parameters.start)
    z, slope = problem.predict_with_slope(free)
    slope = slope / problem.parameters.stretch(free)
    cases = {
        "three densities, sizes in nA": (FREE, (0, 1, 2), False),
        "three densities, shapes alone": (FREE, (0, 1, 2), True),
        "shapes alone, content known": (tuple(LINES), (0, 1, 2), True),
        "one density, sizes in nA": (FREE, (0,), False),
        "three densities, closing rate unknown too": ((*FREE, names[5]), (0, 1, 2), False),
        "three densities, unbinding and closing unknown too": (names, (0, 1, 2), False),
    }
    return {words: _errors(problem, z, slope, names, *case) for words, case in cases.items()}


def _at_truth(name: str) -> dict[str, Any]:
    return {key: value for key, value in FREE.get(name, {}).items() if key != "start"}


def _errors(
    problem: Problem, z: np.ndarray, slope: np.ndarray, names: Any, free: Any, sets: Any, shapes: bool
) -> dict[str, float]:
    """SDs of the logarithms of the free parameters; a shape has a size of its own that nobody knows."""
    chosen = [names.index(name) for name in free]
    size = len(chosen) + (len(sets) if shapes else 0)
    information = np.zeros((size, size))
    for k, i in enumerate(sets):
        part = slice(problem.cuts[i], problem.cuts[i + 1])
        own = np.zeros((z[part].size, size))
        own[:, : len(chosen)] = slope[part][:, chosen]
        if shapes:
            own[:, len(chosen) + k] = z[part]
        information += own.T @ problem.terms[i].information(z[part]) @ own
    spread = np.sqrt(np.diag(np.linalg.pinv(information, rcond=1e-14, hermitian=True)))
    return dict(zip(free, spread.tolist(), strict=False))


def _figure(found: Any, truth: Any) -> Any:
    with style():
        figure = canvas(160, 65)
        left, right = figure.subplots(1, 2, width_ratios=[1.5, 1])
        for colour, entry in zip(COLOURS, found.datasets, strict=False):
            peak = np.abs(entry.mean).max()
            left.plot(entry.time, np.abs(entry.mean) / peak, color=colour, alpha=0.3, linewidth=2)
            left.plot(
                entry.position, np.abs(entry.model) / peak, color=colour, label=f"{entry.name}, {peak:.2g} nA"
            )
            left.plot(entry.position, np.abs(entry.data) / peak, "o", color=colour, markersize=3)
        left.set(xlabel="time (ms)", ylabel="current / peak", ylim=(0, 1.05))
        left.set_xlim(left=0)
        left.legend(title="points: quanta of the kernel; line: fit")
        for row, (name, (quantity, *_)) in enumerate(LINES.items()):
            true = float(nmjmc.get(truth, name))
            low, high = (end / true for end in found.interval(name))
            right.plot([low, high], [row, row], color=COLOURS[0])
            right.plot(found[name] / true, row, "o", color=COLOURS[0])
            right.plot(found.start[found.names.index(name)] / true, row, "x", color=COLOURS[1])
            right.text(0.45, row - 0.22, quantity)
        right.axvspan(0.75, 1.25, color="#eeeeee", zorder=0)
        right.axvline(1, color="k", lw=0.8, ls=":")
        right.set(xlabel="estimate / truth (x: where the fit began)", ylim=(2.5, -0.6), xlim=(0.4, 2.7))
        right.set_yticks([])
    return figure
