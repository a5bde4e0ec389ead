"""What may be said of a data set, with its units; unknown or useless words are refused."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from nmjmc.errors import ValidationError, nearest
from nmjmc.numbers import as_count, to_array
from nmjmc.units import to_internal

T = TypeVar("T")

_COMMON = ("kind", "condition", "duration", "temperature", "holding_potential")
READER = (
    "unit", "time_unit", "gain", "channel", "dataset", "format", "polarity", "sampling_interval", "window", "decimal",
    "signal", "sweeps", "scale",
)  # fmt: skip
"""By which the samples of a file are read, put right and chosen."""

_INSTRUMENT = ("bandwidth", "poles", "series_resistance")
_BINS = ("edges", "bins", "model_error")
_DETECTION = (
    "settle", "method", "threshold", "rise", "decay", "dead_time", "before", "after", "refine", "isolation",
    "with_variance",
)  # fmt: skip
_EVENTS = ("aligned", "onset", "before", "after", "with_variance")
_AVERAGE = ("events", "error", "aligned", "onset", "baseline")

KINDS: dict[str, tuple[str, ...]] = {
    "recording": (*_COMMON, "file", *READER, *_INSTRUMENT, *_BINS, *_DETECTION),
    "events": (*_COMMON, "file", *READER, *_INSTRUMENT, *_BINS, *_EVENTS),
    "waveform": (*_COMMON, "file", *READER, *_AVERAGE, *_INSTRUMENT, *_BINS),
    "simulation": (
        *_COMMON, "file", "sampling_interval", *_INSTRUMENT, *_BINS, "noise", "events", "seed", "with_variance",
    ),
    "amplitudes": (
        *_COMMON, "file", "program", "unit", "decimal", "sampling_interval", "bins", "bin_width", "release", "failures",
        "noise",
    ),
    "histogram": (
        *_COMMON, "file", "published", "unit", "decimal", "release", "failures", "failures_at_zero", "noise",
    ),
    "counts": (*_COMMON, "file", "decimal", "release"),
    "statistics": (*_COMMON, "file", "decimal", "published", "features", "values"),
}  # fmt: skip
"""Kinds of data sets, and what may be said of each."""

EVERY = tuple(dict.fromkeys(key for keys in KINDS.values() for key in keys))
"""All options of all kinds."""

UNITS = {
    "duration": "ms", "temperature": "degC", "holding_potential": "mV", "sampling_interval": "ms",
    "bandwidth": "kHz", "series_resistance": "MOhm", "rise": "ms", "decay": "ms", "dead_time": "ms", "before": "ms",
    "after": "ms", "refine": "ms", "isolation": "ms", "onset": "ms", "settle": "ms", "baseline": "nA",
    "threshold": "", "model_error": "", "error": "",
}  # fmt: skip
"""Stated units of the numbers."""

MAYBE_NEGATIVE = ("temperature", "holding_potential", "onset", "baseline")


@dataclass(frozen=True)
class Options:
    """What was said of one data set.

    Attributes:
        name: Of the data set.
        kind: One of `KINDS`.
        given: Options by name.
        folder: That relative paths start from.
    """

    name: str
    kind: str
    given: Mapping[str, Any]
    folder: Path

    def __post_init__(self) -> None:
        for key in self.given:
            if key not in KINDS[self.kind]:
                where = f"left out of a data set of kind {self.kind}" if key in EVERY else "a known option"
                hint = "" if key in EVERY else nearest(key, EVERY)
                raise ValidationError(self.field(key), "given" if key in EVERY else "unknown", where, hint)

    def field(self, key: str) -> str:
        """Where an option stands, for messages."""
        return f"data.{self.name}.{key}"

    def has(self, key: str) -> bool:
        """Whether an option was given."""
        return self.given.get(key) is not None

    def number(self, key: str, default: float = float("nan"), unit: str | None = None) -> float:
        """A number in internal units.

        Raises:
            ValidationError: If it is none, of another dimension, or negative where that cannot be.
        """
        if not self.has(key):
            return default
        amount = to_internal(self.given[key], UNITS[key] if unit is None else unit, self.field(key))
        if amount < 0 and key not in MAYBE_NEGATIVE:
            raise ValidationError(self.field(key), self.given[key], "zero or more")
        return amount

    def whole(self, key: str, default: int, least: int = 0) -> int:
        """A whole number.

        Raises:
            ValidationError: If it is none, or too small.
        """
        value = as_count(self.given.get(key))
        if value is None:
            return default
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or value != int(value)
            or value < least
        ):
            raise ValidationError(self.field(key), repr(value), f"a whole number from {least} on")
        return int(value)

    def word(self, key: str, choices: tuple[str, ...], default: str) -> str:
        """One of some words.

        Raises:
            ValidationError: If it is another.
        """
        value = self.given.get(key)
        if value is None:
            return default
        if value not in choices:
            allowed = f"{', '.join(choices[:-1])} or {choices[-1]}"
            raise ValidationError(self.field(key), repr(value), allowed, nearest(str(value), choices))
        return str(value)

    def flag(self, key: str, default: bool) -> bool:
        """True or false.

        Raises:
            ValidationError: If it is neither.
        """
        value = self.given.get(key)
        if value is not None and not isinstance(value, bool):
            raise ValidationError(self.field(key), repr(value), "true or false")
        return default if value is None else value

    def decimal(self) -> str | None:
        """The decimal mark of the file, `point` or `comma`; None where nothing was said."""
        return self.given.get("decimal")

    def polarity(self, default: int) -> int:
        """1 where events go up in the file, -1 where they go down.

        Raises:
            ValidationError: If it is neither.
        """
        value = self.given.get("polarity")
        if value is not None and value not in (-1, 1):
            raise ValidationError(
                self.field("polarity"), repr(value), "1 (events go up) or -1 (they go down)"
            )
        return default if value is None else int(value)

    def edges(self) -> np.ndarray | None:
        """Edges of the bins [ms], where they were given.

        Raises:
            ValidationError: If they do not rise.
        """
        if not self.has("edges"):
            return None
        values = self.given["edges"]
        found = to_array(values, "ms", self.field("edges"))
        if found.ndim != 1 or found.size < 3:
            raise ValidationError(self.field("edges"), repr(values), "a list of three or more times")
        if not (np.diff(found) > 0).all():
            raise ValidationError(self.field("edges"), values, "rising")
        return found

    def window(self) -> tuple[float, float] | None:
        """The part of each sweep that is used [ms], where it was given.

        Raises:
            ValidationError: If it is not two times, the first before the second.
        """
        if not self.has("window"):
            return None
        values, field = self.given["window"], self.field("window")
        if not isinstance(values, list | tuple) or len(values) != 2:
            raise ValidationError(field, repr(values), "two times, as in [100 ms,900 ms]")
        start, end = (to_internal(value, "ms", field) for value in values)
        if not 0 <= start < end:
            raise ValidationError(field, repr(values), "two times from 0 on, the first before the second")
        return start, end

    def mapping(self, key: str) -> dict[str, Any]:
        """A mapping, flat: keys below keys are joined by dots.

        Raises:
            ValidationError: If it is none.
        """
        value = self.given.get(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise ValidationError(
                self.field(key), repr(value), "a mapping", f"for example {key}: {{KEY: VALUE}}"
            )
        return dict(value)

    def held(self, kind: type[T]) -> T | None:
        """What stands in the place of a file, if it is of this kind: data that the caller has in memory."""
        value = self.given.get("file")
        return value if isinstance(value, kind) else None

    def label(self) -> str:
        """The file in words."""
        return self.file().name if isinstance(self.given.get("file"), str | Path) else self.name

    def file(self) -> Path:
        """The file of the data set.

        Raises:
            ValidationError: If none was named, or there is none.
        """
        if not self.has("file"):
            raise ValidationError(self.field("file"), "missing", "the path of a file")
        if not isinstance(self.given["file"], str | Path):
            value = f"a {type(self.given['file']).__name__}"
            raise ValidationError(self.field("file"), value, f"the path of a file for kind={self.kind}")
        path = located(self.given["file"], self.folder)
        if not path.is_file():
            raise ValidationError(self.field("file"), f"{path}, where there is no file", "a file")
        return path


@contextlib.contextmanager
def said_of(place: str, words: Sequence[str]) -> Iterator[None]:
    """What a file lacks, told with the name of its data set.

    Args:
        place: Where the data set stands, such as `data.minis`.
        words: What may be said of it: there the sentence names the word itself.
    """
    try:
        yield
    except ValidationError as error:
        word = error.field in words
        hint = re.sub(rf"(?<![\w.])({'|'.join(words)})=", rf"{place}.\1=", error.hint)
        field = f"{place}.{error.field}" if word else f"{place}: {error.field}"
        raise ValidationError(field, error.value, error.allowed, hint) from error


def located(path: Any, folder: Path) -> Path:
    """A path of a user, relative to the folder that it was written in."""
    return folder / Path(str(path)).expanduser()


def flattened(mapping: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested mapping with keys joined by dots."""
    by_name: dict[str, Any] = {}
    for key, value in mapping.items():
        if isinstance(value, Mapping):
            by_name |= flattened(value, f"{prefix}{key}.")
        else:
            by_name[f"{prefix}{key}"] = value
    return by_name
