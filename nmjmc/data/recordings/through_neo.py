"""Everything that neo reads: WinWCP, Igor, Spike2, NWB, Axon, and more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nmjmc.analysis.recording import Recording
from nmjmc.data.recordings.optional import library, to_unit
from nmjmc.errors import ValidationError


def read_neo(path: str | Path, *, channel: int = 0, block: int = 0, **known: Any) -> Recording:
    """Read one channel of a file through neo; segments become sweeps.

    Args:
        path: The file.
        channel: Number of the channel, counted through the signals of a segment.
        block: Number of the block.
        **known: Fields of `Recording` that neo does not know.

    Returns:
        The recording.

    Raises:
        ValidationError: If neo is missing or cannot read the file, or if it has no such channel or block.
    """
    place = Path(path)
    library("neo", place)
    io = library("neo.io", place)
    try:
        blocks = io.get_io(str(place)).read(lazy=False)
    except Exception as error:  # each of neo's readers raises its own kinds
        raise ValidationError(
            "path", f"{path}, which neo cannot read ({error})", "a file that neo reads"
        ) from error
    if block not in range(len(blocks)):
        raise ValidationError("block", block, f"from 0 to {len(blocks) - 1} in {place.name}")
    found = [_channel(segment, channel, place) for segment in blocks[block].segments]
    if not found:
        raise ValidationError("path", f"{path}, which holds no segment", "a recording")
    length = min(len(values) for values, _, _, _ in found)
    rates = {round(rate, 9) for _, _, rate, _ in found}
    if len(rates) > 1:
        raise ValidationError("sampling", f"{sorted(rates)} kHz", "the same in all segments")
    signal, unit = to_unit(np.stack([v[:length] for v, _, _, _ in found]), found[0][1], f"channel {channel}")
    ours = {
        "sampling_interval": 1.0 / found[0][2],
        "sweep_start": np.array([start for _, _, _, start in found]),
        "name": place.stem,
        "source": f"{place.name}, channel {channel}, read by neo",
    }
    return Recording(signal, unit=unit, **{**ours, **known})


def _channel(segment: Any, channel: int, place: Path) -> tuple[np.ndarray, str, float, float]:
    """Samples, unit, rate [kHz] and start [ms] of one channel of a segment."""
    before = 0
    for signal in segment.analogsignals:
        count = signal.shape[1]
        if channel < before + count:
            values = np.asarray(signal.magnitude[:, channel - before], np.float64)
            rate, start = signal.sampling_rate.rescale("kHz"), signal.t_start.rescale("ms")
            return values, signal.units.dimensionality.string, float(rate.magnitude), float(start.magnitude)
        before += count
    raise ValidationError("channel", channel, f"from 0 to {before - 1} in {place.name}")
