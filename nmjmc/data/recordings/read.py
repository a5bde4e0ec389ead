"""One door to recordings: the reader follows from the file's suffix, or is asked for by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from nmjmc.analysis.recording import Recording
from nmjmc.data.guard import opened
from nmjmc.data.recordings.axon import read_abf
from nmjmc.data.recordings.axon_text import read_atf
from nmjmc.data.recordings.corrections import put_right, refuse_impossible
from nmjmc.data.recordings.hdf5 import read_hdf5
from nmjmc.data.recordings.mat import read_mat
from nmjmc.data.recordings.nwb import read_nwb
from nmjmc.data.recordings.optional import existing
from nmjmc.data.recordings.stimfit import is_stimfit, read_stimfit
from nmjmc.data.recordings.table import read_csv
from nmjmc.data.recordings.through_neo import read_neo
from nmjmc.errors import ValidationError, nearest
from nmjmc.numbers import plain_text

READERS: dict[str, Callable[..., Recording]] = {
    "abf": read_abf, "atf": read_atf, "csv": read_csv, "hdf5": read_hdf5, "mat": read_mat, "neo": read_neo,
    "nwb": read_nwb, "stimfit": read_stimfit,
}  # fmt: skip
"""Readers by name."""

SUFFIXES = {
    ".abf": "abf", ".csv": "csv", ".txt": "csv", ".tsv": "csv", ".dat": "csv", ".atf": "atf",
    ".h5": "hdf5", ".hdf5": "hdf5", ".nc": "hdf5", ".mat": "mat", ".nwb": "nwb",
}  # fmt: skip
"""Reader of each suffix; any other goes to neo (WinWCP, Igor, Spike2 and more)."""


_TEXTS = ("format", "unit", "time_unit", "sweeps", "signal", "decimal", "dataset", "name")
"""Options that are texts."""


def read_recording(
    path: str | Path,
    *,
    format: str | None = None,
    gain: object = None,
    polarity: int | None = None,
    **options: Any,
) -> Recording:
    """Read a recording.

    Args:
        path: The file.
        format: One of `READERS`; by default it follows from the suffix.
        gain: What the file does not know of its gain: a number by which its samples are too large, or the potential
            that was recorded for each current (`"0.5 V/nA"`).
        polarity: Direction of the responses in the file, 1 (up) or -1 (down); the signal is turned over where inward
            currents go up, or depolarisations down.
        **options: `channel` of a file with several; `unit` of the samples, which wins over what the file says; in text,
            MATLAB and foreign HDF5, which do not say it, `sampling_interval` [ms] and what else their readers take
            (`read_csv`, `read_hdf5`); and any field of `Recording` that the file does not know: `holding_potential`
            [mV], `bandwidth` [kHz], `series_resistance` [MOhm], `temperature` [degC].

    Returns:
        The recording, in nA or mV; its `source` says what was put right.

    Raises:
        ValidationError: If there is no such file, no reader for it, or its reader is not installed; if an option is not
            for this format; or if the samples are no current or potential of a cell.
    """
    place = existing(path)
    for name in _TEXTS:
        if (given := {**options, "format": format}.get(name)) is not None:
            plain_text(given, name, "a text")
    kind = format_of(place, format)
    _refuse_others(kind, options)
    try:
        part = put_right(READERS[kind](place, **options), gain, polarity)
    except ValidationError as error:
        if place.name in str(error) or error.field in (*options, "gain", "polarity"):
            raise
        raise ValidationError(
            f"{error.field} of {place.name}", error.value, error.allowed, error.hint
        ) from error
    refuse_impossible(part.unit, part.signal, f"recording {place.name}")
    return part


def format_of(path: Path, said: str | None = None) -> str:
    """The name of the reader of a file: as said, else by its suffix, and of HDF5 by what is in it.

    Args:
        path: It is there.
        said: One of `READERS`.

    Raises:
        ValidationError: If there is no such reader, or an HDF5 file cannot be opened.
    """
    kind = said or SUFFIXES.get(path.suffix.casefold(), "neo")
    if kind not in READERS:
        raise ValidationError("format", repr(kind), "a known format", nearest(kind, READERS))
    if kind == "hdf5" and said is None:
        with opened(path) as file:
            return "stimfit" if is_stimfit(file) else "hdf5"
    return kind


def _refuse_others(kind: str, options: dict[str, Any]) -> None:
    """Refuse an option that neither this reader nor a recording has.

    Raises:
        ValidationError: Naming it.
    """
    own = [name for name in inspect.signature(READERS[kind]).parameters if name not in ("path", "known")]
    known = (*own, *(field.name for field in fields(Recording) if field.name != "signal"))
    for name in options:
        if name not in known:
            raise ValidationError(f"option {name}", "given", f"one of format {kind}", nearest(name, known))
