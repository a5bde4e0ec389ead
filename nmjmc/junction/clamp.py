"""The endplate under voltage clamp: evoked and miniature currents of the junction, split by ion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from nmjmc.junction.bank import Bank
from nmjmc.junction.pools import Release, run_train
from nmjmc.junction.stimulus import stimulus_times
from nmjmc.junction.superpose import superpose
from nmjmc.junction.together import PatchBank
from nmjmc.junction.whole import Junction, last_release, method_of
from nmjmc.synapse.ions import Currents, driving_forces


@dataclass(frozen=True)
class Clamped:
    """Endplate currents of fibres [v] at stimuli [k] at the holding potential.

    Attributes:
        times: The stimuli [k] [ms].
        time: From each stimulus [t] [ms].
        conductance: Open after each stimulus [v k t] [uS].
        release: What the terminals released.
        method: How the quanta became a current.
    """

    times: np.ndarray
    time: Float[np.ndarray, " t"]
    conductance: Float[np.ndarray, "v k t"]
    release: Release
    method: str


def clamped(
    junction: Junction, times: Any, terminals: Any, bank: Bank, seed: int = 0, scale: Any = 1.0
) -> Clamped:
    """The evoked current, without a fibre that could move its potential.

    The quanta are those that the kernel simulated at `synapse.fibre.holding_potential`, where channels close at their
    own rate.

    Args:
        junction: The junction.
        times: The stimuli [k] [ms].
        terminals: One a row.
        bank: Its quanta.
        seed: Seed of all randomness.
        scale: Factor on the quantal conductance of each fibre [v].
    """
    times = stimulus_times(times)
    release = run_train(terminals, times, seed)
    lasting = bank.conductance.shape[1] * bank.interval
    samples = int(np.ceil((lasting + last_release(release.time)) / bank.interval)) + 1
    conductance = superpose(bank, release.time, times, samples, seed + 1, scale)
    time = np.arange(samples) * bank.interval
    return Clamped(times, time, conductance, release, method_of(junction, bank))


def single_quanta(bank: Bank) -> Float[np.ndarray, "q t"]:
    """Conductance of the quanta of a bank that stand alone [uS]."""
    return bank.conductance[bank.numbers == 1] if isinstance(bank, PatchBank) else bank.conductance


def driving_of(junction: Junction) -> Currents:
    """Driving force of each ion at the holding potential [mV].

    Raises:
        ValidationError: If no mixture of the three ions reverses where the receptor does.
    """
    s = junction.synapse
    return driving_forces(s.ions, s.receptor.reversal_potential, s.fibre.holding_potential, s.temperature)
