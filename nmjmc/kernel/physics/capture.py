"""Capture of a molecule that takes Gaussian steps of fixed length by surfaces it touches or crosses.

**One side.** A molecule whose raw step ends beyond a reflecting surface is captured with the probability P(k') of
Andrews 2009 (Phys Biol 6:046015, eq. 21), k' = kappa dt / s, s = sqrt(2 D dt): then the captured flux is that of
the velocity kappa in the steady state, to 1 % up to k' = 0.86.

**A transparent plane that captures from both sides.** Fold space about the plane z = 0: p = p_s + p_a, even and odd.
In the continuum D [p'](0) = kappa p(0), and p_a(0) = 0, so p_a feels nothing and p_s obeys D p_s'(0+) =
(kappa / 2) p_s(0): each half sees a reflecting surface of velocity kappa / 2. Under one step a path that crosses
with probability 1 - P of surviving takes p_s(z') on z' > 0 to the sum over z' of G(z - z') + (1 - P) G(z + z'):
exactly Andrews' one-sided operator, whose image term is the path that ended beyond. So each crossing captures with

    P = P21((kappa / 2) dt / s).

The odd part keeps an error P G(z + z') of its own; it has no mass, and its modes die within h^2 / (pi^2 D).

**Several encounters in one step.** In a cleft the raw step is a straight line over mirror images of the planes. It
meets a plane n times, and tries to bind with probability n P: for a uniform density the mean of n is the same as
for one plane in free space, so the flux into each plane is right whatever is behind it.

**Detailed balance.** At a uniform density rho a free site of tile area A captures, in one step, r kappa rho A dt
molecules, where r = P21(k') / (sqrt(2 pi) k') < 1: the rest of the encounters end in release within the step
(Andrews' eq. 32 in the limit of small k dt). So a bound molecule that is due to leave does so with probability r
only, and else stays bound. It must be put where the captured ones would have ended: a raw step that meets the plane
has a length s R, R Rayleigh, and meets it at a uniform fraction of its way, so the distance is s R U, whose density
is erfc(z / (sqrt(2) s)), Andrews' eq. 33; along the plane it moves by the same part U of a Gaussian step.
"""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

COEFFICIENTS = (math.sqrt(2 * math.pi), -3.33321, 3.35669, -1.52092)
LIMIT = 0.86
"""Largest reduced velocity k' for which the polynomial holds."""


def probability(reduced: Float[np.ndarray, "*n"] | float) -> Float[np.ndarray, "*n"]:
    """Chance of capture of a molecule that ended beyond the surface, P(k')."""
    k = np.asarray(reduced, np.float64)
    total = np.zeros_like(k)
    for coefficient in reversed(COEFFICIENTS):
        total = (total + coefficient) * k
    return np.asarray(total)


def leaving(reduced: Float[np.ndarray, "*n"] | float) -> Float[np.ndarray, "*n"]:
    """Chance r that a molecule freed by a site does not bind again within the step, P(k') / (sqrt(2 pi) k')."""
    k = np.asarray(reduced, np.float64)
    total = np.zeros_like(k)
    for coefficient in reversed(COEFFICIENTS[1:]):
        total = (total + coefficient) * k
    return np.asarray(1.0 + total / COEFFICIENTS[0])


def longest(velocity: float, diffusion: float, limit: float = LIMIT) -> float:
    """Longest step at which a surface of this velocity keeps k' to the limit [um/ms, um^2/ms; ms]."""
    return 2.0 * diffusion * (limit / velocity) ** 2 if velocity > 0 else math.inf


def reflected(end: Float[Array, " e"], height: Float[Array, "*b"]) -> Float[Array, " e"]:
    """A raw end point, mirrored until it lies in [0, height]."""
    turn = end - 2.0 * height * jnp.floor(end / (2.0 * height))
    return jnp.clip(jnp.minimum(turn, 2.0 * height - turn), 0.0, height)


def encounters(
    begin: Float[Array, " e"], end: Float[Array, " e"], plane: Float[Array, "*p"], height: Float[Array, "*h"]
) -> Float[Array, " e"]:
    """How often the straight way from `begin` to the raw `end` meets a plane inside [0, height] or its images."""
    inverse = 0.5 / height
    total = jnp.zeros_like(end)
    for image in (plane, -plane):
        total = total + jnp.abs(jnp.floor((end - image) * inverse) - jnp.floor((begin - image) * inverse))
    return total


def first_fraction(
    begin: Float[Array, " e"], end: Float[Array, " e"], plane: Float[Array, "*p"], height: Float[Array, "*h"]
) -> Float[Array, " e"]:
    """Part of the way that is done at the first of these encounters (meaningless where there is none)."""
    up = jnp.where(begin < plane, plane, 2.0 * height - plane)
    down = jnp.where(begin > plane, plane, -plane)
    way = end - begin
    first = jnp.where(way > 0, up, down) - begin
    return jnp.clip(first / jnp.where(jnp.abs(way) > 1e-9, way, 1.0), 0.0, 1.0)
