"""What a run keeps for the score function: sufficient statistics from which scores by any rate follow afterwards.

The likelihood of all that happened in a patch hangs on its rates through counts alone: how often each transition
happened, how long sites dwelt in each state, how often an attempt to bind was turned down in each state, and the
summed scores of the journeys (`likelihood`). All are kept at every record, so that a loss on the current at a time
needs only the score up to that time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from nmjmc.errors import SimulationError, Status
from nmjmc.kernel.physics.likelihood import MOST, UNIT, Majorant
from nmjmc.kernel.physics.lower import Lowered

if TYPE_CHECKING:
    from nmjmc.kernel.jax_pass import follow


class Sums(NamedTuple):
    """Instants and journeys of a batch in each interval, as `follow.Sums` has them for a chunk (host arrays).

    Attributes:
        instants: [interval, patch, column].
        journeys: [interval, patch, plane].
    """

    instants: Int[np.ndarray, "t v k"]
    journeys: Int[np.ndarray, "t v 2"]

    @classmethod
    def begin(cls, tally: Int[np.ndarray, "t v k"]) -> Sums:
        """Those of a batch before its first chunk."""
        return cls(np.zeros_like(tally), np.zeros((*tally.shape[:2], 2), np.int32))

    def add(self, where: slice, rows: slice, found: follow.Sums) -> None:
        """Add `rows` of what a chunk found to the intervals `where`."""
        patches = self.instants.shape[1]
        shape = (found.instants.shape[0], -1, self.instants.shape[2])
        self.instants[where] += np.asarray(found.instants).reshape(shape)[rows, :patches]
        self.journeys[where] += np.asarray(found.journeys)[rows, :patches]


@dataclass(frozen=True)
class Statistics:
    """What scores are made of, from the start of each patch to each record.

    Attributes:
        transitions: how often each transition had happened; receptor transitions first, then those of the esterase.
        dwell: time that sites had spent in each state, summed over the sites [ms].
        rejected: how often an attempt had been turned down by a site in each state.
        journeys: summed derivatives of the log density of journeys by the log of the receptors' and of the
            esterase's fastest binding rate.
        start: sites in each state at the beginning.
        majorants: what those fastest rates are.
        placement: derivatives of the log probability of where sites stand by the log density of receptors and of
            esterases; zero where they stand on a lattice.
    """

    transitions: Int[np.ndarray, "v t k"]
    dwell: Float[np.ndarray, "v t s"]
    rejected: Int[np.ndarray, "v t s"]
    journeys: Float[np.ndarray, "v t 2"]
    start: Int[np.ndarray, "v s"]
    majorants: tuple[Majorant, ...]
    placement: Float[np.ndarray, "v 2"]


def statistics(
    lowered: Lowered,
    dilution: tuple[float, float],
    interval: float,
    tally: Int[np.ndarray, "v t k"],
    start: Int[np.ndarray, "v q"],
    parts: list[Sums],
) -> Statistics:
    """The statistics of some patches.

    Args:
        lowered: the synapse as arrays.
        dilution: tiles for each receptor and for each esterase.
        interval: between records [ms].
        tally: how often each transition, an escape, and a rejection in each state had happened by each record.
        start: first counts of each patch.
        parts: what the batches kept, in the order of their patches.

    Raises:
        SimulationError: If an interval holds so many events that a sum may have overflowed.
    """
    transitions = lowered.shape.transitions
    states = lowered.stoichiometry.shape[1] - 3
    each = np.diff(tally, axis=1, prepend=0)
    if each.max(initial=0) > MOST:
        raise SimulationError(
            Status.SCORE_OVERFLOW, f"{int(each.max())} events of a kind in one record interval"
        )
    instants = np.concatenate([part.instants for part in parts], axis=1).transpose(1, 0, 2) * UNIT
    change = lowered.stoichiometry[:transitions, :states]
    began = start[:, None, :states] + np.pad(tally, ((0, 0), (1, 0), (0, 0)))[:, :-1, :transitions] @ change
    # a site that changes at the fraction f of an interval spends 1 - f of it in its new state
    dwell = began + (each - instants)[..., :transitions] @ change
    dwell[:, 0] = 0.0
    journeys = np.concatenate([part.journeys for part in parts], axis=1).transpose(1, 0, 2)
    return Statistics(
        tally[..., :transitions],
        interval * np.cumsum(dwell, axis=1),
        tally[..., transitions + 1 : transitions + 1 + states],
        UNIT * np.cumsum(journeys, axis=1, dtype=np.int64).astype(np.float64),
        start[:, :states],
        lowered.majorants,
        _placement(lowered, dilution, start),
    )


def _placement(
    lowered: Lowered, dilution: tuple[float, float], start: Int[np.ndarray, "v q"]
) -> Float[np.ndarray, "v 2"]:
    """Scores of the densities: of N tiles, each live with the chance p, L are; (L - N p) / (1 - p) by log p."""
    found = np.zeros((len(start), 2))
    first = int(np.flatnonzero(lowered.resting[1])[0])  # no site of the esterase begins in another state
    planes = (slice(0, first), slice(first, first + 1))
    for plane, (states, tiles) in enumerate(zip(planes, dilution, strict=True)):
        if tiles != 1.0:
            live, all_of_them = start[:, states].sum(axis=1), lowered.start[states].sum()
            found[:, plane] = (live - all_of_them / tiles) / (1.0 - 1.0 / tiles)
    return found
