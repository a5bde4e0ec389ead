"""Pairs of fitted parameters: ellipses of the Fisher information over draws."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from nmjmc.data.fits import FitRecord
from nmjmc.viz.style import COLOURS, INK, MILLIMETRE, PALE, Picture, save, style


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
        figure = Picture(figsize=(side, side), layout="constrained")
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


def _logarithmic(record: FitRecord, index: int) -> bool:
    return bool(record.bounds[index, 0] > 0)


def _place(record: FitRecord, index: int, deviations: Any) -> Any:
    """Values over the estimate so many SD away from it; of a parameter fitted by its logarithm they are positive."""
    away = np.asarray(deviations) * _sd(record, index)
    return np.exp(away) if _logarithmic(record, index) else 1.0 + away / abs(record.estimate[index])


def _span(record: FitRecord, index: int, cloud: np.ndarray) -> tuple[float, float]:
    """What an axis shows: three and a half SD, and nearly all of the cloud."""
    ends = _place(record, index, [-3.5, 3.5])
    if cloud.size:
        low, high = np.quantile(cloud[:, index], [0.002, 0.998])
        ends = np.array([min(ends[0], low), max(ends[1], high)])
    return float(ends[0]), float(ends[1])


def _ticks(axis: Axis, record: FitRecord, index: int) -> None:
    """Two SD on both sides of the estimate."""
    places = _place(record, index, [-2.0, 2.0])
    digits = max(2, -int(np.floor(np.log10(max(float(np.abs(places - 1.0).min()) / 3, 1e-9)))))
    axis.set_ticks(list(places), [f"{place:.{digits}f}" for place in places])
    axis.set_minor_locator(NullLocator())


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
    """The normal curve of the estimate, and the cloud as bars."""
    low, high = _span(record, index, cloud)
    if _logarithmic(record, index):
        axes.set_xscale("log")
    between = np.geomspace if _logarithmic(record, index) else np.linspace
    deviations = np.linspace(-3.5, 3.5, 120)
    axes.plot(_place(record, index, deviations), np.exp(-0.5 * deviations**2), color=COLOURS[0])
    axes.set_xlim(low, high)
    axes.set_ylim(bottom=0)
    if cloud.size:
        edges = between(low, high, 13 if len(cloud) < 400 else 25)
        counts, _ = np.histogram(cloud[:, index], edges)
        axes.bar(edges[:-1], counts / counts.max(), np.diff(edges), align="edge", color=PALE, zorder=0)


def _pair(axes: Axes, record: FitRecord, column: int, row: int, cloud: np.ndarray) -> None:
    """Ellipses of one and two SD, and the cloud."""
    correlation, turn = float(record.correlation[column, row]), np.linspace(0.0, 2.0 * np.pi, 181)
    along = correlation * np.cos(turn) + np.sqrt(max(1.0 - correlation**2, 0.0)) * np.sin(turn)
    for deviations in (1.0, 2.0):
        x = _place(record, column, deviations * np.cos(turn))
        axes.plot(x, _place(record, row, deviations * along), color=COLOURS[0])
    axes.plot(cloud[:, column], cloud[:, row], ".", color=PALE, markersize=2, zorder=0)
    if _logarithmic(record, column):
        axes.set_xscale("log")
    if _logarithmic(record, row):
        axes.set_yscale("log")
    axes.set_xlim(*_span(record, column, cloud))
    axes.set_ylim(*_span(record, row, cloud))
