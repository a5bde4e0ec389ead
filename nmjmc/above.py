"""What a result can be asked and a floor above it answers: figures, and the same simulation again.

Results lie below the figures that show them. `nmjmc/__init__.py`, which is above everything, says here who answers, so
that `result.plot()` needs no import upwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_ANSWERS: dict[str, Callable[..., Any]] = {}


def answer(question: str, function: Callable[..., Any]) -> None:
    """Say which function answers a question.

    Args:
        question: `plot`, `figures` or `rerun`.
        function: Takes the result first.
    """
    _ANSWERS[question] = function


def ask(question: str, thing: object, *arguments: Any, **options: Any) -> Any:
    """Have a floor above do something with a result.

    Args:
        question: `plot`, `figures` or `rerun`.
        thing: The result.
        *arguments: For the function that answers.
        **options: Likewise.
    """
    return _ANSWERS[question](thing, *arguments, **options)
