"""The record of one point of a sweep: written with a checksum, and believed only if it is whole and of that point."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nmjmc.data import seal
from nmjmc.data.atomic import write_text
from nmjmc.data.features import flat

DONE, FAILED = "done", "failed"
_PARTS = {
    DONE: ("summary", ("features", "peak_open_channels", "fate_of_ach")),
    FAILED: ("error", ("sentence",)),
}


def write(path: Path, index: int, state: str, content: Mapping[str, Any]) -> None:
    """Write the record of a point; what it says replaces what stood there."""
    write_text(path, seal.sealed({"index": index, "status": state, **content}))


def read(path: Path, index: int, state: str, point: Mapping[str, Any] | None) -> dict[str, Any]:
    """Read the record of a point.

    Args:
        path: Its file.
        index: Number of the point.
        state: `done` or `failed`.
        point: Values and seed that the sweep's definition gives it; None where a study drew them.

    Raises:
        DamageError: If it is empty, cut, changed, or that of another point.
        OSError: If it cannot be read.
    """
    sealed_record = seal.unsealed(seal.content_of(path))
    wanted: dict[str, Any] = {"index": index, "status": state}
    if point is not None:
        wanted["values"] = point["values"]
        # the seed may be one of the values, and an older record of a point that could not be built has none
        if sealed_record.get("seed") is not None and point["seed"] is not None:
            wanted["seed"] = point["seed"]
    if any(sealed_record.get(name) != value for name, value in wanted.items()):
        raise seal.DamageError("it is that of another point")
    name, parts = _PARTS[state]
    said = sealed_record.get(name)
    if (
        not isinstance(sealed_record.get("values"), dict)
        or not isinstance(said, dict)
        or set(parts) - set(said)
    ):
        raise seal.DamageError("something of it is missing")
    if state == "done":
        try:
            flat(said)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise seal.DamageError("a feature of it is no number with its error") from error
    return sealed_record
