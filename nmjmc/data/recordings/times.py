"""The even step behind a column of times: exact, rounded to few digits, or with a little jitter.

Times are written with so many digits, so that a step of 1/30 ms alternates between 0.03 and 0.04, and times of a long
record repeat. What the file means is the even step that, rounded in the same way, gives every one of its times.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from nmjmc.data.recordings.numerals import plain
from nmjmc.errors import ValidationError

UNEVEN = 0.01
"""Steps of a record may differ by this share, and rounded times may leave the step open by as much (a choice)."""

_AGREES = 0.005  # what a user writes of a step has three digits or so
_DIGITS = 15
_BLOCKS = 1000
_HALVES = 1.001  # a time in the middle between two that can be written is rounded to either


@dataclass(frozen=True)
class Step:
    """An even step of times.

    Attributes:
        value: The step, in the unit of the times.
        low: The smallest that explains them.
        high: The largest.
    """

    value: float
    low: float
    high: float

    def agrees(self, other: float) -> bool:
        """Whether another step is meant to be this one."""
        inside = self.low * (1 - 1e-9) <= other <= self.high * (1 + 1e-9)
        return inside or abs(other - self.value) <= _AGREES * self.value


def even_step(
    times: np.ndarray, cells: Sequence[str] | None = None, resolution: np.ndarray | float | None = None
) -> Step | None:
    """The step of times that are evenly spaced.

    Args:
        times: [t].
        cells: What stands in the file for them [t], from which it follows how they were rounded; None for binary files.
        resolution: How finely the numbers of a binary file are rounded, for all or [t].

    Returns:
        The step; None if they are not even, do not rise, or are rounded too coarsely to tell it to a hundredth.
    """
    if times.size < 2 or not np.isfinite(times).all() or not times[-1] > times[0]:
        return None
    exact = 8 * np.spacing(np.abs(times).max())
    for rounded in (0.0, *_resolutions(cells)) if resolution is None else (resolution,):
        half = 0.5 * _HALVES * np.broadcast_to(rounded, times.shape) + exact
        step = _explained(times, half)
        if step is not None and step.high - step.low <= UNEVEN * step.value:
            return step
    steps = np.diff(times)
    middle = float(np.median(steps))
    if middle > 0 and (np.abs(steps - middle) <= UNEVEN * middle).all():
        mean = float(steps.mean())
        return Step(mean, mean, mean)
    return None


def _resolutions(cells: Sequence[str] | None) -> Iterator[np.ndarray | float]:
    """How finely times may have been rounded: to the decimals of the longest, or to the digits of the longest."""
    if cells is None:
        return
    texts = [plain(cell).replace(",", ".").replace("'", "").replace(" ", "").casefold() for cell in cells]
    parts = [re.split("[ed]", text) for text in texts]
    behind = [len(part[0].partition(".")[2]) - int(part[1] if len(part) > 1 else 0) for part in parts]
    digits = max(len(part[0].lstrip("+-0.").replace(".", "")) for part in parts)
    smallest = 10.0 ** -max(behind)
    yield smallest
    sizes = np.abs(np.array([float("e".join(part)) for part in parts]))
    places = np.floor(np.log10(np.maximum(sizes, smallest))) + 1 - digits
    yield np.maximum(10.0**places, smallest)


def unevenness(times: np.ndarray) -> tuple[int, float, float]:
    """Where times are least even: the row before the step, the step, and the usual step."""
    steps = np.diff(times)
    middle = float(np.median(steps))
    row = int(np.abs(steps - middle).argmax())
    return row, float(steps[row]), middle


def agreed(step: Step, factor: float, given: float | None, field: str) -> float:
    """The sampling interval of times and of what the user says of it [ms].

    Args:
        step: Step of the times, in their unit.
        factor: Their unit [ms].
        given: What the user says [ms].
        field: What the times are, for the message.

    Raises:
        ValidationError: If the two contradict each other.
    """
    if given is None:
        return step.value * factor
    if not (given > 0 and step.agrees(given / factor)):
        hint = "leave out the one that is wrong (a wrong unit of the times is put right by time_unit)"
        allowed = f"that of {field}, {step.value * factor:.6g} ms"
        raise ValidationError("sampling_interval", f"{given:.6g} ms", allowed, hint)
    inside = step.low < step.high and step.low <= given / factor <= step.high
    return given if inside else step.value * factor


def _explained(times: np.ndarray, half: np.ndarray) -> Step | None:
    """The steps of a line that comes as near as `half` to every time, the roundest of them as the value."""
    count = times.size - 1
    mean = float(times[-1] - times[0]) / count
    index = np.arange(times.size) - 0.5 * count
    away = times - times[0] - mean * (index + 0.5 * count)
    reach = float(half[0] + half[-1]) / count * (1 + 1e-9)
    least, most = away - half, away + half
    above, below = _outer(index, least, reach), _outer(index, -most, reach)

    def excess(change: float) -> float:
        """How far outside the line of this slope is that fits best; a convex function."""
        return float(
            (least[above] - change * index[above]).max() - (most[below] - change * index[below]).min()
        )

    best = 0.0
    if excess(best) > 0:
        optimum = minimize_scalar(
            excess, bounds=(-reach, reach), method="bounded", options={"xatol": 1e-9 * reach}
        )
        best = float(optimum.x)  # pyright: ignore[reportAttributeAccessIssue]  (scipy's results name no fields)
    if excess(best) > 0:
        return None
    low, high = (mean + _root(excess, best, side * reach) for side in (-1, 1))
    return Step(_roundest(low, high), low, high)


def _outer(index: np.ndarray, values: np.ndarray, reach: float) -> np.ndarray:
    """Indices of the points that can be the highest above a line whose slope is at most `reach`.

    Within a block of neighbours these are few: those that the highest does not exceed by more than the line rises.
    """
    ends = np.arange(0, values.size, max(1, values.size // _BLOCKS))
    highest = np.repeat(np.maximum.reduceat(values, ends), np.diff(np.append(ends, values.size)))
    room = reach * (values.size // _BLOCKS + 1)
    return np.flatnonzero(values >= highest - room)


def _root(excess: Callable[[float], float], inside: float, outside: float) -> float:
    """Where a function that is negative inside becomes positive."""
    if excess(outside) <= 0 or excess(inside) == 0:
        return outside if excess(outside) <= 0 else inside
    optimum = brentq(excess, inside, outside, xtol=1e-12 * abs(outside))
    return float(optimum)  # pyright: ignore[reportArgumentType]  (the root alone, as no more is asked for)


def _roundest(low: float, high: float) -> float:
    """The number of fewest digits between two, or the inverse of one: steps and rates are round."""
    middle = 0.5 * (low + high)
    for digits in range(1, _DIGITS + 1):
        for number, back in ((middle, False), (1.0 / middle, True)):
            shift = digits - 1 - math.floor(math.log10(number))
            rounded = float(f"{number:.{digits - 1}e}")
            found = 1.0 / rounded if back else rounded
            if low <= found <= high and shift < 300:
                return found
    return middle
