"""Who is who in the patch that is viewed: which molecule each slot and each site holds, and how each has ended.

Slots and states alone do not tell: a site that binds a second ACh leaves the first one's slot, and one that lets go of
it takes another. So the viewed patch, and no other, notes each binding and unbinding. A site holds its molecules as a
pile, the last one bound on top, linked by `below`; the top one is the next to leave, which is a choice among molecules
that are alike. Nothing here is read by the physics, so that to be viewed changes no bit.
"""

# Warp's types stand where Python's are declared.
# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportOperatorIssue=false, reportReturnType=false
# pyright: reportIndexIssue=false, reportCallIssue=false, reportAttributeAccessIssue=false
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

import warp as wp

from nmjmc.kernel.event.language import no_type_check
from nmjmc.kernel.event.numbers import Patch
from nmjmc.kernel.event.pool import x_of, y_of

LEFT, SPLIT = wp.constant(1), wp.constant(2)
"""Fates: it has left at the rim; from here on, SPLIT + s: the site s has split it. 0: it is still there, or to come."""


@wp.struct
@no_type_check
class Kin:
    """The notes on the molecules of the viewed patch; arrays of one element where none is viewed.

    `molecule[slot]` is the molecule that goes by a slot, and means something where that holds a free one. `top[site]`
    is the last one that a site has bound, -1 for none, and `below[molecule]` the one under it. `fate[molecule]` as
    above, `exit[2 molecule]` where it has left [um]. `destroys[transition]` says which transitions split one.
    """

    molecule: wp.array[wp.int32]
    top: wp.array[wp.int32]
    below: wp.array[wp.int32]
    fate: wp.array[wp.int32]
    exit: wp.array[wp.float32]
    destroys: wp.array[wp.int32]


@wp.func
@no_type_check
def note_exit(c: Patch, kin: Kin, pool: wp.array[wp.uint32], slot: wp.int32):
    """The molecule of a slot leaves at the rim."""
    if c.viewed != 0:
        who = kin.molecule[slot]
        kin.fate[who] = LEFT
        kin.exit[2 * who] = x_of(pool, slot)
        kin.exit[2 * who + 1] = y_of(pool, slot)


@wp.func
@no_type_check
def note_binding(c: Patch, kin: Kin, site: wp.int32, slot: wp.int32, transition: wp.int32):
    """A site binds the molecule of a slot, or splits it at once."""
    if c.viewed != 0:
        who = kin.molecule[slot]
        if kin.destroys[transition] != 0:
            kin.fate[who] = SPLIT + site
        else:
            kin.below[who] = kin.top[site]
            kin.top[site] = who


@wp.func
@no_type_check
def note_transition(
    c: Patch, kin: Kin, site: wp.int32, slot: wp.int32, transition: wp.int32, releases: wp.int32
):
    """A site's clock has fired: it frees a molecule, which goes by the slot from now on, or splits one, or neither."""
    if c.viewed != 0:
        who = kin.top[site]
        if who >= 0 and (releases != 0 or kin.destroys[transition] != 0):
            kin.top[site] = kin.below[who]
            if releases != 0:
                kin.molecule[slot] = who
            else:
                kin.fate[who] = SPLIT + site
