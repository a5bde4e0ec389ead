"""Which figure shows a result: what `nmjmc.plot(x)` and `x.plot()` draw."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from nmjmc.data.examination import Examination
from nmjmc.data.fits import FitRecord
from nmjmc.data.result import Result
from nmjmc.errors import ValidationError
from nmjmc.viz.bedside import plot_examination
from nmjmc.viz.fit import plot_data
from nmjmc.viz.mepc import plot_mepc

_FIGURES = {Result: plot_mepc, Examination: plot_examination, FitRecord: plot_data}


def plot(thing: object, path: str | Path | None = None) -> Figure:
    """Draw a result: currents and occupancies of a simulation, the figure of a bedside test, a fit beside its data.

    Args:
        thing: What `nmjmc.simulate`, a bedside test or `nmjmc.fit` gave.
        path: Where to write the figure, if anywhere; the suffix decides the format.

    Returns:
        The matplotlib figure.

    Raises:
        ValidationError: If it is no result.
    """
    for kind, draw in _FIGURES.items():
        if isinstance(thing, kind):
            return draw(thing, path)
    raise ValidationError("plot", repr(thing)[:60], "a result of simulate, fit or a bedside test")
