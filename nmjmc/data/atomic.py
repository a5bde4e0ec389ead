"""Files that are whole or absent: a run killed at any moment leaves no half file."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nmjmc.errors import ValidationError
from nmjmc.folders import user_path


@contextlib.contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Give a temporary path in the same folder, and move it to `path` once it is whole and on the disk.

    Args:
        path: Where the file shall stand; its folder is made if needed.

    Yields:
        Path to write to. If the body raises (Ctrl-C included), the temporary file is removed and whatever
        stood at `path` before still stands there.

    Raises:
        ValidationError: If nothing can be written there.
    """
    target = user_path(path, "path")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        found = f"{path} ({error.strerror})"
        raise ValidationError("path", found, "in a folder that can be written") from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _to_disk(temporary)
        os.chmod(temporary, 0o666 & ~_umask())  # mkstemp makes files that only the owner can read
        os.replace(temporary, target)
        _to_disk(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_bytes(path: str | Path, content: bytes | memoryview) -> Path:
    """Write a binary file atomically, and give back its path."""
    with atomic(path) as temporary:
        temporary.write_bytes(content)
    return user_path(path, "path")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _to_disk(path: Path) -> None:
    """Flush a file or folder to the disk (a folder cannot be opened on some systems, and need not be)."""
    with contextlib.suppress(PermissionError, IsADirectoryError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
