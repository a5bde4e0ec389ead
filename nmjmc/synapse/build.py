"""A synapse from a plain nested mapping, and back: numbers with their units as text."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import MISSING
from typing import Any

import numpy as np

from nmjmc.errors import NmjmcWarning, ValidationError, check_kind, nearest
from nmjmc.kinetics import Scheme, available_schemes, is_shipped, load_scheme, scheme_to_mapping
from nmjmc.synapse.cleft import KINDS
from nmjmc.synapse.esterase import Esterase
from nmjmc.synapse.fibre import Fibre
from nmjmc.synapse.history import NONE, describe_history, read_history
from nmjmc.synapse.ions import Ions
from nmjmc.synapse.mapping import refuse_unknown, submapping, without_none
from nmjmc.synapse.model import Synapse
from nmjmc.synapse.parameter import Range, convert, parameters, text
from nmjmc.synapse.rates import Q10, rate_ranges, scheme_of, without_q10
from nmjmc.synapse.receptor import BATH, DEPTH, FRACTION, Receptor
from nmjmc.synapse.vesicle import Vesicle

PARTS = ("cleft", "receptor", "esterase", "vesicle", "fibre")
HISTORY = "history"
ALL_PARTS = (*PARTS, "ions")
"""With the part that may be left out: ions at their defaults."""
TEMPERATURE = next(allowed for item, allowed in parameters(Synapse) if item.name == "temperature")


def build(mapping: Mapping[str, Any]) -> Synapse:
    """A synapse from a nested mapping, such as a preset's YAML file holds.

    Args:
        mapping: Keys `name`, `temperature`, `cleft`, `receptor`, `esterase`, `vesicle`, `fibre`, `ions` (may be left
            out), and `history` of one that diseases or drugs have changed. A value is text with a unit, an object
            that carries one, or a number of any type in the field's stated unit (`paths` lists them);
            `nmjmc.internal` marks one in internal units; None leaves a key out. The rates of a scheme stand under
            their names beside the other keys.

    Returns:
        The synapse.

    Raises:
        ValidationError: For a key that is unknown or missing, and for every value that cannot be right.
    """
    mapping = without_none(mapping)
    refuse_unknown("synapse", mapping, ("name", "temperature", *ALL_PARTS, HISTORY))
    for part in PARTS:
        if not isinstance(mapping.get(part), Mapping):
            actual = "missing" if part not in mapping else repr(mapping[part])
            raise ValidationError(part, actual, "a mapping of parameters")
    synapse = Synapse(
        cleft=_cleft(mapping["cleft"]),
        receptor=_receptor(mapping["receptor"]),
        esterase=_esterase(mapping["esterase"]),
        vesicle=_numbers_of(Vesicle, mapping["vesicle"], "vesicle"),
        fibre=_numbers_of(Fibre, mapping["fibre"], "fibre"),
        temperature=convert(mapping.get("temperature", 22), TEMPERATURE, "temperature"),
        name=_name(mapping.get("name", "synapse")),
        ions=_numbers_of(Ions, mapping.get("ions", {}), "ions"),
        history=read_history(mapping.get(HISTORY, {})),
    )
    _tell_rates_without_q10(synapse, mapping)
    return synapse


def check_name(name: Any) -> None:
    """Refuse a name that could be no part of a folder's name.

    Raises:
        ValidationError: If it has other letters than a folder's name may have.
    """
    if not isinstance(name, str) or not re.fullmatch(r"\w[\w.+-]{0,79}", name):
        raise ValidationError("name", repr(name), "a word of letters, digits, '.', '_', '+' and '-'")


def _name(given: Any) -> str:
    if isinstance(given, Mapping | list | tuple | bool) or given is None:
        raise ValidationError("name", repr(given), "a text")
    return str(given)


def describe(synapse: Synapse) -> dict[str, Any]:
    """The nested mapping of a synapse; `build` makes the same synapse from it, bit for bit.

    Args:
        synapse: The synapse (values known, so not inside a compiled function).

    Returns:
        Plain dicts, lists and text only.
    """
    check_kind(synapse, Synapse, "synapse", "a Synapse", 'for example nmjmc.preparation("human")')
    treated = {} if synapse.history == NONE else {HISTORY: describe_history(synapse.history)}
    return {
        "name": synapse.name,
        "temperature": text(synapse.temperature, TEMPERATURE),
        **{part: describe_part(getattr(synapse, part)) for part in ALL_PARTS},
        **treated,
    }


def _cleft(given: Mapping[str, Any]) -> Any:
    kind = given.get("kind", "missing")
    if str(kind) not in KINDS:
        raise ValidationError("cleft.kind", repr(kind), "a known kind of cleft", nearest(str(kind), KINDS))
    rest = {key: value for key, value in given.items() if key not in ("kind", "rim")}
    own = {item.name for item, _ in parameters(KINDS[kind])}
    for key in rest:
        others = [k for k, part in KINDS.items() if key in {item.name for item, _ in parameters(part)}]
        if key not in own and others:
            hint = f"write cleft.{key}=null, or take cleft.kind={' or '.join(others)}, which has it"
            raise ValidationError(f"cleft.{key}", "given", f"left out for cleft.kind={kind}", hint)
    return _numbers_of(KINDS[kind], rest, "cleft", extra={"rim": given["rim"]} if "rim" in given else {})


def _numbers_of(
    part: Callable[..., Any], given: Mapping[str, Any], path: str, extra: Mapping[str, Any] | None = None
) -> Any:
    """A part all of whose keys are float fields."""
    ranges = {item.name: allowed for item, allowed in parameters(part)}
    refuse_unknown(path, given, tuple(ranges))
    values = {key: convert(value, ranges[key], f"{path}.{key}") for key, value in given.items()}
    missing = [n for n in _required(part) if n not in values]
    if missing:
        raise ValidationError(f"{path}.{missing[0]}", "missing", f"given in {ranges[missing[0]].unit}")
    return part(**values, **(extra or {}))


def _required(part: Any) -> list[str]:
    return [item.name for item, _ in parameters(part) if item.default is MISSING]


def _receptor(given: Mapping[str, Any]) -> Receptor:
    values = _with_rates(Receptor, given, "receptor", ("bath", "fold_profile"))
    bath = submapping(given, "receptor", "bath")
    values["bath"] = {name: convert(value, BATH, f"receptor.bath.{name}") for name, value in bath.items()}
    profile = submapping(given, "receptor", "fold_profile")
    refuse_unknown("receptor.fold_profile", profile, ("depth", "fraction"))
    values["fold_profile"] = (
        convert(profile.get("depth", []), DEPTH, "receptor.fold_profile.depth"),
        convert(profile.get("fraction", []), FRACTION, "receptor.fold_profile.fraction"),
    )
    return _complete(Receptor, values, "receptor", ("density", "channel_conductance"))


def _esterase(given: Mapping[str, Any]) -> Esterase:
    values = _with_rates(Esterase, given, "esterase", ("placement",))
    values |= {"placement": str(given["placement"])} if "placement" in given else {}
    return _complete(Esterase, values, "esterase", ("density",))


def _complete(part: Callable[..., Any], values: dict[str, Any], path: str, required: tuple[str, ...]) -> Any:
    ranges = {item.name: allowed for item, allowed in parameters(part)}
    for name in required:
        if name not in values:
            raise ValidationError(f"{path}.{name}", "missing", f"given in {ranges[name].unit}")
    return part(**values)


def _with_rates(part: Any, given: Mapping[str, Any], path: str, others: tuple[str, ...]) -> dict[str, Any]:
    """Float fields, scheme, rates and Q10s of a receptor or an esterase."""
    if "scheme" not in given:
        raise ValidationError(f"{path}.scheme", "missing", "given", nearest("", available_schemes()))
    scheme = scheme_of(given["scheme"], path)
    ranges = {item.name: allowed for item, allowed in parameters(part)}
    _refuse_rates_of_other_schemes(path, given, scheme, (*ranges, *others))
    refuse_unknown(path, given, (*ranges, "scheme", "q10", *scheme.rate_names, *others))
    values = {key: convert(given[key], ranges[key], f"{path}.{key}") for key in ranges if key in given}
    rates = {
        name: convert(given[name], allowed, f"{path}.{name}")
        for name, allowed in rate_ranges(scheme).items()
        if name in given
    }
    q10 = {
        name: convert(value, Q10, f"{path}.q10.{name}")
        for name, value in submapping(given, path, "q10").items()
    }
    return values | {"scheme": scheme, "rates": rates, "q10": q10}


class RateWarning(NmjmcWarning):
    """Rates without a Q10 are taken as they are at another temperature than their own."""


def _tell_rates_without_q10(synapse: Synapse, given: Mapping[str, Any]) -> None:
    """One sentence where a rate that was measured at one temperature is used at another as it is."""
    for part in ("receptor", "esterase"):
        own = getattr(synapse, part)
        if np.array_equal(own.reference_temperature, synapse.temperature):
            continue
        for name in without_q10(own.scheme, submapping(given[part], part, "q10")):
            measured, now = (
                text(value, TEMPERATURE) for value in (own.reference_temperature, synapse.temperature)
            )
            sentence = f"{part}.{name} has no Q10 and is taken at {now} as it is at {measured}"
            warnings.warn(f"{sentence}; {part}.q10.{name}=2 would warm it.", RateWarning, stacklevel=3)


def _refuse_rates_of_other_schemes(
    path: str, given: Mapping[str, Any], scheme: Scheme, fields: tuple[str, ...]
) -> None:
    """Say what to do with the rates of a preparation whose scheme has been exchanged."""
    own = {"scheme", "q10", *scheme.rate_names, *fields}
    for key in given:
        if key in own:
            continue
        others = [load_scheme(name) for name in available_schemes()]
        having = [other.name for other in others if key in other.rate_names]
        if having:
            allowed = f"left out for the scheme {scheme.name}, which has {', '.join(scheme.rate_names)}"
            hint = f"write {path}.{key}=null, or take a scheme that has it ({', '.join(having)})"
            raise ValidationError(f"{path}.{key}", "given", allowed, hint)


def _describe_cleft(cleft: Any) -> dict[str, Any]:
    kind = next(name for name, part in KINDS.items() if type(cleft) is part)
    return {"kind": kind, "rim": cleft.rim} | _describe_numbers(cleft)


def _describe_numbers(part: Any) -> dict[str, Any]:
    return {item.name: text(getattr(part, item.name), allowed) for item, allowed in parameters(part)}


def describe_part(part: Any) -> dict[str, Any]:
    """The mapping of one part of a synapse."""
    if isinstance(part, tuple(KINDS.values())):
        return _describe_cleft(part)
    if isinstance(part, Receptor):
        return _describe_receptor(part)
    if isinstance(part, Esterase):
        return _describe_esterase(part)
    return _describe_numbers(part)


def _describe_rates(part: Receptor | Esterase) -> dict[str, Any]:
    """Scheme (by name where it is the shipped one), rates and float fields."""
    scheme = part.scheme
    rates = {name: text(part.rates[name], allowed) for name, allowed in rate_ranges(scheme).items()}
    return (
        {"scheme": scheme.name if is_shipped(scheme) else scheme_to_mapping(scheme)}
        | rates
        | _describe_numbers(part)
    )


def _describe_receptor(receptor: Receptor) -> dict[str, Any]:
    depth, fraction = receptor.fold_profile
    extra: dict[str, Any] = {"q10": _texts(receptor.q10, Q10)}
    if receptor.bath:
        extra["bath"] = _texts(receptor.bath, BATH)
    if np.size(depth):
        extra["fold_profile"] = {"depth": text(depth, DEPTH), "fraction": text(fraction, FRACTION)}
    return _describe_rates(receptor) | extra


def _describe_esterase(esterase: Esterase) -> dict[str, Any]:
    extra: dict[str, Any] = {"q10": _texts(esterase.q10, Q10)}
    if esterase.placement != "lattice":  # the default is not written, as in files of earlier versions
        extra["placement"] = esterase.placement
    return _describe_rates(esterase) | extra


def _texts(values: Mapping[str, Any], allowed: Range) -> dict[str, Any]:
    return {name: text(value, allowed) for name, value in values.items()}
