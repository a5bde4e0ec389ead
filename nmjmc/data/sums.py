"""Checksums of text files, in a file beside them: text has no room for one that every reader would pass over.

The list has the form that `sha256sum -c` checks, and stands beside the file under its name with the ending `.sha256`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from nmjmc.data.atomic import write_text
from nmjmc.errors import ValidationError

SUFFIX = ".sha256"
_LARGEST = 2**16  # bytes of a list that is read; a choice


def write_sums(paths: Iterable[Path]) -> Path:
    """Write the list of some files of one folder and one stem, named after the first.

    Args:
        paths: Files that are whole.

    Returns:
        The list.
    """
    files = list(paths)
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    place = files[0].with_suffix(SUFFIX)
    write_text(place, "".join(lines))
    return place


def check_sum(path: Path, content: bytes) -> None:
    """Compare what was read of a file with the list beside it, if one names it.

    Args:
        path: The file.
        content: Its bytes.

    Raises:
        ValidationError: If it is not as it was written.
    """
    place = path.with_suffix(SUFFIX)
    said = _said(place).get(path.name)
    if said is not None and said != hashlib.sha256(content).hexdigest():
        hint = f"make it again, or remove {place.name} if it was changed on purpose"
        actual = f"{path}, which is not as {place.name} says that it was written"
        raise ValidationError("path", actual, "a table, whole", hint)


def _said(place: Path) -> dict[str, str]:
    """Checksums by name; what is no list of them says nothing."""
    try:
        if not place.is_file() or place.stat().st_size > _LARGEST:
            return {}
        rows = [line.split(maxsplit=1) for line in place.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError):
        return {}
    return {row[1].lstrip("*"): row[0].casefold() for row in rows if len(row) == 2 and len(row[0]) == 64}
