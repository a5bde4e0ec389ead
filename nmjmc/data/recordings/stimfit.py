"""HDF5 files of Stimfit: a group a channel, in it a group a section, whose table of one row tells step and units."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nmjmc.analysis.recording import Recording, padded
from nmjmc.data.guard import check_dataset, opened
from nmjmc.data.recordings.contents import Channel, Contents
from nmjmc.data.recordings.corrections import known_unit, said_unit
from nmjmc.data.recordings.optional import to_unit
from nmjmc.errors import ValidationError
from nmjmc.units import to_internal


def is_stimfit(file: Any) -> bool:
    """Whether an open HDF5 file is one of Stimfit's."""
    return isinstance(file.get("channels"), h5py.Group) and isinstance(file.get("description"), h5py.Dataset)


def read_stimfit(
    path: str | Path, *, channel: int = 0, unit: str | None = None, time_unit: str | None = None, **known: Any
) -> Recording:
    """Read one channel of an HDF5 file of Stimfit.

    Args:
        path: The file.
        channel: Number of the channel.
        unit: Of the samples, where the file says a wrong one.
        time_unit: Of the sampling interval, likewise.
        **known: Fields of `Recording` that the file does not know.

    Returns:
        The recording, every section whole; Stimfit keeps no starts.

    Raises:
        ValidationError: If it has no such channel, or says no unit.
    """
    place = Path(path)
    with opened(place) as file:
        names = _names(file)
        if channel not in range(len(names)):
            raise ValidationError("channel", channel, f"from 0 to {len(names) - 1} in {place.name}")
        sections = _sections(file[names[channel]])
        if not sections:
            raise ValidationError(
                f"channel {channel} of {place.name}", "without sections", "one with samples"
            )
        for section in sections:
            check_dataset(section["data"], place)
        steps = [_row(section, "dt") for section in sections]
        if np.ptp(steps) > 1e-9 * steps[0]:
            raise ValidationError(f"sampling of {place.name}", "of several steps", "the same in all sections")
        written, said = said_unit(unit, _word(sections[0], "yunits"))
        if not known_unit(written):
            hint = "say it, for example unit=pA"
            raise ValidationError(
                f"unit of channel {channel}", repr(written), "one of current or potential", hint
            )
        values, length = padded([section["data"][...] for section in sections])
        signal, inside = to_unit(values, written, f"channel {channel}")
        factor = to_internal(f"1 {time_unit or _word(sections[0], 'xunits') or 'ms'}", "ms", "time_unit")
        source = "; ".join(
            filter(None, (f"{place.name}, channel {channel} ({names[channel]}), of Stimfit", said))
        )
        found: dict[str, Any] = {
            "sampling_interval": factor * float(steps[0]), "length": length, "name": place.stem, "source": source,
        }  # fmt: skip
    return Recording(signal, unit=inside, **{**found, **known})


def stimfit_contents(path: Path, channel: int = 0) -> Contents:
    """What an HDF5 file of Stimfit tells of itself.

    Args:
        path: The file.
        channel: That was read.
    """
    with opened(path) as file:
        told = []
        for number, name in enumerate(_names(file)):
            sections = _sections(file[name])
            told.append(Channel(number, name, _word(sections[0], "yunits") if sections else ""))
        made = " ".join(filter(None, (_word(file, "date"), _word(file, "time"))))
        comment = file.get("comment/comment")
        words = _text(comment[()]) if isinstance(comment, h5py.Dataset) else ""
        return Contents(
            "HDF5 of Stimfit", tuple(told), channel, made=made, comment=words.replace("No comment", "")
        )


def _names(file: Any) -> list[str]:
    """Names of the channels' groups, in their order."""
    held = file["channels"]
    keys = sorted(held, key=lambda key: int(re.sub(r"\D", "", key) or 0))
    return [_text(np.asarray(held[key]).ravel()[0]) for key in keys]


def _sections(group: Any) -> list[Any]:
    keys = [key for key in group if key.startswith("section_")]
    return [group[key] for key in sorted(keys, key=lambda key: int(key.removeprefix("section_")))]


def _row(group: Any, name: str) -> float:
    return float(group["description"][name][0])


def _word(group: Any, name: str) -> str:
    table = group.get("description")
    if not isinstance(table, h5py.Dataset) or name not in (table.dtype.names or ()):
        return ""
    return _text(table[name][0])


def _text(value: Any) -> str:
    raw = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return raw.split("\0")[0].strip()
