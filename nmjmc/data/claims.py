"""Who runs which point: one byte of a lock file for each, let go by the system when its process ends.

The locks are POSIX record locks, which the kernel of the system keeps: a process that is killed at any moment
holds nothing any more, so there is no stale lock to clear away. They work between machines where the file system
carries them (local disks, NFS; Lustre mounted with `flock`).
"""

from __future__ import annotations

import contextlib
import errno
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from nmjmc.errors import NmjmcError

_TURN = 2**40  # the byte that stands for the whole folder, past every point


class Claims:
    """The points that this process holds, in a folder that several processes may share.

    A process holds its claims through one open file; POSIX would drop them all if it opened and closed the lock
    file once more, so there is one object of this class a process and folder.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        self._held: set[int] = set()

    def take(self, index: int) -> bool:
        """Claim a point; False if another process holds it."""
        if not _lock(self._file, index, wait=False):
            return False
        self._held.add(index)
        return True

    def held_by_others(self, index: int) -> bool:
        """Whether another process holds a point; looking takes nothing, so that nobody is kept from it.

        False where the system cannot tell.
        """
        fcntl = _fcntl()
        is_linux = sys.platform.startswith("linux")
        # as C lays out struct flock: kind, whence, start, length, process on Linux; elsewhere the first two are last
        form, kind = ("@hhqqi4x", 0) if is_linux else ("@qqihh", 3)
        wanted = (
            (fcntl.F_WRLCK, os.SEEK_SET, index, 1, 0)
            if is_linux
            else (index, 1, 0, fcntl.F_WRLCK, os.SEEK_SET)
        )
        try:
            said = fcntl.fcntl(self._file, fcntl.F_GETLK, struct.pack(form, *wanted))
        except OSError:
            return False
        return struct.unpack(form, said)[kind] != fcntl.F_UNLCK

    def release(self, index: int) -> None:
        """Let a point go."""
        _unlock(self._file, index)
        self._held.discard(index)

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until no other process is in such a body, and keep the others out of it."""
        _lock(self._file, _TURN, wait=True)
        try:
            yield
        finally:
            _unlock(self._file, _TURN)

    def is_at(self, path: Path) -> bool:
        """Whether the lock file still stands at a path, so that the locks are those which others see there."""
        try:
            return os.path.samestat(os.fstat(self._file), os.stat(path))
        except OSError:
            return False

    def close(self) -> None:
        """Let everything go."""
        self._held.clear()
        os.close(self._file)


def _lock(file: int, byte: int, *, wait: bool) -> bool:
    """Lock one byte; False if another process has it and we do not wait.

    Raises:
        NmjmcError: Where the file system has no locks: two processes could then run one point.
    """
    fcntl = _fcntl()
    how = fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB
    try:
        fcntl.lockf(file, how, 1, byte, os.SEEK_SET)
    except OSError as error:
        if not wait and error.errno in (errno.EACCES, errno.EAGAIN):
            return False
        raise NmjmcError(
            f"The folder of the sweep lies where files cannot be locked ({error.strerror}); "
            "take another folder (folder=PATH), or ask for a mount with locks."
        ) from error
    return True


def _unlock(file: int, byte: int) -> None:
    fcntl = _fcntl()
    fcntl.lockf(file, fcntl.LOCK_UN, 1, byte, os.SEEK_SET)


def _fcntl():
    try:
        import fcntl
    except ImportError as error:
        raise NmjmcError("Sweeps need a system with POSIX locks, such as Linux, macOS or WSL.") from error
    return fcntl
