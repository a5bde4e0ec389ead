"""Exact properties of a continuous-time Markov chain: occupancy, relaxation, dwell and passage times.

Host mathematics in float64 (NumPy and SciPy), for tests, summaries and figures; what is differentiated or
compiled uses `Scheme.q_matrix`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from nmjmc.errors import ValidationError
from nmjmc.kinetics.scheme import Scheme
from nmjmc.units import MICROMOLAR


def generator(
    scheme: Scheme, rates: Mapping[str, Any], concentrations: Mapping[str, float] | None = None
) -> np.ndarray:
    """Generator Q of a scheme at constant concentrations, in float64.

    Args:
        scheme: The scheme.
        rates: Every rate, internal units [um^3/ms or 1/ms].
        concentrations: Concentration of each ligand [uM]; one that is not named is absent.

    Returns:
        Q [1/ms], shape [s, s]: Q[i, j] from state i to state j; rows add up to zero.
    """
    levels = concentrations or {}
    size = len(scheme.states)
    q = np.zeros((size, size))
    for t in scheme.transitions:
        driving = float(levels.get(t.binds, 0.0)) * MICROMOLAR if t.binds else 1.0
        i, j = scheme.index(t.source), scheme.index(t.target)
        q[i, j] += t.factor * float(rates[t.rate]) * driving
    return q - np.diag(q.sum(axis=1))


def equilibrium(q: np.ndarray) -> np.ndarray:
    """Stationary occupancy p of a chain: p Q = 0, sum p = 1.

    By the elimination of Grassmann, Taksar & Heyman, which never subtracts, so that the rarest state has as
    many right digits as the commonest. The chain may have one absorbing state if that is the first.

    Args:
        q: Generator [1/ms], shape [s, s].

    Returns:
        Occupancy, shape [s].

    Raises:
        ValidationError: If the chain has no unique stationary occupancy.

    References:
        Grassmann, Taksar & Heyman 1985, Oper Res 33:1107.
    """
    rate = np.array(q, dtype=np.float64)
    np.fill_diagonal(rate, 0.0)
    for last in range(len(rate) - 1, 0, -1):
        leaving = rate[last, :last].sum()
        if leaving <= 0:
            raise ValidationError(
                "chain", "without a way back to its first state", "one with a unique equilibrium"
            )
        rate[:last, last] /= leaving
        rate[:last, :last] += np.outer(rate[:last, last], rate[last, :last])
    weight = np.zeros(len(rate))
    weight[0] = 1.0
    for state in range(1, len(rate)):
        weight[state] = weight[:state] @ rate[:state, state]
    return weight / weight.sum()


def relaxation(q: np.ndarray, start: np.ndarray, times: Iterable[float]) -> np.ndarray:
    """Occupancy against time: p(t) = p(0) exp(Q t).

    Args:
        q: Generator [1/ms], shape [s, s].
        start: Occupancy at time 0, shape [s].
        times: Times [ms], shape [t].

    Returns:
        Occupancy, shape [t, s].
    """
    import scipy.linalg  # slow to import, and needed here alone

    return np.stack([np.asarray(start) @ scipy.linalg.expm(q * t) for t in times])


def dwell_times(q: np.ndarray) -> np.ndarray:
    """Mean sojourn in each state, -1/Q[i, i] [ms], shape [s]; infinite in an absorbing state."""
    with np.errstate(divide="ignore"):
        return 1.0 / np.abs(np.diag(q))


def first_passage(q: np.ndarray, targets: Iterable[int]) -> np.ndarray:
    """Mean time to reach a set of states: -Q_TT m = 1 over the other states T.

    Args:
        q: Generator [1/ms], shape [s, s].
        targets: Numbers of the states to be reached.

    Returns:
        Mean time from each state [ms], shape [s]; 0 in the targets, infinite where they may never be reached.
    """
    goal = set(targets)
    sure = _surely_reach(q, goal)
    time = np.full(len(q), np.inf)
    time[sorted(goal)] = 0.0
    inner = [i for i in range(len(q)) if i in sure and i not in goal]
    if inner:
        time[inner] = np.linalg.solve(-q[np.ix_(inner, inner)], np.ones(len(inner)))
    return time


def reachable(q: np.ndarray, start: Iterable[int]) -> set[int]:
    """Numbers of the states that can be reached from some state of `start`, which belong to them."""
    found, frontier = set(start), list(start)
    while frontier:
        here = frontier.pop()
        ahead = {int(j) for j in np.flatnonzero(q[here] > 0)} - found
        found |= ahead
        frontier.extend(ahead)
    return found


def cycle_imbalance(q: np.ndarray) -> float:
    """Largest net flow between two states at equilibrium, relative to the larger of its two flows.

    Zero for a chain that obeys microscopic reversibility (no cycle turns by itself).
    """
    flow = equilibrium(q)[:, None] * np.where(np.eye(len(q), dtype=bool), 0.0, q)
    larger = np.maximum(flow, flow.T)
    return float(np.max(np.abs(flow - flow.T) / np.where(larger > 0, larger, 1.0)))


def _surely_reach(q: np.ndarray, goal: set[int]) -> set[int]:
    """States from which the goal is reached with certainty: nothing they can lead to is cut off from it."""
    able = {i for i in range(len(q)) if reachable(q, [i]) & goal}
    stopped = q.copy()
    stopped[sorted(goal)] = 0.0  # what lies behind the goal does not matter
    return {i for i in able if reachable(stopped, [i]) <= able}
