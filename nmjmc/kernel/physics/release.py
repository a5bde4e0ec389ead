"""When and where molecules enter the cleft."""

# Host arrays are put where device arrays are declared; JAX moves them.
# pyright: reportArgumentType=false

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np
from jax import Array
from jaxtyping import Float

from nmjmc.kernel.physics import random
from nmjmc.synapse.vesicle import Vesicle

ENTRIES = 2048
_LAST_HAZARD = 30.0  # exp(-30): no molecule of a quantum is later than the table


class PoreTable(NamedTuple):
    """Inverse cumulative hazard of leaving the vesicle, and the pore that a molecule leaves by.

    Attributes:
        time: time after fusion at equally spaced hazards from 0 to the last [ms].
        radius: radius of the pore then [um].
        scale: entries per unit of hazard.
    """

    time: Float[Array, " entries"]
    radius: Float[Array, " entries"]
    scale: Float[Array, ""]


def pore_table(vesicle: Vesicle, diffusion: float) -> PoreTable:
    """How long a molecule stays in a vesicle whose pore grows at a constant speed.

    The contents are well mixed and leave at the rate D pi r^2 / ((L + pi r / 2) V), the pore's diffusive
    conductance with the access resistance of its two mouths over the lumen's volume (Hille 2001, Ion Channels of
    Excitable Membranes, chapter 11); r = r_0 + v t up to the lumen's radius. An infinite speed empties it at once.

    Args:
        vesicle: the vesicle.
        diffusion: D of ACh [um^2/ms].
    """
    pore = (vesicle.pore_speed, vesicle.pore_initial_radius, vesicle.lumen_radius, vesicle.pore_length)
    return _pore_table(*map(float, pore), diffusion)


@functools.lru_cache(maxsize=8)  # points of a sweep often have the same pore
def _pore_table(speed: float, r0: float, lumen: float, length: float, diffusion: float) -> PoreTable:
    if math.isinf(speed):
        zero = np.zeros(ENTRIES, np.float32)
        return PoreTable(zero, zero, np.float32(1.0))
    volume = 4 / 3 * np.pi * lumen**3

    def rate(r: np.ndarray | float) -> np.ndarray | float:
        return diffusion * np.pi * r**2 / ((length + 0.5 * np.pi * r) * volume)

    grown = (lumen - r0) / speed
    late = grown + _LAST_HAZARD / rate(lumen)
    time = np.concatenate([np.linspace(0, grown, 20001), np.linspace(grown, late, 20001)[1:]])
    radius = np.minimum(r0 + speed * time, lumen)
    flux = np.asarray(rate(radius))
    hazard = np.concatenate([[0.0], np.cumsum(0.5 * (flux[1:] + flux[:-1]) * np.diff(time))])
    grid = np.linspace(0, _LAST_HAZARD, ENTRIES)
    at = np.interp(grid, hazard, time)
    return PoreTable(
        at.astype(np.float32),
        np.minimum(r0 + speed * at, lumen).astype(np.float32),
        np.float32((ENTRIES - 1) / _LAST_HAZARD),
    )


def contents(vesicle: Vesicle, seed: int, first: int, count: int) -> np.ndarray:
    """Molecules in each vesicle of each patch, int [count, vesicles of a patch].

    Lognormal with the stated mean and CV, rounded; computed in float64 on the host, so that it is the same on
    every device.
    """
    mean, cv = float(vesicle.content_mean), float(vesicle.content_cv)
    sites = len(np.asarray(vesicle.times))
    patch = np.arange(first, first + count, dtype=np.uint32)[:, None]
    number = np.arange(sites, dtype=np.uint32)[None, :]
    low, high = (np.full_like(patch, half) for half in random.split_seed(seed))
    key = random.host_keys((low, high), patch, random.Purpose.CONTENT)
    w0, w1 = (np.asarray(w, np.float64) for w in random.host_words(key, (number, np.zeros_like(number))))
    normal = np.sqrt(-2 * np.log((w0 + 0.5) / 2**32)) * np.cos(2 * np.pi * (w1 + 0.5) / 2**32)
    width = math.sqrt(math.log1p(cv * cv))
    drawn = np.rint(mean * np.exp(width * normal - 0.5 * width * width))
    return drawn.astype(np.int64).reshape(count, sites)
