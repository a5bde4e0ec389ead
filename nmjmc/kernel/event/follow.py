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

from nmjmc.kernel.event.calendar import FREE, RECORD
from nmjmc.kernel.event.draws import threefry, uniform
from nmjmc.kernel.event.journey import ESCAPE, ESTERASE, RECEPTOR, set_out
from nmjmc.kernel.event.kin import Kin, note_binding, note_exit, note_transition
from nmjmc.kernel.event.language import no_type_check
from nmjmc.kernel.event.numbers import Patch
from nmjmc.kernel.event.pool import CLOCK, aim_of, draw_of, set_draw, x_of, y_of
from nmjmc.kernel.event.site import chosen, point_on_tile, tile_under
from nmjmc.kernel.event.turn import is_stale, next_event, set_clock, spend, split_off, stop

wp.set_module_options({"enable_backward": False, "fast_math": False})


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
    record = row[RECORD]
    until = wp.float64(record) * interval
    handled = wp.int32(0)
    free = row[FREE]
    states = c.states
    slot = wp.int32(0)
    now = wp.float64(0.0)
    while slot >= 0:
        slot, now = next_event(c, row, pool, end, interval)
        if slot >= 0:
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
                if is_stale(sites, site, slot):
                    set_draw(pool, slot, draw)
                    spend(row, pool, slot)
                else:
                    state = wp.int32(sites[site] & wp.uint32(255))
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
                        split_off(c, row, pool, sites, site, after, rate, now)
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
    stop(row, pool, record, handled, free, end, reports[p])
