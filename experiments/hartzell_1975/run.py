"""Several quanta in one patch: independent with the esterase on, not with it off and close together.

Hartzell, Kuffler & Yoshikami 1975, J Physiol 251:427 (abstract): quanta act independently with active
esterase; with the esterase blocked they potentiate and prolong one another if they are closer than about 2
um.

Four quanta are released at once at the corners of a square; one quantum is the control. Agreement limits (5 %
for independence, 20 % for prolongation) are a choice.
"""

from __future__ import annotations

import numpy as np

import nmjmc
from experiments.common import Report, canvas, shape_of_mean
from nmjmc.viz.style import COLOURS, style

SPACINGS = (0.5, 1.0, 2.0)
QUANTA = 4
RADIUS = "3.5 um"
ALONE = (0.95, 1.05)
# esterase, spacing [um], feature (peak and charge a quantum), published, limits, note
JUDGED = (
    (1, 2.0, "peak", "independent", ALONE, ""),
    (1, 2.0, "decay", "independent", ALONE, ""),
    (0, 0.5, "decay", "prolonged", (1.2, np.inf), ""),
    (0, 0.5, "charge", "potentiated", (1.05, np.inf), ""),
    (0, 2.0, "peak", "not potentiated", ALONE, "judged after the first run"),
    (0, 2.0, "decay", "not prolonged", (0.8, 1.2), "judged after the first run"),
    (1, 0.5, "peak", "none at so small a spacing", None, ""),
)


def run(report: Report) -> None:
    """One quantum and four at several spacings, with the esterase on and off."""
    results = {
        (active, spacing): _simulate(report.fast, active, spacing)
        for active in (1, 0)
        for spacing in (None, *(SPACINGS if not report.fast else (0.5, 2.0)))
    }
    shapes = {k: shape_of_mean(r.time, r.open_channels.astype(float)) for k, r in results.items()}
    spacings = sorted({s for _, s in results if s is not None})
    found = {
        (active, s): {
            "peak": shapes[active, s].ratio(shapes[active, None], "amplitude", 1 / QUANTA),
            "decay": shapes[active, s].ratio(shapes[active, None], "decay_time"),
            "charge": shapes[active, s].ratio(shapes[active, None], "charge", 1 / QUANTA),
        }
        for active in (1, 0)
        for s in spacings
    }
    report.facts["patches"] = {str(k): r.vesicles for k, r in results.items()}
    report.facts["ratios"] = {
        f"active {a}, {s} um": {n: vars(e) for n, e in v.items()} for (a, s), v in found.items()
    }
    report.facts["one quantum"] = {f"active {a}": shapes[a, None].value for a in (1, 0)}
    for active, spacing, name, published, limits, note in JUDGED:
        state = "on" if active else "off"
        quantity = f"{name}, four {spacing:g} um apart over one, esterase {state}"
        mark = "V-abs" if limits else "-"
        report.say(quantity, "", published, mark, limits, found[active, spacing][name], note)
    report.draw(_figure(results, found, spacings))


def _simulate(fast: bool, active: int, spacing: float | None) -> nmjmc.Result:
    half = (spacing or 0.0) / 2
    corners = [[x, y] for x in (-half, half) for y in (-half, half)]
    sites = [[0.0, 0.0]] if spacing is None else corners
    synapse = nmjmc.preparation(
        "lizard",
        cleft={"exit_radius": RADIUS},
        esterase={"active_fraction": active},
        vesicle={"sites": sites, "times": [0.0] * len(sites)},
    )
    patches = 2 if fast else (32 if spacing is None else 8)
    duration = 8.0 if fast else (10.0 if active else 40.0)
    return nmjmc.simulate(synapse, patches, 1975, duration=duration, record_interval=0.02)


def _figure(results, found: dict, spacings: list[float]):
    with style():
        figure = canvas(160, 60)
        axes = figure.subplots(1, 3)
        for axis, active, title in ((axes[0], 1, "esterase on"), (axes[1], 0, "esterase off")):
            shown = [
                (None, "one quantum"),
                *((s, f"four, {s:g} µm apart") for s in spacings if s in (0.5, 2.0)),
            ]
            for colour, (spacing, label) in zip(COLOURS, shown, strict=False):
                result = results[active, spacing]
                number = 1 if spacing is None else QUANTA
                mean = result.open_channels.mean(axis=0) / number
                # dashes, because far quanta cover the single one
                axis.plot(result.time, mean, color=colour, label=label, ls="--" if spacing == 2.0 else "-")
            axis.set(xlabel="time (ms)", ylabel="open channels a quantum", title=title)
            axis.set_xlim(0, results[active, None].time[-1])
            axis.set_ylim(0, 1.3 * axis.get_ylim()[1])
            axis.legend(loc="upper right")
        for active, marker, colour in ((1, "o", COLOURS[0]), (0, "s", COLOURS[1])):
            for name, ls in (("decay", "-"), ("peak", ":")):
                y = [found[active, s][name] for s in spacings]
                error = [[e.value - e.low for e in y], [e.high - e.value for e in y]]
                label = f"{name}, esterase {'on' if active else 'off'}"
                axes[2].errorbar(
                    spacings, [e.value for e in y], error, fmt=marker, ls=ls, ms=3, color=colour, label=label
                )
        axes[2].axhline(1, color="k", lw=0.5)
        axes[2].set(xlabel="spacing (µm)", ylabel="four over one, a quantum", xscale="log")
        axes[2].set_xticks(spacings, [f"{s:g}" for s in spacings])
        axes[2].minorticks_off()
        axes[2].set_ylim(0.9, 2.3)
        axes[2].legend(loc="upper right")
    return figure
