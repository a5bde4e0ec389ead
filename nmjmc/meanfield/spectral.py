"""One-dimensional spectral elements: a diffusion operator that a dozen nodes resolve to five digits.

On each element the concentration is a polynomial through the Gauss-Lobatto-Legendre (GLL) nodes; the same
nodes carry the quadrature, so the mass matrix is diagonal and a reaction acts node by node. Element ends
are nodes, so a reactive plane lies exactly on one. Source: Karniadakis & Sherwin, Spectral/hp Element
Methods for CFD, ch. 2.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.polynomial import legendre


class Operator(NamedTuple):
    """A self-adjoint diffusion operator of unit diffusion coefficient in its eigenbasis.

    Attributes:
        nodes: coordinates of the nodes [i].
        weights: quadrature weights of the nodes [i]; their sum is the length of the domain.
        eigenvalues: decay rates of the modes at unit diffusion [m], zero or positive.
        to_nodes: nodal values of the modes [i, m].
        to_modes: projection of nodal values on the modes [m, i].
    """

    nodes: Float[Array, " i"]
    weights: Float[Array, " i"]
    eigenvalues: Float[Array, " m"]
    to_nodes: Float[Array, "i m"]
    to_modes: Float[Array, "m i"]

    def function(self, values: Float[Array, " m"]) -> Float[Array, "i i"]:
        """The matrix f(L) [i, i] from f at every eigenvalue [m]."""
        return (self.to_nodes * values[None, :]) @ self.to_modes


@cache
def lobatto(degree: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """GLL nodes [p], weights [p] and differentiation matrix [p, p] on [-1, 1], p = degree + 1."""
    top = legendre.Legendre.basis(degree)
    nodes = np.concatenate([[-1.0], np.sort(top.deriv().roots().real), [1.0]])
    values = top(nodes)
    weights = 2.0 / (degree * (degree + 1) * values**2)
    gap = nodes[:, None] - nodes[None, :] + np.eye(degree + 1)
    derivative = values[:, None] / values[None, :] / gap
    np.fill_diagonal(derivative, 0.0)
    derivative[0, 0], derivative[-1, -1] = -degree * (degree + 1) / 4, degree * (degree + 1) / 4
    return nodes, weights, derivative


def element_nodes(edges: Float[Array, " e"], degree: int) -> tuple[Float[Array, " i"], Float[Array, "e-1 i"]]:
    """Nodes [i] of the elements, and each element's own quadrature weights spread on them [e-1, i]."""
    reference, weights, _ = lobatto(degree)
    lengths = jnp.diff(edges)
    inner = edges[:-1, None] + 0.5 * lengths[:, None] * (1.0 + reference[None, :])
    nodes = jnp.concatenate([inner[:, :-1].reshape(-1), edges[-1:]])
    spread = np.zeros((lengths.shape[0], nodes.shape[0]))
    np.put_along_axis(spread, _members(lengths.shape[0], degree), weights[None, :], axis=1)
    return nodes, 0.5 * lengths[:, None] * spread


def _members(elements: int, degree: int) -> np.ndarray:
    """The nodes of each element [e, p]; neighbours share one."""
    return degree * np.arange(elements)[:, None] + np.arange(degree + 1)[None, :]


def diffusion_operator(
    edges: Float[Array, " e"],
    degree: int,
    *,
    mobility: Callable[[Array], Array] = jnp.ones_like,
    absorbing_end: bool = False,
) -> Operator:
    """Operator L c = d/dx (mobility dc/dx), no flux at the first end; the last reflects or absorbs.

    Args:
        edges: ends of the elements, increasing [e].
        degree: polynomial degree in each element.
        mobility: coefficient as a function of the coordinate, polynomial of degree one at most (then exact).
        absorbing_end: hold c = 0 at the last node.

    Returns:
        The operator, with rows of zeros for a node held at zero.
    """
    _, gauss, derivative = lobatto(degree)
    nodes, own = element_nodes(edges, degree)
    weights = own.sum(axis=0)
    size = weights.shape[0]
    index = _members(edges.shape[0] - 1, degree)
    local = gauss[None, :] * mobility(nodes[index]) * (2.0 / jnp.diff(edges))[:, None]
    blocks = derivative.T[None, :, :] @ (local[:, :, None] * derivative[None, :, :])
    stiffness = jnp.zeros((size, size)).at[index[:, :, None], index[:, None, :]].add(blocks)
    kept = size - 1 if absorbing_end else size
    root = jnp.sqrt(weights[:kept])
    eigenvalues, modes = jnp.linalg.eigh(stiffness[:kept, :kept] / (root[:, None] * root[None, :]))
    pad = ((0, size - kept), (0, 0))
    to_nodes = jnp.pad(modes / root[:, None], pad)
    to_modes = jnp.pad(modes * root[:, None], pad).T
    return Operator(nodes, weights, jnp.maximum(eigenvalues, 0.0), to_nodes, to_modes)
