"""What attributes of an HDF5 file say: texts in all their spellings, units, and the scale of integers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nmjmc.data.recordings.optional import to_unit
from nmjmc.errors import ValidationError
from nmjmc.units import to_internal

UNITS = ("units", "unit", "physical_unit", "y_units", "yunits")
"""Attributes that say the unit of a dataset."""

_SCALES = (("scale_factor", "add_offset"), ("conversion", "offset"), ("scale", "offset"))
"""Pairs of attributes: the netCDF conventions', those of NWB, and the plain words. Value = number * scale + offset."""

_UNKNOWN = ("gain", "resolution", "slope", "lsb", "bitvolts", "bit_volts", "scaling", "multiplier", "factor")
_FILLS = ("_FillValue", "missing_value")
_ROOM = 64  # texts of a list that are looked at


def text_of(value: Any) -> str | None:
    """An attribute as text, written as bytes or characters, padded with zeros, in an array of one, or as MATLAB does.

    Returns:
        The text; None if it is none, and for a list of different texts.
    """
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError:
            value = value.decode("latin-1")
    if isinstance(value, str):
        return value.replace("\0", "").strip()
    array = np.asarray(value) if isinstance(value, np.ndarray | np.generic | list | tuple) else np.zeros(0)
    if array.dtype.kind == "u" and 0 < array.size <= _ROOM and array.dtype.itemsize == 2:
        return "".join(chr(int(code)) for code in array.ravel(order="F")).replace("\0", "").strip()
    if array.dtype.kind not in "SUO" or not 0 < array.size <= _ROOM:
        return None
    texts = {text_of(item) for item in array.ravel().tolist()}
    return texts.pop() if len(texts) == 1 else None


def unit_in(attributes: Mapping[str, Any]) -> str:
    """The unit that attributes say; empty where they say none, or several."""
    known = {str(name).casefold(): name for name in attributes}
    for name in UNITS:
        if name in known and (meaning := text_of(attributes[known[name]])):
            return meaning
    return ""


def scaled(
    values: np.ndarray, attributes: Mapping[str, Any], name: str, unit: str, scale: str | None
) -> tuple[np.ndarray, str]:
    """Samples in nA or mV.

    Args:
        values: As they stand in the file.
        attributes: Of their dataset.
        name: Of the dataset, for messages.
        unit: Of the samples.
        scale: What one step of whole numbers is, with its unit (`0.03 pA`); None where nothing was said.

    Returns:
        The samples, and whether they are nA or mV.

    Raises:
        ValidationError: If whole numbers have no scale, the attributes contradict what is said, or the unit is missing.
    """
    factor, offset = _scale(attributes, name)
    found = _without_fill(values, attributes)
    if scale is not None:
        if factor is not None:
            hint = "leave scale out"
            raise ValidationError("scale", repr(scale), f"that of {name}, {factor:g}", hint)
        return _by_scale(found, scale)
    if factor is None and values.dtype.kind in "iu":
        said = next((key for key in attributes if str(key).casefold() in _UNKNOWN), None)
        why = f" ({said} may multiply or divide)" if said else ""
        found_here = f"missing, as {name} holds whole numbers, which are steps of a converter{why}"
        raise ValidationError("scale", found_here, "given", "say what one step is, as in scale='0.03 pA'")
    if not unit:
        raise ValidationError("unit", "missing", f"given, as {name} does not say it", "for example unit='pA'")
    return to_unit(found * (1.0 if factor is None else factor) + offset, unit, name)


def _scale(attributes: Mapping[str, Any], name: str) -> tuple[float | None, float]:
    """Scale and offset that attributes say; None and 0 where they say none."""
    for scale, offset in _SCALES:
        if scale not in attributes:
            continue
        pair = [_one_number(attributes.get(key, default)) for key, default in ((scale, 1.0), (offset, 0.0))]
        if not np.isfinite(pair).all() or pair[0] == 0:
            raise ValidationError(f"{scale} of {name}", attributes[scale], "one finite number")
        if scale == "scale" and pair[1]:
            hint = "write the samples in their unit"
            raise ValidationError(
                f"offset of {name}", f"{pair[1]:g} beside a scale", "added before or after it", hint
            )
        return pair[0], pair[1]
    return None, 0.0


def _one_number(value: Any) -> float:
    array = np.asarray(value)
    return float(array.ravel()[0]) if array.size == 1 and array.dtype.kind in "iuf" else float("nan")


def _without_fill(values: np.ndarray, attributes: Mapping[str, Any]) -> np.ndarray:
    """The values with NaN where a number stands for a missing one."""
    numbers = np.asarray(values, np.float64)
    for name in _FILLS:
        fill = _one_number(attributes[name]) if name in attributes else float("nan")
        numbers = np.where(numbers == fill, np.nan, numbers)
    return numbers


def _by_scale(values: np.ndarray, scale: str) -> tuple[np.ndarray, str]:
    """Whole numbers as multiples of a step with its unit."""
    for inside in ("nA", "mV"):
        try:
            return values * to_internal(scale, inside, "scale"), inside
        except ValidationError:
            continue
    raise ValidationError("scale", repr(scale), "a current or a potential, such as 0.03 pA")
