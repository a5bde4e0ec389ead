"""What the kernel computes with: a `Synapse` lowered to plain arrays, all of them traced."""

from __future__ import annotations

from typing import NamedTuple

from jax import Array
from jaxtyping import Bool, Float, Int, UInt32

from nmjmc.kernel.physics.lattice import Lattice
from nmjmc.kernel.physics.likelihood import JourneyScores

FIRST = 0x100
"""Word of a site in state 0 that has never changed: the state in the low byte, the number of changes above."""


class Shape(NamedTuple):
    """What is compiled in: sizes and kinds, never a parameter.

    `scored` is the number of states where the score function is wanted, else 0.
    """

    sites: int
    transitions: int
    disc: bool
    reflecting: bool
    viewed: bool = False
    scored: int = 0

    @property
    def columns(self) -> int:
        """What is counted of a patch: each transition, escapes, and for scores rejections by the state of the site."""
        return self.transitions + 1 + self.scored


class Chemistry(NamedTuple):
    """All sites' schemes as one: receptor states, then esterase states, then `vacant` (axis s).

    Attributes:
        acceptance: binding rate of a state over the fastest of its plane; for steps the same of the chances of
            capture, and again for the surfaces in folds (f = 2).
        exit_rate: total rate of the spontaneous transitions [1/ms].
        cumulative: cumulative probabilities of the spontaneous (rows 0..s-1) and binding (rows s..2s-1) paths.
        path: transition number of each path.
        target: state after each transition (axis k).
        releases: whether the transition frees an ACh molecule.
        leaving: for steps, chance that a molecule freed into a state gets away within the step.
    """

    acceptance: Float[Array, " fs"]
    exit_rate: Float[Array, " s"]
    cumulative: Float[Array, "2s p"]
    path: Int[Array, "2s p"]
    target: Int[Array, " k"]
    releases: Bool[Array, " k"]
    leaving: Float[Array, " fs"] | None = None

    @property
    def states(self) -> int:
        """Number of states of one set, `vacant` included."""
        return self.path.shape[0] // 2


class Journeys(NamedTuple):
    """Waiting times of a flat cleft as float32; see `survival.SurvivalTables`.

    `scores` where the score function is wanted, else None.
    """

    time: Float[Array, " starts_entries"]
    on_receptor: Float[Array, " starts_entries"]
    scale: Float[Array, " starts"]
    slope: Float[Array, ""]
    mixing_time: Float[Array, ""]
    scores: JourneyScores | None = None


class Folds(NamedTuple):
    """Geometry and lattices of a folded membrane (see `folds`).

    Attributes:
        depth: depth of a fold [um].
        half_width: half the width of its slit [um].
        spacing: distance from fold to fold [um].
        first: number of the leftmost fold.
        bands: crests from left to right.
        pitch: sides of a tile [um]: crests (x, y), walls (depth, y), fold laminae (depth, y).
        across: tiles along these axes (of one crest, one wall, one lamina).
        offset: first tile of crests, walls, cleft lamina and fold laminae.
    """

    depth: Float[Array, ""]
    half_width: Float[Array, ""]
    spacing: Float[Array, ""]
    first: Int[Array, ""]
    bands: Int[Array, ""]
    pitch: Float[Array, "3 2"]
    across: Int[Array, "3 2"]
    offset: Int[Array, "4"]


class Stepping(NamedTuple):
    """Transport by steps of fixed length (see `stepped`).

    Attributes:
        step: length of a step [ms].
        spread: its standard deviation along an axis [um].
        height: height of the cleft [um].
        lamina: height of the esterase plane [um].
        released_at: height at which molecules are released [um].
        chance: chance that an encounter with a surface becomes an attempt: receptors and lamina of the cleft, then
            walls and laminae of the folds.
        folds: the folds, or None in a flat cleft.
    """

    step: Float[Array, ""]
    spread: Float[Array, ""]
    height: Float[Array, ""]
    lamina: Float[Array, ""]
    released_at: Float[Array, ""]
    chance: Float[Array, " f"]
    folds: Folds | None


class Tables(NamedTuple):
    """All numbers of one run.

    Attributes:
        diffusion: D of ACh in the cleft [um^2/ms].
        edge: distance of the rim from the centre (half side of a square, radius of a disc) [um].
        template: initial word of each tile of a vesicle.
        stepping: what stepped transport needs, or None where journeys are exact.
    """

    diffusion: Float[Array, ""]
    edge: Float[Array, ""]
    lattice: Lattice
    chemistry: Chemistry
    journeys: Journeys
    template: UInt32[Array, " sites"]
    stepping: Stepping | None = None
