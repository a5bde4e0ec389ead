"""Files that are whole or absent: a run killed at any moment leaves no half file."""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import os
import platform
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from nmjmc.errors import ValidationError
from nmjmc.folders import user_path

_ENDING = ".tmp"
_TEMPORARY = re.compile(r"\.(?P<machine>[0-9a-f]{8})-(?P<process>[0-9]+)-[^.]*\.tmp$")
_OLD = 86_400.0  # seconds; a choice: no file takes a day to write


@contextlib.contextmanager
def atomic(path: str | Path, private: bool = False) -> Iterator[Path]:
    """Give a temporary path in the same folder, and move it to `path` once it is whole and on the disk.

    Args:
        path: Where the file shall stand; its folder is made if needed.
        private: Whether only the user can read and write it, whatever the umask.

    Yields:
        Path to write to. If the body raises (Ctrl-C included), the temporary file is removed and whatever
        stood at `path` before still stands there.

    Raises:
        ValidationError: If nothing can be written there.
    """
    target = user_path(path, "path")
    if target.is_dir():
        raise ValidationError("path", f"{path}, which is a folder", "that of a file")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{target.name}.{_writer()}-", suffix=_ENDING, dir=target.parent
        )
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        actual = f"{path} ({error.strerror})"
        raise ValidationError("path", actual, "in a folder that can be written") from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _to_disk(temporary)
        if not private:
            os.chmod(temporary, 0o666 & ~_umask())  # mkstemp makes files that only the owner can read
        os.replace(temporary, target)
        _to_disk(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_bytes(path: str | Path, content: bytes | memoryview, private: bool = False) -> Path:
    """Write a binary file atomically, and give back its path; arguments as for `atomic`."""
    with atomic(path, private) as temporary:
        temporary.write_bytes(content)
    return user_path(path, "path")


def clear_leftovers(*folders: str | Path) -> None:
    """Remove the temporary files that killed processes have left in some folders; those of living ones stay.

    The name of a temporary file says which process of which machine writes it. Whether one of another machine lives
    cannot be told from here: its file goes when it is a day old.
    """
    for folder in folders:
        for path in Path(folder).glob(f".*{_ENDING}"):
            with contextlib.suppress(OSError):
                if _is_left(path):
                    path.unlink()


def _is_left(path: Path) -> bool:
    match = _TEMPORARY.search(path.name)
    if match is None or match["machine"] != _machine():
        return time.time() - path.stat().st_mtime > _OLD
    process = int(match["process"])
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:  # it lives, and is another user's
        return False
    return False


def _writer() -> str:
    """Who writes a temporary file, in its name."""
    return f"{_machine()}-{os.getpid()}"


@functools.cache
def _machine() -> str:
    """Where the number of a process has a meaning: the machine, and in it the container."""
    space = Path("/proc/self/ns/pid")
    inside = os.readlink(space) if os.path.islink(space) else ""
    return hashlib.blake2b(f"{platform.node()} {inside}".encode(), digest_size=4).hexdigest()


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
