"""Diseases and drugs as words: `pathology=NAME:SEVERITY+NAME:SEVERITY`, `drug=NAME:DOSE`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nmjmc import config_file
from nmjmc.cli import values
from nmjmc.cli.compose import Change, changes_of
from nmjmc.cli.words import Word
from nmjmc.errors import ValidationError
from nmjmc.treatments import AMOUNTS, KINDS, NOTHING, definition_in, named
from nmjmc.written import as_text
from nmjmc.yaml_file import read_yaml

_FILE = re.compile(r"[^\s,+:=\[\]{}'\"]+\.ya?ml\b")
_TREATED = {"pathology": "pathology", "drug": "drug", "agent": "drug"}


def with_files(words: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Words in which a user's own files stand as the names of what they define, and these definitions by name.

    `pathology=mine.yaml:0.5` becomes `pathology=mine:0.5`; what a `config=FILE` defines is known too.

    Raises:
        ValidationError: For a file that cannot be right, or a name that is taken.
    """
    own: dict[str, Any] = {}
    for word in words:
        if word.startswith("config="):
            held = read_yaml(config_file.path_of(word.removeprefix("config=")), "config")
            given = held.get("definitions") if isinstance(held, Mapping) else None
            own |= dict(given) if isinstance(given, Mapping) else {}

    def defined(path: str, kind: str) -> str:
        name, own[name] = definition_in(path, kind, own)
        return name

    def replaced(word: str) -> str:
        kind = _TREATED.get(word.lstrip("+").partition("=")[0])
        return word if kind is None else _FILE.sub(lambda match: defined(match.group(), kind), word)

    return [replaced(word) for word in words], own


def reading(own: Mapping[str, Any]) -> Callable[[Sequence[Word], bool], list[Change]]:
    """How words are read that may tell of diseases and drugs.

    A kind may be given several times, and `pathology.severity=0.3` or `drug.dose="1 uM"` names the amount of the only
    one. With `-m` a comma separates the points of a sweep.

    Args:
        own: Definitions that files hold.

    Returns:
        What the words change; a name that is unknown or given twice, or a drug without a dose, is refused.
    """

    def changes(words: Sequence[Word], is_sweep: bool) -> list[Change]:
        rest = [word for word in words if not _is_ours(word)]
        kept = [
            _change(kind, [w for w in words if _is_ours(w) and w.top == kind], is_sweep, own)
            for kind in KINDS
        ]
        definitions = [Change("definitions", [dict(own)], is_whole=True)] if own else []
        return [*definitions, *(change for change in kept if change), *changes_of(rest, is_sweep)]

    return changes


def _is_ours(word: Word) -> bool:
    is_kind = word.key in KINDS and not (word.text or "").strip().startswith("{")
    return not word.is_out and (
        is_kind or word.key in [f"{kind}.{amount}" for kind, amount in AMOUNTS.items()]
    )


def _change(kind: str, words: Sequence[Word], is_sweep: bool, own: Mapping[str, Any]) -> Change | None:
    """The diseases or the drugs that words name."""
    texts = [word.text or "" for word in words if word.key == kind]
    texts = [text for text in texts if text.strip().casefold() not in NOTHING]
    amounts = [as_text(word.text or "") for word in words if word.key != kind]
    if len(amounts) > 1:
        raise ValidationError(f"{kind}.{AMOUNTS[kind]}", "given twice", "given once")
    if not texts and not amounts:
        return None
    if is_sweep and len(texts) == 1:
        return Change(kind, [named(kind, [some], own, *amounts) for some in values.choices(kind, texts[0])])
    return Change(kind, [named(kind, texts, own, *amounts)])
