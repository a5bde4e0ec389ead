"""Whether the kernel gives the right answer here: a few vesicles against the mean field."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmjmc.meanfield import solve
from nmjmc.simulation.simulate import simulate
from nmjmc.synapse import preparation

VESICLES, DURATION, INTERVAL = 24, 1.0, 0.01
SIGMAS = 5.0  # a right program fails one check in two million
BIAS = 0.005  # fraction by which kernel and mean field may differ beyond chance


@dataclass(frozen=True)
class Check:
    """One comparison of the kernel's mean with the mean field."""

    name: str
    simulated: float
    error: float
    expected: float

    @property
    def passed(self) -> bool:
        """Whether they agree within five standard errors and half a percent."""
        return abs(self.simulated - self.expected) <= SIGMAS * self.error + BIAS * abs(self.expected)

    def __str__(self) -> str:
        verdict = "agrees" if self.passed else "DISAGREES"
        return f"{self.simulated:.5g} ± {self.error:.2g}, mean field {self.expected:.5g}: {verdict}"


def self_check() -> list[Check]:
    """Simulate a few vesicles of equal content and compare their means with the mean field."""
    synapse = preparation("human", **{"vesicle.content_cv": 0})
    result = simulate(synapse, VESICLES, seed=1, duration=DURATION, record_interval=INTERVAL)
    exact = solve(synapse, result.time)
    charge = np.trapezoid(result.current, result.time, axis=1)
    exact_charge = float(np.trapezoid(np.asarray(exact.current, np.float64), result.time))
    left = float(exact.released[-1] - exact.free_ach[-1] - exact.hydrolysed[-1] - exact.escaped[-1])
    return [
        _check("charge (pC)", charge, exact_charge),
        _check("ACh hydrolysed", result.counts["hydrolysed"][:, -1], float(exact.hydrolysed[-1])),
        _check("ACh bound", result.bound[:, -1], left),
    ]


def _check(name: str, values: np.ndarray, expected: float) -> Check:
    error = float(values.std(ddof=1) / np.sqrt(values.size))
    return Check(name, float(values.mean()), error, expected)
