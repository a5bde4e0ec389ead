"""The event kernel as a function of JAX arrays, to be called within `jax.jit`, by XLA's foreign function interface.

Runs do not come in by this door: Warp 1.19 holds one lock of the process while a call of its interface works, so that
batches on several threads would wait for each other (docs/numerics.md). It is for those who have the state of a batch
in a program of their own: the arrays go in and come out, whatever is a constant of the batch stays with its `State`.
"""

# Warp's types stand where Python's are declared.
# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportIndexIssue=false

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import warp as wp

from nmjmc.kernel.event.follow import follow
from nmjmc.kernel.event.language import no_type_check
from nmjmc.kernel.event.start import block_of
from nmjmc.kernel.event.state import State


class Arrays(NamedTuple):
    """What changes while patches are followed; the arrays of `State` by the same names."""

    rows: jax.Array
    pools: jax.Array
    sites: jax.Array
    tally: jax.Array
    instants: jax.Array
    sums: jax.Array
    reports: jax.Array


def arrays_of(state: State) -> Arrays:
    """Copies of the arrays of a batch."""
    return Arrays(*(jax.numpy.array(wp.to_jax(getattr(state, name))) for name in Arrays._fields))


def door(state: State, interval: float) -> Callable[[int, Arrays], Arrays]:
    """A function that follows the patches of a batch to the end of a record interval (exact journeys only).

    Args:
        state: the batch; its tables and numbers are constants of the function.
        interval: time between records [ms].

    Returns:
        A pure function of the number of the interval, which is static, and the arrays. A patch whose pool is full has
        stopped and says so in `reports`, as in `State.follow`.
    """

    @no_type_check
    def call(
        end: wp.int32,
        rows: wp.array2d[wp.int32],
        pools: wp.array2d[wp.uint32],
        sites: wp.array2d[wp.uint32],
        tally: wp.array2d[wp.int32],
        instants: wp.array2d[wp.int32],
        sums: wp.array2d[wp.int32],
        reports: wp.array2d[wp.int32],
    ) -> None:
        inputs = [0, end, interval, state.patches, *state.tables, state.origins, state.kin]
        inputs += [rows, pools, sites, tally, instants, sums, reports]
        wp.launch(
            follow, dim=state.count, inputs=inputs, device=rows.device, block_dim=block_of(str(rows.device))
        )

    # Warp reads the annotations of the function itself
    call.__annotations__ = {
        "end": wp.int32, "rows": wp.array2d[wp.int32], "pools": wp.array2d[wp.uint32],
        "sites": wp.array2d[wp.uint32], "tally": wp.array2d[wp.int32], "instants": wp.array2d[wp.int32],
        "sums": wp.array2d[wp.int32], "reports": wp.array2d[wp.int32],
    }  # fmt: skip
    names = list(Arrays._fields)
    foreign = wp.jax_callable(call, num_outputs=len(names), in_out_argnames=names)
    return lambda end, arrays: Arrays(*foreign(end, *arrays))
