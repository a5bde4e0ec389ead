"""The event kernel: a thread follows one patch from event to event until a record, in their exact order.

An event is one of four: a molecule attempts to bind (and binds, or sets out again), a journey that was cut short ends
(and the next begins), a molecule leaves at the rim, a site's clock fires. Each is done at its own time, with all
earlier ones done, so that there is no time step. All state is in the arrays of `state`; a run may stop after any
record and go on from there to the same bits.
"""

# Warp's types stand where Python's are declared.
# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportOperatorIssue=false, reportReturnType=false
# pyright: reportIndexIssue=false, reportCallIssue=false, reportAttributeAccessIssue=false
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

import warp as wp

from nmjmc.kernel.event.calendar import (
    EMPTY,
    FIRST_BUCKET,
    FREE,
    HANDLED,
    NOW,
    RECORD,
    STATUS,
    USED,
    find_next,
    push,
    schedule,
    take_slot,
)
from nmjmc.kernel.event.draws import exponential, threefry, uniform
from nmjmc.kernel.event.journey import ESCAPE, ESTERASE, NOT_FINITE, RECEPTOR, set_out
from nmjmc.kernel.event.kin import Kin, note_binding, note_exit, note_transition
from nmjmc.kernel.event.language import no_type_check
from nmjmc.kernel.event.numbers import Patch
from nmjmc.kernel.event.pool import (
    CLOCK,
    SPENT,
    aim_of,
    draw_of,
    due_of,
    next_of,
    set_aim,
    set_draw,
    set_due,
    x_of,
    y_of,
)
from nmjmc.kernel.event.site import chosen, point_on_tile, tile_under

POOL_FULL, NOT_CONSERVED = wp.constant(1), wp.constant(8)
"""Bits of `errors.Status`."""
wp.set_module_options({"enable_backward": False, "fast_math": False})


@wp.func
@no_type_check
def spend(row: wp.array[wp.int32], pool: wp.array[wp.uint32], slot: wp.int32):
    """Give a slot back."""
    set_aim(pool, slot, wp.uint32(SPENT))
    push(row, pool, EMPTY, slot)


@wp.func
@no_type_check
def set_clock(
    c: Patch, row: wp.array[wp.int32], pool: wp.array[wp.uint32], sites: wp.array[wp.uint32], site: wp.int32,
    state: wp.int32, rate: wp.float32, slot: wp.int32, now: wp.float64, word: wp.uint32,
):  # fmt: skip
    """Put a site into a state that it leaves at a rate, its clock in a slot; a clock that never fires needs none."""
    if rate > wp.float32(0.0):
        sites[site] = wp.uint32(state) | (wp.uint32(slot + 1) << wp.uint32(8))
        due = now + wp.float64(exponential(word) / rate)
        set_due(pool, slot, due)
        set_aim(pool, slot, wp.uint32(site * 8 + CLOCK))
        if due <= c.until:
            schedule(row, pool, slot, due, c.per_page)
            return
    sites[site] = wp.uint32(state)
    spend(row, pool, slot)


@wp.func
@no_type_check
def count(
    c: Patch, tally: wp.array[wp.int32], instants: wp.array[wp.int32], record: wp.int32, column: wp.int32,
    part: wp.float32,
):  # fmt: skip
    """Count what happened in a record interval, and for scores at which part of it."""
    at = record * c.columns + column
    tally[at] = tally[at] + 1
    if c.scored != 0:
        instants[at] = instants[at] + wp.int32(wp.rint(wp.clamp(part, 0.0, 1.0) * wp.float32(4096.0)))


@wp.kernel(enable_backward=False)
@no_type_check
def follow(
    first: wp.int32,
    end: wp.int32,
    interval: wp.float64,
    patches: wp.array[Patch],
    waits: wp.array[wp.float32],
    scale: wp.array[wp.float32],
    accept: wp.array[wp.float32],
    leave: wp.array[wp.float32],
    share: wp.array2d[wp.float32],
    path: wp.array2d[wp.int32],
    target: wp.array[wp.int32],
    releases: wp.array[wp.int32],
    change: wp.array[wp.int32],
    attempt: wp.array2d[wp.float32],
    survival: wp.array2d[wp.float32],
    decay: wp.array2d[wp.float32],
    origins: wp.array[wp.float32],
    kin: Kin,
    rows: wp.array2d[wp.int32],
    pools: wp.array2d[wp.uint32],
    every_site: wp.array2d[wp.uint32],
    tallies: wp.array2d[wp.int32],
    every_instant: wp.array2d[wp.int32],
    every_sum: wp.array2d[wp.int32],
    reports: wp.array2d[wp.int32],
):
    """Follow patches `first`, `first` + 1, ... to the end of record interval `end`, while their pools have room."""
    p = first + wp.tid()
    c = patches[p]
    row = rows[p]
    pool = pools[p]
    sites = every_site[p]
    tally = tallies[p]
    instants = every_instant[p]
    sums = every_sum[p]
    capacity = pool.shape[0] / 8
    most = row.shape[0] - FIRST_BUCKET
    last = wp.int32(wp.float64(end) * interval * c.per_page)
    record = row[RECORD]
    until = wp.float64(record) * interval
    stop = wp.float64(end) * interval
    handled = wp.int32(0)
    free = row[FREE]
    states = c.states
    going = wp.int32(1)
    while going == 1:
        if row[NOW] < 0:
            find_next(row, pool, last, most, c.per_page)
        slot = row[NOW]
        now = wp.float64(0.0)
        if slot < 0:
            going = 0
        else:
            now = due_of(pool, slot)
            if now > stop:
                going = 0
            elif row[USED] >= capacity and row[EMPTY] < 0:
                # no slot for a clock that might split off: the host gives room, and the patch goes on from here
                row[STATUS] = row[STATUS] | POOL_FULL
                going = 0
        if going == 1:
            row[NOW] = next_of(pool, slot)
            handled += 1
            while now > until:
                record += 1
                until = wp.float64(record) * interval
            part = wp.float32(0.0)
            if c.scored != 0:
                part = wp.float32(wp.float64(1.0) - (until - now) / interval)
            aim = wp.int32(aim_of(pool, slot) & wp.uint32(7))
            draw = draw_of(pool, slot)
            x = x_of(pool, slot)
            y = y_of(pool, slot)
            goes = wp.int32(1)
            w0 = wp.uint32(0)
            w1 = wp.uint32(0)
            chance = wp.float32(0.0)
            if aim == ESCAPE:
                count(c, tally, instants, record, c.transitions, part)
                free += change[c.transitions]
                note_exit(c, kin, pool, slot)
                spend(row, pool, slot)
                goes = 0
            else:
                w0, w1 = threefry(c.key0, c.key1, wp.uint32(slot), draw)
                draw = draw + wp.uint32(1)
                chance = uniform(w0)
            if aim == CLOCK:
                goes = 0
                site = wp.int32(aim_of(pool, slot) >> wp.uint32(3))
                word = sites[site]
                if wp.int32(word >> wp.uint32(8)) != slot + 1:
                    set_draw(pool, slot, draw)
                    spend(row, pool, slot)
                else:
                    state = wp.int32(word & wp.uint32(255))
                    k = chosen(share, path, 2 * c.chem * states, state, chance)
                    count(c, tally, instants, record, k, part)
                    free += change[k]
                    note_transition(c, kin, site, slot, k, releases[k])
                    after = target[k]
                    rate = leave[c.chem * states + after]
                    if releases[k] == 0:
                        set_draw(pool, slot, draw)
                        set_clock(c, row, pool, sites, site, after, rate, slot, now, w1)
                    else:
                        sites[site] = wp.uint32(after)
                        if rate > wp.float32(0.0):
                            other = take_slot(row, pool)
                            drawn = draw_of(pool, other)
                            _o0, o1 = threefry(c.key0, c.key1, wp.uint32(other), drawn)
                            set_draw(pool, other, drawn + wp.uint32(1))
                            set_clock(c, row, pool, sites, site, after, rate, other, now, o1)
                        goes = 1
                        aim = wp.where(site < c.offset, RECEPTOR, ESTERASE)
                        v0, v1 = threefry(c.key0, c.key1, wp.uint32(slot), draw)
                        draw = draw + wp.uint32(1)
                        x, y = point_on_tile(c, site, uniform(v0), uniform(v1))
                        # the choice has used the first word, so that the journey takes another pair
                        w0, w1 = threefry(c.key0, c.key1, wp.uint32(slot), draw)
                        draw = draw + wp.uint32(1)
                        chance = uniform(w0)
            elif aim == RECEPTOR or aim == ESTERASE:
                site = tile_under(c, aim == RECEPTOR, x, y)
                if site >= 0:
                    state = wp.int32(sites[site] & wp.uint32(255))
                    likely = accept[c.chem * states + state]
                    if chance < likely:
                        goes = 0
                        # an accepted chance is uniform on (0, likely), so that it chooses the path as well
                        k = chosen(share, path, 2 * c.chem * states, states + state, chance / likely)
                        count(c, tally, instants, record, k, part)
                        free += change[k]
                        note_binding(c, kin, site, slot, k)
                        after = target[k]
                        set_draw(pool, slot, draw)
                        set_clock(
                            c, row, pool, sites, site, after, leave[c.chem * states + after], slot, now, w1
                        )
                    else:
                        if c.scored != 0:
                            count(c, tally, instants, record, c.transitions + 1 + state, part)
                        if likely > wp.float32(0.0):
                            # what is left of a refused chance is uniform again
                            chance = (chance - likely) / (wp.float32(1.0) - likely)
            if goes == 1:
                set_out(
                    c, row, pool, waits, scale, sums, attempt, survival, decay, origins, record, slot, draw,
                    now, x, y, aim, chance, w0, w1,
                )  # fmt: skip
    row[FREE] = free
    if (row[STATUS] & POOL_FULL) == 0:
        record = wp.max(record, end)
        check(row, pool)
    row[RECORD] = record
    row[HANDLED] = row[HANDLED] + handled
    reports[p, 0] = row[STATUS]
    reports[p, 1] = row[USED]
    reports[p, 2] = row[HANDLED]


@wp.func
@no_type_check
def check(row: wp.array[wp.int32], pool: wp.array[wp.uint32]):
    """Count the free molecules of the pool against what has happened, and look for times that are none."""
    found = wp.int32(0)
    for i in range(row[USED]):
        aim = aim_of(pool, i) & wp.uint32(7)
        if aim < wp.uint32(SPENT):
            found += 1
        if aim != wp.uint32(SPENT):
            if wp.isnan(due_of(pool, i)):
                row[STATUS] = row[STATUS] | NOT_FINITE
    if found != row[FREE]:
        row[STATUS] = row[STATUS] | NOT_CONSERVED
