"""Rates of a scheme: complete, positive, and moved to a temperature by their Q10."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from nmjmc.errors import ValidationError, nearest
from nmjmc.kinetics import Scheme, load_scheme
from nmjmc.kinetics.scheme import Transition
from nmjmc.synapse.parameter import Range, as_leaf, check_value
from nmjmc.types import Scalar

# 1e11 /M/s is a hundred times what diffusion lets two small molecules do; 1e9 /s is the period of a ns
SECOND_ORDER = Range("/M/s", "0 /M/s", "1e11 /M/s")
FIRST_ORDER = Range("/s", "0 /s", "1e9 /s")
Q10 = Range("", "0.5", "10")
NO_Q10 = 1.0
"""Of a rate whose Q10 nobody has told: the rate is taken as it is at every temperature (a choice).

So simulators of channels take a rate without a temperature factor, and any other default would change a user's own
number unasked; `build` tells of it where the temperature is another than that of the rates.
"""


def scheme_of(given: Any, path: str) -> Scheme:
    """The scheme of a receptor or an esterase: by name, by a mapping, by a file, or a `Scheme`.

    Raises:
        ValidationError: If there is none of that name, or a receptor's has no conducting state.
    """
    try:
        scheme = load_scheme(given)
    except ValidationError as error:
        field = f"{path}.{error.field}" if error.field == "scheme" else error.field
        raise ValidationError(field, error.value, error.allowed, error.hint) from None
    if path == "receptor" and not scheme.open_states:
        hint = "take 'two_site_sequential'"
        raise ValidationError(f"{path}.scheme", repr(scheme.name), "one with a conducting state", hint)
    return scheme


def rate_ranges(scheme: Scheme) -> dict[str, Range]:
    """Unit and range of every rate of a scheme, in the scheme's order."""
    return dict(_ranges(scheme.transitions))


@functools.lru_cache(maxsize=64)
def _ranges(transitions: tuple[Transition, ...]) -> dict[str, Range]:
    return {t.rate: FIRST_ORDER if t.binds is None else SECOND_ORDER for t in transitions}


def complete_rates(scheme: Scheme, rates: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The rates as leaves, in the scheme's order.

    Raises:
        ValidationError: If one is missing, or one is given that the scheme does not have.
    """
    names = scheme.rate_names
    for name in rates:
        if name not in names:
            hint = nearest(name, names)
            raise ValidationError(f"{path}.{name}", "given", f"a rate of the scheme {scheme.name}", hint)
    for name in names:
        if name not in rates:
            unit = scheme.unit(name)
            raise ValidationError(
                f"{path}.{name}", "missing", f"given in {unit} for the scheme {scheme.name}"
            )
    return {name: as_leaf(rates[name]) for name in names}


def complete_q10(
    scheme: Scheme, q10: Mapping[str, Any], path: str, extra: Mapping[str, float]
) -> dict[str, Any]:
    """A Q10 for each rate: what is given, else the scheme's default, else `NO_Q10`.

    Args:
        scheme: The scheme.
        q10: Given values by rate name.
        path: Path of the part, for the message.
        extra: Further quantities that have a Q10, with their default.

    Raises:
        ValidationError: If a name is unknown.
    """
    names = (*scheme.rate_names, *extra)
    for name in q10:
        if name not in names:
            raise ValidationError(f"{path}.q10.{name}", "unknown", "the name of a rate", nearest(name, names))
    merged = dict(extra) | dict(scheme.q10) | dict(q10)
    for name in names:
        merged.setdefault(name, NO_Q10)
    return {name: as_leaf(merged[name]) for name in names}


def without_q10(scheme: Scheme, q10: Mapping[str, Any]) -> list[str]:
    """Rates for which neither a Q10 is given nor the scheme has a default, and which keep their value."""
    return [name for name in scheme.rate_names if name not in q10 and name not in dict(scheme.q10)]


def check_rates(scheme: Scheme, rates: Mapping[str, Any], q10: Mapping[str, Any], path: str) -> None:
    """Refuse impossible rates and Q10s.

    Raises:
        ValidationError: Naming the rate.
    """
    ranges = rate_ranges(scheme)
    for name, value in rates.items():
        check_value(value, ranges[name], f"{path}.{name}")
    for name, value in q10.items():
        check_value(value, Q10, f"{path}.q10.{name}")


def warmed(value: Scalar, q10: Scalar, change: Scalar) -> Scalar:
    """A rate after a change of temperature: rate Q10^(change / 10 degC).

    Args:
        value: The rate at the reference temperature.
        q10: Its Q10.
        change: Temperature minus reference temperature [degC].
    """
    return as_leaf(value * q10 ** (change / 10.0))
