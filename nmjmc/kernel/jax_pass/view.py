"""Where the free molecules of a patch are at some moment, read from the pool between two chunks."""

from __future__ import annotations

import jax
import numpy as np
from jaxtyping import Float

from nmjmc.kernel.jax_pass.pool import Pool, unpack
from nmjmc.kernel.physics.tables import FIRST, Shape, Tables
from nmjmc.kernel.physics.view import between


def molecules(
    pool: Pool, tables: Tables, shape: Shape, time: float, height: float, seed: int
) -> Float[np.ndarray, "n 3"]:
    """Positions [um] of the first patch's free molecules, in the order of their lineages.

    x and y from the centre of the patch along the membrane; z above the postsynaptic membrane (of folds: above
    their crests).

    Args:
        pool: the entries at a moment between two chunks.
        tables: the run's numbers.
        shape: what is compiled in; exact journeys need `viewed`.
        time: the moment [ms].
        height: of the cleft [um].
        seed: of what is drawn; the same for the same moment of the same run.
    """
    entry = jax.tree.map(np.asarray, unpack(pool))
    free = (entry.owner // shape.sites == 0) & (entry.tag < FIRST) & np.isfinite(entry.due)
    step = 0.0 if tables.stepping is None else float(tables.stepping.step)
    begun = entry.due - step if entry.origin is None else entry.origin[2]
    chosen = np.flatnonzero(free & (begun <= time))
    entry = jax.tree.map(lambda field: field[chosen[np.argsort(entry.lineage[chosen], kind="stable")]], entry)
    if entry.origin is None:
        return np.stack([entry.x, entry.y, entry.z], axis=1).astype(np.float32)
    ends = np.stack([entry.x, entry.y], axis=1)
    return between(np.stack(entry.origin, axis=1), ends, entry.due, time, tables, shape.disc, height, seed)
