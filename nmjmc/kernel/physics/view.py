"""Where the free molecules of a patch are at some moment, for viewing.

An exact journey knows its ends only. Between them its motion along the cleft is a Brownian bridge, which is drawn
here; its height was integrated out, so that it is drawn evenly from the cleft. A stepped molecule stands where its
last step has left it. Views draw their own random numbers, and so change no result.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from nmjmc.kernel.physics.tables import Tables

_LARGEST_SEED = 2**64


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
