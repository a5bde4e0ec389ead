"""The figure of the fibre: spike, currents of long endplates, window current, recovery, train, myotonia."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.common import canvas
from experiments.fibre.drives import FULL, HALF, STEP, steady
from nmjmc.junction.muscle import Muscle
from nmjmc.junction.response import Response
from nmjmc.viz.style import COLOURS, style


def draw(
    found: Response, at: dict, free: np.ndarray, trains: Response, others: Mapping[str, Muscle]
) -> Figure:
    """Six panels."""
    with style():
        figure = canvas(180, 110)
        axes = figure.subplots(2, 3).ravel()
        _spike(axes[0], found, at)
        _long(axes[1], found, at)
        _window(axes[2], others)
        axes[3].plot(np.arange(free.size) / 10, free, color=COLOURS[0])
        axes[3].set(
            xlabel="time after release (ms)", ylabel="endplate (mV)", title="freed after 100 ms at -55 mV"
        )
        _train(axes[4], trains)
        _myotonia(axes[5], trains)
    return figure


def _spike(axes: Axes, found: Response, at: dict) -> None:
    row = at["default", FULL, 1.0]
    places = {"endplate": "endplate", "distant": "1.6 mm away", "tubule": "its tubules"}
    for colour, (name, words) in zip(COLOURS, places.items(), strict=False):
        trace = np.asarray(getattr(found.course, name))[row, 0]
        axes.plot(np.arange(trace.size) * 2 * STEP, trace, color=colour, label=words)
    axes.set(xlabel="time (ms)", ylabel="potential (mV)", xlim=(0, 8), title="a normal current, 2 uS")
    axes.legend()


def _long(axes: Axes, found: Response, at: dict) -> None:
    for colour, (peak, longer) in zip(COLOURS, ((HALF, 3.84), (HALF, 8.68), (FULL, 8.68)), strict=False):
        trace = np.asarray(found.course.distant)[at["default", peak, longer], 0]
        axes.plot(
            np.arange(trace.size) * 2 * STEP, trace, color=colour, label=f"{peak:g} uS, {longer:g} times"
        )
    axes.set(
        xlabel="time (ms)",
        ylabel="1.6 mm away (mV)",
        xlim=(0, 20),
        ylim=(-90, 130),
        title="long endplate currents",
    )
    axes.legend()


def _window(axes: Axes, others: Mapping[str, Muscle]) -> None:
    potential = np.arange(-90.0, -29.0)
    for colour, (name, muscle) in zip(COLOURS, others.items(), strict=False):
        axes.plot(potential, steady(muscle, potential)[1], color=colour, label=name)
    axes.axhline(0.0, color="0.6", linewidth=0.5)
    axes.set(
        xlabel="potential (mV)",
        ylabel="current (uA/cm$^2$)",
        ylim=(-220, 150),
        title="steady, slow gates at rest",
    )
    axes.legend(loc="lower right")


def _train(axes: Axes, trains: Response) -> None:
    count = trains.spikes.shape[1] - 5
    for colour, name, words in ((COLOURS[1], "distant", "surface"), (COLOURS[2], "tubule", "tubules")):
        peak = np.asarray(getattr(trains.course, name))[0, :count].max(axis=1)
        axes.plot(np.arange(1, count + 1), peak, color=colour, label=words)
    axes.set(
        xlabel="stimulus at 100 Hz",
        ylabel="peak of the spike (mV)",
        ylim=(0, None),
        title="a second at 100 Hz",
    )
    axes.legend()


def _myotonia(axes: Axes, trains: Response) -> None:
    """The last three stimuli and what follows them."""
    for colour, row, words in ((COLOURS[0], 0, "all"), (COLOURS[1], 1, "half"), (COLOURS[3], 2, "a fifth")):
        traces = np.asarray(trains.course.distant)[row, -8:]
        sample = 10.0 / (traces.shape[1] - 1)
        time = (np.arange(8)[:, None] * 10.0 + np.arange(traces.shape[1]) * sample - 20.0).ravel()
        axes.plot(time, traces.ravel(), color=colour, label=words, linewidth=0.8)
    axes.set(
        xlabel="after the last stimulus (ms)", ylabel="1.6 mm away (mV)", title="chloride: all, half, a fifth"
    )
    axes.legend()
