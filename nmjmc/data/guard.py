"""What an HDF5 file says that it holds, looked at before anything of it is read.

A small file may declare more numbers than a machine has room for, and its datasets and links may lie in other files
of the user. Neither is read: sizes come from the headers of the file, and links are looked at without following them.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
from h5py import h5o  # pyright: ignore[reportAttributeAccessIssue]  (h5py's own modules are compiled)

from nmjmc.data import seal
from nmjmc.errors import ValidationError

SHRINKS = 1032
"""Bytes that one byte can stand for: the most that deflate packs (zlib's technical details)."""

SMALL = 2**26
"""Bytes that a dataset may declare whatever the file holds: what was never written takes no room there (a choice)."""

_LOCKED = "unable to lock file"  # what HDF5 says then
_GROUPS = 10_000  # a fit has one for each data set and profile (a choice)
_SHARE = 0.25  # of the memory: the numbers are converted and copied after they were read

DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, UnicodeError, MemoryError)
"""What h5py raises for files that are damaged, one kind or another."""


@contextlib.contextmanager
def opened(
    path: str | Path, wanted: str = "an HDF5 file", *, own: bool = False, sealed: bool = False
) -> Iterator[Any]:
    """A file to be read, whose damage is told in a sentence.

    Args:
        path: The file.
        wanted: What it should be, for the message.
        own: Whether it is one of this package, which lies in one file: then all of it is checked at once, by its
            checksum too.
        sealed: Whether it may be one of this package, whose checksum is looked at then.

    Raises:
        ValidationError: If it cannot be read as HDF5, is damaged, or declares what cannot be.
    """
    try:
        if own or sealed:
            seal.check(path)
        file = h5py.File(path, "r")
    except seal.DamageError as error:
        if _is_locked(path):  # who writes it has not finished
            raise _locked(path) from error
        hint = "take it from a copy, or remove it and make it again"
        raise ValidationError(
            "path", f"{path}, which is damaged: {error}", f"{wanted}, whole", hint
        ) from error
    except DAMAGE as error:
        if _LOCKED in str(error):
            raise _locked(path) from error
        raise ValidationError("path", f"{path}, which cannot be read as HDF5", wanted) from error
    with file:
        try:
            if own:
                check_file(file, path)
            yield file
        except ValidationError:
            raise
        except DAMAGE as error:
            actual = f"{path}, of which something is missing or damaged ({_said(error)})"
            raise ValidationError("path", actual, f"{wanted}, whole") from error


def _is_locked(path: str | Path) -> bool:
    try:
        with h5py.File(path, "r"):
            return False
    except DAMAGE as error:
        return _LOCKED in str(error)


def _locked(path: str | Path) -> ValidationError:
    hint = "close it there, or wait until it is written"
    return ValidationError("path", f"{path}, which another program has locked", "free", hint)


def check_file(file: Any, path: str | Path) -> None:
    """Check all that a file holds.

    Args:
        file: An h5py file.
        path: Its path, for the message.

    Raises:
        ValidationError: If a link or a dataset lies in another file, or the sizes cannot be.
    """
    groups, seen = [file], set()
    while groups:
        group = groups.pop()
        for name in group:
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                raise ValidationError(
                    f"{name} of {path}", f"a link to the file {link.filename}", "in one file"
                )
            item = group.get(name) if isinstance(link, h5py.HardLink) else None
            if isinstance(item, h5py.Dataset):
                check_dataset(item, path)
            # a group may hold a link to one above it
            elif isinstance(item, h5py.Group) and (place := h5o.get_info(item.id).addr) not in seen:
                seen.add(place)
                groups.append(item)
                if len(seen) > _GROUPS:
                    raise ValidationError(
                        "path", f"{path}, of more than {_GROUPS} groups", "a file of this package"
                    )


def check_dataset(dataset: Any, path: str | Path) -> None:
    """Check one dataset.

    Args:
        dataset: An h5py dataset.
        path: Path of its file, for the message.

    Raises:
        ValidationError: If its values lie in another file, or are more than the file or the memory can hold.
    """
    name = f"dataset {dataset.name} of {path}"
    if dataset.external or dataset.is_virtual:
        raise ValidationError(name, "kept in another file", "in one file", "copy it into one file first")
    size, stored = _declared(dataset), dataset.id.get_storage_size()
    if size > SMALL and size > SHRINKS * stored:
        actual = f"declared with {_bytes(size)} of which the file holds {_bytes(stored)}"
        raise ValidationError(name, actual, "whole", "it may be damaged, or was never written")
    check_memory(size, name)


def check_memory(size: float, name: str) -> None:
    """Refuse what cannot be read into the memory of this machine.

    Args:
        size: Bytes.
        name: Of what, for the message.

    Raises:
        ValidationError: If it is more than a quarter of the memory.
    """
    most = _SHARE * _memory()
    if size > most:
        hint = "cut out the part that is needed"
        raise ValidationError(name, f"{_bytes(size)} large", f"at most {_bytes(most)} on this machine", hint)


def _declared(dataset: Any) -> int:
    """Bytes of a dataset in memory; 0 where it is empty."""
    return math.prod(dataset.shape or (0,)) * max(dataset.dtype.itemsize, 1)


def _memory() -> float:
    """Memory of this machine [bytes]; infinite where it cannot be told."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return math.inf


def _bytes(size: float) -> str:
    power = min(int(math.log(max(size, 1), 1024)), 4)
    return f"{size / 1024**power:.3g} {('bytes', 'KiB', 'MiB', 'GiB', 'TiB')[power]}"


def _said(error: BaseException) -> str:
    """The first line of what a library says."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__
