"""Endplate potentials with the sodium channels blocked, beside the depolarisation that would fire the fibre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from nmjmc.diagnostics.dose import amplitudes, without_sodium
from nmjmc.diagnostics.fibres import fibres_of, stimulate
from nmjmc.diagnostics.finding import Array, Finding
from nmjmc.diagnostics.intervals import of_mean, of_share
from nmjmc.junction.bank import Bank
from nmjmc.junction.stimulus import stimulus_times, train
from nmjmc.junction.whole import Junction, bank_for, margins, miniature


@dataclass(frozen=True)
class Epps:
    """Endplate potentials of fibres [v] at stimuli [k].

    Attributes:
        times: the stimuli [k] [ms].
        time: from each stimulus [t] [ms].
        potential: at the endplate, sodium channels blocked [v k t] [mV].
        amplitude: above where each began [v k] [mV].
        threshold: depolarisation of the endplate that fires the fibre [v] [mV]; NaN if nothing does.
        factor: safety factor at the first stimulus [v].
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
    safety = jax.tree.map(np.asarray, margins(junction, evoked, muscle.muscles))
    course = np.asarray(evoked.response.course.endplate)
    return Epps(
        times, evoked.response.time, course, amplitudes(evoked), safety.threshold, safety.factor,
        evoked.release.quanta, miniature(junction, bank), evoked.method,
    )  # fmt: skip


def finding(found: Epps) -> Finding:
    """Numbers, arrays and meaning of endplate potentials."""
    count = len(found.amplitude)
    what = f"{count} fibres"
    below = ~(found.amplitude[:, 0] >= found.threshold)
    rows = (
        of_mean("endplate potential, first stimulus", "mV", found.amplitude[:, 0], what),
        of_mean("endplate potential, last stimulus", "mV", found.amplitude[:, -1], what),
        of_mean("threshold", "mV", found.threshold, what),
        of_mean("safety factor", "", found.factor, what),
        of_share("fibres whose first potential is below threshold", below, what),
        of_mean("quantal content, first stimulus", "", found.quanta[:, 0], what),
        of_mean("miniature potential", "mV", found.miniature, f"{found.miniature.size} quanta"),
    )
    v, k = "fibre", "stimulus"
    arrays = {
        "stimulus_time": Array((k,), found.times, "ms", "time of each stimulus"),
        "time": Array(("sample",), found.time, "ms", "time from each stimulus"),
        "potential": Array(
            (v, k, "sample"), found.potential.astype(np.float32), "mV", "at the endplate, sodium blocked"
        ),
        "amplitude": Array((v, k), found.amplitude, "mV", "above where each began"),
        "threshold": Array((v,), found.threshold, "mV", "depolarisation that fires the fibre"),
        "safety_factor": Array((v,), found.factor, "1", "endplate potential over threshold"),
        "quantal_content": Array((v, k), found.quanta, "1", "quantal content"),
        "miniature": Array(("quantum",), found.miniature, "mV", "amplitude of miniature potentials"),
    }  # fmt: skip
    facts = {"fibres": count, "quanta_were": found.method}
    return Finding("epp", rows, _meaning(found, below), arrays, facts)


def _meaning(found: Epps, below: np.ndarray) -> str:
    known = found.factor[np.isfinite(found.factor)]
    if not known.size:
        return "No fibre fires however large the endplate current is made."
    last = ~(found.amplitude[:, -1] >= found.threshold)
    return (
        f"The safety factor is {known.mean():.1f} (5 to 95 % of the fibres: {np.percentile(known, 5):.1f} to "
        f"{np.percentile(known, 95):.1f}); {below.sum()} of {below.size} fibres fall short of threshold at the first "
        f"stimulus and {last.sum()} at the last."
    )
