"""The value of a word: a number, a truth value, nothing, a text, a list or a mapping, read as files are read."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from nmjmc.errors import ValidationError
from nmjmc.sweeps.axes import split
from nmjmc.yaml_file import DEEPEST, INSTRUCTION, NO_INTERPOLATION, Plain, scalar

LONGEST = 100_000
"""Letters of one word; a choice."""
MOST_RUNS = 1_000
"""Of one command with -m; a choice. `nmjmc sweep` takes more, and keeps a record of each."""
_PAIRS = {"[": "]", "{": "}", "(": ")"}
_RANGE = re.compile(r"range\((?P<inside>[^()]*)\)")
_THOUSANDS = re.compile(r"^\s*[+-]?\d{1,3}(,\d{3})+(?![\d,])")


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
        depth += (letter in _PAIRS) - (letter in _PAIRS.values())
        deepest = max(deepest, depth)
    if deepest > DEEPEST:
        raise ValidationError(key, f"nested {deepest} deep", f"nested at most {DEEPEST} deep")


def value(key: str, text: str) -> Plain:
    """What the text of a word says: `[0 ms, 1 s]` is a list, `{low: 1}` a mapping, `'1e3'` in quotes a text.

    Args:
        key: Of the word, for messages.
        text: Behind its equals sign.

    Raises:
        ValidationError: If it stands for several, or a quote or a bracket has no end.
    """
    _check_closed(key, text)
    if len(split(text)) > 1 or _RANGE.fullmatch(text.strip()):
        raise _several(key, text)
    return _read(key, text, text.strip())


def as_text(text: str) -> str:
    """A value that is a text whatever it looks like, `1_0` and `null` among them; without quotes around all of it."""
    bare = text.strip()
    return _unquoted(bare) if _is_quoted(bare) else bare


def choices(key: str, text: str) -> list[str]:
    """The texts of the values that a word stands for in a sweep with -m.

    Raises:
        ValidationError: If they are too many, or an interval, which `nmjmc sweep` takes.
    """
    bare = text.strip()
    if found := _RANGE.fullmatch(bare):
        return list(_range(key, bare, found["inside"].split(",")))
    if re.match(r"(interval|log|linspace|logspace)\(", bare):
        raise ValidationError(key, repr(text), "a list with -m", "nmjmc sweep takes intervals")
    _check_closed(key, text)
    return split(text)


def _range(key: str, text: str, ends: list[str]) -> Iterator[str]:
    """The numbers of `range(start, stop, step)`, without `stop`."""
    numbers = [scalar(end.strip()) for end in ends]
    if not 1 <= len(numbers) <= 3 or not all(type(number) in (int, float) for number in numbers):
        raise ValidationError(key, repr(text), "range(STOP), range(START, STOP) or range(START, STOP, STEP)")
    start, stop, step = (0, numbers[0], 1) if len(numbers) == 1 else (*numbers, 1)[:3]
    count = (stop - start) / step if step else float("inf")
    if not count <= MOST_RUNS:
        raise too_many(key, count)
    for index in range(math.ceil(count)):
        yield str(start + index * step)


def too_many(key: str, count: float) -> ValidationError:
    """The refusal of a sweep of more runs than anyone waits for."""
    hint = "nmjmc sweep takes more, and keeps a record of each"
    allowed = f"of at most {MOST_RUNS:,} runs"
    return ValidationError(f"{key} with -m", f"a sweep of {count:,.0f} runs", allowed, hint)


def _several(key: str, text: str) -> ValidationError:
    """The refusal of several values without -m; `3,000` is one number that was written with a comma."""
    if found := _THOUSANDS.match(text):
        meant = found.group().replace(",", "") + text[found.end() :]
        return ValidationError(key, repr(text), "without commas in a number", f"did you mean {meant}?")
    hint = f"write it in quotes ({key}=\"'...'\") if the commas belong to it, or add -m to run a sweep"
    return ValidationError(key, repr(text), "one value", hint)


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
    found: dict[str, Plain] = {}
    for pair in pairs:
        name = as_text(pair[0])
        if len(pair) < 2 or not name or name in found:
            raise ValidationError(key, repr(whole), "NAME: VALUE between braces, each name once")
        check_name(name)
        found[name] = _read(f"{key}.{name}", whole, pair[1])
    return found


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


def _check_closed(key: str, text: str) -> None:
    """Refuse a quote or a bracket without end."""
    bare = re.sub(rf"{_body(chr(39))}|{_body(chr(34))}", "", text, flags=re.DOTALL)
    why = ""
    if quotes := [quote for quote in "'\"" if quote in bare and text.strip()[:1] in ("[", "{", quote)]:
        why = f"close the quote {quotes[0]}"
    for opened, closed in _PAIRS.items():
        if bare.count(opened) > bare.count(closed):
            why = why or f"close the bracket {opened}"
        if bare.count(opened) < bare.count(closed):
            why = why or f"the bracket {closed} has no {opened} before it"
    if why:
        raise ValidationError(key, repr(text), "a value that can be read", why)
