"""Single-fibre EMG: jitter of pairs of fibres as mean consecutive difference, and blocking."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from nmjmc.diagnostics.fibres import fibres_of, stimulate
from nmjmc.diagnostics.finding import Array, Finding
from nmjmc.diagnostics.intervals import of_mean, of_share
from nmjmc.errors import ValidationError, nearest
from nmjmc.junction.bank import Bank
from nmjmc.junction.stimulus import train
from nmjmc.junction.whole import Junction
from nmjmc.numbers import in_units

# 95 % upper limits of the mean jitter and of one pair's [us], voluntary, for each decade of age from 10 to 19 on: the
# multi-centre values of Gilchrist 1992 and Bromberg 1994, by decades as legeforeningen.no tabulates them [V]
LIMITS = {
    "extensor_digitorum": (
        (34.9, 50.0), (34.9, 50.1), (35.1, 50.5), (35.4, 51.3), (35.9, 52.5), (36.6, 54.4), (37.7, 57.2),
        (39.1, 61.1), (40.9, 66.5),
    ),
    "frontalis": (
        (33.6, 49.7), (33.9, 50.1), (34.4, 51.3), (35.5, 53.5), (37.3, 57.5), (40.0, 63.9), (43.8, 74.1),
    ),
    "orbicularis_oculi": (
        (39.8, 54.6), (39.8, 54.7), (40.0, 54.7), (40.4, 54.8), (40.9, 55.0), (41.8, 55.3), (43.0, 55.8),
    ),
}  # fmt: skip
MOST_ABNORMAL = 0.10
MOST_SILENT = 0.10
"""Share of the pairs that never answer together, beyond which those that do are not called normal; a choice."""
HEALTHY = 38.8
"""Mean jitter of the model's own healthy muscle [us], which is beyond most limits (docs/validation.md)."""


@dataclass(frozen=True)
class Sfemg:
    """Jitter and blocking.

    Attributes:
        jitter: mean consecutive difference of each pair [p] [us]; NaN with too few intervals.
        blocking: share of the stimuli at which one of the pair fails [p].
        interval: between the two potentials at each stimulus [p k] [ms]; NaN where one fails.
        method: how quanta became a current.
    """

    jitter: Float[np.ndarray, " p"]
    blocking: Float[np.ndarray, " p"]
    interval: Float[np.ndarray, "p k"]
    method: str = "superposed"

    @property
    def seen(self) -> np.ndarray:
        """Pairs that an electrode finds, because both fibres fire together at some stimulus; all if none [p]."""
        found = self.blocking < 1
        return found if found.any() else np.ones_like(found)

    def beyond(self, age: float = 40, muscle: str = "extensor_digitorum") -> np.ndarray:
        """Pairs beyond the limit of one pair, or with blocking [p]."""
        return (self.jitter > limits(age, muscle)[1]) | (self.blocking > 0)

    def abnormal(self, age: float = 40, muscle: str = "extensor_digitorum") -> bool:
        """Whether the mean jitter, or more than a tenth of the pairs seen (jitter or blocking), exceeds the limits.

        Raises:
            ValidationError: For a muscle or an age without limits.
        """
        beyond = self.beyond(age, muscle)[self.seen]
        return bool(self.mean > limits(age, muscle)[0] or beyond.mean() > MOST_ABNORMAL)

    def verdict(self, age: float = 40, muscle: str = "extensor_digitorum") -> str:
        """`abnormal`, `normal`, or `undecided` where too many pairs never answer together to call it normal."""
        if self.abnormal(age, muscle):
            return "abnormal"
        return "undecided" if (~self.seen).mean() > MOST_SILENT else "normal"

    @property
    def mean(self) -> float:
        """Mean jitter of the pairs that have one [us]; NaN if none has."""
        known = self.jitter[np.isfinite(self.jitter)]
        return float(known.mean()) if known.size else float("nan")


@in_units(age="")
def limits(age: float, muscle: str) -> tuple[float, float]:
    """Upper limits of mean jitter and of one pair's jitter [us].

    Raises:
        ValidationError: For a muscle or an age without limits.
    """
    if muscle not in LIMITS:
        raise ValidationError(
            "muscle", repr(muscle), "one with published limits", nearest(str(muscle), LIMITS)
        )
    decade = math.floor(age / 10) - 1 if math.isfinite(age) else -1
    if not 0 <= decade < len(LIMITS[muscle]):
        oldest = 10 * len(LIMITS[muscle]) + 9
        raise ValidationError("age", f"{age:g}", f"10 to {oldest} years for {muscle}")
    return LIMITS[muscle][decade]


def mean_consecutive_difference(interval: Float[np.ndarray, "... k"]) -> Float[np.ndarray, "..."]:
    """Mean absolute difference of consecutive intervals; failures (NaN) break the sequence.

    For independent normal jitter it is 2 / sqrt(pi) of the standard deviation.
    """
    steps = np.abs(np.diff(interval, axis=-1))
    is_finite = np.isfinite(steps)
    count = is_finite.sum(axis=-1)
    total = np.where(is_finite, steps, 0.0).sum(axis=-1)
    return np.where(count >= 5, total / np.maximum(count, 1), np.nan)


def single_fibre(
    junction: Junction,
    pairs: int = 20,
    stimuli: int = 50,
    frequency: Any = 10.0,
    seed: int = 0,
    bank: Bank | None = None,
) -> Sfemg:
    """Stimulated single-fibre EMG of pairs of fibres of one motor unit.

    Raises:
        ValidationError: For fewer than one pair or ten stimuli.
    """
    if pairs < 1 or stimuli < 10:
        raise ValidationError("pairs, stimuli", f"{pairs}, {stimuli}", "at least 1 pair and 10 stimuli")
    muscle = fibres_of(junction, 2 * pairs, seed)
    evoked = stimulate(junction, train(frequency, stimuli), muscle, seed, bank)
    latency = evoked.response.latency
    interval = latency[1::2] - latency[0::2]
    jitter = 1e3 * mean_consecutive_difference(interval)
    return Sfemg(jitter, np.isnan(interval).mean(axis=-1), interval, evoked.method)


def finding(pairs: Sfemg, age: float = 40, muscle: str = "extensor_digitorum") -> Finding:
    """Numbers, arrays and meaning of a study of pairs.

    Args:
        pairs: The pairs.
        age: Of the patient whose limits are taken [years].
        muscle: Whose limits are taken.
    """
    mean, pair = limits(age, muscle)
    seen = pairs.seen
    jitter, blocking, beyond = pairs.jitter[seen], pairs.blocking[seen], pairs.beyond(age, muscle)[seen]
    what = f"{seen.sum()} pairs"
    rows = (
        of_mean("mean jitter (MCD)", "us", jitter, what),
        of_share(f"pairs with jitter above {pair:g} us", jitter > pair, what),
        of_share("pairs with blocking", blocking > 0, what),
        of_share(f"pairs beyond {pair:g} us or with blocking", beyond, what),
        of_mean("stimuli at which a pair blocks", "%", 100 * blocking, what),
    )
    facts = {
        "age": age, "muscle": muscle, "limit_mean_us": mean, "limit_pair_us": pair, "pairs": seen.size,
        "pairs_seen": int(seen.sum()), "abnormal": pairs.abnormal(age, muscle),
        "verdict": pairs.verdict(age, muscle), "quanta_were": pairs.method,
    }  # fmt: skip
    return Finding("sfemg", rows, _meaning(pairs, mean, pair, age, muscle), _arrays(pairs), facts)


def _meaning(pairs: Sfemg, mean: float, pair: float, age: float, muscle: str) -> str:
    """By the limits of Gilchrist 1992: the mean, and the rule of ten per cent."""
    where = f"{muscle.replace('_', ' ')}, {age:g} years"
    beyond = pairs.beyond(age, muscle)[pairs.seen]
    number = "no pair has a jitter" if not np.isfinite(pairs.mean) else f"mean jitter {pairs.mean:.0f} us"
    return (
        f"{pairs.verdict(age, muscle).capitalize()} for {where}: {number} (limit {mean:g}), and {beyond.sum()} of "
        f"{beyond.size} pairs are beyond {pair:g} us or block (limit a tenth){_unseen(pairs)}"
        f"{_as_healthy(pairs, mean, beyond)}."
    )


def _as_healthy(pairs: Sfemg, limit: float, beyond: np.ndarray) -> str:
    """A warning where the verdict rests on a limit that the healthy muscle exceeds too."""
    if not (pairs.mean > limit and HEALTHY > limit and beyond.mean() <= MOST_ABNORMAL):
        return ""
    return (
        "; the verdict rests on the mean alone, and the model's own healthy muscle exceeds this limit too "
        f"({HEALTHY:.0f} us, docs/junction.md)"
    )


def _unseen(pairs: Sfemg) -> str:
    """What is told of pairs that an electrode would not find."""
    silent = int((pairs.blocking == 1).sum())
    return f"; {silent} of {pairs.blocking.size} pairs never answered together" if silent else ""


def _arrays(pairs: Sfemg) -> dict[str, Array]:
    p, k = "pair", "stimulus"
    return {
        "interval": Array((p, k), pairs.interval, "ms", "between the two potentials, NaN where one fails"),
        "jitter": Array((p,), pairs.jitter, "us", "mean consecutive difference"),
        "blocking": Array((p,), pairs.blocking, "1", "share of the stimuli at which one of the pair fails"),
    }
