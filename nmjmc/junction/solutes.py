"""Drugs dissolved beside the endplate of which one may bind another: how much of each is free."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nmjmc.synapse.history import Solute as Solute

_SWEEPS = 200
"""Of several hosts, each solved exactly in turn; one needs a single sweep."""


def free(solutes: Sequence[Solute]) -> dict[str, float]:
    """Concentration of each that is not encapsulated, at equilibrium [uM].

    A host of free concentration h leaves n / (1 + sum of h / K) of a guest's n, and h + sum of h g / K is all of it.
    """
    total = {s.name: s.concentration for s in solutes}
    hosts = {s.name: dict(s.guests) for s in solutes if s.guests and s.concentration > 0}
    by_name = {name: total[name] for name in hosts}

    def left(guest: str, levels: dict[str, float]) -> float:
        held = sum(levels[h] / guests[guest] for h, guests in hosts.items() if guest in guests)
        return total[guest] / (1.0 + held)

    for _ in range(_SWEEPS if len(hosts) > 1 else 1):
        before = dict(by_name)
        for host, guests in hosts.items():
            here = {g: k for g, k in guests.items() if g in total}

            def excess(h: float, host: str = host, here: dict[str, float] = here) -> float:
                levels = {**by_name, host: h}
                return h + sum(h * left(g, levels) / k for g, k in here.items()) - total[host]

            by_name[host] = _root(excess, total[host])
        if np.allclose(list(before.values()), list(by_name.values()), rtol=1e-12, atol=0.0):
            break
    return {s.name: by_name.get(s.name, left(s.name, by_name)) for s in solutes}


def _root(excess: object, high: float) -> float:
    """Where a rising function is zero between 0 and `high`."""
    from scipy.optimize import brentq  # slow to import, and needed here alone

    return float(brentq(excess, 0.0, high, xtol=1e-15, rtol=1e-12))  # pyright: ignore[reportArgumentType]  (the root alone)
