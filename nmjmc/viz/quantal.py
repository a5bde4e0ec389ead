"""The figure of the analyses of quantal data: a panel for each curve that the data allowed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nmjmc.data.quantal import Curve, QuantalReport
from nmjmc.viz.style import COLOURS, INK, MILLIMETRE, PALE, Picture, save, style

Curves = dict[str, Curve]


def plot_quantal(report: QuantalReport, path: str | Path | None = None) -> Figure:
    """Draw every panel for which the report has a curve.

    Args:
        report: What `nmjmc.quantal` gave.
        path: Where to write the figure, if anywhere.

    Returns:
        The figure, not tied to any window.
    """
    curves = dict(report.curves)
    panels = [draw for name, draw in PANELS.items() if name in curves]
    panels += [_cumulative(name) for name in curves if name.startswith("cumulative_") and name in CUMULATIVE]
    columns = min(3, max(1, len(panels)))
    rows = max(1, -(-len(panels) // columns))
    with style():
        figure = Picture(
            figsize=(65 * MILLIMETRE * columns, 56 * MILLIMETRE * rows + 6 * MILLIMETRE), layout="constrained"
        )
        figure.suptitle(_short(report.title, 55 * columns), fontsize=8, x=0.01, ha="left")
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes in grid.flat[len(panels) :]:
            axes.set_visible(False)
        for axes, draw in zip(grid.flat, panels, strict=False):
            draw(axes, report)
    if path is not None:
        save(figure, path)
    return figure


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."


def _labels(axes: Axes, x: str, y: str, title: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_title(title, loc="left", color=INK)


def _unit(curve: Curve, name: str) -> str:
    return curve.units.get(name, "").replace("^2", "²")


def _histogram(axes: Axes, report: QuantalReport) -> None:
    curve = report.curves["amplitude_histogram"]
    low, high, count = (curve[name] for name in ("from", "to", "count"))
    axes.bar(low, count, high - low, align="edge", color=PALE, edgecolor="white", linewidth=0.4)
    names = {row.name: row.value for row in report.rows}
    mean, sd = (
        names.get("mean amplitude of all miniatures"),
        names.get("SD of the amplitude of all miniatures"),
    )
    if mean is not None and sd is not None and sd > 0:
        x = np.linspace(min(low[0], mean - 3 * sd), high[-1], 200)
        density = np.exp(-0.5 * ((x - mean) / sd) ** 2) / (sd * np.sqrt(2 * np.pi))
        seen = density[(x >= low[0])].sum() / density.sum()
        axes.plot(
            x, density * count.sum() * (high[0] - low[0]) / max(seen, 1e-9), color=COLOURS[1], label="fitted"
        )
        axes.legend()
    _labels(axes, f"amplitude ({_unit(curve, 'from')})", "events", "amplitudes")
    axes.set_xlim(left=0)


CUMULATIVE = {
    "cumulative_amplitude": "amplitude", "cumulative_charge": "charge", "cumulative_rise": "rise",
    "cumulative_rise_20_80": "20-80 % rise", "cumulative_decay": "decay time",
    "cumulative_half_width": "half width", "cumulative_interval": "interval",
}  # fmt: skip


def _cumulative(name: str) -> Callable[[Axes, QuantalReport], None]:
    def draw(axes: Axes, report: QuantalReport) -> None:
        key = name.removeprefix("cumulative_")
        other = report.curves.get(f"{name}_other")
        for curve, colour, label in (
            (report.curves[name], COLOURS[0], "first"),
            (other, COLOURS[1], "other"),
        ):
            if curve is not None:
                axes.step(curve[key], curve["share"], where="post", color=colour, label=label)
        if other is not None:
            axes.legend(loc="lower right")
        unit = _unit(report.curves[name], key)
        _labels(axes, f"{CUMULATIVE[name]} ({unit})", "share of the events", CUMULATIVE[name])
        axes.set_ylim(0, 1)

    return draw


def _intervals(axes: Axes, report: QuantalReport) -> None:
    curve = report.curves["intervals"]
    axes.semilogy(curve["interval"], curve["longer"], ".", color=COLOURS[0], markersize=3, label="events")
    axes.plot(curve["interval"], curve["poisson"], color=INK, linewidth=0.8, label="Poisson process")
    axes.set_ylim(bottom=0.5 * float(curve["longer"].min()))
    axes.legend()
    _labels(axes, "interval (ms)", "share that is longer", "intervals")


def _noise(axes: Axes, report: QuantalReport) -> None:
    curve = report.curves["channel_noise"]
    axes.plot(curve["mean"], 1e6 * curve["variance"], "o", color=COLOURS[0], markersize=3)
    axes.plot(curve["mean"], 1e6 * curve["fitted"], color=COLOURS[1])
    _labels(axes, "mean current (nA)", "variance (pA²)", "noise of the decays")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=min(0.0, 1e6 * float(curve["variance"].min())))


def _content(axes: Axes, report: QuantalReport) -> None:
    curve = report.curves["quantal_content"]
    x = np.arange(curve["content"].size)
    value, low, high = (curve[name] for name in ("content", "low", "high"))
    reach = np.where(np.isfinite(high), high, value) - value
    axes.errorbar(x, value, [value - low, reach], fmt="o", color=COLOURS[0], markersize=4, capsize=2)
    known = [v for name, v in report.truth.items() if name.startswith("quantal content")]
    if known:
        axes.axhline(known[0], color=COLOURS[1], linewidth=0.8, linestyle="--", label="truth")
        axes.legend()
    axes.set_xticks(x, [str(name) for name in curve["method"]])
    axes.set_xlim(-0.6, x.size - 0.4)
    axes.set_ylim(bottom=0)
    _labels(axes, "method", "quantal content", "quantal content")


def _train(axes: Axes, report: QuantalReport) -> None:
    curve = report.curves["train"]
    axes.errorbar(
        curve["stimulus"],
        curve["amplitude"],
        curve["error"],
        fmt="o-",
        color=COLOURS[0],
        markersize=3,
        capsize=1.5,
    )
    _labels(axes, "stimulus", f"amplitude ({_unit(curve, 'amplitude')})", "along the train")
    axes.set_ylim(bottom=0)
    axes.set_xlim(0.5, curve["stimulus"].size + 0.5)


def _pool(axes: Axes, report: QuantalReport) -> None:
    curve = report.curves["cumulative_train"]
    axes.plot(curve["stimulus"], curve["cumulative"], "o", color=COLOURS[0], markersize=3)
    axes.plot(curve["stimulus"], curve["line"], color=COLOURS[1], linewidth=0.9)
    _labels(axes, "stimulus", f"cumulative amplitude ({_unit(curve, 'line')})", "cumulative train")
    axes.set_ylim(bottom=0)


def _elmqvist(axes: Axes, report: QuantalReport) -> None:
    curve = report.curves["elmqvist_quastel"]
    axes.plot(curve["released_before"], curve["amplitude"], "o", color=COLOURS[0], markersize=3)
    pool, last = report["pool, Elmqvist and Quastel"].value, float(curve["released_before"].max())
    end = pool if np.isfinite(pool) and pool < 20 * last else last
    slope = (curve["line"][-1] - curve["line"][0]) / (
        curve["released_before"][-1] - curve["released_before"][0]
    )
    axes.plot([0, end], [curve["line"][0], curve["line"][0] + slope * end], color=COLOURS[1], linewidth=0.9)
    unit = _unit(curve, "amplitude")
    _labels(axes, f"released before ({unit})", f"amplitude ({unit})", "Elmqvist and Quastel")
    axes.set_ylim(bottom=0)


def _rate(axes: Axes, report: QuantalReport) -> None:
    curve = report.curves["release_rate"]
    axes.fill_between(curve["time"], curve["low"], curve["high"], color=PALE, linewidth=0, label="95 %")
    axes.plot(curve["time"], curve["rate"], color=COLOURS[0])
    axes.axhline(0, color=INK, linewidth=0.4)
    peak = float(curve["time"][curve["rate"].argmax()])
    axes.set_xlim(0.0, float(np.minimum(curve["time"][-1], 3 * peak + 1.0)))
    axes.legend()
    _labels(axes, "time (ms)", "release (1/ms)", "rate of release")


def _variance_mean(axes: Axes, report: QuantalReport) -> None:
    curve, fit = report.curves["variance_mean"], report.curves["variance_mean_fit"]
    axes.errorbar(
        curve["mean"], curve["variance"], curve["error"], fmt="o", color=COLOURS[0], markersize=3, capsize=1.5
    )
    axes.plot(fit["mean"], fit["fitted"], color=COLOURS[1], linewidth=0.9)
    _labels(
        axes,
        f"mean ({_unit(curve, 'mean')})",
        f"variance ({_unit(curve, 'variance')})",
        "variance against mean",
    )
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)


def _recovery(axes: Axes, report: QuantalReport) -> None:
    curve = report.curves["recovery"]
    error = curve["error"] if np.isfinite(curve["error"]).all() else None
    axes.errorbar(curve["pause"], curve["ratio"], error, fmt="o", color=COLOURS[0], markersize=3, capsize=1.5)
    tau, depth = report["time constant of recovery"].value, report["depth of depression"].value
    x = np.geomspace(curve["pause"].min() / 2, curve["pause"].max() * 1.5, 200)
    axes.semilogx(x, 1 - depth * np.exp(-x / tau), color=COLOURS[1])
    axes.axhline(1.0, color=INK, linewidth=0.4, linestyle=":")
    _labels(axes, "pause (ms)", "response over the first", "recovery")


PANELS: dict[str, Callable[[Axes, QuantalReport], None]] = {
    "quantal_content": _content, "amplitude_histogram": _histogram, "train": _train, "cumulative_train": _pool,
    "elmqvist_quastel": _elmqvist, "release_rate": _rate, "variance_mean": _variance_mean, "recovery": _recovery,
    "intervals": _intervals, "channel_noise": _noise,
}  # fmt: skip
"""Panel of each curve."""
