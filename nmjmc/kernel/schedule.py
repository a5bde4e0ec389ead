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
_SMALLEST = 256
_RUNG = 2.0


def longest_step(numerics: Numerics, fastest: tuple[str, float]) -> float:
    """The longest time step of a run [ms].

    Raises:
        ValidationError: If the user's is too long for the fastest process.
    """
    name, rate = fastest
    allowed = _MOST_SHARE / rate
    if numerics.longest_step is None:
        return min(LONGEST, _SHARE / rate) * numerics.step_scale
    longest = numerics.longest_step * numerics.step_scale
    if longest > allowed:
        raise ValidationError(
            "numerics.longest_step",
            f"{longest * 1e3:.3g} us",
            f"at most {allowed * 1e3:.3g} us, because {name} takes {1e3 / rate:.3g} us on average",
        )
    return longest


def substeps(
    numerics: Numerics, fastest: tuple[str, float], times: np.ndarray, records: int, interval: float
) -> np.ndarray:
    """Steps in each record interval, int [records].

    The step is `shortest_step` at a release and doubles every `growth_time` after it (linearly), up to the
    longest step, so that about the same number of events falls into each.

    Args:
        numerics: the settings.
        fastest: the fastest process and its rate.
        times: times of fusion [ms].
        records: number of intervals.
        interval: their length [ms].
    """
    longest = longest_step(numerics, fastest)
    shortest = min(numerics.shortest_step * numerics.step_scale, longest)
    start = np.arange(records) * interval
    # the last release before the interval's end decides
    latest = np.searchsorted(times, start + interval * (1 - 1e-9), side="left") - 1
    since = np.where(latest >= 0, np.maximum(start - times[np.maximum(latest, 0)], 0), np.inf)
    step = np.minimum(shortest * (1 + since / numerics.growth_time), longest)
    return np.maximum(1, np.ceil(interval / step - 1e-9)).astype(np.int32)


def rung(size: float, factor: float = _RUNG) -> int:
    """A list's length from a ladder of few sizes (each is compiled once), a multiple of 32."""
    k = math.ceil(math.log(max(size, _SMALLEST) / _SMALLEST) / math.log(factor) - 1e-9)
    return 32 * math.ceil(_SMALLEST * factor**k / 32)
