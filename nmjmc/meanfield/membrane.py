"""A plane of sites that follow a kinetic scheme and exchange transmitter with the cleft next to it.

The occupancies obey dp/dt = Q(a) p, with a the transmitter concentration on the plane. An implicit step
solves (I - w Q(a)) p = b at each column. I - w Q is a column-diagonally dominant M-matrix: Gauss
elimination needs no pivoting, and the occupancies stay positive if b is. Derivatives do not pass through
the elimination: a solution p0 is corrected once, p = p0 + M^-1 (b - M p0), which changes nothing but
carries the exact first derivative.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Columns = Float[Array, " columns"]
Occupancies = Float[Array, "s columns"]
Entries = dict[tuple[int, int], Array]


class Reactions(NamedTuple):
    """A scheme as the solver sees it, one entry a transition (all static).

    Attributes:
        source: index of the state left [k].
        change: what each transition adds to each state, -1, 0 or 1 [s, k].
        binds: 1 if it takes a transmitter from the cleft, else 0 [k].
        gain: transmitter returned to the cleft, -1, 0 or 1 [k].
        destroys: transmitter hydrolysed, 0 or 1 [k].
    """

    source: np.ndarray
    change: np.ndarray
    binds: np.ndarray
    gain: np.ndarray
    destroys: np.ndarray


class Membrane(NamedTuple):
    """Sites of one kind on one plane.

    Attributes:
        reactions: the scheme.
        rates: rate of each transition [k], um^3/ms if it binds, else 1/ms.
        density: sites per area of membrane, 1/um^2.
        start: occupancy of each state before release [s].
        own: G of `own_site.own_green`, ms/um^3; zero where the sites are smeared.
    """

    reactions: Reactions
    rates: Float[Array, " k"]
    density: Float[Array, ""]
    start: Float[Array, " s"]
    own: Float[Array, ""]

    def propensity(self, ligand: Columns) -> Float[Array, "k columns"]:
        """First-order rate of each transition [k, columns], 1/ms; below zero, `ligand` counts as zero."""
        level = jnp.maximum(ligand, 0.0)[None, :]
        binds = self.reactions.binds[:, None]
        return self.rates[:, None] * (binds * level + (1.0 - binds))

    def collect(self, flux: Float[Array, "k columns"]) -> tuple[Columns, Columns]:
        """Transmitter gained by the cleft and destroyed, per site [columns], of fluxes [k, columns]."""
        return jnp.asarray(self.reactions.gain) @ flux, jnp.asarray(self.reactions.destroys) @ flux


class Response(NamedTuple):
    """What the sites do in an implicit step, or the derivative of it by the concentration on the plane.

    Attributes:
        occupancy: new occupancies [s, columns].
        gained: transmitter returned to the cleft per site and time [columns], 1/ms; negative if taken.
        destroyed: transmitter hydrolysed per site and time [columns], 1/ms.
    """

    occupancy: Occupancies
    gained: Columns
    destroyed: Columns

    def shifted(self, slope: "Response", change: Columns) -> "Response":
        """The response at a concentration higher by `change` [columns], to first order."""
        return Response(
            self.occupancy + slope.occupancy * change[None, :],
            self.gained + slope.gained * change,
            self.destroyed + slope.destroyed * change,
        )


class Solved(NamedTuple):
    """A response, its derivative by the concentration, and the factors of I - w Q."""

    response: Response
    slope: Response
    factors: Entries


def solve_sites(membrane: Membrane, ligand: Columns, base: Occupancies, weight: Array) -> Solved:
    """Solve p = base + weight Q(ligand) p and say what it takes from the cleft.

    Args:
        membrane: the sites.
        ligand: transmitter concentration on the plane [columns], 1/um^3.
        base: occupancies [s, columns].
        weight: implicit weight w of the step, ms.
    """
    scheme = membrane.reactions
    propensity = membrane.propensity(ligand)
    factors = _factors(scheme, propensity, weight)
    p = _substitute(factors, base)
    bent = (
        membrane.rates[:, None]
        * scheme.binds[:, None]
        * p[scheme.source]
        * (ligand > 0.0).astype(float)[None, :]
    )
    push = _substitute(factors, weight * (scheme.change @ bent))
    slope = propensity * push[scheme.source] + bent
    flux = propensity * p[scheme.source]
    return Solved(Response(p, *membrane.collect(flux)), Response(push, *membrane.collect(slope)), factors)


def respond(membrane: Membrane, ligand: Columns, base: Occupancies, weight: Array, known: Solved) -> Response:
    """The response once more, from its known value, with its derivative by everything but `known`."""
    scheme = membrane.reactions
    propensity = membrane.propensity(ligand)
    p = known.response.occupancy
    rest = base - p + weight * (scheme.change @ (propensity * p[scheme.source]))
    p = p + _substitute(known.factors, rest)
    return Response(p, *membrane.collect(propensity * p[scheme.source]))


def _factors(scheme: Reactions, propensity: Float[Array, "k columns"], weight: Array) -> Entries:
    """LU factors of I - weight Q, entry by entry for all columns at once; a structural zero has no entry."""
    size = scheme.change.shape[0]
    lu: Entries = {(i, i): jnp.ones_like(propensity[0]) for i in range(size)}
    for k, j in enumerate(scheme.source):
        for i in np.flatnonzero(scheme.change[:, k]):
            _subtract(lu, (int(i), int(j)), scheme.change[i, k] * weight * propensity[k])
    for k in range(size):
        for i in range(k + 1, size):
            if (i, k) in lu:
                lu[i, k] = lu[i, k] / lu[k, k]
                for j in range(k + 1, size):
                    if (k, j) in lu:
                        _subtract(lu, (i, j), lu[i, k] * lu[k, j])
    return lu


def _subtract(entries: Entries, where: tuple[int, int], value: Columns) -> None:
    entries[where] = entries[where] - value if where in entries else -value


def _substitute(lu: Entries, right: Occupancies) -> Occupancies:
    """Solution of the factorised system for one right-hand side."""
    x = list(right)
    size = len(x)
    for i in range(size):
        for j in range(i):
            if (i, j) in lu:
                x[i] = x[i] - lu[i, j] * x[j]
    for i in reversed(range(size)):
        for j in range(i + 1, size):
            if (i, j) in lu:
                x[i] = x[i] - lu[i, j] * x[j]
        x[i] = x[i] / lu[i, i]
    return jnp.stack(x)


def freeze(tree: Any) -> Any:
    """The same values without their derivatives; static entries stay."""
    return jax.tree.map(lambda x: jax.lax.stop_gradient(x) if isinstance(x, jax.Array) else x, tree)
