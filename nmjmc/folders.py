"""Where the package's YAML files lie, in a wheel and in a checkout."""

from __future__ import annotations

import errno
import functools
import os
import stat
from pathlib import Path

from nmjmc.errors import NmjmcError, ValidationError

_SHOWN = 60  # letters of a name that is too long


@functools.cache
def config_dir() -> Path:
    """The folder that holds `preparation/`, `scheme/` and the other config groups.

    Returns:
        `nmjmc/_configs` where a wheel has put it, else the `configs` folder of the checkout.

    Raises:
        NmjmcError: If neither is there (a broken installation).
    """
    package = Path(__file__).resolve().parent
    for candidate in (package / "_configs", package.parent / "configs"):
        if (candidate / "scheme").is_dir():
            return candidate
    raise NmjmcError("nmjmc's config files are missing; please install the package again.")


def names_in(group: str) -> tuple[str, ...]:
    """Names of the YAML files of a config group, such as `preparation` or `example`."""
    return tuple(sorted(path.stem for path in (config_dir() / group).glob("*.yaml")))


def _has_bytes(text: str) -> bool:
    """Whether the system can have a file of this name."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def user_path(text: object, what: str) -> Path:
    """A path that a user wrote; `~` is the home, and every other letter stands for itself.

    Args:
        text: As it was written.
        what: The setting, for messages.

    Raises:
        ValidationError: If it is no text, or empty, no path can have this name, or a device or a pipe stands there,
            which may never end.
    """
    if not isinstance(text, str | Path):
        raise ValidationError(what, repr(text), "the path of a file or a folder, as text")
    written = str(text)
    if not written.strip() or "\0" in written or not _has_bytes(written):
        raise ValidationError(what, repr(written), "the path of a file or a folder")
    try:
        path = Path(written).expanduser()
    except RuntimeError as error:  # ~NAME, where there is no user of this name
        hint = f"write ./{written} for a name that begins so"
        raise ValidationError(what, written, "a path in the home of a user who exists", hint) from error
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL):
            shown = written if len(written) < _SHOWN else f"{written[:_SHOWN]}..."
            why = (error.strerror or "it cannot be").lower()
            raise ValidationError(what, f"{shown} ({why})", "a path that can be") from error
        return path
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise ValidationError(what, f"{written}, which is a device or a pipe", "a file or a folder")
    return path
