"""What the commands print: tables for a terminal, plain when the output goes elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from nmjmc.data import table
from nmjmc.data.examination import Examination


def console() -> Console:
    """The console of standard output; 140 columns where there is no terminal, so that no line is broken.

    Texts are printed as they are: brackets in a path are no markup.
    """
    made = Console(highlight=False, markup=False, emoji=False)
    return made if made.is_terminal else Console(highlight=False, markup=False, emoji=False, width=140)


def print_result(summary: dict[str, Any], folder: Path | None = None, files: Sequence[str] = ()) -> None:
    """Print the tables of a result, what it cost, and where its files stand."""
    out = console()
    out.print(f"\n{table.title(summary)}", style="bold")
    for columns, rows in (
        (table.COLUMNS, table.feature_rows(summary)),
        (table.FATE_COLUMNS, table.fate_rows(summary)),
    ):
        out.print(table_of(columns, rows, range(2, len(columns))))
    if not summary["conserved"]:
        out.print(table.NOT_CONSERVED, style="bold red")
    if cost := _cost(summary):
        out.print(cost)
    if folder is not None:
        out.print(f"In {short(folder)}: {', '.join(files)}", soft_wrap=True)


def print_examination(examination: Examination, folder: Path | None = None, figure: str = "") -> None:
    """Print the table of a bedside test, its meaning, what the quanta were, and where its files stand."""
    out = console()
    out.print(f"\n{examination.title}", soft_wrap=True, style="bold")
    made = table_of(examination.COLUMNS, examination.rows(), (1, 2))
    made.caption = f"Intervals over {examination.over}"
    made.caption_justify = "left"
    out.print(made)
    out.print(examination.finding.meaning, soft_wrap=True, style="bold")
    if line := examination.made():
        out.print(line, soft_wrap=True)
    if folder is not None:
        files = f"result.h5, summary.json, {figure}, config.yaml, nmjmc.log"
        out.print(f"In {short(folder)}: {files}", soft_wrap=True)


def table_of(columns: Sequence[str], rows: Iterable[Sequence[str]], right: Collection[int]) -> Table:
    """A table for a terminal.

    Args:
        columns: Their names.
        rows: Texts.
        right: Numbers of the columns that are set to the right.
    """
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, name in enumerate(columns):
        made.add_column(name, justify="right" if index in right else "left", no_wrap=True)
    for row in rows:
        made.add_row(*row)
    return made


def _cost(summary: dict[str, Any]) -> str:
    """One line: what the run and the compiling took, and on what."""
    made_by = summary["provenance"]
    if "run_seconds" not in made_by:
        return ""
    seconds, compiling = float(made_by["run_seconds"]), float(made_by.get("compile_seconds", 0.0))
    rate = summary["vesicles"] / seconds if seconds > 0 else 0.0
    device = made_by.get("device", "an unknown device")
    return f"{seconds:.2f} s on {device} ({rate:.3g} quanta a second); compiling apart, {compiling:.1f} s"


def print_lines(lines: Iterable[str]) -> None:
    """Print sentences, lines of any length."""
    out = console()
    for line in lines:
        out.print(line, soft_wrap=True)


def print_text(text: str) -> None:
    """Print a text as it is, lines of any length."""
    sys.stdout.write(text)


def short(path: Path) -> str:
    """A path relative to where the user stands, if it is below."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def print_estimate(estimate: dict[str, str]) -> None:
    """Print what a run would need."""
    out = console()
    out.print()
    width = max(map(len, estimate))
    for name, value in estimate.items():
        out.print(f"# {name.ljust(width)}  {value}", soft_wrap=True)


def print_pairs(title: str, pairs: dict[str, str]) -> None:
    """Print a heading and lines of name and value."""
    out = console()
    out.print(f"\n{title}", style="bold")
    width = max(map(len, pairs))
    for name, value in pairs.items():
        out.print(f"  {name.ljust(width)}  {value}", soft_wrap=True)
