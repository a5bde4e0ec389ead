"""Another kinetic scheme for a receptor or an esterase, whose other parameters stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from nmjmc.kinetics import Scheme
from nmjmc.synapse.esterase import Esterase
from nmjmc.synapse.parameter import convert
from nmjmc.synapse.rates import Q10, rate_ranges, scheme_of
from nmjmc.synapse.receptor import BATH, CONDUCTANCE_Q10, Receptor

Part = TypeVar("Part", Receptor, Esterase)


def with_scheme(part: Part, name: str, given: Any, changes: Mapping[str, Any]) -> tuple[Part, set[str]]:
    """A part with another scheme.

    Args:
        part: The receptor or the esterase.
        name: `receptor` or `esterase`.
        given: The scheme: a name, a mapping, a file, or a `Scheme`.
        changes: Further changes by path, among them the rates, Q10s and baths that the new scheme alone has.

    Returns:
        The part, and the paths that have been used.

    Raises:
        ValidationError: For a scheme that cannot be that of the part, or a rate that neither the old scheme has nor
            the changes.
    """
    scheme = scheme_of(given, name)
    ranges = rate_ranges(scheme)
    kept = _in_common(part.scheme, scheme)
    new = {
        path: value
        for path, value in changes.items()
        if path.removeprefix(f"{name}.") in ranges or path.startswith((f"{name}.q10.", f"{name}.bath."))
    }
    rates = {rate: part.rates[rate] for rate in kept}
    q10 = {rate: part.q10[rate] for rate in (*kept, *CONDUCTANCE_Q10) if rate in part.q10}
    bath = {k: v for k, v in getattr(part, "bath", {}).items() if k in scheme.bath_ligands}
    for path, value in new.items():
        below = path.removeprefix(f"{name}.")
        group, _, own = below.partition(".")
        if group == "q10" and own:
            q10[own] = convert(value, Q10, path)
        elif group == "bath" and own:
            bath[own] = convert(value, BATH, path)
        else:
            rates[below] = convert(value, ranges[below], path)
    baths = {"bath": bath} if isinstance(part, Receptor) else {}
    return replace(part, scheme=scheme, rates=rates, q10=q10, **baths), set(new)


def _in_common(old: Scheme, new: Scheme) -> list[str]:
    """Rates that both schemes have, of the same order in both."""
    first, second = old.binds_by_rate(), new.binds_by_rate()
    return [rate for rate in new.rate_names if rate in first and first[rate] == second[rate]]
