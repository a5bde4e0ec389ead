"""Whether this process was asked to end: a flag that long work looks at between its pieces.

A signal's handler can only raise an exception where the program happens to be, and Python discards exceptions in some
places, such as callbacks of its garbage collector. So the handler of the command sets this flag too. In the library
nobody sets it, and looking at it costs nothing.
"""

from __future__ import annotations

import threading

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
