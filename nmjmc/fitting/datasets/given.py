"""What a caller gives as data (terms, files, mappings, recordings, arrays), made into the data sets of a fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nmjmc.analysis.observations import EventTable, Histogram, MeanWaveform
from nmjmc.analysis.recording import UNITS, Recording
from nmjmc.errors import ValidationError
from nmjmc.fitting.datasets.files import placed, sets_of_files
from nmjmc.fitting.datasets.read import DataSets, read_datasets
from nmjmc.fitting.terms import Term
from nmjmc.synapse.model import Synapse

Held = Recording | EventTable | MeanWaveform | Histogram
"""Data that a caller has in memory."""

Data = (
    DataSets | Term | Sequence[Term] | str | Path | Sequence[str] | Sequence[Path] | Held
    | Mapping[str, Any] | Sequence[Mapping[str, Any]]
)  # fmt: skip
"""Data of a fit, as a caller gives them."""

_KINDS = "terms, a file, a Recording, or a mapping from names to what is said of each data set"


def datasets_of(data: object, synapse: Synapse) -> tuple[DataSets, dict[str, Any]]:
    """The data sets, and what a config says of them.

    Args:
        data: Terms; a file or several; a `Recording`, `EventTable`, `MeanWaveform` or `Histogram`; or, by name, what is
            said of each (`read_datasets`), where `file` may also be one of these objects or an array: sweeps [sweep, t]
            with a `sampling_interval`, or amplitudes [event], each with its `unit` (nA by default).
        synapse: Before the fit.

    Returns:
        Them, and the mapping that describes them; for data in memory it says that they were.

    Raises:
        ValidationError: For whatever cannot be right.
    """
    if isinstance(data, DataSets):
        return data, {name: {} for name in data.kinds}
    if isinstance(data, Term | str | Path):
        data = [data]  # pyright: ignore[reportAssignmentType]  (one is a list of one)
    if isinstance(data, Held):
        data = {getattr(data, "name", "data"): {"file": data}}
    if isinstance(data, np.ndarray) or not isinstance(data, Mapping | Sequence):
        hint = 'for example {"minis": {"file": array, "sampling_interval": "20 us"}}'
        raise ValidationError("data", f"of type {type(data).__name__}", _KINDS, hint)
    if not data:
        raise ValidationError("fit.data", "empty", "one or more data sets")
    if isinstance(data, Mapping) or all(isinstance(item, Mapping) for item in data):
        return _described(placed(data), synapse)
    if all(isinstance(item, str | Path) for item in data):
        return _described(sets_of_files(data, ""), synapse)  # pyright: ignore[reportArgumentType]  (all are paths, as was just seen)
    terms = tuple(item for item in data if isinstance(item, Term))
    if len(terms) < len(data):
        raise ValidationError("data", repr(data)[:60], _KINDS)
    return DataSets(terms, {}, {}, ()), {term.name: {} for term in terms}


def _described(sets: dict[str, Any], synapse: Synapse) -> tuple[DataSets, dict[str, Any]]:
    """Data sets of a description, and the description as plain values."""
    made = {name: _made(name, options) for name, options in sets.items()}
    plain = {
        name: {
            key: f"a {type(v).__name__} in memory" if isinstance(v, Held) else v for key, v in options.items()
        }
        for name, options in made.items()
    }
    return read_datasets(made, synapse), plain


def _made(name: str, options: dict[str, Any]) -> dict[str, Any]:
    """What is said of a data set, an array in the place of a file made into what it is."""
    array = options.get("file")
    if array is None or isinstance(array, str | Path | Held):
        return options
    others = {
        key: value for key, value in options.items() if key not in ("file", "sampling_interval", "unit")
    }
    unit = options.get("unit", "nA")
    if unit not in UNITS:
        raise ValidationError(f"data.{name}.unit", repr(unit), "nA or mV, the unit of an array")
    if np.ndim(array) == 1 and "sampling_interval" not in options:
        return {**others, "file": EventTable({"amplitude": array}, unit)}
    if "sampling_interval" not in options:
        raise ValidationError(f"data.{name}.sampling_interval", "missing", "given for an array of sweeps")
    return {**others, "file": Recording(array, options["sampling_interval"], unit, name=name)}
