"""The calendar of a patch: which entry falls due next, exactly.

Time is cut into pages of one length, 256 pages are a book, 256 books a shelf. Entries of later pages wait in the list
of their page, book, or of all later shelves, in no order. When a page is opened its entries are dealt into buckets,
about as many as there are entries; when a bucket's turn comes its entries are put in order. So an entry is touched a
few times whatever the number of entries, and what comes next hangs on (due, slot) alone: neither the length of a page
nor the number of buckets can change a result.

Layout of the row of a patch, int32; a list is its first slot, or -1:

    0 .. 15         the words below
    16 .. 271       lists of the pages of the open book
    272 .. 527      lists of the books of the open shelf
    528 .. 783      how many slots each of the lists of pages holds
    784 ..          buckets of the open page

Invariant: NOW is the rest of bucket BUCKET of page PAGE, in order; whatever falls due later lies in a later bucket,
page, book or in LATER. An entry due after the end of the run is in no list.
"""

# Warp's types stand where Python's are declared.
# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportOperatorIssue=false, reportReturnType=false
# pyright: reportIndexIssue=false, reportCallIssue=false, reportAttributeAccessIssue=false
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

import warp as wp

from nmjmc.kernel.event.language import no_type_check
from nmjmc.kernel.event.pool import due_of, expect, next_of, set_next

NOW, BUCKET, BUCKETS, PAGE, BOOK, SHELF, LATER, USED, EMPTY, RECORD, STATUS, HANDLED, FREE = map(
    wp.constant, range(13)
)
"""Words of the row: the calendar's state; slots in use, list of the empty ones; record, status bits, events, and the
molecules that are free or not yet released, by what has happened."""

HEAD = 784
"""Words of a row before its buckets."""
PAGES, BOOKS, COUNTS, FIRST_BUCKET = wp.constant(16), wp.constant(272), wp.constant(528), wp.constant(HEAD)
FEWEST_BUCKETS = wp.constant(16)


@wp.func
@no_type_check
def push(row: wp.array[wp.int32], pool: wp.array[wp.uint32], at: wp.int32, slot: wp.int32):
    """Put a slot first in the list at a place of the row."""
    set_next(pool, slot, row[at])
    row[at] = slot


@wp.func
@no_type_check
def put_in_order(row: wp.array[wp.int32], pool: wp.array[wp.uint32], slot: wp.int32, due: wp.float64):
    """Put a slot where it belongs in NOW; of two entries due at the same time the lower slot comes first."""
    before = wp.int32(-1)
    after = row[NOW]
    while after >= 0:
        other = due_of(pool, after)
        if other > due:
            break
        if other == due:
            if after > slot:
                break
        before = after
        after = next_of(pool, after)
    set_next(pool, slot, after)
    if before < 0:
        row[NOW] = slot
    else:
        set_next(pool, before, slot)


@wp.func
@no_type_check
def schedule(
    row: wp.array[wp.int32], pool: wp.array[wp.uint32], slot: wp.int32, due: wp.float64, per_page: wp.float64
):
    """Enter a slot at its time; `per_page`: pages to a millisecond."""
    place = due * per_page
    page = wp.int32(place)
    if page <= row[PAGE]:
        bucket = wp.int32((place - wp.float64(page)) * wp.float64(row[BUCKETS]))
        if bucket <= row[BUCKET]:
            put_in_order(row, pool, slot, due)
        else:
            push(row, pool, FIRST_BUCKET + bucket, slot)
    elif (page >> 8) == row[BOOK]:
        push(row, pool, PAGES + (page & 255), slot)
        row[COUNTS + (page & 255)] = row[COUNTS + (page & 255)] + 1
    elif (page >> 16) == row[SHELF]:
        push(row, pool, BOOKS + ((page >> 8) & 255), slot)
    else:
        push(row, pool, LATER, slot)


@wp.func
@no_type_check
def deal(row: wp.array[wp.int32], pool: wp.array[wp.uint32], at: wp.int32, per_page: wp.float64):
    """Enter the slots of a list again, now that what they lie in is open."""
    slot = row[at]
    row[at] = -1
    while slot >= 0:
        after = next_of(pool, slot)
        schedule(row, pool, slot, due_of(pool, slot), per_page)
        slot = after


@wp.func
@no_type_check
def open_page(
    row: wp.array[wp.int32], pool: wp.array[wp.uint32], page: wp.int32, most: wp.int32, per_page: wp.float64
):
    """Open a page, and the book and the shelf that begin with it."""
    if (page >> 8) != row[BOOK]:
        row[BOOK] = page >> 8
        if (page >> 16) != row[SHELF]:
            row[SHELF] = page >> 16
            deal(row, pool, LATER, per_page)
        deal(row, pool, BOOKS + ((page >> 8) & 255), per_page)
    count = row[COUNTS + (page & 255)]
    row[COUNTS + (page & 255)] = 0
    buckets = wp.int32(FEWEST_BUCKETS)
    while buckets < count and buckets < most:
        buckets = buckets * 2
    row[PAGE] = page
    row[BUCKETS] = buckets
    row[BUCKET] = -1
    if count == 0:
        row[BUCKET] = buckets
    deal(row, pool, PAGES + (page & 255), per_page)


@wp.func
@no_type_check
def find_next(
    row: wp.array[wp.int32], pool: wp.array[wp.uint32], last: wp.int32, most: wp.int32, per_page: wp.float64
):
    """Go on to the next bucket that holds something and put it in order; NOW stays empty after page `last`."""
    looking = wp.int32(1)
    while looking == 1:
        bucket = row[BUCKET] + 1
        buckets = row[BUCKETS]
        while bucket < buckets and row[FIRST_BUCKET + wp.min(bucket, buckets - 1)] < 0:
            bucket += 1
        row[BUCKET] = bucket
        if bucket < buckets:
            slot = row[FIRST_BUCKET + bucket]
            row[FIRST_BUCKET + bucket] = -1
            expect(pool, row[FIRST_BUCKET + wp.min(bucket + 1, buckets - 1)])
            expect(pool, row[FIRST_BUCKET + wp.min(bucket + 2, buckets - 1)])
            # the first is in order by itself
            row[NOW] = slot
            after = next_of(pool, slot)
            set_next(pool, slot, -1)
            slot = after
            while slot >= 0:
                after = next_of(pool, slot)
                put_in_order(row, pool, slot, due_of(pool, slot))
                slot = after
            looking = 0
        elif row[PAGE] >= last:
            looking = 0
        else:
            open_page(row, pool, row[PAGE] + 1, most, per_page)


@wp.func
@no_type_check
def take_slot(row: wp.array[wp.int32], pool: wp.array[wp.uint32]):
    """An empty slot; the caller has seen that there is one."""
    slot = row[EMPTY]
    if slot >= 0:
        row[EMPTY] = next_of(pool, slot)
    else:
        slot = row[USED]
        row[USED] = slot + 1
    return slot
