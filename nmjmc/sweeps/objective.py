"""What a study optimises: a feature of the points, or how near it comes to a target."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from nmjmc.data import features
from nmjmc.errors import ValidationError, nearest
from nmjmc.units import to_internal


def optuna() -> ModuleType:
    """The library.

    Raises:
        ValidationError: If it is not installed, saying how to do that.
    """
    try:
        import optuna  # pyright: ignore[reportMissingImports]  (an extra)
    except ImportError as error:
        hint = "install it with pip install optuna"
        raise ValidationError(
            "sampler", "optuna, which is not installed", "one that is here", hint
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def loss(request: Mapping[str, Any], summary: Mapping[str, Any]) -> float | None:
    """What the study minimises: the feature, or the square of its relative distance to the target; None without it."""
    name = request["objective"]
    value = features.flat(summary)[name].value
    if value is None or request["target"] is None:
        return value
    target = to_internal(request["target"], features.UNITS[name], "target")
    return ((value - target) / target) ** 2 if target else value**2


def check(request: Mapping[str, Any]) -> None:
    """Refuse an objective that is no feature, or a target of another unit.

    Raises:
        ValidationError: Naming the option.
    """
    optuna()
    name = request["objective"]
    if name not in features.UNITS:
        raise ValidationError("objective", repr(name), "a feature", nearest(str(name), features.UNITS))
    if request["target"] is not None:
        to_internal(request["target"], features.UNITS[name], "target")
