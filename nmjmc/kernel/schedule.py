"""When the kernel steps: short steps after a release, longer ones as gradients flatten; and how large its lists are."""

from __future__ import annotations

import math

import numpy as np

from nmjmc.errors import ValidationError
from nmjmc.kernel.numerics import Numerics

LONGEST = 2.5e-3
"""Longest step that the default takes [ms]; the convergence experiment shows what it costs (a choice)."""
_SHARE = 0.2  # of the mean time of the fastest process: steps up to this change no mean by 0.5 % (measured)
_MOST_SHARE = 0.5
_SMALLEST = 4096
_POWER = 1.5
FEWEST = 2
"""Fewest passes in a record interval; see `chunk.BEFORE`."""


def longest_step(numerics: Numerics, fastest: tuple[str, float]) -> float:
    """The longest time step of a run [ms].

    Raises:
        ValidationError: If the user's is too long for the fastest process.
    """
    name, rate = fastest
    allowed = _MOST_SHARE / rate
    longest = numerics.longest_step or min(LONGEST, _SHARE / rate)
    if longest * numerics.step_scale > allowed:
        field = "numerics.step_scale" if numerics.longest_step is None else "numerics.longest_step"
        value = f"{longest * numerics.step_scale * 1e3:.3g} us"
        if numerics.longest_step is None:
            value = f"{numerics.step_scale:g}, which makes steps of {value}"
        reason = f"because {name} takes {1e3 / rate:.3g} us on average"
        raise ValidationError(field, value, f"such that no step exceeds {allowed * 1e3:.3g} us, {reason}")
    return longest * numerics.step_scale


def substeps(
    numerics: Numerics,
    fastest: tuple[str, float],
    times: np.ndarray,
    records: int,
    interval: float,
    most: float | None = None,
) -> np.ndarray:
    """Steps in each record interval, int [records].

    The step is `shortest_step` (1 + (s / growth_time)^1.5) at the time s after a release, up to the longest
    step, so that about the same number of events falls into each (a choice, by trial).

    Args:
        numerics: the settings.
        fastest: the fastest process and its rate.
        times: times of fusion [ms].
        records: number of intervals.
        interval: their length [ms].
        most: length of the steps of stepped transport, where every molecule has one event in each [ms].
    """
    longest = longest_step(numerics, fastest)
    if most is not None:
        return np.full(records, max(FEWEST, math.ceil(interval / min(longest, most) - 1e-9)), np.int32)
    shortest = min(numerics.shortest_step * numerics.step_scale, longest)
    start = np.arange(records) * interval
    # the last release before the interval's end decides
    latest = np.searchsorted(times, start + interval * (1 - 1e-9), side="left") - 1
    since = np.where(latest >= 0, np.maximum(start - times[np.maximum(latest, 0)], 0), np.inf)
    step = np.minimum(shortest * (1 + (since / numerics.growth_time) ** _POWER), longest)
    return np.maximum(FEWEST, np.ceil(interval / step - 1e-9)).astype(np.int32)


def rung(size: float) -> int:
    """The pool's length from a ladder with four steps to the octave (each length is compiled once)."""
    k = math.ceil(4 * math.log2(max(size, _SMALLEST) / _SMALLEST) - 1e-6)
    return _SMALLEST * math.ceil(2 ** (k / 4) - 1e-9)


def expected_molecules(content: tuple[float, float], vesicles: int) -> float:
    """Molecules that so many vesicles hold but for one time in a thousand, from the content's mean and CV."""
    mean, cv = content
    return vesicles * mean * (1 + 3 * cv / math.sqrt(vesicles))


def fitting(base: int, needed: float) -> int:
    """The smallest of few lengths that holds `needed`: a half, an eighth or a 32nd of `base`, or a multiple of it."""
    size = base
    while size < needed:
        size *= 2
    return min((base // part for part in (2, 8, 32) if base // part >= max(needed, _SMALLEST)), default=size)
