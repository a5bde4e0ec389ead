"""The figure: deviations from the closed forms of diffusion, the dose-response curve, the enzyme's speed."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from experiments.closed_forms.chemistry import RECEPTOR, Progress
from experiments.closed_forms.transport import Points
from experiments.common import canvas
from nmjmc.kinetics import load_scheme
from nmjmc.kinetics.exact import p_open
from nmjmc.viz.style import COLOURS, style


def draw(
    spread: Points,
    escape: dict[str, Points],
    robin: dict[str, Points],
    dose: list[tuple[float, float, float]],
    progress: Progress,
) -> Figure:
    """Draw them; bars are two standard errors."""
    with style():
        figure = canvas(165, 110)
        (first, second, third), (fourth, fifth, rest) = figure.subplots(2, 3)
        _deviations(first, {"<ρ²> = 4Dt": spread}, "time (ms)", 1.0)
        _deviations(second, escape, "time (ms)", 1.0)
        _deviations(third, robin, "κ (µm/s)", 0.5)
        first.set(ylabel="simulated over exact (%)", title="free spread")
        second.set_title("part inside an absorbing rim")
        third.set_title("decay at a reactive plane")
        third.set_xticks([300, 1000, 3000], ["300", "1,000", "3,000"])
        third.minorticks_off()
        _dose(fourth, dose)
        _speed(fifth, progress)
        rest.set_axis_off()
        rest.text(0, 0.95, "bars: 2 standard errors\ngrey: what counts as agreement", va="top", fontsize=7)
    return figure


def _deviations(axes, cases: dict[str, Points], label: str, limit: float) -> None:
    axes.axhspan(-limit, limit, color="#eeeeee", zorder=0)
    axes.axhline(0, color="k", lw=0.5)
    for (name, points), colour in zip(cases.items(), COLOURS, strict=False):
        at, value, error = np.array(points).T
        axes.errorbar(at, value, 2 * error, fmt="o", ms=3, color=colour, label=name)
    axes.set(xscale="log", xlabel=label, ylim=(-1.6 * limit, 1.6 * limit))
    axes.legend(loc="lower left")


def _dose(axes, dose: list[tuple[float, float, float]]) -> None:
    level, value, error = np.array(dose).T
    line = np.geomspace(level.min() / 2, 2 * level.max(), 60)
    scheme = load_scheme("two_site_sequential")
    curve = [float(p_open(scheme, RECEPTOR, c)) for c in line]
    axes.plot(line, curve, color="k", lw=0.8, label="E A² / (1 + 2A + A² (1 + E))")
    axes.errorbar(level, value, 2 * error, fmt="o", ms=3, color=COLOURS[0], label="closed boxes")
    axes.set(xscale="log", yscale="log", xlabel="free ACh (µM)", ylabel="part open", title="equilibrium")
    axes.set(ylim=(5e-3, 3))
    axes.legend(loc="upper left")


def _speed(axes, progress: Progress) -> None:
    order = np.argsort(progress.level)
    axes.plot(progress.level[order], progress.law[order], color="k", lw=0.8, label="Michaelis-Menten")
    axes.plot(progress.level, progress.speed, "o", ms=2, color=COLOURS[1], label="simulated")
    axes.set(xlabel="ACh / $K_M$", ylabel="speed / fastest", title="turnover of the esterase", xlim=(0, None))
    axes.legend(loc="lower right")
