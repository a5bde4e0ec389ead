"""Small synapses whose behaviour is known in closed form, for the tests of the kernel."""

import json

import numpy as np
from scipy.special import gammaln

from nmjmc.kinetics import load_scheme
from nmjmc.synapse import Disc, Esterase, Fibre, Receptor, Slab, Synapse, Vesicle

MOLAR = 1.0 / 6.02214076e11
"""1 /M/s in um^3/ms per molecule."""

SINK = {
    "name": "sink",
    "states": ["S", "X"],
    "resting": "S",
    "conductance": {"X": 1},
    # both states catch alike, so that a site is never busy
    "transitions": [
        {"from": "S", "to": "X", "rate": "capture_rate", "binds": "ACh", "destroys": "ACh"},
        {"from": "X", "to": "S", "rate": "capture_rate", "binds": "ACh", "destroys": "ACh"},
        # never used: a scheme must have a way back to its resting state
        {"from": "X", "to": "S", "rate": "reset_rate"},
    ],
    "q10": {"capture_rate": 1, "reset_rate": 1},
}
"""A surface that catches for ever at the same rate."""

# the same for the other plane, whose states need names of their own
SECOND_SINK = json.loads(json.dumps(SINK).replace('"S"', '"S2"').replace('"X"', '"X2"'))

SIDE, HEIGHT, DIFFUSION = 0.5, 0.03, 0.4
CONDUCTANCE = 6e-5


def sinks(
    kappa_receptor,
    kappa_esterase,
    molecules,
    *,
    density=1e4,
    position=0.5,
    side=SIDE,
    rim="reflecting",
    cleft=None,
):
    """A slab (or `cleft`) whose planes catch at the given velocities [um/ms]; instantaneous release."""
    scheme = load_scheme(SINK)
    rates = [
        {"capture_rate": kappa / density, "reset_rate": 1e-9} for kappa in (kappa_receptor, kappa_esterase)
    ]
    receptor = Receptor(scheme, rates[0], density, CONDUCTANCE)
    esterase = Esterase(load_scheme(SECOND_SINK), rates[1], density, position=position)
    cleft = cleft or Slab(HEIGHT, side, DIFFUSION, rim)
    return Synapse(cleft, receptor, esterase, Vesicle(float(molecules)), Fibre())


def inert(cleft, molecules):
    """A cleft in which nothing binds."""
    scheme = load_scheme(SINK)
    rates = {"capture_rate": 0.0, "reset_rate": 1e-9}
    receptor, esterase = (
        Receptor(scheme, rates, 100.0, CONDUCTANCE),
        Esterase(load_scheme(SECOND_SINK), rates, 0.0),
    )
    return Synapse(cleft, receptor, esterase, Vesicle(float(molecules)), Fibre())


def inert_disc(radius, molecules):
    """A disc in which nothing binds, with an absorbing rim."""
    return inert(Disc(HEIGHT, radius, DIFFUSION), molecules)


def two_site(density, cleft, molecules, *, rates=None, esterase=None):
    """Two-site receptors, by default those of the canonical quantum, and no esterase."""
    given = {"binding_rate": 4e7 * MOLAR, "unbinding_rate": 5.0, "opening_rate": 25.0, "closing_rate": 1.2}
    receptor = Receptor("two_site_sequential", given | (rates or {}), density, CONDUCTANCE)
    none = Esterase("esterase_consuming", {"binding_rate": 2e8 * MOLAR, "deacylation_rate": 16.0}, 0.0)
    return Synapse(cleft, receptor, esterase or none, Vesicle(float(molecules)), Fibre())


def closed_box_moments(weights, sites, volume, molecules):
    """Mean and variance of the number of sites in each binding class, at equilibrium in a closed box.

    The canonical ensemble of independent sites and an ideal gas: the probability of n1 sites with one and n2
    with two molecules is proportional to M!/(n0! n1! n2!) w1^n1 w2^n2 V^F / F!, F = N - n1 - 2 n2.

    Args:
        weights: w1 and w2, the statistical weights of a site per (molecule per um^3) and its square.
        sites: M.
        volume: V [um^3].
        molecules: N.

    Returns:
        Means of (n1, n2) and their variances.
    """
    n1, n2 = np.meshgrid(np.arange(sites + 1), np.arange(sites + 1), indexing="ij")
    free, empty = molecules - n1 - 2 * n2, sites - n1 - n2
    allowed = (free >= 0) & (empty >= 0)
    free, empty = np.maximum(free, 0), np.maximum(empty, 0)
    weight = (
        -gammaln(empty + 1) - gammaln(n1 + 1) - gammaln(n2 + 1) - gammaln(free + 1)
        + n1 * np.log(weights[0]) + n2 * np.log(max(weights[1], 1e-300)) + free * np.log(volume)
    )  # fmt: skip
    weight = np.where(allowed, weight, -np.inf)
    p = np.exp(weight - weight.max())
    p /= p.sum()
    mean = np.array([(p * n1).sum(), (p * n2).sum()])
    return mean, np.array([(p * n1**2).sum(), (p * n2**2).sum()]) - mean**2
