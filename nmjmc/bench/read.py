"""`nmjmc.read(...)`: one door to recordings and tables, for a file, a folder, a pattern, or a recording in memory."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Any, overload

from nmjmc.analysis.recording import Recording
from nmjmc.data.read_file import of_recording, read_file
from nmjmc.data.reading import Reading
from nmjmc.data.readings import Readings
from nmjmc.data.recordings.asked import AsRead
from nmjmc.data.recordings.chosen import as_given
from nmjmc.data.recordings.read import SUFFIXES
from nmjmc.errors import ValidationError
from nmjmc.folders import user_path
from nmjmc.request import digest

_MORE = (".wcp", ".smr", ".smrx", ".ibw", ".pxp", ".axgd", ".axgx", ".edr", ".ced")
"""Suffixes that neo reads and a folder of recordings may have; others are read where they are named."""

_WORDS = "a file, a folder, a pattern such as cells/*.abf, or a Recording"


@overload
def read(source: Recording, *, request: AsRead | None = ..., **settings: Any) -> Reading: ...


@overload
def read(
    source: str | Path | list[Any] | tuple[Any, ...], *, request: AsRead | None = ..., **settings: Any
) -> Any: ...


def read(source: Any, *, request: AsRead | None = None, **settings: Any) -> Reading | Readings:
    """Read a recording or a table, and say what is in it and what it can be used for.

    Args:
        source: A file; a folder or a pattern (`cells/*.abf`), which give several cells; a list of files; or a
            `Recording` in memory.
        request: All that is said of it at once, in the place of keywords.
        **settings: `unit`, `gain`, `scale` and `polarity` put right what the file says wrongly; `channel`, `sweeps`,
            `window` and `baseline` choose of it; `nmjmc read --help` lists these and more.

    Returns:
        What was read, with its contents, its quality and its uses; for several files a mapping of these by name, whose
        `table()` has a row a cell.

    Raises:
        ValidationError: If it cannot be read, or something has to be said of it, such as a unit.

    Example:
        >>> cell = read(Recording(np.zeros((3, 400)), sampling_interval=0.05), sweeps="0-1")
        >>> cell.recording.sweeps
        2
    """
    if request is not None and settings:
        raise ValidationError("request", "given beside settings", "one of both")
    asked = AsRead.of(settings) if request is None else request
    if isinstance(source, Recording):
        return of_recording(as_given(source, asked), None, asked)
    if isinstance(source, list | tuple) and source and all(isinstance(one, str | Path) for one in source):
        return _several([user_path(one, "the source") for one in source], f"{len(source)} files", asked)
    if not isinstance(source, str | Path):
        raise ValidationError("the source", repr(source)[:60], _WORDS)
    place = user_path(source, "the source")
    if place.is_dir():
        return _several(_in(place), f"files of {place}", asked)
    if not place.exists() and glob.has_magic(str(source)):
        found = [Path(path) for path in sorted(glob.glob(str(place))) if Path(path).is_file()]
        if not found:
            raise ValidationError("the source", f"{source}, which no file fits", _WORDS)
        return _several(found, f"files that fit {source}", asked)
    return read_file(place, asked)


def name_of(found: Reading | Readings, source: str) -> str:
    """Name of the folder of what was read: the source's, and eight characters that follow from all that was said."""
    stem = "".join(
        letter if letter.isalnum() or letter in "-_" else "-" for letter in Path(source).stem
    ).strip("-")
    return f"read-{stem or 'data'}-{digest({'source': source, **found.config})}"


def _in(folder: Path) -> list[Path]:
    """The recordings of a folder, by name.

    Raises:
        ValidationError: If there is none.
    """
    known = {*SUFFIXES, *_MORE}
    found = sorted(path for path in folder.iterdir() if path.is_file() and path.suffix.casefold() in known)
    if not found:
        raise ValidationError("the source", f"{folder}, in which there is no recording", _WORDS)
    return found


def _several(places: list[Path], title: str, asked: AsRead) -> Readings:
    """Files by name, those that could not be read with the reason.

    Raises:
        ValidationError: If none could be read, with the first reason.
    """
    cells: dict[str, Reading] = {}
    refused: dict[str, str] = {}
    for place in places:
        name = place.name if place.name not in cells else str(place)
        try:
            cells[name] = read_file(place, asked)
        except ValidationError as error:
            refused[name] = str(error)
    if not cells:
        hint = f"the first: {next(iter(refused.values()))}"
        raise ValidationError("the source", f"{title}, of which none could be read", "recordings", hint)
    said = {name: value for name, value in asked.plain().items() if value is not None}
    return Readings(title, cells, refused, said)
