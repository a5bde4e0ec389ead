"""Checksums of what is written: a bit that turned over on a disk or on the way is found when a file is read.

An HDF5 file is followed by its checksum, 48 bytes past the end that HDF5 knows of: no reader sees them, and a program
that changes the file cuts them off. JSON records carry an entry `checksum`. Files of earlier versions have neither, and
are read as they are.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nmjmc.errors import NmjmcError

_MARK = b"nmjmc blake2b 1:"
_BYTES = 32  # of the checksum
_END = len(_MARK) + _BYTES
_AT_ONCE = 2**20  # bytes read at a time


class DamageError(NmjmcError, ValueError):
    """A file that is not as it was written."""


def with_seal(content: bytes | memoryview) -> bytes:
    """The content of a file, followed by its checksum."""
    return b"".join((content, _MARK, hashlib.blake2b(content, digest_size=_BYTES).digest()))


def without_seal(content: bytes) -> bytes:
    """The content of a file that was read, once its checksum is right; as it is, if it has none.

    Raises:
        DamageError: If it is not as it was written.
    """
    inner, mark, said = content[:-_END], content[-_END:-_BYTES], content[-_BYTES:]
    if mark != _MARK:
        return content
    if hashlib.blake2b(inner, digest_size=_BYTES).digest() != said:
        raise DamageError("it is not as it was written")
    return inner


def check(path: str | Path) -> None:
    """Compare a file with the checksum at its end, if it has one.

    Raises:
        DamageError: If it is not as it was written.
        OSError: If it cannot be read.
    """
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise DamageError("it is no file")
    size = found.st_size - _END
    with open(path, "rb") as file:
        file.seek(max(size, 0))
        if file.read(len(_MARK)) != _MARK:
            return
        said, digest = file.read(_BYTES), hashlib.blake2b(digest_size=_BYTES)
        file.seek(0)
        while size > 0:
            part = file.read(min(size, _AT_ONCE))
            if not part:
                break
            digest.update(part)
            size -= len(part)
    if digest.digest() != said:
        raise DamageError("it is not as it was written")


def content_of(path: str | Path) -> bytes:
    """The content of a file.

    Raises:
        DamageError: If a device, a pipe or a folder stands there, which may never end.
        OSError: If it cannot be read.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise DamageError("it is no file")
    return Path(path).read_bytes()


def sealed(record: Mapping[str, Any], indent: int | None = None) -> str:
    """A record as JSON with its checksum as the last entry."""
    content = {name: value for name, value in record.items() if name != "checksum"}
    content["checksum"] = _of_record(content)
    return json.dumps(content, indent=indent, allow_nan=False) + "\n"


def unsealed(text: str | bytes) -> dict[str, Any]:
    """The record that `sealed` made a text of; one without a checksum is of an earlier version.

    Raises:
        DamageError: If the text is no such record, or not as it was written.
    """
    found = peeked(text)
    said = found.pop("checksum", None)
    if said is not None and said != _of_record(found):
        raise DamageError("it is not as it was written")
    return found


def peeked(text: str | bytes) -> dict[str, Any]:
    """The record in a text, whose checksum is not looked at.

    Raises:
        DamageError: If the text is no record.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamageError("it is empty" if not text.strip() else "it is no whole JSON") from error
    if not isinstance(found, dict):
        raise DamageError("it is no record")
    return found


def _of_record(content: Mapping[str, Any]) -> str:
    # by way of JSON, which makes lists of tuples and texts of keys
    text = json.dumps(json.loads(json.dumps(content)), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
