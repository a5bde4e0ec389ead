"""Changes of a synapse or a junction, one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from nmjmc.errors import ValidationError

T = TypeVar("T")


def apply_all(subject: T, changes: Iterable[Callable[[T], T]]) -> T:
    """A synapse or a junction after several changes, the first first.

    Raises:
        ValidationError: If one of them is no function.
    """
    for change in changes:
        if not callable(change):
            hint = 'for example nmjmc.drug("pyridostigmine", "1 uM")'
            raise ValidationError("a change", f"{change!r:.80}", "a disease, a drug or a function", hint)
        subject = change(subject)
    return subject
