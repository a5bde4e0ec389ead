"""What a fit is doing, on a terminal and in the log."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Iterator

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Column

from nmjmc.cli.progress import clock, console_for
from nmjmc.fitting.optimise import Progress as Step

log = logging.getLogger("nmjmc")


class FitMeter:
    """Logs every step, and draws it where there is a terminal.

    Attributes:
        last: What was told last; None before the first step.
    """

    def __init__(self, bar: Progress | None = None) -> None:
        self.last: Step | None = None
        self._bar = bar
        self._task = None if bar is None else bar.add_task("compiling", total=1.0, detail="")

    def __call__(self, step: Step) -> None:
        """Take the state of the fit after a step, or as something else begins."""
        self.last = step
        words = described(step)
        log.info("%s: %s", step.stage, words)
        if self._bar is not None and self._task is not None:
            done = step.step / max(step.steps, 1)
            self._bar.update(self._task, description=step.stage, completed=done, detail=words)

    @classmethod
    @contextlib.contextmanager
    def for_terminal(cls, wanted: str | bool) -> Iterator[FitMeter]:
        """A meter while the body runs; it draws nothing if unwanted, or `auto` without a terminal."""
        console = console_for(wanted)
        if console is None:
            yield cls()
            return
        column = TextColumn(
            "{task.fields[detail]}", table_column=Column(no_wrap=True, overflow="ellipsis"), markup=False
        )
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=16),
            column,
        )
        with Progress(*columns, console=console, transient=True) as bar:
            yield cls(bar)


def described(step: Step) -> str:
    """One line: step, loss, gradient noise, remaining time, parameters."""
    parts = [f"step {step.step} of at most {step.steps}", f"loss {step.loss:.6g}"]
    if step.gradient_noise:
        parts.append(f"gradient noise {100 * step.gradient_noise:.2g} %")
    if math.isfinite(step.remaining_seconds):
        parts.append(f"at most {clock(step.remaining_seconds)} left")
    short = [name.rpartition(".")[2] for name in step.values]
    told = [name if short.count(s) > 1 else s for name, s in zip(step.values, short, strict=True)]
    values = [f"{name} {value:.3g}" for name, value in zip(told, step.values.values(), strict=True)]
    return ", ".join([*parts, *values])
