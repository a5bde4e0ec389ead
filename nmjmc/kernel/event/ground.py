"""The numbers of transport by steps, and of the folds, as the device reads them; and their put-together on the host."""

# Warp's types stand where Python's are declared.
# pyright: reportInvalidTypeForm=false, reportArgumentType=false, reportOperatorIssue=false, reportReturnType=false
# pyright: reportIndexIssue=false, reportCallIssue=false, reportAttributeAccessIssue=false
# pyright: reportGeneralTypeIssues=false, reportOptionalMemberAccess=false

from __future__ import annotations

from typing import Any

import numpy as np
import warp as wp

from nmjmc.kernel.event.language import no_type_check
from nmjmc.kernel.physics.lower import Lowered

_NO_FOLD = 1e9  # distance of folds in a flat cleft, and none is wide


@wp.struct
@no_type_check
class Ground:
    """What a step needs besides `numbers.Patch`, of one parameter set; lengths in um, times in ms.

    `chance0` to `chance3`: chance that an encounter becomes an attempt, for crests (or the flat membrane), the lamina
    of the cleft, the walls and the laminae of the folds. `pitch` and `across` of crests (x, y), walls (depth, y) and
    fold laminae (depth, y), as in `tables.Folds`; `walls`, `cleft` and `laminae` are the first tiles of these surfaces.
    """

    step: wp.float64
    spread: wp.float32
    height: wp.float32
    lamina: wp.float32
    released_at: wp.float32
    chance0: wp.float32
    chance1: wp.float32
    chance2: wp.float32
    chance3: wp.float32
    folded: wp.int32
    depth: wp.float32
    half_width: wp.float32
    spacing: wp.float32
    first: wp.int32
    bands: wp.int32
    pitch00: wp.float32
    pitch01: wp.float32
    pitch10: wp.float32
    pitch11: wp.float32
    pitch20: wp.float32
    pitch21: wp.float32
    across00: wp.int32
    across01: wp.int32
    across10: wp.int32
    across11: wp.int32
    across20: wp.int32
    across21: wp.int32
    walls: wp.int32
    cleft: wp.int32
    laminae: wp.int32


def grounds(points: list[Lowered]) -> np.ndarray:
    """The numbers of each point, as an array of `Ground`."""
    found: Any = np.zeros(len(points), Ground.numpy_dtype())
    for row, point in zip(found, points, strict=True):
        p = point.tables.stepping
        for name in ("step", "spread", "height", "lamina", "released_at"):
            row[name] = getattr(p, name)
        for number, chance in enumerate(np.asarray(p.chance)):
            row[f"chance{number}"] = chance
        row["half_width"], row["spacing"] = -1.0, _NO_FOLD
        if p.folds is not None:
            _put_folds(row, p.folds)
    return found


def _put_folds(row: Any, folds: Any) -> None:
    row["folded"] = 1
    for name in ("depth", "half_width", "spacing", "first", "bands"):
        row[name] = getattr(folds, name)
    for surface in range(3):
        for axis in range(2):
            row[f"pitch{surface}{axis}"] = folds.pitch[surface, axis]
            row[f"across{surface}{axis}"] = folds.across[surface, axis]
    row["walls"], row["cleft"], row["laminae"] = np.asarray(folds.offset)[1:]
