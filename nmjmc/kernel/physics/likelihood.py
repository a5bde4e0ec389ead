"""How the law of a journey changes with the binding rates: what the score function needs of exact transport.

A run draws the time T to the next binding attempt and the plane it falls on from the density r(T) (receptor) or e(T)
(esterase), which hang on kappa, the fastest binding rate of each plane (see `survival`). The derivatives of log r,
log e and of the log survival by log kappa, at the T that was drawn, are scores: their mean is zero, and the mean of
their product with anything that comes later is the derivative of its mean (Glynn 1990, Commun ACM 33:75).
"""

# Host arrays are put where device arrays are declared; JAX moves them.
# pyright: reportArgumentType=false

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Float, Int

from nmjmc.kernel.physics.survival import ENTRIES, Start, SurvivalTables, cleft_modes
from nmjmc.kinetics.scheme import Scheme

UNIT = 2.0**-12
"""Scores and times are added as whole multiples of this, so that sums do not hang on the order of the summands."""

MOST = 2**18
"""Most events of a kind in one vesicle and one record interval: more might overflow such a sum."""

_STEP = 1e-3  # of log kappa, for central differences in float64
_FAINT = 1e-7  # of the largest flux: fainter ones are not resolved by the modes, nor ever drawn
_CEILING = 0.8  # most that a chance of acceptance may be which changes with a parameter; its score has variance p/(1-p)


class JourneyScores(NamedTuple):
    """Derivatives of a journey's log density by log kappa of the receptor and of the esterase plane (last axis).

    Attributes:
        attempt: of the attempts in each entry of the table, on the esterase plane and on the receptor plane.
        survival: of the survival to the mixing time from each start.
        decay: of the slowest rate.
    """

    attempt: Float[Array, "starts_entries_2 2"]
    survival: Float[Array, "starts 2"]
    decay: Float[Array, " 2"]


def journey_scores(
    table: SurvivalTables,
    diffusion: float,
    height: float,
    plane: float,
    kappa: tuple[float, float],
    released_at: float,
) -> JourneyScores:
    """The scores that belong to a table of journeys.

    Args:
        table: the table.
        diffusion: D [um^2/ms].
        height: of the cleft [um].
        plane: height of the esterase plane [um].
        kappa: fastest binding rates of the receptor plane and of the esterase plane [um/ms].
        released_at: height of the release [um].
    """
    middle = np.column_stack([0.5 * (table.time[:, 1:] + table.time[:, :-1]), table.time[:, -1]])
    floor = 1e-4 * height**2 / diffusion
    attempt = np.zeros((len(Start), ENTRIES, 2, 2))
    survival, decay = np.zeros((len(Start), 2)), np.zeros(2)
    for which in range(2):
        if kappa[which] == 0.0:
            continue
        sides = []
        for sign in (1.0, -1.0):
            near = list(kappa)
            near[which] *= np.exp(sign * _STEP)
            modes = cleft_modes(diffusion, height, plane, near[0], near[1], released_at)
            sides.append(_logarithms(modes, np.maximum(middle, floor), float(table.mixing_time)))
        for side, sign in zip(sides, (1.0, -1.0), strict=True):
            attempt[..., which] += sign * side[0] / (2 * _STEP)
            survival[:, which] += sign * side[1] / (2 * _STEP)
            decay[which] += sign * side[2] / (2 * _STEP)
    attempt = _quiet_where_faint(attempt)
    return JourneyScores(
        attempt.reshape(-1, 2).astype(np.float32), survival.astype(np.float32), decay.astype(np.float32)
    )


def _logarithms(modes, times: np.ndarray, mixing: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Log fluxes [start, entry, plane], log survival at the mixing time [start], log of the slowest rate."""
    flux = np.empty((*times.shape, 2))
    for start, row in enumerate(times):
        decay = np.exp(-np.outer(modes.rate, row))
        flux[start, :, 0] = (modes.start[start] * modes.esterase) @ decay
        flux[start, :, 1] = (modes.start[start] * modes.receptor) @ decay
    faint = flux <= _FAINT * flux.max(axis=1, keepdims=True)
    logarithm = np.where(faint, np.nan, np.log(np.where(faint, 1.0, flux)))
    mixed = (modes.start * modes.total) @ np.exp(-modes.rate * mixing)
    return logarithm, np.log(mixed), float(np.log(modes.rate[0]))


def _quiet_where_faint(attempt: np.ndarray) -> np.ndarray:
    """Scores where a flux was too faint to be resolved: those of the next entry that has one."""
    for start in range(attempt.shape[0]):
        for column in np.ndindex(2, 2):
            row = attempt[start, :, column[0], column[1]]
            known = np.flatnonzero(np.isfinite(row))
            row[:] = np.interp(np.arange(row.size), known, row[known]) if known.size else 0.0
    return attempt


def score_of(
    scores: JourneyScores,
    start: Int[Array, " e"],
    entry: Int[Array, " e"],
    on_receptor: Bool[Array, " e"],
    beyond: Float[Array, " e"],
    cut: Bool[Array, " e"],
    survived: Float[Array, " e"],
) -> Int[Array, "e 2"]:
    """Scores of journeys in units of `UNIT`.

    Args:
        scores: the tables.
        start: `Start` code.
        entry: entry of the table, counted over all starts.
        on_receptor: whether the attempt falls on the receptor plane.
        beyond: hazard beyond the table's end.
        cut: whether the journey was cut short before its attempt.
        survived: hazard between the mixing time and the cut.
    """
    drawn = (
        scores.attempt[2 * entry + on_receptor.astype(jnp.int32)] - scores.decay[None, :] * beyond[:, None]
    )
    alive = scores.survival[start] - scores.decay[None, :] * survived[:, None]
    return jnp.round(jnp.where(cut[:, None], alive, drawn) * (1.0 / UNIT)).astype(jnp.int32)


class Majorant(NamedTuple):
    """The fastest binding rate of a plane as the kernel takes it: that of one state, times a constant.

    Attributes:
        state: number of the state in its scheme.
        headroom: the constant.
    """

    state: int
    headroom: float


def majorant(scheme: Scheme, binding: np.ndarray) -> Majorant:
    """The majorant of a plane whose scores are wanted.

    A chance of acceptance that hangs on the parameters must stay well below one, or its score has no variance to
    speak of. It does not hang on them where a state and the fastest one bind by the same single rate.

    Args:
        scheme: of the plane's sites.
        binding: binding rate of each of its states, transmitter only.
    """
    state = int(binding.argmax())
    names = [
        {t.rate for t in scheme.transitions if t.source == s and t.binds == scheme.transmitter}
        for s in scheme.states
    ]
    changing = [
        binding[k] for k, used in enumerate(names) if used and k != state and len(used | names[state]) > 1
    ]
    share = max(changing, default=0.0) / max(float(binding[state]), 1e-300)
    return Majorant(state, max(1.0, share / _CEILING))
