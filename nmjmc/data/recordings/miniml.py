"""What miniML leaves in HDF5: a table of events as vectors, with the unit and the duration beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nmjmc.analysis.observations import EventTable
from nmjmc.data.guard import check_dataset, opened
from nmjmc.data.recordings.attributes import text_of
from nmjmc.data.recordings.optional import to_unit
from nmjmc.errors import ValidationError
from nmjmc.units import to_internal

_GROUP = "event_params"


def is_miniml(path: str | Path) -> bool:
    """Whether an HDF5 file holds events that miniML found.

    Raises:
        ValidationError: If it cannot be read as HDF5.
    """
    with opened(path) as file:
        return isinstance(file.get(_GROUP), h5py.Group) and "event_amplitudes" in file[_GROUP]


def miniml_events(
    path: str | Path, unit: str | None = None, sampling_interval: float | None = None
) -> EventTable:
    """Read the events that miniML found.

    Args:
        path: The file.
        unit: Of the amplitudes, where the file says a wrong one.
        sampling_interval: Of the recording [ms], which the file does not say; without it the events have no times.

    Returns:
        The events. The decay of miniML is the time from the peak to half of it: it is no decay constant and left out.

    Raises:
        ValidationError: If the unit is none of current or of potential.
    """
    place = Path(path)
    with opened(place) as file:
        held = file[_GROUP]
        for name in held:
            check_dataset(held[name], place)
        written = unit or text_of(file.attrs.get("amplitude_unit")) or ""
        if not written:
            raise ValidationError(
                "unit", "missing", f"given, as {place.name} does not say it", "for example unit='pA'"
            )
        amplitude, inside = to_unit(held["event_amplitudes"][...], written, f"amplitudes of {place.name}")
        sign = -1 if np.nanmedian(amplitude) < 0 else 1
        columns: dict[str, Any] = {"amplitude": sign * amplitude}
        if "event_risetimes" in held:
            columns["rise_10_90"] = 1e3 * held["event_risetimes"][...]
        if "event_scores" in held:
            columns["score"] = held["event_scores"][...]
        if "event_bsls" in held:
            columns["baseline"] = to_unit(held["event_bsls"][...], written, "baselines")[0]
        if sampling_interval is not None and "event_locations" in held:
            columns["time"] = sampling_interval * held["event_locations"][...].astype(np.float64)
        duration = file.attrs.get("recording_time")
        searched = (
            to_internal(f"{float(duration)!r} s", "ms", "recording_time") if duration is not None else np.nan
        )
        return EventTable(columns, inside, sign, searched, f"{place.name}, miniML")
