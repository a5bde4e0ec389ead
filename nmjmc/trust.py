"""Whom a file can be trusted to come from: what others may have written is neither run nor believed.

A compiled program that is read back is run, so a cache that others can write lets them run what they like. A place
is trusted if nobody but the user and the system's administrator can change what stands there: not the place itself,
not a folder on the way to it, not a symbolic link that is followed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

_LINKS = 40  # as many as Linux follows
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def why_untrusted(path: Path) -> str | None:
    """Why others could decide what stands at a path.

    Args:
        path: A folder or a file; it need not be there, and then the folders above it are judged.

    Returns:
        A clause such as `/data/x can be written by others`, or None if only the user and the administrator can.
    """
    if not hasattr(os, "getuid"):
        return None  # Windows keeps a user's cache folder from others by rights that have no mode
    try:
        for place, found, last in _on_the_way(path):
            if reason := _fault(place, found, last):
                return reason
    except OSError as error:
        return f"{path} cannot be looked at ({error.strerror})"
    return None


def read_own(path: Path) -> bytes | None:
    """The content of a file that only the user, or the administrator, can have written; None for any other.

    It is judged and read through one descriptor, so that it cannot be exchanged in between.

    Args:
        path: A file; a symbolic link is not followed.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or not is_own(status):
            return None
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    except OSError:
        return None
    finally:
        os.close(descriptor)


def is_own(status: os.stat_result, closed: bool = False) -> bool:
    """Whether a file belongs to the user or the administrator, and nobody else can write it.

    Args:
        status: Of the file.
        closed: Whether it stands in a folder into which only its owner can go; its own mode does not matter then.
    """
    if not hasattr(os, "getuid"):
        return True
    return status.st_uid in (os.getuid(), 0) and (closed or not status.st_mode & _OTHERS_WRITE)


def _fault(place: Path, status: os.stat_result, last: bool) -> str | None:
    """Why one place on the way lets others in."""
    owners = {os.getuid(), 0}
    if not last:
        # in a container without the host's administrator, the system's own folders belong to whom `/` belongs
        owners.add(os.lstat(place.anchor).st_uid)
    if status.st_uid not in owners:
        return f"{place} belongs to another user ({_name(status.st_uid)})"
    if stat.S_ISLNK(status.st_mode):
        return None  # a link's mode says nothing; its folder and what it leads to are judged
    open_to_others = status.st_mode & _OTHERS_WRITE
    if not last and open_to_others == stat.S_IWGRP and _is_private_group(status.st_gid):
        return None
    sticky = not last and status.st_mode & stat.S_ISVTX  # as /tmp: others cannot rename what is the user's
    return f"{place} can be written by others" if open_to_others and not sticky else None


def _on_the_way(path: Path) -> Iterator[tuple[Path, os.stat_result, bool]]:
    """Each folder and link from the root to a path, as far as it is there, and whether it is the path itself."""
    whole = Path(os.path.join(os.getcwd(), path))
    at, todo, links = Path(whole.anchor), list(whole.parts[1:]), 0
    yield at, os.lstat(at), not todo
    while todo:
        name = todo.pop(0)
        if name == os.pardir:
            at = at.parent
            continue
        step = at / name
        try:
            status = os.lstat(step)
        except FileNotFoundError:
            return
        link = stat.S_ISLNK(status.st_mode)
        yield step, status, not todo and not link
        if not link:
            at = step
            continue
        links += 1
        if links > _LINKS:
            raise OSError(0, "links that lead in a circle", str(path))
        target = Path(os.readlink(step))
        at, todo = (Path(target.anchor) if target.is_absolute() else at), [*_names(target), *todo]


def _names(path: Path) -> list[str]:
    return [part for part in path.parts if part != path.anchor]


def _is_private_group(group: int) -> bool:
    """Whether a group has the user as its only member, as many systems give each user one."""
    import grp
    import pwd

    try:
        user, found = pwd.getpwuid(os.getuid()), grp.getgrgid(group)
    except KeyError:
        return False
    own = group != 0 and user.pw_gid == group and found.gr_name == user.pw_name
    return own and not set(found.gr_mem) - {user.pw_name}


def _name(owner: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:
        return str(owner)
