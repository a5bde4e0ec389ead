"""The value of a word: one, or with -m one for each run of a sweep."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from nmjmc import written
from nmjmc.errors import ValidationError
from nmjmc.written import check_closed, split
from nmjmc.yaml_file import Plain, scalar

MOST_RUNS = 1_000
"""Of one command with -m; a choice. `nmjmc sweep` takes more, and keeps a record of each."""
_RANGE = re.compile(r"range\((?P<inside>[^()]*)\)")
_THOUSANDS = re.compile(r"^\s*[+-]?\d{1,3}(,\d{3})+(?![\d,])")


def value(key: str, text: str) -> Plain:
    """The one value of a word; as `nmjmc.written.value`.

    Raises:
        ValidationError: If it stands for several, or a quote or a bracket has no end.
    """
    if len(split(text)) > 1 or _RANGE.fullmatch(text.strip()):
        check_closed(key, text)
        raise _several(key, text)
    # a variable of the shell that is not set leaves nothing behind the sign: that is no wish for the default
    return written.value(key, text) if text.strip() else ""


def choices(key: str, text: str) -> list[str]:
    """The texts of the values that a word stands for in a sweep with -m.

    Raises:
        ValidationError: If they are too many, or an interval, which `nmjmc sweep` takes.
    """
    bare = text.strip()
    if match := _RANGE.fullmatch(bare):
        return list(_range(key, bare, match["inside"].split(",")))
    if re.match(r"(interval|log|linspace|logspace)\(", bare):
        raise ValidationError(key, repr(text), "a list with -m", "nmjmc sweep takes intervals")
    check_closed(key, text)
    return split(text)


def _range(key: str, text: str, ends: list[str]) -> Iterator[str]:
    """The numbers of `range(start, stop, step)`, without `stop`."""
    numbers = [scalar(end.strip()) for end in ends]
    if not 1 <= len(numbers) <= 3 or not all(type(number) in (int, float) for number in numbers):
        raise ValidationError(key, repr(text), "range(STOP), range(START, STOP) or range(START, STOP, STEP)")
    start, stop, step = (0, numbers[0], 1) if len(numbers) == 1 else (*numbers, 1)[:3]
    count = (stop - start) / step if step else float("inf")
    if not count <= MOST_RUNS:
        raise too_many(key, count)
    for index in range(math.ceil(count)):
        yield str(start + index * step)


def too_many(key: str, count: float) -> ValidationError:
    """The refusal of a sweep of more runs than anyone waits for."""
    hint = "nmjmc sweep takes more, and keeps a record of each"
    allowed = f"of at most {MOST_RUNS:,} runs"
    return ValidationError(f"{key} with -m", f"a sweep of {count:,.0f} runs", allowed, hint)


def _several(key: str, text: str) -> ValidationError:
    """The refusal of several values without -m; `3,000` is one number that was written with a comma."""
    if match := _THOUSANDS.match(text):
        meant = match.group().replace(",", "") + text[match.end() :]
        return ValidationError(key, repr(text), "without commas in a number", f"did you mean {meant}?")
    hint = f"write it in quotes ({key}=\"'...'\") if the commas belong to it, or add -m to run a sweep"
    return ValidationError(key, repr(text), "one value", hint)
