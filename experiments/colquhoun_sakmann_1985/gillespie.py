"""Single channels, exactly: Gillespie's algorithm for many independent receptors side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmjmc.kinetics.scheme import Scheme


@dataclass(frozen=True)
class Bursts:
    """What was seen of single channels.

    Attributes:
        openings: openings of each burst [n].
        length: first opening to last closing of each burst [n], ms.
        open_times: of each opening [m], ms.
        gaps: shut times within bursts [k], ms.
    """

    openings: np.ndarray
    length: np.ndarray
    open_times: np.ndarray
    gaps: np.ndarray


def simulate_bursts(scheme: Scheme, q: np.ndarray, count: int, seed: int) -> Bursts:
    """Follow `count` receptors from the opening of a burst to its end.

    A burst ends as the channel leaves the states from which it can open without binding again: with the
    generator at no free transmitter it then never opens.

    Args:
        scheme: with one open state.
        q: its generator without free transmitter [1/ms].
        count: bursts.
        seed: of NumPy's generator.
    """
    generator = np.random.default_rng(seed)
    opened = scheme.index(scheme.open_states[0])
    can_reopen = _leads_to(q, opened)
    state = np.full(count, opened)
    openings, length = np.zeros(count, int), np.zeros(count)
    shut = np.zeros(count)
    open_times, gaps = [], []
    alive = np.arange(count)
    while alive.size:
        here = state[alive]
        dwell = generator.exponential(1.0, alive.size) / -q[here, here]
        is_open = here == opened
        gaps.append(shut[alive[is_open]][openings[alive[is_open]] > 0])
        length[alive[is_open]] += shut[alive[is_open]] + dwell[is_open]
        openings[alive[is_open]] += 1
        open_times.append(dwell[is_open])
        shut[alive] = np.where(is_open, 0.0, shut[alive] + dwell)
        state[alive] = _next_state(q, here, generator.random(alive.size))
        alive = alive[can_reopen[state[alive]]]
    return Bursts(openings, length, np.concatenate(open_times), np.concatenate(gaps))


def _next_state(q: np.ndarray, here: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Where each goes, with probability proportional to the rate."""
    rate = np.where(np.eye(len(q), dtype=bool), 0.0, q)[here]
    cumulative = np.cumsum(rate, axis=1)
    return (cumulative <= u[:, None] * cumulative[:, -1:]).sum(axis=1)


def _leads_to(q: np.ndarray, target: int) -> np.ndarray:
    """Which states can come to the target [s], without transmitter."""
    reach = np.eye(len(q), dtype=bool) | (q > 0)
    for _ in range(len(q)):
        reach = reach @ reach
    return reach[:, target]
