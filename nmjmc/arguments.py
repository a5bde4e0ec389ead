"""The arguments of a run, from what a user gave to plain values that can be right."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Mapping
from typing import Any

from nmjmc.errors import ValidationError, nearest
from nmjmc.kernel.numerics import TIMES, Numerics
from nmjmc.synapse.model import Synapse
from nmjmc.units import to_internal

SEEDS = 2**63  # what a file's attribute holds
MOST_VESICLES = 2**24
MOST_RECORDS = 10**6


def draw_seed() -> int:
    """A seed from the operating system's randomness, to be recorded."""
    return secrets.randbelow(2**32)  # short enough for a folder's name


def make_numerics(numerics: Numerics | Mapping[str, Any] | None) -> Numerics:
    """Numerics from plain values, times as text with a unit or in ms.

    Raises:
        ValidationError: For an unknown key, with the nearest valid name, or a value of the wrong kind.
    """
    if isinstance(numerics, Numerics):
        return numerics
    if numerics is not None and not isinstance(numerics, Mapping):
        raise ValidationError("numerics", repr(numerics), "a mapping", 'for example {"step_scale": 0.5}')
    values = dict(numerics or {})
    kinds = {field.name: str(field.type) for field in dataclasses.fields(Numerics)}
    for key in values:
        if key not in kinds:
            raise ValidationError("a key of numerics", key, "one that exists", nearest(key, kinds))
    return Numerics(**{key: _numeric(key, kinds[key], value) for key, value in values.items()})


def _numeric(key: str, kind: str, value: Any) -> Any:
    """A field of the numerics by its kind: a time [ms], a number, a whole number, or a word."""
    if value is None and kind.endswith("None"):
        return None
    if kind.startswith("float"):
        return to_internal(value, "ms" if key in TIMES else "", f"numerics.{key}")
    if kind == "int":
        return whole_number(value, f"numerics.{key}", 0, 2**31 - 1)
    if not isinstance(value, str):
        raise ValidationError(f"numerics.{key}", value, "a word")
    return value


def checked(
    synapse: Any,
    vesicles: Any,
    seed: Any,
    duration: Any,
    record_interval: Any,
    numerics: Any,
    first_vesicle: Any,
) -> dict[str, Any]:
    """The arguments as plain values that can be right."""
    if not isinstance(synapse, Synapse):
        named = synapse if isinstance(synapse, str) else "human"
        hint = f'for example nmjmc.preparation("{named}")'
        raise ValidationError("synapse", repr(synapse), "a Synapse", hint)
    run = {
        "vesicles": whole_number(vesicles, "vesicles", 1, MOST_VESICLES),
        "first_vesicle": whole_number(first_vesicle, "first_vesicle", 0, MOST_VESICLES),
        "seed": draw_seed() if seed is None else whole_number(seed, "seed", 0, SEEDS - 1),
        "duration": to_internal(duration, "ms", "duration"),
        "record_interval": to_internal(record_interval, "ms", "record_interval"),
        "numerics": make_numerics(numerics),
    }
    for name in ("duration", "record_interval"):
        if run[name] <= 0:
            raise ValidationError(name, f"{run[name]:g} ms", "positive")
    if run["record_interval"] > run["duration"] / 2:
        given, half = f"{run['record_interval']:g} ms", f"{run['duration'] / 2:g} ms"
        raise ValidationError("record_interval", given, f"at most half the duration ({half})")
    records = run["duration"] / run["record_interval"]
    if records > MOST_RECORDS:
        shortest, longest = run["duration"] / MOST_RECORDS, run["record_interval"] * MOST_RECORDS
        given = f"{run['duration']:g} ms with a record every {run['record_interval']:g} ms"
        allowed = f"at most {longest:g} ms at that record_interval"
        hint = f"or make record_interval at least {shortest:g} ms"
        raise ValidationError("duration", given, allowed, hint)
    return run


def whole_number(value: Any, field: str, least: int, most: int) -> int:
    """An integer from what a user gave (1e3 is one, 1.5 and True are not).

    Raises:
        ValidationError: If it is none, or out of range.
    """
    allowed = f"a whole number from {least} to {most}"
    try:
        number = int(value)
        exact = not isinstance(value, bool) and float(value) == number
    except (TypeError, ValueError, OverflowError):
        exact, number = False, 0
    if not exact or not least <= number <= most:
        raise ValidationError(field, repr(value) if isinstance(value, str) else value, allowed)
    return number
