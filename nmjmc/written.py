"""Values as users write them in words: `3000 /um^2`, `[0 ms, 1 s]`, `{low: 1}`; scalars are read as in files."""

from __future__ import annotations

import re

from nmjmc.errors import ValidationError
from nmjmc.yaml_file import DEEPEST, INSTRUCTION, NO_INTERPOLATION, Plain, scalar

LONGEST = 100_000
"""Letters of one word; a choice."""
PAIRS = {"[": "]", "{": "}", "(": ")"}
"""Brackets and their ends."""


def check_word(word: str) -> None:
    """Refuse what no word may hold: an interpolation, a letter without a shape, brackets without end.

    Raises:
        ValidationError: Naming the key.
    """
    key, _, text = word.partition("=")
    if "${" in word:
        name = "a key" if "${" in key else key.lstrip("+~")
        raise ValidationError(name, repr(text or word), "written out", NO_INTERPOLATION)
    if any(ord(letter) < 32 and letter not in "\t\n" for letter in word):
        raise ValidationError(repr(key), repr(text), "given without control characters")
    if len(word) > LONGEST:
        hint = "write it into a file, and say config=FILE.yaml"
        raise ValidationError(key, f"of {len(word):,} letters", f"of at most {LONGEST:,} letters", hint)
    if digits := re.search(r"\d{300,}", text):
        raise ValidationError(key, f"a number of {len(digits.group())} digits", "a shorter number")
    depth = deepest = 0
    for letter in text:
        depth += (letter in PAIRS) - (letter in PAIRS.values())
        deepest = max(deepest, depth)
    if deepest > DEEPEST:
        raise ValidationError(key, f"nested {deepest} deep", f"nested at most {DEEPEST} deep")


def value(key: str, text: str) -> Plain:
    """What a text says: `[0 ms, 1 s]` is a list, `{low: 1}` a mapping, `'1e3'` in quotes a text.

    Args:
        key: What has the value, for messages.
        text: As it was written.

    Raises:
        ValidationError: If a quote or a bracket has no end.
    """
    check_closed(key, text)
    return _read(key, text, text.strip())


def as_text(text: str) -> str:
    """A value that is a text whatever it looks like, `1_0` and `null` among them; without quotes around all of it."""
    bare = text.strip()
    return _unquoted(bare) if _is_quoted(bare) else bare


def split(text: str, at: str = ",", most: int = -1) -> list[str]:
    """The pieces of a text between its outermost commas, stripped; what stands in quotes or brackets is one piece.

    Args:
        text: For example `a, [b, c], 'd, e'`.
        at: The letter between the pieces.
        most: Cuts at most; -1 for any number.
    """
    found, depth, quote, start = [], 0, "", 0
    for index, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote and text[index - 1] != "\\" else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth -= 1
        elif letter == at and depth == 0 and len(found) != most:
            found.append(text[start:index].strip())
            start = index + 1
    return [*found, text[start:].strip()]


def _read(key: str, whole: str, text: str) -> Plain:
    if _is_quoted(text):
        return _unquoted(text)
    if text[:1] == "[" and text[-1:] == "]":
        return [_read(key, whole, piece) for piece in split(text[1:-1])] if text[1:-1].strip() else []
    if text[:1] == "{" and text[-1:] == "}":
        pairs = [split(piece, ":", 1) for piece in split(text[1:-1])] if text[1:-1].strip() else []
        return _mapping(key, whole, pairs)
    if text[:1] in ("[", "{", "'", '"'):
        hint = f"write a text in quotes: {key}=\"'TEXT'\""
        raise ValidationError(key, repr(whole), "a value that can be read", hint)
    return scalar(text)


def _mapping(key: str, whole: str, pairs: list[list[str]]) -> dict[str, Plain]:
    by_name: dict[str, Plain] = {}
    for pair in pairs:
        name = as_text(pair[0])
        if len(pair) < 2 or not name or name in by_name:
            raise ValidationError(key, repr(whole), "NAME: VALUE between braces, each name once")
        check_name(name)
        by_name[name] = _read(f"{key}.{name}", whole, pair[1])
    return by_name


def check_name(name: str) -> None:
    """Refuse a name that would be an instruction to hydra.

    Raises:
        ValidationError: With the name.
    """
    if INSTRUCTION.fullmatch(name):
        raise ValidationError(
            "a key", repr(name), "a setting or a parameter", "a config is data, and calls nothing"
        )


def _is_quoted(text: str) -> bool:
    """Whether one pair of quotes stands around all of a text."""
    return len(text) > 1 and text[0] in "'\"" and re.fullmatch(_body(text[0]), text, re.DOTALL) is not None


def _body(quote: str) -> str:
    return rf"{quote}(\\{quote}|[^{quote}])*{quote}"


def _unquoted(text: str) -> str:
    return text[1:-1].replace(f"\\{text[0]}", text[0])


def check_closed(key: str, text: str) -> None:
    """Refuse a quote or a bracket without end."""
    bare = re.sub(rf"{_body(chr(39))}|{_body(chr(34))}", "", text, flags=re.DOTALL)
    why = ""
    if quotes := [quote for quote in "'\"" if quote in bare and text.strip()[:1] in ("[", "{", quote)]:
        why = f"close the quote {quotes[0]}"
    for opened, closed in PAIRS.items():
        if bare.count(opened) > bare.count(closed):
            why = why or f"close the bracket {opened}"
        if bare.count(opened) < bare.count(closed):
            why = why or f"the bracket {closed} has no {opened} before it"
    if why:
        raise ValidationError(key, repr(text), "a value that can be read", why)
