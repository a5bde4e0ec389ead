"""The progress of a library run: a line in a terminal or under the cell of a notebook, and nothing anywhere else."""

from __future__ import annotations

import contextlib
import html
import math
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from nmjmc import ending

Show = Callable[[str, float, str], None]
"""Shows a stage in words, the part that is done (0 to 1; NaN where it is not known), and details."""

_BETWEEN = 0.2  # seconds between two pictures in a notebook, each of which is a message


@contextlib.contextmanager
def shown(wanted: bool | str = "auto") -> Iterator[Show | None]:
    """Where progress is drawn while the body runs; it disappears afterwards.

    Args:
        wanted: True, False, or `auto` for a terminal or a notebook only.

    Yields:
        What shows it; None where nothing is drawn.
    """
    if wanted is False:
        yield None
    elif _in_notebook():
        with _cell() as show:
            yield show
    elif wanted is True or (sys.stderr is not None and sys.stderr.isatty()):
        with _terminal() as show:
            yield show
    else:
        yield None


def listener(show: Show | None, told: Callable[[Any], None] | None) -> Callable[[Any], None] | None:
    """What listens to the kernel between chunks: the caller's own, or one that shows it."""
    if told is not None or show is None:
        return told

    def listen(progress: Any) -> None:
        show("simulating", fraction(progress), describe(progress))

    return listen


@contextlib.contextmanager
def telling(wanted: bool | str = "auto") -> Iterator[Callable[[str], None]]:
    """A function that tells the stage of a run whose length is not known, drawn as `shown` draws it.

    Calling it ends a run that was asked to end.

    Args:
        wanted: True, False, or `auto` for a terminal or a notebook only.
    """
    with shown(wanted) as show:

        def tell(stage: str) -> None:
            ending.look()
            if show is not None:
                show(stage, math.nan, "")

        yield tell


def _in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    library = sys.modules.get("IPython")
    shell = None if library is None else library.get_ipython()
    return getattr(shell, "kernel", None) is not None


@contextlib.contextmanager
def _terminal() -> Iterator[Show]:
    """A bar on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
    from rich.table import Column

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn(
            "{task.fields[detail]}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")
        ),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("compiling", total=1.0, detail="")

        def show(stage: str, done: float, detail: str) -> None:
            known = math.isfinite(done)
            # without a total the bar only moves
            bar.update(
                task, description=stage, total=1.0 if known else None, completed=done if known else 0.0
            )
            bar.update(task, detail=detail)

        yield show


@contextlib.contextmanager
def _cell() -> Iterator[Show]:
    """One line under the cell, which is written over."""
    from IPython.display import HTML, display

    handle, last = display(HTML("<pre>compiling</pre>"), display_id=True), [0.0]

    def show(stage: str, done: float, detail: str) -> None:
        known = math.isfinite(done)
        if handle is not None and (not known or time.monotonic() - last[0] > _BETWEEN):
            last[0] = time.monotonic()
            words = f"{stage} {100 * done:3.0f} %  {detail}" if known else f"{stage} ..."
            handle.update(HTML(f"<pre>{html.escape(words)}</pre>"))

    try:
        yield show
    finally:
        if handle is not None:
            handle.update(HTML(""))


def fraction(progress: Any) -> float:
    """How much of the work is done; the simulated time is a mean over all vesicles."""
    return min(max(progress.simulated_ms / progress.duration_ms, 0.0), 1.0)


def describe(progress: Any) -> str:
    """One line: simulated time, vesicles, rate, remaining time, and the compiling apart."""
    parts = [
        f"{progress.simulated_ms:.2f} of {progress.duration_ms:g} ms",
        f"{progress.vesicles_done:,} of {progress.vesicles:,} vesicles",
        f"{progress.quanta_ms_per_s:,.0f} quanta ms/s",
        f"{clock(progress.remaining_seconds)} left",
    ]
    if progress.compile_seconds:
        parts.append(f"compiled in {progress.compile_seconds:.1f} s")
    return ", ".join(parts)


def clock(seconds: float) -> str:
    """Seconds as 0:07 or 1:02:07; a question mark where they are not known."""
    if not math.isfinite(seconds):
        return "?"
    whole = max(round(seconds), 0)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
