"""What may be said of a file as it is read: each word told once, for the command, the library and YAML alike.

`unit`, `gain`, `scale` and `polarity` put right what a file says wrongly or not at all; `sweeps`, `window` and
`baseline` choose from it. What was done stands in the recording's `source`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmjmc.carried import Number
from nmjmc.data.recordings.samples import SIGNALS
from nmjmc.errors import ValidationError
from nmjmc.numbers import plain_text, says_unit
from nmjmc.request import Held, Request, choice, other, quantity, whole
from nmjmc.units import to_internal, to_text

LAYOUTS = ("rows", "columns")
OF_FILES = (
    "format", "channel", "unit", "scale", "time_unit", "decimal", "signal", "dataset", "sampling_interval",
)  # fmt: skip
"""Words that only a file takes, as a Recording in memory says these."""

OF_SAMPLES = (
    "channel", "scale", "gain", "polarity", "baseline", "sweeps", "window", "signal", "dataset", "time_unit",
)  # fmt: skip
"""Words that only a recording takes: they put its samples right or choose from them."""

_STRETCHES = ("rest", "before", "after")
_SWEEPS = "numbers from 0 on, as [0, 2, 5] or 0-9,12 or not 3,4, or rows or columns"
_WINDOW = "two times, as [10 ms, 200 ms], or rest, before, after or step 1 of the command"
_BASELINE = "median, two times in each sweep, as [0 ms, 4 ms], or a level with its unit"


def text(value: Any, field: str) -> str:
    """A text that is not empty."""
    found = plain_text(value, field, "a text").strip()
    if not found:
        raise ValidationError(field, repr(value), "a text")
    return found


def unit(value: Any, field: str) -> str:
    """The name of a unit; whether it is one of current or of potential is checked with the samples."""
    if not isinstance(value, str) or not value.strip():
        raise ValidationError(field, repr(value), "a unit of current or of potential, such as pA or mV")
    return str(value).strip()


def _gain(value: Any, field: str) -> float | str:
    """A number, or what was recorded as a potential for each current."""
    try:
        number = to_internal(value, "", field)
    except ValidationError:
        to_internal(value, "mV/nA", field)
        return str(value).strip()
    if not number > 0:
        raise ValidationError(field, repr(value), "above zero", "say polarity to turn the samples over")
    return number


def _sweeps(value: Any, field: str) -> str:
    """Rows or columns, or a list of sweeps in its shortest text."""
    if isinstance(value, bool) or value is None:
        raise ValidationError(field, repr(value), _SWEEPS)
    if isinstance(value, np.ndarray | range | list | tuple):
        value = ",".join(str(part) for part in value)
    said = re.sub(r"\s*([,-])\s*", r"\1", str(value).strip().casefold())
    if said in LAYOUTS:
        return said
    if not re.fullmatch(r"(not )?\d+(-\d+)?(,\d+(-\d+)?)*", said):
        raise ValidationError(field, repr(value), _SWEEPS)
    return said


def numbers_of(said: str, count: int) -> list[int]:
    """The sweeps that a text such as `0-9,12` or `not 3` names, of so many.

    Raises:
        ValidationError: If there is no such sweep, or none is left.
    """
    named: list[int] = []
    for part in said.removeprefix("not ").split(","):
        first, _, last = part.partition("-")
        low, high = int(first), int(last or first)
        if high >= count or low > high:
            raise ValidationError("sweeps", said, f"from 0 to {count - 1}, as there are {count}")
        named += range(low, high + 1)
    found = (
        [i for i in range(count) if i not in named] if said.startswith("not ") else list(dict.fromkeys(named))
    )
    if not found:
        raise ValidationError("sweeps", said, "one that leaves some")
    return found


def _times(value: Any, field: str, allowed: str) -> list[str]:
    """Two times, the first before the second."""
    if isinstance(value, str):
        value = [part.strip() for part in value.strip("[] ").split(",")]
    if not isinstance(value, Sequence | np.ndarray) or len(value) != 2:
        raise ValidationError(field, repr(value), allowed)
    start, end = (to_internal(part, "ms", field) for part in value)
    if not 0 <= start < end:
        raise ValidationError(field, repr(value), "two times from 0 on, the first before the second")
    return [to_text(start, "ms"), to_text(end, "ms")]


def _window(value: Any, field: str) -> str | list[str]:
    said = str(value).strip().casefold() if isinstance(value, str) else ""
    if said in _STRETCHES or re.fullmatch(r"step [1-9]\d*", said):
        return said
    if said and "," not in said:
        raise ValidationError(field, repr(value), _WINDOW)
    return _times(value, field, _WINDOW)


def _baseline(value: Any, field: str) -> str | list[str]:
    if isinstance(value, str) and value.strip().casefold() == "median":
        return "median"
    if (isinstance(value, str) and "," in value) or (not isinstance(value, str) and np.ndim(value) == 1):
        return _times(value, field, _BASELINE)
    for inside in ("nA", "mV"):
        if not says_unit(value):
            break
        try:
            return to_text(to_internal(value, inside, field), inside)
        except ValidationError:
            continue
    raise ValidationError(field, repr(value), _BASELINE)


@dataclass(frozen=True)
class AsRead(Request):
    """How a file is read, and what of it is taken."""

    format: Held[str | None] = other(None, "of the file, where its suffix does not tell", text, optional=True)
    channel: Held[int | None] = whole(None, "of a recording with several, from 0 on", 0, 1000, optional=True)
    unit: Held[str | None] = other(None, "of the samples or amplitudes, where the file does not say it", unit,
                                   optional=True)  # fmt: skip
    gain: Held[Any] = other(
        None, 'by which samples are too large, or an amplifier\'s, as "0.5 V/nA"', _gain, optional=True
    )
    scale: Held[str | None] = other(
        None, "of one step of whole numbers, with its unit, as 0.03 pA", text, optional=True
    )
    polarity: Held[int | None] = whole(
        None, "of the responses in the file, 1 (up) or -1", -1, 1, optional=True
    )
    baseline: Held[Any] = other(None, f"that is taken off: {_BASELINE}", _baseline, optional=True)
    sweeps: Held[str | None] = other(None, f"that are taken: {_SWEEPS}", _sweeps, optional=True)
    window: Held[Any] = other(None, f"of each sweep that is taken: {_WINDOW}", _window, optional=True)
    sampling_interval: Number | None = quantity(
        None, "of a recording that does not say it", unit="ms", above=0, optional=True
    )
    time_unit: Held[str | None] = other(None, "of times, where the file does not say it", text, optional=True)
    decimal: Held[str | None] = choice(None, "mark of a text", ("point", "comma"), optional=True)
    signal: Held[str | None] = choice(None, "that is taken of a table with both", SIGNALS, optional=True)
    dataset: Held[str | None] = other(None, "in a foreign HDF5 or MATLAB file", text, optional=True)
    holding_potential: Number | None = quantity(None, "in voltage clamp", unit="mV", optional=True)
    bandwidth: Number | None = quantity(None, "of the low-pass filter", unit="kHz", above=0, optional=True)
    series_resistance: Number | None = quantity(
        None, "that was not compensated", unit="MOhm", least=0, optional=True
    )
    temperature: Number | None = quantity(None, "of the bath", unit="degC", optional=True)

    def check(self) -> None:
        """Refuse a polarity of zero."""
        if self.polarity == 0:
            raise ValidationError("polarity", 0, "1 (up) or -1 (down)")

    def words(self) -> dict[str, Any]:
        """What a reader of files is told, by name: all but what is chosen from the recording afterwards."""
        found: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("format", "channel", "unit", "gain", "scale", "polarity", "time_unit", "decimal", "signal",
                         "dataset")
        }  # fmt: skip
        for name in (
            "sampling_interval",
            "holding_potential",
            "bandwidth",
            "series_resistance",
            "temperature",
        ):
            found[name] = None if getattr(self, name) is None else self.amount(name)
        found["sweeps"] = self.sweeps if self.sweeps in LAYOUTS else None
        return {name: value for name, value in found.items() if value is not None}


def refuse_words(asked: AsRead, what: str, words: Sequence[str] = OF_SAMPLES) -> None:
    """Refuse a word that was given and cannot be applied.

    Args:
        asked: What was said of the source.
        what: It is, in words: `a list of amplitudes`.
        words: That it does not take.

    Raises:
        ValidationError: Naming the first of them that was given.
    """
    for name in words:
        if (value := getattr(asked, name)) is not None:
            hint = f"{name} is for recordings; put the numbers right in the file itself"
            raise ValidationError(name, repr(value), f"left out of {what}", hint)
