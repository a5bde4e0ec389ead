"""Lists and whole numbers as a user may give them: arrays in internal units, integers that can be counted with."""

from __future__ import annotations

import functools
import inspect
import math
import operator
from collections.abc import Callable
from typing import Any, TypeVar, get_type_hints

import numpy as np
from jaxtyping import Float

from nmjmc.carried import Internal, carried, time_last
from nmjmc.errors import ValidationError
from nmjmc.units import factor, internal_unit, to_internal, with_unit

T = TypeVar("T", bound=Callable[..., Any])


def to_array(values: Any, unit: str, field: str) -> Float[np.ndarray, "..."]:
    """Numbers of any shape in internal units.

    Args:
        values: An array or nested lists of numbers in the stated unit, of texts with a unit, or of objects that carry
            one; an object that carries the unit of all of them; or `internal(...)`. A signal of neo comes out with
            time on its last axis, masked samples as NaN.
        unit: The stated unit.
        field: What they are, for the message.

    Returns:
        The numbers, float64.

    Raises:
        ValidationError: For another dimension, or what is no list of numbers.
    """
    if isinstance(values, Internal):
        return _float(values.value, field)
    quantity = carried(values)
    if quantity is not None:
        one = with_unit(1.0, quantity[1], unit, field)
        shift = with_unit(0.0, quantity[1], unit, field)  # kelvin begin elsewhere
        return np.asarray(_float(time_last(values), field) * (one - shift) + shift)
    if (
        not isinstance(values, list | tuple)
        and getattr(getattr(values, "dtype", None), "kind", "O") not in "OU"
    ):
        return np.asarray(_float(values, field) * float(factor(unit)))
    return np.asarray(_each(values, unit, field), np.float64)


def to_array_in_any_unit(values: Any, field: str) -> Float[np.ndarray, "..."]:
    """Numbers of any shape; those that carry a unit come out in the internal unit of its dimension, as nA of pA.

    Raises:
        ValidationError: For a unit that is unknown, or what is no list of numbers.
    """
    quantity = carried(values)
    unit = "" if quantity is None else quantity[1]
    if quantity is None or unit.casefold() in ("", "dimensionless"):
        return to_array(values, "", field)
    return to_array(values, _internal_of(unit, values, field), field)


def to_array_in(values: Any, unit: str, field: str) -> Float[np.ndarray, "..."]:
    """Numbers in a unit of the caller's choice, which need not be internal: bare ones as they are.

    Raises:
        ValidationError: For another dimension, or what is no list of numbers.
    """
    if not says_unit(values):
        return to_array(values, "", field)
    return np.asarray(to_array(values, unit, field) / float(factor(unit)))


def says_unit(values: Any) -> bool:
    """Whether numbers, or one of a list of them, say their unit."""
    if isinstance(values, list | tuple):
        return any(says_unit(value) for value in values)
    return isinstance(values, str | Internal) or carried(values) is not None


def refuse_mixed(**values: Any) -> None:
    """Refuse numbers of which some say their unit and others do not, where they must share one.

    Raises:
        ValidationError: Naming the first that says none.
    """
    said = {name: says_unit(value) for name, value in values.items()}
    bare = [name for name, says in said.items() if not says]
    if bare and any(said.values()):
        other = next(name for name, says in said.items() if says)
        raise ValidationError(bare[0], "without a unit", f"given with a unit, as {other} is")


def known(value: Any, unit: str, field: str) -> float:
    """A number in internal units; NaN, which stands for what is not known, passes.

    Args:
        value: As for `to_internal`.
        unit: The stated unit.
        field: What it is, for the message.

    Raises:
        ValidationError: As `to_internal` does.
    """
    return math.nan if isinstance(value, float) and math.isnan(value) else to_internal(value, unit, field)


def _internal_of(unit: str, values: Any, field: str) -> str:
    try:
        return internal_unit(unit)
    except Exception as error:  # pint and tokenize raise many kinds for text that is no unit
        hint = "convert it to nA, mV or uS first"
        raise ValidationError(field, f"in {unit!r}", "in a unit that is known here", hint) from error


def _each(values: Any, unit: str, field: str) -> Any:
    """Nested lists, number by number."""
    if carried(values) is not None:
        return to_array(values, unit, field)
    if not isinstance(values, list | tuple) and np.ndim(values) == 0:
        return known(values, unit, field)
    rows = [_each(value, unit, f"{field}[{i}]") for i, value in enumerate(values)]
    if len({np.shape(row) for row in rows}) > 1:
        raise ValidationError(field, "lists of different lengths", "a list of equally long lists")
    return rows


def _float(values: Any, field: str) -> np.ndarray:
    """Numbers without a unit as float64; masked ones as NaN."""
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(np.float64), np.nan)
    numbers = np.asarray(values)
    if numbers.dtype.kind in "bcmMSU":
        raise ValidationError(field, f"of type {numbers.dtype}", "real numbers")
    try:
        return numbers.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValidationError(field, repr(values)[:60], "real numbers") from error


def plain_text(value: Any, field: str, allowed: str) -> str:
    """A text that a user gave, NumPy's among them.

    Raises:
        ValidationError: If it is none.
    """
    if not isinstance(value, str):
        raise ValidationError(field, " ".join(repr(value).split())[:80], allowed)
    return str(value)


def whole_number(value: Any, field: str, least: int, most: int) -> int:
    """An integer from what a user gave, of any type (1e3 is one, 1.5 and True are not).

    Raises:
        ValidationError: If it is none, or out of range.
    """
    allowed = f"a whole number from {least} to {most}"
    try:
        digits = isinstance(value, str) and value.strip().lstrip("+-").isdigit()
        exact = digits or (isinstance(value, int | np.integer) and not isinstance(value, bool))
        number = int(value) if exact else to_internal(value, "", field)  # type: ignore[arg-type]
        if not exact and abs(number) > 2**53:  # as far as a float counts; `1e3` as text too
            number = math.nan
    except ValueError:
        number = math.nan
    if not (least <= number <= most and number == int(number)):
        raise ValidationError(field, repr(value) if isinstance(value, str) else value, allowed)
    return int(number)


def as_count(value: Any) -> Any:
    """A whole number of any type (NumPy's, JAX's) as Python's; all else stays, for a check to refuse."""
    try:
        return value if isinstance(value, bool | np.bool_) else operator.index(value)
    except TypeError:
        return value


def in_units(path: str = "", /, **units: str) -> Callable[[T], T]:
    """A decorator that takes arguments as a user gives them and hands them on in internal units.

    It stands above a function, or above a dataclass for its fields. NaN passes, which stands for what is not known, and
    None where it is the default.

    Args:
        path: What stands before the name of an argument in messages.
        **units: By argument, the unit in which a bare number stands; in brackets, `"[ms]"`, for a list of numbers;
            `"[?]"` for a list whose unit may be any, which comes out as nA, mV or uS where it carries one; `"#"` for a
            whole number; `"*"` for what the class itself converts; `"window [ms] or level"` for a pair of times, or
            numbers in any unit.
    """

    def decorate(target: T) -> T:
        function: Any = target.__init__ if isinstance(target, type) else target
        parameters = inspect.signature(function).parameters

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            given = dict(zip(parameters, args, strict=False)) | kwargs
            if len(given) < len(args) + len(kwargs):
                return function(*args, **kwargs)  # Python says what is wrong
            for name in given.keys() & units.keys():
                if given[name] is not None or parameters[name].default is not None:
                    given[name] = _given(given[name], units[name], f"{path}.{name}" if path else name)
            rest = {name: given.pop(name) for name in list(given)[len(args) :]}
            return function(*given.values(), **rest)

        if not isinstance(target, type):
            return called  # type: ignore[return-value]  (a function of the same arguments)
        types = {**get_type_hints(function), **dict.fromkeys(units, Any)}
        named = [item.replace(annotation=types.get(name, Any)) for name, item in parameters.items()]
        called.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]  (read by inspect)
        target.__init__ = called
        return target  # type: ignore[return-value]  (the class itself)

    return decorate


def _given(value: Any, unit: str, field: str) -> Any:
    if unit in ("#", "*"):
        return whole_number(value, field, 0, 2**31 - 1) if unit == "#" else value
    if unit.startswith("window"):
        return _window_or_level(value, field)
    if not unit.startswith("["):
        return known(value, unit, field)
    plain = unit.strip("[]")
    found = to_array_in_any_unit(value, field) if plain == "?" else to_array(value, plain, field)
    return tuple(found.tolist()) if isinstance(value, tuple) else found


def _window_or_level(value: Any, field: str) -> Any:
    """A pair of times [ms], or numbers in the internal unit of whatever they carry."""
    quantity = carried(value)
    times = (
        quantity is not None and np.ndim(quantity[0]) == 1 and _internal_of(quantity[1], value, field) == "ms"
    )
    if times or isinstance(value, list | tuple):
        return tuple(np.atleast_1d(to_array(value, "ms", field)).tolist())
    numbers = to_array_in_any_unit(value, field)
    return numbers if numbers.ndim else float(numbers)


def finite_or_none(value: Any) -> float | None:
    """A Python float, or None where there is no number (JSON has no NaN)."""
    number = float(value)
    return number if math.isfinite(number) else None
