"""The picture of what was read: the sweeps over each other, the command below, and how good they are one by one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nmjmc.analysis.observations import EventTable
from nmjmc.analysis.recording import Recording
from nmjmc.data.reading import Reading
from nmjmc.data.readings import Readings
from nmjmc.viz.style import COLOURS, INK, MILLIMETRE, PALE, Picture, save, style

_MOST_SWEEPS = 20  # drawn, evenly chosen (a choice)
_MOST_POINTS = 4000  # of a sweep: more are drawn by their extremes (a choice)
_ARTEFACT = 1.0  # ms about a stimulus that may leave the picture (a choice)
_MOST_CELLS = 24  # panels of several cells (a choice)
_SHOWN = {"nA": (1e3, "current (pA)"), "mV": (1.0, "potential (mV)")}


def plot_reading(found: Reading, path: str | Path | None = None) -> Figure:
    """Draw what was read.

    Args:
        found: What `nmjmc.read` gave for a file.
        path: Where to write the figure, if anywhere.

    Returns:
        The figure, not tied to any window.
    """
    with style():
        if isinstance(found.data, Recording):
            figure = _of_recording(found)
        else:
            figure = Picture(figsize=(90 * MILLIMETRE, 60 * MILLIMETRE), layout="constrained")
            _histogram(figure.subplots(), found)
        figure.suptitle(found.name, fontsize=8, x=0.01, ha="left")
    if path is not None:
        save(figure, path)
    return figure


def plot_readings(found: Readings, path: str | Path | None = None) -> Figure:
    """Draw a panel a cell.

    Args:
        found: What `nmjmc.read` gave for several files.
        path: Where to write the figure, if anywhere.
    """
    shown = list(found.items())[:_MOST_CELLS]
    columns = min(3, max(1, len(shown)))
    rows = max(1, -(-len(shown) // columns))
    with style():
        figure = Picture(
            figsize=(65 * MILLIMETRE * columns, 45 * MILLIMETRE * rows + 6 * MILLIMETRE), layout="constrained"
        )
        more = f" ({len(found) - len(shown)} more are not drawn)" if len(found) > len(shown) else ""
        figure.suptitle(found.title + more, fontsize=8, x=0.01, ha="left")
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes in grid.flat[len(shown) :]:
            axes.set_visible(False)
        for axes, (name, cell) in zip(grid.flat, shown, strict=False):
            if isinstance(cell.data, Recording):
                _sweeps(axes, cell, cell.data)
            else:
                _histogram(axes, cell)
            axes.set_title(name, loc="left", color=INK)
    if path is not None:
        save(figure, path)
    return figure


def _of_recording(found: Reading) -> Figure:
    data = found.recording
    heights = [3.0, *([1.0] if data.command.size else []), *([1.4] if data.sweeps > 2 else [])]
    figure = Picture(figsize=(140 * MILLIMETRE, (24 * sum(heights) + 6) * MILLIMETRE), layout="constrained")
    axes = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0].tolist()
    _sweeps(axes[0], found, data)
    if data.command.size:
        axes[1].sharex(axes[0])
        for row in data.command[_some(data)]:
            axes[1].plot(data.time, row, color=INK, linewidth=0.6)
        axes[1].set_ylabel("command (mV)" if data.unit == "nA" else "command (nA)")
        axes[1].set_xlabel("time in the sweep (ms)")
    if data.sweeps > 2:
        _course(axes[-1], found, data)
    return figure


def _some(data: Recording) -> Sequence[int]:
    """The sweeps that are drawn."""
    if data.sweeps <= _MOST_SWEEPS:
        return range(data.sweeps)
    return np.unique(np.linspace(0, data.sweeps - 1, _MOST_SWEEPS).astype(int)).tolist()


def _sweeps(axes: Axes, found: Reading, data: Recording) -> None:
    scale, label = _SHOWN[data.unit]
    drawn = _some(data)
    for number in drawn:
        axes.plot(
            *_thinned(data.time[: data.length[number]], scale * data.sweep(number)), color=PALE, linewidth=0.4
        )
    if data.sweeps > 2 and data.even:
        axes.plot(
            *_thinned(data.time, scale * data.signal.mean(axis=0)),
            color=COLOURS[0],
            linewidth=0.8,
            label="mean",
        )
    for k, time in enumerate(found.stimuli.times[:50]):
        axes.axvline(time, color=COLOURS[1], linewidth=0.5, linestyle=":", label="" if k else "stimulus")
    if len(found.stimuli):
        axes.set_ylim(*_without_artefacts(found, data, scale))
    if axes.get_legend_handles_labels()[1]:
        axes.legend(loc="lower right")
    axes.set_xlabel("time in the sweep (ms)")
    axes.set_ylabel(label)
    several = f"{len(drawn)} of {data.sweeps} sweeps" if len(drawn) < data.sweeps else f"{data.sweeps} sweeps"
    axes.set_title(several, loc="left", color=INK)


def _without_artefacts(found: Reading, data: Recording, scale: float) -> tuple[float, float]:
    """Limits that hold all samples but those of a millisecond from each stimulus on."""
    away = np.ones(data.time.size, bool)
    for time in found.stimuli.times:
        away &= ~((data.time >= time - _ARTEFACT) & (data.time < time + _ARTEFACT))
    kept = data.signal[:, away]
    low, high = scale * float(np.nanmin(kept)), scale * float(np.nanmax(kept))
    room = 0.05 * (high - low) or 1.0
    return low - room, high + room


def _thinned(time: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A long trace by the smallest and the largest sample of each of many stretches, so that no peak is lost."""
    each = -(-time.size // (_MOST_POINTS // 2))
    if each <= 2:
        return time, values
    whole = time.size // each * each
    parts = values[:whole].reshape(-1, each)
    ends = np.stack([parts.min(axis=1), parts.max(axis=1)], axis=1).ravel()
    return np.repeat(time[:whole:each], 2), ends


def _course(axes: Axes, found: Reading, data: Recording) -> None:
    """Baseline from sweep to sweep, and the series resistance where test pulses tell it."""
    if found.quality is None:
        return
    scale, label = _SHOWN[data.unit]
    minutes = data.sweep_start / 6e4
    level, noise = scale * found.quality.baseline, scale * found.quality.noise_sd
    axes.errorbar(minutes, level, noise, fmt=".", color=COLOURS[0], markersize=3, linewidth=0.6)
    axes.set_xlabel("time in the experiment (min)")
    axes.set_ylabel(f"baseline ({label.split('(')[1]}")
    if np.isfinite(found.quality.typical_resistance):
        other = axes.twinx()
        other.plot(minutes, found.quality.series_resistance, "s", color=COLOURS[1], markersize=2.5)
        other.set_ylabel("series resistance (MOhm)", color=COLOURS[1])
        other.set_ylim(bottom=0)
        other.spines["right"].set_visible(True)


def _histogram(axes: Axes, found: Reading) -> None:
    """Amplitudes of events, or the last column of a table."""
    if isinstance(found.data, EventTable):
        scale, _ = _SHOWN[found.data.unit]
        values = scale * found.data["amplitude"]
        label = f"amplitude ({'pA' if found.data.unit == 'nA' else 'mV'})"
    else:
        assert not isinstance(found.data, Recording)
        values, label = found.data.values[:, -1], found.data.heading(len(found.data.names) - 1)
    values = values[np.isfinite(values)]
    if values.size:
        axes.hist(
            values,
            bins=min(40, max(5, round(np.sqrt(values.size)))),
            color=PALE,
            edgecolor="white",
            linewidth=0.4,
        )
    axes.set_xlabel(label)
    axes.set_ylabel("number")
