"""Endplate potentials with the sodium channels blocked, beside the depolarisation that would fire the fibre."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from nmjmc.diagnostics.dose import amplitudes, without_sodium
from nmjmc.diagnostics.fibres import fibres_of, stimulate
from nmjmc.diagnostics.finding import Array, Finding
from nmjmc.diagnostics.intervals import of_mean, of_share
from nmjmc.junction.bank import Bank
from nmjmc.junction.stimulus import stimulus_times, train
from nmjmc.junction.whole import Evoked, Junction, bank_for, margins, miniature


@dataclass(frozen=True)
class Epps:
    """Endplate potentials of fibres [v] at stimuli [k].

    Attributes:
        times: the stimuli [k] [ms].
        time: from each stimulus [t] [ms].
        potential: at the endplate, sodium channels blocked [v k t] [mV].
        amplitude: above where each began [v k] [mV].
        threshold: depolarisation of the endplate that fires the fibre [v] [mV]; NaN if nothing does.
        factor: safety factor at the first stimulus [v]; 0 without a potential, NaN if nothing fires the fibre.
        quanta: quantal content [v k].
        miniature: amplitude of miniature potentials [q] [mV].
        method: how quanta became a current.
    """

    times: Float[np.ndarray, " k"]
    time: Float[np.ndarray, " t"]
    potential: Float[np.ndarray, "v k t"]
    amplitude: Float[np.ndarray, "v k"]
    threshold: Float[np.ndarray, " v"]
    factor: Float[np.ndarray, " v"]
    quanta: np.ndarray
    miniature: Float[np.ndarray, " q"]
    method: str = "superposed"


def endplate_potentials(
    junction: Junction,
    frequency: Any = 3.0,
    stimuli: int = 5,
    fibres: int = 30,
    seed: int = 0,
    bank: Bank | None = None,
    *,
    times: Any = None,
) -> Epps:
    """Endplate potentials of a muscle's fibres to a train, and each fibre's safety factor.

    Args:
        junction: The junction.
        frequency: Hz, or text with a unit.
        stimuli: How many.
        fibres: How many.
        seed: Seed.
        bank: Single quanta, if simulated before.
        times: Stimuli [ms] in place of a regular train.
    """
    times = train(frequency, stimuli) if times is None else stimulus_times(times)
    bank = bank or bank_for(junction, seed=seed)
    muscle = fibres_of(junction, fibres, seed)
    evoked = stimulate(junction, times, without_sodium(muscle), seed, bank)
    threshold, factor = margins_of_all(junction, evoked, muscle.muscles, bank)
    course = np.asarray(evoked.response.course.endplate)
    return Epps(
        times, evoked.response.time, course, amplitudes(evoked), threshold, factor, evoked.release.quanta,
        miniature(junction, bank), evoked.method,
    )  # fmt: skip


REFERENCE = 32
"""Mean quanta, all at once, whose current finds the threshold of a fibre that has none of its own."""


def margins_of_all(
    junction: Junction, evoked: Evoked, muscles: Any, bank: Bank
) -> tuple[np.ndarray, np.ndarray]:
    """Threshold [v] [mV] and safety factor [v] of every fibre, also of one that released nothing.

    A fibre whose own current does not fire it, however large it is made, has the threshold of a reference: the mean
    quantum of the bank, `REFERENCE` times. Without a potential the factor is 0.
    """
    own = margins(junction, evoked, muscles)
    potential, threshold = (np.array(x) for x in (own.endplate_potential, own.threshold))
    lacking = ~np.isfinite(threshold)
    if lacking.any():
        quantum = bank.conductance.mean(axis=0)[: evoked.conductance.shape[2]]
        quantum = quantum * (REFERENCE * bank.peak / max(float(quantum.max()), 1e-30))
        shape = np.zeros_like(evoked.conductance[:, :1])
        shape[..., : quantum.size] = quantum
        same = replace(evoked, conductance=shape)
        threshold = np.where(lacking, np.asarray(margins(junction, same, muscles).threshold), threshold)
    silent = evoked.release.quanta[:, 0] == 0
    return threshold, np.where(silent, 0.0, potential / threshold)


def finding(potentials: Epps) -> Finding:
    """Numbers, arrays and meaning of endplate potentials."""
    count = len(potentials.amplitude)
    what = f"{count} fibres"
    below = ~(potentials.amplitude[:, 0] >= potentials.threshold)
    rows = (
        of_mean("endplate potential, first stimulus", "mV", potentials.amplitude[:, 0], what),
        of_mean("endplate potential, last stimulus", "mV", potentials.amplitude[:, -1], what),
        of_mean("threshold", "mV", potentials.threshold, what),
        of_mean("safety factor", "", potentials.factor, what),
        of_share("fibres whose first potential is below threshold", below, what),
        of_mean("quantal content, first stimulus", "", potentials.quanta[:, 0], what),
        of_mean("miniature potential", "mV", potentials.miniature, f"{potentials.miniature.size} quanta"),
    )
    v, k = "fibre", "stimulus"
    arrays = {
        "stimulus_time": Array((k,), potentials.times, "ms", "time of each stimulus"),
        "time": Array(("sample",), potentials.time, "ms", "time from each stimulus"),
        "potential": Array(
            (v, k, "sample"), potentials.potential.astype(np.float32), "mV", "at the endplate, sodium blocked"
        ),
        "amplitude": Array((v, k), potentials.amplitude, "mV", "above where each began"),
        "threshold": Array((v,), potentials.threshold, "mV", "depolarisation that fires the fibre"),
        "safety_factor": Array((v,), potentials.factor, "1", "endplate potential over threshold"),
        "quantal_content": Array((v, k), potentials.quanta, "1", "quantal content"),
        "miniature": Array(("quantum",), potentials.miniature, "mV", "amplitude of miniature potentials"),
    }  # fmt: skip
    facts = {"fibres": count, "quanta_were": potentials.method}
    return Finding("epp", rows, _meaning(potentials, below), arrays, facts)


def _meaning(potentials: Epps, below: np.ndarray) -> str:
    known = potentials.factor[np.isfinite(potentials.factor)]
    if not np.isfinite(potentials.threshold).any():
        return "No fibre fires however large the endplate current is made."
    last = ~(potentials.amplitude[:, -1] >= potentials.threshold)
    silent = int((potentials.quanta[:, 0] == 0).sum())
    none = f", of which {silent} released no quantum," if silent else ""
    digits = 1 if known.mean() >= 1 else 2
    mean, low, high = (f"{x:.{digits}f}" for x in (known.mean(), *np.percentile(known, [5, 95])))
    return (
        f"The safety factor is {mean} (5 to 95 % of the fibres: {low} to {high}); {below.sum()} of {below.size} fibres "
        f"fall short of threshold at the first stimulus{none} and {last.sum()} at the last."
    )
