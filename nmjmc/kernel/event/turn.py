"""What a turn of the loop over events has in common, whatever moves the molecules: `follow` and `follow_steps` use it.

A turn takes the earliest entry from the calendar, does what is due, counts it in its record interval and enters what
it begins. Here stand the parts that know nothing of motion: taking the next entry, setting the clocks of sites, giving
slots back, and what a thread leaves when it stops.

Invariant, between two turns: the time of every event that was done is at or before that of every entry that is left;
each slot is a molecule, the clock of a site, or empty; and row[FREE] molecules are free or not yet released.
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
from nmjmc.kernel.event.draws import exponential, threefry
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
)

POOL_FULL, NOT_FINITE, NOT_CONSERVED = wp.constant(1), wp.constant(4), wp.constant(8)
"""Bits of `errors.Status`."""


@wp.func
@no_type_check
def next_event(
    c: Patch, row: wp.array[wp.int32], pool: wp.array[wp.uint32], end: wp.int32, interval: wp.float64
):
    """The slot of the earliest entry and its time, taken from the calendar; -1 where this launch has no more to do.

    Args:
        c: the patch's numbers.
        row, pool: its calendar and its entries.
        end: the record interval after which the launch stops.
        interval: time between records [ms].
    """
    stop = wp.float64(end) * interval
    if row[NOW] < 0:
        find_next(row, pool, wp.int32(stop * c.per_page), row.shape[0] - FIRST_BUCKET, c.per_page)
    slot = row[NOW]
    now = wp.float64(0.0)
    if slot >= 0:
        now = due_of(pool, slot)
        if now > stop:
            slot = wp.int32(-1)
        elif row[USED] >= pool.shape[0] / 8 and row[EMPTY] < 0:
            # no slot for a clock that might split off: the host gives room, and the patch goes on from here
            row[STATUS] = row[STATUS] | POOL_FULL
            slot = wp.int32(-1)
        else:
            row[NOW] = next_of(pool, slot)
    return slot, now


@wp.func
@no_type_check
def spend(row: wp.array[wp.int32], pool: wp.array[wp.uint32], slot: wp.int32):
    """Give a slot back."""
    set_aim(pool, slot, wp.uint32(SPENT))
    push(row, pool, EMPTY, slot)


@wp.func
@no_type_check
def enter(
    c: Patch, row: wp.array[wp.int32], pool: wp.array[wp.uint32], slot: wp.int32, aim: wp.uint32, due: wp.float64
):  # fmt: skip
    """Note what a slot will do and when, and enter it; what falls due after the end of the run is in no list."""
    set_aim(pool, slot, aim)
    set_due(pool, slot, due)
    if due <= c.until:
        schedule(row, pool, slot, due, c.per_page)


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
def split_off(
    c: Patch, row: wp.array[wp.int32], pool: wp.array[wp.uint32], sites: wp.array[wp.uint32], site: wp.int32,
    state: wp.int32, rate: wp.float32, now: wp.float64,
):  # fmt: skip
    """Put a site into a state, now that a molecule has left it and taken the slot: a clock takes one of its own."""
    sites[site] = wp.uint32(state)
    if rate > wp.float32(0.0):
        slot = take_slot(row, pool)
        draw = draw_of(pool, slot)
        _w0, w1 = threefry(c.key0, c.key1, wp.uint32(slot), draw)
        set_draw(pool, slot, draw + wp.uint32(1))
        set_clock(c, row, pool, sites, site, state, rate, slot, now, w1)


@wp.func
@no_type_check
def is_stale(sites: wp.array[wp.uint32], site: wp.int32, slot: wp.int32):
    """Whether a clock is one that its site has left behind, because a ligand came first."""
    return wp.int32(sites[site] >> wp.uint32(8)) != slot + 1


@wp.func
@no_type_check
def stop(
    row: wp.array[wp.int32], pool: wp.array[wp.uint32], record: wp.int32, handled: wp.int32, free: wp.int32,
    end: wp.int32, reports: wp.array[wp.int32],
):  # fmt: skip
    """Write down how far the patch is, and report to the host: status bits, slots in use, events so far."""
    row[FREE] = free
    row[RECORD] = record
    if (row[STATUS] & POOL_FULL) == 0:
        row[RECORD] = wp.max(record, end)
        check(row, pool)
    row[HANDLED] = row[HANDLED] + handled
    reports[0] = row[STATUS]
    reports[1] = row[USED]
    reports[2] = row[HANDLED]


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
