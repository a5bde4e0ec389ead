"""Bursts of a single channel: openings, gaps and their durations, for any scheme.

Notation of Colquhoun & Hawkes 1982 (Phil Trans R Soc B 300:1): A the open states, B the shut states within
a burst, G_AB = -Q_AA^-1 Q_AB the probabilities to leave A for B.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmjmc.errors import ValidationError
from nmjmc.kinetics.chain import equilibrium, generator, reachable
from nmjmc.kinetics.scheme import Scheme


@dataclass(frozen=True)
class Burst:
    """Means over the bursts of one channel at a vanishing concentration of transmitter.

    Attributes:
        openings: Openings a burst.
        open_time: Duration of an opening [ms].
        gap: Duration of a gap within a burst [ms]; NaN where there is none.
        total_open_time: Open time a burst [ms].
        length: First opening to last closing [ms].
    """

    openings: float
    open_time: float
    gap: float
    total_open_time: float
    length: float

    @property
    def gaps(self) -> float:
        """Gaps a burst, one less than the openings."""
        return self.openings - 1.0


def burst(
    scheme: Scheme,
    rates: Mapping[str, Any],
    bath: Mapping[str, float] | None = None,
    gap_states: Iterable[str] | None = None,
) -> Burst:
    """Burst statistics of a scheme.

    For R <-> AR <-> A2R <-> A2Ro: openings 1 + beta/2k-, gap 1/(beta + 2k-), length N/alpha + (N - 1) gap.

    Args:
        scheme: The scheme.
        rates: Every rate, internal units.
        bath: Concentration of each ligand but the transmitter [uM].
        gap_states: Shut states that count as gaps within a burst; by default those from which the channel can
            open again without binding transmitter (among them a desensitised state that keeps its molecules).

    Returns:
        The means.

    Raises:
        ValidationError: If the scheme has no open state, or a burst would never end.

    References:
        Colquhoun & Hawkes 1982, Phil Trans R Soc B 300:1, section 3.
        Colquhoun & Sakmann 1985, J Physiol 369:501.
    """
    q = generator(scheme, rates, bath)
    inside = [scheme.index(s) for s in scheme.open_states]
    if not inside:
        raise ValidationError("scheme", repr(scheme.name), "one with a conducting state")
    between = _gap_indices(scheme, q, inside, gap_states)
    first = _first_opening(scheme, rates, bath, inside, between)
    return _means(q, inside, between, first)


def _means(q: np.ndarray, inside: list[int], between: list[int], first: np.ndarray) -> Burst:
    # notation: a, b inverse of -Q_AA, -Q_BB (mean times); g_ab, g_ba as in the paper
    a = np.linalg.inv(-q[np.ix_(inside, inside)])
    b = np.linalg.inv(-q[np.ix_(between, between)])
    g_ab, g_ba = a @ q[np.ix_(inside, between)], b @ q[np.ix_(between, inside)]
    again = np.eye(len(inside)) - g_ab @ g_ba
    if np.linalg.det(again) <= 1e-12:
        raise ValidationError("burst", "endless", "one that ends", "name the gap_states")
    visits = np.linalg.solve(again.T, first)  # openings a burst that begin in each open state
    openings, opened = float(visits.sum()), float((visits @ a).sum())
    shut = float((visits @ g_ab @ b @ g_ba).sum())
    gap = shut / (openings - 1.0) if openings - 1.0 > 1e-12 else float("nan")
    return Burst(openings, opened / openings, gap, opened, opened + shut)


def _gap_indices(scheme: Scheme, q: np.ndarray, inside: list[int], given: Iterable[str] | None) -> list[int]:
    if given is not None:
        return [scheme.index(s) for s in given]
    shut = [i for i in range(len(q)) if i not in inside]
    return [i for i in shut if reachable(q, [i]) & set(inside)]


def _first_opening(
    scheme: Scheme,
    rates: Mapping[str, Any],
    bath: Mapping[str, float] | None,
    inside: list[int],
    between: list[int],
) -> np.ndarray:
    """Where the first opening begins: the flow from outside at a trace of transmitter, sent on to A."""
    if len(inside) == 1:
        return np.ones(1)
    q = generator(scheme, rates, {scheme.transmitter: 1e-9, **(bath or {})})
    outside = [i for i in range(len(q)) if i not in inside and i not in between]
    order = [scheme.index(scheme.resting)] + [i for i in range(len(q)) if i != scheme.index(scheme.resting)]
    occupancy = np.empty(len(q))
    occupancy[order] = equilibrium(q[np.ix_(order, order)])
    b = np.linalg.inv(-q[np.ix_(between, between)])
    through = q[np.ix_(outside, between)] @ b @ q[np.ix_(between, inside)]
    flow = occupancy[outside] @ (q[np.ix_(outside, inside)] + through)
    with np.errstate(
        invalid="ignore"
    ):  # nothing flows in where a bath alone opens: such a burst is refused as endless
        return flow / flow.sum()
