"""Axon binary files (.abf 1 and 2), through pyABF; where a sweep begins and ends stands in the file's own table."""

from __future__ import annotations

import struct
import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from nmjmc.analysis.recording import Recording, padded
from nmjmc.data.recordings.axon_command import command_of, holding_of
from nmjmc.data.recordings.corrections import known_unit, said_unit
from nmjmc.data.recordings.optional import library, to_unit
from nmjmc.errors import ValidationError

_BLOCK = 512  # bytes


def read_abf(path: str | Path, *, channel: int = 0, unit: str | None = None, **known: Any) -> Recording:
    """Read one channel of an .abf file.

    Args:
        path: The file.
        channel: Number of the input channel.
        unit: Of the samples, where the file says a wrong one.
        **known: Fields of `Recording` that stand above what the file says.

    Returns:
        The recording, every sweep whole, from its true start. The holding potential is that of the channel's command
        where it is a potential.

    Raises:
        ValidationError: If pyABF is missing, the file is none of its kind, or has no such channel, or the channel's
            unit is neither one of current nor of potential.
    """
    place = Path(path)
    abf = opened(place)
    if channel not in range(abf.channelCount):
        raise ValidationError("channel", channel, f"from 0 to {abf.channelCount - 1} in {place.name}")
    written, said = said_unit(unit, str(abf.adcUnits[channel]))
    if not known_unit(written):
        raise _no_unit(abf, channel, written)
    interval = interval_of(abf)
    lengths, starts = _sweeps(abf, place, interval)
    cuts = np.cumsum([0, *lengths])
    samples = abf.data[channel]
    values, length = padded([samples[a:b] for a, b in pairwise(cuts)])
    signal, inside = to_unit(values, written, f"channel {channel}")
    source = f"{place.name}, channel {channel} ({clean(abf.adcNames[channel])}), protocol {abf.protocol}"
    actual = {
        "sampling_interval": interval,
        "holding_potential": holding_of(abf, channel),
        "bandwidth": _corner(abf, channel),
        "sweep_start": starts,
        "length": length,
        "command": command_of(abf, channel, inside, signal.shape),
        "name": place.stem,
        "source": "; ".join(filter(None, (source, said))),
    }
    return Recording(signal, unit=inside, **{**actual, **known})


def opened(place: Path) -> Any:
    """The file, its samples read.

    Raises:
        ValidationError: If pyABF is missing or cannot read it.
    """
    pyabf = library("pyabf", place)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            abf = pyabf.ABF(str(place))
        if abf.channelCount < 1 or abf.data.shape[1] < 2:
            raise ValueError("it holds no samples")
        return abf
    except Exception as error:  # pyABF raises many kinds for a broken file
        hint = "format=neo may read it"
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValidationError(
            "path", f"{place}, which pyABF cannot read ({reason})", "an .abf file", hint
        ) from error


def clean(text: object) -> str:
    """A text of a file without what cannot be printed."""
    return "".join(letter for letter in str(text) if letter.isprintable()).strip()


def _no_unit(abf: Any, channel: int, written: str) -> ValidationError:
    """What to say of a channel that records neither a current nor a potential, or does not say it."""
    others = [
        f"{number} ({clean(unit)})"
        for number, unit in enumerate(abf.adcUnits)
        if number != channel and known_unit(clean(unit))
    ]
    hint = "say it, for example unit=pA"
    if others:
        hint += f", or choose channel {' or '.join(others)}"
    return ValidationError(f"unit of channel {channel}", repr(written), "one of current or potential", hint)


def interval_of(abf: Any) -> float:
    """Time between two samples of a channel [ms]; pyABF rounds the rate to a whole number."""
    if abf.abfVersion["major"] == 1:
        return float(abf._headerV1.fADCSampleInterval) * abf.channelCount / 1e3
    return float(abf._protocolSection.fADCSequenceInterval) / 1e3


def _sweeps(abf: Any, place: Path, interval: float) -> tuple[np.ndarray, np.ndarray]:
    """Samples [sweep] and start [sweep] [ms] of each sweep: as the file's table of sweeps says, else even ones.

    Raises:
        ValidationError: If the table does not fit the samples.
    """
    table, tick = _table(abf, place)
    total = abf.data.shape[1]
    if not len(table):
        count = max(1, int(abf.sweepCount))
        length = total // count
        if length * count != total:
            raise ValidationError(
                "path", f"{place}, whose {total} samples are not {count} even sweeps", "a whole file"
            )
        between = getattr(abf, "sweepIntervalSec", 0.0) * 1e3
        return np.full(count, length), np.arange(count) * max(between, length * interval)
    starts = table[:, 0] * (tick / 1e3 if tick else interval)
    lengths = table[:, 1]
    if lengths.sum() != total * abf.channelCount and tick:  # some programs count lengths in ticks
        lengths = lengths / tick
    lengths = lengths / abf.channelCount
    whole = np.floor(lengths + 1e-6).astype(np.int64)
    if whole.min() < 2 or whole.sum() != total or np.abs(whole - lengths).max() > 1e-3:
        actual = f"{place}, whose table of sweeps counts {lengths.sum():g} samples a channel and not {total}"
        raise ValidationError("path", actual, "a whole file", "format=neo may read it")
    return whole, starts


def _table(abf: Any, place: Path) -> tuple[np.ndarray, float]:
    """Start and length of each sweep as the file says them, int [sweep, 2], and the unit of the starts [us].

    pyABF reads the table of version 2 only.
    """
    if abf.abfVersion["major"] == 2:
        section = abf._synchArraySection
        pairs = zip(section.lStart, section.lLength, strict=True)
        return np.array(list(pairs), np.int64).reshape(-1, 2), float(abf._protocolSection.fSynchTimeUnit)
    header = abf._headerV1
    count, block = int(header.lSynchArraySize), int(header.lSynchArrayPtr)
    if count < 1 or block < 1:
        return np.zeros((0, 2), np.int64), 0.0
    with place.open("rb") as file:
        file.seek(block * _BLOCK)
        raw = file.read(8 * count)
    if len(raw) < 8 * count:
        raise ValidationError("path", f"{place}, whose table of sweeps is cut off", "a whole file")
    numbers = struct.unpack(f"<{2 * count}i", raw)
    return np.array(numbers, np.int64).reshape(-1, 2), float(header.fSynchTimeUnit)


def _corner(abf: Any, channel: int) -> float:
    """Corner of the telegraphed or of the signal conditioner's low-pass filter [kHz]; NaN if there is none."""
    for owner, field in (("_adcSection", "fTelegraphFilter"), ("_adcSection", "fSignalLowpassFilter")):
        section = getattr(abf, owner, None)
        values = getattr(section, field, None) if section is not None else None
        # 100 kHz is what an Axon file says where no filter was set
        if values is not None and channel < len(values) and 0 < float(values[channel]) < 1e5:
            return float(values[channel]) / 1e3
    return float("nan")
