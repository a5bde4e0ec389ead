"""Everything that neo reads: WinWCP, Igor, Spike2, NWB, Axon, and more."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nmjmc.analysis.recording import Recording, padded
from nmjmc.data.recordings.contents import Channel, Contents, Tag, of_tags
from nmjmc.data.recordings.corrections import known_unit, said_unit
from nmjmc.data.recordings.optional import library, to_unit
from nmjmc.errors import ValidationError

_EVEN = 1e-9


def read_neo(
    path: str | Path, *, channel: int = 0, block: int = 0, unit: str | None = None, **known: Any
) -> Recording:
    """Read one channel of a file through neo; segments become sweeps.

    Args:
        path: The file.
        channel: Number of the channel, in the file's order where neo keeps it, else through the signals of a segment.
        block: Number of the block.
        unit: Of the samples, where the file says a wrong one or none.
        **known: Fields of `Recording` that neo does not know.

    Returns:
        The recording, every segment whole.

    Raises:
        ValidationError: If neo is missing or cannot read the file, or if it has no such channel or block.
    """
    place = Path(path)
    blocks = _read(place)
    if block not in range(len(blocks)):
        raise ValidationError("block", block, f"from 0 to {len(blocks) - 1} in {place.name}")
    kept = [_channel(segment, channel, place) for segment in blocks[block].segments]
    if not kept:
        raise ValidationError("path", f"{path}, which holds no segment", "a recording")
    rates = [part.rate for part in kept]
    if np.ptp(rates) > _EVEN * rates[0]:
        raise ValidationError("sampling", f"{min(rates):g} to {max(rates):g} kHz", "the same in all segments")
    if len({part.unit for part in kept}) > 1:
        units = ", ".join(sorted({part.unit for part in kept}))
        raise ValidationError(f"unit of channel {channel}", units, "the same in all segments")
    written, said = said_unit(unit, kept[0].unit)
    if not known_unit(written):
        hint = "say it, for example unit=pA, or choose another channel"
        raise ValidationError(
            f"unit of channel {channel}", repr(written), "one of current or potential", hint
        )
    values, length = padded([part.values for part in kept])
    signal, inside = to_unit(values, written, f"channel {channel}")
    ours = {
        "sampling_interval": 1.0 / rates[0],
        "sweep_start": np.array([part.start for part in kept]),
        "length": length,
        "name": place.stem,
        "source": "; ".join(filter(None, (f"{place.name}, channel {channel}, read by neo", said))),
    }
    return Recording(signal, unit=inside, **{**ours, **known})


def neo_contents(path: Path, channel: int = 0) -> Contents:
    """What a file tells of itself through neo: channels, events and epochs.

    Args:
        path: The file.
        channel: That was read.
    """
    block = _read(path)[0]
    first = block.segments[0]
    told: list[Channel] = []
    for signal in first.analogsignals:
        names = signal.array_annotations.get("channel_names", [])
        for column in range(signal.shape[1]):
            name = str(names[column]) if column < len(names) else str(signal.name or "")
            told.append(Channel(len(told), name, signal.units.dimensionality.string))
    tags = [
        Tag(float(time), str(label))
        for segment in block.segments
        for held in (*segment.events, *segment.epochs)
        for time, label in zip(held.times.rescale("ms").magnitude, held.labels, strict=False)
    ]
    made = str(block.rec_datetime or first.rec_datetime or "")
    start = float(first.analogsignals[0].t_start.rescale("ms").magnitude) if first.analogsignals else 0.0
    stimuli = of_tags(tuple(sorted(tags)), len(block.segments), start)
    kind = f"{path.suffix.lstrip('.') or 'file'}, through neo"
    return Contents(kind, tuple(told), channel, made=made, comment=str(block.description or ""),
                    tags=tuple(sorted(tags)), stimuli=stimuli)  # fmt: skip


def _read(place: Path) -> list[Any]:
    """The blocks of a file.

    Raises:
        ValidationError: If neo is missing or cannot read it.
    """
    library("neo", place)
    io, raw = library("neo.io", place), library("neo.io.basefromrawio", place)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader = io.get_io(str(place))
            # one signal a channel keeps the file's order; neo groups channels of one unit else
            each = {"signal_group_mode": "split-all"} if isinstance(reader, raw.BaseFromRaw) else {}
            return list(reader.read(lazy=False, **each))
    except Exception as error:  # each of neo's readers raises its own kinds
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValidationError(
            "path", f"{place}, which neo cannot read ({reason})", "a file that neo reads"
        ) from error


class _Part(NamedTuple):
    """One channel of a segment: samples [t], unit, rate [kHz] and start [ms]."""

    values: np.ndarray
    unit: str
    rate: float
    start: float


def _channel(segment: Any, channel: int, place: Path) -> _Part:
    before = 0
    for signal in segment.analogsignals:
        count = signal.shape[1]
        if channel < before + count:
            values = np.asarray(signal.magnitude[:, channel - before], np.float64)
            rate, start = signal.sampling_rate.rescale("kHz"), signal.t_start.rescale("ms")
            return _Part(
                values, signal.units.dimensionality.string, float(rate.magnitude), float(start.magnitude)
            )
        before += count
    if not before:
        raise ValidationError("path", f"{place}, which holds a segment without a signal", "a recording")
    raise ValidationError("channel", channel, f"from 0 to {before - 1} in {place.name}")
