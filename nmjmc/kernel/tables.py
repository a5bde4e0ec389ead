"""What the kernel computes with: a `Synapse` lowered to plain arrays, all of them traced."""

from __future__ import annotations

from typing import NamedTuple

from jax import Array
from jaxtyping import Bool, Float, Int, UInt32

from nmjmc.kernel.lattice import Lattice


class Chemistry(NamedTuple):
    """All sites' schemes as one: receptor states, then esterase states, then `vacant` (axis s).

    Attributes:
        acceptance: binding rate of a state over the fastest of its plane.
        exit_rate: total rate of the spontaneous transitions [1/ms].
        cumulative: cumulative probabilities of the spontaneous (rows 0..s-1) and binding (rows s..2s-1) paths.
        path: transition number of each path.
        target: state after each transition (axis k).
        releases: whether the transition frees an ACh molecule.
        resting: state of an undisturbed site on each plane, and its vacancy.
    """

    acceptance: Float[Array, "s"]
    exit_rate: Float[Array, "s"]
    cumulative: Float[Array, "2s p"]
    path: Int[Array, "2s p"]
    target: Int[Array, "k"]
    releases: Bool[Array, "k"]


class Journeys(NamedTuple):
    """Waiting times of a flat cleft as float32; see `survival.SurvivalTables`."""

    time: Float[Array, "starts_entries"]
    on_receptor: Float[Array, "starts_entries"]
    scale: Float[Array, "starts"]
    slope: Float[Array, ""]
    mixing_time: Float[Array, ""]


class Tables(NamedTuple):
    """All numbers of one run.

    Attributes:
        diffusion: D of ACh in the cleft [um^2/ms].
        edge: distance of the rim from the centre (half side of a square, radius of a disc) [um].
        template: initial word of each tile of a vesicle.
    """

    diffusion: Float[Array, ""]
    edge: Float[Array, ""]
    lattice: Lattice
    chemistry: Chemistry
    journeys: Journeys
    template: UInt32[Array, "sites"]
