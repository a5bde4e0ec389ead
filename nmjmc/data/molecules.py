"""What was seen of one patch: where each molecule is in each frame, in which state, and the states of the sites."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmjmc.errors import ValidationError
from nmjmc.kernel.host.sight import KINDS

NAMES = {
    "time": "frame",
    "number": "molecule",
    "vesicle": "molecule_vesicle",
    "state": "molecule_state",
    "place": "molecule_place",
    "site": "molecule_site",
    "site_place": "site_place",
    "site_is_esterase": "site_is_esterase",
    "site_state": "site_state",
}
"""The name in a file of each field."""


@dataclass(frozen=True, eq=False, repr=False)
class Molecules:
    """Molecules and sites of one patch in frames; a column is the same molecule, or the same site, in all of them.

    x and y are counted from the middle of the patch, z from the postsynaptic membrane (of folds: their crests).

    Attributes:
        time: Of each frame, float64 [frame] [ms].
        number: Of each molecule in its patch, int32 [molecule]; with `view_molecules` not all are kept.
        vesicle: From which vesicle of the patch it comes, int16 [molecule].
        state: uint8 [frame, molecule], index in `KINDS`: to come, free, bound, split, left.
        place: float32 [frame, molecule, 3] [um], to 0.12 nm; NaN before it is released. Of a bound molecule, and of one
            that was split, it is the place of the site; of one that has left, where it did. Where transport is exact,
            the height of a free one is drawn evenly across the cleft, because a journey does not follow it.
        site: The site that holds it or has split it, int32 [frame, molecule], index along `site`; -1 for none.
        site_place: The middle of each site's tile, float32 [site, 3] [um].
        site_is_esterase: Whether it is an esterase, else a receptor, uint8 [site].
        site_state: uint8 [frame, site], index in the receptor's states followed by the esterase's.
    """

    time: np.ndarray
    number: np.ndarray
    vesicle: np.ndarray
    state: np.ndarray
    place: np.ndarray
    site: np.ndarray
    site_place: np.ndarray
    site_is_esterase: np.ndarray
    site_state: np.ndarray

    def __post_init__(self) -> None:
        frames, molecules, sites = self.time.size, self.number.size, len(self.site_place)
        for name, shape in (
            ("state", (frames, molecules)), ("site", (frames, molecules)), ("place", (frames, molecules, 3)),
            ("site_state", (frames, sites)), ("site_is_esterase", (sites,)), ("vesicle", (molecules,)),
        ):  # fmt: skip
            attribute = getattr(self, name).shape
            if attribute != shape:
                raise ValidationError(f"molecules.{name}", f"of shape {attribute}", f"of shape {shape}")

    @property
    def frames(self) -> int:
        """Number of frames."""
        return self.time.size

    def free_places(self) -> np.ndarray:
        """Places of the free molecules alone, float32 [frame, most, 3] [um]; NaN past the last of a frame."""
        free = self.state == KINDS.index("free")
        numbers = np.full((self.frames, int(free.sum(axis=1).max(initial=0)), 3), np.nan, np.float32)
        for row, place, chosen in zip(numbers, self.place, free, strict=True):
            row[: int(chosen.sum())] = place[chosen]
        return numbers

    def count(self, kind: str) -> np.ndarray:
        """How many molecules are in a state of `KINDS`, int [frame]."""
        return (self.state == KINDS.index(kind)).sum(axis=1)

    def __repr__(self) -> str:
        span = f"{self.time[0]:g} to {self.time[-1]:g} ms" if self.frames else "none"
        return f"Molecules: {self.number.size:,} of {self.frames} frames ({span}), {len(self.site_place):,} sites"
