"""One step of the column problem: diffusion across the cleft, receptors at its floor, esterase on its plane.

Each lateral node carries a column of the cleft. Diffusion along z and both reactions are advanced TOGETHER by the
L-stable Rosenbrock method ROS2 (Verwer, Spee, Blom & Hundsdorfer 1999, SIAM J Sci Comput 20:1456), gamma = 1 - 1/sqrt 2:
    (I - g J) k1 = f(w),  (I - g J) k2 = f(w + dt k1) - 2 k1,  w' = w + dt (3 k1 + k2) / 2,  g = gamma dt.
Split from diffusion, released transmitter would rebind too often. The linear solve is exact: the inverse across the
cleft is one small matrix for all columns, and the two planes close it through two scalar unknowns a column.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nmjmc.meanfield.membrane import Linear, Membrane, Tendency, dot, linearise, substitute, tendency
from nmjmc.meanfield.spectral import Operator

GAMMA = 1.0 - float(np.sqrt(0.5))


class State(NamedTuple):
    """What evolves.

    Attributes:
        ligand: free transmitter concentration [z, columns], 1/um^3.
        receptor: receptor occupancies [s, columns].
        esterase: esterase occupancies [s, columns].
        destroyed: transmitter hydrolysed per area of cleft [columns], 1/um^2.
    """

    ligand: Float[Array, "z columns"]
    receptor: Float[Array, "s columns"]
    esterase: Float[Array, "t columns"]
    destroyed: Float[Array, "columns"]


class Cleft(NamedTuple):
    """The fixed surroundings of a column.

    Attributes:
        vertical: diffusion operator across the cleft.
        diffusion: D, um^2/ms.
        plane: index of the node of the esterase plane (static).
        receptor: sites on the floor (node 0).
        esterase: sites on the plane.
        coverage: share of a node's area that carries sites [columns].
    """

    vertical: Operator
    diffusion: Float[Array, ""]
    plane: int
    receptor: Membrane
    esterase: Membrane
    coverage: Float[Array, "columns"]

    def planes(self) -> tuple[tuple[int, Membrane], tuple[int, Membrane]]:
        """Node and sites of both planes."""
        return (0, self.receptor), (self.plane, self.esterase)


def _slopes(cleft: Cleft, state: State) -> tuple[Array, Tendency, Tendency]:
    """f(state): change of the ligand [z, columns] and of both planes."""
    generator = cleft.vertical.function(-cleft.diffusion * cleft.vertical.eigenvalues)
    change = generator @ state.ligand
    found = []
    for (node, sites), occupancy in zip(cleft.planes(), (state.receptor, state.esterase), strict=True):
        rates = tendency(sites, state.ligand[node], occupancy)
        found.append(rates)
        density = cleft.coverage * (sites.density / cleft.vertical.weights[node])
        change = change.at[node].add(density * rates.gained)
    return change, found[0], found[1]


class _Stage(NamedTuple):
    """One Rosenbrock increment, with the shape of State."""

    ligand: Array
    receptor: Array
    esterase: Array
    destroyed: Array


class _Solver(NamedTuple):
    """The factorised matrix I - g J of a step."""

    cleft: Cleft
    inverse: Array
    weight: Array
    linear: tuple[Linear, Linear]

    def __call__(self, right: _Stage) -> _Stage:
        """Solve (I - g J) k = right."""
        base = self.inverse @ right.ligand
        nodes = [node for node, _ in self.cleft.planes()]
        bound, loads, slopes = [], [], []
        for (node, sites), linear, occupancy in zip(
            self.cleft.planes(), self.linear, (right.receptor, right.esterase), strict=True
        ):
            density = self.cleft.coverage * sites.density
            bound.append(substitute(linear.factors, list(occupancy)))
            scale = self.weight * density / self.cleft.vertical.weights[node]
            by_state, by_ligand = linear.gained
            loads.append(scale * dot(by_state, bound[-1]))
            slopes.append(scale * (by_ligand + self.weight * dot(by_state, linear.push)))
        felt = self._close([base[n] for n in nodes], loads, slopes, nodes)
        ligand = base
        hydrolysed = right.destroyed
        found = []
        for m, (_, sites) in enumerate(self.cleft.planes()):
            ligand = ligand + self.inverse[:, nodes[m]][:, None] * (loads[m] + slopes[m] * felt[m])[None, :]
            push = self.linear[m].push
            change = [x + self.weight * p * felt[m] for x, p in zip(bound[m], push, strict=True)]
            by_state, by_ligand = self.linear[m].destroyed
            density = self.cleft.coverage * sites.density
            hydrolysed = hydrolysed + self.weight * density * (dot(by_state, change) + by_ligand * felt[m])
            found.append(jnp.stack(change))
        return _Stage(ligand, found[0], found[1], hydrolysed)

    def _close(self, base: list[Array], loads: list[Array], slopes: list[Array], nodes: list[int]) -> list[Array]:
        """Ligand increments on the two planes: x_i = base_i + sum_j G_ij (load_j + slope_j x_j)."""
        g = [[self.inverse[i, j] for j in nodes] for i in nodes]
        b = [base[i] + g[i][0] * loads[0] + g[i][1] * loads[1] for i in range(2)]
        m = [[float(i == j) - g[i][j] * slopes[j] for j in range(2)] for i in range(2)]
        det = m[0][0] * m[1][1] - m[0][1] * m[1][0]
        return [(m[1][1] * b[0] - m[0][1] * b[1]) / det, (m[0][0] * b[1] - m[1][0] * b[0]) / det]


def _right(cleft: Cleft, state: State) -> _Stage:
    change, receptor, esterase = _slopes(cleft, state)
    destroyed = cleft.coverage * (
        cleft.receptor.density * receptor.destroyed + cleft.esterase.density * esterase.destroyed
    )
    return _Stage(change, receptor.occupancy, esterase.occupancy, destroyed)


def _advance(state: State, *terms: tuple[Array | float, _Stage]) -> State:
    parts = [list(state)]
    for scale, stage in terms:
        parts.append([scale * x for x in stage])
    return State(*(sum(column[1:], start=column[0]) for column in zip(*parts, strict=True)))


def step(cleft: Cleft, state: State, dt: Array) -> State:
    """Advance every column by dt [ms]."""
    weight = GAMMA * dt
    inverse = cleft.vertical.function(1.0 / (1.0 + weight * cleft.diffusion * cleft.vertical.eigenvalues))
    linear = (
        linearise(cleft.receptor, state.ligand[0], state.receptor, weight),
        linearise(cleft.esterase, state.ligand[cleft.plane], state.esterase, weight),
    )
    solve = _Solver(cleft, inverse, weight, linear)
    first = solve(_right(cleft, state))
    probe = _right(cleft, _advance(state, (dt, first)))
    second = solve(_Stage(*(a - 2.0 * b for a, b in zip(probe, first, strict=True))))
    return _advance(state, (1.5 * dt, first), (0.5 * dt, second))
