"""Amplitudes among the settings, whose unit is that of the data."""

from __future__ import annotations

from nmjmc.errors import ValidationError
from nmjmc.units import to_internal


def in_unit_of(value: str | None, unit: str, field: str) -> float | None:
    """A setting as a number in nA or mV; None stays.

    Raises:
        ValidationError: For a current where potentials were recorded, or the other way.
    """
    if value is None:
        return None
    try:
        return to_internal(value, unit, field)
    except ValidationError as error:
        raise ValidationError(field, value, f"in a unit of the amplitudes, such as {unit}") from error
