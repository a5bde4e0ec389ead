"""Where spontaneous events can be searched: away from steps of the command, from stimuli, and from gaps.

A gap is a stretch in which nothing was recorded: the samples stand still, at the end of the converter's range or where
the amplifier was switched off.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from nmjmc.analysis.recording import Recording
from nmjmc.analysis.steady import SETTLE, at_rest, cut_out, rest_of, runs

AFTER_STIMULUS = 50.0
"""Time after a stimulus that is left out [ms] [D]: what is evoked, and most of what is released late."""

BEFORE_STIMULUS = 1.0
"""Time before a stimulus that is left out [ms] [D]."""

STILL = 5.0
"""Time for which samples stand still in a gap [ms] [D]; some 50 samples at least, as coarse converters repeat."""

_STILL_SAMPLES = 50
_TOLD = 1e-3  # of the record: a smaller part that is left out is not told


class Searchable(NamedTuple):
    """The parts of a record in which events can be.

    Attributes:
        parts: Each a sweep of its own.
        said: What was left out and why, in whole sentences.
    """

    parts: Recording
    said: tuple[str, ...]


def searchable(
    recording: Recording,
    least: float,
    stimuli: Float[np.ndarray, " k"] | None = None,
    settle: float = SETTLE,
) -> Searchable:
    """The parts of a record in which events can be.

    Args:
        recording: What was recorded.
        least: Shortest part that is kept [ms].
        stimuli: Times of stimuli in each sweep [k] [ms]; None where there were none.
        settle: Time after a change of the command that is left out [ms].

    Raises:
        ValidationError: If nothing is left.
    """
    whole, said = recording.duration, []
    found, fewest = recording, max(2, int(np.ceil(least / recording.sampling_interval)))
    rest = rest_of(recording, settle)
    if recording.command.size and rest.share < 1.0:
        if not rest.known:
            said.append(
                "Part of the command cannot be told from the file; events were searched where it is known to rest."
            )
        found = at_rest(recording, least, settle)
        said.append(_told(found, whole, f"{settle:g} ms from each change of the command on"))
    still = _still(found)
    if still.any():
        found, before = cut_out(found, ~still, fewest, "stretches with a signal"), found.duration
        said.append(
            _told(found, before, f"gaps, in which the signal stands still for {STILL:g} ms or longer")
        )
    if stimuli is not None and stimuli.size:
        near = _near(found, recording, stimuli)
        found, before = cut_out(found, ~near, fewest, "stretches without a stimulus"), found.duration
        said.append(_told(found, before, f"{AFTER_STIMULUS:g} ms after each stimulus"))
    return Searchable(found, tuple(filter(None, said)))


def _told(found: Recording, before: float, what: str) -> str:
    share = 1.0 - found.duration / before
    return f"{100 * share:.2g} % of the record was not searched for events: {what}." if share > _TOLD else ""


def _still(recording: Recording) -> Bool[np.ndarray, "sweep t"]:
    """Whether a sample is one of a long run of the same value."""
    same = np.zeros(recording.signal.shape, bool)
    same[:, 1:] = np.diff(recording.signal, axis=1) == 0.0
    fewest = max(_STILL_SAMPLES, round(STILL / recording.sampling_interval))
    if not same.any():
        return same
    for row in same:
        long = [(a, b) for a, b in runs(row) if b - a + 1 >= fewest]
        row[:] = False
        for a, b in long:
            row[a - 1 : b] = True
    return same


def _near(parts: Recording, whole: Recording, stimuli: np.ndarray) -> Bool[np.ndarray, "part t"]:
    """Whether a sample of the parts is near a stimulus of the sweep that it comes from."""
    at = (whole.sweep_start[:, None] + stimuli[None, :]).ravel()
    near, step = np.zeros(parts.signal.shape, bool), parts.sampling_interval
    for row, start in zip(near, parts.sweep_start, strict=True):
        here = at[(at > start - AFTER_STIMULUS) & (at < start + row.size * step + BEFORE_STIMULUS)] - start
        for begin in here:
            first = max(0, int(np.ceil((begin - BEFORE_STIMULUS) / step - 1e-6)))
            row[first : max(first, int(np.ceil((begin + AFTER_STIMULUS) / step - 1e-6)))] = True
    return near
