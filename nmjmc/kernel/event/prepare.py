"""The state of a patch before its first event: sites at rest, molecules on their first journeys.

Molecule n of a patch has slot n. It leaves its vesicle at the time at which the cumulative hazard of the pore reaches
an exponential number, from anywhere on the pore's opening then (`nmjmc.kernel.physics.release`).
"""

# Warp's types stand where Python's are declared.
# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportOperatorIssue=false, reportReturnType=false
# pyright: reportIndexIssue=false, reportCallIssue=false, reportAttributeAccessIssue=false
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

import warp as wp

from nmjmc.kernel.event.calendar import (
    BOOK,
    COUNTS,
    FREE,
    HANDLED,
    RECORD,
    SHELF,
    STATUS,
    USED,
    take_slot,
)
from nmjmc.kernel.event.draws import exponential, sincos_turn, threefry, uniform
from nmjmc.kernel.event.follow import follow
from nmjmc.kernel.event.journey import set_out
from nmjmc.kernel.event.language import no_type_check
from nmjmc.kernel.event.numbers import Patch
from nmjmc.kernel.event.turn import POOL_FULL, set_clock


@wp.func
@no_type_check
def lay_out(row: wp.array[wp.int32]):
    """An empty calendar."""
    for i in range(row.shape[0]):
        row[i] = -1
    for i in range(256):
        row[COUNTS + i] = 0
    row[BOOK] = 0
    row[SHELF] = 0
    row[USED] = 0
    row[RECORD] = 0
    row[STATUS] = 0
    row[HANDLED] = 0


@wp.func
@no_type_check
def rest(
    c: Patch, row: wp.array[wp.int32], pool: wp.array[wp.uint32], sites: wp.array[wp.uint32], key0: wp.uint32,
    key1: wp.uint32, resting: wp.array2d[wp.float32], leave: wp.array[wp.float32], site: wp.int32,
):  # fmt: skip
    """Draw the state of a live site from the equilibrium with the bath, and set its clock."""
    w0, w1 = threefry(key0, key1, wp.uint32(site), wp.uint32(0))
    u = uniform(w0)
    line = 2 * c.chem + wp.where(site < c.offset, 0, 1)
    state = wp.int32(0)
    while state < c.states - 2 and u >= resting[line, state]:
        state += 1
    rate = leave[c.chem * c.states + state]
    sites[site] = wp.uint32(state)
    if rate > wp.float32(0.0):
        if wp.float64(exponential(w1) / rate) <= c.until:
            if row[USED] * 8 >= pool.shape[0]:
                row[STATUS] = POOL_FULL
            else:
                set_clock(c, row, pool, sites, site, state, rate, take_slot(row, pool), wp.float64(0.0), w1)


@wp.func
@no_type_check
def lay_out_sites(
    c: Patch, row: wp.array[wp.int32], pool: wp.array[wp.uint32], sites: wp.array[wp.uint32],
    undisturbed: wp.array2d[wp.uint8], stands: wp.array2d[wp.float32], resting: wp.array2d[wp.float32],
    leave: wp.array[wp.float32], keys: wp.array2d[wp.uint32], p: wp.int32,
):  # fmt: skip
    """Put the sites of a patch at rest: vacant, undisturbed, or in equilibrium with a bath."""
    vacant = c.states - 1
    wanted = wp.int32(stands[c.chem, 3])
    tiles = wp.int32(stands[c.chem, 4])
    for s in range(sites.shape[0]):
        state = vacant
        if s < undisturbed.shape[1]:
            state = wp.int32(undisturbed[c.chem, s])
        if state != vacant and tiles > 0 and s >= c.offset:
            # each tile in its turn, so that as many are taken as there are to be (Knuth's selection sampling)
            w0, _w1 = threefry(keys[p, 4], keys[p, 5], wp.uint32(s), wp.uint32(0))
            if wanted < tiles and uniform(w0) * wp.float32(tiles) >= wp.float32(wanted):
                state = vacant
            else:
                wanted -= 1
            tiles -= 1
        elif state != vacant:
            chance = stands[c.chem, wp.where(s < c.offset, 0, 1)]
            if chance < wp.float32(1.0):
                w0, _w1 = threefry(keys[p, 4], keys[p, 5], wp.uint32(s), wp.uint32(0))
                if uniform(w0) >= chance:
                    state = vacant
        sites[s] = wp.uint32(state)
        if state != vacant and stands[c.chem, 2] > wp.float32(0.0):
            rest(c, row, pool, sites, keys[p, 2], keys[p, 3], resting, leave, s)


@wp.func
@no_type_check
def lay_out_patch(
    row: wp.array[wp.int32], pool: wp.array[wp.uint32], contents: wp.array2d[wp.int32], p: wp.int32
):
    """An empty calendar, and slots for the molecules of all vesicles."""
    lay_out(row)
    for i in range(pool.shape[0]):
        pool[i] = wp.uint32(0)
    total = wp.int32(0)
    for j in range(contents.shape[1]):
        total += contents[p, j]
    row[USED] = total
    row[FREE] = total


@wp.func
@no_type_check
def leave_vesicle(
    c: Patch, keys: wp.array2d[wp.uint32], pore_time: wp.array[wp.float32], pore_radius: wp.array[wp.float32],
    pore_scale: wp.array[wp.float32], p: wp.int32, slot: wp.int32,
):  # fmt: skip
    """When a molecule leaves its vesicle after fusion [ms], and where from the middle of the pore [um]."""
    last = c.chem * 2048 + 2047
    if pore_time[last] == wp.float32(0.0) and pore_radius[last] == wp.float32(0.0):
        # all at once, from one point
        return wp.float32(0.0), wp.float32(0.0), wp.float32(0.0)
    w0, w1 = threefry(keys[p, 0], keys[p, 1], wp.uint32(slot), wp.uint32(0))
    w2, _w3 = threefry(keys[p, 0], keys[p, 1], wp.uint32(slot), wp.uint32(1))
    at = exponential(w0) * pore_scale[c.chem]
    entry = wp.int32(wp.min(at, wp.float32(2046.0)))
    part = wp.min(at - wp.float32(entry), wp.float32(1.0))
    entry = entry + c.chem * 2048
    after = pore_time[entry] + part * (pore_time[entry + 1] - pore_time[entry])
    radius = pore_radius[entry] * wp.sqrt(uniform(w1))
    sine, cosine = sincos_turn(w2)
    return after, radius * cosine, radius * sine


@wp.func
@no_type_check
def record_after(left: wp.float64, interval: wp.float64):
    """The record that counts a release for the first time."""
    return wp.max(wp.int32(wp.ceil(left / interval - wp.float64(1.0e-4))), 0)


# both kernels stand in one module of Warp's, so that they are compiled at once
@wp.kernel(enable_backward=False, module=follow.module)
@no_type_check
def prepare(
    first: wp.int32,
    interval: wp.float64,
    patches: wp.array[Patch],
    waits: wp.array[wp.float32],
    scale: wp.array[wp.float32],
    leave: wp.array[wp.float32],
    attempt: wp.array2d[wp.float32],
    survival: wp.array2d[wp.float32],
    decay: wp.array2d[wp.float32],
    origins: wp.array[wp.float32],
    rows: wp.array2d[wp.int32],
    pools: wp.array2d[wp.uint32],
    every_site: wp.array2d[wp.uint32],
    every_sum: wp.array2d[wp.int32],
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
    """Prepare patches `first`, `first` + 1, ...; `keys` holds those of release, of resting and of placing sites."""
    p = first + wp.tid()
    c = patches[p]
    row = rows[p]
    pool = pools[p]
    sites = every_site[p]
    sums = every_sum[p]
    lay_out_patch(row, pool, contents, p)
    lay_out_sites(c, row, pool, sites, undisturbed, stands, resting, leave, keys, p)
    slot = wp.int32(0)
    for j in range(contents.shape[1]):
        for _n in range(contents[p, j]):
            after, x, y = leave_vesicle(c, keys, pore_time, pore_radius, pore_scale, p, slot)
            left = fused[j] + wp.float64(after)
            record = record_after(left, interval)
            if record < released.shape[1]:
                released[p, record] = released[p, record] + 1
                v0, v1 = threefry(c.key0, c.key1, wp.uint32(slot), wp.uint32(0))
                set_out(
                    c, row, pool, waits, scale, sums, attempt, survival, decay, origins, record, slot,
                    wp.uint32(1), left, places[c.chem, 2 * j] + x, places[c.chem, 2 * j + 1] + y, 0, uniform(v0), v0,
                    v1,
                )  # fmt: skip
            slot += 1
    reports[p, 0] = row[STATUS]
