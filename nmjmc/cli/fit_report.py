"""What `nmjmc fit` prints: the tables of a fit, what a reader must know, and where its files stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from nmjmc.cli import report
from nmjmc.data import fit_table


def print_fit(summary: Mapping[str, Any], folder: Path | None = None) -> None:
    """Print the tables of a fit, what a reader must know, and where its files stand.

    Args:
        summary: As `FitRecord.summary` gives it.
        folder: Of the files.
    """
    out = report.console()
    percent = f"{100 * summary['level']:g} %"
    out.print(f"\n{fit_table.heading(summary)}", style="bold")
    rows = fit_table.parameter_rows(summary)
    noise = ["seed noise"] if any(row[5] for row in rows) else []
    rows = [row if noise else (*row[:5], row[6]) for row in rows]
    out.print(_table(["estimate", f"{percent} interval", "started from", *noise], rows, ["from"]))
    if draws := fit_table.posterior_rows(summary):
        out.print(_table(["median", f"{percent} of the posterior", "R-hat", "effective draws"], draws))
    columns = ["numbers", "goodness of fit"]
    out.print(_table(columns, fit_table.data_rows(summary), heads=("data set", "compared as")))
    whole = fit_table.chance(summary["p_value"])
    out.print(f"goodness of fit of all: {whole}; {fit_table.ending(summary)}")
    for note in summary["notes"]:
        out.print(note, soft_wrap=True)
    if folder is not None:
        out.print(f"In {report.short(folder)}: {', '.join(files(folder))}", soft_wrap=True)


def files(folder: Path) -> list[str]:
    """The files of a fit that are there, in the order of use."""
    names = ("fit.h5", "summary.json", "fitted.yaml", "data.png", "descent.png", "pairs.png", "profiles.png",
             "posterior.png", "config.yaml", "nmjmc.log")  # fmt: skip
    return [name for name in names if (folder / name).is_file()]


def _table(
    numbers: list[str],
    rows: list[tuple[str, ...]],
    last: Sequence[str] = (),
    heads: Sequence[str] = ("parameter", "unit"),
) -> Table:
    """A table of words, numbers and words."""
    right = range(len(heads), len(heads) + len(numbers))
    return report.table_of((*heads, *numbers, *last), rows, right)
