"""What every part is made of: float parameters that know their unit and their range."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, fields
from typing import Any

import equinox as eqx
import jax
import numpy as np

from nmjmc.errors import ValidationError
from nmjmc.units import to_internal, to_text


@dataclass(frozen=True)
class Range:
    """Unit and allowed range of a parameter; the bounds are texts in any unit of the same dimension.

    Attributes:
        unit: Stated unit at the edge; inside, the internal unit of the same dimension is used.
        low: Lowest value allowed.
        high: Highest value allowed.
        open_low: Whether `low` itself is refused.
        infinite: Whether infinity is allowed.
    """

    unit: str
    low: str = "-inf"
    high: str = "inf"
    open_low: bool = False
    infinite: bool = False

    def bounds(self) -> tuple[float, float]:
        """Lowest and highest value, internal units."""
        low, high = (to_internal(v, self.unit, "bound", allow_infinite=True) for v in (self.low, self.high))
        return low, high

    def words(self) -> str:
        """The range in words, for the sentence "FIELD must be ..."."""
        low = self.low.split()[0]
        if self.high == "inf":
            return "positive" if self.open_low and low == "0" else f"{self.low} or more"
        return f"more than {self.low} and at most {self.high}" if self.open_low else f"from {self.low} to {self.high}"


def as_leaf(value: Any) -> Any:
    """A parameter as an array: traced values stay, all else becomes a float64 array on the host.

    NumPy and not JAX, so that building a `Synapse` touches no device and keeps every digit; inside a
    compiled function the leaves are traced as any array (float32 unless 64-bit is switched on).
    """
    if isinstance(value, jax.Array) or not isinstance(value, int | float | list | tuple | np.ndarray | np.generic):
        return value
    return np.asarray(value, dtype=np.float64) if not isinstance(value, bool) else value


def parameter(
    unit: str,
    low: str = "-inf",
    high: str = "inf",
    *,
    open_low: bool = False,
    infinite: bool = False,
    **default: Any,
) -> Any:
    """A float field of a part.

    Args:
        unit: Stated unit at the edge.
        low: Lowest value allowed, with unit.
        high: Highest value allowed, with unit.
        open_low: Whether `low` itself is refused.
        infinite: Whether infinity is allowed.
        **default: `default=` value, internal units.
    """
    allowed = Range(unit, low, high, open_low, infinite)
    return eqx.field(converter=as_leaf, metadata={"range": allowed}, **default)


def parameters(part: Any) -> Iterator[tuple[Field[Any], Range]]:
    """The float fields of a part (class or instance), with their ranges."""
    for item in fields(part):
        if "range" in item.metadata:
            yield item, item.metadata["range"]


def check_parameters(part: Any, path: str) -> None:
    """Refuse values outside their range.

    Args:
        part: A Module whose float fields were made by `parameter`.
        path: Its path in the synapse, for the message.

    Raises:
        ValidationError: Naming `path.field`.
    """
    for item, allowed in parameters(part):
        check_value(getattr(part, item.name), allowed, f"{path}.{item.name}")


def check_value(value: Any, allowed: Range, field: str) -> None:
    """Refuse a number or an array of numbers outside a range; traced values pass.

    Raises:
        ValidationError: Naming the field, the first offending value, the range and the likely correction.
    """
    if is_traced(value):
        return
    if isinstance(value, bool) or not isinstance(value, np.ndarray | np.generic | jax.Array | float | int):
        raise ValidationError(field, repr(value), f"a number in {allowed.unit}" if allowed.unit else "a number")
    numbers = np.asarray(value)
    if numbers.dtype.kind not in "fiu":
        raise ValidationError(field, repr(value), "a real number")
    low, high = allowed.bounds()
    slack = 1e-6 * abs(np.asarray([low, high]))  # a bound that was rounded to float32 is still the bound
    for number in numbers.ravel():
        number = float(number)
        _check_finite(number, allowed, field)
        below = number <= low if allowed.open_low else number < low - (slack[0] if math.isfinite(low) else 0.0)
        above = math.isfinite(number) and number > high + (slack[1] if math.isfinite(high) else 0.0)
        if below or above:
            text = to_text(number, allowed.unit, 6)
            raise ValidationError(field, text, allowed.words(), _correction(number, allowed, low, high))


def is_traced(value: Any) -> bool:
    """Whether a value is known only when a compiled function runs (or is a placeholder of a transformation)."""
    return isinstance(value, jax.core.Tracer | jax.ShapeDtypeStruct) or value is None or type(value) is object


def _check_finite(number: float, allowed: Range, field: str) -> None:
    if math.isnan(number) or (math.isinf(number) and not allowed.infinite):
        raise ValidationError(field, number, f"a finite number{f' in {allowed.unit}' if allowed.unit else ''}")


def _correction(number: float, allowed: Range, low: float, high: float) -> str:
    """A sign or a factor of a thousand, where that puts the value into the range."""
    for candidate in (-number, number * 1e3, number / 1e3, number * 1e6, number / 1e6, number / 1e2):
        inside = low < candidate if allowed.open_low else low <= candidate
        if inside and candidate <= high and math.isfinite(candidate):
            return f"did you mean {to_text(candidate, allowed.unit, 6)}?"
    return ""


def number(mapping: Mapping[str, Any], key: str, allowed: Range, path: str) -> Any:
    """The value of a key in internal units: text and plain numbers are in the stated unit, arrays are internal.

    Raises:
        ValidationError: Naming `path.key`.
    """
    return convert(mapping[key], allowed, f"{path}.{key}")


def convert(value: Any, allowed: Range, field: str) -> Any:
    """One value, or a nested list of values, in internal units.

    Args:
        value: Text with a unit or a plain Python number in the stated unit; NumPy and JAX values are internal.
        allowed: Unit and range.
        field: The parameter's path, for the message.

    Raises:
        ValidationError: Naming the field.
    """
    if isinstance(value, np.ndarray | np.generic | jax.Array):
        return value
    if isinstance(value, list | tuple):
        return np.asarray(_convert_all(value, allowed, field))
    return to_internal(value, allowed.unit, field, allow_infinite=allowed.infinite)


def _convert_all(values: Any, allowed: Range, field: str) -> Any:
    if isinstance(values, list | tuple):
        rows = [_convert_all(v, allowed, f"{field}[{i}]") for i, v in enumerate(values)]
        if len({np.shape(row) for row in rows}) > 1:
            raise ValidationError(field, values, "a list of equally long lists")
        return rows
    return to_internal(values, allowed.unit, field, allow_infinite=allowed.infinite)


def text(value: Any, allowed: Range) -> Any:
    """A value, or an array as nested lists, as text from which `convert` makes the same bits."""
    array = np.asarray(value)
    if array.ndim == 0:
        return to_text(array, allowed.unit)
    return [text(row, allowed) for row in array]
