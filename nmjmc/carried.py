"""Values that say their unit: objects of the packages for units, and numbers marked as internal.

No such package is imported. pint, quantities, neo, unyt and astropy give an object the attribute `units` or `unit`;
xarray and h5py keep the text among its `attrs`; NumPy's and Python's durations have a unit of their own.
"""

from __future__ import annotations

import datetime
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np

from nmjmc.errors import ValidationError


@dataclass(frozen=True)
class Internal:
    """A number in internal units, as `internal` marks it.

    Attributes:
        value: A number, an array, or a value that JAX traces.
    """

    value: Any


@runtime_checkable
class _HasArray(Protocol):
    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray: ...


@runtime_checkable
class _HasUnits(Protocol):
    @property
    def units(self) -> Any: ...


@runtime_checkable
class _HasUnit(Protocol):
    @property
    def unit(self) -> Any: ...


Number: TypeAlias = float | int | str | Internal | datetime.timedelta | _HasArray | _HasUnits | _HasUnit
"""What a user may give where a number with a unit is wanted: a number of any type in the stated unit, text with a
unit, an object that carries one, or `internal(...)`."""


def internal(value: Any) -> Internal:
    """Mark a number as one in internal units: um, ms, mV, nA, uS, nF, uM, degC, molecules; rates in 1/ms.

    Without this mark a number, of whatever type, is in the stated unit of its field (`nmjmc.paths` lists them), also
    one that JAX traces inside `jit` or `grad`. `nmjmc.get` gives internal values, so what is computed from them goes
    back through this door.

    Args:
        value: A number, an array, or a value that JAX traces.

    Raises:
        ValidationError: For text or an object with a unit, which says itself what it is in; for an array of anything
            but numbers.

    Example:
        >>> import nmjmc
        >>> synapse = nmjmc.preparation("human")
        >>> rate = nmjmc.get(synapse, "receptor.closing_rate")  # 1/ms, where the stated unit is /s
        >>> twice = nmjmc.replace(synapse, "receptor.closing_rate", nmjmc.internal(2 * rate))
        >>> float(nmjmc.get(twice, "receptor.closing_rate") / rate)
        2.0
    """
    if isinstance(value, Internal):
        return value
    if isinstance(value, str | bytes) or carried(value) is not None:
        hint = "what says its unit is given as it is, without internal()"
        raise ValidationError("internal", repr(value), "given a number in the internal unit", hint)
    if isinstance(value, np.ndarray) and not np.issubdtype(value.dtype, np.number):
        raise ValidationError("internal", f"an array of {value.dtype}", "given numbers in the internal unit")
    return Internal(value)


def carried(value: Any) -> tuple[Any, str] | None:
    """Magnitude and unit of an object that carries its unit.

    Args:
        value: Anything.

    Returns:
        The magnitude, a number or an array, and the unit as text ("" or "dimensionless" for a pure number); None for
        what carries no unit.
    """
    if isinstance(value, str | bytes | int | float | complex | list | tuple | Mapping | datetime.date | None):
        return None
    if isinstance(value, datetime.timedelta):
        return value.total_seconds(), "s"
    if type(value) is np.ndarray or isinstance(value, np.generic):
        return _duration(value)
    unit = _unit_of(value)
    if unit is None:
        return _by_dimension(value)
    magnitude = _magnitude(value)
    return (magnitude, unit) if getattr(magnitude, "dtype", None) is None else _typed(magnitude, unit)


def time_last(value: Any) -> Any:
    """The numbers of a signal with time on the last axis: neo keeps [t, channel], all else stays as it is."""
    quantity = carried(value)
    numbers = value if quantity is None else quantity[0]
    of_neo = hasattr(value, "sampling_rate") or hasattr(value, "segment")
    return np.asarray(numbers).T if of_neo and np.ndim(numbers) == 2 else numbers


def _typed(magnitude: Any, unit: str) -> tuple[Any, str] | None:
    """Magnitude and unit, where durations keep their own."""
    kind = magnitude.dtype.kind
    return (magnitude, unit) if kind not in "mM" else _duration(magnitude)


def _duration(value: Any) -> tuple[Any, str] | None:
    """A duration of NumPy in ns; None for any other array."""
    if value.dtype.kind != "m":
        return None
    try:
        return value / np.timedelta64(1, "ns"), "ns"
    except TypeError:  # months and years have no length
        return float("nan"), str(np.datetime_data(value.dtype)[0])


def _unit_of(value: Any) -> str | None:
    """The unit as text; None where the object says none."""
    names = ("units", "unit")
    kept = getattr(value, "attrs", None)
    if kept is not None and hasattr(kept, "get"):
        inner = getattr(value, "data", None)  # xarray around pint
        found = [kept.get(name) for name in names] + [getattr(inner, name, None) for name in names]
    else:
        found = [getattr(value, name, None) for name in names]
    for unit in found:
        if unit is not None and not inspect.isroutine(unit):
            return _text(unit, value)
    return None


def _text(unit: Any, value: Any) -> str:
    """A unit as text in the spelling that `nmjmc.units` reads."""
    if isinstance(unit, bytes):
        return unit.decode("utf-8", "replace").strip()
    written = getattr(
        getattr(value, "dimensionality", None), "string", None
    )  # quantities: `units` is "1.0 nm"
    if written is None and hasattr(unit, "_REGISTRY"):  # pint, whatever format its user chose
        written = format(unit, "D")
    return str(unit if written is None else written).strip()


def _magnitude(value: Any) -> Any:
    """The numbers of an object that carries its unit."""
    if getattr(value, "attrs", None) is None:
        for name in ("magnitude", "mantissa", "value", "values", "_value"):
            attribute = getattr(value, name, None)
            if attribute is not None and not callable(attribute):
                return attribute
    inner = getattr(value, "data", None)
    return np.asarray(value) if inner is None or not hasattr(inner, "magnitude") else inner.magnitude


def _by_dimension(value: Any) -> tuple[Any, str] | None:
    """Magnitude and unit of an object that knows only its dimension, as Brian's do."""
    dimension = getattr(value, "dim", None)
    if dimension is None or callable(dimension):
        return None
    if not hasattr(value, "get_best_unit"):
        return float("nan"), str(dimension)
    unit = value.get_best_unit()
    return np.asarray(value) / float(unit), str(unit)
