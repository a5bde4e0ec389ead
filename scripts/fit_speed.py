"""What a fit costs, beside an optimiser without gradients on the same loss.

python scripts/fit_speed.py [--events 150] [--profiles] [--most 3000]

Five parameters of the human preparation (binding and closing rate, esterase density, mean and CV of the content) are
fitted to mean and variance of the waveform of noisy mean-field quanta, from starts that are off by a factor of 1.5.
Processor time (user and system, all threads) and clock time are printed; the first line holds compiling.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import optimize

import nmjmc
from nmjmc.fitting import Condition, WaveformTerm
from nmjmc.fitting.optimise import FitProgress
from nmjmc.fitting.parameters import free_parameters
from nmjmc.fitting.problem import Problem

FREE = {
    "receptor.binding_rate": {"start": "7.5e7 /M/s"},
    "receptor.closing_rate": {"start": "900 /s"},
    "esterase.density": {"start": "1200 /um^2"},
    "vesicle.content_mean": {"start": 7200},
    "vesicle.content_cv": {"start": 0.36},
}
CONDITION, NOISE, CLOSE = Condition(duration=8.0), 0.05, 0.1


def main() -> None:
    """Make data, fit them, and go down the same loss without gradients."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=150)
    parser.add_argument("--profiles", action="store_true", help="intervals by profile likelihood too")
    parser.add_argument("--most", type=int, default=3000, help="evaluations of Nelder and Mead at most")
    chosen = parser.parse_args()
    synapse = nmjmc.preparation("human")
    term = WaveformTerm("events", *_events(synapse, chosen.events), CONDITION)
    told: list[FitProgress] = []
    begun = _clocks()
    found = nmjmc.fit(synapse, [term], FREE, estimator="mean_field", bootstrap=100, on_step=told.append)
    steps = found.losses.size - 1
    print(f"{'way':44} {'evaluations':>12} {'CPU s':>8} {'clock s':>8} {'loss above least':>17}")
    _row("nmjmc fit, compiling, Fisher, bootstrap", f"{steps + 1} + slopes", begun, 0.0)
    begun = _clocks()
    nmjmc.fit(synapse, [term], FREE, estimator="mean_field", bootstrap=100)
    _row("the same once compiled", f"{steps + 1} + slopes", begun, 0.0)
    if chosen.profiles:
        begun = _clocks()
        nmjmc.fit(synapse, [term], FREE, estimator="mean_field", profiles="all")
        _row("the same, five profiles in place of bootstrap", "", begun, 0.0)
    problem = Problem(synapse, [term], free_parameters(synapse, FREE))
    best = float(found.losses.min())
    start = problem.parameters.unconstrained(problem.parameters.start)
    problem.predict(start)
    begun, loss = _clocks(), _Counted(problem, best, chosen.most)
    with contextlib.suppress(StopIteration):
        _nelder_mead(loss, start)
    when = "" if loss.least - best <= CLOSE else " (given up)"
    _row(f"scipy Nelder-Mead once compiled{when}", str(loss.count), begun, loss.least - best)
    print(
        "estimate over truth: "
        + ", ".join(f"{found[n] / float(nmjmc.get(synapse, n)):.3f}" for n in found.names)
    )
    print(
        f"losses of nmjmc fit: {', '.join(f'{x:.4g}' for x in found.losses)}; load {os.getloadavg()[0]:.1f}"
    )


class _Counted:
    """The loss, counted; stops once it is within `CLOSE` of the least."""

    def __init__(self, problem: Problem, best: float, most: int) -> None:
        self.problem, self.best, self.most = problem, best, most
        self.count, self.least = 0, np.inf

    def __call__(self, free: np.ndarray) -> float:
        loss = self.problem.loss(self.problem.predict(free), free)
        self.count, self.least = self.count + 1, min(self.least, loss)
        if self.least - self.best <= CLOSE or self.count >= self.most:
            raise StopIteration
        return loss if np.isfinite(loss) else 1e12


def _nelder_mead(loss: Callable[[Any], float], start: np.ndarray) -> None:
    # a first simplex of the size that the starts are off by, and restarts where it has shrunk too soon
    simplex = np.vstack([start, start + 0.5 * np.eye(start.size)])
    while True:
        options = {"initial_simplex": simplex, "xatol": 1e-4, "fatol": 1e-3, "adaptive": True}
        at = optimize.minimize(loss, start, method="Nelder-Mead", options=options).x
        simplex = np.vstack([at, at + 0.2 * np.eye(start.size)])


def _events(synapse: Any, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Times and noisy mean-field quanta of lognormal contents, 50 kHz, from 1 ms before the onset."""
    free = ["vesicle.content_mean", "vesicle.content_cv"]
    time_ms, rng = np.arange(-1.0, CONDITION.duration - 0.01, 0.02), np.random.default_rng(1)
    first = WaveformTerm(
        "x", time_ms, -np.exp(-np.abs(time_ms)) + rng.normal(size=(40, time_ms.size)), CONDITION
    )
    source = Problem(synapse, [first], free_parameters(synapse, free))
    cv, mean = float(synapse.vesicle.content_cv), float(synapse.vesicle.content_mean)
    spread = np.sqrt(np.log1p(cv**2))
    content = mean * np.exp(spread * rng.normal(size=count) - 0.5 * spread**2)
    at = source.parameters.unconstrained(source.parameters.start)
    current, channel = source.currents_of(at, CONDITION, content, CONDITION.times())
    traces = np.stack([np.interp(time_ms, CONDITION.times(), row, left=0.0) for row in current])
    gate = np.sqrt(np.abs(traces) * channel) * rng.normal(size=(count, 1))
    return time_ms, traces + gate + NOISE * rng.normal(size=traces.shape)


def _clocks() -> tuple[float, float]:
    return time.process_time(), time.perf_counter()


def _row(name: str, evaluations: str, begun: tuple[float, float], above: float) -> None:
    cpu, clock = (now - then for now, then in zip(_clocks(), begun, strict=True))
    print(f"{name:44} {evaluations:>12} {cpu:8.1f} {clock:8.1f} {above:17.3g}", flush=True)


if __name__ == "__main__":
    main()
