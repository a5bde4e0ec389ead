"""YAML files of others: data only, of bounded size, every key once, nothing made, nothing looked up elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from nmjmc.errors import ValidationError
from nmjmc.folders import user_path

Plain: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None
"""What YAML and JSON hold: plain values, and lists and mappings of them."""

MOST_BYTES = 4 * 2**20
"""Of one file; a choice."""
MOST_VALUES = 100_000
"""Of one file, each counted as often as an alias repeats it; a choice."""
DEEPEST = 24
"""Mappings and lists within each other; a choice (our own configs have 6)."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = ("", "~", "null", "Null", "NULL")
_TRUE, _FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
# as in YAML 1.2: 010 is no octal number, 1:30 no sexagesimal one, 1_0 and a date are texts
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")}
_TEXT = "tag:yaml.org,2002:str"
# names are texts as they are written, also 1e3, 010 and true
_NAMES = ("file", "name", "preparation", "example", "scheme")
INSTRUCTION = re.compile(r"_(target|args|partial|recursive|convert|group|global|self|package|here)_")
"""Names that tell hydra to call something, or where to put it."""


class Refused(Exception):
    """What a text says that no file of ours may say.

    Args:
        line: Where (from 1).
        value: What stands there.
        allowed: As for `ValidationError`.
        hint: The likely correction.
        key: The key that is meant; empty where it is the whole file.
    """

    def __init__(self, line: int, value: str, allowed: str, hint: str = "", key: str = "") -> None:
        super().__init__(line, value, allowed, hint, key)
        self.line, self.value, self.allowed, self.hint, self.key = line, value, allowed, hint, key


def read_yaml(path: str | Path, what: str, text: str | None = None) -> Any:
    """What a YAML file says, as plain dicts with texts as keys, lists, texts, numbers, truth values and None.

    Names stay texts as they are written: `1_0`, `2020-06-16` and `null` as a key are no numbers, dates or nothing.

    Args:
        path: The file; `~` is the user's home.
        what: The setting that names it, for messages.
        text: What is read in the place of the file's own text.

    Raises:
        ValidationError: If it cannot be read, is too large once its aliases are written out, has a key twice, a tag
            of another language, an interpolation `${...}`, or an instruction such as `_target_`.
    """
    path = user_path(path, what)
    try:
        if path.stat().st_size > MOST_BYTES:
            size = f"{path}, of {path.stat().st_size / 2**20:,.0f} MiB"
            raise ValidationError(what, size, f"a YAML file of at most {MOST_BYTES // 2**20} MiB")
        return parsed(path.read_text(encoding="utf-8-sig") if text is None else text)
    except (OSError, UnicodeDecodeError) as error:
        raise ValidationError(what, str(path), "a YAML file that can be read") from error
    except Refused as error:
        actual = f"{error.key or what} ({path}, line {error.line})"
        raise ValidationError(actual, error.value, error.allowed, error.hint) from error


def parsed(text: str) -> Any:
    """What a YAML text says; as `read_yaml`.

    Raises:
        Refused: With the line.
    """
    builder, line = _Builder(), 1
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            line = event.start_mark.line + 1
            builder.take(event, line)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        why = str(getattr(error, "problem", None) or "it has a letter that YAML does not know")
        raise Refused(mark.line + 1 if mark else line, f"no YAML: {why}", "YAML that can be read") from error
    return builder.root


@dataclass
class _Open:
    """A mapping or a list whose end has not come yet."""

    made: Any
    line: int
    anchor: str | None
    size: int = 1
    key: str | None = None
    own: set[str] = field(default_factory=set)


class _Builder:
    """Puts events together, and counts what stands in all as if every alias were written out."""

    def __init__(self) -> None:
        self.root: Any = None
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._documents = 0

    def take(self, event: yaml.Event, line: int) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise Refused(line, "a second document", "one document", "leave the line --- out")
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise Refused(
                    line, f"*{event.anchor}", "an alias of something that stands above it, and whole"
                )
            self._put(*self._anchors[event.anchor], line, is_alias=True)
        elif isinstance(event, yaml.ScalarEvent):
            made = self._scalar(event, line)
            self._remember(event.anchor, made, 1)
            self._put(made, 1, line)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._begin(event, line)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            done = self._open.pop()
            self._remember(done.anchor, done.made, done.size)
            self._put(done.made, done.size, done.line)

    def _begin(self, event: Any, line: int) -> None:
        _check_tag(event.tag, line)
        top = self._open[-1] if self._open else None
        if top is not None and isinstance(top.made, dict) and top.key is None:
            raise Refused(line, "a list or a mapping", "a word", key="a key")
        if len(self._open) >= DEEPEST:
            allowed = f"at most {DEEPEST} mappings and lists within each other"
            raise Refused(line, "nested deeper than that", allowed)
        self._open.append(_Open({} if isinstance(event, yaml.MappingStartEvent) else [], line, event.anchor))

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> Any:
        _check_tag(event.tag, line)
        top = self._open[-1] if self._open else None
        is_key = top is not None and isinstance(top.made, dict) and top.key is None
        if "${" in event.value:
            key = "a key" if is_key or top is None or top.key is None else top.key
            raise Refused(line, repr(event.value), "written out", NO_INTERPOLATION, key)
        if is_key:
            if INSTRUCTION.fullmatch(event.value):
                hint = "a config is data, and calls nothing"
                raise Refused(line, repr(event.value), "a setting or a parameter", hint, "a key")
            return event.value
        if not event.implicit[0] and event.tag in (None, "!", _TEXT):
            return event.value
        is_name = top is not None and top.key in _NAMES and event.value not in _NULL
        return event.value if is_name else scalar(event.value)

    def _remember(self, anchor: str | None, made: Any, size: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = (made, size)

    def _put(self, made: Any, size: int, line: int, is_alias: bool = False) -> None:
        if not self._open:
            self.root = made
            return
        top = self._open[-1]
        top.size += size
        if sum(node.size for node in self._open) > MOST_VALUES:
            hint = "its aliases are counted as often as they repeat it" if is_alias else ""
            raise Refused(line, "larger", f"a file of at most {MOST_VALUES:,} values", hint)
        if isinstance(top.made, list):
            top.made.append(made)
        elif top.key is None:
            top.key = _new_key(top, made, line)
        elif top.key == "<<":
            _merge(top, made, line)
            top.key = None
        else:
            top.made[top.key] = made
            top.own.add(top.key)
            top.key = None


NO_INTERPOLATION = "${...} is not looked up, so that no file and no word can read your environment"


def _new_key(top: _Open, made: Any, line: int) -> str:
    if not isinstance(made, str):
        raise Refused(line, "a list or a mapping", "a word", key="a key")
    if made in top.own:
        raise Refused(line, repr(made), "given once", "it stands twice in the same mapping", "a key")
    return made


def _merge(top: _Open, made: Any, line: int) -> None:
    """YAML's `<<`: what stands there too wins."""
    for some in made if isinstance(made, list) else [made]:
        if not isinstance(some, dict):
            raise Refused(line, repr(some), "a mapping, or a list of mappings", key="<<")
        for name, value in some.items():
            top.made.setdefault(name, value)


def _check_tag(tag: str | None, line: int) -> None:
    if tag not in (None, "!") and tag not in _TAGS:
        hint = "a file is data, and makes no objects"
        raise Refused(line, f"given with the tag {tag}", "plain data without a tag", hint)


def scalar(text: str) -> Any:
    """A plain word of YAML: a number, a truth value, nothing, or text."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _WHOLE.fullmatch(text) and len(text) < 4000:
        return int(text)
    if _NUMBER.fullmatch(text) and not re.match(r"[-+]?0[0-9]", text):
        return float(text)
    if _INFINITE.fullmatch(text):
        return float(text.replace(".", ""))
    return text


def nested(found: Mapping[str, Any]) -> dict[str, Any]:
    """Keys that are paths (`receptor.density: 3000 /um^2`) as mappings in mappings.

    Raises:
        ValidationError: If a value is given in both ways.
    """
    whole: dict[str, Any] = {}
    for key, value in found.items():
        node = whole
        *parents, last = key.split(".")
        for parent in parents:
            below = node.setdefault(parent, {})
            if not isinstance(below, dict):
                raise ValidationError("a key", repr(key), "a setting or a parameter", f"{parent} is a value")
            node[parent] = node = dict(below)
        if last in node and not (isinstance(node[last], dict) and isinstance(value, dict)):
            raise ValidationError("a key", repr(key), "given once")
        node[last] = {**node[last], **value} if last in node else value
    return whole


def texts(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a plain mapping, keys among them, with the path of what holds it."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield path, str(key)
            yield from texts(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list | tuple):
        for index, value in enumerate(node):
            yield from texts(value, f"{path}[{index}]")
    elif isinstance(node, str):
        yield path, node


class _Dumper(yaml.SafeDumper):
    """Writes what `parsed` reads back to the same values: texts that look like numbers are quoted."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _written(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    is_plain = (
        isinstance(scalar(text), str)
        and yaml.SafeLoader("").resolve(yaml.ScalarNode, text, (True, False)) == _TEXT
    )
    style = None if is_plain else "'" if text.isprintable() else '"'
    return dumper.represent_scalar(_TEXT, text, style=style)


_Dumper.add_representer(str, _written)


def to_yaml(content: Mapping[str, Any]) -> str:
    """A plain nested mapping as YAML."""
    readable = all(text.isprintable() for _, text in texts(content))
    return yaml.dump(dict(content), Dumper=_Dumper, sort_keys=False, allow_unicode=readable, width=110)
