"""Text of a file, whatever program and country it comes from: UTF-8, UTF-16 and 32, and the code page of Windows."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from nmjmc.data.guard import check_memory
from nmjmc.data.sums import check_sum
from nmjmc.errors import ValidationError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip

_SAMPLE = 4096
_ROOM = 12  # half of the bytes that a byte of a table takes for a moment (24 were measured): half the memory may go
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
_END_OF_DOS = "\x1a"


def lines_of(path: Path) -> list[str]:
    """The lines of a text file.

    Args:
        path: The file.

    Returns:
        The lines without their ends. Bytes that are no UTF-8 are read as those of Windows-1252, in which degrees, the
        micro sign and the no-break space stand where latin-1 has them.

    Raises:
        ValidationError: If it is no text, too large, or not as the checksum beside it says.
    """
    try:
        check_memory(_ROOM * path.stat().st_size, f"memory to read {path.name}")
        raw = path.read_bytes()
    except OSError as error:
        raise ValidationError("path", f"{path}, which cannot be read ({error.strerror})", "a file") from error
    check_sum(path, raw)
    text = _decoded(raw, path).rstrip(_END_OF_DOS)
    if match := _BINARY.search(text):
        shown = f"{path}, which is no text (it holds the byte {ord(match.group()):#04x})"
        raise ValidationError("path", shown, "a table as text", "name its format, or export it as text")
    return re.split(r"\r\n|\n|\r", text)


def _decoded(raw: bytes, path: Path) -> str:
    """The text of some bytes."""
    for mark, name in _MARKS:
        if raw.startswith(mark):
            return _strictly(raw.removeprefix(mark), name, path)
    if name := _wide(raw[:_SAMPLE]):
        return _strictly(raw, name, path)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _strictly(raw: bytes, name: str, path: Path) -> str:
    try:
        return raw.decode(name)
    except UnicodeDecodeError as error:
        actual = f"{path}, which begins as {name} and does not go on so"
        raise ValidationError("path", actual, "a table as text") from error


def _wide(sample: bytes) -> str:
    """The encoding of two bytes a character, without its mark, which every second byte of a table shows: zero."""
    if len(sample) < 4 or b"\x00" not in sample:
        return ""
    even, odd = sample[::2], sample[1::2]
    if odd.count(0) > 0.9 * len(odd) and even.count(0) == 0:
        return "utf-16-le"
    return "utf-16-be" if even.count(0) > 0.9 * len(even) and odd.count(0) == 0 else ""
