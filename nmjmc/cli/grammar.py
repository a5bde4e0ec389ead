"""Whether a word can be read at all, told ahead of hydra with the key, the value and the likely correction."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Override, RangeSweep
from hydra.errors import HydraException

from nmjmc.cli.config_file import quote
from nmjmc.errors import ValidationError
from nmjmc.yaml_file import DEEPEST, NO_INTERPOLATION

MOST_RUNS = 1_000
"""Of one command with -m; a choice. `nmjmc sweep` takes more, and keeps a record of each."""
LONGEST = 100_000
"""Letters of one word; a choice."""
_KEY = re.compile(r"[A-Za-z_]\w*(\.[\w-]+)*", re.ASCII)
_PAIRS = {"[": "]", "{": "}", "(": ")"}
_QUOTED = re.compile(r"""("[^"]*"|'[^']*'|[,\[\]{}])""")
# what hydra's grammar takes outside quotes; a unit such as /um^2 has more
_PLAIN = re.compile(r"^[\w\s/\-\\+.$%*@?|:=()]*$", re.ASCII)


def check_word(word: str) -> None:
    """Refuse what no word may hold: an interpolation, a letter without a shape, brackets without end.

    Raises:
        ValidationError: Naming the key.
    """
    key, _, value = word.partition("=")
    if "${" in word:
        raise ValidationError(key.lstrip("+~") if "${" not in key else "a key", repr(value or word), "written out",
                              NO_INTERPOLATION)  # fmt: skip
    if any(ord(letter) < 32 and letter not in "\t\n" for letter in word):
        raise ValidationError(repr(key), repr(value), "given without control characters")
    if len(word) > LONGEST:
        hint = "write it into a file, and say config=FILE.yaml"
        raise ValidationError(key, f"of {len(word):,} letters", f"of at most {LONGEST:,} letters", hint)
    if digits := re.search(r"\d{300,}", value):
        raise ValidationError(key, f"a number of {len(digits.group())} digits", "a shorter number")
    _check_depth(key, value)


def _check_depth(key: str, value: str) -> None:
    depth = deepest = 0
    for letter in value:
        depth += (letter in _PAIRS) - (letter in _PAIRS.values())
        deepest = max(deepest, depth)
    if deepest > DEEPEST:
        raise ValidationError(key, f"nested {deepest} deep", f"nested at most {DEEPEST} deep")


def check_key(key: str, word: str) -> None:
    """Refuse a key that is no path of names.

    Raises:
        ValidationError: With the likely correction.
    """
    if _KEY.fullmatch(key):
        return
    hint = ""
    bare = key.replace("/", ".").split("@")[0].strip("+~.- ")
    if bare != key and _KEY.fullmatch(bare):
        hint = f"did you mean {bare}={word.partition('=')[2]}?" if "=" in word else f"did you mean {bare}?"
    elif key.startswith("_") or "._" in key:
        hint = "a config is data, and calls nothing"
    raise ValidationError("a key", repr(key), "names joined by dots, as in receptor.density", hint)


def check_value(made: str, written: str, sweeping: bool) -> Override:
    """Refuse a value that hydra's grammar cannot read, and several values without -m.

    Args:
        made: The word as hydra takes it.
        written: As the user wrote it.
        sweeping: Whether -m was given.

    Raises:
        ValidationError: Naming the key.
    """
    key, _, value = written.partition("=")
    key = key.lstrip("+~").strip()
    try:
        found = OverridesParser.create().parse_override(made)
    except (HydraException, RecursionError) as error:
        raise ValidationError(key, repr(value), "a value that can be read", _why(key, value)) from error
    if found.is_sweep_override():
        if not sweeping:
            hint = (
                f"write it in quotes ({key}=\"'...'\") if the commas belong to it, or add -m to run a sweep"
            )
            raise ValidationError(key, repr(value), "one value", hint)
        if not isinstance(found.value(), ChoiceSweep | RangeSweep):
            raise ValidationError(key, repr(value), "a list with -m", "nmjmc sweep takes intervals")
    return found


def check_number_of_runs(found: Sequence[Override]) -> None:
    """Refuse a sweep with -m of more runs than anyone waits for.

    Raises:
        ValidationError: With the longest list.
    """
    sizes = {str(o.get_key_element()): _runs(o) for o in found if o.is_sweep_override()}
    if (total := math.prod(sizes.values())) > MOST_RUNS:
        longest = max(sizes, key=lambda key: sizes[key])
        hint = "nmjmc sweep takes more, and keeps a record of each"
        raise ValidationError(
            f"{longest} with -m", f"a sweep of {total:,} runs", f"of at most {MOST_RUNS:,} runs", hint
        )


def _runs(found: Override) -> int:
    value = found.value()
    if isinstance(value, RangeSweep):
        start, stop, step = (
            float(x) if x is not None else math.inf for x in (value.start, value.stop, value.step)
        )
        return (
            max(math.ceil((stop - start) / step), 1)
            if step and math.isfinite(stop - start)
            else MOST_RUNS + 1
        )
    return len(value.list) if isinstance(value, ChoiceSweep) else 1


def _why(key: str, value: str) -> str:
    """The likely fault of a value: a quote or a bracket that is not closed, or a letter that needs quotes."""
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", "", value)
    if bare.count("'") or bare.count('"'):
        return f"close the quote {chr(39) if bare.count(chr(39)) else chr(34)}"
    for opened, closed in _PAIRS.items():
        if bare.count(opened) > bare.count(closed):
            return f"close the bracket {opened}"
        if bare.count(opened) < bare.count(closed):
            return f"the bracket {closed} has no {opened} before it"
    return f"write a text in quotes: {key}=\"'TEXT'\""


def quoted(value: str) -> str:
    """Put quotes around the pieces of a value that hydra's grammar cannot read bare.

    A list stays a list, and a sweep `3000 /um^2,5000 /um^2` stays a sweep.
    """
    pieces = _QUOTED.split(value)
    # every second piece is a delimiter, or quoted already
    readable = [index % 2 == 1 or _PLAIN.match(piece) for index, piece in enumerate(pieces)]
    return "".join(p if is_fine else _quoted_piece(p) for p, is_fine in zip(pieces, readable, strict=True))


def _quoted_piece(piece: str) -> str:
    """One piece in quotes; the key of a mapping stays outside."""
    if "'" in piece or '"' in piece:  # a quote without end: nothing is guessed
        return piece
    key, colon, rest = piece.partition(":")
    return f"{key}: {quote(rest)}" if colon else quote(piece)


def as_text(value: str, several: bool = False) -> str:
    """A value that is text whatever it looks like, `1_0` and `null` among them.

    Args:
        value: As it was written, perhaps in quotes.
        several: Whether commas separate the runs of a sweep.
    """
    if several and "," in value and not _in_quotes(value.strip()):
        return ",".join(as_text(piece) for piece in value.split(","))
    text = value.strip()
    return quote(text[1:-1] if _in_quotes(text) else text)


def _in_quotes(text: str) -> bool:
    return len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" and text[0] not in text[1:-1]
