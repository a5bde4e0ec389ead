"""The arguments of a run, from what a user gave to plain values that can be right."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from nmjmc.errors import ValidationError, nearest
from nmjmc.kernel.numerics import Numerics
from nmjmc.numbers import whole_number
from nmjmc.seeds import SEEDS as SEEDS
from nmjmc.seeds import draw_seed as draw_seed
from nmjmc.synapse.model import Synapse
from nmjmc.units import to_internal

MOST_VESICLES = 2**24
MOST_RECORDS = 10**6


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
    names = [field.name for field in dataclasses.fields(Numerics)]
    for key in values:
        if key not in names:
            raise ValidationError("a key of numerics", key, "one that exists", nearest(str(key), names))
    return Numerics(**values)


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
