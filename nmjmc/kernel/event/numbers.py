"""The numbers of a patch as the device reads them: none of them is compiled in."""

# Warp's types stand where Python's are declared.
# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportOperatorIssue=false, reportReturnType=false
# pyright: reportIndexIssue=false, reportCallIssue=false, reportAttributeAccessIssue=false
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

import warp as wp

from nmjmc.kernel.event.language import no_type_check


@wp.struct
@no_type_check
class Patch:
    """What one thread keeps of its patch while it follows it.

    Lengths in um, times in ms. `table` is the first row of the patch's own set in the tables of journeys, `chem` in
    those of the scheme; the rest as in `tables.Tables`, with reciprocals where the kernel would divide.
    """

    key0: wp.uint32
    key1: wp.uint32
    table: wp.int32
    chem: wp.int32
    diffusion: wp.float32
    edge: wp.float32
    half: wp.float32
    pitch0: wp.float32
    pitch1: wp.float32
    slope: wp.float32
    mixing: wp.float32
    across0: wp.int32
    across1: wp.int32
    offset: wp.int32
    states: wp.int32
    transitions: wp.int32
    columns: wp.int32
    disc: wp.int32
    reflecting: wp.int32
    scored: wp.int32
    viewed: wp.int32
    until: wp.float64
    per_page: wp.float64
