"""When stimuli were given, told from what was recorded: from brief pulses of the command, or from their artefacts.

An artefact is brief and comes at the same sample of nearly every sweep; the response that follows jitters and lasts.
What a running median of 2 ms takes away is brief: it leaves the rise of a response, and a step, as they are. The two
edges of a test pulse charge the electrode in opposite directions; such a pair is no stimulus.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from scipy import ndimage

from nmjmc.analysis.recording import Recording
from nmjmc.analysis.steady import changes, runs

PULSE = 5.0
"""Longest pulse of the command that is a stimulus [ms] [D]: nerves are stimulated for 0.05 to 2 ms, and test pulses
last for 5 ms or more, as a membrane has to charge."""

BRIEF = 2.0
"""Width of the running median, twice the longest artefact [ms] [D]."""

STANDS_OUT = 10.0
"""Height of an artefact in SDs of the difference of neighbouring samples [D]."""

IN_SWEEPS = 0.8
"""Share of the sweeps that have a stimulus at the same time [D]."""

_MOSTLY = 0.7
"""Part of an artefact's excursion that the running median takes away [D]; of an action potential it is half."""

_MIRRORED = 0.8
"""Likeness of the two edges of a test pulse, one of them turned over [D]."""


@dataclass(frozen=True, eq=False)
class Stimuli:
    """Times of stimuli, the same in each sweep.

    Attributes:
        times: Since the sweep began [k] [ms].
        by: How they were found, in words; empty where there are none.
        passed_over: What looked like a stimulus and is none, in words.
    """

    times: Float[np.ndarray, " k"] = field(default_factory=lambda: np.zeros(0))
    by: str = ""
    passed_over: str = ""

    def __len__(self) -> int:
        return self.times.size


def of_command(recording: Recording) -> Stimuli:
    """Stimuli as brief pulses of the command, where it is known.

    Args:
        recording: With its command.
    """
    if not recording.command.size:
        return Stimuli()
    step = recording.sampling_interval
    moved = changes(recording)
    often = moved[:, : recording.length.min()].mean(axis=0) >= IN_SWEEPS
    found = [a for a, b in runs(often) if (b - a) * step <= PULSE and 0 < a and b < often.size]
    by = f"pulses of the command of {PULSE:g} ms or less" if found else ""
    return Stimuli(np.array(found, np.float64) * step, by)


def of_artefact(recording: Recording) -> Stimuli:
    """Stimuli as their artefacts: brief, at the same time of nearly every sweep, and not at a step of the command.

    Args:
        recording: Three sweeps or more; fewer tell nothing, and none is found.
    """
    length = int(recording.length.min())
    step = recording.sampling_interval
    half = max(2, round(0.5 * BRIEF / step))
    if recording.sweeps < 3 or length < 8 * half:
        return Stimuli()
    signal = recording.signal[:, :length]
    jumps = np.abs(np.diff(signal, axis=1))
    noise = 1.4826 * float(np.median(jumps)) or float(jumps[jumps > 0].min(initial=np.inf))
    near = ndimage.maximum_filter1d(jumps, 3, axis=1)  # clocks may differ by a sample
    common = np.quantile(near, 1.0 - IN_SWEEPS, axis=0, method="higher")
    candidates = runs(ndimage.binary_dilation(common > STANDS_OUT * noise, iterations=half))
    forms = [_form(signal, a + half, b - half, half) for a, b in candidates]
    kept = [(a + half, form) for (a, b), form in zip(candidates, forms, strict=True) if form is not None]
    kept = [(at, form) for at, form in kept if not _at_a_step(recording, at, half)]
    left, pairs = _without_mirrored(kept)
    times = np.array([at + _first(form, half) for at, form in left], np.float64) * step
    share = f"{100 * IN_SWEEPS:.0f} %"
    by = f"artefacts at the same time of {share} of the sweeps or more" if times.size else ""
    said = (
        f"{pairs} pair{'s' * (pairs > 1)} of transients that mirror each other, as a test pulse makes"
        if pairs
        else ""
    )
    return Stimuli(times, by, said)


def _form(signal: np.ndarray, first: int, last: int, half: int) -> np.ndarray | None:
    """What is brief of the mean trace from a candidate on [t]; None where it is part of something slow."""
    begin, end = first - 2 * half, last + 2 * half
    if begin < 0 or end > signal.shape[1] or last - first > 2 * half:
        return None
    mean = np.median(signal[:, begin:end], axis=0)
    brief = mean - ndimage.median_filter(mean, 2 * half + 1, mode="nearest")
    inner = slice(half, -half)
    whole = np.ptp(mean[inner])
    return brief[half:] if np.ptp(brief[inner]) >= _MOSTLY * whole > 0 else None


def _first(form: np.ndarray, half: int) -> int:
    """Samples from a candidate to where its artefact begins."""
    size = np.abs(form)
    return int((size > 0.1 * size.max()).argmax()) - half


def _at_a_step(recording: Recording, at: int, half: int) -> bool:
    """Whether a long step of the command is near."""
    if not recording.command.size:
        return False
    around = recording.command[:, max(0, at - 2 * half) : at + 2 * half]
    spread = np.ptp(around, axis=1)
    return bool((spread[np.isfinite(spread)] > 0).any())


def _without_mirrored(kept: list[tuple[int, np.ndarray]]) -> tuple[list[tuple[int, np.ndarray]], int]:
    """Artefacts without the edges of test pulses, and how many pairs of those there were."""
    left, pairs, index = [], 0, 0
    while index < len(kept):
        if index + 1 < len(kept) and _mirror(kept[index][1], kept[index + 1][1]):
            pairs, index = pairs + 1, index + 2
        else:
            left.append(kept[index])
            index += 1
    return left, pairs


def _mirror(one: np.ndarray, other: np.ndarray) -> bool:
    size = min(one.size, other.size)
    a, b = one[:size], other[:size]
    power = float(np.sqrt((a @ a) * (b @ b)))
    alike = -float(a @ b) / power if power > 0 else 0.0
    sizes = sorted((float(a @ a), float(b @ b)))
    return alike > _MIRRORED and sizes[0] > _MIRRORED**2 * sizes[1]
