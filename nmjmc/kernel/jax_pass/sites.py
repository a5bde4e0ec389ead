"""How sites stand at first: on which tiles, in which states, and when each would change by itself (on the host).

    lattice   every tile that has a site holds it
    chance    each tile holds its site with the chance 1 / dilution
    drawn     a given number of esterases, on the tiles of their plane whose random words are least
    bath      states are drawn from the equilibrium with the ligands of the bath, clocks from their exit rates

The words of a site are a function of (seed, patch, site) alone.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from nmjmc.kernel.jax_pass.arena import NEVER
from nmjmc.kernel.physics import random
from nmjmc.kernel.physics.lower import Lowered

_STATE = 0xFF


def standing(
    lowered: Lowered, keys: tuple[np.ndarray, np.ndarray], dilution: tuple[float, float], drawn: int
) -> Int[np.ndarray, "v s"]:
    """The state of each site of each patch.

    Args:
        lowered: the synapse as arrays.
        keys: of the patches, for places.
        dilution: tiles for each receptor and for each esterase.
        drawn: esterases that are drawn from their tiles; -1 where each tile has its chance.
    """
    state = (np.asarray(lowered.tables.template) & _STATE).astype(np.int32)
    found = np.tile(state, (len(keys[0]), 1))
    if dilution == (1.0, 1.0):
        return found
    number = np.arange(len(state), dtype=np.uint32)
    second = number >= lowered.tables.lattice.offset[1]
    vacant = lowered.tables.chemistry.states - 1
    chance = 1.0 / np.asarray(dilution, np.float32)
    for at, row in enumerate(found):
        word, _ = _words(keys, at, number)
        stands = _uniform(word) < np.where(second, chance[1], chance[0])
        if drawn >= 0:  # equal words keep their tiles' order
            lot = np.where(second & (state < vacant), word >> 1, np.uint32(0xFFFFFFFF))
            rank = np.argsort(np.argsort(lot, kind="stable"), kind="stable")
            stands = np.where(second, rank < drawn, stands)
        row[~stands] = vacant
    return found


def has_bath(lowered: Lowered) -> bool:
    """Whether sites change before the first release, because a bath keeps them busy."""
    rates = np.asarray(lowered.tables.chemistry.exit_rate)[:-1]
    return bool(((lowered.resting > 0) & (rates > 0)).any() or (lowered.resting.max(axis=1) < 1).any())


def resting(
    lowered: Lowered, state: Int[np.ndarray, "v s"], keys: tuple[np.ndarray, np.ndarray]
) -> tuple[Int[np.ndarray, "v s"], Float[np.ndarray, "v s"]]:
    """Sites at equilibrium with the bath: their states, and when each would change by itself [ms]."""
    vacant = lowered.tables.chemistry.states - 1
    rate = np.asarray(lowered.tables.chemistry.exit_rate, np.float32)
    cumulative = np.cumsum(lowered.resting.astype(np.float32), axis=1)
    number = np.arange(state.shape[1], dtype=np.uint32)
    plane = (number >= lowered.tables.lattice.offset[1]).astype(int)
    found, due = state.copy(), np.full(state.shape, NEVER, np.float32)
    for at, (row, times) in enumerate(zip(found, due, strict=True)):
        first, second = _words(keys, at, number)
        kind = (_uniform(first)[:, None] >= cumulative[plane, :-1]).sum(axis=1)
        row[:] = np.where(row < vacant, kind, row)
        busy = rate[row] > 0
        times[busy] = -np.log(_uniform(second[busy])) / rate[row][busy]
    return found, due


def reserved(lowered: Lowered) -> int:
    """Slots that each patch needs for clocks that no molecule has brought: none, or one for each site.

    None if no bath keeps sites busy, and a site that lets a molecule go and can change further always holds another.
    """
    chemistry, held = lowered.tables.chemistry, _held(lowered)
    rate, target = np.asarray(chemistry.exit_rate), np.asarray(chemistry.target)
    frees = np.flatnonzero(np.asarray(chemistry.releases))
    bare = any(rate[target[k]] > 0 and held.get(int(target[k]), 0) < 1 for k in frees)
    return len(lowered.tables.template) if bare or has_bath(lowered) else 0


def _held(lowered: Lowered) -> dict[int, int]:
    """Fewest molecules of ACh that have come to a site, and were not let go again, when it is in a state."""
    free = lowered.names.index("free_ach")
    change = lowered.stoichiometry[:-1]
    source, target = change[:, :free].argmin(axis=1), change[:, :free].argmax(axis=1)
    held = {int(state): 0 for state in np.flatnonzero(lowered.resting.max(axis=0) > 0)}
    queue = list(held)
    while queue:
        state = queue.pop()
        for k in np.flatnonzero((source == state) & (source != target)):
            after, now = int(target[k]), max(0, held[state] - int(change[k, free]))
            if after not in held or now < held[after]:
                held[after] = now
                queue.append(after)
    return held


def _words(
    keys: tuple[np.ndarray, np.ndarray], patch: int, site: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The random words of the sites of a patch."""
    key = (keys[0][patch : patch + 1], keys[1][patch : patch + 1])
    return random.host_words(key, (site, np.zeros_like(site)))


def _uniform(word: np.ndarray) -> Float[np.ndarray, " n"]:
    """As `random.uniform`."""
    return ((word >> np.uint32(9)).astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-23)
