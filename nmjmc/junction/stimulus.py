"""When the nerve is stimulated: lists of times, checked, and the trains that are asked for most."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from nmjmc.carried import Number
from nmjmc.errors import ValidationError
from nmjmc.numbers import to_array, whole_number
from nmjmc.units import to_internal

SHORTEST_INTERVAL = 1.0
"""Refractory period of a motor axon, about [ms]; a choice."""
MOST_STIMULI = 10_000


def stimulus_times(times: Any) -> Float[np.ndarray, " k"]:
    """A list of stimulus times, refused where it cannot be one.

    Args:
        times: Times, as numbers in ms, texts with a unit or objects that carry one, rising by at least 1 ms.

    Returns:
        The times [ms].

    Raises:
        ValidationError: If they are empty, negative, unsorted or closer than a nerve can follow.
    """
    listed = to_array(times, "ms", "times")
    listed = listed[None] if listed.ndim == 0 else listed
    if listed.ndim != 1 or not 1 <= listed.size <= MOST_STIMULI:
        raise ValidationError(
            "times", f"of shape {listed.shape}", f"a list of 1 to {MOST_STIMULI} times in ms"
        )
    if not np.isfinite(listed).all() or listed[0] < 0:
        raise ValidationError("times", listed[:5].tolist(), "finite and zero or later")
    steps = np.diff(listed)
    if (steps <= 0).any():
        where = int(np.argmax(steps <= 0))
        actual = f"{listed[where]:g} ms before {listed[where + 1]:g} ms"
        raise ValidationError("times", actual, "rising", "sort the times")
    if (steps < SHORTEST_INTERVAL).any():
        raise ValidationError(
            "times", f"{steps.min():g} ms apart", f"at least {SHORTEST_INTERVAL:g} ms apart"
        )
    return listed


def train(frequency: Number, stimuli: Any, first: Number = 0.0) -> Float[np.ndarray, " k"]:
    """Times of a regular train [ms].

    Args:
        frequency: Hz, or text with a unit.
        stimuli: How many.
        first: Time of the first, ms or text with a unit.

    Raises:
        ValidationError: For a frequency that is not positive or a number of stimuli that is not.
    """
    per_ms = to_internal(frequency, "Hz", "frequency")
    if not per_ms > 0:
        raise ValidationError("frequency", f"{per_ms * 1e3:g} Hz", "positive")
    count = whole_number(stimuli, "stimuli", 1, MOST_STIMULI)
    return stimulus_times(to_internal(first, "ms", "first") + np.arange(count) / per_ms)
