"""When a molecule in a flat cleft next tries to bind, and on which plane: exact first-passage tables.

Across the cleft, z is a reflected Brownian motion on [0, h], independent of the motion along it. Binding is
thinned from the fastest rate each plane can have (Lewis & Shedler 1979, Nav Res Logist Q 26:403): attempts fall
on the receptor plane z = 0 at rate kappa_0 per unit of local time and on the transparent esterase plane z = m at
kappa_m; an attempt is accepted with (rate of the tile it falls on) / (fastest rate). The time from a start to
the next attempt is then a one-dimensional survival problem with constant coefficients,

    D phi'' = -mu phi,  phi'(h) = 0,  D phi'(0) = kappa_0 phi(0),  D [phi'](m) = kappa_m phi(m),

whose eigenfunctions are written down and whose eigenvalues mu = D q^2 are found by bisection. Nothing is
discretised: there is no capture probability and no step in space or time to choose.
"""

from __future__ import annotations

import enum
import functools
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

ENTRIES = 2048
"""Rows of a table (a choice); what that leaves stands in docs/numerics.md, and a test holds it."""
TIMES = 1500
"""Times at which the hazard is computed before it is inverted."""

_MODES = 160
_MOST_STEPS = 80  # more than bisection alone takes
_COLUMNS = 125  # pieces of arrays that stay in the cache
_GONE = 60.0  # decays by exp(-60) leave nothing of a mode in float64
_SHORTEST = 1e-4  # of h^2/D: below it the modes are not resolved and the hazard is interpolated from zero
_MIXED = 9.0  # slowest mixing mode decays by exp(-9) before the table ends and the hazard is constant


class Start(enum.IntEnum):
    """Where across the cleft a molecule sets out."""

    RELEASED = 0
    RECEPTOR = 1
    ESTERASE = 2
    MIXED = 3


class SurvivalTables(NamedTuple):
    """Inverse cumulative hazards of the next attempt, one row for each `Start`.

    Attributes:
        time: waiting time at equally spaced hazards [ms].
        on_receptor: probability that the attempt falls on the receptor plane, given its time.
        scale: rows per unit of hazard.
        slope: ms per unit of hazard beyond the table (1 / slowest rate).
        mixing_time: time after which z has its quasi-stationary distribution [ms].
    """

    time: Float[np.ndarray, "starts entries"]
    on_receptor: Float[np.ndarray, "starts entries"]
    scale: Float[np.ndarray, " starts"]
    slope: Float[np.ndarray, ""]
    mixing_time: Float[np.ndarray, ""]


class Modes(NamedTuple):
    """Normalised eigenfunctions of the cleft with two reactive planes.

    Attributes:
        rate: decay rates mu [1/ms].
        start: value of each mode at each start (quasi-stationary density for `Start.MIXED`).
        total: integral of each mode over the cleft.
        receptor: flux weight kappa_0 phi(0).
        esterase: flux weight kappa_m phi(m).
    """

    rate: Float[np.ndarray, " modes"]
    start: Float[np.ndarray, "starts modes"]
    total: Float[np.ndarray, " modes"]
    receptor: Float[np.ndarray, " modes"]
    esterase: Float[np.ndarray, " modes"]


def wave_numbers(h: float, m: float, b: float, e: float, count: int = _MODES) -> Float[np.ndarray, " modes"]:
    """Wave numbers q of the modes, for b = kappa_0/D and e = kappa_m/D [1/um]; sorted, float64.

    A mode is R cos(psi) with slope -q R sin(psi). The phase psi begins at -arctan(b/q), grows by q for each um, falls
    where the esterase plane bends the mode, and ends at n pi; its end grows with q (Sturm), so that root n is alone
    between two bounds and none can be missed. Newton's steps are taken where they stay between.
    """
    # notation: h height, m position of the esterase plane
    end = np.arange(count) * np.pi
    if b == 0.0 and e == 0.0:
        return end / h
    low, high = np.maximum(end / h, 1e-9 / h), (end + 1.5 * np.pi) / h
    q = 0.5 * (low + high)
    for _ in range(_MOST_STEPS):
        excess, slope = _phase(q, h, m, b, e)
        excess -= end
        low, high = np.where(excess < 0, q, low), np.where(excess < 0, high, q)
        step = q - excess / slope
        step = np.where((step >= low) & (step <= high), step, 0.5 * (low + high))
        q, before = step, q
        if np.all(np.abs(q - before) <= 4 * np.spacing(q)):
            break
    return q


def _phase(q: np.ndarray, h: float, m: float, b: float, e: float) -> tuple[np.ndarray, np.ndarray]:
    """The phase of a mode at the upper wall, and its derivative by q."""
    before = q * m - np.arctan(b / q)
    turns = np.round(before / np.pi)
    rest = before - turns * np.pi
    cosine, sine = np.cos(rest), np.sin(rest)
    bent = sine - e / q * cosine
    grown = m + b / (q * q + b * b) + e / (q * q) * cosine**2
    return turns * np.pi + np.arctan2(bent, cosine) + q * (h - m), grown / (cosine**2 + bent**2) + (h - m)


def cleft_modes(
    diffusion: float, h: float, m: float, kappa_0: float, kappa_m: float, released_at: float
) -> Modes:
    """Modes of the cleft [um, ms]; see the module's docstring for the equations."""
    b, e = kappa_0 / diffusion, kappa_m / diffusion
    q = np.maximum(wave_numbers(h, m, b, e), 1e-12)
    length = h - m

    def lower(z: float) -> np.ndarray:
        return np.cos(q * z) + b / q * np.sin(q * z)

    slope = -q * np.sin(q * m) + b * np.cos(q * m) + e * lower(m)
    upper = lower(m) * np.cos(q * length) + slope / q * np.sin(q * length)

    def mode(z: float) -> np.ndarray:
        return lower(z) if z <= m else upper * np.cos(q * (h - z))

    square = (
        0.5 * (1 + (b / q) ** 2) * m
        + 0.25 / q * (1 - (b / q) ** 2) * np.sin(2 * q * m)
        + 0.5 * b / q**2 * (1 - np.cos(2 * q * m))
        + upper**2 * (0.5 * length + 0.25 / q * np.sin(2 * q * length))
    )
    total = np.sin(q * m) / q + b / q**2 * (1 - np.cos(q * m)) + upper * np.sin(q * length) / q
    norm = 1 / np.sqrt(square)
    start = np.stack([mode(released_at), mode(0.0), mode(m), np.zeros_like(q)]) * norm
    start[Start.MIXED, 0] = 1.0 / (total[0] * norm[0])
    return Modes(
        diffusion * q**2,
        start,
        total * norm,
        kappa_0 * mode(0.0) * norm,
        kappa_m * mode(m) * norm,
    )


@functools.lru_cache(maxsize=32)  # points of a sweep often have the same cleft and the same binding
def survival_tables(
    diffusion: float, height: float, plane: float, kappa_0: float, kappa_m: float, released_at: float
) -> SurvivalTables:
    """Tables of the time and the plane of the next attempt.

    Args:
        diffusion: D of the molecule in the cleft [um^2/ms].
        height: cleft height h [um].
        plane: height m of the esterase plane above the receptors [um].
        kappa_0: fastest binding rate of the receptor plane [um/ms].
        kappa_m: fastest binding rate of the esterase plane, both sides together [um/ms].
        released_at: height at which molecules are released [um].

    Returns:
        The tables, float64.
    """
    modes = cleft_modes(diffusion, height, plane, kappa_0, kappa_m, released_at)
    mixing = _MIXED * height**2 / (np.pi**2 * diffusion)
    times = np.geomspace(_SHORTEST * height**2 / diffusion, mixing, TIMES)
    weights = modes.start * np.stack([modes.total, modes.receptor, modes.esterase])[:, None]
    survival, receptor, esterase = _decayed(weights, modes.rate, times)
    share = np.clip(receptor, 0, None) / np.maximum(
        np.clip(receptor, 0, None) + np.clip(esterase, 0, None), 1e-300
    )
    hazard = np.maximum.accumulate(-np.log(np.clip(survival, 1e-300, 1.0)), axis=1)
    slowest = max(float(modes.rate[0]), 1e-30)
    return _invert(times, hazard, share, slowest, mixing)


def _decayed(
    weights: Float[np.ndarray, "sums starts modes"],
    rate: Float[np.ndarray, " modes"],
    times: Float[np.ndarray, " times"],
) -> Float[np.ndarray, "sums starts times"]:
    """Weighted sums of the modes as they decay, `rate` ascending.

    In pieces so small that no library of linear algebra starts its threads, whose waiting for one another takes ten
    times the time of the product, and in one place of memory, because fresh pages cost as much as the exponentials.
    """
    found = np.empty((*weights.shape[:2], len(times)))
    place = np.empty(len(rate) * _COLUMNS)
    for first in range(0, len(times), _COLUMNS):
        part = times[first : first + _COLUMNS]
        alive = max(1, int(np.searchsorted(rate, _GONE / part[0])))
        decay = place[: alive * len(part)].reshape(alive, len(part))
        np.multiply.outer(-rate[:alive], part, out=decay)
        np.exp(decay, out=decay)
        for number, weight in enumerate(weights):
            found[number, :, first : first + len(part)] = weight[:, :alive] @ decay
    return found


def _invert(
    times: np.ndarray, hazard: np.ndarray, share: np.ndarray, slowest: float, mixing: float
) -> SurvivalTables:
    """Equally spaced inverse of the cumulative hazards, each to its own value at the mixing time."""
    time, on_receptor, scale = [], [], []
    for row in range(len(Start)):
        full = np.concatenate([[0.0], hazard[row]])
        t = np.concatenate([[0.0], times])
        last = max(full[-1], 1e-30)
        grid = np.linspace(0.0, last, ENTRIES)
        # hazards that have not begun to rise share one value; keep the latest time of each
        keep = np.append(np.diff(full) > 0, True)
        time.append(np.interp(grid, full[keep], t[keep]))
        on_receptor.append(np.interp(time[-1], times, share[row]))
        scale.append((ENTRIES - 1) / last)
    return SurvivalTables(
        np.stack(time), np.stack(on_receptor), np.array(scale), np.array(1 / slowest), np.array(mixing)
    )
