"""What is swept: a list of values, or an interval, for each key; told by lists or by one text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmjmc.carried import carried
from nmjmc.errors import ValidationError, nearest
from nmjmc.units import to_internal, to_text
from nmjmc.written import split

_CALL = re.compile(r"^(?P<name>[a-z]+)\((?P<inside>.*)\)$", re.DOTALL)
_KINDS = {"interval": 2, "log": 2, "linspace": 3, "logspace": 3}
MOST_VALUES = 10**6  # as many as a sweep has points
WHOLE = ("vesicles", "seed", "numerics.batch", "numerics.chunk")

DIGITS = 6
"""Of a value of a design, where that tells its values apart (a choice)."""
MOST_DIGITS = 15
"""Of the values of a finer design: all that a float64 surely has."""


@dataclass(frozen=True)
class Axis:
    """One swept key.

    Attributes:
        key: Path of a parameter or a setting, such as `receptor.density`.
        unit: Its stated unit; None for a word, such as the name of a scheme.
        values: The values as text; empty for an interval.
        low: Lower end of an interval, or of even steps, internal units.
        high: Its upper end; that of a list is not above the lower one.
        log: Whether an interval is even in the logarithm.
    """

    key: str
    unit: str | None
    values: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False

    @property
    def is_interval(self) -> bool:
        """Whether values are drawn between two ends."""
        return not self.values

    def at(self, fraction: float, digits: int = DIGITS) -> str:
        """The value at a fraction of the way, 0 to 1 (not 1 for a list), as text with its unit."""
        if not self.is_interval:
            return self.values[min(int(fraction * len(self.values)), len(self.values) - 1)]
        if self.log:
            number = float(np.exp(np.log(self.low) + fraction * (np.log(self.high) - np.log(self.low))))
        else:
            number = self.low + fraction * (self.high - self.low)
        return self.write(min(max(number, self.low), self.high), digits)

    def write(self, number: float, digits: int = DIGITS) -> str:
        """An internal number as text with its unit."""
        if self.key in WHOLE:
            return str(round(number))
        return to_text(number, self.unit or "", digits)


def swept(value: str) -> bool:
    """Whether the value of a word stands for several."""
    call = _CALL.match(value.strip())
    return len(pieces(value)) > 1 or (call is not None and call["name"] in _KINDS)


def read(key: str, value: Any, unit: str | None) -> Axis:
    """An axis from what stands for several values.

    Args:
        key: The key.
        value: A list or an array of texts, numbers and objects with a unit, or one text: `a,b,c`,
            `interval(low, high)`, `log(low, high)`, `linspace(low, high, n)` or `logspace(low, high, n)`; the ends are
            text with their unit.
        unit: The stated unit of the key; None if its values are words.

    Raises:
        ValidationError: For an unknown form, ends in the wrong order, or a wrong unit.
    """
    if not isinstance(value, str):
        return Axis(key, unit, _distinct(key, _texts(key, value, unit)))
    call = _CALL.match(value.strip())
    if call is None:
        return Axis(key, unit, _distinct(key, pieces(value)))
    name, inside = call["name"], pieces(call["inside"])
    if name not in _KINDS:
        raise ValidationError(key, repr(value), "a list or an interval", nearest(name, _KINDS))
    if len(inside) != _KINDS[name]:
        example = f"{name}(1, 10{', 5' if _KINDS[name] == 3 else ''})"
        raise ValidationError(key, repr(value), f"given with {_KINDS[name]} values", f"for example {example}")
    if unit is None:
        raise ValidationError(key, repr(value), "a list, because its values are no numbers")
    return _between(key, name, inside, unit)


def _texts(key: str, values: Any, unit: str | None) -> list[str]:
    """Values as they would be written."""
    if carried(values) is not None or not isinstance(values, Iterable) or isinstance(values, Mapping | bytes):
        allowed = "a list of values, or a text such as linspace(1, 10, 4)"
        raise ValidationError(key, f"{values!r:.60}", allowed)
    return [_text(key, value, unit) for value in values]


def _text(key: str, value: Any, unit: str | None) -> str:
    """One value as it would be written."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_text(key, item, unit) for item in value) + "]"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return repr(float(value)).removesuffix(".0")
    if carried(value) is not None and unit is not None:
        return to_text(to_internal(value, unit, key), unit)
    raise ValidationError(
        key, f"{value!r:.60}", "a text, a number, an object with a unit, or a list of these"
    )


def _between(key: str, name: str, inside: Sequence[str], unit: str) -> Axis:
    """An interval, or the even steps within it."""
    low, high = (to_internal(text, unit, key) for text in inside[:2])
    log = name.startswith("log")
    if not low < high:
        raise ValidationError(key, f"{name}({', '.join(inside)})", "given with the lower end first")
    if log and low <= 0:
        raise ValidationError(key, inside[0], "positive at the lower end of a logarithmic interval")
    axis = Axis(key, unit, (), low, high, log)
    if _KINDS[name] == 2:
        return axis
    count = _count(key, inside[2])
    steps = [axis.at(i / (count - 1)) for i in range(count)]
    if len(set(steps)) < count:  # finer than those digits
        steps = [axis.at(i / (count - 1), MOST_DIGITS) for i in range(count)]
    steps = _distinct(key, steps)
    return Axis(key, unit, steps, low, high, log)


def _count(key: str, text: str) -> int:
    if not text.isdigit() or len(text) > 12 or not 2 <= int(text) <= MOST_VALUES:
        raise ValidationError(
            key, text, f"given with a whole number of steps, 2 or more (at most {MOST_VALUES:,})"
        )
    return int(text)


def _distinct(key: str, values: Sequence[str]) -> tuple[str, ...]:
    """The values, refused where one stands twice or is empty."""
    seen: set[str] = set()
    for value in values:
        if not value:
            raise ValidationError(key, "a list with an empty value", "a list without one")
        if value in seen:
            raise ValidationError(key, f"a list with {value} twice", "a list of different values")
        seen.add(value)
    return tuple(values)


def pieces(value: str) -> list[str]:
    """The pieces of a list between its outermost commas, without quotes."""
    return [_bare(piece) for piece in split(value)]


def _bare(piece: str) -> str:
    text = piece.strip()
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    return text[1:-1].strip() if is_quoted else text


def as_plain(axis: Axis) -> dict[str, Any]:
    """What `sweep.json` says of an axis."""
    plain: dict[str, Any] = {"key": axis.key, "unit": axis.unit}
    if axis.is_interval:
        ends = {"low": axis.write(axis.low), "high": axis.write(axis.high), "log": axis.log}
        return plain | ends
    return plain | {"values": list(axis.values)}
