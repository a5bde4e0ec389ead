"""Recordings as text: a column of times and one of samples a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nmjmc.analysis.recording import Recording
from nmjmc.data.recordings.optional import to_unit
from nmjmc.data.recordings.text import Columns, read_columns
from nmjmc.errors import ValidationError
from nmjmc.units import to_internal

_UNEVEN = 0.01


def read_csv(
    path: str | Path,
    *,
    sampling_interval: float | None = None,
    unit: str | None = None,
    time_unit: str | None = None,
    **known: Any,
) -> Recording:
    """Read a recording from text.

    Args:
        path: The file; its columns are sweeps, the first the time unless `sampling_interval` is given and no
            heading says `time`. Units stand in brackets behind the headings, or are given here.
        sampling_interval: Time between samples [ms], where there is no column of times.
        unit: Unit of the samples.
        time_unit: Unit of the times.
        **known: Other fields of `Recording`.

    Returns:
        The recording.

    Raises:
        ValidationError: If a unit or the sampling is missing, or the times are not even.
    """
    table = read_columns(path)
    has_time = table.names[0].split(" ")[0] in ("time", "t") or sampling_interval is None
    samples = table.values[:, 1:] if has_time else table.values
    if samples.shape[1] == 0:
        raise ValidationError(
            "path", f"{path}, with one column", "a column of times and one or more of samples"
        )
    if has_time:
        sampling_interval = _interval(table, time_unit, Path(path).name)
    written = unit or (table.units[1] if has_time else table.units[0])
    if not written:
        raise ValidationError("unit", "missing", "given, as the heading does not say it", "unit='pA'")
    values, inside = to_unit(samples.T, written, Path(path).name)
    ours = {"name": Path(path).stem, "source": Path(path).name}
    assert sampling_interval is not None
    return Recording(values, sampling_interval, inside, **{**ours, **known})


def _interval(table: Columns, time_unit: str | None, name: str) -> float:
    """Sampling interval [ms] of the column of times."""
    written = time_unit or table.units[0]
    if not written:
        raise ValidationError(
            "time_unit", "missing", "given, as the heading does not say it", "time_unit='s'"
        )
    steps = np.diff(table.values[:, 0])
    step = float(np.median(steps)) if steps.size else float("nan")
    if not np.all(np.abs(steps - step) <= _UNEVEN * abs(step)) or not step > 0:
        raise ValidationError(
            f"times of {name}", "uneven", "evenly spaced to 1 %", "resample the record first"
        )
    return (
        to_internal(1.0, "ms", "time") * float(steps.mean()) * to_internal(f"1 {written}", "ms", "time_unit")
    )
