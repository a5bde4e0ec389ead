"""How amplitudes of sums of quanta are distributed, with exact derivatives, for fits of histograms in milliseconds.

The law is that of `compound`: k quanta are normal about k q with variance k s^2 + noise^2. There it is traced, for fits
of a synapse; here it is NumPy, so that no histogram has a program compiled for its number of bins. What falls below a
detection threshold is not seen: of miniatures it is missing, of evoked responses it counts as a failure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import special

Vector = Float[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class Chances:
    """Probabilities and their derivatives by the free parameters.

    Attributes:
        bins: Of the bins [b].
        below: Of a response that is too small to be seen.
        none: Of no quantum.
        bins_slope: [p, b].
        below_slope: [p].
        none_slope: [p].
    """

    bins: Float[np.ndarray, " b"]
    below: float
    none: float
    bins_slope: Float[np.ndarray, "p b"]
    below_slope: Float[np.ndarray, " p"]
    none_slope: Float[np.ndarray, " p"]


def poisson_weights(content: float, most: int) -> tuple[Vector, Float[np.ndarray, "1 n"]]:
    """Probabilities of 0 to `most` quanta, and their derivative by log m."""
    k = np.arange(most + 1.0)
    weights = np.exp(k * np.log(content) - content - special.gammaln(k + 1.0))
    return weights, (weights * (k - content))[None]


def binomial_weights(sites: float, probability: float, most: int) -> tuple[Vector, Float[np.ndarray, "2 n"]]:
    """Probabilities of 0 to `most` quanta of n sites, n any positive number; derivatives by log n and logit p.

    Between whole numbers it is the generalised coefficient up to the next whole number, scaled to one (`compound`).
    """
    k = np.arange(most + 1.0)
    possible = k < sites + 1.0 - 1e-9
    below = np.where(possible, sites - k + 1.0, 1.0)
    log = special.gammaln(sites + 1.0) - special.gammaln(k + 1.0) - special.gammaln(below)
    log += k * np.log(probability) + np.where(possible, sites - k, 0.0) * np.log1p(-probability)
    weights = np.where(possible, np.exp(log), 0.0)
    weights = weights / weights.sum()
    by_sites = special.digamma(sites + 1.0) - special.digamma(below) + np.log1p(-probability)
    by_odds = k * (1.0 - probability) - (sites - k) * probability
    slopes = np.where(possible, np.stack([sites * by_sites, by_odds]), 0.0) * weights
    return weights, slopes - weights * slopes.sum(axis=1, keepdims=True)


def free_weights(logits: Float[np.ndarray, " w"]) -> tuple[Vector, Float[np.ndarray, "w n"]]:
    """Probabilities of 0, 1, 2, ... quanta, of which 0 never comes, from logits against that of one quantum."""
    shares = special.softmax(np.append(0.0, logits))
    slopes = shares[None, :] * (np.eye(shares.size)[1:] - shares[1:, None])
    return np.append(0.0, shares), np.hstack([np.zeros((logits.size, 1)), slopes])


def amplitudes(
    edges: Float[np.ndarray, " e"],
    weights: Float[np.ndarray, " k"],
    weight_slopes: Float[np.ndarray, "w k"],
    quantum: float,
    quantal_sd: float,
    noise_sd: float,
    threshold: float = -np.inf,
) -> Chances:
    """Probabilities of the bins; their derivatives by log q, log s and the parameters of the weights, in this order.

    Args:
        edges: Of the bins [b + 1].
        weights: Of 0, 1, ... quanta [k].
        weight_slopes: Their derivatives.
        quantum: q.
        quantal_sd: s.
        noise_sd: SD of the recording's noise.
        threshold: Responses below it are not seen.
    """
    k = np.arange(1.0, weights.size)
    spread = np.sqrt(k * quantal_sd**2 + noise_sd**2)
    ends = np.append(threshold, np.maximum(edges, threshold))
    z = (ends[:, None] - k * quantum) / spread
    density = np.exp(-0.5 * np.clip(z, -1e3, 1e3) ** 2) / np.sqrt(2.0 * np.pi)
    # the distribution at an edge moves with q and with s by these
    by_q = -density * k * quantum / spread
    by_s = -density * np.where(density > 0, z, 0.0) * k * quantal_sd**2 / spread**2
    share = between(z[1:])
    seen = weights[1:]
    slopes = [
        np.diff(by_q[1:], axis=0) @ seen,
        np.diff(by_s[1:], axis=0) @ seen,
        *(weight_slopes[:, 1:] @ share.T),
    ]
    under = special.ndtr(z[0])
    lost = [by_q[0] @ seen, by_s[0] @ seen, *(weight_slopes[:, 1:] @ under)]
    return Chances(
        share @ seen, float(under @ seen), float(weights[0]), np.stack(slopes), np.array(lost),
        np.array([0.0, 0.0, *weight_slopes[:, 0]]),
    )  # fmt: skip


def between(edges: Float[np.ndarray, "e k"]) -> Float[np.ndarray, "b k"]:
    """Probability of a standard normal number between neighbouring edges, exact in both tails."""
    low, high = edges[:-1], edges[1:]
    above = low > 0
    return special.ndtr(np.where(above, -low, high)) - special.ndtr(np.where(above, -high, low))
