"""What a file holds, told from its suffix and its headings where that leaves no doubt."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nmjmc.analysis.observations import EventTable, Histogram, MeanWaveform
from nmjmc.analysis.recording import Recording
from nmjmc.data.recordings.events import program_of_table
from nmjmc.data.recordings.hdf5 import kind_of_hdf5
from nmjmc.data.recordings.lists import LIST
from nmjmc.data.recordings.read import SUFFIXES
from nmjmc.data.recordings.text import read_columns
from nmjmc.errors import ValidationError, nearest
from nmjmc.fitting.datasets.options import KINDS, located, said_of

_HELD = {Recording: "recording", EventTable: "amplitudes", MeanWaveform: "waveform", Histogram: "histogram"}
"""Kinds of data that a caller has in memory."""

_COUNTS = ("count", "counts", "observations", "trials", "number", "n")


def kind_of(name: str, given: Mapping[str, Any], folder: Path) -> str:
    """The kind of a data set: as it was said, or as its file shows.

    Args:
        name: Of the data set.
        given: What was said of it.
        folder: That relative paths start from.

    Raises:
        ValidationError: For an unknown kind, or where the file leaves it open.
    """
    kind = given.get("kind") or "auto"
    if kind != "auto":
        if kind not in KINDS:
            hint = nearest(str(kind), (*KINDS, "auto"))
            raise ValidationError(f"data.{name}.kind", repr(kind), "a known kind", hint)
        return str(kind)
    if given.get("values") or given.get("features"):
        return "statistics"
    if given.get("published"):
        return "histogram"
    for held, kind in _HELD.items():
        if isinstance(given.get("file"), held):
            return kind
    if given.get("file") is None or not str(given["file"]):
        raise ValidationError(f"data.{name}", "without a file", "given with file, published or values")
    path = located(given["file"], folder)
    if not path.is_file():
        raise ValidationError(f"data.{name}.file", f"{path}, where there is no file", "a file")
    reader = SUFFIXES.get(path.suffix.casefold(), "neo")
    if reader == "csv":
        with said_of(f"data.{name}", ("decimal",)):
            found = _of_table(path, given)
    else:
        found = kind_of_hdf5(path) if reader == "hdf5" else "recording"
    if not found:
        allowed = "said, as the file does not show it"
        hint = (
            f"add data.{name}.kind=KIND, which is recording (sweeps in which events are searched), events (one event "
            "a sweep), waveform (an average), "
            "amplitudes (a list, or a table of detected events), histogram, counts or statistics"
        )
        raise ValidationError(f"data.{name}.kind", "open", allowed, hint)
    return found


def _of_table(path: Path, given: Mapping[str, Any]) -> str:
    """The kind of a table; empty where it may be sweeps with or without events cut out."""
    table = read_columns(path, given.get("decimal"))
    names = set(table.names)
    if {"name", "value"} <= names:
        return "statistics"
    if {"quanta"} <= names:
        return "counts"
    if len(table.names) == 2 and table.names[1].split(" ")[0] in _COUNTS:
        return "histogram"
    if names & {"mean", "average"} and names & {"time", "t"}:
        return "waveform"
    program = program_of_table(table)
    # a column that is said to be sampled may be a sweep
    return "amplitudes" if program and not (program == LIST and given.get("sampling_interval")) else ""
