"""How long the windows of the pass are: short ones after a release, longer ones as gradients flatten.

    step(t) = shortest (1 + (t / growth)^1.5), t since the last release; at most a fifth of the mean time of the fastest
    process, and at most the shortest journey near a rim

**Invariant.** The windows follow from the settings and the rates alone, and a record interval holds at least two.
"""

from __future__ import annotations

import math

import numpy as np

from nmjmc.errors import ValidationError
from nmjmc.kernel.numerics import LONGEST_STEP, Numerics
from nmjmc.kernel.physics.lower import Lowered

_SHARE = 0.2  # of the mean time of the fastest process: steps up to this change no mean by 0.5 % (measured)
_MOST_SHARE = 0.5
_LAG = 32
"""Steps by which an event may be late: chains of so many attempts within one step do not happen (a choice)."""
_POWER = 1.5
FEWEST = 2
"""Fewest windows in a record interval; see `follow.BEFORE`."""
_MOST = 2047  # windows in a record interval: more of them are a mistake of the settings (a choice)


def longest_step(numerics: Numerics, fastest: tuple[str, float], link: float = math.inf) -> float:
    """The longest time step of a run [ms].

    Args:
        numerics: the settings.
        fastest: the fastest process and its rate [1/ms]; its mean time limits what is allowed.
        link: length of the journeys cut short near a rim [ms]. A pass takes a molecule one journey on, so that
            longer steps would leave it behind.

    Raises:
        ValidationError: If the user's is too long for the fastest process.
    """
    name, rate = fastest
    given, scale = numerics.longest_step, numerics.step_scale
    limits = {f"{name} takes {1e3 / rate:.3g} us on average": _MOST_SHARE / rate}
    longest = (given or min(LONGEST_STEP, _SHARE / rate)) * scale
    if given is None:
        field, value = "numerics.step_scale", f"{scale:g}, which makes steps of {longest * 1e3:.3g} us"
    else:
        field, value = "numerics.longest_step", f"{longest * 1e3:.3g} us"
        limits[f"a journey near the rim takes {link * 1e3:.3g} us"] = link
    reason, allowed = min(limits.items(), key=lambda item: item[1])
    if longest > allowed * (1 + 1e-9):
        raise ValidationError(
            field, value, f"such that no step exceeds {allowed * 1e3:.3g} us, because {reason}"
        )
    return min(longest, link)


def substeps(
    numerics: Numerics,
    fastest: tuple[str, float],
    times: np.ndarray,
    records: int,
    interval: float,
    most: float | None = None,
    link: float = math.inf,
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
        link: see `longest_step`.
    """
    longest = longest_step(numerics, fastest, link)
    if most is not None:
        return np.full(records, max(FEWEST, math.ceil(interval / min(longest, most) - 1e-9)), np.int32)
    shortest = min(numerics.shortest_step * numerics.step_scale, longest)
    start = np.arange(records) * interval
    # the last release before the interval's end decides
    latest = np.searchsorted(times, start + interval * (1 - 1e-9), side="left") - 1
    since = np.where(latest >= 0, np.maximum(start - times[np.maximum(latest, 0)], 0), np.inf)
    step = np.minimum(shortest * (1 + (since / numerics.growth_time) ** _POWER), longest)
    return np.maximum(FEWEST, np.ceil(interval / step - 1e-9)).astype(np.int32)


def check_steps(numerics: Numerics, lowered: Lowered, interval: float, steps: int) -> None:
    """Refuse steps so short that a record interval holds thousands.

    Raises:
        ValidationError: Naming what makes them so short.
    """
    most = _MOST
    if steps <= most:
        return
    given = numerics.shortest_step * numerics.step_scale
    name, rate = lowered.fastest
    if lowered.step is None and given < interval / most:
        if numerics.shortest_step == Numerics.shortest_step:
            allowed = (
                f"at most {given * most:.2g} ms, as a step is {given * 1e3:.3g} us (numerics.shortest_step)"
            )
            raise ValidationError("record_interval", f"{interval:g} ms", allowed)
        value, field = f"{given * 1e3:.3g} us", "numerics.shortest_step"
        hint = f"or record at least every {given * most:.2g} ms"
        raise ValidationError(field, value, f"at least {interval / most * 1e3:.2g} us", hint)
    reason = (
        f"{name} takes {1e6 / rate:.3g} ns on average" if lowered.step is None else "steps are this short"
    )
    raise ValidationError(
        "record_interval", f"{interval:g} ms", f"at most {interval * most / steps:.2g} ms, because {reason}"
    )


def lateness(substeps: np.ndarray, interval: float) -> np.ndarray:
    """How late an event may be handled in each record interval [ms], float32.

    A pass takes a molecule one link along its chain of events, so that a short chain lags by a few steps and catches
    up; what lags by many is in a queue that grows, and the steps are too long for it.
    """
    step = interval / substeps
    recent = [step[max(0, at - _LAG // FEWEST) : at + 1].max() for at in range(len(step))]
    return (_LAG * np.asarray(recent)).astype(np.float32)
