"""A progress bar that is true: simulated time, rate and remaining time, with the compiling apart."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Column

from nmjmc.progress import clock, describe, fraction

__all__ = ["Meter", "clock", "console_for", "describe", "fraction"]


def console_for(wanted: str | bool) -> Console | None:
    """Where a bar is drawn; None where it is not wanted, or `auto` and there is no terminal."""
    console = Console(stderr=True, markup=False, emoji=False)
    unseen = not (console.is_terminal and sys.stderr.isatty())
    return None if wanted is False or (wanted == "auto" and unseen) else console


class Meter:
    """Draws the progress that the kernel reports between chunks; calling it is cheap."""

    def __init__(self, console: Console) -> None:
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn(
                "{task.fields[detail]}", table_column=Column(no_wrap=True, overflow="ellipsis"), markup=False
            ),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("compiling", total=1.0, detail="")

    def __call__(self, progress: Any) -> None:
        """Show the state between two chunks."""
        done, detail = fraction(progress), describe(progress)
        self._bar.update(self._task, description="simulating", completed=done, detail=detail)

    @classmethod
    @contextlib.contextmanager
    def for_terminal(cls, wanted: str | bool) -> Iterator[Meter | None]:
        """A meter while the body runs; None where it is not wanted, or `auto` and there is no terminal."""
        console = console_for(wanted)
        if console is None:
            yield None
            return
        meter = cls(console)
        with meter._bar:
            yield meter
