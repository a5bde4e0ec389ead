"""Sweeps in a picture: lines with error bands, dose-response curves, and maps of two parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from nmjmc.data.features import UNITS
from nmjmc.data.sweep_table import Parameter, Table
from nmjmc.errors import ValidationError, nearest
from nmjmc.viz import hill
from nmjmc.viz.style import COLOURS, INK, MILLIMETRE, Picture, save, style

KINDS = ("line", "dose", "map")
_BAND = 1.96  # standard errors: 95 % of a normal mean lie within
_MOST_LINES = len(COLOURS)


@dataclass(frozen=True)
class View:
    """What is drawn of a table.

    Attributes:
        kind: `line`, `dose` (a Hill curve through the points) or `map`.
        features: Names of the features, one panel each.
        x: The parameter along the abscissa.
        y: The one up the ordinate of a map, or the one that lines differ in; None if there is no second.
        log: Whether the abscissa is logarithmic.
    """

    kind: str
    features: tuple[str, ...]
    x: str
    y: str | None = None
    log: bool = False


def view_of(
    table: Table,
    features: Sequence[str],
    kind: str = "",
    x: str | None = None,
    y: str | None = None,
    log: bool | None = None,
) -> View:
    """What to draw of a table: what was asked for, else what suits the parameters.

    Args:
        table: Of the sweep.
        features: One panel each.
        kind: One of `KINDS`; "" for the one that suits.
        x: A parameter.
        y: A second one.
        log: Whether the abscissa is logarithmic; None for doses over more than a decade alone.

    Raises:
        ValidationError: For a parameter, a feature or a kind that there is not, and for what cannot be drawn so.
    """
    if not table.where("done"):
        raise ValidationError(
            "the sweep", f"{table.name}, of which no point is done", "one with a finished point"
        )
    names = {parameter.name: parameter for parameter in table.parameters}
    if kind and kind not in KINDS:
        raise ValidationError("kind", repr(kind), f"one of {', '.join(KINDS)}", nearest(kind, KINDS))
    for name in features:
        if name not in UNITS:
            raise ValidationError("feature", repr(name), "a feature", nearest(name, UNITS))
    for key, wanted in (("x", x), ("y", y)):
        if wanted is not None and wanted not in names:
            raise ValidationError(key, repr(wanted), "a parameter of the sweep", nearest(wanted, names))
    free = [name for name in names if name not in (x, y, "seed")]
    free.sort(key=lambda name: names[name].unit is None)  # numbers first
    x = x or (free.pop(0) if free else next(iter(names)))
    y = y or (free[0] if free else None)
    kind = kind or _kind(names, y)
    if kind == "map" and y is None:
        raise ValidationError("kind", "map", "line or dose where one parameter is swept")
    if kind == "dose" and names[x].unit is None:
        raise ValidationError("x", x, "a parameter with numbers for kind=dose")
    return View(kind, tuple(features), x, y, _is_log(names[x], log, kind))


def _kind(names: Mapping[str, Parameter], y: str | None) -> str:
    """A map for two parameters with many numbers each, else lines."""
    if y is None or any(parameter.unit is None for parameter in names.values()):
        return "line"
    return "map" if all(np.unique(p.values).size > 3 for p in names.values() if p.name != "seed") else "line"


def _is_log(x: Parameter, wanted: bool | None, kind: str) -> bool:
    """Logarithmic where it is wanted, and for doses that span more than a decade."""
    if x.unit is None:
        return False
    low, high = float(np.nanmin(x.values)), float(np.nanmax(x.values))
    if wanted and low <= 0:
        raise ValidationError("log", "true", f"false, because {x.name} is not positive everywhere")
    return wanted is True or (wanted is None and kind == "dose" and high > 10 * low > 0)


def plot_sweep(table: Table, view: View, path: str | Path | None = None) -> Figure:
    """Draw the finished points of a sweep.

    Args:
        table: The sweep; points that are missing or failed are left out, and the title says how many.
        view: What is drawn.
        path: Where to write the figure, if anywhere.

    Returns:
        The figure, not tied to any window.
    """
    with style():
        count = len(view.features)
        size = (120 * MILLIMETRE, (62 * count + 8) * MILLIMETRE)
        figure = Picture(figsize=size, layout="constrained")
        panels = np.atleast_1d(figure.subplots(count, 1, sharex=True))
        draw = _map if view.kind == "map" else _lines
        for axes, feature in zip(panels, view.features, strict=True):
            draw(axes, table, view, feature)
        bands = "" if view.kind == "map" else "; 95 % bands"
        panels[0].set_title(_title(table) + bands, loc="left", color=INK)
        panels[-1].set_xlabel(_label(view.x, _parameter(table, view.x).unit))
        figure.align_ylabels(list(panels))
    if path is not None:
        save(figure, path)
    return figure


def _title(table: Table) -> str:
    done = len(table.where("done"))
    left = [f"{len(table.where(status))} {status}" for status in ("failed", "missing") if table.where(status)]
    return f"{table.name}: {done} of {table.size} points" + (f" ({', '.join(left)})" if left else "")


def _label(name: str, unit: str | None) -> str:
    words = name.replace("_", " ").replace(".", ", ")
    return f"{words} ({_written(unit)})" if unit else words


def _written(unit: str) -> str:
    return unit.replace("um", "µm").replace("degC", "°C").replace("^2", "²").replace("^3", "³")


def _parameter(table: Table, name: str) -> Parameter:
    return next(parameter for parameter in table.parameters if parameter.name == name)


def _lines(axes: Axes, table: Table, view: View, feature: str) -> None:
    """One line for each value of the second parameter, with a band of 95 %."""
    x = _parameter(table, view.x)
    groups = _groups(table, view.y)
    for (label, rows), colour in zip(groups[:_MOST_LINES], COLOURS, strict=False):
        where, mean, error = _averaged(x.values[rows], table.features[feature][:, rows])
        if not where.size:
            continue
        if view.kind == "dose" and x.unit is not None:
            _dose(axes, where, mean, error, colour, label, x.unit)
        else:
            axes.plot(where, mean, marker="o", markersize=3, color=colour, label=label)
            axes.fill_between(
                where, mean - _BAND * error, mean + _BAND * error, color=colour, alpha=0.2, lw=0
            )
    axes.set_ylabel(_label(feature, UNITS[feature]))
    if not axes.lines:
        axes.text(0.5, 0.5, "measured at no point", transform=axes.transAxes, ha="center", color=INK)
        return
    if view.log:
        _logarithmic(axes)
    title = None if view.y is None else _label(view.y, _parameter(table, view.y).unit)
    if len(groups) > _MOST_LINES:
        title = f"{title}\n({_MOST_LINES} of {len(groups)} values)"
    if view.y is not None or view.kind == "dose":
        axes.legend(title=title, alignment="left", loc="center left", bbox_to_anchor=(1.01, 0.5))


def _logarithmic(axes: Axes) -> None:
    """A logarithmic abscissa with its numbers written out."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())


def _dose(
    axes: Axes, x: np.ndarray, y: np.ndarray, error: np.ndarray, colour: str, label: str | None, unit: str
) -> None:
    """Points with bars of 95 %, and Hill's curve with its band where one can be fitted."""
    axes.errorbar(x, y, _BAND * error, fmt="o", markersize=3, color=colour, elinewidth=0.8)
    curve = hill.fit(x, y, error)
    if curve is None:
        axes.plot(x, y, color=colour, label=f"{label or ''} (no curve fits)".strip())
        return
    fine = np.geomspace(x.min(), x.max(), 200)
    band = _BAND * curve.error(fine)
    words = f"half at {curve.half:.4g} {_written(unit)}, slope {curve.slope:.2g}"
    axes.plot(fine, curve(fine), color=colour, label=f"{label}: {words}" if label else words)
    axes.fill_between(fine, curve(fine) - band, curve(fine) + band, color=colour, alpha=0.2, lw=0)


def _groups(table: Table, name: str | None) -> list[tuple[str | None, np.ndarray]]:
    """Rows of finished points, by the value of a parameter; all in one group if there is none."""
    done = np.asarray(table.where("done"), np.int64)
    if name is None:
        return [(None, done)]
    values = _parameter(table, name).values[done]
    numbers = np.unique(values)
    return [(v if isinstance(v, str) else f"{float(v):.4g}", done[values == v]) for v in numbers]


def _averaged(x: np.ndarray, feature: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points with the same x taken together, as where a seed is swept: their mean, and its standard error.

    SE of the mean of k points = sqrt(sum of SE^2) / k.
    """
    known = np.isfinite(feature[0])
    x, mean, error = x[known], feature[0][known], feature[1][known]
    places = np.unique(x)
    means = [mean[x == place].mean() for place in places]
    errors = [np.sqrt(np.sum(np.square(error[x == p]))) / np.sum(x == p) for p in places]
    return places, np.asarray(means), np.asarray(errors)


def _map(axes: Axes, table: Table, view: View, feature: str) -> None:
    """A grid as coloured cells, scattered points as coloured dots."""
    x, y = _parameter(table, view.x), _parameter(table, view.y or view.x)
    rows = np.asarray(table.where("done"), np.int64)
    values = table.features[feature][0][rows]
    columns, lines = np.unique(x.values), np.unique(y.values)
    is_grid = columns.size * lines.size <= table.size
    if is_grid:
        drawn: Any = _cells(axes, view, x.values[rows], y.values[rows], values, columns, lines)
    else:
        drawn = axes.scatter(x.values[rows], y.values[rows], c=values, s=14, cmap="viridis")
    if view.log and not is_grid:
        _logarithmic(axes)
    axes.set_ylabel(_label(y.name, y.unit))
    axes.figure.colorbar(drawn, ax=axes, label=_label(feature, UNITS[feature]))


def _cells(
    axes: Axes,
    view: View,
    x: np.ndarray,
    y: np.ndarray,
    values: np.ndarray,
    columns: np.ndarray,
    lines: np.ndarray,
) -> Any:
    """Cells of one size, labelled by their values; a cell without a finished point stays empty."""
    cells = np.full((lines.size, columns.size), np.nan)
    for row, line in enumerate(lines):
        for column, place in enumerate(columns):
            here = values[(x == place) & (y == line)]
            here = here[np.isfinite(here)]
            if here.size:
                cells[row, column] = here.mean()
    drawn = axes.imshow(cells, origin="lower", aspect="auto", cmap="viridis", interpolation="nearest")
    for set_ticks, found in ((axes.set_xticks, columns), (axes.set_yticks, lines)):
        shown = _few(found.size)
        set_ticks(shown, [v if isinstance(v, str) else f"{float(v):.4g}" for v in found[shown]])
    return drawn


def _few(count: int, most: int = 8) -> Sequence[int]:
    """At most eight places, evenly."""
    step = max(int(np.ceil(count / most)), 1)
    return list(range(0, count, step))
