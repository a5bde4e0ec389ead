"""Journeys in a flat cleft on the device: from one binding attempt to the next in a single exact step.

The equations (see `nmjmc.kernel.physics.survival`): the waiting time T to the next attempt by inversion of its
cumulative hazard, -log u = H(T), in a table of 2,048 rows for each start; the displacement along the cleft Gaussian
with variance 2 D T; an absorbing rim touched with the chance exp(-d0 d1 / (D T)) of the Brownian bridge.
A thread draws only what it needs: two pairs of random words, and a third one near a rim.
"""

# Warp's types stand where Python's are declared.
# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportOperatorIssue=false, reportReturnType=false
# pyright: reportIndexIssue=false, reportCallIssue=false, reportAttributeAccessIssue=false
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

import warp as wp

from nmjmc.kernel.event.calendar import STATUS
from nmjmc.kernel.event.draws import exponential, sincos_turn, threefry, uniform
from nmjmc.kernel.event.language import no_type_check
from nmjmc.kernel.event.numbers import Patch
from nmjmc.kernel.event.pool import set_draw, set_place
from nmjmc.kernel.event.turn import NOT_FINITE, enter

RECEPTOR, ESTERASE, MIXED, ESCAPE = wp.constant(1), wp.constant(2), wp.constant(3), wp.constant(4)
ROWS = wp.constant(2048)
SURE = wp.constant(17.0)  # exp(-17) is less than the smallest uniform number


@wp.func
@no_type_check
def mirrored(u: wp.float32, edge: wp.float32):
    """A coordinate past the flat faces at +-edge, mirrored inside."""
    turn = u + edge
    turn = turn - wp.float32(4.0) * edge * wp.floor(turn / (wp.float32(4.0) * edge))
    if turn > wp.float32(2.0) * edge:
        turn = wp.float32(4.0) * edge - turn
    return turn - edge


@wp.func
@no_type_check
def passage(near: wp.float32, d1: wp.float32, rate: wp.float32, square: wp.float32, turn: wp.float32):
    """When a bridge that touches a face does so first, as a fraction of its time (inverse Gaussian)."""
    mean = near / wp.max(wp.abs(d1), wp.float32(1.0e-9))
    wide = wp.float32(0.5) * mean * square / (near * near * rate)
    small = mean / (wp.float32(1.0) + wide + wp.sqrt(wide * (wide + wp.float32(2.0))))
    found = mean * mean / wp.max(small, wp.float32(1.0e-30))
    if turn * (mean + small) <= mean:
        found = small
    return found / (wp.float32(1.0) + found)


@wp.func
@no_type_check
def touch_exponent(d0: wp.float32, d1: wp.float32, rate: wp.float32):
    """Minus the logarithm of the chance that a bridge between these distances from a face touches it."""
    if d1 <= wp.float32(0.0):
        return wp.float32(0.0)
    return wp.float32(2.0) * wp.max(d0, wp.float32(1.0e-7)) * d1 * rate


@wp.func
@no_type_check
def part_to_rim(
    c: Patch, slot: wp.int32, draw: wp.uint32, near0: wp.float32, end0: wp.float32, near1: wp.float32, end1: wp.float32,
    rate: wp.float32,
):  # fmt: skip
    """The part of a journey after which it touches a face for the first time; more than 1 if it touches none."""
    w0, w1 = threefry(c.key0, c.key1, wp.uint32(slot), draw)
    w2, w3 = threefry(c.key0, c.key1, wp.uint32(slot), draw + wp.uint32(1))
    chance = uniform(w0)
    length = wp.float32(2.0) * exponential(w1)
    sine, cosine = sincos_turn(w2)
    first = wp.float32(2.0)
    touch = wp.exp(-touch_exponent(near0, end0, rate))
    if chance > wp.float32(1.0) - touch:
        first = passage(wp.max(near0, wp.float32(1.0e-7)), end0, rate, length * cosine * cosine, uniform(w3))
        chance = (chance - (wp.float32(1.0) - touch)) / wp.max(touch, wp.float32(1.0e-9))
    else:
        chance = chance / wp.max(wp.float32(1.0) - touch, wp.float32(1.0e-9))
    if end1 < wp.float32(1.0e8):
        touch = wp.exp(-touch_exponent(near1, end1, rate))
        if chance > wp.float32(1.0) - touch:
            turn = (wp.float32(w3 & wp.uint32(0x1FF)) + wp.float32(0.5)) * wp.float32(0.001953125)
            other = passage(wp.max(near1, wp.float32(1.0e-7)), end1, rate, length * sine * sine, turn)
            first = wp.min(first, other)
    return first


@wp.func
@no_type_check
def longest_journey(c: Patch, x: wp.float32, y: wp.float32, side: wp.uint32):
    """The time at which a journey from (x, y) is cut short, because a rim is near [ms]."""
    if c.disc == 0:
        if c.reflecting == 1:
            return wp.float32(1.0e30)
        reach = c.edge * wp.float32(0.3333333333333333)
    else:
        reach = (c.edge - wp.sqrt(x * x + y * y)) * wp.float32(0.16666666666666666)
    # the low bits, unused by `uniform`, spread the cuts of molecules that were released together
    spread = wp.float32(0.5) + wp.float32(side & wp.uint32(0x1FF)) * wp.float32(0.0009765625)
    return wp.max(c.mixing, spread * (reach * reach * (wp.float32(0.5) / c.diffusion)))


@wp.func
@no_type_check
def add_score(
    c: Patch, sums: wp.array[wp.int32], attempt: wp.array2d[wp.float32], survival: wp.array2d[wp.float32],
    decay: wp.array2d[wp.float32], record: wp.int32, start: wp.int32, entry: wp.int32, on_receptor: wp.int32,
    excess: wp.float32, cut: wp.int32, limit: wp.float32,
):  # fmt: skip
    """Add the score of a journey that begins, in units of `likelihood.UNIT`, for both planes."""
    first = c.table * 4
    for k in range(2):
        rate = decay[c.table, k]
        score = attempt[2 * (first * ROWS + entry) + on_receptor, k] - rate * excess
        if cut == 1:
            score = survival[first + start, k] - rate * ((limit - c.mixing) / c.slope)
        sums[2 * record + k] = sums[2 * record + k] + wp.int32(wp.rint(score * wp.float32(4096.0)))


@wp.func
@no_type_check
def set_out(
    c: Patch, row: wp.array[wp.int32], pool: wp.array[wp.uint32], waits: wp.array[wp.float32],
    scale: wp.array[wp.float32], sums: wp.array[wp.int32],
    attempt: wp.array2d[wp.float32], survival: wp.array2d[wp.float32], decay: wp.array2d[wp.float32],
    origins: wp.array[wp.float32], record: wp.int32, slot: wp.int32, draw: wp.uint32, now: wp.float64,
    x: wp.float32, y: wp.float32, start: wp.int32, chance: wp.float32, side: wp.uint32, wait: wp.uint32,
):  # fmt: skip
    """Begin the next journey of a molecule, and enter its end in the calendar.

    Args:
        c: the patch's numbers.
        row, pool: its calendar and its entries.
        waits, scale: the tables of journeys of all sets.
        sums, attempt, survival, decay: what scores need; not read where they are not wanted.
        origins: where and when the journeys of a patch that is viewed began, three numbers a slot.
        record: the record in which the score counts.
        slot, draw: the molecule and its first unused pair of random words.
        now: when it sets out [ms].
        x, y: from where [um].
        start: `Start` code: from where across the cleft.
        chance: a uniform number that chooses the plane of the next attempt.
        side: a random word whose low 9 bits are unused.
        wait: a random word for the waiting time.
    """
    if c.viewed != 0:
        origins[3 * slot] = x
        origins[3 * slot + 1] = y
        origins[3 * slot + 2] = wp.float32(now)
    hazard = exponential(wait)
    steep = scale[c.table * 4 + start]
    place = hazard * steep
    # a table without attempts ends at once: what is beyond it has no whole number
    entry = wp.int32(wp.min(place, wp.float32(ROWS - 2)))
    part = wp.min(place - wp.float32(entry), wp.float32(1.0))
    entry = entry + start * ROWS
    at = c.table * 4 * ROWS + entry
    low = waits[2 * at]
    excess = wp.max(hazard - wp.float32(ROWS - 1) / steep, wp.float32(0.0))
    span = low + part * (waits[2 * at + 2] - low) + excess * c.slope
    aim = wp.where(chance < waits[2 * at + 1], RECEPTOR, ESTERASE)
    limit = longest_journey(c, x, y, side)
    cut = wp.where(span > limit, 1, 0)
    if c.scored != 0:
        add_score(c, sums, attempt, survival, decay, record, start, entry, aim & 1, excess, cut, limit)
    if cut == 1:
        span = limit
        aim = MIXED
    w0, w1 = threefry(c.key0, c.key1, wp.uint32(slot), draw)
    used = wp.uint32(1)
    far = wp.sqrt(wp.float32(4.0) * c.diffusion * span * exponential(w0))
    sine, cosine = sincos_turn(w1)
    x1 = x + far * cosine
    y1 = y + far * sine
    # whatever is compared with a number that is none looks like the other case
    if wp.isnan(x1 + y1):
        row[STATUS] = row[STATUS] | NOT_FINITE
    if c.reflecting == 1:
        if c.disc == 0:
            x1 = mirrored(x1, c.edge)
            y1 = mirrored(y1, c.edge)
        elif x1 * x1 + y1 * y1 > c.edge * c.edge:
            x1 = x
            y1 = y
    else:
        # distances of both ends from the face that the journey may touch; of a pair of faces, the nearer one
        near0 = wp.float32(0.0)
        end0 = wp.float32(0.0)
        near1 = wp.float32(1.0e9)
        end1 = wp.float32(1.0e9)
        if c.disc == 1:
            near0 = c.edge - wp.sqrt(x * x + y * y)
            end0 = c.edge - wp.sqrt(x1 * x1 + y1 * y1)
        else:
            sign = wp.where(x + x1 > wp.float32(0.0), wp.float32(1.0), wp.float32(-1.0))
            near0 = c.edge - sign * x
            end0 = c.edge - sign * x1
            sign = wp.where(y + y1 > wp.float32(0.0), wp.float32(1.0), wp.float32(-1.0))
            near1 = c.edge - sign * y
            end1 = c.edge - sign * y1
        room = wp.float32(2.0) * c.diffusion * wp.max(span, wp.float32(1.0e-12)) * SURE * wp.float32(0.5)
        if wp.min(near0 * end0, near1 * end1) < room or wp.min(end0, end1) <= wp.float32(0.0):
            rate = wp.float32(0.5) / (c.diffusion * wp.max(span, wp.float32(1.0e-12)))
            first = part_to_rim(c, slot, draw + used, near0, end0, near1, end1, rate)
            used = wp.uint32(3)
            if first <= wp.float32(1.0):
                span = span * first
                aim = ESCAPE
    set_place(pool, slot, x1, y1)
    set_draw(pool, slot, draw + used)
    enter(c, row, pool, slot, wp.uint32(aim), now + wp.float64(span))
