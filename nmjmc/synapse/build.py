"""A synapse from a plain nested mapping, and back: numbers with their units as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING
from typing import Any

import numpy as np

from nmjmc.errors import ValidationError, nearest
from nmjmc.kinetics import Scheme, available_schemes, is_shipped, load_scheme, scheme_to_mapping
from nmjmc.synapse.cleft import KINDS
from nmjmc.synapse.esterase import Esterase
from nmjmc.synapse.fibre import Fibre
from nmjmc.synapse.history import NONE, History, Solute
from nmjmc.synapse.ions import Ions
from nmjmc.synapse.model import Synapse
from nmjmc.synapse.parameter import Range, convert, parameters, text
from nmjmc.synapse.rates import Q10, rate_ranges
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
    mapping = _without_none(mapping)
    _refuse_unknown("synapse", mapping, ("name", "temperature", *ALL_PARTS, HISTORY))
    for part in PARTS:
        if not isinstance(mapping.get(part), Mapping):
            found = "missing" if part not in mapping else repr(mapping[part])
            raise ValidationError(part, found, "a mapping of parameters")
    return Synapse(
        cleft=_cleft(mapping["cleft"]),
        receptor=_receptor(mapping["receptor"]),
        esterase=_esterase(mapping["esterase"]),
        vesicle=_plain(Vesicle, mapping["vesicle"], "vesicle"),
        fibre=_plain(Fibre, mapping["fibre"], "fibre"),
        temperature=convert(mapping.get("temperature", 22), TEMPERATURE, "temperature"),
        name=str(mapping.get("name", "synapse")),
        ions=_plain(Ions, mapping.get("ions", {}), "ions"),
        history=_history(mapping.get(HISTORY, {})),
    )


def describe(synapse: Synapse) -> dict[str, Any]:
    """The nested mapping of a synapse; `build` makes the same synapse from it, bit for bit.

    Args:
        synapse: The synapse (values known, so not inside a compiled function).

    Returns:
        Plain dicts, lists and text only.
    """
    treated = {} if synapse.history == NONE else {HISTORY: _describe_history(synapse.history)}
    return {
        "name": synapse.name,
        "temperature": text(synapse.temperature, TEMPERATURE),
        "cleft": _describe_cleft(synapse.cleft),
        "receptor": _describe_receptor(synapse.receptor),
        "esterase": _describe_esterase(synapse.esterase),
        "vesicle": _describe_plain(synapse.vesicle),
        "fibre": _describe_plain(synapse.fibre),
        "ions": _describe_plain(synapse.ions),
        **treated,
    }


def _without_none(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _without_none(value) if isinstance(value, Mapping) else value
        for key, value in mapping.items()
        if value is not None
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
    return _plain(KINDS[kind], rest, "cleft", extra={"rim": given["rim"]} if "rim" in given else {})


def _plain(
    part: Callable[..., Any], given: Mapping[str, Any], path: str, extra: Mapping[str, Any] | None = None
) -> Any:
    """A part all of whose keys are float fields."""
    ranges = {item.name: allowed for item, allowed in parameters(part)}
    _refuse_unknown(path, given, tuple(ranges))
    values = {key: convert(value, ranges[key], f"{path}.{key}") for key, value in given.items()}
    missing = [n for n in _required(part) if n not in values]
    if missing:
        raise ValidationError(f"{path}.{missing[0]}", "missing", f"given in {ranges[missing[0]].unit}")
    return part(**values, **(extra or {}))


def _required(part: Any) -> list[str]:
    return [item.name for item, _ in parameters(part) if item.default is MISSING]


def _receptor(given: Mapping[str, Any]) -> Receptor:
    values = _with_rates(Receptor, given, "receptor", ("bath", "fold_profile"))
    bath = _submapping(given, "receptor", "bath")
    values["bath"] = {name: convert(value, BATH, f"receptor.bath.{name}") for name, value in bath.items()}
    profile = _submapping(given, "receptor", "fold_profile")
    _refuse_unknown("receptor.fold_profile", profile, ("depth", "fraction"))
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
    scheme = _scheme(given["scheme"], path)
    ranges = {item.name: allowed for item, allowed in parameters(part)}
    _refuse_rates_of_other_schemes(path, given, scheme, (*ranges, *others))
    _refuse_unknown(path, given, (*ranges, "scheme", "q10", *scheme.rate_names, *others))
    values = {key: convert(given[key], ranges[key], f"{path}.{key}") for key in ranges if key in given}
    rates = {
        name: convert(given[name], allowed, f"{path}.{name}")
        for name, allowed in rate_ranges(scheme).items()
        if name in given
    }
    q10 = {
        name: convert(value, Q10, f"{path}.q10.{name}")
        for name, value in _submapping(given, path, "q10").items()
    }
    return values | {"scheme": scheme, "rates": rates, "q10": q10}


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


def _submapping(given: Mapping[str, Any], path: str, key: str) -> Mapping[str, Any]:
    """A mapping below a part, empty where it is left out."""
    below = given.get(key)
    if below is not None and not isinstance(below, Mapping):
        raise ValidationError(f"{path}.{key}", repr(below), "a mapping of parameters")
    return below or {}


def _scheme(given: Any, path: str) -> Scheme:
    try:
        scheme = load_scheme(given)
    except ValidationError as error:
        field = f"{path}.{error.field}" if error.field == "scheme" else error.field
        raise ValidationError(field, error.value, error.allowed, error.hint) from None
    if path == "receptor" and not scheme.open_states:
        hint = "take 'two_site_sequential'"
        raise ValidationError(f"{path}.scheme", repr(scheme.name), "one with a conducting state", hint)
    return scheme


def _refuse_unknown(path: str, given: Any, valid: tuple[str, ...]) -> None:
    if not isinstance(given, Mapping):
        raise ValidationError(path, repr(given), "a mapping of parameters")
    for key in given:
        if key not in valid:
            prefix = "" if path == "synapse" else f"{path}."
            hint = nearest(str(key), valid)
            hint = hint.replace("did you mean ", f"did you mean {prefix}")
            raise ValidationError(f"{prefix}{key}", "unknown", "a known parameter", hint)


def _describe_cleft(cleft: Any) -> dict[str, Any]:
    kind = next(name for name, part in KINDS.items() if type(cleft) is part)
    return {"kind": kind, "rim": cleft.rim} | _describe_plain(cleft)


def _describe_plain(part: Any) -> dict[str, Any]:
    return {item.name: text(getattr(part, item.name), allowed) for item, allowed in parameters(part)}


def _describe_rates(part: Receptor | Esterase) -> dict[str, Any]:
    """Scheme (by name where it is the shipped one), rates and float fields."""
    scheme = part.scheme
    rates = {name: text(part.rates[name], allowed) for name, allowed in rate_ranges(scheme).items()}
    return (
        {"scheme": scheme.name if is_shipped(scheme) else scheme_to_mapping(scheme)}
        | rates
        | _describe_plain(part)
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


_LEVEL = Range("uM", "0 uM", "1e6 uM")
_CONSTANT = Range("uM", "0 uM", infinite=True)
_SUM = Range("", "0", infinite=True)


def _history(given: Any) -> History:
    """What diseases and drugs have left behind, as `describe` writes it."""
    _refuse_unknown(HISTORY, given, ("applied", "inhibition", "solutes"))
    if not given:
        return NONE
    bound, solutes = _submapping(given, HISTORY, "inhibition"), _submapping(given, HISTORY, "solutes")
    _refuse_unknown(f"{HISTORY}.inhibition", bound, ("reversible", "irreversible"))
    applied = given.get("applied", [])
    if not isinstance(applied, list | tuple):
        raise ValidationError(f"{HISTORY}.applied", repr(applied), "a list of names")
    reversible, irreversible = (
        float(convert(bound.get(name, 0.0), _SUM, f"{HISTORY}.inhibition.{name}"))
        for name in ("reversible", "irreversible")
    )
    made = tuple(_solute(str(name), value) for name, value in solutes.items())
    return History(tuple(str(name) for name in applied), (reversible, irreversible), made)


def _solute(name: str, given: Any) -> Solute:
    where = f"{HISTORY}.solutes.{name}"
    _refuse_unknown(where, given, ("concentration", "dissociation", "guests"))
    guests = _submapping(given, where, "guests")
    return Solute(
        name,
        float(convert(given.get("concentration", 0.0), _LEVEL, f"{where}.concentration")),
        float(convert(given.get("dissociation", float("inf")), _CONSTANT, f"{where}.dissociation")),
        tuple((str(g), float(convert(k, _LEVEL, f"{where}.guests.{g}"))) for g, k in guests.items()),
    )


def _describe_history(history: History) -> dict[str, Any]:
    reversible, irreversible = history.inhibition
    return {
        "applied": list(history.applied),
        "inhibition": {"reversible": reversible, "irreversible": irreversible},
        "solutes": {s.name: _describe_solute(s) for s in history.solutes},
    }


def _describe_solute(solute: Solute) -> dict[str, Any]:
    blocks = {"dissociation": text(solute.dissociation, _LEVEL)} if np.isfinite(solute.dissociation) else {}
    guests = {"guests": {g: text(k, _LEVEL) for g, k in solute.guests}} if solute.guests else {}
    return {"concentration": text(solute.concentration, _LEVEL), **blocks, **guests}
