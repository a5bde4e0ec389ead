"""One door to recordings: the reader follows from the file's suffix, or is asked for by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from nmjmc.analysis.recording import Recording
from nmjmc.data.recordings.axon import read_abf
from nmjmc.data.recordings.hdf5 import read_hdf5
from nmjmc.data.recordings.optional import existing
from nmjmc.data.recordings.table import read_csv
from nmjmc.data.recordings.through_neo import read_neo
from nmjmc.errors import ValidationError, nearest

READERS: dict[str, Callable[..., Recording]] = {
    "abf": read_abf, "csv": read_csv, "hdf5": read_hdf5, "neo": read_neo,
}  # fmt: skip
"""Readers by name."""

SUFFIXES = {
    ".abf": "abf", ".csv": "csv", ".txt": "csv", ".tsv": "csv", ".dat": "csv", ".atf": "csv",
    ".h5": "hdf5", ".hdf5": "hdf5", ".nc": "hdf5",
}  # fmt: skip
"""Reader of each suffix; any other goes to neo (WinWCP, Igor, Spike2, NWB and more)."""


def read_recording(path: str | Path, *, format: str | None = None, **options: Any) -> Recording:
    """Read a recording.

    Args:
        path: The file.
        format: One of `READERS`; by default it follows from the suffix.
        **options: `channel` of a file with several; for text and foreign HDF5, which do not say it,
            `sampling_interval` [ms] and `unit`; and any field of `Recording` that the file does not know:
            `holding_potential` [mV], `bandwidth` [kHz], `series_resistance` [MOhm], `temperature` [degC].

    Returns:
        The recording, in nA or mV.

    Raises:
        ValidationError: If there is no such file, no reader for it, or its reader is not installed.
    """
    place = existing(path)
    kind = format or SUFFIXES.get(place.suffix.casefold(), "neo")
    if kind not in READERS:
        raise ValidationError("format", repr(kind), "a known format", nearest(kind, READERS))
    return READERS[kind](place, **options)
