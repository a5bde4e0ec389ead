"""A drug from a mapping, as a YAML file of `configs/drugs` or of a user holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nmjmc.errors import ValidationError, nearest
from nmjmc.junction.modifier import Change, concentration, named
from nmjmc.junction.recipe import (
    Alteration,
    checked_number,
    read_alteration,
    read_list,
    read_source,
    refuse_unknown,
)
from nmjmc.junction.solutes import Solute
from nmjmc.pharmacology.competitive import dissolve
from nmjmc.pharmacology.esterase import inhibit
from nmjmc.synapse.modifier import compose
from nmjmc.synapse.parameter import Range

KEYS = ("kind", "name", "title", "source", "blocks", "inhibits", "encapsulates", "changes")
ACTIONS = KEYS[4:]
CONSTANT = Range("uM", "0 uM", "1e6 uM", open_low=True)
STEEPNESS = Range("", "0.1", "20")


@dataclass(frozen=True)
class Graded:
    """A parameter that a drug changes by c^n / (c^n + half^n) of its full effect.

    Attributes:
        alteration: At the full effect.
        half: Concentration of half the effect [uM].
        hill: n.
    """

    alteration: Alteration
    half: float
    hill: float

    def at(self, dose: float) -> Change:
        """The change at a concentration [uM]."""
        effect = 0.0 if dose == 0 else 1.0 / (1.0 + (self.half / dose) ** self.hill)
        return self.alteration.at(effect)


@dataclass(frozen=True)
class Recipe:
    """A drug as data: called with a dose it gives the change, as the functions do.

    Attributes:
        name: Its name.
        title: What it is, in words.
        source: Where its numbers come from.
        dissociation: Of a site of the receptor that it blocks [uM]; None for none.
        inhibition: Where half of the esterase is inhibited [uM]; None for none.
        guests: What it encapsulates, with dissociation constants [uM].
        graded: Further parameters that it changes.
    """

    name: str
    title: str
    source: str
    dissociation: float | None
    inhibition: float | None
    guests: tuple[tuple[str, float], ...]
    graded: tuple[Graded, ...]

    @property
    def half(self) -> float:
        """The concentration of which `doses=auto` takes multiples [uM]."""
        others = (*(k for _, k in self.guests), *(g.half for g in self.graded))
        return next(x for x in (self.dissociation, self.inhibition, *others) if x is not None)

    def __call__(self, dose: Any) -> Change:
        """The change at a dose, number in uM or text with a unit."""
        c = concentration(dose, f"drug.{self.name}")
        changes = [g.at(c) for g in self.graded]
        if self.inhibition is not None:
            changes.append(inhibit(c / self.inhibition, 0.0))
        if self.dissociation is not None or self.guests:
            constant = float("inf") if self.dissociation is None else self.dissociation
            changes.append(dissolve(Solute(self.name, c, constant, self.guests)))
        return named(self.name, compose(*changes))


def read_drug(given: Mapping[str, Any], name: str) -> Recipe:
    """A drug from a mapping.

    Args:
        given: `kind: drug`, `source`, a `title`, and what it does: `blocks: {dissociation: 30 nM}`,
            `inhibits: {half: 1 uM}`, `encapsulates: {rocuronium: 26 nM}`, `changes` with `half` and `hill` each.
        name: How it is called.

    Raises:
        ValidationError: For a key or a value that cannot be right.
    """
    refuse_unknown(given, KEYS, name)
    if given.get("kind") != "drug":
        raise ValidationError(f"{name}.kind", repr(given.get("kind")), "drug for a drug")
    if not any(given.get(action) for action in ACTIONS):
        raise ValidationError(name, "without an action", f"given one of {', '.join(ACTIONS)}")
    graded = tuple(_graded(item, f"{name}.changes[{i}]") for i, item in enumerate(read_list(given, name)))
    guests = given.get("encapsulates") or {}
    refuse_unknown(
        guests, tuple(map(str, guests)) if isinstance(guests, Mapping) else (), f"{name}.encapsulates"
    )
    return Recipe(
        name, str(given.get("title", "a user's own")), read_source(given, name),
        _constant(given, name, "blocks", "dissociation"), _constant(given, name, "inhibits", "half"),
        tuple((str(g), checked_number(k, f"{name}.encapsulates.{g}", CONSTANT)) for g, k in guests.items()), graded,
    )  # fmt: skip


def _constant(given: Mapping[str, Any], name: str, action: str, key: str) -> float | None:
    if given.get(action) is None:
        return None
    where = f"{name}.{action}"
    refuse_unknown(given[action], (key,), where)
    if key not in given[action]:
        raise ValidationError(f"{where}.{key}", "missing", "a concentration, for example 30 nM")
    return checked_number(given[action][key], f"{where}.{key}", CONSTANT)


def _graded(given: Any, where: str) -> Graded:
    alteration = read_alteration(given, where, ("half", "hill"))
    if alteration.how == "widen":
        raise ValidationError(
            f"{where}.widen", "given", "scale or set for a drug", nearest("scale", ("scale",))
        )
    if "half" not in given:
        raise ValidationError(
            f"{where}.half", "missing", "the concentration of half the effect", "half: 1 uM"
        )
    half = checked_number(given["half"], f"{where}.half", CONSTANT)
    return Graded(alteration, half, checked_number(given.get("hill", 1.0), f"{where}.hill", STEEPNESS))
