"""Transport by steps on the device: a molecule walks from one binding attempt to the next without leaving its thread.

The steps are those of the pass of JAX (`stepped` and `folds` there): Gaussian, mirrored into the cleft and the folds,
an encounter with a surface turned into an attempt with Andrews' chance of its fastest state (`physics.capture`).
Until it attempts, a molecule's steps do not depend on any site, so that they are made at once, however many they are;
only the attempt is an event, entered at its time.

Where y is needed only at the end, far from the rim, it is not stepped: the sum of n Gaussian steps is one of n times
the variance. A stretch is so long that the rim is out of its reach (six standard deviations); near the rim each step
is made in full, and tested against the rim by the Brownian bridge.

A step takes one pair of random words: the normal displacements along x and z; the lowest bit of the second says which
comes first; nine unused bits of the first are the leading digits of the uniform number that chooses a surface, whose
other digits are drawn only if it can be small enough.
"""

# Warp's types stand where Python's are declared.
# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportOperatorIssue=false, reportReturnType=false
# pyright: reportIndexIssue=false, reportCallIssue=false, reportAttributeAccessIssue=false
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

import warp as wp

from nmjmc.kernel.event.draws import exponential, sincos_turn, threefry, uniform
from nmjmc.kernel.event.ground import Ground
from nmjmc.kernel.event.journey import ESCAPE, MIXED, RECEPTOR, mirrored, part_to_rim
from nmjmc.kernel.event.language import no_type_check
from nmjmc.kernel.event.numbers import Patch
from nmjmc.kernel.event.surface import (
    CLEFT_LAMINA,
    CREST,
    FOLD_LAMINA,
    WALL,
    nearest_fold,
    over_slit,
    point_of,
    surface_of,
    tile_of,
)

ASIDE = wp.constant(wp.uint32(0x80000000))
"""Set in the counter of a slot's draws for views, so that they share none with those of a run."""


@wp.func
@no_type_check
def normals(w0: wp.uint32, w1: wp.uint32):
    """Two independent standard normals (Box & Muller 1958)."""
    radius = wp.sqrt(wp.float32(2.0) * exponential(w0))
    sine, cosine = sincos_turn(w1)
    return radius * cosine, radius * sine


@wp.func
@no_type_check
def reflected(end: wp.float32, height: wp.float32):
    """A raw end point, mirrored until it lies in [0, height]."""
    if end >= wp.float32(0.0) and end <= height:
        return end
    turn = end - wp.float32(2.0) * height * wp.floor(end / (wp.float32(2.0) * height))
    return wp.clamp(wp.min(turn, wp.float32(2.0) * height - turn), wp.float32(0.0), height)


@wp.func
@no_type_check
def crossings(begin: wp.float32, end: wp.float32, plane: wp.float32, height: wp.float32):
    """How often the straight way to a raw end meets a plane inside [0, height] or its images."""
    if end >= wp.float32(0.0) and end <= height:
        return wp.where((begin < plane) != (end < plane), wp.float32(1.0), wp.float32(0.0))
    inverse = wp.float32(0.5) / height
    there = wp.abs(wp.floor((end - plane) * inverse) - wp.floor((begin - plane) * inverse))
    return there + wp.abs(wp.floor((end + plane) * inverse) - wp.floor((begin + plane) * inverse))


@wp.func
@no_type_check
def first_part(begin: wp.float32, end: wp.float32, plane: wp.float32, height: wp.float32):
    """Part of the way that is done at the first of these encounters."""
    way = end - begin
    up = wp.where(begin < plane, plane, wp.float32(2.0) * height - plane)
    down = wp.where(begin > plane, plane, -plane)
    first = wp.where(way > wp.float32(0.0), up, down) - begin
    return wp.clamp(
        first / wp.where(wp.abs(way) > wp.float32(1.0e-9), way, wp.float32(1.0)),
        wp.float32(0.0),
        wp.float32(1.0),
    )


@wp.func
@no_type_check
def along_x(g: Ground, x: wp.float32, z: wp.float32, dx: wp.float32):
    """Where a move along x ends: free above the crests, mirrored by the walls below."""
    if z >= wp.float32(0.0):
        return x + dx
    left = g.spacing * nearest_fold(g, x) - g.half_width
    return left + reflected(x - left + dx, wp.float32(2.0) * g.half_width)


@wp.func
@no_type_check
def along(g: Ground, u: wp.float32, z: wp.float32, dx: wp.float32):
    """As `along_x`, for a place u from the middle of its fold."""
    if z >= wp.float32(0.0):
        return u + dx
    return reflected(u + g.half_width + dx, wp.float32(2.0) * g.half_width) - g.half_width


@wp.func
@no_type_check
def off_middle(g: Ground, u: wp.float32):
    """Distance from the middle of the nearest fold, for a place u from the middle of one."""
    if wp.abs(u) <= wp.float32(0.5) * g.spacing:
        return wp.abs(u)
    return wp.abs(u - g.spacing * nearest_fold(g, u))


@wp.func
@no_type_check
def walk(
    c: Patch, g: Ground, sites: wp.array[wp.uint32], slot: wp.int32, draw: wp.uint32, begin: wp.float64,
    x: wp.float32, y: wp.float32, z: wp.float32, look: wp.int32,
):  # fmt: skip
    """Walk from (x, y, z) at a time to the next attempt, the rim, or the end of the run.

    Args:
        c, g: the numbers of the patch.
        sites: its sites; attempts on vacant tiles are none.
        slot, draw: the molecule and its first unused pair of random words.
        begin: when it sets out [ms].
        x, y, z: from where [um].
        look: after how many steps its place is wanted besides; -1 for never.

    Returns:
        The end (x, y, z), the next unused pair, what happens there (`aim`, as in `pool`), when, and the place after
        `look` steps.
    """
    most = wp.int32(wp.min((c.until - begin) / g.step + wp.float64(1.0), wp.float64(2.0e9)))
    done = wp.int32(0)
    part = wp.float32(1.0)
    aim = wp.uint32(0)
    if most <= 0:
        aim = wp.uint32(MIXED)
    seen_x = x
    seen_y = y
    seen_z = z
    width = wp.float32(2.0) * g.half_width
    while aim == wp.uint32(0):
        gap = c.edge - wp.max(wp.abs(x), wp.abs(y))
        if c.disc == 1:
            gap = c.edge - wp.sqrt(x * x + y * y)
        reach = wp.max(gap, wp.float32(0.0)) / (wp.float32(6.0) * g.spread)
        count = wp.int32(wp.min(reach * reach, wp.float32(1.0e6)))
        near = wp.where(count < 2, 1, 0)
        count = wp.min(wp.max(count, 1), most - done)
        k = wp.int32(0)
        kind = wp.int32(-1)
        way = wp.float32(0.0)
        looked = wp.int32(-1)
        dx = wp.float32(0.0)
        middle = g.spacing * nearest_fold(g, x)
        u = x - middle
        u0 = u
        z0 = z
        at_u = u
        at_z = z
        while k < count and kind < 0:
            w0, w1 = threefry(c.key0, c.key1, wp.uint32(slot), draw)
            draw = draw + wp.uint32(1)
            k += 1
            east, up = normals(w0, w1)
            dx = g.spread * east
            end_z = z + g.spread * up
            u0 = u
            z0 = z
            at_u = u
            at_z = z
            chance = wp.float32(0.0)
            crest = wp.float32(0.0)
            low = wp.float32(0.0)
            if z >= wp.float32(0.0) and end_z >= wp.float32(0.0) and end_z <= g.height:
                # in the cleft, whichever comes first
                u = u + dx
                z = end_z
                at_u = wp.where((w1 & wp.uint32(1)) == wp.uint32(1), u0, u)
            else:
                if (w1 & wp.uint32(1)) == wp.uint32(0):
                    u = along(g, u, z, dx)
                    at_u = u
                # a fold may begin again where u has passed the middle of a crest
                if z < wp.float32(0.0) or off_middle(g, at_u) < g.half_width:
                    low = -g.depth
                else:
                    crest = wp.abs(wp.floor((wp.float32(0.5) / g.height) * end_z)) * g.chance0
                z = reflected(end_z - low, g.height - low) + low
                if (w1 & wp.uint32(1)) == wp.uint32(1):
                    at_z = z
                    u = along(g, u, z, dx)
            chance = crest + crossings(z0 - low, end_z - low, g.lamina - low, g.height - low) * g.chance1
            lamina = chance
            wall = chance
            if at_z < wp.float32(0.0):
                begin_x = u0 + g.half_width
                end_x = begin_x + dx
                if end_x < wp.float32(0.0) or end_x > width:
                    chance = chance + wp.abs(wp.floor(end_x / width)) * g.chance2
                wall = chance
                chance = chance + crossings(begin_x, end_x, g.half_width, width) * g.chance3
            elif wp.abs(u) > wp.float32(0.5) * g.spacing:
                turn = g.spacing * nearest_fold(g, u)
                middle = middle + turn
                u = u - turn
                u0 = u0 - turn
                at_u = at_u - turn
            digits = wp.float32(w0 & wp.uint32(511))
            if digits < chance * wp.float32(512.0):
                w2, _w3 = threefry(c.key0, c.key1, wp.uint32(slot), draw)
                draw = draw + wp.uint32(1)
                v = (digits + uniform(w2)) * wp.float32(0.001953125)
                begin_x = u0 + g.half_width
                if v < crest:
                    kind = CREST
                    way = first_part(z0 - low, end_z - low, wp.float32(0.0), g.height - low)
                elif v < lamina:
                    kind = CLEFT_LAMINA
                    way = first_part(z0 - low, end_z - low, g.lamina - low, g.height - low)
                elif v < wall:
                    kind = WALL
                    face = wp.where(dx > wp.float32(0.0), width, wp.float32(0.0))
                    way = first_part(begin_x, begin_x + dx, face, width)
                elif v < chance:
                    kind = FOLD_LAMINA
                    way = first_part(begin_x, begin_x + dx, g.half_width, width)
            if done + k == look:
                looked = k
                seen_x = middle + u
                seen_z = z
        x0 = middle + u0
        x = middle + u
        at_x = middle + at_u
        done += k
        w2, w3 = threefry(c.key0, c.key1, wp.uint32(slot), draw)
        draw = draw + wp.uint32(1)
        before, last = normals(w2, w3)
        y0 = y
        # all steps but the last in one, then the last
        y = y + g.spread * wp.sqrt(wp.float32(k - 1)) * before
        dy = g.spread * last
        at_y = y + way * dy
        y = y + dy
        if g.folded == 0:
            at_x = x0 + way * dx
        if near == 1:
            if c.reflecting == 0:
                near0 = c.edge - wp.sqrt(x0 * x0 + y0 * y0)
                end0 = c.edge - wp.sqrt(x * x + y * y)
                near1 = wp.float32(1.0e9)
                end1 = wp.float32(1.0e9)
                if c.disc == 0:
                    sign = wp.where(x0 + x > wp.float32(0.0), wp.float32(1.0), wp.float32(-1.0))
                    near0 = c.edge - sign * x0
                    end0 = c.edge - sign * x
                    sign = wp.where(y0 + y > wp.float32(0.0), wp.float32(1.0), wp.float32(-1.0))
                    near1 = c.edge - sign * y0
                    end1 = c.edge - sign * y
                rate = wp.float32(1.0) / (g.spread * g.spread)
                part = part_to_rim(c, slot, draw, near0, end0, near1, end1, rate)
                draw = draw + wp.uint32(2)
                if part <= wp.float32(1.0):
                    aim = wp.uint32(ESCAPE)
                else:
                    part = wp.float32(1.0)
            elif c.disc == 0:
                x = mirrored(x, c.edge)
                y = mirrored(y, c.edge)
                at_x = mirrored(at_x, c.edge)
                at_y = mirrored(at_y, c.edge)
            else:
                # a step that would leave is not made; in a flat cleft only its part along the cleft is not
                if x * x + y * y > c.edge * c.edge:
                    x = x0
                    y = y0
                    if g.folded == 1:
                        z = z0
                        kind = -1
                if g.folded == 0 and at_x * at_x + at_y * at_y > c.edge * c.edge:
                    at_x = x0
                    at_y = y0
        if looked >= 0:
            seen_y = y
            if looked < k:
                # the bridge of the stretch
                share = wp.float32(looked) / wp.float32(k)
                v0, v1 = threefry(c.key0, c.key1, wp.uint32(slot) | ASIDE, draw)
                n0, _n1 = normals(v0, v1)
                wide = g.spread * wp.sqrt(wp.float32(k) * share * (wp.float32(1.0) - share))
                seen_y = y0 + share * (y - y0) + wide * n0
            if near == 1:
                seen_x = x
                seen_z = z
        if aim == wp.uint32(0):
            if kind >= 0:
                tile = tile_of(c, g, kind, at_x, at_y, -at_z, dx > wp.float32(0.0))
                if tile >= 0:
                    if wp.int32(sites[tile] & wp.uint32(255)) != c.states - 1:
                        aim = wp.uint32(RECEPTOR) | (wp.uint32(tile) << wp.uint32(3))
            if aim == wp.uint32(0) and done >= most:
                aim = wp.uint32(MIXED)
    due = begin + g.step * wp.float64(done)
    if part < wp.float32(1.0):
        due = begin + g.step * (wp.float64(done - 1) + wp.float64(part))
    return x, y, z, draw, aim, due, seen_x, seen_y, seen_z


@wp.func
@no_type_check
def put_off(c: Patch, g: Ground, tile: wp.int32, slot: wp.int32, draw: wp.uint32):
    """Where a freed molecule is put: the time reversal of the steps that end on the tile; takes four pairs of words."""
    w0, w1 = threefry(c.key0, c.key1, wp.uint32(slot), draw)
    w2, w3 = threefry(c.key0, c.key1, wp.uint32(slot), draw + wp.uint32(1))
    w4, w5 = threefry(c.key0, c.key1, wp.uint32(slot), draw + wp.uint32(2))
    part = uniform(w0)
    away = g.spread * part * wp.sqrt(wp.float32(2.0) * exponential(w1))
    # the lowest bits of a word are not used by `uniform`
    side = wp.where((w0 & wp.uint32(1)) == wp.uint32(1), wp.float32(1.0), wp.float32(-1.0))
    later = (w0 & wp.uint32(2)) == wp.uint32(2)
    one, two = normals(w2, w3)
    kind = surface_of(g, c, tile)
    x, y, z = point_of(c, g, kind, tile, uniform(w4), uniform(w5))
    if g.folded == 0:
        x1 = x + g.spread * part * one
        y1 = y + g.spread * part * two
        if c.reflecting == 1:
            if c.disc == 0:
                x1 = mirrored(x1, c.edge)
                y1 = mirrored(y1, c.edge)
            elif x1 * x1 + y1 * y1 > c.edge * c.edge:
                x1 = x
                y1 = y
        return x1, y1, reflected(wp.where(kind == CREST, away, g.lamina + side * away), g.height)
    y1 = y + g.spread * part * one
    full = g.spread * two
    if kind == CREST or kind == CLEFT_LAMINA:
        low = wp.float32(0.0)
        if over_slit(g, x, z):
            low = -g.depth
        z1 = reflected(z + wp.where(kind == CREST, away, side * away) - low, g.height - low) + low
        x1 = x
        if later:
            x1 = along_x(g, x, z1, full)
        return x1, y1, z1
    left = g.spacing * nearest_fold(g, x) - g.half_width
    aside = side * away
    if kind == WALL:
        aside = wp.where(x - left > g.half_width, -away, away)
    x1 = left + reflected(x - left + aside, wp.float32(2.0) * g.half_width)
    z1 = z
    if later:
        z1 = reflected(z + g.depth + full, g.height + g.depth) - g.depth
    return x1, y1, z1
