"""Lines of text made into rows of cells: the mark between the columns, the heading, and where the numbers begin."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

from nmjmc.data.recordings.headings import is_heading, is_units, name_and_unit, parted
from nmjmc.data.recordings.numerals import is_missing, plain, readings
from nmjmc.errors import ValidationError

_SAMPLE = 60  # lines at the beginning, and some at the end, by which the mark is judged (a choice)
_COMMENTS = ("#", "%", "//")


@dataclass(frozen=True)
class Rows:
    """Rows of cells.

    Attributes:
        heading: Headings [column]; empty where there are none.
        units: A row of units below the headings [column]; empty where there is none.
        cells: The rows of numbers [row][column].
        lines: Where each row stands in the file [row].
    """

    heading: tuple[str, ...]
    units: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]


def rows_of(lines: Sequence[str], name: str, decimal: str | None = None) -> Rows:
    """Rows of a table.

    Args:
        lines: Of the file. Those that begin with `#`, `%` or `//` are comments; the last that fits may be the heading.
        name: Of the file, for messages.
        decimal: The decimal mark, `.` or `,`, where the user says it.

    Raises:
        ValidationError: If there are no numbers, or no way or several ways to tell the columns.
    """
    comments = [line.strip() for line in lines if line.lstrip().startswith(_COMMENTS)]
    body = [
        (i + 1, line)
        for i, line in enumerate(lines)
        if line.strip() and not line.lstrip().startswith(_COMMENTS)
    ]
    if not body:
        raise ValidationError("path", f"{name}, which holds no rows", "a table of numbers")
    texts = [line for _, line in body]
    mark = _mark(texts, comments, name, decimal)
    rows = _split(texts, mark, name)
    start = _start(rows)
    if start is None:
        raise ValidationError("path", f"{name}, which holds no numbers", "a table of numbers")
    start += start == 0 and _is_numbered(rows)
    places = [line for line, _ in body]
    _check_widths(rows[start:], places[start:], name)
    heading, units = _headings(rows, texts, start, mark, comments)
    width = _width(rows[start:], heading)
    heading = heading[:width] if not any(heading[width:]) else heading
    if len(heading) not in (0, width):
        actual = f"{len(heading)} cells long above numbers of {width} columns"
        hint = "where commas are decimal marks, write the table with semicolons or tabs"
        raise ValidationError(f"line {places[start - 1]} of {name}", actual, "one heading a column", hint)
    cells = tuple(tuple(row[:width]) for row in rows[start:])
    return Rows(tuple(heading), tuple(units[:width]), cells, tuple(places[start:]))


def _split(lines: Sequence[str], mark: str, name: str) -> list[list[str]]:
    """Lines as rows of cells."""
    if mark == " " and not any('"' in line for line in lines):
        return [
            re.split(r"[ \t]+", line.strip(" \t")) for line in lines
        ]  # a no-break blank is part of a number
    texts = (line.strip() for line in lines) if mark == " " else lines
    try:
        rows = [
            [cell.strip() for cell in row]
            for row in csv.reader(texts, delimiter=mark, skipinitialspace=mark != "\t")
        ]
    except csv.Error as error:
        raise ValidationError(
            "path", f"{name}, which cannot be split into cells ({error})", "a table"
        ) from error
    if len(rows) != len(lines):
        raise ValidationError("path", f"{name}, in which a quotation does not end on its line", "a table")
    return rows


def _mark(lines: Sequence[str], comments: Sequence[str], name: str, decimal: str | None) -> str:
    """The character between the columns; a comma only if it could not as well be the decimal mark of each cell."""
    sample = [*lines[:_SAMPLE], *lines[_SAMPLE:][-_SAMPLE // 3 :]]
    for mark in ("\t", ";"):
        if all(mark in line for line in sample[-2:]) and _share(sample, mark, name) > 0:
            return mark
    commas, blanks = _share(sample, ",", name), _share(sample, " ", name)
    if commas == 0 or blanks > commas:
        return " "
    rows = _split(sample, ",", name)
    start = _start(rows) or 0
    width, row = len(rows[start]), sample[start].strip()
    headed = any(len(comment.split(",")) == width for comment in comments)
    if (
        headed
        or not _could_be_decimals(rows, start)
        or any(re.search(r",\s", line) for line in sample[start:])
    ):
        if decimal == "," and not any("," in cell for cells in rows[start:] for cell in cells):
            hint = "write the table with semicolons or tabs"
            raise ValidationError("decimal", f"comma, but commas part the columns of {name}", "point", hint)
        return ","
    if width > 2:
        actual = f"between the columns and decimal marks at once, as it seems from {row}"
        hint = "write the table with semicolons or tabs"
        raise ValidationError(f"commas of {name}", actual, "one of the two", hint)
    if decimal is None and not (start and len(rows[start - 1]) == 1 and name_and_unit(rows[start - 1][0])[1]):
        actual = f"open in {name}, as the comma of {row} may part two columns or stand for a decimal point"
        raise ValidationError("decimal", actual, "comma or point", "say decimal=comma or decimal=point")
    return "," if decimal == "." else " "


def _share(lines: Sequence[str], mark: str, name: str) -> float:
    """Share of numbers among the cells of the numeric rows; 0 if there is no such row, or one cell a row."""
    rows = _split(lines, mark, name)
    start = _start(rows)
    if start is None or (mark != " " and len(rows[start]) == 1):
        return 0.0
    cells = [cell for row in rows[start:] for cell in row]
    quoted = any('"' in line for line in lines)
    # 1 234 is a number between tabs; between commas without quotes it is two
    loose = mark == "," and not quoted
    return sum(bool(readings(cell)) and not (loose and " " in plain(cell)) for cell in cells) / len(cells)


def _could_be_decimals(rows: list[list[str]], start: int) -> bool:
    """Whether the commas between cells could be decimal marks: whole numbers in pairs, the second without a sign."""
    body, width = rows[start:], len(rows[start])
    heading = len(rows[start - 1]) if start else 0
    if width % 2 or heading == width:
        return False
    for row in body:
        pairs = zip(row[::2], row[1::2], strict=False)
        if len(row) != width or not all(re.fullmatch(r"[+-]?\d+,\d+", f"{plain(a)},{b}") for a, b in pairs):
            return False
    padded = any(re.fullmatch(r"0\d+", cell) for row in body for cell in row[1::2])
    return width == 2 or padded or heading == width // 2


def _start(rows: list[list[str]]) -> int | None:
    """The first row of numbers; pairs of a word and a value that stand above the heading are none of them."""
    first = next((i for i, row in enumerate(rows) if is_data(row)), None)
    if first is None or readings(rows[first][0]):
        return first
    below = range(first, len(rows))
    named = next((i for i in below if rows[i] and readings(rows[i][0]) and is_data(rows[i])), first)
    pairs = all(sum(map(bool, row)) <= 2 for row in rows[first:named] if is_data(row))
    return named if named > first and pairs and is_heading(rows[named - 1]) else first


def _is_numbered(rows: list[list[str]]) -> bool:
    """Whether the first row numbers the columns, as pandas does, above numbers that all have a decimal mark."""
    first, below = rows[0], [cell for row in rows[1:_SAMPLE] for cell in row]
    counted = any(first == [str(k + begin) for k in range(len(first))] for begin in (0, 1))
    return len(first) > 1 and counted and bool(below) and all(re.search(r"[.,]", cell) for cell in below)


def is_data(row: Sequence[str]) -> bool:
    """Whether most of a row's cells are numbers (a table may have words in some column)."""
    count = sum(bool(readings(cell)) for cell in row)
    return count > 0 and 2 * count >= sum(not is_missing(cell) for cell in row)


def _headings(
    rows: list[list[str]], texts: Sequence[str], start: int, mark: str, comments: Sequence[str]
) -> tuple[list[str], list[str]]:
    """The row of headings above the numbers and, below it, that of units; both empty where there are none."""
    width = len(rows[start])
    above = [_above(rows[i], texts[i], mark, width) for i in range(max(0, start - 2), start)]
    if len(above) == 2 and len(above[0]) == len(above[1]) > 1 and is_units(above[1]):
        return above[0], above[1]
    # a single cell above several columns is a title
    if above and (len(above[-1]) > 1 or width == 1):
        return above[-1], []
    return _from_comments(comments, mark, width), []


def _above(row: list[str], line: str, mark: str, width: int) -> list[str]:
    """A row above the numbers; between blanks, a heading may have blanks within."""
    if width == 1:
        return [line.strip()]
    cells = parted(line) if mark == " " and len(row) != width else list(row)
    while len(cells) > width and not cells[-1]:
        cells.pop()
    return cells


def _from_comments(comments: Sequence[str], mark: str, width: int) -> list[str]:
    """A heading that stands in a comment: the last that fits; above one column, only if it says a unit."""
    for line in reversed(comments):
        text = line.lstrip("".join(_COMMENTS) + " \t")
        for between in dict.fromkeys((mark, ",", "\t", ";", " ")):
            cells = parted(text) if between == " " else [cell.strip() for cell in text.split(between)]
            if len(cells) == width and (width > 1 or is_units([name_and_unit(text)[1]])):
                return cells if width > 1 else [text]
    return []


def _width(rows: list[list[str]], heading: Sequence[str]) -> int:
    """Number of columns, without those at the end that are empty from the heading on."""
    width = len(rows[0])
    least = max((i + 1 for i, cell in enumerate(heading) if cell), default=1)
    while width > least and not any(row[width - 1] for row in rows):
        width -= 1
    return width


def _check_widths(rows: list[list[str]], lines: list[int], name: str) -> None:
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(rows[0]):
            allowed = f"{len(rows[0])} cells long, as line {lines[0]}"
            raise ValidationError(f"line {line} of {name}", f"{len(row)} cells long", allowed)
