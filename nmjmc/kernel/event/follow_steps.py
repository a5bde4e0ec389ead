"""The event kernel over folds, and wherever transport is by steps: as `follow`, with walks in place of journeys.

A molecule has walked to its next attempt when it is entered, so that an event is an attempt, an escape or a clock, and
all are done in their exact order. A site that is due to free a molecule does so with the chance that it gets away
within the step (`nmjmc.kernel.physics.capture`), and is else given a new clock.
"""

# Warp's types stand where Python's are declared.
# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportOperatorIssue=false, reportReturnType=false
# pyright: reportIndexIssue=false, reportCallIssue=false, reportAttributeAccessIssue=false
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

import warp as wp

from nmjmc.kernel.event.calendar import FREE, RECORD, STATUS, USED
from nmjmc.kernel.event.draws import threefry, uniform
from nmjmc.kernel.event.ground import Ground
from nmjmc.kernel.event.journey import ESCAPE, MIXED
from nmjmc.kernel.event.kin import Kin, note_binding, note_exit, note_transition
from nmjmc.kernel.event.language import no_type_check
from nmjmc.kernel.event.numbers import Patch
from nmjmc.kernel.event.pool import (
    CLOCK,
    SPENT,
    aim_of,
    draw_of,
    height_of,
    set_draw,
    set_height,
    set_place,
    x_of,
    y_of,
)
from nmjmc.kernel.event.prepare import lay_out_patch, lay_out_sites, leave_vesicle, record_after
from nmjmc.kernel.event.site import chosen
from nmjmc.kernel.event.steps import put_off, walk
from nmjmc.kernel.event.turn import NOT_FINITE, enter, is_stale, next_event, set_clock, spend, split_off, stop

wp.set_module_options({"enable_backward": False, "fast_math": False})

AWAY = wp.constant(wp.float64(2.0 / 3.0))
"""Part of a step that a release stands for (`physics.stepping.AWAY`)."""


@wp.func
@no_type_check
def walk_on(
    c: Patch, g: Ground, row: wp.array[wp.int32], pool: wp.array[wp.uint32], sites: wp.array[wp.uint32],
    origins: wp.array[wp.float32], begun: wp.array[wp.float64], drawn: wp.array[wp.uint32], slot: wp.int32,
    draw: wp.uint32, now: wp.float64, x: wp.float32, y: wp.float32, z: wp.float32,
):  # fmt: skip
    """Have a molecule walk to its next event, and enter it in the calendar; a walk that is viewed notes its start."""
    if c.viewed != 0:
        origins[3 * slot] = x
        origins[3 * slot + 1] = y
        origins[3 * slot + 2] = z
        begun[slot] = now
        drawn[slot] = draw
    x1, y1, z1, next_draw, aim, due, _x, _y, _z = walk(c, g, sites, slot, draw, now, x, y, z, -1)
    # whatever is compared with a number that is none looks like the other case
    if wp.isnan(x1 + y1 + z1):
        row[STATUS] = row[STATUS] | NOT_FINITE
    set_place(pool, slot, x1, y1)
    set_height(pool, slot, z1)
    set_draw(pool, slot, next_draw)
    enter(c, row, pool, slot, aim, due)


@wp.kernel(enable_backward=False)
@no_type_check
def follow_steps(
    first: wp.int32,
    end: wp.int32,
    interval: wp.float64,
    patches: wp.array[Patch],
    grounds: wp.array[Ground],
    accept: wp.array[wp.float32],
    leaving: wp.array[wp.float32],
    leave: wp.array[wp.float32],
    share: wp.array2d[wp.float32],
    path: wp.array2d[wp.int32],
    target: wp.array[wp.int32],
    releases: wp.array[wp.int32],
    change: wp.array[wp.int32],
    origins: wp.array[wp.float32],
    begun: wp.array[wp.float64],
    drawn: wp.array[wp.uint32],
    kin: Kin,
    rows: wp.array2d[wp.int32],
    pools: wp.array2d[wp.uint32],
    every_site: wp.array2d[wp.uint32],
    tallies: wp.array2d[wp.int32],
    reports: wp.array2d[wp.int32],
):
    """Follow patches `first`, `first` + 1, ... to the end of record interval `end`, while their pools have room."""
    p = first + wp.tid()
    c = patches[p]
    g = grounds[c.chem]
    row = rows[p]
    pool = pools[p]
    sites = every_site[p]
    tally = tallies[p]
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
            word = aim_of(pool, slot)
            aim = wp.int32(word & wp.uint32(7))
            site = wp.int32(word >> wp.uint32(3))
            draw = draw_of(pool, slot)
            x = x_of(pool, slot)
            y = y_of(pool, slot)
            z = height_of(pool, slot)
            begin = now
            goes = wp.int32(0)
            if aim == ESCAPE:
                at = record * c.columns + c.transitions
                tally[at] = tally[at] + 1
                free += change[c.transitions]
                note_exit(c, kin, pool, slot)
                spend(row, pool, slot)
            elif aim == MIXED:
                goes = 1
            else:
                w0, w1 = threefry(c.key0, c.key1, wp.uint32(slot), draw)
                draw = draw + wp.uint32(1)
                chance = uniform(w0)
                state = wp.int32(sites[site] & wp.uint32(255))
                # the chances of the surfaces in folds stand after those of the cleft
                table = c.chem * states
                if g.folded == 1:
                    table = 2 * table
                    if (site >= g.walls and site < g.cleft) or site >= g.laminae:
                        table = table + states
                # the transition, -1 for none; and whether the slot becomes the clock of the site
                k = wp.int32(-1)
                after = state
                clock = wp.int32(0)
                if aim == CLOCK:
                    if is_stale(sites, site, slot):
                        set_draw(pool, slot, draw)
                        spend(row, pool, slot)
                    else:
                        clock = 1
                        k = chosen(share, path, 2 * c.chem * states, state, chance)
                        if releases[k] != 0:
                            w2, _w3 = threefry(c.key0, c.key1, wp.uint32(slot), draw)
                            draw = draw + wp.uint32(1)
                            if uniform(w2) >= leaving[table + target[k]]:
                                k = wp.int32(-1)
                            else:
                                clock = 0
                                goes = 1
                else:
                    likely = accept[table + state]
                    if chance < likely:
                        clock = 1
                        # an accepted chance is uniform on (0, likely), so that it chooses the path as well
                        k = chosen(share, path, 2 * c.chem * states, states + state, chance / likely)
                    else:
                        goes = 1
                if k >= 0:
                    at = record * c.columns + k
                    tally[at] = tally[at] + 1
                    free += change[k]
                    if aim == CLOCK:
                        note_transition(c, kin, site, slot, k, releases[k])
                    else:
                        note_binding(c, kin, site, slot, k)
                    after = target[k]
                rate = leave[c.chem * states + after]
                if clock == 1:
                    set_draw(pool, slot, draw)
                    set_clock(c, row, pool, sites, site, after, rate, slot, now, w1)
                elif k >= 0:
                    split_off(c, row, pool, sites, site, after, rate, now)
                    x, y, z = put_off(c, g, site, slot, draw)
                    draw = draw + wp.uint32(3)
                    begin = now + g.step * AWAY
                    gap = c.edge - wp.max(wp.abs(x), wp.abs(y))
                    if c.disc == 1:
                        gap = c.edge - wp.sqrt(x * x + y * y)
                    if c.reflecting == 0 and gap <= wp.float32(0.0):
                        goes = 0
                        if c.viewed != 0:
                            begun[slot] = wp.float64(1.0e30)
                        set_draw(pool, slot, draw)
                        set_place(pool, slot, x, y)
                        enter(c, row, pool, slot, wp.uint32(ESCAPE), begin)
            if goes == 1:
                walk_on(c, g, row, pool, sites, origins, begun, drawn, slot, draw, begin, x, y, z)
    stop(row, pool, record, handled, free, end, reports[p])


@wp.kernel(enable_backward=False)
@no_type_check
def prepare_steps(
    first: wp.int32,
    interval: wp.float64,
    patches: wp.array[Patch],
    grounds: wp.array[Ground],
    leave: wp.array[wp.float32],
    origins: wp.array[wp.float32],
    begun: wp.array[wp.float64],
    drawn: wp.array[wp.uint32],
    rows: wp.array2d[wp.int32],
    pools: wp.array2d[wp.uint32],
    every_site: wp.array2d[wp.uint32],
    undisturbed: wp.array2d[wp.uint8],
    stands: wp.array2d[wp.float32],
    resting: wp.array2d[wp.float32],
    keys: wp.array2d[wp.uint32],
    contents: wp.array2d[wp.int32],
    places: wp.array2d[wp.float32],
    fused: wp.array[wp.float64],
    pore_time: wp.array[wp.float32],
    pore_radius: wp.array[wp.float32],
    pore_scale: wp.array[wp.float32],
    released: wp.array2d[wp.int32],
    reports: wp.array2d[wp.int32],
):
    """Prepare patches `first`, `first` + 1, ...; as `prepare.prepare`, with first walks in place of first journeys."""
    p = first + wp.tid()
    c = patches[p]
    g = grounds[c.chem]
    row = rows[p]
    pool = pools[p]
    sites = every_site[p]
    lay_out_patch(row, pool, contents, p)
    lay_out_sites(c, row, pool, sites, undisturbed, stands, resting, leave, keys, p)
    slot = wp.int32(0)
    for j in range(contents.shape[1]):
        for _n in range(contents[p, j]):
            after, dx, dy = leave_vesicle(c, keys, pore_time, pore_radius, pore_scale, p, slot)
            left = fused[j] + wp.float64(after)
            record = record_after(left, interval)
            if record < released.shape[1]:
                released[p, record] = released[p, record] + 1
                x = places[c.chem, 2 * j] + dx
                y = places[c.chem, 2 * j + 1] + dy
                walk_on(
                    c, g, row, pool, sites, origins, begun, drawn, slot, wp.uint32(0), left, x, y, g.released_at
                )  # fmt: skip
            slot += 1
    reports[p, 0] = row[STATUS]
    reports[p, 1] = row[USED]


@wp.kernel(enable_backward=False)
@no_type_check
def look(
    patch: wp.int32,
    time: wp.float64,
    patches: wp.array[Patch],
    grounds: wp.array[Ground],
    origins: wp.array[wp.float32],
    begun: wp.array[wp.float64],
    drawn: wp.array[wp.uint32],
    pools: wp.array2d[wp.uint32],
    every_site: wp.array2d[wp.uint32],
    found: wp.array2d[wp.float32],
):
    """Where each free molecule of a patch is at a time: its walk again; `found` last says whether it is one."""
    slot = wp.tid()
    c = patches[patch]
    g = grounds[c.chem]
    word = aim_of(pools[patch], slot)
    found[slot, 3] = wp.float32(0.0)
    out = begun[slot]
    if drawn[slot] != wp.uint32(0):
        # freed by a site, perhaps: within its release it stands where that has put it
        out = out - g.step * AWAY
    if word != wp.uint32(0) and (word & wp.uint32(7)) < wp.uint32(SPENT) and out <= time:
        steps = wp.int32(wp.max((time - begun[slot]) / g.step, wp.float64(0.0)))
        x = origins[3 * slot]
        y = origins[3 * slot + 1]
        z = origins[3 * slot + 2]
        _x, _y, _z, _draw, _aim, _due, x1, y1, z1 = walk(
            c, g, every_site[patch], slot, drawn[slot], begun[slot], x, y, z, steps
        )
        found[slot, 0] = x1
        found[slot, 1] = y1
        found[slot, 2] = z1
        found[slot, 3] = wp.float32(1.0)
