"""Which figure shows a result: what `nmjmc.plot(x)` and `x.plot()` draw."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from nmjmc.data.examination import Examination
from nmjmc.data.fits import FitRecord
from nmjmc.data.result import Result
from nmjmc.data.sweep_table import Table
from nmjmc.errors import ValidationError


def plot(thing: object, path: str | Path | None = None) -> Figure:
    """Draw a result: of a simulation, a bedside test, a fit or a quantal analysis.

    Args:
        thing: What `nmjmc.simulate`, a bedside test, `nmjmc.fit` or `nmjmc.quantal` gave.
        path: Where to write the figure, if anywhere; the suffix decides the format.

    Returns:
        The matplotlib figure.

    Raises:
        ValidationError: If it is no result.
    """
    # each figure is imported when it is drawn: most need much that the others do not
    if isinstance(thing, Result):
        from nmjmc.viz import mepc

        return mepc.plot_mepc(thing, path)
    if isinstance(thing, Examination):
        from nmjmc.viz import bedside

        return bedside.plot_examination(thing, path)
    if isinstance(thing, FitRecord):
        from nmjmc.viz import fit

        return fit.plot_data(thing, path)
    from nmjmc.data.quantal import QuantalReport

    if isinstance(thing, QuantalReport):
        from nmjmc.viz import quantal

        return quantal.plot_quantal(thing, path)
    from nmjmc.viz import sweep

    table = getattr(thing, "table", thing)  # of a sweep, which stands on a floor above
    if isinstance(table, Table):
        return sweep.plot_sweep(table, sweep.view_of(table, ("amplitude", "decay_time")), path)
    raise ValidationError("plot", repr(thing)[:60], "a result of simulate, sweep, fit or a bedside test")


def figures(record: FitRecord, folder: str | Path) -> None:
    """Write every figure of a fit into a folder.

    Args:
        record: The fit.
        folder: It is there.
    """
    from nmjmc.viz import fit

    place = Path(folder)
    fit.plot_data(record, place / "data.png")
    fit.plot_descent(record, place / "descent.png")
    if len(record.names) > 1:
        fit.plot_pairs(record, place / "pairs.png")
    if record.posterior is not None:
        fit.plot_posterior(record, place / "posterior.png")
    if record.profiles:
        fit.plot_profiles(record, place / "profiles.png")
