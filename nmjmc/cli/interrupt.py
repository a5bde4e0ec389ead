"""Requests to end: Ctrl-C, SIGTERM, and SIGUSR1, which Slurm sends ahead of a job's time limit."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

_NAMES = ("SIGTERM", "SIGUSR1")  # the second is not known to every system


class Interrupted(KeyboardInterrupt):
    """An interrupt that knows what is whole and how to go on.

    Args:
        sentence: What the user is told.
        cause: The interrupt itself.
    """

    def __init__(self, sentence: str, cause: BaseException | None = None) -> None:
        super().__init__(sentence)
        self.__cause__ = cause


@contextlib.contextmanager
def ending_on_request() -> Iterator[None]:
    """Treat a request to end like Ctrl-C, so that temporary files are removed and what is done is told."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    previous = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
