"""The whole junction: terminal, synapse and muscle as one, and its answer to a train of stimuli."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float

from nmjmc import above
from nmjmc.carried import Number
from nmjmc.junction.bank import Bank, drive_of, overlapping, simulate_bank
from nmjmc.junction.contraction import Contraction
from nmjmc.junction.drive import Drive
from nmjmc.junction.muscle import Muscle
from nmjmc.junction.pools import Release, rows, run_train
from nmjmc.junction.response import Response, muscle_response
from nmjmc.junction.safety import Safety, safety
from nmjmc.junction.spread import Spread
from nmjmc.junction.stimulus import stimulus_times
from nmjmc.junction.superpose import superpose
from nmjmc.junction.terminal import Terminal
from nmjmc.junction.together import NUMBERS, PatchBank, simulate_patches
from nmjmc.synapse.build import TEMPERATURE
from nmjmc.synapse.changes import apply_all
from nmjmc.synapse.cleft import half_width
from nmjmc.synapse.history import Solute
from nmjmc.synapse.model import Synapse
from nmjmc.synapse.parameter import as_leaf, convert
from nmjmc.synapse.presets import preparation


@dataclass(frozen=True, eq=False)
class Origin:
    """What a junction was before its diseases and drugs, and these in their order.

    It takes part in no comparison: junctions of the same parameters are equal whatever they come from.

    Attributes:
        healthy: Without them; None for a junction that has none.
        treatments: Diseases and drugs with their amounts.
    """

    healthy: Junction | None = None
    treatments: tuple[Callable[[Junction], Junction], ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Origin)

    def __hash__(self) -> int:
        return 0


class Junction(eqx.Module):
    """Everything between the nerve's action potential and the force.

    Attributes:
        terminal: The nerve terminal.
        synapse: The quantum's patch.
        muscle: The muscle fibre.
        contraction: Excitation-contraction coupling.
        spread: How much the fibres of a muscle differ.
        steady: Conductance of the endplate that a bath keeps open [uS]; without it, the resting potential [mV] and the
            input resistance [MOhm].
        origin: Where it comes from; parameters that are changed later are not told there.
    """

    terminal: Terminal
    synapse: Synapse
    muscle: Muscle
    contraction: Contraction
    spread: Spread = Spread()
    steady: tuple[float, float, float] | None = eqx.field(static=True, default=None)
    origin: Origin = eqx.field(static=True, default=Origin(), repr=False)

    @property
    def applied(self) -> tuple[str, ...]:
        """Names of the diseases and drugs that have been applied."""
        return self.synapse.history.applied

    @property
    def inhibition(self) -> tuple[float, float]:
        """Sum of c / K of reversible inhibitors of the esterase, and k c t of an irreversible one."""
        return self.synapse.history.inhibition

    @property
    def solutes(self) -> tuple[Solute, ...]:
        """Drugs that block the receptor's sites, and those that bind them."""
        return self.synapse.history.solutes

    def with_(self, *changes: Callable[[Junction], Junction]) -> Junction:
        """The same junction after one or several changes, the first first; `junction | change` is the same of one.

        Args:
            *changes: Diseases (`nmjmc.disease`), drugs (`nmjmc.drug`), or any function from junction to junction.

        Example:
            >>> import nmjmc
            >>> patient = nmjmc.junction("human").with_(nmjmc.disease("lambert_eaton", 1.0))
            >>> float(patient.terminal.channel_fraction)
            0.5
        """
        return apply_all(self, changes)

    def __or__(self, change: Callable[[Junction], Junction]) -> Junction:
        return self.with_(change) if callable(change) else NotImplemented

    def save(self, path: str | Path, differences_from: str | None = None) -> Path:
        """Write it as YAML, from which `nmjmc.junction(path)` makes the same bits; every command takes the file.

        Args:
            path: The file; it appears whole or not at all.
            differences_from: The name of a preparation of which only the differences are written; without it
                everything is.

        Raises:
            ValidationError: If there is no such preparation, or nothing can be written there.
        """
        return above.ask("save", self, path, differences_from)

    def __repr__(self) -> str:
        return above.ask("text", self)

    def _repr_html_(self) -> str:
        return above.ask("html", self)


BODY = 37.0
"""Of a limb muscle some 35 to 37 [degC]."""
REST_OF_SPIKE = 12.0
"""For how long the fibre is integrated after its endplate current [ms]; a choice, as are the bounds."""
SHORTEST, LONGEST = 15.0, 60.0


def human(temperature: Number = BODY) -> Junction:
    """The human junction: the preparation `human` between the default terminal and the default fibre.

    Args:
        temperature: Of terminal, synapse, fibre and contraction [degC], or text with a unit.
    """
    junction = Junction(Terminal(), preparation("human"), Muscle(), Contraction())
    return at_temperature(junction, temperature)


def at_temperature(junction: Junction, temperature: Number) -> Junction:
    """The same junction at another temperature [degC], by the Q10s of its parts.

    Raises:
        ValidationError: For a temperature out of range.
    """

    def parts(j: Junction) -> list[Any]:
        return [part.temperature for part in (j.terminal, j.synapse, j.muscle, j.contraction)]

    moved = eqx.tree_at(parts, junction, [as_leaf(convert(temperature, TEMPERATURE, "temperature"))] * 4)
    for part in (moved.terminal, moved.synapse, moved.muscle, moved.contraction):
        part.__check_init__()
    return moved


@dataclass(frozen=True)
class Evoked:
    """The answer of fibres [v] to stimuli [k].

    Attributes:
        times: The stimuli [k] [ms].
        release: What the terminals released.
        conductance: After each stimulus [v k t] [uS].
        interval: Of its samples [ms].
        response: Potentials and spikes of the fibres.
        method: `superposed`; `simulated together by patch`, where the esterase is weak; or `superposed, though
            quanta may overlap`, where it is and a bank of single quanta was given.
    """

    times: np.ndarray
    release: Release
    conductance: Float[np.ndarray, "v k t"]
    interval: float
    response: Response
    method: str


def quantum_duration(synapse: Synapse) -> float:
    """How long a quantum of this synapse is worth following [ms]: six bursts, 5 ms at least.

    Where the esterase is weak, six times what transmitter takes moreover to leave by the rim, R^2 / (5.783 D'), with
    its diffusion slowed by receptors, D' = D / (1 + 2 sigma / (h K_d)) (physics of a disc, calculated).
    """
    drive = drive_of(synapse, np.zeros(1), 1.0)
    duration = 6.0 / float(drive.closing) + (6.0 * _escape_time(synapse) if overlapping(synapse) else 0.0)
    return float(min(200.0, max(5.0, duration)))


def _escape_time(synapse: Synapse) -> float:
    """Slowest time constant of escape from a disc without esterase [ms]."""
    warm = synapse.effective()
    rates = warm.receptor.rates
    sites = 2.0 * float(warm.receptor.density) / float(warm.cleft.height)
    affinity = float(rates.get("binding_rate", 0.0)) / float(rates.get("unbinding_rate", 1.0))
    bound = sites * affinity
    return float(half_width(warm.cleft)) ** 2 * (1.0 + bound) / (5.783 * float(warm.cleft.diffusion))


def bank_for(junction: Junction, quanta: int = 48, seed: int = 0) -> Bank:
    """Quanta of a junction's synapse, followed for as long as they last.

    Where the esterase is weak, patches with several quanta each, and about as many quanta in all.

    Args:
        junction: The junction.
        quanta: About how many quanta.
        seed: Seed.
    """
    duration = quantum_duration(junction.synapse)
    if not overlapping(junction.synapse):
        return simulate_bank(junction.synapse, quanta, seed, duration=duration)
    each = max(2, round(quanta / sum(NUMBERS)))
    return simulate_patches(junction.terminal, junction.synapse, each, seed, duration=duration)


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
    before: Any = None,
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
        before: Stimuli ahead of these [ms], as of an exercise: the terminals release, the fibres are not followed.

    Raises:
        ValidationError: If the times cannot be those of a train.
    """
    times = stimulus_times(times)
    bank = bank or bank_for(junction, seed=seed)
    terminals = rows(junction.terminal, fibres) if terminals is None else terminals
    muscles = rows(junction.muscle, fibres) if muscles is None else muscles
    release = _released(terminals, times, before, seed, first)
    lasting = bank.conductance.shape[1] * bank.interval
    integrated = float(np.clip(lasting + REST_OF_SPIKE, SHORTEST, LONGEST))
    # past its last sample, the conductance is zero and taken as held
    until = min(integrated, lasting + last_release(release.time))
    samples = int(np.ceil(until / bank.interval)) + 1
    conductance = superpose(bank, release.time, times, samples, seed + 1, scale)
    drives = _many(junction, conductance, bank.interval)
    response = muscle_response(muscles, drives, times, integrated)
    return Evoked(times, release, conductance, bank.interval, response, method_of(junction, bank))


def last_release(release: np.ndarray) -> float:
    """When the last quantum is released at the latest, to half a ms [ms]."""
    released = release[np.isfinite(release)]
    return float(np.ceil(2.0 * released.max() + 0.1) / 2.0) if released.size else 1.0


def method_of(junction: Junction, bank: Bank) -> str:
    """How the quanta of a bank become a current of this junction, in words."""
    if isinstance(bank, PatchBank):
        return "simulated together by patch"
    return "superposed, though quanta may overlap" if overlapping(junction.synapse) else "superposed"


def _released(terminals: Any, times: np.ndarray, before: Any, seed: int, first: int) -> Release:
    """Release at the stimuli, after those that came before."""
    ahead = np.zeros(0) if before is None or not len(before) else stimulus_times(before)
    train = run_train(terminals, np.concatenate([ahead, times]), seed, first=first)
    return Release(*(x[:, ahead.size :] for x in train))


def margins(junction: Junction, evoked: Evoked, muscles: Any = None) -> Safety:
    """Safety factor of each fibre at the first stimulus."""
    first = evoked.conductance[:, 0]
    muscles = rows(junction.muscle, first.shape[0]) if muscles is None else muscles
    return safety(muscles, _many(junction, first, evoked.interval))


def miniature(junction: Junction, bank: Bank) -> Float[np.ndarray, " q"]:
    """Amplitude of the miniature potential that each quantum of a bank makes in the junction's fibre [mV]."""
    muscles = rows(junction.muscle, bank.quanta)
    drives = _many(junction, bank.conductance[:, None], bank.interval)
    course = np.asarray(muscle_response(muscles, drives, np.zeros(1)).course.endplate)
    return course.max(axis=(1, 2)) - float(junction.muscle.resting_potential)


def _many(junction: Junction, conductance: np.ndarray, interval: float) -> Drive:
    one = drive_of(junction.synapse, conductance, interval)
    count = conductance.shape[0]
    spread = jax.tree.map(lambda x: np.full(count, x, np.float32), one._replace(conductance=np.float32(0)))
    return spread._replace(conductance=one.conductance)
