"""Overrides as users write them, made into overrides that hydra reads; unknown names are refused here."""

from __future__ import annotations

import re

from nmjmc.errors import ValidationError, nearest
from nmjmc.synapse.build import PARTS
from nmjmc.synapse.presets import available_preparations

SETTINGS = (
    "vesicles", "seed", "duration", "record_interval", "numerics", "device", "cache", "progress", "dry_run",
    "checkpoint",
)  # fmt: skip
_PARAMETERS = (*PARTS, "temperature", "name")
_FLAGS_WITH_VALUE = (
    "--config-dir", "-cd", "--config-name", "-cn", "--config-path", "-cp", "--cfg", "-c", "--package", "-p",
)  # fmt: skip
_WORD = re.compile(r"^(?P<sign>[+~]*)(?P<key>[^=]+)=(?P<value>.*)$", re.DOTALL)
_QUOTED = re.compile(r"""("[^"]*"|'[^']*'|[,\[\]{}])""")
# what hydra's grammar takes outside quotes; a unit such as /um^2 has more
_PLAIN = re.compile(r"^[\w\s/\-\\+.$%*@?|:=()]*$", re.ASCII)


def prepare(words: list[str]) -> list[str]:
    """Check the names of overrides, and write them so that hydra reads a quantity as text.

    Args:
        words: Arguments of the command; flags (`-m`) pass as they are.

    Returns:
        Overrides for hydra: `receptor.density=3000 /um^2` becomes `++receptor.density='3000 /um^2'`.

    Raises:
        ValidationError: For a word that is no KEY=VALUE, an unknown key, or an unknown preparation.
    """
    plain = [word.startswith("-") or _is_flag_value(words, index) for index, word in enumerate(words)]
    return [word if is_plain else _one(word) for word, is_plain in zip(words, plain, strict=True)]


def _is_flag_value(words: list[str], index: int) -> bool:
    """Whether a word belongs to the flag before it (`--config-dir FOLDER`)."""
    return index > 0 and words[index - 1] in _FLAGS_WITH_VALUE


def _one(word: str) -> str:
    match = _WORD.match(word)
    if match is None and not word.startswith("~"):
        raise ValidationError("an override", repr(word), "KEY=VALUE", "for example vesicles=100")
    if match is None:
        return word
    sign, key, value = match["sign"], match["key"].strip(), match["value"]
    top = re.split(r"[./@]", key)[0]
    if top == "hydra":
        return word
    if key == "preparation":
        _check_preparation(value)
        return word
    if top not in (*SETTINGS, *_PARAMETERS):
        names = (*SETTINGS, *_PARAMETERS, "preparation")
        raise ValidationError("a key", repr(key), "a setting or a parameter", nearest(top, names))
    if key in PARTS and not value.strip().startswith("{"):
        hint = nearest(key, SETTINGS)
        hint = hint if hint.startswith("did you mean") else f"for example {key}.KEY=VALUE"
        raise ValidationError(key, repr(value), "set by its parameters", hint)
    # A parameter that the preparation's file leaves at its default is no key yet, so it is added; `build` and
    # the numerics refuse what they do not know.
    sign = sign or ("++" if "." in key else "")
    return f"{sign}{key}={quoted(value)}"


def _check_preparation(value: str) -> None:
    for name in value.split(","):
        if name.strip().strip("'\"") not in available_preparations():
            hint = nearest(name, available_preparations())
            raise ValidationError("preparation", repr(name), "a known preparation", hint)


def quoted(value: str) -> str:
    """Put quotes around the pieces of a value that hydra's grammar cannot read bare.

    A list stays a list, and a sweep `3000 /um^2,5000 /um^2` stays a sweep.
    """
    pieces = _QUOTED.split(value)
    # every second piece is a delimiter, or quoted already
    readable = [index % 2 == 1 or _PLAIN.match(piece) for index, piece in enumerate(pieces)]
    return "".join(p if is_fine else _quote(p) for p, is_fine in zip(pieces, readable, strict=True))


def _quote(piece: str) -> str:
    """One piece in quotes; the key of a mapping stays outside."""
    key, colon, rest = piece.partition(":")
    text = (rest if colon else piece).strip().replace("'", "\\'")
    return f"{key}{colon} '{text}'" if colon else f"'{text}'"
