"""The shipped schemes: reads `configs/scheme/NAME.yaml`."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from nmjmc.errors import ValidationError, nearest
from nmjmc.folders import config_dir, names_in
from nmjmc.kinetics.scheme import Scheme, Transition
from nmjmc.units import to_internal
from nmjmc.yaml_file import read_yaml

_KEYS = ("name", "states", "transitions", "resting", "conductance", "transmitter", "q10")
_ARROW_KEYS = ("from", "to", "rate", "factor", "binds", "releases", "destroys")


@functools.cache
def available_schemes() -> tuple[str, ...]:
    """Names of the schemes in `configs/scheme`."""
    return names_in("scheme")


def load_scheme(source: str | Path | Mapping[str, Any] | Scheme) -> Scheme:
    """A scheme by name, from a YAML file of your own, or from a mapping of the same form.

    Args:
        source: A shipped scheme's name, the path of a YAML file (docs/own_scheme.md), a mapping, or a scheme (returned
            as it is).

    Raises:
        ValidationError: For an unknown name or key, a file that cannot be read, or an inconsistent scheme.
    """
    if isinstance(source, Scheme):
        return source
    if isinstance(source, Path) or is_scheme_file(source):
        return _from_mapping(scheme_file(str(source)))
    if isinstance(source, str):
        return _shipped(source)
    if isinstance(source, Mapping):
        return _from_mapping(source)
    raise ValidationError("scheme", repr(source), "a name or a mapping", nearest("", available_schemes()))


def is_scheme_file(source: object) -> bool:
    """Whether a scheme is named by the path of a YAML file."""
    return isinstance(source, str) and source.casefold().endswith((".yaml", ".yml"))


def scheme_file(path: str) -> dict[str, Any]:
    """The mapping of a scheme in a user's file; its name is the file's where it has none.

    Raises:
        ValidationError: If it cannot be read, or is no mapping.
    """
    content = read_yaml(path, "scheme")
    if not isinstance(content, dict):
        raise ValidationError("scheme", path, "a file with states, resting and transitions")
    return {"name": re.sub(r"\W", "_", Path(path).stem), **content}


def is_shipped(scheme: Scheme) -> bool:
    """Whether the scheme is the one that stands under its name in `configs/scheme`."""
    if scheme.name not in available_schemes():
        return False
    shipped = _shipped(scheme.name)
    return shipped is scheme or shipped == scheme


def scheme_to_mapping(scheme: Scheme) -> dict[str, Any]:
    """The mapping from which `load_scheme` makes the same scheme."""
    states = {s: g for s, g in zip(scheme.states, scheme.conductance, strict=True)}
    return {
        "name": scheme.name,
        "states": list(states),
        "resting": scheme.resting,
        "conductance": {s: g for s, g in states.items() if g},
        "transmitter": scheme.transmitter,
        "q10": dict(scheme.q10),
        "transitions": [_arrow_to_mapping(t) for t in scheme.transitions],
    }


@functools.lru_cache(maxsize=256)
def _shipped(name: str) -> Scheme:
    if name not in available_schemes():
        raise ValidationError("scheme", repr(name), "a known scheme", nearest(name, available_schemes()))
    text = (config_dir() / "scheme" / f"{name}.yaml").read_text(encoding="utf-8")
    return _from_mapping(yaml.safe_load(text))


def _from_mapping(mapping: Mapping[str, Any]) -> Scheme:
    name = str(mapping.get("name", "unnamed"))
    _refuse_unknown(f"scheme {name}", mapping, _KEYS)
    for key in ("states", "transitions", "resting"):
        if key not in mapping:
            raise ValidationError(f"scheme {name}: {key}", "missing", "given")
    for key in ("states", "transitions"):
        if not isinstance(mapping[key], list | tuple):
            raise ValidationError(f"scheme {name}: {key}", repr(mapping[key]), "a list")
    states = tuple(str(s) for s in mapping["states"])
    transitions = tuple(_arrow(name, arrow) for arrow in mapping["transitions"])
    return Scheme(
        name=name,
        states=states,
        transitions=transitions,
        resting=str(mapping["resting"]),
        conductance=_conductance(name, states, _or_none(mapping, "conductance")),
        transmitter=str(mapping.get("transmitter", "ACh")),
        q10=_q10(name, _or_none(mapping, "q10"), [arrow.rate for arrow in transitions]),
    )


def _or_none(mapping: Mapping[str, Any], key: str) -> Any:
    """What a scheme says of its states or rates; nothing, where it leaves that out."""
    return {} if mapping.get(key) is None else mapping[key]


def _q10(name: str, given: Mapping[str, Any], rates: Sequence[str]) -> tuple[tuple[str, float], ...]:
    _refuse_unknown(f"scheme {name}: q10", given, rates)
    found = {str(rate): _pure(f"scheme {name}: q10.{rate}", value) for rate, value in given.items()}
    for rate, value in found.items():
        if value <= 0.0:
            raise ValidationError(f"scheme {name}: q10.{rate}", value, "above 0")
    return tuple(found.items())


def _conductance(name: str, states: tuple[str, ...], given: Mapping[str, Any]) -> tuple[float, ...]:
    _refuse_unknown(f"scheme {name}: conductance", given, states)
    return tuple(_pure(f"scheme {name}: conductance.{s}", given.get(s, 0.0)) for s in states)


def _arrow(name: str, mapping: Mapping[str, Any]) -> Transition:
    _refuse_unknown(f"scheme {name}: transition", mapping, _ARROW_KEYS)
    for key in ("from", "to", "rate"):
        if key not in mapping:
            raise ValidationError(f"scheme {name}: transition {dict(mapping)}: {key}", "missing", "given")
    return Transition(
        source=str(mapping["from"]),
        target=str(mapping["to"]),
        rate=str(mapping["rate"]),
        factor=_pure(f"scheme {name}: factor", mapping.get("factor", 1.0)),
        binds=mapping.get("binds"),
        releases=mapping.get("releases"),
        destroys=mapping.get("destroys"),
    )


def _arrow_to_mapping(t: Transition) -> dict[str, Any]:
    arrow: dict[str, Any] = {"from": t.source, "to": t.target, "rate": t.rate}
    if t.factor != 1.0:
        arrow["factor"] = t.factor
    return arrow | {key: value for key in ("binds", "releases", "destroys") if (value := getattr(t, key))}


def _pure(field: str, value: object) -> float:
    return to_internal(value, "", field)


def _refuse_unknown(where: str, mapping: Mapping[str, Any], valid: Sequence[str]) -> None:
    if not isinstance(mapping, Mapping):
        raise ValidationError(where, repr(mapping), "a mapping")
    for key in mapping:
        if key not in valid:
            raise ValidationError(f"{where}: {key}", "unknown", "a known key", nearest(str(key), valid))
