"""Repetitive nerve stimulation: compound action potentials, decrement and increment by the clinical definitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from nmjmc.diagnostics.fibres import Fibres, fibres_of, stimulate
from nmjmc.errors import ValidationError
from nmjmc.junction.bank import Bank
from nmjmc.junction.response import FIRED
from nmjmc.junction.stimulus import stimulus_times, train
from nmjmc.junction.whole import Junction
from nmjmc.units import to_internal

DECREMENT = 0.10
"""Abnormal at 2 to 5 Hz, first to fourth or fifth (AAEM 2001 [V-abs])."""
INCREMENT = 0.60
"""Suggests Lambert-Eaton at 20 to 50 Hz or after exercise [V]."""
FIBRE_WIDTH = 1.0
"""Width of a single fibre's potential at the surface [ms]; a choice."""
REPETITIVE = 0.10
"""Share of the fibres that fire again after the first stimulus, from which a potential is told to repeat; a choice."""
RULES = {"decrement": (2.0, 5.0), "increment": (20.0, 50.0)}
"""Rates at which each is judged [Hz] (AAEM 2001 [V-abs], [V]); no limit is published at any other."""
WINDOW = np.arange(0.0, 30.0, 0.05)
PAUSE = 2000.0
"""From the end of an exercise to the first stimulus of the train [ms]; a choice."""
MOST_EXERCISE = 60e3


@dataclass(frozen=True)
class Rns:
    """Responses to repetitive nerve stimulation.

    Attributes:
        frequency: [Hz]; of irregular trains, from the median interval.
        time: of the responses, from each stimulus [t] [ms].
        response: compound action potential of each stimulus, in units of one fibre's [k t].
        fired: share of the fibres that fired [k].
        fired_each: the same for each fibre [v k].
        quanta: mean quantal content [k].
        amplitude: negative peak [k].
        arrival: when each fibre's potential passes the electrode, from its stimulus; NaN for none [v k] [ms].
        times: the stimuli [k] [ms].
        quanta_each: quantal content of each fibre [v k].
        method: how quanta became a current.
        again: the same as `arrival` for a fibre's second potential after one stimulus [v k] [ms]; None if not sought.
            It is in `response`, and neither in `fired` nor in `amplitude`.
        depolarised: whether each fibre was still on a plateau when the stimulus came [v k]; None if not known.
    """

    frequency: float
    time: Float[np.ndarray, " t"]
    response: Float[np.ndarray, "k t"]
    fired: Float[np.ndarray, " k"]
    fired_each: np.ndarray
    quanta: Float[np.ndarray, " k"]
    amplitude: Float[np.ndarray, " k"]
    arrival: Float[np.ndarray, "v k"]
    times: Float[np.ndarray, " k"]
    quanta_each: np.ndarray
    method: str = "superposed"
    again: Float[np.ndarray, "v k"] | None = None
    depolarised: np.ndarray | None = None

    @property
    def decrement(self) -> float:
        """Loss from the first to the smaller of the fourth and the fifth response, as a share of the first."""
        return decrement_of(self.amplitude)

    @property
    def increment(self) -> float:
        """Gain from the first to the largest later response, as a share of the first."""
        return increment_of(self.amplitude)

    @property
    def rule(self) -> str:
        """What the train is judged by at its rate: `decrement`, `increment`, or nothing."""
        return rule_of(self.frequency)

    @property
    def meaning(self) -> str:
        """One sentence by the clinical limits."""
        if not self.amplitude[0] > 0:
            return "No fibre fired at the first stimulus, so there is no response to measure."
        at = f"at {self.frequency:.3g} Hz"
        if self.rule == "decrement":
            verdict = "abnormal" if self.decrement >= DECREMENT else "normal"
            if _whole(self.decrement).startswith("-"):
                return f"No decrement {at}: the response grows by {_whole(-self.decrement)} %: normal (limit 10 %)."
            return f"Decrement {_whole(self.decrement)} % {at}: {verdict} (limit 10 %)."
        if self.rule == "increment":
            verdict = "as in Lambert-Eaton" if self.increment >= INCREMENT else "below the limit"
            return f"Increment {_whole(self.increment)} % {at}: {verdict} (limit 60 %)."
        falls = (
            "No decrement"
            if _whole(self.decrement).startswith("-")
            else f"Decrement {_whole(self.decrement)} %"
        )
        return (
            f"{falls} and increment {_whole(self.increment)} % {at}: not judged, for limits are published at 2 to 5 "
            "and 20 to 50 Hz only."
        )

    @property
    def also(self) -> str:
        """A sentence on the decrement where the increment is judged, with a space before it; empty if it is small."""
        if self.rule != "increment" or not self.decrement >= DECREMENT:
            return ""
        return (
            f" From the first to the fourth or fifth the response falls by {_whole(self.decrement)} %: no limit of the "
            "decrement is published at this rate."
        )


def rule_of(frequency: float) -> str:
    """What a train is judged by: `decrement` at 2 to 5 Hz, `increment` at 20 to 50 Hz, empty at any other rate."""
    near = 1e-6 * frequency  # the rate comes from rounded times
    return next((rule for rule, (low, high) in RULES.items() if low - near <= frequency <= high + near), "")


def _whole(share: float) -> str:
    return f"{round(100 * share) + 0.0:.0f}"


def decrement_of(amplitude: Float[np.ndarray, "*b k"]) -> Any:
    """Loss from the first to the smaller of the fourth and the fifth amplitude; NaN without a first response.

    Args:
        amplitude: One train [k], or several.

    Raises:
        ValidationError: For fewer than four responses.
    """
    if amplitude.shape[-1] < 4:
        raise ValidationError("stimuli", amplitude.shape[-1], "at least 4 for a decrement")
    return _change(-1, amplitude, amplitude[..., 3:5].min(axis=-1))


def increment_of(amplitude: Float[np.ndarray, "*b k"]) -> Any:
    """Gain from the first to the largest later amplitude; NaN without a first response."""
    if amplitude.shape[-1] < 2:
        raise ValidationError("stimuli", amplitude.shape[-1], "at least 2 for an increment")
    return _change(1, amplitude, amplitude[..., 1:].max(axis=-1))


def _change(sign: int, amplitude: np.ndarray, later: Any) -> Any:
    first = amplitude[..., 0]
    numbers = np.where(first > 0, sign * (later / np.where(first > 0, first, 1.0) - 1.0), np.nan)
    return numbers if numbers.ndim else float(numbers)


def potentials(
    arrival: Float[np.ndarray, "*v"], time: Float[np.ndarray, " t"], width: float = FIBRE_WIDTH
) -> Float[np.ndarray, "*v t"]:
    """Biphasic single-fibre potentials of peak 1, the negative phase first and upwards; arguments as `compound`."""
    away = (np.nan_to_num(arrival, nan=np.inf)[..., None] - time) / (0.5 * width)
    with np.errstate(invalid="ignore", over="ignore"):
        wave = away * np.exp(0.5 * (1.0 - away**2))
    return np.nan_to_num(wave)


def compound(
    arrival: Float[np.ndarray, "v k"], time: Float[np.ndarray, " t"], width: float = FIBRE_WIDTH
) -> Float[np.ndarray, "k t"]:
    """Sum of biphasic single-fibre potentials, each of peak 1, the negative phase first and upwards.

    Args:
        arrival: When each fibre's potential passes the electrode; NaN for none [ms].
        time: [ms].
        width: Standard deviation of the Gaussian whose derivative they are, twice [ms].
    """
    return potentials(arrival, time, width).sum(axis=0)


def repetitive(
    junction: Junction,
    frequency: Any = 3.0,
    stimuli: int = 10,
    fibres: int | Fibres = 200,
    seed: int = 0,
    bank: Bank | None = None,
    *,
    times: Any = None,
    before: Any = None,
) -> Rns:
    """Repetitive nerve stimulation of a muscle.

    Args:
        junction: The junction.
        frequency: Hz, or text with a unit.
        stimuli: How many, at least 4.
        fibres: How many, or the fibres themselves.
        seed: Seed.
        bank: Single quanta, if simulated before.
        times: Stimuli [ms] in place of a regular train.
        before: Stimuli ahead of these, as `exercise` gives them.

    Raises:
        ValidationError: For fewer than four stimuli, or times that cannot be those of a train.
    """
    times = train(frequency, stimuli) if times is None else stimulus_times(times)
    if times.size < 4:
        raise ValidationError("stimuli", times.size, "at least 4 for a decrement")
    muscle = fibres if isinstance(fibres, Fibres) else fibres_of(junction, fibres, seed)
    if before is not None:
        times = times + before[-1] + PAUSE
    evoked = stimulate(junction, times, muscle, seed, bank, before=before)
    arrival = evoked.response.latency + muscle.delay[:, None]
    again = (
        second_spikes(evoked.response.time, np.asarray(evoked.response.course.distant))
        + muscle.delay[:, None]
    )
    response = compound(arrival, WINDOW)
    fired = evoked.response.spikes > 0
    return Rns(
        1e3 / float(np.median(np.diff(times))), WINDOW, response + compound(again, WINDOW), fired.mean(axis=0),
        fired, evoked.release.quanta.mean(axis=0), response.max(axis=1), arrival, times - times[0],
        evoked.release.quanta, evoked.method, again, evoked.response.depolarised,
    )  # fmt: skip


def second_spikes(
    time: Float[np.ndarray, " t"], potential: Float[np.ndarray, "*v t"], level: float = FIRED
) -> Float[np.ndarray, "*v"]:
    """When each trace goes up through a level for the second time [ms]; NaN if it does not."""
    above = potential > level
    up = above[..., 1:] & ~above[..., :-1]
    second = up & (up.cumsum(axis=-1) == 2)
    place = second.argmax(axis=-1)[..., None]
    low, high = (np.take_along_axis(potential, place + k, -1)[..., 0] for k in (0, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        crossing = time[place[..., 0]] + (level - low) / (high - low) * (time[1] - time[0])
    return np.where(second.any(axis=-1), crossing, np.nan)


def exercise(duration: Any, rate: Any = "30 Hz") -> Float[np.ndarray, " k"]:
    """Stimuli that stand for a voluntary contraction: a regular train [ms].

    Args:
        duration: Number in ms, or text with a unit.
        rate: Firing of the motor neurone, Hz or text; 30 Hz is a choice.

    Raises:
        ValidationError: For a duration that is not positive, or beyond a minute.
    """
    length = to_internal(duration, "ms", "exercise")
    if not 0 < length <= MOST_EXERCISE:
        raise ValidationError("exercise", f"{length:g} ms", "above 0 and at most 60 s")
    per_ms = to_internal(rate, "Hz", "exercise_rate")
    if not per_ms > 0:
        raise ValidationError("exercise_rate", f"{1e3 * per_ms:g} Hz", "positive")
    return train(1e3 * per_ms, max(1, round(length * per_ms)))
