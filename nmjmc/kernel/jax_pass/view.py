"""Where the free molecules of a patch are at some moment, read from the arena between two chunks."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from nmjmc.kernel.host.job import Point
from nmjmc.kernel.jax_pass.arena import CLOCK, WORD, entries_of
from nmjmc.kernel.jax_pass.follow import State
from nmjmc.kernel.physics.survival import Start
from nmjmc.kernel.physics.view import between


def molecules(state: State, slots: int, point: Point, time: float, seed: int) -> Float[np.ndarray, "n 3"]:
    """Positions [um] of the first patch's free molecules, in the order of their slots.

    x and y from the centre of the patch along the membrane; z above the postsynaptic membrane (of folds: above
    their crests).

    Args:
        state: at a moment between two chunks; of exact journeys, one that is viewed.
        slots: molecules of the first patch.
        point: its parameters.
        time: the moment [ms].
        seed: of what is drawn; the same for the same moment of the same run.
    """
    at = np.arange(slots)
    due = np.asarray(state.due)[at % WORD, at // WORD]
    rows = np.asarray(state.rows)[:slots]
    entry = jax.tree.map(np.asarray, entries_of(jnp.asarray(due), jnp.asarray(rows)))
    tables = point.lowered.tables
    step = 0.0 if tables.stepping is None else float(tables.stepping.step)
    begun = entry.due - step if entry.origin is None else entry.origin[2]
    inside = (entry.kind == int(Start.RELEASED)) & (entry.due > time)
    chosen = np.flatnonzero((entry.kind != CLOCK) & np.isfinite(entry.due) & ~inside & (begun <= time))
    entry = jax.tree.map(lambda field: field[chosen], entry)
    if entry.origin is None:
        return np.stack([entry.x, entry.y, entry.z], axis=1).astype(np.float32)
    ends = np.stack([entry.x, entry.y], axis=1)
    origin = np.stack(entry.origin, axis=1)
    return between(origin, ends, entry.due, time, tables, point.lowered.shape.disc, point.height, seed)
