"""Diffusion along the cleft, exact for any time step: the lateral half of the splitting.

The disc is solved in u = r^2, where (1/r) d/dr (r dc/dr) = 4 d/du (u dc/du): the axis is an ordinary end
point, the area element pi du is constant and a Gaussian is an exponential. The slab is one quarter of the
box, a product of two equal axes with a symmetry plane at the centre.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nmjmc.meanfield.spectral import Operator, diffusion_operator, element_nodes


class Lateral(NamedTuple):
    """The plane of the cleft, discretised.

    Attributes:
        axes: diffusion operator of each axis (one for the disc, two for the slab).
        area: area of membrane that each node stands for [columns], um^2.
        coverage: share of that area that carries sites [columns].
        radius_squared: squared distance of each node from the centre [columns], um^2.
        measure: membrane area per product of the axes' weights (static): pi in u = r^2, 4 for a quarter box.
    """

    axes: tuple[Operator, ...]
    area: Float[Array, " columns"]
    coverage: Float[Array, " columns"]
    radius_squared: Float[Array, " columns"]
    measure: float

    def modes(self, field: Float[Array, "*rest columns"]) -> Float[Array, "*rest modes"]:
        """Amplitudes of the lateral modes [..., modes] of nodal values [..., columns]."""
        return self._transform([axis.to_modes for axis in self.axes], field)

    def nodes(self, amplitudes: Float[Array, "*rest modes"]) -> Float[Array, "*rest columns"]:
        """Nodal values [..., columns] of mode amplitudes [..., modes]."""
        return self._transform([axis.to_nodes for axis in self.axes], amplitudes)

    @property
    def total(self) -> Float[Array, " modes"]:
        """Content of each mode, integrated over the area [modes], um^2."""
        ends = [axis.weights @ axis.to_nodes for axis in self.axes]
        one = ends[0] if len(ends) == 1 else (ends[0][:, None] * ends[1][None, :]).reshape(-1)
        return one * self.measure

    @property
    def decay(self) -> Float[Array, " modes"]:
        """Decay rate of each mode at unit diffusion [modes], 1/um^2."""
        rates = [axis.eigenvalues for axis in self.axes]
        return rates[0] if len(rates) == 1 else (rates[0][:, None] + rates[1][None, :]).reshape(-1)

    def _transform(self, matrices: list[Array], field: Array) -> Array:
        if len(matrices) == 1:
            return field @ matrices[0].T
        along_x, along_y = matrices
        box = field.reshape(*field.shape[:-1], along_x.shape[1], along_y.shape[1])
        box = along_x @ (box @ along_y.T)
        return box.reshape(*field.shape[:-1], -1)

    def gaussian(self, spread: Array) -> Float[Array, " columns"]:
        """A point source at the centre after D t = spread, integrating to one [columns], 1/um^2."""
        bell = jnp.exp(-self.radius_squared / (4.0 * spread))
        return bell / (self.area @ bell)


def geometric_edges(first: Array, last: Array, elements: int) -> Float[Array, " e"]:
    """Element ends 0, first, ..., last, each longer than the one before by one factor [elements + 1]."""
    grown = first * (last / first) ** (np.arange(float(elements)) / (elements - 1))
    return jnp.concatenate([jnp.zeros(1), grown])


def disc(
    radius: Array, first: Array, elements: int, degree: int, *, rim: str, apron: Array, bare: int
) -> Lateral:
    """A round patch of membrane, released at its centre.

    Args:
        radius: of the membrane that carries sites, um.
        first: radius of the innermost element, um.
        elements: number of elements over the radius.
        degree: polynomial degree in each.
        rim: "absorbing", "reflecting" or "open" (bare cleft of width `apron`, absorbing at its outer edge).
        apron: width of the bare cleft, um.
        bare: number of elements over the apron.
    """
    edges = geometric_edges(first, radius, elements)
    if rim == "open":
        edges = jnp.concatenate([edges, radius + apron * np.arange(1.0, bare + 1.0) / bare])
    squared = edges**2
    axis = diffusion_operator(squared, degree, mobility=lambda u: 4.0 * u, absorbing_end=rim != "reflecting")
    _, own = element_nodes(squared, degree)
    return Lateral(
        (axis,), np.pi * axis.weights, own[:elements].sum(axis=0) / axis.weights, axis.nodes, float(np.pi)
    )


def slab(side: Array, first: Array, elements: int, degree: int, *, rim: str) -> Lateral:
    """A square patch of the given side [um], released at its centre; only one quarter is solved."""
    edges = geometric_edges(first, 0.5 * side, elements)
    axis = diffusion_operator(edges, degree, absorbing_end=rim != "reflecting")
    area = 4.0 * (axis.weights[:, None] * axis.weights[None, :]).reshape(-1)
    squared = (axis.nodes[:, None] ** 2 + axis.nodes[None, :] ** 2).reshape(-1)
    return Lateral((axis, axis), area, jnp.ones_like(area), squared, 4.0)
