"""Both executors on the same synapses: do their counts differ by more than chance?

Two programs that share tables and equations but neither their order of events nor their random numbers follow the same
quanta. Each count of each case is compared at four moments by the difference of the means over its standard error, z.
A case's largest |z| is judged: of n such comparisons, independent at the worst, it passes the limit by chance with a
probability below 1e-3. Counts that fall short of one in all quanta together are left out, as is what is released.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

import nmjmc
from experiments.common import Report, canvas, exact
from nmjmc.viz.style import COLOURS, style

SMALL: dict[str, Any] = {"vesicle.content_mean": 150.0, "vesicle.content_cv": 0.2}
SLAB = {"preparation": "slab", "cleft.side": "0.3 um", **SMALL}
DISC = {"preparation": "human", "cleft.exit_radius": "0.25 um", **SMALL}
FOLDS = {
    "preparation": "folded", "cleft.exit_radius": "0.3 um", "cleft.fold_depth": "0.1 um",
    "cleft.fold_width": "0.05 um", "cleft.fold_spacing": "0.125 um", **SMALL,
}  # fmt: skip
DESENSITISING = {"receptor.scheme": "two_site_desensitising", "receptor.desensitisation_rate": "2500 /s",
                 "receptor.recovery_rate": "100 /s"}  # fmt: skip
PRIMED = {
    "receptor.scheme": "two_site_primed",
    "receptor.priming_rate": "20000 /s",
    "receptor.unpriming_rate": "5000 /s",
}
UNEQUAL = {
    "receptor.scheme": "two_site_unequal", "receptor.binding_rate": None, "receptor.unbinding_rate": None,
    "receptor.binding_rate_a": "1e8 /M/s", "receptor.unbinding_rate_a": "15000 /s",
    "receptor.binding_rate_b": "5e7 /M/s", "receptor.unbinding_rate_b": "1000 /s",
    "receptor.q10": {"binding_rate": None, "unbinding_rate": None},
}  # fmt: skip
COMPETITIVE = {
    "receptor.scheme": "two_site_competitive", "receptor.antagonist_binding_rate": "1e8 /M/s",
    "receptor.antagonist_unbinding_rate": "500 /s", "receptor.bath": {"antagonist": "5 uM"},
}  # fmt: skip
CASES: dict[str, dict[str, Any]] = {
    "slab, absorbing rim": SLAB,
    "slab, reflecting rim": {**SLAB, "cleft.rim": "reflecting"},
    "human, absorbing rim": DISC,
    "folded, absorbing rim": FOLDS,
    "slab, antagonist in the bath": {**SLAB, **COMPETITIVE},
    "slab, desensitising scheme": {**SLAB, **DESENSITISING},
    "slab, unequal sites": {**SLAB, **UNEQUAL},
    "slab, primed scheme": {**SLAB, **PRIMED},
    "human, reflecting rim": {**DISC, "cleft.rim": "reflecting"},
    "slab, no esterase": {**SLAB, "esterase.active_fraction": 0.0},
    "slab, pore at 20 nm/ms": {**SLAB, "vesicle.pore_speed": "20 nm/ms"},
}
MOMENTS = (0.03, 0.1, 0.3, 0.6)
CHANCE = 1e-3
BATCH = 8  # so few that the lists of the pass of JAX have one length: each length is a program


def run(report: Report) -> None:
    """Run every case by both, and compare."""
    quanta = 4 if report.fast else 512
    scores = {}
    cases = dict(list(CASES.items())[:1]) if report.fast else CASES
    for name, given in cases.items():
        changes = {key: value for key, value in given.items() if key != "preparation"}
        synapse = nmjmc.preparation(given["preparation"], **changes)
        z = scores[name] = compared(synapse, quanta)
        limit = float(stats.norm.isf(0.5 * CHANCE / z.size))
        largest = float(np.abs(z).max())
        report.say(
            f"{name}: largest z in size, of {z.size}; rms {np.sqrt((z**2).mean()):.2f}", "", "0", "by definition",
            (0.0, limit), exact(largest),
        )  # fmt: skip
    report.facts["quanta of each"] = quanta
    report.facts["z"] = {name: z.tolist() for name, z in scores.items()}
    report.draw(_figure(scores))


def compared(synapse: nmjmc.Synapse, quanta: int) -> np.ndarray:
    """Standard scores of the differences, event kernel less the pass of JAX."""
    how = {"duration": MOMENTS[-1], "record_interval": 0.03, "cache": False}
    found = [
        nmjmc.simulate(synapse, quanta, seed, **how, numerics={"executor": name, "batch": BATCH})
        for seed, name in ((1, "warp"), (2, "jax"))
    ]
    at = [int(np.argmin(np.abs(found[0].time - moment))) for moment in MOMENTS]
    scores = []
    for name in found[0].counts:
        a, b = (np.asarray(result.counts[name], float)[:, at] for result in found)
        error = np.sqrt((a.var(axis=0, ddof=1) + b.var(axis=0, ddof=1)) / quanta)
        # a count that hardly ever is not zero has no normal mean
        enough = (error > 0) & (a.sum(axis=0) + b.sum(axis=0) >= 10)
        if name != "released":
            scores.append(((a.mean(axis=0) - b.mean(axis=0)) / np.maximum(error, 1e-9))[enough])
    return np.concatenate(scores)


def _figure(scores: dict[str, np.ndarray]):
    """All scores against what chance alone would give."""
    every = np.sort(np.concatenate(list(scores.values())))
    expected = stats.norm.ppf((np.arange(every.size) + 0.5) / every.size)
    with style():
        figure = canvas(70, 60)
        axes = figure.subplots()
        axes.plot([-4, 4], [-4, 4], color="k", lw=0.5)
        axes.plot(expected, every, ".", ms=3, color=COLOURS[0])
        axes.set(xlabel="z by chance alone", ylabel="z found")
    return figure
