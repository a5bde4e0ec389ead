"""Where the free molecules of a patch are at some moment, for viewing.

An exact journey knows its ends only. Between them its motion along the cleft is a Brownian bridge, which is drawn
here; its height was integrated out, so that it is drawn evenly from the cleft. A stepped molecule stands where its
last step has left it. Views draw their own random numbers, and so change no result.
"""

from __future__ import annotations

import jax
import numpy as np
from jaxtyping import Float

from nmjmc.kernel.events import Shape
from nmjmc.kernel.pool import FIRST, Pool, unpack
from nmjmc.kernel.tables import Tables

_LARGEST_SEED = 2**64


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


def between(
    origin: Float[np.ndarray, "n 3"],
    end: Float[np.ndarray, "n 2"],
    due: Float[np.ndarray, " n"],
    time: float,
    tables: Tables,
    disc: bool,
    height: float,
    seed: int,
) -> Float[np.ndarray, "n 3"]:
    """Positions [um] of molecules that are on exact journeys.

    Args:
        origin: where (x, y [um]) and when [ms] each journey began.
        end, due: where and when it ends.
        time: the moment [ms].
        tables: the run's numbers.
        disc: whether the rim is a circle.
        height: of the cleft [um].
        seed: of what is drawn.
    """
    draw = np.random.Generator(np.random.Philox(key=seed % _LARGEST_SEED))
    span = np.maximum(due - origin[:, 2], 1e-9)
    part = np.clip((time - origin[:, 2]) / span, 0.0, 1.0)
    spread = np.sqrt(2 * float(tables.diffusion) * span * part * (1 - part))
    x, y = (
        origin[:, k] + part * (end[:, k] - origin[:, k]) + spread * draw.standard_normal(span.size)
        for k in (0, 1)
    )
    x, y = _inside(x, y, float(tables.edge), disc)
    return np.stack([x, y, height * draw.random(x.size)], axis=1).astype(np.float32)


def _inside(x: np.ndarray, y: np.ndarray, edge: float, disc: bool) -> tuple[np.ndarray, np.ndarray]:
    """The points, those past the rim put onto it: a bridge knows no rim."""
    if not disc:
        return np.clip(x, -edge, edge), np.clip(y, -edge, edge)
    back = np.minimum(1.0, edge / np.maximum(np.hypot(x, y), 1e-9))
    return x * back, y * back
