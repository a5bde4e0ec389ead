"""The figure of currents under voltage clamp: single and mean ones, and the mean split by ion."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from nmjmc.data.examination import Examination
from nmjmc.viz.style import COLOURS, INK, PALE

_IONS = (("current_na", "sodium"), ("current_k", "potassium"), ("current_ca", "calcium"))
MOST = 30
"""Single traces that are drawn."""


def plot_clamped(figure: Figure, examination: Examination) -> None:
    """Currents of single fibres or quanta with their mean, and beside it the mean by ion."""
    left, right = figure.subplots(1, 2, sharex=True)
    finding = examination.finding
    time, current = finding["time"], finding["current"]
    evoked = current.ndim == 3
    first = current[:, 0] if evoked else current
    words = f"single {'fibres' if evoked else 'quanta'}"
    for index, trace in enumerate(first[:MOST]):
        left.plot(time, trace, color=PALE, linewidth=0.5, label=None if index else words)
    mean = first.mean(axis=0)
    left.plot(time, mean, color=COLOURS[1], linewidth=1.5, label="mean, first stimulus" if evoked else "mean")
    if evoked and current.shape[1] > 1:
        last = current[:, -1].mean(axis=0)
        left.plot(time, last, color=COLOURS[0], linewidth=1.0, label="mean, last")
    right.plot(time, mean, color=INK, linewidth=1.4, label="total")
    for (name, ion), colour in zip(_IONS, (COLOURS[1], COLOURS[0], COLOURS[2]), strict=True):
        values = finding[name][:, 0] if evoked else finding[name]
        right.plot(time, values.mean(axis=0), color=colour, linewidth=1.0, label=ion)
    late = np.flatnonzero(np.abs(mean) > 0.01 * np.abs(mean).max(initial=0.0))
    end = time[min(late[-1] + 1, time.size - 1)] if late.size else time[-1]
    for axes in (left, right):
        axes.axhline(0.0, color=INK, linewidth=0.5)
        axes.set(xlabel=f"time after the {'stimulus' if evoked else 'release'} (ms)", xlim=(0, end))
    left.set_ylabel(f"current at {finding.facts['holding_mV']:g} mV (nA)")
    right.set_ylabel("mean current by ion (nA)")
    left.legend(loc="best")
    right.legend(loc="best")
