"""What differs between two descriptions of a synapse or a junction, and how a description is told to a reader."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from nmjmc.errors import ValidationError

WIDTH = 100
_NUMBER = re.compile(r"([-+]?[\d.]+(?:[eE][-+]?\d+)?|[-+]?inf|nan)( .*)?")
_MOST = 4  # entries of a list that are written out
_QUIET = ("q10", "diffusion_q10", "reference_temperature", "reference_voltage")  # told only where they differ


def flat(described: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Every value of a description by its path; a scheme that is written out is one value."""
    by_name: dict[str, Any] = {}
    for key, value in described.items():
        path = f"{above}.{key}" if above else str(key)
        is_value = not isinstance(value, Mapping) or key in ("scheme", "history")
        by_name |= {path: value} if is_value else flat(value, path)
    return by_name


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What differs, by path: the value before and after, None where there is none.

    Args:
        before: A description, as `describe` gives it: exact texts, so that the same text is the same bits.
        after: Another one.
    """
    old, new = flat(before), flat(after)
    paths = [*new, *(path for path in old if path not in new)]
    return {p: (old.get(p), new.get(p)) for p in paths if old.get(p) != new.get(p)}


def as_partial(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The nested mapping that makes the second description of the first; null takes a value away."""
    made: dict[str, Any] = {}
    for path, (_, value) in differences(before, after).items():
        *above, last = path.split(".")
        node = made
        for key in above:
            node = node.setdefault(key, {})
        node[last] = value
    return made


def merged(below: Mapping[str, Any], above: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """A nested mapping with another one on top of it; a scheme that is written out takes the place of another.

    Args:
        below: The one.
        above: The other.
        path: Of both, for messages.

    Raises:
        ValidationError: Where a part is given as a value.
    """
    whole = dict(below)
    for key, value in above.items():
        under = whole.get(key)
        if isinstance(under, Mapping) and key not in ("scheme", "history"):
            if not isinstance(value, Mapping):
                raise ValidationError(f"{path}{key}", repr(value), "a mapping of parameters")
            whole[key] = merged(under, value, f"{path}{key}.")
        else:
            whole[key] = value
    return whole


def merged_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """A config with another on top; where one has a value and the other a mapping, the upper one stands."""
    whole = dict(below)
    for key, value in above.items():
        both = isinstance(whole.get(key), Mapping) and isinstance(value, Mapping)
        whole[key] = merged(whole[key], value, f"{key}.") if both else value
    return whole


def with_value(
    node: Mapping[str, Any], path: Sequence[str], value: Any, is_whole: bool = False
) -> dict[str, Any]:
    """A nested mapping with a value at a path; what it shares with others is copied on the way.

    Args:
        node: The mapping.
        path: The keys.
        value: A mapping is put on top of one that is there.
        is_whole: Whether it takes the place of that one.
    """
    head, *rest = path
    under = node.get(head)
    if rest:
        value = with_value(under if isinstance(under, Mapping) else {}, rest, value, is_whole)
    elif isinstance(under, Mapping) and isinstance(value, Mapping) and not is_whole and head != "scheme":
        value = merged(under, value)
    return {**node, head: value}


def without(node: Mapping[str, Any], path: Sequence[str]) -> tuple[Any, dict[str, Any]]:
    """What stands at a path, and the nested mapping without it.

    Raises:
        KeyError: If nothing stands there.
    """
    head, *rest = path
    if not isinstance(node, Mapping) or head not in node:
        raise KeyError(head)
    if rest:
        held, below = without(node[head], rest)
        return held, {**node, head: below}
    return node[head], {name: kept for name, kept in node.items() if name != head}


def shown(value: Any) -> str:
    """A value of a description in a few letters: six digits, and lists as their length."""
    if value is None:
        return "none"
    if isinstance(value, list | tuple):
        inner = [shown(item) for item in value]
        return f"[{', '.join(inner)}]" if len(inner) <= _MOST else f"{len(inner)} values"
    if isinstance(value, Mapping):
        return str(value.get("name", f"{len(value)} values"))
    match = _NUMBER.fullmatch(str(value))
    return f"{float(match[1]):.6g}{match[2] or ''}" if match else str(value)


def change_in_words(before: Any, after: Any) -> str:
    """A change as `7500 -> 4000 /um^2`."""
    old, new = shown(before), shown(after)
    if old == new:  # less than six digits tell
        old, new = str(before), str(after)
    unit = new.partition(" ")[2]
    return f"{old.removesuffix(f' {unit}') if unit else old} -> {new}"


def changes_in_words(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    """Each difference by its path, as `7500 -> 4000 /um^2`."""
    changed = differences(before, after)
    return {path: change_in_words(*both) for path, both in changed.items() if path not in ("name", "history")}


def as_text(
    title: str, described: Mapping[str, Any], preset: Mapping[str, Any] | None, parts: Collection[str]
) -> str:
    """A description in a few lines, and below them what differs from its preset.

    Args:
        title: The first line.
        described: What `describe` gives.
        preset: The description of the preset; None where there is none.
        parts: Those whose values are told.
    """
    lines = [title]
    for part, values in described.items():
        if part in parts:
            lines += _wrapped(part, ", ".join(_pairs(values)))
    if applied := (described.get("history") or {}).get("applied"):
        lines += _wrapped("applied", ", ".join(applied))
    if preset is not None:
        changes = [f"{path} {words}" for path, words in changes_in_words(preset, described).items()]
        lines += [
            "  as its preset" if not changes else "  but for its preset:",
            *(f"    {c}" for c in changes),
        ]
    return "\n".join(lines)


def part_in_words(name: str, described: Mapping[str, Any]) -> str:
    """A part in a few lines."""
    return textwrap.fill(f"{name}: {', '.join(_pairs(described))}", WIDTH, subsequent_indent="  ")


def _pairs(values: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for key, value in values.items():
        if key in _QUIET:
            continue
        if isinstance(value, Mapping) and key != "scheme":
            yield from _pairs(value, f"{above}{key}.")
        else:
            yield f"{above}{key} {shown(value)}"


def _wrapped(part: str, text: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=f"  {part:<9} ", subsequent_indent=" " * 12, break_long_words=False
    )


def as_html(title: str, described: Mapping[str, Any], preset: Mapping[str, Any] | None) -> str:
    """A description as a table with what differs from its preset in bold."""
    old = {} if preset is None else flat(preset)
    rows = []
    for path, value in flat(described).items():
        changed = preset is not None and path not in ("name", "history") and old.get(path) != value
        told = shown(value.get("applied", [])) if path == "history" else shown(value)
        cells = (path, f"<b>{html.escape(told)}</b>" if changed else html.escape(told))
        was = html.escape(shown(old.get(path))) if changed else ""
        rows.append(f"<tr><td>{cells[0]}</td><td>{cells[1]}</td><td>{was}</td></tr>")
    head = "<tr><th>parameter</th><th>value</th><th>preset, where it differs</th></tr>"
    return f"<details><summary>{html.escape(title)}</summary><table>{head}{''.join(rows)}</table></details>"
