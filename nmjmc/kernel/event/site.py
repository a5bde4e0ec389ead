"""Sites on the device: which tile a molecule meets, and what a scheme does next.

The word of a site holds its state in the low byte and above it the slot of its clock plus one, or zero where it has
none: so a clock that falls due knows whether its site still waits for it. Tables of the scheme, for set b with s
states, `vacant` included:

    accept[b s + k]      binding rate of state k over the fastest of its plane (thinning, see `survival`)
    leave[b s + k]       total rate of its spontaneous transitions [1/ms]
    share[2 b s + k, j]  cumulative probabilities of its spontaneous transitions; from row s on of its bindings
    path[k, j]           their numbers, in the same rows
    target, releases     the state after a transition, and whether it frees an ACh
"""

# Warp's types stand where Python's are declared.
# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportOperatorIssue=false, reportReturnType=false
# pyright: reportIndexIssue=false, reportCallIssue=false, reportAttributeAccessIssue=false
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

import warp as wp

from nmjmc.kernel.event.language import no_type_check
from nmjmc.kernel.event.numbers import Patch


@wp.func
@no_type_check
def tile_under(c: Patch, on_receptor: wp.bool, x: wp.float32, y: wp.float32):
    """Number of the tile of a plane at (x, y), or -1 where there is none (the apron)."""
    if wp.abs(x) > c.half or wp.abs(y) > c.half:
        return wp.int32(-1)
    across = wp.where(on_receptor, c.across0, c.across1)
    inverse = wp.float32(1.0) / wp.where(on_receptor, c.pitch0, c.pitch1)
    column = wp.clamp(wp.int32((x + c.half) * inverse), 0, across - 1)
    line = wp.clamp(wp.int32((y + c.half) * inverse), 0, across - 1)
    return wp.where(on_receptor, 0, c.offset) + line * across + column


@wp.func
@no_type_check
def point_on_tile(c: Patch, tile: wp.int32, u: wp.float32, v: wp.float32):
    """A point of a tile by its uniform coordinates."""
    first = tile < c.offset
    across = wp.where(first, c.across0, c.across1)
    pitch = wp.where(first, c.pitch0, c.pitch1)
    local = tile - wp.where(first, 0, c.offset)
    line = local / across
    column = local - line * across
    return (wp.float32(column) + u) * pitch - c.half, (wp.float32(line) + v) * pitch - c.half


@wp.func
@no_type_check
def chosen(
    share: wp.array2d[wp.float32], path: wp.array2d[wp.int32], base: wp.int32, line: wp.int32, u: wp.float32
):
    """The transition that a uniform number chooses among those of a line of the tables."""
    j = wp.int32(0)
    last = path.shape[1] - 1
    while j < last and u >= share[base + line, j]:
        j += 1
    return path[line, j]
