"""Drawn miniatures: the truncated distribution, noise of decays, intervals."""

from __future__ import annotations

import numpy as np

from experiments.quantal_analysis.drawn import RESAMPLES, Quanta, Sets, collected
from nmjmc.analysis.bench.channel_noise import decay_noise
from nmjmc.analysis.bench.intervals import against_poisson
from nmjmc.analysis.bench.measured import Measured
from nmjmc.analysis.bench.miniatures import quantal_distribution

KERNEL = "noise of the kernel's decays, unitary current"


def all_of(source: Quanta, count: int) -> list[Sets]:
    """Every analysis of miniatures."""
    of_kernel = "the kernel's quanta: decays differ in more than the number of channels, which counts as their closing"
    return [
        *collected(_truncated, {"truncated likelihood, mean": 1.0, "truncated likelihood, SD": 0.3}, count, 11),
        *collected(_channels, {"noise of decays, unitary current": 4.8, "noise of decays, channels": 300.0}, count, 12),
        *collected(
            lambda rng: _of_kernel(source, rng), {KERNEL: source.unitary}, count, 13, {KERNEL: of_kernel},
        ),
        *collected(_intervals, {"rate of events, dead time known": 5.0}, count, 14),
    ]  # fmt: skip


def _truncated(rng: np.random.Generator) -> dict[str, Measured]:
    values = rng.normal(1.0, 0.3, 400)
    mean, sd, _ = quantal_distribution(values[values > 0.8], "mV", 0.8)
    return {"truncated likelihood, mean": mean, "truncated likelihood, SD": sd}


def _channels(rng: np.random.Generator) -> dict[str, Measured]:
    """Some 300 channels of 4.8 pA that close with 3 ms, 40 events, noise of 20 pA."""
    time = 0.08 * np.arange(180)
    number = rng.normal(300, 80, 40).clip(50).astype(int)
    rows = np.stack([(rng.exponential(3.0, n)[:, None] > time).sum(axis=0) for n in number])
    whole = np.hstack([np.zeros((40, 40)), 4.8 * rows]) + 20.0 * rng.normal(size=(40, 220))
    found = decay_noise(-1e-3 * whole, quiet=40, number=RESAMPLES)
    unit = found.unitary
    scaled = Measured(unit.name, "pA", 1e3 * unit.value, 1e3 * unit.low, 1e3 * unit.high, unit.how)
    return {"noise of decays, unitary current": scaled, "noise of decays, channels": found.channels}


def _of_kernel(source: Quanta, rng: np.random.Generator) -> dict[str, Measured]:
    chosen = rng.permutation(len(source.current))[:60]
    found = decay_noise(source.current[chosen], number=RESAMPLES)
    return {KERNEL: found.unitary}


def _intervals(rng: np.random.Generator) -> dict[str, Measured]:
    return {"rate of events, dead time known": against_poisson(5.0 + rng.exponential(200.0, 80), 5.0).rate}
