"""Figures of a fit: data against model with residuals, the descent, profiles, and pairs of parameters."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from nmjmc.data.fits import DataFit, FitRecord
from nmjmc.viz.pairs import plot_pairs as plot_pairs
from nmjmc.viz.pairs import plot_posterior as plot_posterior
from nmjmc.viz.style import COLOURS, INK, MILLIMETRE, PALE, Picture, save, style


def plot_data(record: FitRecord, path: str | Path | None = None) -> Figure:
    """Each data set beside its model, and below it the residuals in standard errors.

    Args:
        record: The fit.
        path: Where to write the figure, if anywhere.
    """
    count = len(record.datasets)
    with style():
        figure = Picture(
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
    factor, unit = _unit(entry.data[np.isfinite(entry.position)], "nA")
    arrays = {name: factor * getattr(entry, name) for name in ("data", "error", "model", "mean", "curve")}
    entry = dataclasses.replace(entry, **arrays)
    shown = np.isfinite(entry.position)
    x = entry.position[shown]
    span = np.zeros(0, bool)
    if entry.time.size:
        # where the response begins (or is half up), and the level that was taken for zero
        axes.axvline(0.0, color=PALE, linewidth=0.6, linestyle=":", label="time 0 and baseline")
        axes.axhline(0.0, color=PALE, linewidth=0.6, linestyle=":")
        span = (entry.time > x[0] - 0.2 * np.ptp(x)) & (entry.time < x[-1] + 0.2 * np.ptp(x))
        axes.plot(entry.time[span], entry.mean[span], color=PALE, linewidth=2.5, label="mean event")
    error = entry.error[shown]
    axes.errorbar(x, entry.data[shown], error, fmt="o", color=INK, markersize=3, label="data, in bins")
    line = "x-"
    if entry.curve.size:
        axes.plot(entry.time[span], entry.curve[span], color=COLOURS[1], linewidth=1.0)
        line = "x"
    axes.plot(x, entry.model[shown], line, color=COLOURS[1], markersize=4, label="model")
    axes.set_ylabel(f"current ({unit})")


def _unit(values: np.ndarray, unit: str) -> tuple[float, str]:
    """Currents that stay below half a nA are shown in pA: the factor and the unit."""
    small = unit == "nA" and values.size and np.abs(values).max() < 0.5
    return (1e3, "pA") if small else (1.0, unit)


def _histogram(axes: Axes, entry: DataFit) -> None:
    """Bars, and the failures at zero where there were any."""
    x = entry.position * _unit(entry.position, entry.labels[-1].split(" ")[-1])[0]
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
    unit = entry.labels[-1].split(" ")[-1]
    if entry.kind == "histogram":
        factor, unit = _unit(entry.position, unit)
        x = factor * x
    axes.axhspan(-2, 2, color=PALE, alpha=0.35, linewidth=0)
    axes.axhline(0, color=INK, linewidth=0.4)
    axes.plot(x[shown], entry.residual[shown], "o", color=COLOURS[0], markersize=3)
    for index in np.flatnonzero(~shown):
        axes.plot([], [], " ", label=f"{entry.labels[index]}: {entry.residual[index]:+.1f}")
    if not shown.all():
        axes.legend(loc="best", handlelength=0)
    axes.set_ylabel("residual (SE)")
    axes.set_ylim(-max(3.0, 1.1 * np.abs(entry.residual).max()), max(3.0, 1.1 * np.abs(entry.residual).max()))
    labels = {"waveform": "time (ms)", "histogram": f"amplitude ({unit})", "statistics": "statistic"}
    axes.set_xlabel(labels[entry.kind])
    if entry.kind == "statistics":
        axes.set_xticks(range(len(entry.labels)), [label.replace("_", " ") for label in entry.labels])


def plot_descent(record: FitRecord, path: str | Path | None = None) -> Figure:
    """The loss above its smallest value, and every parameter relative to its estimate, after each step."""
    with style():
        figure = Picture(figsize=(150 * MILLIMETRE, 70 * MILLIMETRE), layout="constrained")
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
        figure = Picture(figsize=size, layout="constrained")
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
