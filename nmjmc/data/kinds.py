"""What kind of thing a file or a folder of this package is, told by its names and the head of the file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

import h5py

from nmjmc.data.guard import DAMAGE

Kind: TypeAlias = Literal["result", "examination", "fit", "sweep", "table", "several", ""]

_HEADS: dict[str, Kind] = {
    "examination_schema_version": "examination", "fit_schema_version": "fit", "schema_version": "result",
}  # fmt: skip
_FILES = ("result.h5", "fit.h5")  # of the folder of a run, in which there is one of them


def kind_of(path: Path) -> Kind:
    """The kind of a file or a folder.

    Args:
        path: It is there.

    Returns:
        `result`, `examination`, `fit`; `sweep` for the folder of one; `table` for what `nmjmc collect` wrote;
        `several` for a folder of any of these; empty for what is none.
    """
    return _of_folder(path) if path.is_dir() else _of_file(path)


def inside(folder: Path) -> list[Path]:
    """What a folder of several holds, by name: folders and files that are of some kind."""
    seen = (path for path in folder.iterdir() if not path.name.startswith("."))
    ours = (path for path in seen if path.is_dir() or path.suffix.casefold() in (".h5", ".nc"))
    return sorted(path for path in ours if kind_of(path) not in ("", "table"))


def _of_folder(folder: Path) -> Kind:
    if (folder / "sweep.json").is_file():
        return "sweep"
    for name in _FILES:
        if (folder / name).is_file():
            return _of_file(folder / name)
    return "several" if inside(folder) else ""


def _of_file(path: Path) -> Kind:
    try:
        with h5py.File(path, "r") as file:
            head = set(file.attrs)
            title = str(file.attrs.get("title", ""))
    except DAMAGE:
        return ""
    if title.startswith("nmjmc sweep"):
        return "table"
    for name, kind in _HEADS.items():
        if name in head:
            return kind
    return ""
