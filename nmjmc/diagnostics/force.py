"""Twitch and tetanus of a muscle: the tubular potentials of its fibres, through calcium, to force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from nmjmc.diagnostics.fibres import Fibres, fibres_of, plateau, stimulate
from nmjmc.diagnostics.finding import Array, Finding, Row
from nmjmc.diagnostics.intervals import of_share, of_statistic
from nmjmc.errors import ValidationError
from nmjmc.junction.bank import Bank
from nmjmc.junction.stimulus import stimulus_times, train
from nmjmc.junction.twitch import contract_train, fusion, tubular_trace, twitch_of
from nmjmc.junction.whole import Evoked, Junction, bank_for

AFTER = 250.0
"""How long the force is followed after the last stimulus [ms]."""
LONGEST = 5000.0
FEEBLE = 0.05
"""A twitch of less of the greatest force is told to be that of no muscle (a choice; textbooks have 0.2 to 0.3 [M])."""


@dataclass(frozen=True)
class Contractions:
    """Force of fibres [v] after one stimulus and over a train.

    Attributes:
        times: the stimuli of the train [k] [ms].
        twitch_time: [s] [ms].
        twitch: force after one stimulus [v s].
        time: [t] [ms].
        force: over the train [v t].
        fired: whether each fibre fired at each stimulus [v k].
        resting: force at rest.
        method: how quanta became a current.
        greatest: force that the cross-bridges can bear, in the units of the others.
        depolarised: whether each fibre was still on a plateau when a stimulus came [v k]; None if not known.
    """

    times: Float[np.ndarray, " k"]
    twitch_time: Float[np.ndarray, " s"]
    twitch: Float[np.ndarray, "v s"]
    time: Float[np.ndarray, " t"]
    force: Float[np.ndarray, "v t"]
    fired: np.ndarray
    resting: float
    method: str = "superposed"
    greatest: float = 1.0
    depolarised: np.ndarray | None = None


def contractions(
    junction: Junction,
    frequency: Any = 100.0,
    stimuli: int = 40,
    fibres: int = 20,
    seed: int = 0,
    bank: Bank | None = None,
    *,
    times: Any = None,
) -> Contractions:
    """One twitch from rest, and a train, of the same fibres.

    Args:
        junction: The junction.
        frequency: Of the train, Hz or text with a unit.
        stimuli: How many.
        fibres: How many.
        seed: Seed.
        bank: Single quanta, if simulated before.
        times: Stimuli [ms] in place of a regular train.

    Raises:
        ValidationError: For a train longer than 5 s.
    """
    field = "stimuli" if times is None else "times"
    times = train(frequency, stimuli) if times is None else stimulus_times(times)
    check_length(times, field)
    bank = bank or bank_for(junction, seed=seed)
    muscle = fibres_of(junction, fibres, seed)
    single = _force(junction, np.zeros(1), muscle, seed, bank)
    whole = _force(junction, times, muscle, seed, bank)
    (twitch_time, twitch, _), (time, force, evoked) = single, whole
    fired = evoked.response.spikes > 0
    resting, greatest = float(force[:, 0].mean()), float(junction.contraction.greatest_force)
    return Contractions(
        times, twitch_time, twitch, time, force, fired, resting, evoked.method, greatest, evoked.response.depolarised
    )  # fmt: skip


def check_length(times: np.ndarray, field: str = "times") -> None:
    """Refuse a train that is too long for a force; `field` names what its times were made from.

    Raises:
        ValidationError: Beyond 5 s.
    """
    if times[-1] <= LONGEST:
        return
    actual = f"{times.size} over {1e-3 * times[-1]:g} s" if field == "stimuli" else f"up to {times[-1]:g} ms"
    hint = "give fewer stimuli or a higher frequency" if field == "stimuli" else ""
    raise ValidationError(field, actual, f"within {1e-3 * LONGEST:g} s for a force", hint)


def _force(
    junction: Junction, times: np.ndarray, fibres: Fibres, seed: int, bank: Bank
) -> tuple[np.ndarray, np.ndarray, Evoked]:
    """Time, force of each fibre, and what was evoked."""
    evoked = stimulate(junction, times, fibres, seed, bank)
    resting = float(junction.muscle.resting_potential)
    response = evoked.response
    recorded = np.asarray(response.course.tubule)
    tubule = tubular_trace(times, response.time, recorded, resting, float(times[-1]) + AFTER)
    found = contract_train(junction.contraction, tubule, resting)
    return found.time, found.force, evoked


def finding(found: Contractions) -> Finding:
    """Numbers, arrays and meaning of contractions; force in per cent of what the cross-bridges can bear."""
    count = len(found.force)
    what = f"{count} fibres"
    twitch, force = found.twitch / found.greatest, found.force / found.greatest
    both = np.concatenate([twitch, force], axis=1) - found.resting / found.greatest
    split = found.twitch.shape[1]

    def of(statistic: Any) -> Any:
        def measured(samples: np.ndarray, weights: np.ndarray) -> np.ndarray:
            mean = weights @ samples
            return np.asarray([statistic(row[:split], row[split:]) for row in mean])

        return measured

    def row(name: str, unit: str, statistic: Any) -> Row:
        return of_statistic(name, unit, both, of(statistic), what)

    time = found.twitch_time
    rows = [
        of_share("fibres that fire at the first stimulus", found.fired[:, 0], what),
        of_share("fibres that fire at the last stimulus", found.fired[:, -1], what),
        row("twitch force", "% of the greatest", lambda a, b: 100 * a.max()),
        row("time to peak", "ms", lambda a, b: twitch_of(time, a).time_to_peak),
        row("half relaxation", "ms", lambda a, b: twitch_of(time, a).half_relaxation),
        row("peak force of the train", "% of the greatest", lambda a, b: 100 * b.max()),
        row("twitch over the train's peak", "", lambda a, b: a.max() / b.max() if b.max() > 0 else np.nan),
    ]
    interval = float(np.median(np.diff(found.times))) if found.times.size > 1 else 0.0
    if interval:
        rows.append(row("ripple of the last interval", "%", lambda a, b: _ripple(found, b, interval)))
    arrays = {
        "stimulus_time": Array(("stimulus",), found.times, "ms", "time of each stimulus of the train"),
        "twitch_time": Array(("twitch_sample",), time, "ms", "time from the single stimulus"),
        "twitch": Array(("fibre", "twitch_sample"), twitch, "1", "force after one stimulus over the greatest"),
        "time": Array(("sample",), found.time, "ms", "time from the first stimulus"),
        "force": Array(("fibre", "sample"), force, "1", "force in the train over the greatest"),
        "fired": Array(("fibre", "stimulus"), found.fired.astype(np.int8), "1", "whether the fibre fired"),
    }  # fmt: skip
    facts = {
        "fibres": count,
        "frequency_Hz": 1e3 / interval if interval else None,
        "quanta_were": found.method,
    }
    meaning = _meaning(rows, interval) + _doubt(rows)
    if found.depolarised is not None:
        still, words = plateau(found.depolarised, what)
        rows.append(still)
        meaning += words
    return Finding("twitch", tuple(rows), meaning, arrays, facts)


def _ripple(found: Contractions, force: np.ndarray, interval: float) -> float:
    """How far the force falls within the last interval [%]; NaN without a force."""
    stimulated = found.time <= found.times[-1] + interval
    return (
        100 * (1 - fusion(found.time[stimulated], force[stimulated], interval)) if force.max() > 0 else np.nan
    )


def _doubt(rows: list[Row]) -> str:
    """Forces that no muscle has are not left without a word."""
    firing, twitch = rows[0].value, rows[2].value
    share = twitch / firing if firing else np.nan
    if not share < FEEBLE:
        return ""
    return (
        f" The twitch of a fibre that fires is only {100 * share:.2g} % of what its cross-bridges can bear: the spike"
        " in the tubules is too brief for the release channels, so these are forces of no muscle (docs/junction.md)."
    )


def _meaning(rows: list[Row], interval: float) -> str:
    first, last, ratio = rows[0].value, rows[1].value, rows[6].value
    if not first:
        return "No fibre fires at the first stimulus, so there is no twitch."
    held = "holds" if last >= 0.95 * first else f"fades: {last:.0f} % of the fibres fire at its last stimulus"
    if not interval:
        return f"{first:.0f} % of the fibres answer a single stimulus with a twitch."
    fused = "fused" if rows[7].value < 5 else "unfused"
    return f"The train at {1e3 / interval:.3g} Hz is {fused} and {held}; the twitch is {ratio:.2f} of its peak force."
