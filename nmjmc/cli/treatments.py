"""Diseases and drugs as words: `pathology=NAME:SEVERITY+NAME:SEVERITY`, `drug=NAME:DOSE`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from nmjmc.cli.config_file import path_of
from nmjmc.cli.overrides import SIMULATE, prepare
from nmjmc.errors import ValidationError
from nmjmc.treatments import (
    AMOUNTS,
    EXAMPLES,
    KINDS,
    NOTHING,
    amounts_in,
    check_name,
    definition_in,
    with_amounts,
)
from nmjmc.yaml_file import read_yaml

_FILE = re.compile(r"[^\s,+:=\[\]{}'\"]+\.ya?ml\b")


def prepared(words: Sequence[str], own: Mapping[str, Any] | None = None) -> list[str]:
    """The words of `nmjmc simulate`, or those that the points of a sweep share, as hydra takes them.

    Args:
        words: As users write them.
        own: Definitions of diseases and drugs that files hold, where these have been read before.
    """
    found, own = with_files(words) if own is None else (words, own)
    return prepare(expand(found, own), SIMULATE, {"definitions": own} if own else None)


def with_files(words: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Words in which a user's own files stand as the names of what they define, and these definitions by name.

    `pathology=mine.yaml:0.5` becomes `pathology=mine:0.5`; what a `config=FILE` defines is known too.

    Raises:
        ValidationError: For a file that cannot be right, or a name that is taken.
    """
    found: dict[str, Any] = {}
    for word in words:
        if word.startswith("config="):
            held = read_yaml(path_of(word), "config")
            given = held.get("definitions") if isinstance(held, Mapping) else None
            found |= dict(given) if isinstance(given, Mapping) else {}

    def replaced(word: str) -> str:
        kind = {"pathology": "pathology", "drug": "drug", "agent": "drug"}.get(_key(word))
        return word if kind is None else _FILE.sub(lambda match: _defined(match.group(), kind, found), word)

    return [replaced(word) for word in words], found


def _defined(path: str, kind: str, found: dict[str, Any]) -> str:
    """The name of what a file defines, which is put among the definitions."""
    name, found[name] = definition_in(path, kind, found)
    return name


def expand(words: Sequence[str], own: Mapping[str, Any] | None = None) -> list[str]:
    """Words as users write them, with diseases and drugs as mappings that hydra reads.

    `pathology=a:0.6+b` becomes `++pathology={a:'0.6',b:'1'}`; a word may be given several times, and
    `pathology.severity=0.3` or `drug.dose="1 uM"` names the amount of the only one. With `-m` a comma separates the
    points of a sweep.

    Raises:
        ValidationError: For a name that is unknown or given twice, or a drug without a dose.
    """
    sweeping = any(word in ("-m", "--multirun") for word in words)
    rest = [word for word in words if not _ours(word)]
    # ahead of the others: argparse takes no word behind a flag
    return [*(word for kind in KINDS for word in _expanded(kind, words, sweeping, own or {})), *rest]


def _ours(word: str) -> bool:
    key, _, value = word.lstrip("+").partition("=")
    return (key in KINDS and not value.strip().startswith("{")) or key in [
        f"{kind}.{amount}" for kind, amount in AMOUNTS.items()
    ]


def _expanded(kind: str, words: Sequence[str], sweeping: bool, own: Mapping[str, Any]) -> list[str]:
    given = [word.lstrip("+").partition("=")[2] for word in words if _ours(word) and _key(word) == kind]
    given = [value for value in given if value.strip().casefold() not in NOTHING]
    amounts = [word.partition("=")[2] for word in words if _key(word) == f"{kind}.{AMOUNTS[kind]}"]
    if len(amounts) > 1:
        raise ValidationError(f"{kind}.{AMOUNTS[kind]}", "given twice", "given once")
    if not given:
        if amounts:
            raise ValidationError(
                f"{kind}.{AMOUNTS[kind]}", amounts[0], f"given with a {kind}", EXAMPLES[kind]
            )
        return []
    if sweeping and len(given) == 1:
        made = [_mapping(kind, [piece], amounts, own) for piece in given[0].split(",")]
        return [f"++{kind}={','.join(made)}"]
    for value in given:
        if "," in value:
            hint = f"did you mean {kind}={value.replace(' ', '').replace(',', '+')}?"
            raise ValidationError(kind, repr(value), "several names joined by +", hint)
    return [f"++{kind}={_mapping(kind, given, amounts, own)}"]


def _key(word: str) -> str:
    return word.lstrip("+").partition("=")[0]


def _mapping(kind: str, values: Sequence[str], amounts: Sequence[str], own: Mapping[str, Any]) -> str:
    """One or several `a:x+b:y` as a mapping in hydra's grammar."""
    found = amounts_in(kind, "+".join(values))
    for name in found:
        check_name(kind, name, own=own)
    if amounts:
        if len(found) > 1:
            hint = f"write {kind}=NAME:{AMOUNTS[kind].upper()}+NAME:{AMOUNTS[kind].upper()}"
            raise ValidationError(f"{kind}.{AMOUNTS[kind]}", amounts[0], "given for a single one", hint)
        found = dict.fromkeys(found, amounts[0].strip("\"'"))
    return "{" + ",".join(f"{name}:'{amount}'" for name, amount in with_amounts(kind, found).items()) + "}"
