"""Entries: everything of a patch that has a next event, in rows of 32 bytes.

Layout of slot i, as words of 32 bits:

    8 i, + 1   due    time of the next event [ms], float64, so that times of a long run are as fine as of a short one
    8 i + 2    x      where a molecule's journey ends [um], float32
    8 i + 3    y
    8 i + 4    aim    what happens then: for a molecule one of the codes below, after steps with
                    the tile that it tries, s 8 + RECEPTOR; for the clock of site s, s 8 + CLOCK
    8 i + 5    draw   how many pairs of random words the slot has drawn, never set back
    8 i + 6    next   the slot that follows in the list that this one is in (see `calendar`), or -1
    8 i + 7    z      where transport is by steps: height of a molecule [um], float32

An entry is a free molecule (its next arrival) or the clock of a site (its next transition). A molecule that binds hands
its slot to the site's clock. A clock that its site has left behind, because a ligand came first, stays until it falls
due; the site no longer names its slot, which shows that it is stale.

`expect` has a CPU fetch an entry that will soon be read.
"""

# Warp's types stand where Python's are declared.
# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportOperatorIssue=false, reportReturnType=false
# pyright: reportIndexIssue=false, reportCallIssue=false, reportAttributeAccessIssue=false
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

import warp as wp

from nmjmc.kernel.event.language import no_type_check

ROW = 8
"""Words of a slot."""

CLOCK, SPENT = 7, 6
"""Codes of `aim` beside those of a molecule (`survival.Start` and `journey.ESCAPE`): a site's clock, an empty slot."""


_FETCH = """
#if !defined(__CUDA_ARCH__)
    if (i >= 0) __builtin_prefetch(pool.data + 8 * i);
#endif
"""


@no_type_check
class _Fields:
    # Warp wants no other decorator on a native function, so that the mark stands on this class
    @wp.func_native("return ((double*)pool.data)[4 * i];")
    def due_of(pool: wp.array[wp.uint32], i: wp.int32) -> wp.float64: ...

    @wp.func_native("((double*)pool.data)[4 * i] = due;")
    def set_due(pool: wp.array[wp.uint32], i: wp.int32, due: wp.float64): ...

    @wp.func_native("return ((float*)pool.data)[8 * i + 2];")
    def x_of(pool: wp.array[wp.uint32], i: wp.int32) -> wp.float32: ...

    @wp.func_native("return ((float*)pool.data)[8 * i + 3];")
    def y_of(pool: wp.array[wp.uint32], i: wp.int32) -> wp.float32: ...

    @wp.func_native("((float*)pool.data)[8 * i + 2] = x; ((float*)pool.data)[8 * i + 3] = y;")
    def set_place(pool: wp.array[wp.uint32], i: wp.int32, x: wp.float32, y: wp.float32): ...

    @wp.func_native("return ((float*)pool.data)[8 * i + 7];")
    def height_of(pool: wp.array[wp.uint32], i: wp.int32) -> wp.float32: ...

    @wp.func_native("((float*)pool.data)[8 * i + 7] = z;")
    def set_height(pool: wp.array[wp.uint32], i: wp.int32, z: wp.float32): ...

    @wp.func_native("return pool.data[8 * i + 4];")
    def aim_of(pool: wp.array[wp.uint32], i: wp.int32) -> wp.uint32: ...

    @wp.func_native("pool.data[8 * i + 4] = aim;")
    def set_aim(pool: wp.array[wp.uint32], i: wp.int32, aim: wp.uint32): ...

    @wp.func_native("return pool.data[8 * i + 5];")
    def draw_of(pool: wp.array[wp.uint32], i: wp.int32) -> wp.uint32: ...

    @wp.func_native("pool.data[8 * i + 5] = draw;")
    def set_draw(pool: wp.array[wp.uint32], i: wp.int32, draw: wp.uint32): ...

    @wp.func_native(_FETCH)
    def expect(pool: wp.array[wp.uint32], i: wp.int32): ...

    @wp.func_native("return (int)pool.data[8 * i + 6];")
    def next_of(pool: wp.array[wp.uint32], i: wp.int32) -> wp.int32: ...

    @wp.func_native("pool.data[8 * i + 6] = (unsigned int)next;")
    def set_next(pool: wp.array[wp.uint32], i: wp.int32, next: wp.int32): ...


due_of = _Fields.due_of
set_due = _Fields.set_due
x_of = _Fields.x_of
y_of = _Fields.y_of
set_place = _Fields.set_place
height_of = _Fields.height_of
set_height = _Fields.set_height
aim_of = _Fields.aim_of
set_aim = _Fields.set_aim
draw_of = _Fields.draw_of
set_draw = _Fields.set_draw
expect = _Fields.expect
next_of = _Fields.next_of
set_next = _Fields.set_next
