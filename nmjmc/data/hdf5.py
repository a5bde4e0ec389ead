"""Result files: netCDF-4, self-describing, written atomically, and read back to the same bits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5netcdf
import numpy as np

from nmjmc.data.guard import opened
from nmjmc.data.molecules import NAMES, Molecules
from nmjmc.data.result import FATES, Result
from nmjmc.data.variables import SCHEMA_VERSION, joined
from nmjmc.errors import ValidationError
from nmjmc.folders import user_path
from nmjmc.synapse.build import build


def save(result: Result, path: str | Path) -> Path:
    """Write a result; the file appears whole or not at all.

    Args:
        result: What to write.
        path: The file, usually `result.h5`.

    Returns:
        The path.
    """
    return result.save(path)


def load(path: str | Path) -> Result:
    """Read a result file and rebuild its synapse bit for bit.

    Args:
        path: A file that `save` wrote, or the folder of a run that holds `result.h5`.

    Returns:
        The result.

    Raises:
        ValidationError: If there is no such file, or it is no result of this package.
    """
    place = user_path(path, "path")
    place = place / "result.h5" if place.is_dir() else place
    if not place.is_file():
        raise ValidationError("path", f"{path}, where there is no file", "a result file, such as result.h5")
    with opened(place, "a result file", own=True), h5netcdf.File(place, "r") as file:
        return _read(file, str(path))


def _read(file: Any, path: str) -> Result:
    by_name = dict(file.attrs)
    _check_schema(by_name, path)
    config = json.loads(joined("config", by_name))
    synapse = build(config["synapse"])
    names = (*synapse.receptor.scheme.states, *synapse.esterase.scheme.states, *FATES)
    has_positions = "positions" in file.variables
    return Result(
        time=file["time"][...],
        counts={name: file[name][...] for name in names},
        content=file["content"][...],
        synapse=synapse,
        seed=int(by_name["seed"]),
        settings=config["settings"],
        provenance={name: _python_value(value) for name, value in by_name.items() if not _is_ours(name)},
        positions=file["positions"][...] if has_positions else None,
        position_time=file["frame"][...] if has_positions else None,
        molecules=_molecules(file),
    )


def _molecules(file: Any) -> Molecules | None:
    """What was seen of the viewed patch, where the file holds it."""
    if "molecule_place" not in file.variables:
        return None
    return Molecules(**{field: file[name][...] for field, name in NAMES.items()})


def _is_ours(name: str) -> bool:
    """Whether an attribute is written by `attributes` itself, so no part of the provenance."""
    return name in ("title", "Conventions", "schema_version", "seed") or name.startswith(("config", "_"))


def _check_schema(found: dict[str, Any], path: str) -> None:
    version = found.get("schema_version")
    if "examination_schema_version" in found:
        hint = "open it with nmjmc.load"
        raise ValidationError("path", f"{path}, the file of a bedside test", "a result of simulate", hint)
    if version is None or "config" not in found:
        raise ValidationError("path", f"{path}, which was not written by nmjmc", "a result file")
    if int(version) > SCHEMA_VERSION:
        hint = "install a newer nmjmc to read it"
        raise ValidationError(f"schema_version of {path}", int(version), f"at most {SCHEMA_VERSION}", hint)


def _python_value(value: Any) -> Any:
    """A Python value of an attribute."""
    return value.item() if isinstance(value, np.generic) else value
