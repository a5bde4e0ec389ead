"""Axon binary files (.abf 1 and 2), through pyABF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nmjmc.analysis.recording import Recording
from nmjmc.data.recordings.optional import library, to_unit
from nmjmc.errors import ValidationError


def read_abf(path: str | Path, *, channel: int = 0, **known: Any) -> Recording:
    """Read one channel of an .abf file.

    Args:
        path: The file.
        channel: Number of the input channel.
        **known: Fields of `Recording` that stand above what the file says.

    Returns:
        The recording. The holding potential is that of the channel's command where it is a potential.

    Raises:
        ValidationError: If pyABF is missing, the file is none of its kind, or has no such channel.
    """
    place = Path(path)
    pyabf = library("pyabf", place)
    try:
        abf = pyabf.ABF(str(place))
    except Exception as error:  # pyABF raises many kinds for a broken file
        raise ValidationError("path", f"{path}, which pyABF cannot read ({error})", "an .abf file") from error
    if channel not in range(abf.channelCount):
        raise ValidationError("channel", channel, f"from 0 to {abf.channelCount - 1} in {place.name}")
    sweeps, starts = [], []
    for number in range(abf.sweepCount):
        abf.setSweep(number, channel=channel)
        sweeps.append(np.array(abf.sweepY, np.float64))
        starts.append(1e3 * number * abf.sweepIntervalSec)
    length = min(map(len, sweeps))
    signal, unit = to_unit(
        np.stack([sweep[:length] for sweep in sweeps]), abf.adcUnits[channel], f"channel {channel}"
    )
    found = {
        "sampling_interval": 1e3 / abf.dataRate,
        "holding_potential": _holding(abf, channel),
        "bandwidth": _corner(abf, channel),
        "sweep_start": np.asarray(starts),
        "name": place.stem,
        "source": f"{place.name}, channel {channel} ({abf.adcNames[channel]}), protocol {abf.protocol}",
    }
    return Recording(signal, unit=unit, **{**found, **known})


def _holding(abf: Any, channel: int) -> float:
    """Command potential at rest [mV]; NaN if the output is none."""
    if channel >= len(abf.dacUnits) or abf.dacUnits[channel] != "mV" or channel >= len(abf.holdingCommand):
        return float("nan")
    return float(abf.holdingCommand[channel])


def _corner(abf: Any, channel: int) -> float:
    """Corner of the telegraphed or of the signal conditioner's low-pass filter [kHz]; NaN if there is none."""
    for owner, field in (("_adcSection", "fTelegraphFilter"), ("_adcSection", "fSignalLowpassFilter")):
        section = getattr(abf, owner, None)
        values = getattr(section, field, None) if section is not None else None
        # 100 kHz is what an Axon file says where no filter was set
        if values is not None and channel < len(values) and 0 < float(values[channel]) < 1e5:
            return float(values[channel]) / 1e3
    return float("nan")
