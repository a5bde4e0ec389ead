"""What a fit is doing: a line in the log for every step, drawn where someone looks, and told to who asked."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable, Iterator

from nmjmc.fitting.optimise import FitProgress
from nmjmc.progress import Show, clock, shown

log = logging.getLogger("nmjmc")


class FitMeter:
    """Logs every step, draws it, and tells it on.

    Attributes:
        last: What was told last; None before the first step.
    """

    def __init__(
        self, show: Show | None = None, on_step: Callable[[FitProgress], None] | None = None
    ) -> None:
        self.last: FitProgress | None = None
        self._show, self._on_step = show, on_step

    def __call__(self, step: FitProgress) -> None:
        """Take the state of the fit after a step, or as something else begins."""
        self.last = step
        words = described(step)
        log.info("%s: %s", step.stage, words)
        if self._show is not None:
            self._show(step.stage, min(step.step / max(step.steps, 1), 1.0), words)
        if self._on_step is not None:
            self._on_step(step)

    @classmethod
    @contextlib.contextmanager
    def drawn(
        cls, progress: bool | str, on_step: Callable[[FitProgress], None] | None = None
    ) -> Iterator[FitMeter]:
        """A meter while the body runs.

        Args:
            progress: Whether the steps are drawn: True, False, or `auto` for a terminal and a notebook, where nobody
                else is told of them.
            on_step: Who else is told.
        """
        unseen = progress == "auto" and on_step is not None
        with shown(False if unseen else progress) as show:
            yield cls(show, on_step)


def described(step: FitProgress) -> str:
    """One line: step, loss, gradient noise, remaining time, parameters."""
    parts = [f"step {step.step} of at most {step.steps}", f"loss {step.loss:.6g}"]
    if step.gradient_noise:
        parts.append(f"gradient noise {100 * step.gradient_noise:.2g} %")
    if math.isfinite(step.remaining_seconds):
        parts.append(f"at most {clock(step.remaining_seconds)} left")
    short = [name.rpartition(".")[2] for name in step.values]
    named = [name if short.count(s) > 1 else s for name, s in zip(step.values, short, strict=True)]
    values = [f"{name} {value:.3g}" for name, value in zip(named, step.values.values(), strict=True)]
    return ", ".join([*parts, *values])
