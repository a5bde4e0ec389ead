"""A disease or a drug as data: a list of parameters with what becomes of them, checked before it is applied.

A recipe is read from YAML (`nmjmc.yaml_file`) and holds numbers and texts only; nothing of it is ever run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from nmjmc.errors import ValidationError, nearest
from nmjmc.junction.build import STAGES
from nmjmc.junction.modifier import Change, alter
from nmjmc.numbers import plain_text
from nmjmc.synapse import modifier as synapses
from nmjmc.synapse.modifier import compose
from nmjmc.synapse.parameter import Range, convert, parameters
from nmjmc.synapse.presets import preparation
from nmjmc.units import to_internal
from nmjmc.yaml_file import read_yaml

HOW = ("scale", "set", "widen")
_WORDS = ("parameter", *HOW, "source")
_PLAIN = Range("", "0", "1e6")


class Alteration(NamedTuple):
    """One parameter and its change at the full effect.

    Attributes:
        path: For example `synapse.receptor.density`.
        how: `scale`, `set` or `widen`.
        value: Factor, value [internal units] or coefficient of variation.
    """

    path: str
    how: str
    value: float

    def at(self, effect: float) -> Change:
        """The change at a part of the full effect, 0 to 1: in proportion."""
        if self.how == "scale":
            return alter(self.path, lambda old: old * (1.0 - effect * (1.0 - self.value)))
        if self.how == "set":
            return alter(self.path, lambda old: (1.0 - effect) * old + effect * self.value)
        return alter(self.path, lambda old: np.hypot(old, effect * self.value))


def altered(alterations: Iterable[Alteration], effect: float) -> Change:
    """All changes at a part of their full effect."""
    return compose(*(item.at(effect) for item in alterations))


def read_alteration(given: Any, where: str, more: tuple[str, ...] = ()) -> Alteration:
    """One change of a recipe.

    Args:
        given: A mapping with `parameter`, one of `scale`, `set` and `widen`, and a `source` if it has one of its own.
        where: Of it in the recipe, for messages.
        more: Further keys that it may have.

    Raises:
        ValidationError: For a key, a parameter or a value that cannot be right.
    """
    refuse_unknown(given, (*_WORDS, *more), where)
    path = given.get("parameter")
    if not isinstance(path, str):
        shown = "missing" if path is None else repr(path)
        raise ValidationError(
            f"{where}.parameter", shown, "the path of a parameter", "synapse.receptor.density"
        )
    allowed = _range(path, where)
    how = [name for name in HOW if name in given]
    if len(how) != 1:
        actual = " and ".join(how) or "none of them"
        raise ValidationError(
            where, f"{path} with {actual}", f"given one of {', '.join(HOW)}", "for example scale: 0.5"
        )
    field, value = f"{where}.{how[0]}", given[how[0]]
    if how[0] == "set":
        return Alteration(path, "set", float(convert(value, allowed, field)))
    return Alteration(path, how[0], checked_number(value, field, _PLAIN))


def checked_number(value: Any, field: str, allowed: Range) -> float:
    """A number within a range, in internal units.

    Raises:
        ValidationError: Outside, or with a wrong unit.
    """
    amount = to_internal(value, allowed.unit, field)
    if not allowed.holds(amount):
        raise ValidationError(field, value, allowed.words(amount))
    return float(amount)


def refuse_unknown(given: Any, valid: tuple[str, ...], where: str) -> None:
    """Refuse what is no mapping, and keys that are not known.

    Raises:
        ValidationError: With the nearest key.
    """
    if not isinstance(given, Mapping):
        raise ValidationError(where, repr(given), f"a mapping with {', '.join(valid)}")
    for key in given:
        if key not in valid:
            raise ValidationError(f"{where}.{key}", "unknown", "a known key", nearest(str(key), valid))


def read_source(given: Mapping[str, Any], where: str) -> str:
    """Where the numbers of a recipe come from; a recipe without a source is refused.

    Raises:
        ValidationError: If there is none.
    """
    source = given.get("source")
    if not isinstance(source, str) or not source.strip():
        shown = "missing" if source is None else repr(source)
        hint = "a paper with the mark of how it was read, or: a choice"
        raise ValidationError(f"{where}.source", shown, "where its numbers come from", hint)
    return source.strip()


def read_list(given: Mapping[str, Any], where: str) -> list[Any]:
    """The `changes` of a recipe.

    Raises:
        ValidationError: If they are no list.
    """
    changes = given.get("changes", [])
    if not isinstance(changes, list):
        raise ValidationError(f"{where}.changes", repr(changes), "a list of parameters with their changes")
    return changes


def _range(path: str, where: str) -> Range:
    part, _, rest = path.partition(".")
    known = _paths()
    if path in known:
        return known[path]
    if (
        part == "synapse"
    ):  # a rate of another scheme than the human preparation's is checked when it is applied
        if rest.startswith("receptor.") and rest.endswith("_rate"):
            return Range("/s", "0 /s")
    hint = nearest(path, [name for name in known if name.startswith(f"{part}.")] or known)
    raise ValidationError(f"{where}.parameter", repr(path), "a parameter of the junction", hint)


@cache
def _paths() -> Mapping[str, Range]:
    """Every parameter of a junction with one value, by its path; built once, for a disease asks many times."""
    human = preparation("human")
    by_name = {f"synapse.{name}": synapses.allowed_range(human, name) for name in synapses.paths(human)}
    for stage, part in STAGES.items():
        by_name |= {f"{stage}.{item.name}": allowed for item, allowed in parameters(part)}
    return {path: allowed for path, allowed in by_name.items() if not allowed.ndim}


def is_own(name: str) -> bool:
    """Whether a name is that of a YAML file.

    Raises:
        ValidationError: If it is no text.
    """
    name = plain_text(name, "the name of a disease or a drug", "a text")
    return name.endswith((".yaml", ".yml"))


def read_own(path: str, kind: str) -> tuple[str, Mapping[str, Any]]:
    """The name and the mapping of a user's own disease or drug.

    Args:
        path: The file.
        kind: `pathology` or `drug`.

    Raises:
        ValidationError: If it cannot be read, or is no mapping.
    """
    content = read_yaml(path, kind)
    if not isinstance(content, Mapping):
        raise ValidationError(kind, path, f"a file with kind: {kind}, source and changes")
    name = content.get("name") or path.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z]\w*", name):
        raise ValidationError(
            f"{kind}.name", repr(name), "a word of letters, digits and _", "write name: my_own there"
        )
    return name, content


def refuse_taken(name: str, kind: str, known: Mapping[str, Any]) -> None:
    """Refuse a definition of a user's own that has the name of a known one.

    Raises:
        ValidationError: Naming it.
    """
    if name in known:
        hint = "write name: my_own there"
        raise ValidationError(f"{kind}.name", f"{name!r}, which is taken", "a name of its own", hint)
