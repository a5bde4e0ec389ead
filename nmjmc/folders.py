"""Where the package's YAML files lie, in a wheel and in a checkout."""

from __future__ import annotations

import functools
from pathlib import Path

from nmjmc.errors import NmjmcError, ValidationError


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


def user_path(text: str | Path, what: str) -> Path:
    """A path that a user wrote; `~` is the home, and every other letter stands for itself.

    Args:
        text: As it was written.
        what: The setting, for messages.

    Raises:
        ValidationError: If it is empty, or no path can have this name.
    """
    written = str(text)
    if not written.strip() or "\0" in written:
        raise ValidationError(what, repr(written), "the path of a file or a folder")
    try:
        return Path(written).expanduser()
    except RuntimeError as error:  # ~NAME, where there is no user of this name
        hint = f"write ./{written} for a name that begins so"
        raise ValidationError(what, written, "a path in the home of a user who exists", hint) from error
