"""A junction from a plain nested mapping, and back: numbers with their units as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from nmjmc.errors import ValidationError, nearest
from nmjmc.junction.contraction import Contraction
from nmjmc.junction.fibres import FIBRES, published
from nmjmc.junction.muscle import Muscle
from nmjmc.junction.spread import Spread
from nmjmc.junction.terminal import Terminal
from nmjmc.junction.whole import Junction
from nmjmc.synapse.build import build, describe
from nmjmc.synapse.mapping import refuse_unknown
from nmjmc.synapse.parameter import Range, convert, parameters, text

STAGES: dict[str, Any] = {
    "terminal": Terminal, "muscle": Muscle, "contraction": Contraction, "spread": Spread,
}  # fmt: skip
STEADY = "steady"
_STEADY = {
    "conductance": Range("uS", "0 uS"), "resting_potential": Range("mV", "-200 mV", "200 mV"),
    "input_resistance": Range("MOhm", "0 MOhm"),
}  # fmt: skip
_WARM = ("terminal", "muscle", "contraction")


def build_junction(mapping: Mapping[str, Any]) -> Junction:
    """A junction from a nested mapping.

    Args:
        mapping: The keys of a synapse (`nmjmc.build`), and `terminal`, `muscle`, `contraction` and `spread` with
            the parameters that differ from their defaults. The `temperature` is that of terminal, muscle and
            contraction too, where these have none of their own.

    Raises:
        ValidationError: For a key that is unknown, and for every value that cannot be right.
    """
    synapse = {name: value for name, value in mapping.items() if name not in (*STAGES, STEADY)}
    warmth = mapping.get("temperature")
    stages = {name: _stage(name, mapping.get(name), warmth if name in _WARM else None) for name in STAGES}
    return Junction(synapse=build(synapse), **stages, steady=_steady(mapping.get(STEADY)))


def describe_junction(junction: Junction) -> dict[str, Any]:
    """The nested mapping of a junction; `build_junction` makes the same junction from it, bit for bit."""
    stages = {name: describe_stage(getattr(junction, name)) for name in STAGES}
    if junction.steady is not None:
        stages[STEADY] = {
            n: text(v, allowed) for (n, allowed), v in zip(_STEADY.items(), junction.steady, strict=True)
        }
    return {**describe(junction.synapse), **stages}


def _steady(given: Any) -> tuple[float, float, float] | None:
    """What a bath keeps open, as `describe_junction` writes it."""
    if given is None:
        return None
    refuse_unknown(STEADY, given, tuple(_STEADY))
    for name in _STEADY:
        if name not in given:
            raise ValidationError(f"{STEADY}.{name}", "missing", f"given in {_STEADY[name].unit}")
    conductance, potential, resistance = (
        float(convert(given[name], allowed, f"{STEADY}.{name}")) for name, allowed in _STEADY.items()
    )
    return conductance, potential, resistance


def _stage(name: str, given: Any, temperature: Any = None) -> Any:
    given = {} if given is None else given
    if not isinstance(given, Mapping):
        raise ValidationError(name, repr(given), "set by its parameters", f"for example {name}.KEY=VALUE")
    given = given if temperature is None else {"temperature": temperature, **given}
    part = STAGES[name]
    base, given = _preset(name, given)
    ranges = {item.name: allowed for item, allowed in parameters(part)}
    whole = _whole(part)
    for key in given:
        if name == "muscle" and key in FORMER:
            raise ValidationError(
                f"muscle.{key}", "one of the former fibre", "a known parameter", FORMER[key]
            )
        if key not in ranges and key not in whole:
            hint = nearest(str(key), [*ranges, *whole]).replace("did you mean ", f"did you mean {name}.")
            raise ValidationError(f"{name}.{key}", "unknown", "a known parameter", hint)
    values = {
        key: convert(value, ranges[key], f"{name}.{key}") if key in ranges else value
        for key, value in given.items()
        if value is not None
    }
    return part(**{**base, **values})


def _preset(name: str, given: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Values of the fibre that is named by `preset`, and what is given beside it."""
    if name != "muscle" or "preset" not in given:
        return {}, given
    chosen = str(given["preset"])
    published(chosen)  # refuses an unknown name
    return FIBRES[chosen], {key: value for key, value in given.items() if key != "preset"}


FORMER = {
    "input_resistance": "it follows from muscle.radius, muscle.axial_resistivity and the conductances at rest",
    "time_constant": "it follows from muscle.capacitance and the conductances at rest",
}
"""Parameters of the fibre before it had chloride channels, an inward rectifier and a pump, and what stands for them."""


def _whole(part: Any) -> tuple[str, ...]:
    """Fields that are whole numbers or names, which have no range."""
    return tuple(item.name for item in fields(part) if "range" not in item.metadata)


def describe_stage(part: Any) -> dict[str, Any]:
    """The mapping of a terminal, a muscle, a contraction or a spread."""
    described = {item.name: text(getattr(part, item.name), allowed) for item, allowed in parameters(part)}
    return {**{name: getattr(part, name) for name in _whole(type(part))}, **described}
