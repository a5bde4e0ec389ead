"""The figure from nerve to force: a panel a stage on one axis of time, the disease beside health."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nmjmc.data.examination import Examination
from nmjmc.diagnostics.chain import HEALTHY
from nmjmc.diagnostics.finding import Finding
from nmjmc.viz.style import COLOURS, INK, PALE

EARLIEST = 0.7
"""Where a logarithmic axis of time begins [ms]: before the nerve's spike."""
_IONS = (
    ("current_na", "sodium", COLOURS[1]), ("current_k", "potassium", COLOURS[0]), ("current_ca", "calcium", COLOURS[2]),
)  # fmt: skip
_PLACES = (
    ("endplate_potential", "endplate", COLOURS[1], "-"), ("distant_potential", "1.6 mm away", COLOURS[0], "-"),
    ("tubular_potential", "tubules there", COLOURS[2], "--"),
)  # fmt: skip


class _Side:
    """One side of the figure: arrays of a finding, with or without disease."""

    def __init__(self, found: Finding, prefix: str) -> None:
        self.found, self.prefix = found, prefix
        self.stimuli = np.asarray(found["stimulus_time"])

    def __contains__(self, name: str) -> bool:
        return f"{self.prefix}{name}" in self.found.arrays

    def __getitem__(self, name: str) -> np.ndarray:
        return self.found[f"{self.prefix}{name}"]

    def curve(self, values: np.ndarray, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values after each stimulus [k t] as one curve over the train, with gaps between."""
        time = self.stimuli[:, None] + grid[None, :]
        gap = np.full((len(self.stimuli), 1), np.nan)
        return np.hstack([time, gap]).ravel(), np.hstack([values, gap]).ravel()


def plot_chain(figure: Figure, examination: Examination) -> None:
    """Every stage that was kept, one below the other, the disease to the right of health."""
    found = examination.finding
    sides = [_Side(found, HEALTHY)] if f"{HEALTHY}force_time" in found.arrays else []
    sides.append(_Side(found, ""))
    panels = _shown(found.arrays)
    axes = figure.subplots(len(panels), len(sides), squeeze=False, sharex=True, sharey="row")
    for column, side in enumerate(sides):
        for row, (draw, words) in enumerate(panels):
            draw(axes[row, column], side, column == len(sides) - 1)
            if column == 0:
                name, _, unit = words.partition(" | ")
                axes[row, 0].set_title(name, loc="left", fontsize=7, color=INK, pad=2)
                axes[row, 0].set_ylabel(unit)
        _time_axis(axes[-1, column], side)
        if len(sides) > 1:
            words = "in health" if side.prefix else examination.title.partition(", ")[2].replace(" uM", " µM")
            axes[0, column].set_title(words, loc="right", fontsize=8, color=INK, pad=2)
    figure.align_ylabels(axes[:, 0])
    if found.facts["fibres"] > 1:
        words = "strong: the first fibre, whose quanta are the small lines; pale: the others"
        figure.supxlabel(words, fontsize=6.5, color=INK, x=0.99, ha="right")


def _time_axis(axes: Axes, side: _Side) -> None:
    """Logarithmic after one stimulus, so that microseconds and a twitch are on one axis; linear in a train."""
    end = float(side["force_time"][-1])
    if len(side.stimuli) > 1:
        axes.set(xlabel="time from the first stimulus (ms)", xlim=(-0.02 * end, end))
        return
    axes.set_xscale("log")
    marks = [1, 2, 5, 10, 20, 50, 100, 200]
    axes.set_xticks(marks, [str(mark) for mark in marks])
    axes.minorticks_off()
    axes.set(xlabel="time after the stimulus (ms), logarithmic", xlim=(EARLIEST, end))


def _each(
    axes: Axes, side: _Side, name: str, grid: str, colour: str, words: str | None, line: str = "-"
) -> None:
    """One curve a fibre, the first strong and the others pale."""
    values = side[name]
    for fibre in range(len(values) - 1, -1, -1):
        curve = side.curve(values[fibre], side[grid]) if values.ndim == 3 else (side[grid], values[fibre])
        strong = fibre == 0
        axes.plot(
            *curve, line, color=colour, linewidth=1.2 if strong else 0.6, alpha=1.0 if strong else 0.35,
            label=words if strong else None,
        )  # fmt: skip


def _nerve(axes: Axes, side: _Side, told: bool) -> None:
    values = np.broadcast_to(side["nerve_potential"], (len(side.stimuli), side["nerve_time"].size))
    axes.plot(*side.curve(values, side["nerve_time"]), color=INK)


def _channels(axes: Axes, side: _Side, told: bool) -> None:
    _each(axes, side, "open_channels", "nerve_time", COLOURS[0], None)


def _sensor(axes: Axes, side: _Side, told: bool) -> None:
    """Calcium at the sensors; above it a line for every quantum of the first fibre, at its time, by zones."""
    if "sensor_calcium" in side:
        _each(axes, side, "sensor_calcium", "nerve_time", COLOURS[2], None)
        # room for the quanta
        axes.set_ylim(0, max(axes.get_ylim()[1], 1.9 * float(side["sensor_calcium"].max())))
    if "release_time" not in side:
        return
    time = side["release_time"][0]
    zone = np.broadcast_to(0.58 + 0.4 * np.arange(time.shape[1]) / time.shape[1], time.shape)
    moment, known = time + side.stimuli[:, None], np.isfinite(time)
    axes.plot(
        moment[known], zone[known], "|", color=INK, markersize=2.5, markeredgewidth=0.6,
        transform=axes.get_xaxis_transform(),
    )  # fmt: skip
    count = side["quantal_content"][0]
    words = f"{count[0]:.0f} quanta" if count.size == 1 else f"{count[0]:.0f} quanta, then {count[-1]:.0f}"
    axes.annotate(words, (0.98, 0.95), xycoords="axes fraction", ha="right", va="top", fontsize=7, color=INK)


def _endplate(axes: Axes, side: _Side, told: bool) -> None:
    axes.axhline(0.0, color=PALE, linewidth=0.5)
    for name, words, colour in _IONS:
        _each(axes, side, name, "time", colour, words)
    if told:
        axes.legend(loc="lower right", handlelength=1.2)


def _membrane(axes: Axes, side: _Side, told: bool) -> None:
    for name, words, colour, line in _PLACES:
        _each(axes, side, name, "time", colour, words, line)
    if told:
        axes.legend(loc="upper right", handlelength=1.6)


def _calcium(axes: Axes, side: _Side, told: bool) -> None:
    _each(axes, side, "fibre_calcium", "force_time", COLOURS[3], None)


def _force(axes: Axes, side: _Side, told: bool) -> None:
    values = 100 * side["force"]
    for fibre in range(len(values) - 1, -1, -1):
        strong = fibre == 0
        axes.plot(
            side["force_time"], values[fibre] - values[fibre, 0], color=COLOURS[1], linewidth=1.2 if strong else 0.6,
            alpha=1.0 if strong else 0.35,
        )  # fmt: skip
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))


_PANELS: tuple[tuple[tuple[str, ...], Callable[[Axes, _Side, bool], None], str], ...] = (
    (("nerve_potential",), _nerve, "nerve terminal | mV"),
    (("open_channels",), _channels, "open calcium channels | number"),
    (("sensor_calcium", "release_time"), _sensor, "calcium at the release sensor; quanta | µM"),
    (("current_na",), _endplate, "endplate current, inward negative | nA"),
    (("endplate_potential",), _membrane, "muscle fibre | mV"),
    (("fibre_calcium",), _calcium, "calcium in the fibre | µM"),
    (("force",), _force, "force above rest | % of greatest"),
)
"""What tells that a stage was kept, how it is drawn, and what it is called."""


def _shown(arrays: Mapping[str, object]) -> list[tuple[Callable[[Axes, _Side, bool], None], str]]:
    return [(draw, words) for names, draw, words in _PANELS if any(name in arrays for name in names)]


def size_of(examination: Examination) -> tuple[float, float]:
    """Width and height of the figure [mm]."""
    arrays = examination.finding.arrays
    return (180.0 if f"{HEALTHY}force_time" in arrays else 110.0), 24.0 * len(_shown(arrays)) + 18.0
