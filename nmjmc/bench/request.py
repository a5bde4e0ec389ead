"""What `nmjmc quantal` and `nmjmc.quantal` are asked: the settings of all analyses, each told once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nmjmc.analysis.bench.channel_noise import SCALINGS
from nmjmc.carried import Number
from nmjmc.data.recordings.asked import AsRead
from nmjmc.errors import ValidationError
from nmjmc.numbers import says_unit, to_array
from nmjmc.request import Held, choice, flag, other, quantity, whole
from nmjmc.seeds import SEEDS
from nmjmc.units import to_internal, to_text

KINDS = ("auto", "miniatures", "evoked", "conditions", "recovery", "intervals")


def _amplitude(value: Any, field: str) -> str:
    """An amplitude with its unit, as text in nA or mV; whether it is that of the data is checked with them."""
    if not says_unit(value) or (isinstance(value, str) and _is_bare(value)):
        hint = "amplitudes may be in nA, pA or mV"
        raise ValidationError(field, repr(value), 'given with a unit, such as "5 pA" or "0.02 mV"', hint)
    for unit in ("nA", "mV"):
        try:
            number = to_internal(value, unit, field)
        except ValidationError:
            continue
        if number < 0:
            raise ValidationError(field, value, "zero or more")
        return to_text(number, unit)
    raise ValidationError(field, repr(value), "a current or a potential, such as 5 pA or 0.02 mV")


def _is_bare(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _alpha(value: Any, field: str) -> Any:
    if isinstance(value, str) and value.strip().casefold() in ("fit", "equal"):
        return value.strip().casefold()
    number = to_internal(value, "", field)
    if not number > 0:
        raise ValidationError(field, value, "positive, equal or fit")
    return number


def _times(value: Any, field: str) -> list[float]:
    listed = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    numbers = np.atleast_1d(to_array(listed, "ms", field))
    if (
        numbers.ndim != 1
        or not np.isfinite(numbers).all()
        or (np.diff(numbers) <= 0).any()
        or numbers.min() < 0
    ):
        raise ValidationError(field, str(value)[:60], "rising times of zero or more, such as [10 ms, 30 ms]")
    return numbers.tolist()


@dataclass(frozen=True)
class Quantal(AsRead):
    """The settings of the analyses of quantal data."""

    kind: Held[str] = choice("auto", "what the file holds; auto tells by its columns", KINDS)
    noise_sd: Held[str | None] = other(
        None, "SD of the noise of an amplitude, with its unit", _amplitude, optional=True
    )
    quantal_cv: Number | None = quantity(None, "CV of the quantal amplitude", least=0, most=3, optional=True)
    between_cv: Number = quantity(0.0, "CV of the mean quantal amplitude between sites", least=0, most=3)
    alpha: Held[Any] = other(
        "equal", "release probabilities of sites: equal, a number (beta), or fit", _alpha
    )
    failures: Held[int | None] = whole(None, "trials without a response, if counted", 0, 10**7, optional=True)
    driving_force: Number | None = quantity(
        None, "rest to reversal, to correct potentials for summation", unit="mV", above=0, optional=True
    )
    summation_factor: Number = quantity(0.8, "of that correction (1 for brief currents)", above=0, most=1.5)
    threshold: Held[str | None] = other(
        None, "smallest amplitude that is detected, with its unit", _amplitude, optional=True
    )
    dead_time: Number | None = quantity(
        None,
        "after an event, in which none is seen; else the shortest interval",
        unit="ms",
        least=0,
        optional=True,
    )
    duration: Number | None = quantity(None, "time that was searched", unit="ms", above=0, optional=True)
    scaling: Held[str] = choice("peak", "of the template in the noise analysis of decays", SCALINGS)
    stimuli: Held[list[float] | None] = other(
        None,
        "times in a sweep: [10 ms, 30 ms]; else as the file, its command or artefacts tell",
        _times,
        unit="ms",
        optional=True,
    )
    blank: Number = quantity("0.5 ms", "after a stimulus, left out for its artefact", unit="ms", least=0)
    response: Number = quantity(
        "5 ms", "after a stimulus, in which the mean response peaks", unit="ms", above=0
    )
    peak: Number = quantity("0.2 ms", "about that peak, averaged for an amplitude", unit="ms", least=0)
    rise: Number = quantity("0.3 ms", "of the template that finds miniatures", unit="ms", above=0)
    decay: Number = quantity("2 ms", "of the template that finds miniatures", unit="ms", above=0)
    detection: Number = quantity(4.0, "height that counts as an event, in SDs of the noise", above=0)
    first: Held[int] = whole(4, "stimuli of Elmqvist and Quastel's line", 3, 100)
    last: Held[int | None] = whole(None, "stimuli of the cumulative line; a third", 2, 10_000, optional=True)
    drift: Held[bool] = flag(False, "amplitudes drift: variances from successive trials")
    resamples: Held[int] = whole(400, "bootstrap samples", 50, 100_000)
    seed: Held[int] = whole(0, "of the resampling", 0, SEEDS - 1)
