"""One step of the column problem: diffusion across the cleft, receptors at its floor, esterase on its plane.

Each lateral node carries a column of the cleft. Diffusion along z and both reactions are advanced TOGETHER
by the L-stable, stiffly accurate method SDIRK2 (Alexander 1977, SIAM J Numer Anal 14:1006), g = gamma dt:
    w1 = w + g f(w1),   w2 = w + (1 - gamma)/gamma (w1 - w) + g f(w2),   w' = w2,   gamma = 1 - 1/sqrt 2.
Split from diffusion, released transmitter would rebind too often. Given the concentration on its plane, the
sites' equation is linear, and the field across the cleft follows from the two planes' fluxes through one
small matrix; so each stage is Newton's method on two scalars a column. Whatever its residue, the flux leaves
one side as it enters the other: conservation is exact.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nmjmc.meanfield.membrane import Membrane, Response, Solved, freeze, respond, solve_sites
from nmjmc.meanfield.spectral import Operator

GAMMA = 1.0 - float(np.sqrt(0.5))
# two, and the last one of _implicit: quadratic convergence leaves nothing at the steps of the schedule
NEWTON_STEPS = 2

Pair = tuple[Array, Array]


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
    destroyed: Float[Array, " columns"]


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
    coverage: Float[Array, " columns"]


def step(cleft: Cleft, state: State, dt: Array) -> State:
    """Advance every column by dt [ms]."""
    weight = GAMMA * dt
    inverse = cleft.vertical.function(1.0 / (1.0 + weight * cleft.diffusion * cleft.vertical.eigenvalues))

    def stage(last: State, onward: Array) -> tuple[State, None]:
        base = State(*(w + onward * (w1 - w) for w, w1 in zip(state, last, strict=True)))
        return _implicit(cleft, inverse, base, last, weight), None

    return jax.lax.scan(stage, state, jnp.asarray([0.0, (1.0 - GAMMA) / GAMMA]))[0]


class _Planes(NamedTuple):
    """The concentrations x at the sites: x_i = free_i + sum_j G_ij inflow_j gained_j(x_j) - own_i gained_i(x_i).

    The last term is what the average site has taken from its own surroundings and another does not miss in its own.

    Attributes:
        sites: receptors and esterase.
        bases: their occupancies before the stage [s, columns].
        free: concentration without any flux [columns].
        inflow: concentration at the node per transmitter gained by a site in unit time [columns].
        green: the matrix G across the cleft.
        weight: implicit weight of the stage, ms.
    """

    sites: tuple[Membrane, Membrane]
    bases: Pair
    free: Pair
    inflow: Pair
    green: tuple[Pair, Pair]
    weight: Array

    def newton(self, x: Pair, found: list[Response], slope: list[Response]) -> Pair:
        """One Newton step from x, where the sites answer `found` with derivatives `slope`."""
        load = [s * r.gained for s, r in zip(self.inflow, found, strict=True)]
        bend = [s * r.gained for s, r in zip(self.inflow, slope, strict=True)]
        g, own = self.green, [m.own for m in self.sites]
        f = [x[i] - self.free[i] - g[i][0] * load[0] - g[i][1] * load[1] for i in range(2)]
        f = [f[i] + own[i] * found[i].gained for i in range(2)]
        m = [
            [float(i == j) * (1.0 + own[i] * slope[i].gained) - g[i][j] * bend[j] for j in range(2)]
            for i in range(2)
        ]
        det = m[0][0] * m[1][1] - m[0][1] * m[1][0]
        first = x[0] - (m[1][1] * f[0] - m[0][1] * f[1]) / det
        return first, x[1] - (m[0][0] * f[1] - m[1][0] * f[0]) / det

    def answers(self, x: Pair) -> list[Solved]:
        """Responses of both kinds of sites at x."""
        return [solve_sites(m, a, b, self.weight) for m, a, b in zip(self.sites, x, self.bases, strict=True)]

    def search(self, x: Pair) -> Pair:
        """Newton's method from x."""

        def improve(_: Array, x: Pair) -> Pair:
            responses = self.answers(x)
            return self.newton(x, [a.response for a in responses], [a.slope for a in responses])

        return jax.lax.fori_loop(0, NEWTON_STEPS, improve, x)


def _planes(cleft: Cleft, inverse: Array, base: State, weight: Array) -> _Planes:
    where = (0, cleft.plane)
    sites = (cleft.receptor, cleft.esterase)
    scale = [weight * m.density / cleft.vertical.weights[i] for m, i in zip(sites, where, strict=True)]
    free = inverse[where[0]] @ base.ligand, inverse[where[1]] @ base.ligand
    inflow = cleft.coverage * scale[0], cleft.coverage * scale[1]
    i, j = where
    green = (inverse[i, i], inverse[i, j]), (inverse[j, i], inverse[j, j])
    return _Planes(sites, (base.receptor, base.esterase), free, inflow, green, weight)


def _implicit(cleft: Cleft, inverse: Array, base: State, guess: State, weight: Array) -> State:
    """Solve w = base + weight f(w), starting from the concentrations of `guess` on the two planes.

    The search itself is not differentiated. A last Newton step from its end, with the slopes held constant,
    changes the value by next to nothing and carries the exact first derivative (implicit function theorem).
    """
    planes = _planes(cleft, inverse, base, weight)
    frozen = freeze(planes)
    near = frozen.search(freeze((guess.ligand[0], guess.ligand[cleft.plane])))
    known = frozen.answers(near)
    slope = [k.slope for k in known]
    inputs = zip(planes.sites, near, planes.bases, known, strict=True)
    responses = [respond(m, a, b, weight, k) for m, a, b, k in inputs]
    exact = planes.newton(near, responses, slope)
    final = [r.shifted(s, x - y) for r, s, x, y in zip(responses, slope, exact, near, strict=True)]
    field, destroyed = inverse @ base.ligand, base.destroyed
    for m, i in enumerate((0, cleft.plane)):
        field = field + inverse[:, i][:, None] * (planes.inflow[m] * final[m].gained)[None, :]
        destroyed = destroyed + weight * planes.sites[m].density * cleft.coverage * final[m].destroyed
    return State(field, final[0].occupancy, final[1].occupancy, destroyed)
