"""How the transmitter leaves the vesicle, and the field of a point source in a cleft.

Through a pore of radius r = r0 + v t (up to the lumen's radius) the vesicle's n molecules leave as
    dn/dt = - D pi r^2 / (L + pi r / 2) n / V,  V = 4/3 pi lumen^3,
which integrates in closed form. With an infinite pore speed all leave at once. Source: physics of a
conducting pore with access resistance (Hille), as in Stiles et al. 1996, PNAS 93:5747.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


class Pore(NamedTuple):
    """A fusion pore.

    Attributes:
        content: molecules in the vesicle.
        lumen: radius of the vesicle's lumen, um.
        speed: of the pore's radius, um/ms; infinite for instantaneous release.
        start: radius at opening, um.
        length: um.
        diffusion: D in the pore, um^2/ms.
    """

    content: Array
    lumen: Array
    speed: Array
    start: Array
    length: Array
    diffusion: Array

    def released(self, time: Float[Array, "*t"]) -> Float[Array, "*t"]:
        """Molecules released by each time [..., ms]; none before time 0."""
        instantaneous = jnp.isinf(self.speed)
        speed = jnp.where(instantaneous, 1.0, self.speed)
        since = jnp.maximum(time, 0.0)
        widening = jnp.minimum(since, (self.lumen - self.start) / speed)
        radius = self.start + speed * widening
        opened = (self._integral(radius) - self._integral(self.start)) / speed
        full = self.lumen**2 / (self.length + 0.5 * np.pi * self.lumen) * (since - widening)
        volume = 4.0 / 3.0 * np.pi * self.lumen**3
        left = jnp.exp(-self.diffusion * np.pi / volume * (opened + full))
        out = jnp.where(instantaneous, 1.0, 1.0 - left)
        return self.content * jnp.where(time >= 0.0, out, 0.0)

    def _integral(self, radius: Array) -> Array:
        """Antiderivative of r^2 / (L + a r), a = pi/2."""
        a = 0.5 * np.pi
        reduced = radius / a - 2.0 * self.length / a**2
        return 0.5 * radius * reduced + self.length**2 / a**3 * jnp.log(self.length + a * radius)


def between_walls(
    nodes: Float[Array, " z"], weights: Float[Array, " z"], start: Array, height: Array, spread: Array
) -> Float[Array, " z"]:
    """A point source at z = start between reflecting walls after D t = spread, integrating to one [z], 1/um.

    Method of images (physics.md 5.3).
    """
    shift = 2.0 * height * np.arange(-4.0, 5.0)

    def bell(centre: Array) -> Array:
        return jnp.exp(-((nodes[:, None] - centre + shift[None, :]) ** 2) / (4.0 * spread)).sum(axis=1)

    profile = bell(start) + bell(-start)
    return profile / (weights @ profile)
