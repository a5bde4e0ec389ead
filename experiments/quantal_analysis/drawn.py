"""What is drawn, and what became of it: quanta of the kernel, and sets of estimates beside their truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import nmjmc
from nmjmc.analysis.bench.measured import Measured

SETS = 100
RESAMPLES = 200


@dataclass(frozen=True, eq=False)
class Quanta:
    """Quanta of the kernel.

    Attributes:
        time: [t] [ms].
        current: Upward [quantum, t] [nA].
        amplitude: At the peak of their mean [quantum] [nA].
        unitary: Current of one channel [nA].
    """

    time: np.ndarray
    current: np.ndarray
    amplitude: np.ndarray
    unitary: float

    @property
    def mean(self) -> float:
        """Mean amplitude [nA]."""
        return float(self.amplitude.mean())

    @property
    def cv(self) -> float:
        """CV of the amplitude of all there are."""
        return float(self.amplitude.std() / self.mean)

    def sums(self, rng: np.random.Generator, number: np.ndarray, noise: float = 0.0) -> np.ndarray:
        """Amplitudes of so many quanta each, drawn with replacement, with noise [trial] [nA]."""
        flat = rng.choice(self.amplitude, int(number.sum()))
        edges = np.append(0, np.cumsum(number))
        total = np.append(0.0, np.cumsum(flat))
        return total[edges[1:]] - total[edges[:-1]] + noise * rng.normal(size=number.size)

    def miniatures(self, rng: np.random.Generator, count: int, noise: float = 0.0) -> np.ndarray:
        """Single amplitudes [event] [nA]."""
        return self.sums(rng, np.ones(count, int), noise)


def quanta(vesicles: int) -> Quanta:
    """Simulate them."""
    synapse = nmjmc.preparation("human")
    result = nmjmc.simulate(
        synapse, vesicles=vesicles, seed=1956, duration=16.0, record_interval=0.04, progress=False
    )
    current = -result.current
    driving = float(synapse.fibre.holding_potential) - float(synapse.receptor.reversal_potential)
    at = int(current.mean(axis=0).argmax())
    return Quanta(result.time, current, current[:, at], abs(driving) * float(synapse.conductance()))


@dataclass(frozen=True, eq=False)
class Sets:
    """One number of one analysis over all sets.

    Attributes:
        name: What it is.
        truth: What it should be.
        value, low, high: [set].
        is_judged: Whether the analysis assumes what was drawn.
        note: What a reader must know.
    """

    name: str
    truth: float
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    is_judged: bool = True
    note: str = ""

    def held(self) -> int:
        """Sets whose interval holds the truth."""
        return int(((self.low <= self.truth) & (self.truth <= self.high)).sum())

    def bias(self) -> tuple[float, float]:
        """Bias of the median [%], and its standard error."""
        relative = self.value / self.truth
        low, high = np.quantile(relative, [0.1587, 0.8413], method="inverted_cdf")
        return 100 * (float(np.median(relative)) - 1), 100 * 1.2533 * 0.5 * float(high - low) / np.sqrt(
            relative.size
        )


def collected(
    draws: Callable[[np.random.Generator], dict[str, Measured]], truth: dict[str, float], count: int, seed: int,
    unjudged: dict[str, str] | None = None,
) -> list[Sets]:  # fmt: skip
    """Repeat an experiment and its analysis.

    Args:
        draws: From a generator to numbers by name.
        truth: Of each number.
        count: How many sets.
        seed: Of all of them.
        unjudged: Numbers whose assumption is not met, with what a reader must know.
    """
    found = [draws(np.random.default_rng([seed, i])) for i in range(count)]
    made = []
    for name, true in truth.items():
        value, low, high = (
            np.array([getattr(f[name], part) for f in found]) for part in ("value", "low", "high")
        )
        note = (unjudged or {}).get(name, "")
        made.append(Sets(name, true, value, low, high, not note, note))
    return made
