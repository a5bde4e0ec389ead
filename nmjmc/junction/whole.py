"""The whole junction: terminal, synapse and muscle as one, and its answer to a train of stimuli."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float

from nmjmc.junction.bank import Bank, drive_of, overlapping, simulate_bank, superpose
from nmjmc.junction.contraction import Contraction
from nmjmc.junction.drive import Drive
from nmjmc.junction.muscle import Muscle
from nmjmc.junction.pools import Release, rows, run_train
from nmjmc.junction.response import INTEGRATED, Response, muscle_response
from nmjmc.junction.safety import Safety, safety
from nmjmc.junction.stimulus import stimulus_times
from nmjmc.junction.terminal import Terminal
from nmjmc.synapse.model import Synapse
from nmjmc.synapse.presets import preparation


class Junction(eqx.Module):
    """Everything between the nerve's action potential and the force.

    Attributes:
        terminal: The nerve terminal.
        synapse: The quantum's patch.
        muscle: The muscle fibre.
        contraction: Excitation-contraction coupling.
        applied: Names of the diseases and drugs that have been applied.
    """

    terminal: Terminal
    synapse: Synapse
    muscle: Muscle
    contraction: Contraction
    applied: tuple[str, ...] = eqx.field(static=True, default=())


def human() -> Junction:
    """The human junction: the preparation `human` between the default terminal and the default fibre."""
    return Junction(Terminal(), preparation("human"), Muscle(), Contraction())


@dataclass(frozen=True)
class Evoked:
    """The answer of fibres [v] to stimuli [k].

    Attributes:
        times: The stimuli [k] [ms].
        release: What the terminals released.
        conductance: After each stimulus [v k t] [uS].
        interval: Of its samples [ms].
        response: Potentials and spikes of the fibres.
        method: `superposed` or `superposed, though quanta may overlap`.
    """

    times: np.ndarray
    release: Release
    conductance: Float[np.ndarray, "v k t"]
    interval: float
    response: Response
    method: str


def quantum_duration(synapse: Synapse) -> float:
    """How long a quantum of this synapse is worth following [ms]: six bursts, 12 ms at least."""
    drive = drive_of(synapse, np.zeros(1), 1.0)
    return float(min(200.0, max(12.0, 6.0 / float(drive.closing))))


def bank_for(junction: Junction, quanta: int = 48, seed: int = 0) -> Bank:
    """Single quanta of a junction's synapse, followed for as long as they last."""
    return simulate_bank(junction.synapse, quanta, seed, duration=quantum_duration(junction.synapse))


def evoke(
    junction: Junction,
    times: Any,
    fibres: int = 1,
    seed: int = 0,
    *,
    bank: Bank | None = None,
    terminals: Any = None,
    muscles: Any = None,
    scale: Any = 1.0,
    first: int = 0,
) -> Evoked:
    """The whole chain but the force, for several fibres side by side.

    Args:
        junction: The junction.
        times: The stimuli [k] [ms].
        fibres: How many fibres.
        seed: Seed of all randomness.
        bank: Its quanta, if they have been simulated before.
        terminals: One terminal a row, where they differ.
        muscles: One fibre a row, where they differ.
        scale: Factor on the quantal conductance of each fibre [v].
        first: Number of the first fibre.

    Raises:
        ValidationError: If the times cannot be those of a train.
    """
    times = stimulus_times(times)
    bank = bank or bank_for(junction, seed=seed)
    terminals = rows(junction.terminal, fibres) if terminals is None else terminals
    muscles = rows(junction.muscle, fibres) if muscles is None else muscles
    release = run_train(terminals, times, seed, first=first)
    samples = int(np.ceil(INTEGRATED / bank.interval)) + 1
    conductance = superpose(bank, release.time, times, samples, seed + 1, scale)
    response = muscle_response(muscles, _many(junction, conductance, bank.interval), times)
    weak = overlapping(junction.synapse)
    method = "superposed, though quanta may overlap" if weak else "superposed"
    return Evoked(times, release, conductance, bank.interval, response, method)


def margins(junction: Junction, evoked: Evoked, muscles: Any = None) -> Safety:
    """Safety factor of each fibre at the first stimulus."""
    first = evoked.conductance[:, 0]
    muscles = rows(junction.muscle, first.shape[0]) if muscles is None else muscles
    return safety(muscles, _many(junction, first, evoked.interval))


def _many(junction: Junction, conductance: np.ndarray, interval: float) -> Drive:
    one = drive_of(junction.synapse, conductance, interval)
    count = conductance.shape[0]
    spread = jax.tree.map(lambda x: np.full(count, x, np.float32), one._replace(conductance=np.float32(0)))
    return spread._replace(conductance=one.conductance)
