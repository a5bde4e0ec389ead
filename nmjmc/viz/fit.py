"""Figures of a fit: data against model with residuals, the descent, profiles, and pairs of parameters."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from scipy import stats

from nmjmc.data.fits import DataFit, FitRecord
from nmjmc.viz.style import COLOURS, INK, MILLIMETRE, PALE, save, style


def plot_data(record: FitRecord, path: str | Path | None = None) -> Figure:
    """Each data set beside its model, and below it the residuals in standard errors.

    Args:
        record: The fit.
        path: Where to write the figure, if anywhere.
    """
    count = len(record.datasets)
    with style():
        figure = Figure(
            figsize=(75 * MILLIMETRE * count + 15 * MILLIMETRE, 85 * MILLIMETRE), layout="constrained"
        )
        grid = figure.subplots(2, count, squeeze=False, height_ratios=[2.2, 1.0], sharex="col")
        for column, entry in enumerate(record.datasets):
            _data(grid[0, column], entry)
            _residuals(grid[1, column], entry)
        figure.align_ylabels(grid[:, 0])
    if path is not None:
        save(figure, path)
    return figure


def _data(axes: Axes, entry: DataFit) -> None:
    chance = f"p = {entry.p_value:.2g}" if entry.p_value >= 1e-3 else "p < 0.001"
    axes.set_title(f"{entry.name} ({chance})", loc="left", color=INK)
    draw = {"waveform": _waveform, "histogram": _histogram, "statistics": _statistics}[entry.kind]
    draw(axes, entry)
    axes.legend()


def _waveform(axes: Axes, entry: DataFit) -> None:
    """Bins of the mean event, the mean event itself behind them, and the model."""
    shown = np.isfinite(entry.position)
    x = entry.position[shown]
    span = np.zeros(0, bool)
    if entry.time.size:
        span = (entry.time > x[0] - 0.2 * np.ptp(x)) & (entry.time < x[-1] + 0.2 * np.ptp(x))
        axes.plot(entry.time[span], entry.mean[span], color=PALE, linewidth=2.5, label="mean event")
    error = entry.error[shown]
    axes.errorbar(x, entry.data[shown], error, fmt="o", color=INK, markersize=3, label="data, in bins")
    line = "x-"
    if entry.curve.size:
        axes.plot(entry.time[span], entry.curve[span], color=COLOURS[1], linewidth=1.0)
        line = "x"
    axes.plot(x, entry.model[shown], line, color=COLOURS[1], markersize=4, label="model")
    axes.set_ylabel("current (nA)")


def _histogram(axes: Axes, entry: DataFit) -> None:
    """Bars, and the failures at zero where there were any."""
    x = entry.position
    width = float(np.diff(x[1:]).mean()) if x.size > 2 else 1.0
    axes.bar(x[1:], entry.data[1:], width=0.9 * width, color=PALE, label="data")
    axes.stairs(
        entry.model[1:], np.append(x[1:] - 0.5 * width, x[-1] + 0.5 * width), color=COLOURS[1], linewidth=1.2,
        label="model",
    )  # fmt: skip
    if entry.data[0] > 0:
        axes.bar(0.0, entry.data[0], width=0.9 * width, color=COLOURS[4], label="failures")
        axes.plot(0.0, entry.model[0], "x", color=COLOURS[1], markersize=5, label="failures, model")
    axes.set_ylabel("share of the trials")
    axes.set_ylim(bottom=0)


def _statistics(axes: Axes, entry: DataFit) -> None:
    """Every number relative to its published value, as units differ."""
    x, size = np.arange(entry.data.size), np.abs(entry.data)
    axes.axhline(1.0, color=PALE, linewidth=0.6, zorder=0)
    axes.errorbar(
        x - 0.06,
        np.ones(x.size),
        entry.error / size,
        fmt="o",
        color=INK,
        markersize=3.5,
        capsize=2,
        label="data, SE",
    )
    axes.plot(x + 0.06, entry.model / entry.data, "x", color=COLOURS[1], markersize=5, label="model")
    axes.set_xlim(-0.6, x.size - 0.4)
    axes.set_ylabel("relative to the data")
    away = max(
        2.5 * float((entry.error / size).max()), 1.3 * float(np.abs(entry.model / entry.data - 1).max())
    )
    axes.set_ylim(1 - away, 1 + away)


def _residuals(axes: Axes, entry: DataFit) -> None:
    known = np.isfinite(entry.position)
    x = np.where(known, entry.position, np.arange(entry.position.size))
    shown = known if known.any() else np.ones(x.size, bool)
    if entry.kind == "histogram" and entry.data[0] == 0.0 == entry.model[0]:  # failures that there cannot be
        entry = dataclasses.replace(entry, labels=entry.labels[1:], residual=entry.residual[1:])
        x, shown = x[1:], shown[1:]
    axes.axhspan(-2, 2, color=PALE, alpha=0.35, linewidth=0)
    axes.axhline(0, color=INK, linewidth=0.4)
    axes.plot(x[shown], entry.residual[shown], "o", color=COLOURS[0], markersize=3)
    for index in np.flatnonzero(~shown):
        axes.plot([], [], " ", label=f"{entry.labels[index]}: {entry.residual[index]:+.1f}")
    if not shown.all():
        axes.legend(loc="best", handlelength=0)
    axes.set_ylabel("residual (SE)")
    axes.set_ylim(-max(3.0, 1.1 * np.abs(entry.residual).max()), max(3.0, 1.1 * np.abs(entry.residual).max()))
    unit = entry.labels[-1].split(" ")[-1]
    labels = {"waveform": "time (ms)", "histogram": f"amplitude ({unit})", "statistics": "statistic"}
    axes.set_xlabel(labels[entry.kind])
    if entry.kind == "statistics":
        axes.set_xticks(range(len(entry.labels)), [label.replace("_", " ") for label in entry.labels])


def plot_descent(record: FitRecord, path: str | Path | None = None) -> Figure:
    """The loss above its smallest value, and every parameter relative to its estimate, after each step."""
    with style():
        figure = Figure(figsize=(150 * MILLIMETRE, 70 * MILLIMETRE), layout="constrained")
        left, right = figure.subplots(1, 2)
        left.semilogy(
            np.maximum(record.losses - record.losses.min(), 1e-4), color=COLOURS[0], marker="o", markersize=3
        )
        left.set_ylabel("loss above its least")
        for index, name in enumerate(record.names):
            size = record.trace[:, index] / record.estimate[index]
            right.plot(size, color=COLOURS[index % len(COLOURS)], label=name)
        right.set_ylabel("value / estimate")
        right.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        for axes in (left, right):
            axes.set_xlabel("step")
    if path is not None:
        save(figure, path)
    return figure


def plot_profiles(record: FitRecord, path: str | Path | None = None) -> Figure:
    """Profile likelihoods: twice the rise of the loss against each parameter, with the interval's level."""
    names = list(record.profiles)
    columns = min(3, max(1, len(names)))
    rows = max(1, -(-len(names) // columns))
    with style():
        size = (60 * MILLIMETRE * columns, 50 * MILLIMETRE * rows)
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes in grid.flat[len(names) :]:
            axes.set_visible(False)
        for axes, name in zip(grid.flat, names, strict=False):
            _profile(axes, record, name)
        if names:
            grid[0, 0].legend(loc="upper center")
    if path is not None:
        save(figure, path)
    return figure


def _profile(axes: Axes, record: FitRecord, name: str) -> None:
    """One profile in the stated unit, the parabola of the Fisher information, and the level of the interval."""
    index, curve = record.names.index(name), record.profiles[name]

    def stated(values: np.ndarray) -> np.ndarray:
        return np.array([record.stated(index, float(value)) for value in values], float)

    level = float(stats.chi2.isf(1.0 - record.level, 1))
    sd, best = float(record.relative_sd[index]), record[name]
    between = np.linspace(curve.values[0], curve.values[-1], 100)
    away = np.log(between / best) if record.bounds[index, 0] > 0 else between - best
    axes.plot(stated(between), (away / sd) ** 2, color=PALE, label="Fisher information")
    axes.plot(stated(curve.values), curve.rise, color=COLOURS[0], marker="o", markersize=3, label="profile")
    axes.axhline(level, color=INK, linewidth=0.5, linestyle=":")
    ends = np.array([end for end in (curve.low, curve.high) if np.isfinite(end)])
    axes.vlines(
        stated(ends), 0.0, level, color=COLOURS[1], linewidth=0.9, label=f"{100 * record.level:g} % interval"
    )
    unit = f" ({record.units[index]})" if record.units[index] else ""
    axes.set_title(f"{name}{unit}", loc="left", color=INK)
    axes.set_ylabel("2 x rise of the loss")
    axes.set_ylim(0.0, max(1.1 * float(curve.rise.max()), 1.2 * level))


def plot_pairs(record: FitRecord, path: str | Path | None = None) -> Figure:
    """Pairs of parameters relative to their estimates: ellipses of one and two SD, and the bootstrap if any."""
    cloud = record.bootstrap / record.estimate if record.bootstrap.size else np.zeros((0, len(record.names)))
    return _grid(record, cloud, "grey: bootstrap\n" if record.bootstrap.size else "", path)


def plot_posterior(record: FitRecord, path: str | Path | None = None) -> Figure:
    """Draws from the posterior in the same way; the ellipses are those of the Fisher information."""
    assert record.posterior is not None
    cloud = record.posterior.draws.reshape(-1, len(record.names)) / record.estimate
    return _grid(record, cloud, "grey: posterior\n", path)


def _grid(record: FitRecord, cloud: np.ndarray, drawn: str, path: str | Path | None) -> Figure:
    """Every pair of parameters, and each alone on the diagonal, with a cloud of values over estimates [n, p]."""
    count = len(record.names)
    with style():
        side = max(80.0, 32.0 * count) * MILLIMETRE
        figure = Figure(figsize=(side, side), layout="constrained")
        grid = figure.subplots(count, count, squeeze=False)
        for row in range(count):
            for column in range(count):
                axes = grid[row, column]
                if column > row:
                    axes.set_visible(False)
                    continue
                if column == row:
                    _one(axes, record, row, cloud)
                else:
                    _pair(axes, record, column, row, cloud)
                    _ticks(axes.yaxis, record, row)
                _ticks(axes.xaxis, record, column)
                _names(axes, record, column, row)
        words = f"values relative to the estimates\nellipses: 1 and 2 SD\n{drawn}"
        figure.text(0.99, 0.99, words, ha="right", va="top", color=INK)
    if path is not None:
        save(figure, path)
    return figure


def _sd(record: FitRecord, index: int) -> float:
    """As it is drawn: a parameter of which nothing is known would leave no room for the others."""
    return min(float(record.relative_sd[index]), 1.0)


def _span(record: FitRecord, index: int, cloud: np.ndarray) -> tuple[float, float]:
    """What an axis shows: three and a half SD, and nearly all of the cloud."""
    sd = _sd(record, index)
    ends = np.array([1 - 3.5 * sd, 1 + 3.5 * sd])
    if cloud.size:
        low, high = np.quantile(cloud[:, index], [0.002, 0.998])
        ends = np.array([min(ends[0], low), max(ends[1], high)])
    return float(ends[0]), float(ends[1])


def _ticks(axis: Axis, record: FitRecord, index: int) -> None:
    """Two SD on both sides of the estimate."""
    sd = _sd(record, index)
    places = [1 - 2 * sd, 1 + 2 * sd]
    digits = max(2, -int(np.floor(np.log10(max(2 * sd / 3, 1e-9)))))
    axis.set_ticks(places, [f"{place:.{digits}f}" for place in places])


def _names(axes: Axes, record: FitRecord, column: int, row: int) -> None:
    """Names at the lower and the left edge only."""
    if row < len(record.names) - 1:
        axes.set_xticklabels([])
    else:
        axes.set_xlabel(record.names[column].replace(".", ".\n"))
    if column == row:
        axes.set_yticks([])
    elif column:
        axes.set_yticklabels([])
    if column == 0 and row:
        axes.set_ylabel(record.names[row].replace(".", ".\n"))


def _one(axes: Axes, record: FitRecord, index: int, cloud: np.ndarray) -> None:
    sd = _sd(record, index)
    x = np.linspace(*_span(record, index, cloud), 120)
    axes.plot(x, np.exp(-0.5 * ((x - 1) / sd) ** 2), color=COLOURS[0])
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(bottom=0)
    if cloud.size:
        counts, edges = np.histogram(
            cloud[:, index], bins=12 if len(cloud) < 400 else 24, range=(x[0], x[-1])
        )
        axes.bar(0.5 * (edges[1:] + edges[:-1]), counts / counts.max(), np.diff(edges), color=PALE, zorder=0)


def _pair(axes: Axes, record: FitRecord, column: int, row: int, cloud: np.ndarray) -> None:
    sd = np.array([_sd(record, column), _sd(record, row)])
    correlation = float(record.correlation[column, row])
    covariance = np.array([[1.0, correlation], [correlation, 1.0]]) * np.outer(sd, sd)
    sizes, vectors = np.linalg.eigh(covariance)
    angle = float(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])))
    long, short = 2.0 * np.sqrt(max(sizes[1], 0.0)), 2.0 * np.sqrt(max(sizes[0], 0.0))
    for deviations in (1.0, 2.0):
        axes.add_patch(
            Ellipse(
                (1.0, 1.0), deviations * long, deviations * short, angle=angle, fill=False, color=COLOURS[0]
            )
        )
    axes.plot(cloud[:, column], cloud[:, row], ".", color=PALE, markersize=2, zorder=0)
    axes.set_xlim(*_span(record, column, cloud))
    axes.set_ylim(*_span(record, row, cloud))
