"""What an Axon file tells of itself: channels with their gains, protocol, tags, and what its outputs did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nmjmc.analysis.steady import runs
from nmjmc.analysis.stimuli import PULSE, Stimuli
from nmjmc.data.recordings.axon import clean, interval_of, opened
from nmjmc.data.recordings.axon_command import is_active
from nmjmc.data.recordings.contents import Channel, Contents, Tag, of_tags

_BITS = 8  # digital outputs of a file


def abf_contents(path: Path, channel: int = 0) -> Contents:
    """What an .abf file tells of itself.

    Args:
        path: The file.
        channel: That was read.

    Raises:
        ValidationError: If pyABF cannot read it.
    """
    abf = opened(path)
    channels = tuple(
        Channel(number, clean(abf.adcNames[number]), clean(abf.adcUnits[number]), _gain(abf, number))
        for number in range(abf.channelCount)
    )
    times = abf.tagTimesSec or []
    tags = tuple(
        Tag(1e3 * float(time), clean(text)) for time, text in zip(times, abf.tagComments, strict=False)
    )
    digital, outputs = _digital(abf)
    outputs = [*_analogue(abf), *outputs]
    digital = digital if len(digital) else of_tags(tags, int(abf.sweepCount))
    version = ".".join(str(abf.abfVersionString).split(".")[:2])
    if abf.abfVersion["major"] == 1:
        version = f"{float(abf._headerV1.fFileVersionNumber):.2g}"
    protocol = clean(abf.protocol) if abf.protocol not in (None, "None") else ""
    return Contents(
        f"Axon .abf {version}", channels, channel, protocol, _date(abf), clean(abf.abfFileComment), tags,
        tuple(outputs), digital,
    )  # fmt: skip


def _gain(abf: Any, number: int) -> str:
    """The telegraphed or set gain of an input, in words."""
    if abf.abfVersion["major"] == 1:
        header = abf._headerV1
        place = header.nADCSamplingSeq[number] if number < len(header.nADCSamplingSeq) else number
        values = getattr(header, "fInstrumentScaleFactor", [])
    else:
        place, values = number, abf._adcSection.fInstrumentScaleFactor
    unit = clean(abf.adcUnits[number])
    return (
        f"{float(values[place]):.4g} V/{unit}" if 0 <= place < len(values) and values[place] and unit else ""
    )


def _date(abf: Any) -> str:
    year = getattr(abf.abfDateTime, "year", 0)
    return f"{abf.abfDateTime:%Y-%m-%d %H:%M:%S}" if year > 1980 else ""


def _analogue(abf: Any) -> list[str]:
    """The analogue outputs whose waveform is switched on, in words."""
    names = zip(abf.dacNames, abf.dacUnits, strict=False)
    return [
        f"{clean(name) or f'output {number}'}, {clean(unit)}"
        for number, (name, unit) in enumerate(names)
        if is_active(abf, number)
    ]


def _digital(abf: Any) -> tuple[Stimuli, list[str]]:
    """Brief pulses of a digital output, the same in each sweep, as stimuli; and what each output did, in words."""
    step, said, found = interval_of(abf), [], Stimuli()
    if abf.abfVersion["major"] != 2 or not abf._protocolSection.nDigitalEnable:
        return found, said
    for bit in range(_BITS):
        try:
            waves = np.asarray(abf.sweepD(bit), np.float64)
        except (IndexError, KeyError, ValueError, AttributeError, TypeError):
            return found, said  # epochs that pyABF does not know
        pulses = runs(waves > 0.5)
        if not pulses:
            continue
        begin = ", ".join(f"{a * step:.6g}" for a, _ in pulses[:8])
        long = (pulses[0][1] - pulses[0][0]) * step
        said.append(f"digital output {bit}, high from {begin} ms of each sweep, for {long:.4g} ms")
        brief = [a * step for a, b in pulses if (b - a) * step <= PULSE]
        if brief and not len(found):
            found = Stimuli(np.array(brief), f"pulses of digital output {bit}")
    return found, said
