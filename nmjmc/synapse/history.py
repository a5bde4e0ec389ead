"""What diseases and drugs have left behind at a synapse, so that the next one composes with them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from nmjmc.errors import ValidationError
from nmjmc.synapse.mapping import refuse_unknown, submapping
from nmjmc.synapse.parameter import Range, convert, text


class Solute(NamedTuple):
    """A dissolved drug.

    Attributes:
        name: Its name.
        concentration: In all, free and bound to another [uM].
        dissociation: Of a receptor's site [uM]; infinite for one that does not block it.
        guests: What it encapsulates, one molecule each, with the dissociation constant [uM].
    """

    name: str
    concentration: float
    dissociation: float = float("inf")
    guests: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class History:
    """The diseases and drugs that have been applied; no physics reads it, only the next disease or drug.

    Attributes:
        applied: Their names.
        inhibition: What stands at the esterase's active site: sum of c / K of reversible inhibitors, and k c t of an
            irreversible one.
        solutes: Drugs that block the receptor's sites, and those that bind them.
    """

    applied: tuple[str, ...] = ()
    inhibition: tuple[float, float] = (0.0, 0.0)
    solutes: tuple[Solute, ...] = ()


NONE = History()
"""Of a synapse that no disease or drug has changed."""

_KEY = "history"
_LEVEL = Range("uM", "0 uM", "1e6 uM")
_CONSTANT = Range("uM", "0 uM", infinite=True)
_SUM = Range("", "0", infinite=True)


def read_history(given: Any) -> History:
    """What diseases and drugs have left behind, as `describe` writes it."""
    refuse_unknown(_KEY, given, ("applied", "inhibition", "solutes"))
    if not given:
        return NONE
    bound, solutes = submapping(given, _KEY, "inhibition"), submapping(given, _KEY, "solutes")
    refuse_unknown(f"{_KEY}.inhibition", bound, ("reversible", "irreversible"))
    applied = given.get("applied", [])
    if not isinstance(applied, list | tuple):
        raise ValidationError(f"{_KEY}.applied", repr(applied), "a list of names")
    reversible, irreversible = (
        float(convert(bound.get(name, 0.0), _SUM, f"{_KEY}.inhibition.{name}"))
        for name in ("reversible", "irreversible")
    )
    made = tuple(_solute(str(name), value) for name, value in solutes.items())
    return History(tuple(str(name) for name in applied), (reversible, irreversible), made)


def _solute(name: str, given: Any) -> Solute:
    where = f"{_KEY}.solutes.{name}"
    refuse_unknown(where, given, ("concentration", "dissociation", "guests"))
    guests = submapping(given, where, "guests")
    return Solute(
        name,
        float(convert(given.get("concentration", 0.0), _LEVEL, f"{where}.concentration")),
        float(convert(given.get("dissociation", float("inf")), _CONSTANT, f"{where}.dissociation")),
        tuple((str(g), float(convert(k, _LEVEL, f"{where}.guests.{g}"))) for g, k in guests.items()),
    )


def describe_history(history: History) -> dict[str, Any]:
    """The mapping from which `read_history` makes the same."""
    reversible, irreversible = history.inhibition
    return {
        "applied": list(history.applied),
        "inhibition": {"reversible": reversible, "irreversible": irreversible},
        "solutes": {s.name: _describe_solute(s) for s in history.solutes},
    }


def _describe_solute(solute: Solute) -> dict[str, Any]:
    blocks = {"dissociation": text(solute.dissociation, _LEVEL)} if math.isfinite(solute.dissociation) else {}
    guests = {"guests": {g: text(k, _LEVEL) for g, k in solute.guests}} if solute.guests else {}
    return {"concentration": text(solute.concentration, _LEVEL), **blocks, **guests}
