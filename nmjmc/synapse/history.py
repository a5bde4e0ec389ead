"""What diseases and drugs have left behind at a synapse, so that the next one composes with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


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
