"""What every part is made of: float parameters that know their unit and their range."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import Field, dataclass, fields
from typing import Any

import equinox as eqx
import jax
import jax.core
import jax.numpy as jnp
import numpy as np

from nmjmc.carried import Internal, carried
from nmjmc.errors import ValidationError
from nmjmc.units import factor, to_internal, to_text, with_unit


@dataclass(frozen=True)
class Range:
    """Unit and allowed range of a parameter; the bounds are texts in any unit of the same dimension.

    Attributes:
        unit: Stated unit at the edge; inside, the internal unit of the same dimension is used.
        low: Lowest value allowed.
        high: Highest value allowed.
        open_low: Whether `low` itself is refused.
        open_high: Whether `high` itself is refused.
        infinite: Whether infinity is allowed.
        ndim: Number of axes of the value, 0 for a single number.
    """

    unit: str
    low: str = "-inf"
    high: str = "inf"
    open_low: bool = False
    open_high: bool = False
    infinite: bool = False
    ndim: int = 0

    def bounds(self) -> tuple[float, float]:
        """Lowest and highest value, internal units."""
        return _bounds(self.unit, self.low, self.high)

    def words(self, number: float) -> str:
        """What a number outside must be, for the sentence "FIELD must be ..."."""
        low, high = self.bounds()
        if number >= high:
            return f"below {self.high}" if self.open_high else f"at most {self.high}"
        if low == 0:
            return "positive" if self.open_low else "zero or more"
        return f"above {self.low}" if self.open_low else f"at least {self.low}"

    def holds(self, number: float) -> bool:
        """Whether a number (internal units) lies in the range, or on a bound rounded to float32."""
        low, high = self.bounds()
        if math.isinf(number):
            return self.infinite and number > 0
        above = number > low if self.open_low else number >= low - _ROUNDING * abs(low) or math.isinf(low)
        below = (
            number < high if self.open_high else number <= high + _ROUNDING * abs(high) or math.isinf(high)
        )
        return above and below


_ROUNDING = 1e-6
_PREFIXED = ("nm", "um", "ms", "mV", "pS", "uM")  # units that are easily written with another prefix
_PERCENT = 2.0  # a pure number from here on may be a percentage


@functools.cache
def _bounds(unit: str, low: str, high: str) -> tuple[float, float]:
    lowest = to_internal(low, unit, "bound", allow_infinite=True)
    return lowest, to_internal(high, unit, "bound", allow_infinite=True)


def as_leaf(value: Any) -> Any:
    """An internal value as an array: traced values stay, all else becomes a float64 array on the host.

    NumPy and not JAX, so that building a `Synapse` touches no device and keeps every digit; inside a
    compiled function the leaves are traced as any array (float32 unless 64-bit is switched on). What carries a unit
    stays too, for `check_value` to refuse: `convert` is its door.
    """
    value = value.value if isinstance(value, Internal) else value
    if isinstance(value, jax.Array) or not isinstance(
        value, int | float | list | tuple | np.ndarray | np.generic
    ):
        return value
    if carried(value) is not None:
        return value
    return np.asarray(value, dtype=np.float64) if not isinstance(value, bool) else value


def parameter(
    unit: str,
    low: str = "-inf",
    high: str = "inf",
    *,
    open_low: bool = False,
    open_high: bool = False,
    infinite: bool = False,
    ndim: int = 0,
    **default: Any,
) -> Any:
    """A float field of a part.

    Args:
        unit: Stated unit at the edge.
        low: Lowest value allowed, with unit.
        high: Highest value allowed, with unit.
        open_low: Whether `low` itself is refused.
        open_high: Whether `high` itself is refused.
        infinite: Whether infinity is allowed.
        ndim: Number of axes of the value, 0 for a single number.
        **default: `default=` value, internal units.
    """
    allowed = Range(unit, low, high, open_low, open_high, infinite, ndim)
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
        path: Its path in the synapse, for the message; empty for the synapse itself.

    Raises:
        ValidationError: Naming `path.field`.
    """
    for item, allowed in parameters(part):
        check_value(getattr(part, item.name), allowed, f"{path}.{item.name}" if path else item.name)


def check_value(value: Any, allowed: Range, field: str) -> None:
    """Refuse a number or an array of numbers outside a range; traced values pass.

    Raises:
        ValidationError: Naming the field, the first offending value, the range and the likely correction.
    """
    if is_traced(value):
        return
    known = isinstance(value, np.ndarray | np.generic | jax.Array | float | int)
    if isinstance(value, bool) or not known or carried(value) is not None:
        hint = "parts take internal numbers; nmjmc.replace and nmjmc.build convert units"
        raise ValidationError(
            field, repr(value), f"a number in {allowed.unit}" if allowed.unit else "a number", hint
        )
    numbers = np.asarray(value)
    if numbers.dtype.kind not in "fiu":
        raise ValidationError(field, repr(value), "a real number")
    if numbers.ndim != allowed.ndim:
        shape = "a single number" if allowed.ndim == 0 else f"an array with {allowed.ndim} axes"
        raise ValidationError(field, f"of shape {numbers.shape}", shape)
    for number in numbers.ravel().tolist():
        _check_finite(number, allowed, field)
        if not allowed.holds(number):
            shown = to_text(number, allowed.unit, 6)
            raise ValidationError(field, shown, allowed.words(number), _correction(number, allowed))


def is_traced(value: Any) -> bool:
    """Whether a value is known only when a compiled function runs."""
    return isinstance(value, jax.core.Tracer | jax.ShapeDtypeStruct)


def _check_finite(number: float, allowed: Range, field: str) -> None:
    if math.isnan(number) or (math.isinf(number) and not allowed.infinite):
        raise ValidationError(
            field, number, f"a finite number{f' in {allowed.unit}' if allowed.unit else ''}"
        )


def _correction(number: float, allowed: Range) -> str:
    """What the user may have meant: another sign, another prefix, kelvin, or a percentage."""
    if allowed.unit == "degC":
        return f"did you mean {number:.6g} K?" if allowed.holds(number - 273.15) else ""
    factors = [-1.0]
    if allowed.unit in _PREFIXED:
        factors += [1e3, 1e-3, 1e6, 1e-6]
    elif not allowed.unit and number >= _PERCENT:
        factors += [1e-2]
    for candidate in (number * times for times in factors):
        if math.isfinite(candidate) and candidate != 0 and allowed.holds(candidate):
            return f"did you mean {to_text(candidate, allowed.unit, 6)}?"
    return ""


def convert(value: Any, allowed: Range, field: str) -> Any:
    """One value, or a nested list of values, in internal units.

    Args:
        value: A number or a list of numbers in the stated unit, of any type, also traced by JAX; text with a unit;
            an object that carries a unit; or `internal(...)`.
        allowed: Unit and range.
        field: The parameter's path, for the message.

    Returns:
        A float, an array, or a traced value.

    Raises:
        ValidationError: Naming the field.
    """
    if isinstance(value, Internal):
        return value.value
    if is_traced(value):
        return _convert_traced(value, float(factor(allowed.unit)), allowed, field)
    quantity = carried(value)
    if quantity is not None and (is_traced(quantity[0]) or np.ndim(quantity[0])):
        return _convert_carried(*quantity, allowed, field)
    if isinstance(value, np.ndarray | jax.Array) and value.ndim:
        value = value.tolist()
    if isinstance(value, list | tuple) and allowed.ndim == 0:
        raise ValidationError(field, repr(value)[:80], "a single number")
    if isinstance(value, list | tuple):
        rows = _convert_all(value, allowed, field)
        return jnp.asarray(rows) if any(is_traced(x) for x in jax.tree.leaves(rows)) else np.asarray(rows)
    return to_internal(value, allowed.unit, field, allow_infinite=allowed.infinite)


def _convert_traced(value: Any, ratio: float, allowed: Range, field: str) -> Any:
    """A traced number, whose value no check can see."""
    if value.dtype.kind in "bc":
        raise ValidationError(field, value, f"a real number{f' in {allowed.unit}' if allowed.unit else ''}")
    return value if ratio == 1.0 else value * ratio


def _convert_carried(magnitude: Any, unit: str, allowed: Range, field: str) -> Any:
    """The numbers of an object that carries their unit."""
    if is_traced(magnitude):
        zero, one = (with_unit(x, unit, allowed.unit, field) for x in (0.0, 1.0))
        return _convert_traced(magnitude, one - zero, allowed, field) + zero  # kelvin begin elsewhere
    each = [with_unit(x, unit, allowed.unit, field) for x in np.asarray(magnitude).ravel().tolist()]
    return np.reshape(each, np.shape(magnitude))


def _convert_all(values: Any, allowed: Range, field: str) -> Any:
    if isinstance(values, list | tuple):
        rows = [_convert_all(v, allowed, f"{field}[{i}]") for i, v in enumerate(values)]
        if len({np.shape(row) for row in rows}) > 1:
            raise ValidationError(field, values, "a list of equally long lists")
        return rows
    return convert(values, allowed, field)


def text(value: Any, allowed: Range) -> Any:
    """A value, or an array as nested lists, as text from which `convert` makes the same bits."""
    array = np.asarray(value)
    if array.ndim == 0:
        return to_text(array, allowed.unit)
    return [text(row, allowed) for row in array]
