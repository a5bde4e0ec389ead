"""Which tile of a folded membrane a molecule meets, and where a freed one sets out (see `kernel.physics.folds`)."""

# Warp's types stand where Python's are declared.
# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportOperatorIssue=false, reportReturnType=false
# pyright: reportIndexIssue=false, reportCallIssue=false, reportAttributeAccessIssue=false
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

import warp as wp

from nmjmc.kernel.event.ground import Ground
from nmjmc.kernel.event.language import no_type_check
from nmjmc.kernel.event.numbers import Patch
from nmjmc.kernel.event.site import point_on_tile, tile_under

CREST, WALL, CLEFT_LAMINA, FOLD_LAMINA = wp.constant(0), wp.constant(1), wp.constant(2), wp.constant(3)
"""Surfaces in the order of their tiles; the membrane and the lamina of a flat cleft are the first and the third."""


@wp.func
@no_type_check
def nearest_fold(g: Ground, x: wp.float32):
    """Number of the nearest fold, as a float."""
    return wp.floor(x / g.spacing + wp.float32(0.5))


@wp.func
@no_type_check
def over_slit(g: Ground, x: wp.float32, z: wp.float32):
    """Whether a point is over or in a slit (one below the crests always is, whatever the rounding)."""
    return wp.abs(x - g.spacing * nearest_fold(g, x)) < g.half_width or z < wp.float32(0.0)


@wp.func
@no_type_check
def slot_of(at: wp.float32, pitch: wp.float32, across: wp.int32):
    """Number of the tile at a place along one axis."""
    return wp.clamp(wp.int32(wp.floor(at / pitch)), 0, across - 1)


@wp.func
@no_type_check
def tile_of(
    c: Patch, g: Ground, kind: wp.int32, x: wp.float32, y: wp.float32, depth: wp.float32, right: wp.bool
):
    """The tile of a surface at a point, or -1 where there is none; `right`: which wall."""
    if wp.abs(x) > c.half or wp.abs(y) > c.half:
        return wp.int32(-1)
    if g.folded == 0 or kind == CLEFT_LAMINA:
        return tile_under(c, kind == CREST, x, y)
    if kind == CREST:
        place = (x - g.half_width) / g.spacing
        band = wp.floor(place)
        column = slot_of(g.spacing * (place - band), g.pitch00, g.across00)
        line = slot_of(y + c.half, g.pitch01, g.across01)
        return (line * g.bands + wp.int32(band) - g.first + 1) * g.across00 + column
    fold = wp.int32(nearest_fold(g, x)) - g.first
    if kind == WALL:
        if wp.floor(depth / g.pitch10) >= wp.float32(g.across10):
            return wp.int32(-1)
        deep = slot_of(depth, g.pitch10, g.across10)
        along = slot_of(y + c.half, g.pitch11, g.across11)
        side = wp.where(right, 1, 0)
        return g.walls + ((2 * fold + side) * g.across10 + deep) * g.across11 + along
    deep = slot_of(depth, g.pitch20, g.across20)
    along = slot_of(y + c.half, g.pitch21, g.across21)
    return g.laminae + (fold * g.across20 + deep) * g.across21 + along


@wp.func
@no_type_check
def surface_of(g: Ground, c: Patch, tile: wp.int32):
    """The surface that a tile belongs to."""
    if g.folded == 0:
        return wp.where(tile < c.offset, CREST, CLEFT_LAMINA)
    kind = wp.where(tile >= g.walls, WALL, CREST)
    kind = wp.where(tile >= g.cleft, CLEFT_LAMINA, kind)
    return wp.where(tile >= g.laminae, FOLD_LAMINA, kind)


@wp.func
@no_type_check
def point_of(c: Patch, g: Ground, kind: wp.int32, tile: wp.int32, u: wp.float32, v: wp.float32):
    """A point of a tile of a surface by its uniform coordinates."""
    if g.folded == 0 or kind == CLEFT_LAMINA:
        x, y = point_on_tile(c, tile, u, v)
        return x, y, wp.where(kind == CREST, wp.float32(0.0), g.lamina)
    if kind == CREST:
        columns = g.bands * g.across00
        rest = tile % columns
        band = wp.float32(rest / g.across00 + g.first - 1)
        x = g.spacing * band + g.half_width + (wp.float32(rest % g.across00) + u) * g.pitch00
        return x, (wp.float32(tile / columns) + v) * g.pitch01 - c.half, wp.float32(0.0)
    wall = kind == WALL
    local = tile - wp.where(wall, g.walls, g.laminae)
    deep_tiles = wp.where(wall, g.across10, g.across20)
    along_tiles = wp.where(wall, g.across11, g.across21)
    along = local % along_tiles
    rest = local / along_tiles
    deep = rest % deep_tiles
    number = rest / deep_tiles
    fold = wp.float32(wp.where(wall, number / 2, number) + g.first)
    side = wp.where(wall, wp.float32(2 * (number % 2) - 1), wp.float32(0.0))
    x = g.spacing * fold + side * wp.float32(0.999999) * g.half_width
    y = (wp.float32(along) + u) * wp.where(wall, g.pitch11, g.pitch21) - c.half
    return x, y, -(wp.float32(deep) + v) * wp.where(wall, g.pitch10, g.pitch20)
