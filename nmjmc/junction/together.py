"""Where the esterase is weak: the quanta of one patch of the endplate simulated together by the kernel.

An endplate is taken to be patches of the synapse's own size, between which the cleft ends, so that only quanta of
one patch can meet. For several numbers of quanta, patches are simulated with their quanta at random sites and at
times as scattered as the terminal's. A patch with another number takes the nearest, in proportion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Float, Int

from nmjmc.errors import ValidationError
from nmjmc.junction.bank import INTERVAL, Bank, open_conductance
from nmjmc.junction.pools import rows, run_train
from nmjmc.junction.terminal import Terminal
from nmjmc.synapse.cleft import half_width
from nmjmc.synapse.model import Synapse, checked

ZONE_DENSITY = 0.8
"""Zones of `Terminal` per um^2 of endplate [D]: each stands for three of the 2.3 to 2.7 active zones [M]."""
NUMBERS = (1, 2, 4, 8)
"""Quanta of a patch that are simulated; about 5 of 31 fall to each of six patches."""
INSIDE = 0.9
"""Sites lie within this share of the patch's radius; a choice."""


@dataclass(frozen=True)
class PatchBank(Bank):
    """Patches with several quanta each; `conductance` has one patch a row.

    Attributes:
        numbers: quanta of each row [b], rising.
        patches: patches of an endplate.
    """

    numbers: Int[np.ndarray, " b"]
    patches: int

    @property
    def peak(self) -> float:
        """Mean of the single quanta's peaks [uS]."""
        return float(self.conductance[self.numbers == 1].max(axis=1).mean())

    @property
    def relative_error(self) -> float:
        """Standard error of the mean conductance a quantum over it, from the peaks of all rows."""
        each = self.conductance.max(axis=1) / self.numbers
        spread = [each[self.numbers == n].std(ddof=1) for n in np.unique(self.numbers)]
        return float(np.mean(spread) / each.mean() / np.sqrt(each.size))

    def __str__(self) -> str:
        kinds = ", ".join(str(n) for n in np.unique(self.numbers))
        return (
            f"{self.quanta} patches of {self.synapse.name} with {kinds} quanta each, {self.patches} an endplate, "
            f"mean peak of one {1e3 * self.peak:.3g} nS +- {100 * self.relative_error:.2g} %"
        )


def patches_of(terminal: Terminal, synapse: Synapse) -> int:
    """How many patches of the synapse's size hold a terminal's active zones."""
    area = np.pi * float(half_width(synapse.cleft)) ** 2
    return max(1, round(terminal.zones / (ZONE_DENSITY * area)))


def simulate_patches(
    terminal: Terminal,
    synapse: Synapse,
    each: int = 4,
    seed: int = 0,
    *,
    duration: float = 60.0,
    numbers: Sequence[int] = NUMBERS,
    devices: Sequence | None = None,
) -> PatchBank:
    """Simulate patches with several quanta.

    Args:
        terminal: Whose times of release scatter the quanta.
        synapse: One vesicle's patch.
        each: Patches for each number of quanta, at least 2.
        seed: Seed.
        duration: Length [ms].
        numbers: Numbers of quanta, rising from 1.
        devices: As for the kernel.

    Raises:
        ValidationError: For fewer than two patches each, or a synapse with several vesicles.
    """
    if each < 2:
        raise ValidationError("each", each, "at least 2, for an error")
    if np.shape(synapse.vesicle.sites)[0] != 1:
        actual = f"{np.shape(synapse.vesicle.sites)[0]} vesicles"
        raise ValidationError("vesicle.sites", actual, "one site; more are placed here")
    generator = np.random.default_rng(seed)
    scatter = _scatter(terminal, seed)
    actual = []
    for n in numbers:
        placed = _with_quanta(synapse, n, scatter, generator)
        actual.append(open_conductance(placed, each, seed + n, duration, devices))
    conductance = np.concatenate(actual).astype(np.float32)
    conductance[:, -1] = 0.0
    return PatchBank(
        conductance, INTERVAL, synapse, seed, np.repeat(numbers, each), patches_of(terminal, synapse)
    )


def _scatter(terminal: Terminal, seed: int) -> Float[np.ndarray, " n"]:
    """Times of release of many quanta about their mean [ms]."""
    time = run_train(rows(terminal, 32), [0.0], seed).time
    time = time[np.isfinite(time)]
    return time - time.mean() if time.size else np.zeros(1)


def _with_quanta(synapse: Synapse, count: int, scatter: np.ndarray, generator: Any) -> Synapse:
    """The synapse with several quanta at random sites and times, the first at time 0."""
    radius = INSIDE * float(half_width(synapse.cleft)) * np.sqrt(generator.uniform(size=count))
    angle = generator.uniform(0.0, 2.0 * np.pi, count)
    sites = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    times = np.sort(generator.choice(scatter, count))
    new = eqx.tree_at(
        lambda s: (s.vesicle.sites, s.vesicle.times), synapse, (sites, np.asarray(times - times[0]))
    )
    return checked(new)


def in_patches(bank: PatchBank, release: Float[np.ndarray, "v k n"]) -> tuple[np.ndarray, ...]:
    """What `superpose` adds: for each patch of an endplate the row of nearest number, from its first release on."""
    parts = np.array_split(np.arange(release.shape[-1]), bank.patches)
    count = np.stack([np.isfinite(release[..., part]).sum(axis=-1) for part in parts], axis=-1)
    time = np.stack([release[..., part].min(axis=-1) for part in parts], axis=-1).astype(np.float32)
    kinds = np.unique(bank.numbers)
    nearest = kinds[np.abs(kinds - count[..., None]).argmin(axis=-1)]
    first = np.searchsorted(bank.numbers, nearest).astype(np.int32)
    size = (np.searchsorted(bank.numbers, nearest, "right") - first).astype(np.int32)
    place = np.zeros(count.shape, np.int32) + np.arange(bank.patches, dtype=np.int32)
    return time, first, size, place, (count / nearest).astype(np.float32)
