"""What an Axon file says of the command: the holding level, and the waveform that its epochs or a file make."""

from __future__ import annotations

import struct
import warnings
from typing import Any

import numpy as np

from nmjmc.data.recordings.corrections import known_unit
from nmjmc.units import internal_unit, to_internal

_HOLDING = (
    1394  # byte of version 1 where four holding levels stand; pyABF takes the first epoch's level instead
)


def holding_of(abf: Any, channel: int) -> float:
    """Command potential at rest [mV]; NaN if the output is none."""
    units, levels = [_clean(unit) for unit in abf.dacUnits], _levels(abf)
    if channel >= min(len(units), len(levels)) or units[channel] != "mV":
        return float("nan")
    return float(levels[channel])


def command_of(abf: Any, channel: int, unit: str, shape: tuple[int, ...]) -> np.ndarray:
    """The command of a channel in nA or mV [sweep, t]; empty where the file tells of none.

    It is that of the output of the same number, or, where that rests, of the first that does not; an output of the
    other kind (a potential for a recorded current) comes first, as that of the same kind is none of a clamp. NaN where
    it comes from a file that is not here, or cannot be told.

    Args:
        abf: The file.
        channel: Number of the input.
        unit: Of the recorded signal, `nA` or `mV`.
        shape: Of the signal.
    """
    kinds = {n: internal_unit(name) for n, name in enumerate(map(_clean, abf.dacUnits)) if known_unit(name)}
    ordered = sorted(kinds, key=lambda n: (kinds[n] == unit, n != channel, n))
    active = [number for number in ordered if is_active(abf, number)]
    if not active and kinds.get(channel, unit) == unit:
        return np.zeros(0)
    number = active[0] if active else channel
    scale = to_internal(f"1 {_clean(abf.dacUnits[number])}", kinds[number], "command")
    if not active:
        levels = _levels(abf)
        return np.full(shape, scale * levels[number] if number < len(levels) else np.nan)
    return scale * _waveform(abf, number, shape)


def _clean(text: object) -> str:
    return str(text).replace("\0", "").strip()


def _levels(abf: Any) -> list[float]:
    """Holding level of each output, in its unit."""
    if abf.abfVersion["major"] == 2:
        return [float(level) for level in abf.holdingCommand]
    with open(abf.abfFilePath, "rb") as file:
        file.seek(_HOLDING)
        raw = file.read(16)
    return list(struct.unpack("<4f", raw)) if len(raw) == 16 else []


def is_active(abf: Any, number: int) -> bool:
    """Whether an output's waveform is switched on."""
    section = abf._headerV1 if abf.abfVersion["major"] == 1 else abf._dacSection
    enabled, source = section.nWaveformEnable, section.nWaveformSource
    return number < min(len(enabled), len(source)) and bool(enabled[number]) and source[number] in (1, 2)


def _waveform(abf: Any, number: int, shape: tuple[int, ...]) -> np.ndarray:
    """The waveform of an output in its unit [sweep, t], as pyABF makes it of the file's epochs."""
    numbers = np.full(shape, np.nan)
    if abf.abfVersion["major"] == 1:
        abf.holdingCommand = [*_levels(abf), *[float("nan")] * 16][: len(abf.holdingCommand)]
    stimulus = type(abf.stimulusByChannel[0])(abf, number)
    for sweep in range(shape[0]):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                wave = np.asarray(stimulus.stimulusWaveform(sweep), np.float64)
        except (IndexError, KeyError, ValueError, NameError, AttributeError, AssertionError, OSError):
            continue  # an epoch that pyABF does not know, or a stimulus file that is not here: the command is unknown
        count = min(wave.size, shape[1])
        numbers[sweep, :count] = wave[:count]
    return numbers
