"""The miniature endplate current: its mean and single traces, and below them what the molecules did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from nmjmc.data.result import Result
from nmjmc.viz.style import COLOURS, INK, MILLIMETRE, PALE, Picture, save, style

SINGLES = 12


def plot_mepc(result: Result, path: str | Path | None = None, *, singles: int = SINGLES) -> Figure:
    """Draw mean and single MEPCs in nA against ms, with the occupancies below.

    Args:
        result: The result.
        path: Where to write the figure, if anywhere.
        singles: How many single currents to draw behind the mean.

    Returns:
        The figure, not tied to any window.
    """
    with style():
        figure = Picture(figsize=(130 * MILLIMETRE, 135 * MILLIMETRE), layout="constrained")
        top, middle, bottom = figure.subplots(3, 1, sharex=True, height_ratios=[2.0, 1.2, 1.2])
        _currents(top, result, singles)
        _receptors(middle, result)
        _fate(bottom, result)
        bottom.set_xlabel("time (ms)")
        bottom.set_xlim(float(result.time[0]), float(result.time[-1]))
        figure.align_ylabels([top, middle, bottom])
    if path is not None:
        save(figure, path)
    return figure


def _currents(axes: Axes, result: Result, singles: int) -> None:
    """Single currents behind their mean, and the mean's features in words."""
    shown = min(singles, result.vesicles)
    mean = result.current.mean(axis=0)
    one, several = ("vesicle", "vesicles") if result.quanta == 1 else ("patch", "patches")
    singles_label = f"1 {one}" if shown == 1 else f"{shown} single {several}"
    for index, trace in enumerate(result.current[:shown]):
        axes.plot(result.time, trace, color=PALE, linewidth=0.5, label=singles_label if index == 0 else None)
    axes.plot(result.time, mean, color=COLOURS[0], linewidth=1.4, label=f"mean of {result.vesicles:,}")
    axes.axhline(0.0, color=INK, linewidth=0.4)
    axes.set_ylabel("current (nA)")
    axes.set_title(_title(result), loc="left", color=INK)
    legend = axes.legend(
        title=_features(result), alignment="left", loc="center left", bbox_to_anchor=(1.01, 0.5)
    )
    legend.get_title().set_linespacing(1.5)


def _title(result: Result) -> str:
    volts = float(result.synapse.fibre.holding_potential)
    return f"{result.synapse.name}, {volts:g} mV, {float(result.synapse.temperature):g} °C".replace("-", "−")


def _features(result: Result) -> str:
    """Amplitude, rise and decay of the mean current in a few words."""
    shape = result.mean_waveform
    lines = [f"amplitude {float(shape.amplitude):.2f} nA"] if np.isfinite(shape.amplitude) else ["no current"]
    if np.isfinite(shape.rise_20_80):
        lines.append(f"rise 20-80 % {1e3 * float(shape.rise_20_80):.0f} µs")
    if np.isfinite(shape.decay_time):
        lines.append(f"decay {float(shape.decay_time):.2f} ms")
    return "\n".join(lines)


def _receptors(axes: Axes, result: Result) -> None:
    """Mean number of receptors in each state but the resting one."""
    scheme = result.synapse.receptor.scheme
    others = [state for state in scheme.states if state != scheme.resting]
    conducts = dict(zip(scheme.states, scheme.conductance, strict=True))
    for state, colour in zip(others, _cycle(len(others)), strict=True):
        label = f"{state} (open)" if conducts[state] > 0 else state
        axes.plot(result.time, result.counts[state].mean(axis=0), color=colour, label=label)
    axes.set_ylabel("receptors")
    axes.set_ylim(bottom=0)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))


def _fate(axes: Axes, result: Result) -> None:
    """Where the released ACh is, as stacked fractions."""
    released = np.maximum(result.counts["released"].sum(axis=0), 1)
    parts = {
        "free": result.counts["free_ach"],
        "bound": result.bound,
        "escaped": result.counts["escaped"],
        "hydrolysed": result.counts["hydrolysed"],
    }
    fractions = [values.sum(axis=0) / released for values in parts.values()]
    colours = (COLOURS[4], COLOURS[0], COLOURS[5], COLOURS[2])
    axes.stackplot(result.time, fractions, labels=list(parts), colors=colours, alpha=0.85, linewidth=0)
    axes.set_ylabel("ACh")
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    handles, labels = axes.get_legend_handles_labels()
    # the legend stands in the order of the stack, top first
    axes.legend(handles[::-1], labels[::-1], loc="center left", bbox_to_anchor=(1.01, 0.5))


def _cycle(count: int) -> list[str]:
    return [COLOURS[index % len(COLOURS)] for index in range(count)]
