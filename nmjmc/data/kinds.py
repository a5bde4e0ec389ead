"""What kind of thing a file or a folder of this package is, told by its names and the head of the file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, TypeAlias

import h5py

from nmjmc.data.guard import DAMAGE
from nmjmc.data.quantal_folder import is_quantal

Kind: TypeAlias = Literal["result", "examination", "fit", "sweep", "table", "quantal", "several", ""]

_HEADS: dict[str, Kind] = {
    "examination_schema_version": "examination", "fit_schema_version": "fit", "schema_version": "result",
}  # fmt: skip
_DEEPEST = 2  # folders of several within each other: runs of -m in a folder of results (a choice)
_RECORDING = "nmjmc recording"  # the format of a recording that this package wrote, which nmjmc.read opens
_FILES = ("result.h5", "fit.h5")  # of the folder of a run, in which there is one of them


def kind_of(path: Path) -> Kind:
    """The kind of a file or a folder.

    Args:
        path: It is there.

    Returns:
        `result`, `examination`, `fit`; `sweep` for the folder of one; `table` for what `nmjmc collect` wrote;
        `quantal` for the folder of an analysis; `several` for a folder of any of these; empty for what is none.
    """
    return _of_folder(path) if path.is_dir() else _of_file(path)


def inside(folder: Path, deep: int = _DEEPEST) -> list[Path]:
    """What a folder of several holds, by name: folders and files that are of some kind.

    Args:
        folder: The folder; one that cannot be read holds nothing.
        deep: Folders of several within each other that are looked into: what a user names may be a whole disk.
    """
    kept = []
    try:
        for path in folder.iterdir():
            if path.name.startswith(".") or path.is_symlink():
                continue
            if path.is_dir():
                kind = _of_folder(path, deep - 1)
            else:
                kind = _of_file(path) if path.suffix.casefold() in (".h5", ".nc") and path.is_file() else ""
            if kind not in ("", "table"):
                kept.append(path)
    except OSError:
        return sorted(kept)
    return sorted(kept)


def _of_folder(folder: Path, deep: int = _DEEPEST) -> Kind:
    if os.path.lexists(folder / "sweep.json"):
        return "sweep"
    for name in _FILES:
        if (folder / name).is_file():
            return _of_file(folder / name)
    if is_quantal(folder):
        return "quantal"
    return "several" if deep > 0 and inside(folder, deep) else ""


def _of_file(path: Path) -> Kind:
    try:
        with h5py.File(path, "r") as file:
            head = set(file.attrs)
            title = str(file.attrs.get("title", ""))
            if str(file.attrs.get("format", "")) == _RECORDING:
                return ""
    except DAMAGE:
        return ""
    if title.startswith("nmjmc sweep"):
        return "table"
    for name, kind in _HEADS.items():
        if name in head:
            return kind
    return ""
