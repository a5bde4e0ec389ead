"""Presets and users' own files of their kinds, as tables: each value with its unit and the source of every number."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import yaml

from nmjmc.errors import ValidationError, nearest
from nmjmc.folders import config_dir, user_path
from nmjmc.junction.presets import junction
from nmjmc.kinetics import load_scheme
from nmjmc.pathology import disease
from nmjmc.pharmacology import drug
from nmjmc.synapse.presets import is_file
from nmjmc.yaml_file import read_yaml

_CHECKS: dict[str, Callable[[str], object]] = {
    "preparation": junction,
    "scheme": load_scheme,
    "diseases": disease,
    "drugs": lambda path: drug(path, 0),
}
"""How a user's own file of a group is checked."""

_KEY = re.compile(r"^[\w.]+(?![\w.])(?! of )")  # "name of a data set" is no key


class Entry(NamedTuple):
    """One value of a YAML file: its path, the value as written, its comment, and its line (from 1)."""

    path: str
    value: str
    comment: str
    line: int


def groups() -> tuple[str, ...]:
    """The groups of presets, such as `preparation` and `scheme`."""
    return tuple(sorted(p.name for p in config_dir().iterdir() if p.is_dir() and p.name != "hydra"))


def preset_file(group: str, name: str) -> Path:
    """The file of a preset, or a file of the user's own, which is checked.

    Raises:
        ValidationError: If there is no such preset, or the file cannot be right.
    """
    if is_file(name) and group in _CHECKS:
        _CHECKS[group](name)
        return user_path(name, group)
    names = {path.stem: path for path in (config_dir() / group).glob("*.yaml")}
    if name not in names:
        raise ValidationError(group, repr(name), f"a known {group}", nearest(name, names))
    return names[name]


def entries(path: Path) -> list[Entry]:
    """Every value of a YAML file, in order.

    Raises:
        ValidationError: If it cannot be read as YAML.
    """
    if not path.is_relative_to(config_dir()):  # our own say where hydra looks things up
        read_yaml(path, "the file")  # of bounded size and depth: here its aliases are written out
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValidationError("the file", str(path), "a YAML file that can be read") from error
    return list(_entries(node, "", text)) if node is not None else []


def _entries(node: yaml.Node, prefix: str, text: str) -> Iterator[Entry]:
    if not isinstance(node, yaml.MappingNode):
        return
    lines = text.splitlines()
    for key, value in node.value:
        path = f"{prefix}{key.value}"
        row = value.end_mark.line if isinstance(value, yaml.ScalarNode) else key.start_mark.line
        comment = _comment(lines[min(row, len(lines) - 1)])
        if isinstance(value, yaml.MappingNode):
            yield Entry(path, "", comment, key.start_mark.line + 1)
            yield from _entries(value, path + ".", text)
        else:
            shown = text[value.start_mark.index : value.end_mark.index].strip()
            yield Entry(path, shown, comment, key.start_mark.line + 1)


def _comment(line: str) -> str:
    """What stands behind the first ` #` of a line."""
    return line.partition(" #")[2].strip()


def located(
    error: ValidationError, given: Sequence[str], files: Iterable[tuple[Path, str]]
) -> ValidationError:
    """The same error, with the file and the line of the refused value where a file holds it.

    Args:
        error: What was refused.
        given: Keys that stand in no file.
        files: Those in which the value may stand, the first of them counts, and what stands before the keys of each.
    """
    key = _key_of(error)
    if not key or " (" in error.field or any(name == key or key.startswith(name + ".") for name in given):
        return error
    for path, prefix in files:
        try:
            lines = {prefix + entry.path: entry.line for entry in entries(path)}
        except ValidationError:
            continue
        if key in lines:
            field = f"{error.field} ({path}, line {lines[key]})"
            return ValidationError(field, error.value, error.allowed, error.hint)
    return error


def _key_of(error: ValidationError) -> str:
    """The path of what was refused: the field, or the value where a key itself is unknown."""
    text = str(error.value).strip("'\"") if error.field == "a key" else error.field
    match = _KEY.match(text)
    return text if error.field == "a key" else match.group() if match else ""


def heading(path: Path) -> str:
    """The comment at the head of a file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    taken = []
    for line in lines:
        if not line.startswith("#"):
            break
        taken.append(line.lstrip("# ").rstrip())
    return "\n".join(line for line in taken if not line.startswith("@package"))


def as_text(group: str, name: str) -> str:
    """A preset as a table: parameter, value with its unit, source."""
    path = preset_file(group, name)
    found = entries(path)
    width = max((len(entry.path) for entry in found), default=0)
    values = max((len(entry.value) for entry in found if len(entry.value) < 40), default=0)
    rows = [f"{e.path.ljust(width)}  {e.value.ljust(values)}  {e.comment}".rstrip() for e in found]
    above = heading(path)
    return "\n".join((*((above, "") if above else ()), *rows, "", f"from {path}"))
