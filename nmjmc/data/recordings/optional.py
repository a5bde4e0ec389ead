"""Libraries of the extra `io`, imported when a file asks for them, and the units they report."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from nmjmc.errors import ValidationError
from nmjmc.folders import user_path
from nmjmc.units import internal_unit, to_internal


def library(name: str, path: Path) -> Any:
    """A library of the extra `io`.

    Raises:
        ValidationError: If it is not installed, with the command that installs it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        hint = f"install it with  pip install {name.partition('.')[0]}"
        raise ValidationError(
            f"reader of {path.name}", f"{name}, not installed", "an installed library", hint
        ) from error


def existing(path: str | Path) -> Path:
    """The path, if there is a file.

    Raises:
        ValidationError: If there is none.
    """
    place = user_path(path, "path")
    if not place.is_file():
        raise ValidationError("path", f"{path}, where there is no file", "a file")
    return place


def to_unit(values: Any, unit: str, field: str) -> tuple[np.ndarray, str]:
    """Values as nA or mV.

    Args:
        values: Numbers in `unit`.
        unit: A unit of current or of potential, for example `pA`.
        field: What it is, for the message.

    Returns:
        The values in nA or mV, and which.

    Raises:
        ValidationError: If the unit is of neither kind.
    """
    try:
        inside = internal_unit(unit)
    except Exception:  # pint raises many kinds for text that is no unit
        inside = ""
    if inside not in ("nA", "mV"):
        raise ValidationError(f"unit of {field}", repr(unit), "one of current or potential, such as pA or mV")
    factor = to_internal(f"1 {unit}", inside, f"unit of {field}")
    return np.asarray(values, np.float64) * factor, inside
