"""The package's cache folder: compiled programs, quanta and what else a later run need not make again.

What stands there is run or believed, so it is used only where nobody but the user can have written it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
import warnings
from pathlib import Path

from nmjmc.errors import CacheWarning
from nmjmc.trust import why_untrusted

MOST_BYTES = 2 * 2**30  # of one part of the cache; a choice: some thousand programs
_YOUNG = 3600.0  # seconds; a choice
_SAID: set[str] = set()
_BOUNDED: set[Path] = set()


def cache_directory() -> Path:
    """Where compiled programs are kept: `NMJMC_CACHE_DIR`, else `nmjmc` in the user's cache folder."""
    chosen = os.environ.get("NMJMC_CACHE_DIR")
    return Path(chosen).expanduser() if chosen else _user_cache() / "nmjmc"


def _user_cache() -> Path:
    """The user's cache folder by the custom of the system."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))


def cache_folder(name: str, most_bytes: int = MOST_BYTES) -> Path | None:
    """A part of the package's cache folder that only the user can write, of bounded size.

    All that is read back to be run or to be believed is kept in such a folder.

    Args:
        name: Name of the part, for example `quanta`.
        most_bytes: Above this size [bytes] the entries that were changed longest ago are removed, at the first call
            of a process; none that is younger than an hour, because another process may be at it.

    Returns:
        The folder, made with mode 0700 where it was missing. None where it cannot be written, or where others could
        have written it: a `CacheWarning` says so once, and `why_no_cache(name)` says why.
    """
    return private_folder(cache_directory() / name, most_bytes)


def why_no_cache(name: str = "") -> str | None:
    """Why the cache folder, or a part of it, is not used: a clause; None if it is, or would be."""
    return why_untrusted(cache_directory() / name)


def private_folder(folder: Path, most_bytes: int = MOST_BYTES) -> Path | None:
    """As `cache_folder`, for any folder that this package makes."""
    if reason := why_untrusted(folder):
        say_once(folder, reason)
        return None
    try:
        make_private(folder)
    except OSError:
        return None
    with contextlib.suppress(
        OSError
    ):  # one that the administrator has filled cannot be changed, and need not be
        os.chmod(folder, 0o700)
    if folder not in _BOUNDED:
        _BOUNDED.add(folder)
        _bound(folder, most_bytes)
    return folder


def say_once(folder: Path, reason: str) -> None:
    """Warn of a cache that is left out, once a process and reason."""
    if reason in _SAID:
        return
    _SAID.add(reason)
    cure = "make it yours alone (chmod go-w), or name another folder by NMJMC_CACHE_DIR"
    sentence = f"The cache {folder} is left out, because {reason}, and what others wrote is not run; {cure}."
    warnings.warn(sentence, CacheWarning, stacklevel=3)


def make_private(folder: Path) -> None:
    """Make a folder and those above it, whatever the umask, for the user alone."""
    if not folder.is_dir():
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _bound(folder: Path, most_bytes: int) -> None:
    """Remove the entries that were changed longest ago until the others fit, and what dead processes left half done."""
    entries = []
    for entry in folder.iterdir():
        with contextlib.suppress(OSError):
            inside = [entry, *entry.rglob("*")] if entry.is_dir() and not entry.is_symlink() else [entry]
            kept = [path.lstat() for path in inside]
            half = entry.name.startswith(".")
            entries.append((not half, max(x.st_mtime for x in kept), sum(x.st_size for x in kept), entry))
    size, young = sum(x[2] for x in entries), time.time() - _YOUNG
    for whole, changed, bytes_of_it, entry in sorted(entries):
        if changed > young or (whole and size <= most_bytes):
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                entry.unlink()
        size -= bytes_of_it
