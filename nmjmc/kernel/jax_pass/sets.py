"""Several parameter sets in one batch: each patch computes with the numbers of its own set.

The numbers of all sets stand side by side in the tables (`stack`); a pass picks for each entry those of its patch
(`own`). A batch of one set leaves all this out, and is the faster for it.
"""

# Host arrays are put where device arrays are declared; JAX moves them.
# pyright: reportArgumentType=false

from __future__ import annotations

from collections.abc import Sequence

import jax
import numpy as np
from jax import Array
from jaxtyping import Int

from nmjmc.kernel.jax_pass.stage import Stage
from nmjmc.kernel.physics.lattice import Lattice
from nmjmc.kernel.physics.release import PoreTable
from nmjmc.kernel.physics.survival import Start
from nmjmc.kernel.physics.tables import Chemistry, Journeys, Tables


def stack(tables: Sequence[Tables], which: Int[np.ndarray, " v"]) -> Tables:
    """The tables of several sets as one (host arrays), for patches that have the sets `which`.

    Their schemes must have the same structure, their templates one length, and their transport be exact.
    """
    first = tables[0]
    many = jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *tables)
    chemistry = Chemistry(
        many.chemistry.acceptance.ravel(),
        many.chemistry.exit_rate.ravel(),
        many.chemistry.cumulative.reshape(-1, many.chemistry.cumulative.shape[2]),
        first.chemistry.path,
        first.chemistry.target,
        first.chemistry.releases,
    )
    journeys = Journeys(
        many.journeys.time.ravel(),
        many.journeys.on_receptor.ravel(),
        many.journeys.scale.ravel(),
        many.journeys.slope,
        many.journeys.mixing_time,
    )
    lattice = Lattice(many.lattice.half, *(field.T.copy() for field in many.lattice[1:]))
    return Tables(
        many.diffusion, many.edge, lattice, chemistry, journeys, many.template, None, which.astype(np.int32)
    )


def stack_pores(pores: Sequence[PoreTable]) -> PoreTable:
    """The pore tables of several sets as one (host arrays)."""
    time, radius, scale = (
        np.stack([np.asarray(field) for field in fields]) for fields in zip(*pores, strict=True)
    )
    return PoreTable(time.ravel(), radius.ravel(), scale)


def own(tables: Tables, patch: Int[Array, " e"], stage: Stage) -> Tables:
    """The tables as each entry sees them: where several sets ride together, the numbers of its patch's own.

    Args:
        tables: those of the batch.
        patch: the patch of each entry.
        stage: see `nmjmc.kernel.jax_pass.stage`.
    """
    which = tables.sets
    if which is None:
        return tables
    numbers = (tables.diffusion, tables.edge, tables.lattice, tables.journeys[3:5])

    row = stage(lambda: which[patch])
    diffusion, edge, lattice, (slope, mixing_time) = jax.tree.map(lambda leaf: leaf[..., row], numbers)
    journeys = tables.journeys._replace(slope=slope, mixing_time=mixing_time, row=row * len(Start))
    chemistry = tables.chemistry._replace(row=row)
    return tables._replace(
        diffusion=diffusion, edge=edge, lattice=lattice, journeys=journeys, chemistry=chemistry
    )
