"""Distribution of amplitudes that are sums of quanta: how many there are, and how large each is.

k quanta give an amplitude that is normal about k q with variance k s^2 + noise^2. Written for JAX, so that
likelihoods built on it have exact derivatives.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln, ndtr
from jaxtyping import Array, Float


def poisson(mean: Any, most: int) -> Float[Array, " k"]:
    """Probabilities of 0 to `most` quanta of Poisson release."""
    k = np.arange(most + 1.0)
    return jnp.exp(k * jnp.log(mean) - mean - gammaln(jnp.asarray(k + 1.0)))


def binomial(sites: Any, probability: Any, most: int) -> Float[Array, " k"]:
    """Probabilities of 0 to `most` quanta of n sites; n may be any positive number, summed to one over 0 to n.

    For a whole n this is the binomial distribution. Between whole numbers it is the generalised binomial
    coefficient up to the next whole number, scaled to one, so that n has a derivative.
    """
    k = np.arange(most + 1.0)
    possible = k < sites + 1.0 - 1e-9
    below = jnp.where(possible, sites - k + 1.0, 1.0)
    # as a function of n, the last term fades out as n falls to the whole number below it
    log = gammaln(sites + 1.0) - gammaln(jnp.asarray(k + 1.0)) - gammaln(below)
    log = log + k * jnp.log(probability) + jnp.where(possible, sites - k, 0.0) * jnp.log1p(-probability)
    weights = jnp.where(possible, jnp.exp(log), 0.0)
    return weights / weights.sum()


def bins(
    edges: Float[np.ndarray, " e"],
    weights: Float[Array, " k"],
    quantum: Any,
    quantal_sd: Any,
    noise_sd: Any = 0.0,
) -> Float[Array, " b"]:
    """Probability of each bin, of one or more quanta (failures are counted apart) [b].

    Args:
        edges: Edges of the bins [b + 1].
        weights: Probability of 0, 1, ... quanta [k].
        quantum: Mean amplitude of a quantum, q.
        quantal_sd: SD of the amplitude of a quantum.
        noise_sd: SD of the recording's noise.
    """
    k = jnp.arange(1.0, weights.shape[0])
    centre, spread = k * quantum, jnp.sqrt(k * quantal_sd**2 + noise_sd**2)
    return between((jnp.asarray(edges)[:, None] - centre[None, :]) / spread[None, :]) @ weights[1:]


def between(edges: Float[Array, "e k"]) -> Float[Array, "b k"]:
    """Probability of a standard normal number between neighbouring edges, as exact far above the mean as far below.

    Above the mean the distribution is one but for what is lost in rounding; so that side is turned over. Data that lie
    8 to 38 SD above the model then pull at it, as those below do.
    """
    low, high = edges[:-1], edges[1:]
    above = low > 0
    low, high = jnp.where(above, -high, low), jnp.where(above, -low, high)
    return ndtr(high) - ndtr(low)
