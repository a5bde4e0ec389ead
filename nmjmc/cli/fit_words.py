"""Words of `nmjmc fit`: data sets from files, their options, and lists of parameters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from nmjmc.cli.compose import Change, changes_of
from nmjmc.cli.words import Known, Word
from nmjmc.errors import ValidationError, nearest
from nmjmc.fitting.config import BELOW_FIT, SETTINGS
from nmjmc.fitting.datasets.files import sets_of_files
from nmjmc.fitting.datasets.options import EVERY
from nmjmc.fitting.datasets.read import DEFAULTS
from nmjmc.folders import user_path
from nmjmc.sweeps import axes
from nmjmc.synapse.build import ALL_PARTS
from nmjmc.written import as_text, split
from nmjmc.yaml_file import Plain, nested

KNOWN = Known("fit", SETTINGS, ALL_PARTS, ("temperature", "name", *BELOW_FIT))


def changes(words: Sequence[Word], is_sweep: bool) -> list[Change]:
    """What the words change; data sets and free parameters that are named whole take the place of all others.

    Raises:
        ValidationError: For a word that cannot be right.
    """
    for word in words:
        if word.key in BELOW_FIT:
            raise ValidationError(
                "a key", repr(word.key), "a setting or a parameter", f"did you mean fit.{word.key}?"
            )
    files = [word for word in words if word.key == "data" and not word.is_out]
    if len(files) > 1:
        raise ValidationError("data", "given twice", "given once", "write data=[FILE,FILE] for several")
    sets = data_of(files[0].text or "") if files else None
    kept: list[Change] = [] if sets is None else [Change("data", [sets], is_whole=True)]
    rest = []
    for word in words:
        text = word.text or ""
        if word.is_out or word in files:
            rest += [word] if word.is_out else []
        elif word.key.startswith("data."):
            rest.append(Word(f"data.{_placed(word.key.removeprefix('data.'), sets)}", text))
        elif word.key == "fit.free" and "{" not in text:
            lists = re.findall(r"\[[^\]]*\]", text) if is_sweep else [text]
            kept.append(Change("fit.free", [_free(some) for some in lists or [text]], is_whole=True))
        else:
            rest.append(word)
    return [*kept, *changes_of(rest, is_sweep)]


def _free(text: str) -> dict[str, Plain]:
    """The free parameters that a list names, with or without its brackets."""
    paths = [as_text(piece) for piece in split(text.strip().strip("'\"").removeprefix("[").removesuffix("]"))]
    for path in filter(None, paths):
        if not re.fullmatch(r"[A-Za-z]\w*(\.\w+)+", path, re.ASCII):
            hint = "for example fit.free=[receptor.closing_rate,vesicle.content_mean]"
            raise ValidationError("fit.free", repr(path), "a list of paths of parameters", hint)
    return nested(dict.fromkeys(filter(None, paths)))


def data_of(value: str) -> dict[str, Any]:
    """Data sets by name of `data=FILE`, `data=[FILE,FILE]` or `data=SETS.yaml`.

    Raises:
        ValidationError: If a file is not there, or holds no data sets.
    """
    text = value.strip()
    text = text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text
    if text.startswith("{") and not user_path(text, "data").is_file():
        raise ValidationError(
            "data", value, "a file", "write data sets into a YAML file, or data.NAME.KEY=VALUE"
        )
    return sets_of_files(_files(text), _why_not(text))


def _files(text: str) -> list[str]:
    """The file, or the files of a list; a file whose name has commas or brackets is one, if it is there."""
    if not text.startswith("[") or user_path(text, "data").is_file():
        return [text]
    return [piece for piece in axes.pieces(text[1:].removesuffix("]")) if piece]


def _why_not(name: str) -> str:
    """What may have been meant where there is no file."""
    if not name.startswith("["):
        pieces = [piece for piece in axes.pieces(name) if piece]
        if len(pieces) > 1 and all(user_path(piece, "data").is_file() for piece in pieces):
            return f"did you mean data=[{','.join(pieces)}]?"
    return "or see example=NAME"


def _placed(key: str, sets: dict[str, Any] | None) -> str:
    """Where a word below `data` belongs: to all data sets, or to one."""
    top, _, below = key.partition(".")
    if top in EVERY or top == DEFAULTS:
        return key if top == DEFAULTS else f"{DEFAULTS}.{key}"
    option = below.partition(".")[0]
    if option not in EVERY:
        wrong, known = (below, [f"{top}.{name}" for name in EVERY]) if below else (top, EVERY)
        hint = nearest(f"{top}.{wrong}" if below else wrong, known)
        hint = hint if hint.startswith("did you mean") else f"choose one of {', '.join(EVERY)}"
        raise ValidationError(
            "a key", repr(f"data.{key}"), "of a data set", hint.replace("mean ", "mean data.")
        )
    if top not in (sets or ()) and not top.isascii():
        hint = nearest(top, list(sets)) if sets else "name the file by data=FILE"
        raise ValidationError("a data set", repr(top), "one that there is", hint)
    return key
