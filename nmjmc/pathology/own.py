"""A disease from a mapping, as a YAML file of `configs/diseases` or of a user holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nmjmc.errors import ValidationError
from nmjmc.junction.modifier import Change
from nmjmc.junction.recipe import (
    Alteration,
    altered,
    read_alteration,
    read_list,
    read_source,
    refuse_unknown,
)

KEYS = ("kind", "name", "title", "source", "changes")


@dataclass(frozen=True)
class Recipe:
    """A disease as data: called with a severity it gives the change, as the functions do.

    Attributes:
        name: Its name.
        title: What it is, in words.
        source: Where its numbers come from.
        alterations: At severity 1.
    """

    name: str
    title: str
    source: str
    alterations: tuple[Alteration, ...]

    def __call__(self, severity: float) -> Change:
        """The change at a severity, 0 to 1."""
        return altered(self.alterations, severity)


def read_disease(given: Mapping[str, Any], name: str) -> Recipe:
    """A disease from a mapping.

    Args:
        given: `kind: pathology`, `source`, `changes`, and a `title`.
        name: How it is called.

    Raises:
        ValidationError: For a key or a value that cannot be right.

    Example:
        >>> made = {"kind": "pathology", "source": "a choice",
        ...         "changes": [{"parameter": "terminal.channel_fraction", "scale": 0.5}]}
        >>> from nmjmc.junction.whole import human
        >>> float(read_disease(made, "fewer_channels")(1.0)(human()).terminal.channel_fraction)
        0.5
    """
    refuse_unknown(given, KEYS, name)
    if given.get("kind") != "pathology":
        raise ValidationError(f"{name}.kind", repr(given.get("kind")), "pathology for a disease")
    changes = tuple(
        read_alteration(item, f"{name}.changes[{i}]") for i, item in enumerate(read_list(given, name))
    )
    if not changes:
        raise ValidationError(f"{name}.changes", "empty", "a list with at least one change")
    return Recipe(name, str(given.get("title", "a user's own")), read_source(given, name), changes)
