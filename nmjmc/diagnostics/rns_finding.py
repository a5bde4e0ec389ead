"""What repetitive stimulation found, by the clinical definitions, with intervals over the fibres."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from nmjmc.diagnostics.fibres import plateau
from nmjmc.diagnostics.finding import Array, Finding, Row
from nmjmc.diagnostics.intervals import of_mean, of_replicates, of_share, resamples
from nmjmc.diagnostics.rns import (
    DECREMENT,
    INCREMENT,
    REPETITIVE,
    Rns,
    decrement_of,
    increment_of,
    potentials,
)


def finding(before: Rns, after: Rns | None = None) -> Finding:
    """Numbers, arrays and meaning of one train, or of the same train before and after exercise.

    Args:
        before: At rest.
        after: After exercise, in the same fibres.
    """
    drawn = resamples(len(before.arrival))
    replicates = _amplitudes(before, drawn)
    what = f"{len(before.arrival)} fibres"
    rows = [
        of_share("fibres that fire at the first stimulus", before.fired_each[:, 0], what),
        of_share("fibres that fire at the last stimulus", before.fired_each[:, -1], what),
        _change("decrement", before.amplitude, replicates, decrement_of, what),
        _change("increment", before.amplitude, replicates, increment_of, what),
        of_mean("quantal content, first stimulus", "", before.quanta_each[:, 0], what),
    ]
    arrays, meaning = _arrays(before, replicates), _meaning(before, rows)
    if before.again is not None:
        rows.append(of_share(AGAIN, np.isfinite(before.again[:, 0]), what))
        meaning += _repetitive(rows[-1])
    if before.depolarised is not None:
        row, words = plateau(before.depolarised, what)
        rows.append(row)
        meaning += words
    if after is not None:
        later = _amplitudes(after, drawn)
        rows += [
            _change("decrement after exercise", after.amplitude, later, decrement_of, what),
            _exercise(before, after, replicates, later, what),
        ]
        arrays |= _arrays(after, later, "after_exercise_")
        meaning = f"{meaning} {_exercise_meaning(rows[-1])}"
    facts = {
        "frequency_Hz": before.frequency, "fibres": len(before.arrival), "quanta_were": before.method,
        "judged_by": before.rule, "limits": {"decrement_%": 100 * DECREMENT, "increment_%": 100 * INCREMENT},
    }  # fmt: skip
    return Finding("rns", tuple(rows), meaning, arrays, facts)


AGAIN = "fibres that fire again after the first stimulus"


def _repetitive(row: Row) -> str:
    """What it means that fibres fire again."""
    if not row.value > 100 * REPETITIVE:
        return ""
    return (
        f" {row.value:.0f} % of the fibres fire again after the first stimulus: a repetitive potential, as in "
        "slow-channel syndrome or without esterase."
    )


def _amplitudes(trains: Rns, drawn: Float[np.ndarray, "b v"]) -> Float[np.ndarray, "b k"]:
    """Negative peaks of the compound responses of resampled fibres."""
    weights = (drawn * drawn.shape[1]).astype(np.float32)
    peaks = [
        (weights @ potentials(trains.arrival[:, k], trains.time).astype(np.float32)).max(axis=1)
        for k in range(trains.arrival.shape[1])
    ]
    return np.stack(peaks, axis=1)


def _change(
    name: str, amplitude: np.ndarray, replicates: np.ndarray, of: Callable[[np.ndarray], Any], what: str
) -> Row:
    return of_replicates(name, "%", 100 * of(amplitude), 100 * of(replicates), what)


def _exercise(before: Rns, after: Rns, first: np.ndarray, later: np.ndarray, what: str) -> Row:
    """Gain of the first response by exercise."""

    def gain(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return 100 * np.where(a > 0, b / np.where(a > 0, a, 1.0) - 1.0, np.nan)

    value = gain(before.amplitude[:1], after.amplitude[:1])[0]
    return of_replicates("increment by exercise", "%", value, gain(first[:, 0], later[:, 0]), what)


def _meaning(trains: Rns, rows: list[Row]) -> str:
    judged = {"decrement": (rows[2], DECREMENT), "increment": (rows[3], INCREMENT)}
    if trains.rule not in judged:
        return trains.meaning
    row, limit = judged[trains.rule]
    return trains.meaning[:-1] + _certainty(row, 100 * limit) + "." + trains.also


def _certainty(row: Row, limit: float) -> str:
    """What the interval says of the verdict."""
    if not np.isfinite(row.low):
        return ""
    sure = row.low > limit or row.high < limit
    return "" if sure else f"; the interval {row.low:.0f} to {row.high:.0f} % covers the limit"


def _exercise_meaning(row: Row) -> str:
    if not np.isfinite(row.value):
        return "Without a first response there is no increment by exercise."
    verdict = "as in Lambert-Eaton" if row.value >= 100 * INCREMENT else "below the limit"
    return f"Exercise changes the first response by {row.value:.0f} %: {verdict} (limit 60 %){_certainty(row, 60)}."


def _arrays(trains: Rns, replicates: Float[np.ndarray, "b k"], prefix: str = "") -> dict[str, Array]:
    k, v = "stimulus", "fibre"
    low, high = np.quantile(replicates, [0.025, 0.975], axis=0)
    named = {
        "stimulus_time": Array((k,), trains.times, "ms", "time of each stimulus, from the first"),
        "response_time": Array(("sample",), trains.time, "ms", "time from each stimulus"),
        "response": Array(
            (k, "sample"), trains.response.astype(np.float32), "1", "compound action potential"
        ),
        "amplitude": Array((k,), trains.amplitude, "1", "negative peak, in peaks of one fibre"),
        "amplitude_low": Array((k,), low, "1", "lower end of its 95 % interval over the fibres"),
        "amplitude_high": Array((k,), high, "1", "upper end"),
        "quantal_content": Array((k,), trains.quanta, "1", "mean quantal content"),
        "arrival": Array((v, k), trains.arrival, "ms", "when each fibre's potential passes, NaN for none"),
    }
    if trains.again is not None:
        named["again"] = Array((v, k), trains.again, "ms", "the same of its second potential, NaN for none")
    shared = ("stimulus_time", "response_time")
    return {n if n in shared else prefix + n: a for n, a in named.items() if not (prefix and n in shared)}
