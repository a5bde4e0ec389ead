"""When the command began: what a run took to start is foretold by it."""

from __future__ import annotations

import time

_BEGAN = [time.perf_counter()]


def begin() -> None:
    """The command, or the next of its runs, begins now."""
    _BEGAN[0] = time.perf_counter()


def began() -> float:
    """When it began [s of `time.perf_counter`]."""
    return _BEGAN[0]
