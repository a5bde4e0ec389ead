"""The figure: the mean current, its deviation from smeared sites, and how that goes with the number of molecules."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from experiments.common import canvas
from nmjmc.viz.style import COLOURS, style

EVERY = 10  # a tenth of the records is enough for the eye
LATE = 500  # the record at 5 ms


def draw(time: np.ndarray, cases: dict[float, tuple], limit: float) -> Figure:
    """Draw the cases: (open channels [v, t], mean field [t], the same with smeared sites [t]) by factor."""
    with style():
        figure = canvas(165, 62)
        left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1.5, 1.1))
        _currents(left, time, *cases[1.0][:2])
        middle.axhspan(-limit, limit, color="#eeeeee", zorder=0)
        middle.axhline(0, color="k", lw=0.5)
        for (factor, case), colour in zip(cases.items(), COLOURS, strict=False):
            _deviations(middle, time, *case, colour, f"x {factor:g}")
        middle.set(xlabel="time (ms)", ylabel="over smeared sites (%)", ylim=(-1.2, 4.5), xlim=(0, 10))
        middle.legend(title="content, densities", loc="upper left")
        middle.set_title("bands: 2 standard errors\ndashed: mean field")
        _power(right, cases)
    return figure


def _relative(traces: np.ndarray, field: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Deviation of the mean trace and its standard error [%]."""
    error = traces.std(axis=0, ddof=1) / np.sqrt(len(traces))
    return 100 * (traces.mean(axis=0, dtype=float) / field - 1), 100 * error / field


def _currents(axes, time: np.ndarray, traces: np.ndarray, field: np.ndarray) -> None:
    axes.plot(time[::40], traces.mean(axis=0)[::40], "o", ms=2, color=COLOURS[0], label="nmjmc")
    axes.plot(time, field, color="k", lw=0.7, label="mean field")
    axes.set(xlabel="time (ms)", ylabel="open channels", xlim=(0, 10), ylim=(0, None))
    axes.legend()


def _deviations(axes, time, traces, field, smeared, colour, label: str) -> None:
    at = slice(EVERY, None, EVERY)
    value, error = _relative(traces[:, at], smeared[at])
    axes.fill_between(time[at], value - 2 * error, value + 2 * error, color=colour, alpha=0.35, lw=0)
    axes.plot(time[at], value, color=colour, lw=0.7, label=label)
    axes.plot(time[at], 100 * (field[at] / smeared[at] - 1), "--", color="k", lw=0.9)


def _power(axes, cases: dict[float, tuple]) -> None:
    """The deviation at 5 ms against the factor."""
    for (factor, (traces, field, smeared)), colour in zip(cases.items(), COLOURS, strict=False):
        value, error = _relative(traces[:, LATE : LATE + 1], smeared[LATE : LATE + 1])
        axes.errorbar(factor, value, 2 * error, fmt="o", ms=3, color=colour)
        axes.plot(factor, 100 * (field[LATE] / smeared[LATE] - 1), "k_", ms=9)
    line = np.geomspace(0.18, 5.5, 30)
    start = 100 * (cases[1.0][1][LATE] / cases[1.0][2][LATE] - 1)
    axes.plot(line, start * line**-0.5, "k--", lw=0.8, label="factor$^{-1/2}$")
    axes.plot(line, start / line, "k:", lw=0.8, label="factor$^{-1}$")
    axes.set(xscale="log", xlabel="factor", ylabel="the same at 5 ms (%)")
    axes.set(ylim=(-0.2, 3.5), title="bars: 2 standard errors\nticks: mean field")
    axes.set_xticks(list(cases), [f"{f:g}" for f in cases])
    axes.minorticks_off()
    axes.legend(loc="upper right")
