"""How fast runs were on this machine, so that a dry run can predict; kept beside the compiled programs."""

from __future__ import annotations

import contextlib
import json

from nmjmc.data.atomic import write_text
from nmjmc.errors import ValidationError
from nmjmc.runtime import cache_directory

ENOUGH = 32  # a run of fewer vesicles costs more a vesicle, and would mislead


def remember(device: str, name: str, seconds: float, vesicles: int) -> None:
    """Keep what one vesicle cost; a folder that cannot be written is no reason to fail.

    Args:
        device: What it ran on.
        name: What was run: the key of its config, or the name of its preparation.
        seconds: What the run took, without compiling [s].
        vesicles: How many there were.
    """
    if vesicles < ENOUGH and recall(device, name) is not None:
        return
    with contextlib.suppress(OSError, ValidationError):
        write_text(_file(), json.dumps({**_all(), f"{device}: {name}": seconds / vesicles}, indent=1))


def recall(device: str, name: str) -> float | None:
    """Seconds a vesicle of that name last took on that device, or None if there was no run."""
    return _all().get(f"{device}: {name}")


def _file():
    return cache_directory() / "speed.json"


def _all() -> dict[str, float]:
    try:
        found = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
