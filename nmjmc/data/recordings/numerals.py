"""Numbers as people of different countries write them: one decimal mark for a file, told from all its numbers.

`1,234` is a thousand and more in one country and a little more than one in another. Which of them a file means is
decided once, from all its columns: `0,530` and `58,14` cannot be thousands, `1.234,5` shows both marks. Where every
number can be read both ways, the file is refused and the user says which it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nmjmc.errors import ValidationError, nearest

DECIMALS = {"point": ".", ".": ".", "comma": ",", ",": ","}
"""What a user may say of the decimal mark."""

_MISSING = {
    "", "nan", "-nan", "+nan", "na", "n/a", "#n/a", "#na", "none", "null", "nil", "not found", "missing", "-", "--",
    "---", ".", "?", "*", "#div/0!", "#value!", "#num!", "1.#qnan", "-1.#ind", "1.#ind", "1.#nan",
}  # fmt: skip

_SAME = str.maketrans(
    {
        **dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\u2014\ufe63\uff0d", "-"),
        **dict.fromkeys((chr(code) for code in (0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)), " "),
        **dict.fromkeys("\u2019\u02bc\u2032\u00b4`\u066c", "'"),
        **dict.fromkeys("\u200b\u200e\u200f\ufeff\u2060", None),
        "\uff0c": ",", "\uff0e": ".", "\uff0b": "+", "\u066b": ".",
    }
)  # fmt: skip


def _grammar(decimal: str, thousands: str) -> re.Pattern[str]:
    """Numbers with one decimal mark; thousands, which nobody groups before an exponent, have one mark throughout."""
    mark = re.escape(decimal)
    groups = rf"[1-9]\d{{0,2}}(?P<mark>[{thousands}' ])\d{{3}}(?:(?P=mark)\d{{3}})*"
    lakhs = r"|[1-9]\d?(?:,\d{2})+,\d{3}" if thousands == "," else ""
    behind = r"\.\d*" if decimal == "." else r",\d+"
    bare = rf"(?:\d+(?:{behind})?|{mark}\d+)(?: ?[eEdD] ?[+-]?\d+)?"
    return re.compile(rf"[+-]? ?(?:(?:{groups}{lakhs})(?:{behind})?|{bare})")


_GRAMMARS = {".": _grammar(".", ","), ",": _grammar(",", ".")}
_POINTS = re.compile(r"[0-9eE+\-.\n]*")  # characters of a column that float() reads as they stand
_COMMAS = re.compile(r"[0-9eE+\-,\n]*")  # likewise, once its commas are points
_BOTH = re.compile(r"[0-9eE+\-.,\n]*")
_SURE = {
    mark: re.compile(
        r"(?:^|\n)[+-]?(?:\d{4,}M\d|0\d*M\d|\d*M(?!\d{3}(?:\n|$))\d+(?:[eE][+-]?\d+)?(?:\n|$))".replace(
            "M", re.escape(mark)
        )
    )
    for mark in ".,"
}
"""Numbers whose mark cannot stand for thousands, in cells that are joined by the ends of lines."""

_LONG = re.compile(r"[+-]? ?\d{4,}")


class Cell(NamedTuple):
    """A cell that shows how numbers are written: its text, and the line it stands in."""

    text: str
    line: int


def plain(cell: str) -> str:
    """A cell without its quotes, with the signs and blanks of an English keyboard."""
    text = cell.strip() if cell.isascii() else cell.translate(_SAME).strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    return text


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no number."""
    return plain(cell).casefold() in _MISSING


def readings(cell: str) -> str:
    """The decimal marks with which a cell is a number: `.`, `,`, both, or none."""
    text = plain(cell)
    return "".join(mark for mark, grammar in _GRAMMARS.items() if grammar.fullmatch(text))


def number(cell: str, decimal: str) -> float:
    """The number of a cell; NaN where there is none.

    Args:
        cell: The text.
        decimal: `.` or `,`.
    """
    text = plain(cell)
    if not _GRAMMARS[decimal].fullmatch(text):
        return float("nan")
    bare = re.sub(rf"[ '{'.' if decimal == ',' else ','}]", "", text)
    return float(re.sub("[dD]", "e", bare.replace(",", ".")))


def column(cells: Sequence[str], decimal: str) -> np.ndarray:
    """The numbers of a column [row]; NaN where a cell is none."""
    joined = "\n".join(cells)
    if (_POINTS if decimal == "." else _COMMAS).fullmatch(joined):
        try:
            return np.array([float(cell) for cell in joined.replace(",", ".").split("\n")], np.float64)
        except ValueError:
            pass
    return np.array([number(cell, decimal) for cell in cells], np.float64)


def decimal_of(
    columns: Sequence[Sequence[str]], lines: Sequence[int], name: str, given: str | None = None
) -> str:
    """The decimal mark of a file.

    Args:
        columns: Its cells [column][row].
        lines: Where each row stands in the file [row].
        name: Of the file, for the message.
        given: What the user says of it.

    Returns:
        `.` or `,`.

    Raises:
        ValidationError: If numbers contradict each other, or all of them can be read both ways.
    """
    if given is not None:
        if str(given) not in DECIMALS:
            hint = nearest(str(given), ("comma", "point"))
            raise ValidationError("decimal", repr(given), "comma or point", hint)
        return DECIMALS[str(given)]
    joined = ["\n".join(cells) for cells in columns]
    if all(_BOTH.fullmatch(text) for text in joined):
        kept = [mark for mark, pattern in _SURE.items() if any(map(pattern.search, joined))]
        if len(kept) == 1:
            return kept[0]
    sure, either = _evidence(columns, lines)
    if len(sure) == 2:
        _contradiction(sure, name)
    if sure:
        return next(iter(sure))
    if "," in either and not any(_groups_some(cells, ",") for cells in columns):
        _open(either[","], name)
    if "," in either:
        return ","
    if "." in either and any(_groups_all(cells) for cells in columns):
        _open(either["."], name)
    return "."


def _evidence(
    columns: Sequence[Sequence[str]], lines: Sequence[int]
) -> tuple[dict[str, Cell], dict[str, Cell]]:
    """The first cell that needs each mark, and the first with each mark that can be read both ways."""
    sure: dict[str, Cell] = {}
    either: dict[str, Cell] = {}
    for cells in columns:
        for cell, line in zip(cells, lines, strict=True):
            text = plain(cell)
            marks = [mark for mark in ".," if mark in text]
            if not marks:
                continue
            numerals = readings(text)
            if len(numerals) == 1:
                sure.setdefault(numerals, Cell(text, line))
            elif numerals:
                either.setdefault(marks[0], Cell(text, line))
    return sure, either


def _groups_some(cells: Sequence[str], mark: str) -> bool:
    """Whether a column writes a thousand without the mark too, so that the mark is none of thousands."""
    texts = [plain(cell) for cell in cells]
    return any(mark in text for text in texts) and any(_LONG.fullmatch(text) for text in texts)


def _groups_all(cells: Sequence[str]) -> bool:
    """Whether a column looks like whole numbers with points for thousands: small ones have none, and all large ones."""
    texts = [text for text in map(plain, cells) if readings(text)]
    pointed = [text for text in texts if "." in text]
    small = any(re.fullmatch(r"[+-]?[1-9]\d{0,2}", text) for text in texts)
    return bool(pointed) and small and not any(_LONG.fullmatch(text) for text in texts)


def _contradiction(sure: dict[str, Cell], name: str) -> None:
    point, comma = sure["."], sure[","]
    actual = f"a point in line {point.line} ({point.text}) and a comma in line {comma.line} ({comma.text})"
    hint = "say decimal=comma or decimal=point if one of them is no number"
    raise ValidationError(f"decimal mark of {name}", actual, "the same in all numbers", hint)


def _open(cell: Cell, name: str) -> None:
    mark = "," if "," in cell.text else "."
    small, large = cell.text.replace(mark, "."), cell.text.replace(mark, "")
    actual = f"open in {name}, where line {cell.line} says {cell.text}, which is {small} or {large}"
    raise ValidationError("decimal", actual, "comma or point", "say decimal=comma or decimal=point")
