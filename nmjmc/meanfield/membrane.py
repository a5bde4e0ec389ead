"""A plane of sites that follow a kinetic scheme and exchange transmitter with the cleft next to it.

The occupancies obey dp/dt = Q(a) p, with a the transmitter concentration on the plane. Every implicit step solves
(I - g Q) x = b at each column; the scheme is known when the program is traced, so the elimination is written out
entry by entry, touches no structural zero, and runs over all columns at once. I - g Q is a column-diagonally
dominant M-matrix, for which Gauss elimination needs no pivoting.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

Columns = Float[Array, "columns"]
Entries = dict[tuple[int, int], Array]


class Edge(NamedTuple):
    """One transition of the scheme as the solver sees it (all static).

    Attributes:
        source: index of the state left.
        target: index of the state entered.
        binds: takes one transmitter from the cleft.
        releases: returns one transmitter to the cleft.
        destroys: hydrolyses one transmitter.
    """

    source: int
    target: int
    binds: bool
    releases: bool
    destroys: bool

    @property
    def gain(self) -> int:
        """Transmitter returned to the cleft in this transition."""
        return int(self.releases) - int(self.binds)


class Membrane(NamedTuple):
    """Sites of one kind on one plane.

    Attributes:
        edges: the scheme's transitions.
        rates: rate of each transition [k], um^3/ms if it binds, else 1/ms.
        density: sites per area of membrane, 1/um^2.
        start: occupancy of each state before release [s].
    """

    edges: tuple[Edge, ...]
    rates: Float[Array, "k"]
    density: Float[Array, ""]
    start: Float[Array, "s"]


class Tendency(NamedTuple):
    """Time derivatives on the plane: occupancies [s, columns], transmitter gained and destroyed per site [columns]."""

    occupancy: Float[Array, "s columns"]
    gained: Columns
    destroyed: Columns


class Linear(NamedTuple):
    """The plane's Jacobian at one state, factorised for (I - g Q).

    Attributes:
        factors: entries of the elimination, pivots on the diagonal.
        push: M^-1 dQ/da p, response of the occupancies to the transmitter [s][columns].
        gained: derivatives of the transmitter gained, by state [s] and by transmitter.
        destroyed: the same for the transmitter destroyed.
    """

    factors: Entries
    push: list[Array]
    gained: tuple[list[Array], Array]
    destroyed: tuple[list[Array], Array]


def tendency(membrane: Membrane, ligand: Columns, occupancy: Float[Array, "s columns"]) -> Tendency:
    """Rates of change at transmitter concentration `ligand` [columns, 1/um^3] on the plane."""
    change = [jnp.zeros_like(ligand) for _ in range(occupancy.shape[0])]
    gained = destroyed = jnp.zeros_like(ligand)
    for k, edge in enumerate(membrane.edges):
        flux = membrane.rates[k] * occupancy[edge.source] * (ligand if edge.binds else 1.0)
        change[edge.source] = change[edge.source] - flux
        change[edge.target] = change[edge.target] + flux
        gained = gained + edge.gain * flux
        destroyed = destroyed + float(edge.destroys) * flux
    return Tendency(jnp.stack(change), gained, destroyed)


def linearise(membrane: Membrane, ligand: Columns, occupancy: Float[Array, "s columns"], weight: Array) -> Linear:
    """Jacobian at (ligand, occupancy), with I - weight Q eliminated (weight = gamma dt, ms)."""
    states = range(occupancy.shape[0])
    zero = jnp.zeros_like(ligand)
    entries: Entries = {(i, i): jnp.ones_like(ligand) for i in states}
    by_ligand = [zero for _ in states]
    gained, destroyed = [zero for _ in states], [zero for _ in states]
    gained_by_ligand = destroyed_by_ligand = zero
    for k, edge in enumerate(membrane.edges):
        i, j = edge.source, edge.target
        rate = membrane.rates[k] * (ligand if edge.binds else 1.0)
        entries[i, i] = entries[i, i] + weight * rate
        entries[j, i] = entries.get((j, i), 0.0) - weight * rate
        gained[i] = gained[i] + edge.gain * rate
        destroyed[i] = destroyed[i] + float(edge.destroys) * rate
        if edge.binds:
            slope = membrane.rates[k] * occupancy[i]
            by_ligand[i], by_ligand[j] = by_ligand[i] - slope, by_ligand[j] + slope
            gained_by_ligand = gained_by_ligand + edge.gain * slope
            destroyed_by_ligand = destroyed_by_ligand + float(edge.destroys) * slope
    factors = eliminate(entries, len(states))
    push = substitute(factors, by_ligand)
    return Linear(factors, push, (gained, gained_by_ligand), (destroyed, destroyed_by_ligand))


def eliminate(entries: Entries, size: int) -> Entries:
    """LU factors in place of a sparse matrix given by entries; absent entries are structural zeros."""
    lu = dict(entries)
    for k in range(size):
        below = [i for i in range(k + 1, size) if (i, k) in lu]
        right = [j for j in range(k + 1, size) if (k, j) in lu]
        for i in below:
            lu[i, k] = lu[i, k] / lu[k, k]
            for j in right:
                lu[i, j] = lu.get((i, j), 0.0) - lu[i, k] * lu[k, j]
    return lu


def substitute(lu: Entries, right: list[Array]) -> list[Array]:
    """Solution of the eliminated system for one right-hand side [s][columns]."""
    x = list(right)
    for i in range(len(x)):
        for j in range(i):
            if (i, j) in lu:
                x[i] = x[i] - lu[i, j] * x[j]
    for i in reversed(range(len(x))):
        for j in range(i + 1, len(x)):
            if (i, j) in lu:
                x[i] = x[i] - lu[i, j] * x[j]
        x[i] = x[i] / lu[i, i]
    return x


def dot(slopes: list[Array], x: list[Array]) -> Array:
    """Sum over states of slope times value."""
    return sum((a * b for a, b in zip(slopes, x, strict=True)), start=jnp.zeros_like(x[0]))
