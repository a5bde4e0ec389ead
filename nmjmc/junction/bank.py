"""Endplate conductance from quanta: a bank of single quanta that the kernel simulated for exactly this synapse.

Where the esterase keeps quanta apart, the current of many is the sum of each one's, at its own time (Hartzell,
Kuffler & Yoshikami 1975 [V-abs]). Where it is weak, quanta share their patch and are simulated together. The
result says which was done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from nmjmc.carried import Number
from nmjmc.errors import ValidationError
from nmjmc.junction.drive import Drive
from nmjmc.kernel import simulate as kernel
from nmjmc.kinetics.burst import burst
from nmjmc.synapse.model import Synapse
from nmjmc.units import to_internal

INTERVAL = 0.02
"""Between records of a quantum [ms]; it rises in some 0.1 ms."""
WEAK_ESTERASE = 0.3
"""Active esterase, over 1,800 sites per um^2, below which quanta are taken to overlap; a choice."""
PRIMARY_DENSITY = 1800.0


@dataclass(frozen=True)
class Bank:
    """Single quanta.

    Attributes:
        conductance: open conductance of each quantum [b t] [uS]; the last sample is zero.
        interval: between samples [ms].
        synapse: what was simulated.
        seed: seed of the kernel.
    """

    conductance: Float[np.ndarray, "b t"]
    interval: float
    synapse: Synapse
    seed: int

    @property
    def quanta(self) -> int:
        """Quanta of the bank."""
        return self.conductance.shape[0]

    @property
    def peak(self) -> float:
        """Mean of the quanta's peaks [uS]."""
        return float(self.conductance.max(axis=1).mean())

    @property
    def relative_error(self) -> float:
        """Standard error of the mean peak over the mean peak: what drawing from so few quanta may be off."""
        peaks = self.conductance.max(axis=1)
        if peaks.mean() <= 0 or self.quanta < 2:
            return float("inf")
        return float(peaks.std(ddof=1) / peaks.mean() / np.sqrt(self.quanta))

    def __str__(self) -> str:
        return (
            f"{self.quanta} quanta of {self.synapse.name}, mean peak {1e3 * self.peak:.3g} nS "
            f"+- {100 * self.relative_error:.2g} %"
        )


def simulate_bank(
    synapse: Synapse,
    quanta: int = 48,
    seed: int = 0,
    *,
    duration: Number = 15.0,
    devices: Sequence | None = None,
) -> Bank:
    """Simulate single quanta with the kernel.

    Args:
        synapse: One vesicle; its receptors may stand in a bath.
        quanta: How many.
        seed: Seed.
        duration: Length of each, ms or text with a unit; what is open then is cut off, and a tenth of the peak is
            refused.
        devices: As for the kernel.

    Raises:
        ValidationError: If there are several vesicles, or the channels are still open at the end.
    """
    if np.shape(synapse.vesicle.sites)[0] != 1:
        actual = f"{np.shape(synapse.vesicle.sites)[0]} vesicles"
        raise ValidationError("vesicle.sites", actual, "one site for a bank of single quanta")
    duration = to_internal(duration, "ms", "duration")
    conductance = open_conductance(synapse, quanta, seed, duration, devices)
    mean = conductance.mean(axis=0)
    if mean[-1] > 0.1 * mean.max() > 0:
        allowed = "long enough for the channels to close"
        raise ValidationError("duration", f"{duration:g} ms", allowed, f"try {4 * duration:g} ms")
    conductance[:, -1] = 0.0
    return Bank(conductance.astype(np.float32), INTERVAL, synapse, seed)


def open_conductance(
    synapse: Synapse, patches: int, seed: int, duration: float, devices: Sequence | None
) -> Float[np.ndarray, "b t"]:
    """Open conductance of each patch above what a bath keeps open [uS]."""
    record = kernel.run(
        synapse, vesicles=patches, seed=seed, duration=duration, record_interval=INTERVAL, devices=devices
    )
    scheme = synapse.receptor.scheme
    relative = dict(zip(scheme.states, scheme.conductance, strict=True))
    total = sum(g * np.asarray(record.counts[state], np.float64) for state, g in relative.items() if g)
    conductance = float(synapse.effective().receptor.channel_conductance) * np.asarray(total)
    return conductance - tonic_conductance(synapse)


def tonic_conductance(synapse: Synapse, area: float | None = None) -> float:
    """Conductance that a bath keeps open, of the patch or of an area of membrane [um^2] [uS]."""
    from nmjmc.kinetics.chain import equilibrium, generator

    warm = synapse.effective()
    scheme = warm.receptor.scheme
    if not scheme.bath_ligands:
        return 0.0
    q = generator(scheme, warm.receptor.rates, {k: float(v) for k, v in warm.receptor.bath.items()})
    open_share = float(equilibrium(q) @ np.asarray(scheme.conductance))
    if area is None:
        area = np.pi * float(getattr(warm.cleft, "exit_radius", 0.0)) ** 2
    return open_share * float(warm.receptor.density) * area * float(warm.receptor.channel_conductance)


def drive_of(synapse: Synapse, conductance: Any, interval: float) -> Drive:
    """The drive of one or many fibres with this synapse's channels.

    Args:
        synapse: Whose reversal potential, closing rate and holding potential count.
        conductance: [... t] [uS].
        interval: Of its grid [ms].
    """
    warm = synapse.effective()
    receptor = warm.receptor
    try:
        closing = 1.0 / burst(receptor.scheme, receptor.rates, _bath(warm)).length
    except ValidationError:  # a bath that opens channels leaves bursts without an end: those of ACh alone
        closing = 1.0 / burst(receptor.scheme, receptor.rates, dict.fromkeys(receptor.bath, 0.0)).length
    # bursts are as long as the channel's open time times a number of openings that has no voltage in it
    values = (
        interval, receptor.reversal_potential, closing, receptor.closing_voltage_sensitivity,
        warm.fibre.holding_potential,
    )  # fmt: skip
    return Drive(np.asarray(conductance, np.float32), *(np.float32(float(v)) for v in values))


def _bath(synapse: Synapse) -> dict[str, float] | None:
    bath = {name: float(value) for name, value in synapse.receptor.bath.items()}
    return bath or None


def overlapping(synapse: Synapse) -> bool:
    """Whether the esterase is so weak that quanta must be simulated together."""
    active = float(synapse.esterase.density) * float(synapse.esterase.active_fraction)
    return active < WEAK_ESTERASE * PRIMARY_DENSITY
