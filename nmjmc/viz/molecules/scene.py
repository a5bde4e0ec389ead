"""What there is to be seen in a result: molecules, sites, the cleft, and the counts of the patch that is viewed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from nmjmc.data.molecules import Molecules
from nmjmc.data.result import Result
from nmjmc.errors import ValidationError
from nmjmc.kernel.host.sight import FREE, TO_COME
from nmjmc.synapse.cleft import Disc, Folded, half_width

_RESTING_SHOWN = 2500
"""Most sites that are drawn though they never leave rest, of each kind (a choice)."""


@dataclass(frozen=True)
class Scene:
    """A result as something to be seen.

    Attributes:
        result: The result.
        seen: Its molecules and sites in frames.
        tracked: Whether a column of `seen` is one molecule.
        row: Of the viewed patch along the result's vesicles.
        record: The record of each frame.
        half: Half the width of the cleft, its apron included [um].
        height, low: Height of the cleft, and lowest point below the crests [um].
        zoom: Half the width of what most happens in [um].
    """

    result: Result
    seen: Molecules
    tracked: bool
    row: int
    record: Int[np.ndarray, " f"]
    half: float
    height: float
    low: float
    zoom: float

    @property
    def number(self) -> int:
        """Number of the viewed patch."""
        return int(self.result.settings.get("first_vesicle", 0)) + self.row

    def trace(self, name: str) -> Float[np.ndarray, " t"] | Int[np.ndarray, " t"]:
        """What is counted of the viewed patch at each record; `current` [nA], `bound` and `open_channels` too."""
        result = self.result
        if name in ("current", "bound", "open_channels"):
            return np.asarray(getattr(result, name))[self.row]
        return np.asarray(result.counts[name])[self.row]

    def shown_sites(self) -> Int[np.ndarray, " s"]:
        """The sites worth drawing: all that ever leave rest, and an even part of the others."""
        states = self.seen.site_state
        ever = (states != states[:1]).any(axis=0) | self._not_resting()
        chosen = [np.flatnonzero(ever)]
        for kind in (0, 1):
            still = np.flatnonzero(~ever & (self.seen.site_is_esterase == kind))
            chosen.append(still[:: max(1, -(-still.size // _RESTING_SHOWN))])
        return np.sort(np.concatenate(chosen))

    def _not_resting(self) -> np.ndarray:
        rest = resting_codes(self.result)
        return ~np.isin(self.seen.site_state[0], rest)


def resting_codes(result: Result) -> list[int]:
    """The codes of the resting states of both schemes."""
    receptor, esterase = result.synapse.receptor.scheme, result.synapse.esterase.scheme
    return [receptor.index(receptor.resting), len(receptor.states) + esterase.index(esterase.resting)]


def scene_of(result: Result) -> Scene:
    """The scene of a result.

    Raises:
        ValidationError: If it keeps no views.
    """
    seen, tracked = result.molecules, True
    if seen is None:
        seen, tracked = _of_positions(result), False
    if not seen.frames:
        raise ValidationError("the result", "without a frame", "one that has views", _HOW)
    settings = result.settings
    patch = (settings.get("numerics") or {}).get("view_patch")
    row = 0 if patch is None else int(patch) - int(settings.get("first_vesicle", 0))
    cleft = result.synapse.cleft
    half = float(half_width(cleft)) + (float(cleft.apron) if isinstance(cleft, Disc | Folded) else 0.0)
    low = -float(cleft.fold_depth) if isinstance(cleft, Folded) else 0.0
    record = np.clip(np.searchsorted(result.time, seen.time - 1e-9), 0, result.time.size - 1)
    return Scene(result, seen, tracked, row, record, half, float(cleft.height), low, _zoom(seen, half))


_HOW = 'simulate with numerics.view_interval="10 us" (and numerics.view_onset_interval="1 us")'


def _of_positions(result: Result) -> Molecules:
    """What results of the pass of JAX, and old ones, keep: places of free molecules, whose rows are no tracks."""
    if result.positions is None or result.position_time is None:
        raise ValidationError("the result", "one without them", "one with views of molecules", _HOW)
    place = np.asarray(result.positions, np.float32)
    state = np.where(np.isfinite(place[..., 0]), FREE, TO_COME).astype(np.uint8)
    frames, molecules = state.shape
    return Molecules(
        time=np.asarray(result.position_time, np.float64),
        number=np.arange(molecules, dtype=np.int32),
        vesicle=np.zeros(molecules, np.int16),
        state=state,
        place=place,
        site=np.full((frames, molecules), -1, np.int32),
        site_place=np.zeros((0, 3), np.float32),
        site_is_esterase=np.zeros(0, np.uint8),
        site_state=np.zeros((frames, 0), np.uint8),
    )


def _zoom(seen: Molecules, half: float) -> float:
    """Half the width of the square in which most molecules are when the patch is busiest [um]."""
    present = (seen.state > TO_COME) & (seen.state <= 2)
    busy = int(np.argmax((present.sum(axis=1) > 0.5 * present.sum(axis=1).max()).cumsum()))
    place = seen.place[busy][present[busy]]
    if not place.size:
        return half
    reach = float(np.quantile(np.hypot(place[:, 0], place[:, 1]), 0.95))
    return float(np.clip(1.1 * reach, 0.05 * half, half))
