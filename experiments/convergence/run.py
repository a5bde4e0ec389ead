"""Halving the time step of the pass of JAX: what it changes. The event kernel has none.

The runs share a seed, so they start from the same molecules with the same random numbers; intervals come from
resampling the pairs. The limit of 0.5 % is the requirement of the project.
"""

from __future__ import annotations

import nmjmc
from experiments.common import Estimate, Report, canvas, of_replicates, resamples, shape_of_mean
from nmjmc.viz.style import COLOURS, style

SCALES = (0.5, 1.0, 2.0)
FEATURES = {"amplitude": "peak", "rise_20_80": "20-80 % rise", "decay_time": "decay"}
CASES = {"slab": 3.0, "human": 8.0}
LIMIT = 0.5


def run(report: Report) -> None:
    """Run each preparation with three steps and compare with the default."""
    changes = {}
    vesicles = 4 if report.fast else 256
    weights = resamples(vesicles)
    for name, duration in CASES.items():
        shapes = {}
        for scale in SCALES if not report.fast else (0.5, 1.0):
            result = nmjmc.simulate(
                nmjmc.preparation(name),
                vesicles,
                5,
                duration=duration,
                record_interval=0.01,
                numerics={"executor": "jax", "step_scale": scale},
            )
            shapes[scale] = shape_of_mean(result.time, result.open_channels.astype(float), weights)
        for scale, shape in shapes.items():
            for feature in FEATURES:
                changes[name, scale, feature] = _change(shape, shapes[1.0], feature)
    report.facts["quanta"] = vesicles
    report.facts["change from the default step [%]"] = {
        f"{n}, step x {s:g}, {f}": vars(e) for (n, s, f), e in changes.items()
    }
    for name in CASES:
        for feature, words in FEATURES.items():
            report.say(
                f"{name}, {words}: change with half the step",
                "%",
                "0",
                "by definition",
                (-LIMIT, LIMIT),
                changes[name, 0.5, feature],
            )
    report.draw(_figure(changes))


def _change(shape, default, feature: str) -> Estimate:
    """Change from the default step with its interval [%]."""
    ratio = shape.value[feature] / default.value[feature]
    return of_replicates(
        100 * (ratio - 1), 100 * (shape.replicates[feature] / default.replicates[feature] - 1)
    )


def _figure(changes: dict[tuple[str, float, str], Estimate]):
    scales = sorted({s for _, s, _ in changes})
    with style():
        figure = canvas(140, 58)
        panels = figure.subplots(1, len(CASES), sharey=True)
        for axes, name in zip(panels, CASES, strict=True):
            axes.axhspan(-LIMIT, LIMIT, color="#eeeeee", zorder=0)
            axes.axhline(0, color="k", lw=0.5)
            for k, (feature, words) in enumerate(FEATURES.items()):
                y = [changes[name, s, feature] for s in scales]
                error = [[e.value - e.low for e in y], [e.high - e.value for e in y]]
                x = [s * 1.04 ** (k - 1) for s in scales]
                axes.errorbar(x, [e.value for e in y], error, fmt="o-", ms=3, color=COLOURS[k], label=words)
            axes.set(xscale="log", xlabel="time step / default", title=name)
            axes.set_xticks(scales, [f"{s:g}" for s in scales])
            axes.minorticks_off()
        panels[0].set_ylabel("change (%)")
        panels[0].legend(title="paired, 95 %", ncols=3, loc="lower left", columnspacing=1)
    return figure
