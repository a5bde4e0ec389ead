"""Which figure shows a result: what `nmjmc.plot(x)` and `x.plot()` draw."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from nmjmc.data.examination import Examination
from nmjmc.data.fits import FitRecord
from nmjmc.data.result import Result
from nmjmc.data.sweep_table import Table
from nmjmc.errors import ValidationError

if TYPE_CHECKING:
    from nmjmc.viz.molecules.page import Page


def plot(thing: object, path: str | Path | None = None) -> Figure:
    """Draw a result: of a simulation, a bedside test, a fit, a quantal analysis or what was read.

    Args:
        thing: What `nmjmc.simulate`, a bedside test, `nmjmc.fit`, `nmjmc.quantal` or `nmjmc.read` gave.
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
    from nmjmc.data.reading import Reading
    from nmjmc.data.readings import Readings

    if isinstance(thing, Reading | Readings):
        from nmjmc.viz import reading

        drawn = reading.plot_reading if isinstance(thing, Reading) else reading.plot_readings
        return drawn(thing, path)  # pyright: ignore[reportArgumentType]  (each has its own kind)
    if isinstance(thing, QuantalReport):
        from nmjmc.viz import quantal

        return quantal.plot_quantal(thing, path)
    from nmjmc.viz import sweep

    table = getattr(thing, "table", thing)  # of a sweep, which stands on a floor above
    if isinstance(table, Table):
        return sweep.plot_sweep(table, sweep.view_of(table, ("amplitude", "decay_time")), path)
    raise ValidationError("plot", repr(thing)[:60], "a result of simulate, sweep, fit or a bedside test")


def view(thing: object) -> Page:
    """The molecules of a result as a page to turn and play, which opens offline and shows itself in a notebook.

    Args:
        thing: What `nmjmc.simulate` gave with `numerics={"view_interval": "10 us"}`.

    Returns:
        The page; `.save("view.html")` writes it.

    Raises:
        ValidationError: If it is no result of a simulation, or keeps no views.
    """
    from nmjmc.viz.molecules.page import molecules_page

    return molecules_page(_simulated(thing, "view"))


def film(thing: object, path: str | Path = "film.mp4", **settings: int) -> Path:
    """A film of a result's molecules, from above and from the side, with the current drawn along.

    Args:
        thing: What `nmjmc.simulate` gave with views.
        path: Where; `.mp4` (needs the extra `view`) or `.gif`.
        **settings: `seconds`, `rate` and `width`, as in `nmjmc.viz.molecules.film`.

    Returns:
        The path.

    Raises:
        ValidationError: If it keeps no views, or a setting cannot be right.
    """
    from nmjmc.viz.molecules import film as films

    return films.film(_simulated(thing, "film"), path, **settings)


def export(thing: object, path: str | Path, kind: str | None = None) -> Path:
    """Write a result's molecules for another viewer; arguments as for `nmjmc.viz.molecules.export.export`.

    Raises:
        ValidationError: If it keeps no views, or there is no such format.
    """
    from nmjmc.viz.molecules import export as exports

    return exports.export(_simulated(thing, "export"), path, kind)


def _simulated(thing: object, asked: str) -> Result:
    if isinstance(thing, Result):
        return thing
    raise ValidationError(asked, repr(thing)[:60], "a result of simulate, whose molecules can be seen")


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
