"""Fields of the requests that are of no common kind: times with their unit, lists of stimuli, rising doses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nmjmc.carried import Internal, carried
from nmjmc.errors import ValidationError
from nmjmc.junction.modifier import concentration, severity
from nmjmc.junction.stimulus import stimulus_times
from nmjmc.request import other
from nmjmc.treatments import EXAMPLES, NOTHING, amounts_in, with_amounts
from nmjmc.units import to_internal, to_text


def seconds(default: str | None, help: str, least: str, most: str, *, optional: bool = False) -> Any:
    """A field that is a time of seconds, which needs its unit: a bare number would be read as milliseconds.

    Args:
        default: As a user would write it.
        help: One line.
        least: Allowed itself where it is `0 s`, as every time is that is longer and at most `most`.
        most: Allowed itself.
        optional: Whether None passes, and then no 0.
    """
    allowed = f"above 0 and at most {most}" if optional else f"from {least.removesuffix(' s')} to {most}"

    def read(value: Any, field: str) -> str:
        _refuse_bare(value, field)
        amount = to_internal(value, "ms", field)
        low, high = (to_internal(end, "ms", field) for end in (least, most))
        if not low <= amount <= high or (optional and amount == 0):
            raise ValidationError(field, value, allowed)
        return to_text(amount, "s")

    return other(default, help, read, unit="s", allowed=allowed, optional=optional)


def _refuse_bare(value: Any, field: str) -> None:
    if isinstance(value, Internal) or carried(value) is not None:
        return
    try:
        bare = float(value)
    except (TypeError, ValueError, OverflowError):
        return
    if bare:
        raise ValidationError(
            field, f"{bare:g} without a unit", "a time with its unit", f"did you mean {bare:g} s?"
        )


def read_times(value: Any, field: str) -> list[str]:
    """A list of stimuli, as texts in ms.

    Raises:
        ValidationError: If it is none, or a nerve cannot follow it.
    """
    if isinstance(value, str | Mapping | int | float):
        hint = f'for example {field}="[0 ms, 300 ms, 600 ms, 900 ms]"'
        raise ValidationError(field, repr(value), "a list", hint)
    return [to_text(time, "ms") for time in stimulus_times(value)]


def read_doses(value: Any, field: str) -> str | list[str]:
    """`auto`, or a rising list of concentrations as texts in uM.

    Raises:
        ValidationError: If it is neither, or a dose cannot be right.
    """
    if isinstance(value, str) and value == "auto":
        return value
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, list | tuple) or not value:
        hint = f'for example {field}="[0 nM, 20 nM, 40 nM]"'
        raise ValidationError(field, repr(value), "auto or a list", hint)
    doses = [concentration(dose, f"{field}[{i}]") for i, dose in enumerate(value)]
    for i in range(1, len(doses)):
        if doses[i] <= doses[i - 1]:
            actual = f"{value[i]} after {value[i - 1]}"
            raise ValidationError(f"{field}[{i}]", actual, "above the dose before", "sort the doses")
    return [to_text(dose, "uM") for dose in doses]


def read_severities(value: Any, field: str) -> dict[str, float]:
    """Diseases with their severities, 0 to 1.

    Raises:
        ValidationError: If it is no mapping, or a severity cannot be right.
    """
    return {name: severity(amount, f"{field}.{name}") for name, amount in read_mapping(value, field).items()}


def read_drugs(value: Any, field: str) -> dict[str, str]:
    """Drugs with their concentrations, as texts in uM.

    Raises:
        ValidationError: If it is no mapping, or a dose cannot be right.
    """
    given = read_mapping(value, field).items()
    return {name: to_text(concentration(amount, f"{field}.{name}"), "uM") for name, amount in given}


def read_mapping(value: Any, field: str) -> dict[str, Any]:
    """A mapping by name, or `NAME:AMOUNT+NAME:AMOUNT`; what is None is left out."""
    if isinstance(value, str) and field in EXAMPLES:
        return (
            {} if value.strip().casefold() in NOTHING else dict(with_amounts(field, amounts_in(field, value)))
        )
    if not isinstance(value, Mapping):
        hint = f"for example {EXAMPLES[field]}" if field in EXAMPLES else "pathology=FILE.yaml:0.5 makes one"
        raise ValidationError(field, repr(value), "names with their amounts", hint)
    return {str(name): amount for name, amount in value.items() if amount is not None}
