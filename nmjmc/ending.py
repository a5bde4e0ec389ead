"""Requests to end: Ctrl-C, SIGTERM, SIGHUP, and SIGUSR1, which Slurm sends ahead of a job's time limit.

A signal's handler can only raise an exception where the program happens to be, and Python discards exceptions in some
places, such as callbacks of its garbage collector. So the handler of the command sets a flag too, at which long work
looks between its pieces. In the library nobody sets it, and looking at it costs nothing.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")  # the last two are not known to every system
_ECHO = 0.2  # seconds; a choice. Within them a signal is the first one once more: `timeout` and srun send it twice
_SHOW_CURSOR = "\x1b[?25h"
_ASKED = threading.Event()


class Interrupted(KeyboardInterrupt):
    """An interrupt that knows what is whole and how to go on.

    Args:
        sentence: What the user is told.
        cause: The interrupt itself.
    """

    def __init__(self, sentence: str, cause: BaseException | None = None) -> None:
        super().__init__(sentence)
        self.__cause__ = cause


def ask() -> None:
    """Ask the process to end at the next look."""
    _ASKED.set()


def asked() -> bool:
    """Whether it was asked to."""
    return _ASKED.is_set()


def forget() -> None:
    """Take the request back, once it was heard."""
    _ASKED.clear()


def look() -> None:
    """End here if it was asked for: between chunks, blocks, points and steps.

    Raises:
        KeyboardInterrupt: If it was.
    """
    if _ASKED.is_set():
        raise KeyboardInterrupt


@contextlib.contextmanager
def ending_on_request() -> Iterator[None]:
    """Treat a request to end like Ctrl-C, so that temporary files are removed and what is done is told.

    The first signal raises KeyboardInterrupt where the program is, and sets the flag of this module, because Python
    discards exceptions in some places. A second one ends the process at once, by the signal's own action. Signals that
    are ignored (by `nohup`, or in a shell's background) stay ignored, and afterwards all is as before.

    Raises:
        KeyboardInterrupt: At the end of the body at the latest, if a signal came.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may have handlers
        return
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    previous = {number: signal.getsignal(number) for number in numbers}
    ours = [number for number, handler in previous.items() if handler not in (signal.SIG_IGN, None)]
    first: list[float] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        if not first:
            first.append(time.monotonic())
            ask()
            raise KeyboardInterrupt
        if time.monotonic() - first[0] > _ECHO:
            _end_at_once(number)

    for number in ours:
        signal.signal(number, interrupt)
    try:
        yield
        look()
    finally:
        forget()
        for number in ours:
            signal.signal(number, previous[number])


def _end_at_once(number: int) -> None:
    """End the process by a signal, with the cursor as it was before a bar hid it."""
    if sys.stderr is not None and sys.stderr.isatty():
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(_SHOW_CURSOR)
            sys.stderr.flush()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
