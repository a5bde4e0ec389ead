"""From a plain mapping of data sets to the terms of a fit."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nmjmc.errors import ValidationError, check_kind, nearest
from nmjmc.fitting.datasets import averages, numbers, waveforms
from nmjmc.fitting.datasets.kind import kind_of
from nmjmc.fitting.datasets.options import EVERY, KINDS, READER, UNITS, Options
from nmjmc.fitting.datasets.source import Source
from nmjmc.fitting.quanta import Condition
from nmjmc.fitting.terms import Term
from nmjmc.folders import user_path
from nmjmc.synapse.model import Synapse
from nmjmc.units import to_internal

_MAKERS: dict[str, Callable[[Options, Synapse], Source]] = {
    "recording": waveforms.recording, "events": waveforms.events, "waveform": averages.waveform,
    "simulation": waveforms.simulation, "amplitudes": numbers.amplitudes, "histogram": numbers.histogram,
    "counts": numbers.counts, "statistics": numbers.statistics,
}  # fmt: skip

_CORRECT = ("gain", "scale", "polarity", "channel", "sweeps", "window")  # what a file says, or choose from it

DEFAULTS = "defaults"
"""Name of what all data sets share."""


@dataclass(frozen=True)
class DataSets:
    """Data sets of a fit, read.

    Attributes:
        terms: One for each.
        kinds: By name.
        notes: What was read, by name.
        remarks: What a reader of the fit must know, in sentences.
    """

    terms: tuple[Term, ...]
    kinds: Mapping[str, str]
    notes: Mapping[str, str]
    remarks: tuple[str, ...]


def read_datasets(
    given: Mapping[str, Any] | Sequence[Any],
    synapse: Synapse,
    folder: str | Path = ".",
) -> DataSets:
    """Read data sets from their description.

    Args:
        given: By name, what is said of each: `file`, `kind`, `condition`, ... (`options.KINDS` lists all); under
            `defaults`, what all share. A list of mappings with `name` is taken too.
        synapse: Before the fit.
        folder: That relative paths start from.

    Returns:
        The terms; data sets of one condition share one simulated duration, so that each is solved once.

    Raises:
        ValidationError: For everything that cannot be right, naming the data set and the word.
    """
    check_kind(synapse, Synapse, "synapse", "a Synapse", 'for example nmjmc.preparation("human")')
    folder = user_path(folder or ".", "folder") if isinstance(folder, str) else user_path(folder, "folder")
    described = named(given)
    sources: dict[str, Source] = {}
    kinds = {}
    for name, options in described.items():
        kinds[name] = kind_of(name, options, folder)
        sources[name] = _source(name, kinds[name], options, synapse, folder)
    _check_shared(described)
    _check_used(described, kinds)
    longest: dict[tuple[tuple[str, Any], ...], float] = {}
    for source in sources.values():
        longest[source.changes] = max(longest.get(source.changes, 0.0), source.needed)
    terms = [source.make(Condition(source.changes, longest[source.changes])) for source in sources.values()]
    notes = {name: source.note for name, source in sources.items()}
    remarks = [remark for source in sources.values() for remark in source.remarks]
    return DataSets(tuple(terms), kinds, notes, (*remarks, *_not_applied(described, kinds)))


def _not_applied(described: Mapping[str, Mapping[str, Any]], kinds: Mapping[str, str]) -> list[str]:
    """Sentences on lists of amplitudes to which a word that puts right all files could not be applied."""
    said = []
    for name, options in described.items():
        words = [key for key in _CORRECT if key in options["__shared__"] and options.get(key) is not None]
        left = [key for key in words if key not in KINDS[kinds[name]]]
        if left and kinds[name] in ("amplitudes", "histogram"):
            was = "was" if len(left) == 1 else "were"
            said.append(f"{name}: {' and '.join(left)} {was} not applied, as this is no recording.")
    return said


def _check_shared(described: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse a number that all data sets share and that cannot be right, also where none has a use for it."""
    shared = next(iter(described.values())).get("__shared__", ())
    for key in shared:
        value = next((options[key] for options in described.values() if options.get(key) is not None), None)
        if value is not None and key in UNITS:
            to_internal(value, UNITS[key], f"data.{key}")


def _check_used(described: Mapping[str, Mapping[str, Any]], kinds: Mapping[str, str]) -> None:
    """Refuse a word of all data sets by which files are read, where it can be applied to none of them."""
    shared = next(iter(described.values())).get("__shared__", ())
    there = sorted(set(kinds.values()))
    for key in (key for key in shared if key in (*READER, "baseline")):
        is_given = any(options.get(key) is not None for options in described.values())
        if is_given and not any(key in KINDS[kind] for kind in there):
            allowed = f"left out of data sets of kind {' and '.join(there)}"
            raise ValidationError(f"data.{key}", "given", allowed, f"{key} is for recordings")


def named(given: Mapping[str, Any] | Sequence[Any]) -> dict[str, dict[str, Any]]:
    """What is said of each data set, with what all share.

    Raises:
        ValidationError: If there is no data set, or one is no mapping.
    """
    if isinstance(given, Sequence) and not isinstance(given, str):
        rows = [dict(row) if isinstance(row, Mapping) else {} for row in given]
        names = [
            str(row.pop("name", "") or Path(str(row.get("file", f"set{i}"))).stem)
            for i, row in enumerate(rows)
        ]
        if len(set(names)) < len(names):
            raise ValidationError(
                "names of the data sets", names, "different from each other", "give each a name"
            )
        given = dict(zip(names, rows, strict=True))
    if not isinstance(given, Mapping):
        raise ValidationError("data", repr(given), "a mapping from names to data sets, or the path of a file")
    whole = {str(name): options for name, options in given.items() if options is not None}
    shared = whole.pop(DEFAULTS, {})
    if not whole:
        raise ValidationError("data", "empty", "one or more data sets", "for example data=events.csv")
    for name, options in {**whole, DEFAULTS: shared}.items():
        if not isinstance(options, Mapping):
            hint = (
                nearest(name, EVERY) if name not in whole or "." in name else "for example {file: events.csv}"
            )
            raise ValidationError(f"data.{name}", repr(options), "a mapping that describes a data set", hint)
    for key in shared:
        if key not in EVERY:
            raise ValidationError(f"data.{DEFAULTS}.{key}", "unknown", "a known option", nearest(key, EVERY))
    return {name: {**shared, **options, "__shared__": tuple(shared)} for name, options in whole.items()}


@contextlib.contextmanager
def _named(options: Options) -> Iterator[None]:
    """Say of which data set a refusal speaks, and by which word it is cured."""
    try:
        yield
    except ValidationError as error:
        if re.search(rf"\b{re.escape(options.name)}\b", error.field):
            raise
        word = error.field in KINDS[options.kind]
        field = options.field(error.field) if word else f"data.{options.name}: {error.field}"
        raise ValidationError(field, error.value, error.allowed, error.hint) from error


def _source(name: str, kind: str, given: Mapping[str, Any], synapse: Synapse, folder: Path) -> Source:
    own = dict(given)
    shared = own.pop("__shared__", ())
    # what all share may be of no use to some
    own = {key: value for key, value in own.items() if key in KINDS[kind] or key not in shared}
    options = Options(name, kind, {key: value for key, value in own.items() if value is not None}, folder)
    with _named(options):
        source = _MAKERS[kind](options, synapse)
    needed = options.number("duration", source.needed)
    return Source(source.changes, needed, source.make, source.note, source.remarks)
