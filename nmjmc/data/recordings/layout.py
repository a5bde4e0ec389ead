"""Which axis of an array of samples is the time, and which counts the sweeps.

Files hold arrays either way round. What a file says (a vector of times, names of its axes) decides; else the samples
do. The order of sweeps carries nothing, so that neighbouring sweeps differ as any two do, while neighbouring samples
of a filtered signal are near each other. Where shape and samples disagree, the user says which it is.
"""

from __future__ import annotations

import numpy as np

from nmjmc.errors import ValidationError, nearest

SWEEPS = ("rows", "columns")
"""Where sweeps stand in an array."""

_SMOOTH = 0.5  # mean square step between neighbours over that between any two; 1 for white noise (a choice)
_SURELY = 10  # times longer than the other is an axis of samples, where the samples say so too (a choice)
_MOST = 2_000  # lines of an array that are looked at along each axis


def sweeps_first(
    values: np.ndarray,
    name: str,
    given: str | None = None,
    *,
    usual: str | None = "rows",
    samples: int | None = None,
) -> np.ndarray:
    """An array with its sweeps in rows [sweep, t].

    Args:
        values: One sweep [t], or several [row, column].
        name: What it is, for messages.
        given: `rows` or `columns`: where the user says that the sweeps stand.
        usual: Where they stand by custom; None for a format that has none.
        samples: Samples of a sweep, where the file says it (the length of its vector of times).

    Raises:
        ValidationError: If it cannot be told, or contradicts what is given.
    """
    if given is not None and given not in SWEEPS:
        raise ValidationError("sweeps", repr(given), "rows or columns", nearest(str(given), SWEEPS))
    if values.size == 0:
        raise ValidationError(name, "empty", "of samples")
    array = np.squeeze(values) if values.ndim != 2 or 1 in values.shape else values
    if array.ndim == 1:
        if samples not in (None, array.size):
            raise ValidationError(name, f"of {array.size} samples", f"as long as its times, {samples}")
        return array[None, :]
    if array.ndim != 2:
        raise ValidationError(name, f"of shape {values.shape}", "of one axis, or of sweeps and samples")
    where = _told(array, name, given, samples) or _by_samples(array, name, usual)
    return array if where == "rows" else array.T


def _told(array: np.ndarray, name: str, given: str | None, samples: int | None) -> str | None:
    """Where the sweeps stand, as the user or the times say."""
    rows, columns = array.shape
    if samples is None:
        return given
    fitting = [where for where, size in (("rows", columns), ("columns", rows)) if size == samples]
    if not fitting:
        raise ValidationError(name, f"of shape {array.shape}", f"one sample for each of its {samples} times")
    if given is not None and given not in fitting:
        raise ValidationError("sweeps", given, f"{fitting[0]} in {name}, as it has {samples} times")
    return given or (fitting[0] if len(fitting) == 1 else None)


def _by_samples(array: np.ndarray, name: str, usual: str | None) -> str:
    """Where the sweeps stand, by shape and samples together."""
    rows, columns = array.shape
    down, along = is_smooth(array, 0), is_smooth(array, 1)
    seen = None if down == along else "rows" if along else "columns"
    longer = "rows" if columns > rows else "columns"
    ratio = max(rows, columns) / min(rows, columns)
    if seen is None and usual is not None and longer == usual:
        return usual
    if seen is not None and (seen == usual or (seen == longer and ratio >= _SURELY)):
        return seen
    actual = f"open in {name} of shape {array.shape}"
    raise ValidationError("sweeps", actual, "rows or columns", "say sweeps=rows or sweeps=columns")


def is_smooth(array: np.ndarray, axis: int) -> bool:
    """Whether neighbours along an axis are much nearer to each other than any two.

    Args:
        array: [row, column].
        axis: Along which.
    """
    lines = np.moveaxis(array, axis, -1)
    lines = lines[:: max(1, len(lines) // _MOST), : 10 * _MOST].astype(np.float64)
    lines = lines[np.isfinite(lines).sum(axis=1) > 1]
    steps = np.diff(lines, axis=1)
    if not np.isfinite(steps).any():
        return False
    # the square of the difference of any two is on average twice the variance
    with np.errstate(over="ignore", invalid="ignore"):
        any_two = 2.0 * float(np.mean(np.nanvar(lines, axis=1, ddof=1)))
        neighbours = float(np.nanmean(steps**2))
    return any_two > 0 and neighbours < _SMOOTH * any_two
