"""The schemes of receptor and esterase as one joint scheme, and its tables.

States are numbered receptor first, then esterase, then one for `vacant` tiles; transitions likewise. A ligand of the
bath binds at a constant rate, so that its binding is a spontaneous transition; only ACh, which is followed molecule by
molecule, binds by arriving. Row s of the tables is what a clock may do in state s, row `states` + s what ACh may.
"""

# Host arrays are put where device arrays are declared; JAX moves them.
# pyright: reportArgumentType=false

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nmjmc.kernel.physics.tables import Chemistry
from nmjmc.kinetics.exact import occupancy
from nmjmc.kinetics.scheme import Scheme
from nmjmc.synapse.model import Synapse
from nmjmc.units import MICROMOLAR


class Arrow(NamedTuple):
    """One transition with its place in the joint scheme."""

    source: int
    target: int
    rate: float
    binds: bool
    releases: bool
    destroys: bool


def arrows(scheme: Scheme, rates: dict, bath: dict, offset: int) -> list[Arrow]:
    """The transitions of one plane's scheme; a bath's binding becomes a spontaneous transition."""
    value, own = scheme.transition_values(rates), scheme.transmitter
    number = {state: offset + at for at, state in enumerate(scheme.states)}
    found = []
    for t, rate in zip(scheme.transitions, value, strict=True):
        transmitter = t.binds == own
        if t.binds and not transmitter:
            rate = rate * float(bath[t.binds]) * MICROMOLAR
        found.append(
            Arrow(
                number[t.source],
                number[t.target],
                float(rate),
                transmitter,
                t.releases == own,
                t.destroys == own,
            )
        )
    return found


def binding_rates(
    receptor: list[Arrow], esterase: list[Arrow], states: int
) -> tuple[np.ndarray, list[float]]:
    """Binding rate of each state, and the fastest of each plane [um^3/ms]."""
    binding, fastest = np.zeros(states), []
    for plane in (receptor, esterase):
        total = np.zeros(states)
        for arrow in plane:
            total[arrow.source] += arrow.rate if arrow.binds else 0.0
        fastest.append(float(total.max()))
        binding += total
    return binding, fastest


def acceptance(binding: np.ndarray, fastest: list[float], receptors: int) -> np.ndarray:
    """Binding rate of each state over the fastest of its plane."""
    own = np.where(np.arange(len(binding)) < receptors, fastest[0], fastest[1])
    return binding / np.maximum(own, 1e-300)


def chemistry(joint: list[Arrow], states: int, acceptance: np.ndarray) -> Chemistry:
    """The joint scheme as tables; row s is what a clock may do in state s, row states + s what a ligand may."""
    paths: list[list[tuple[int, float]]] = [[] for _ in range(2 * states)]
    exit_rate = np.zeros(states)
    for number, arrow in enumerate(joint):
        paths[arrow.source + (states if arrow.binds else 0)].append((number, arrow.rate))
        exit_rate[arrow.source] += 0.0 if arrow.binds else arrow.rate
    width = max(1, *(len(p) for p in paths))
    cumulative, path = np.ones((2 * states, width)), np.zeros((2 * states, width), np.int32)
    for row, found in enumerate(paths):
        rates = np.array([rate for _, rate in found])
        for column, (number, _) in enumerate(found):
            path[row, column:] = number
            cumulative[row, column] = rates[: column + 1].sum() / max(rates.sum(), 1e-300)
        cumulative[row, max(len(found) - 1, 0) :] = 1.0
    return Chemistry(
        acceptance.astype(np.float32),
        exit_rate.astype(np.float32),
        cumulative.astype(np.float32),
        path,
        np.array([a.target for a in joint], np.int32),
        np.array([a.releases for a in joint], bool),
    )


def resting(s: Synapse, receptor: list[Arrow]) -> np.ndarray:
    """Equilibrium of each plane's sites with the bath alone; `receptor`: the transitions of the first plane."""
    scheme = s.receptor.scheme
    states = len(scheme.states) + len(s.esterase.scheme.states)
    resting = np.zeros((2, states))
    rest = scheme.index(scheme.resting)
    if any(arrow.source == rest and not arrow.binds and arrow.rate > 0 for arrow in receptor):
        bath = {name: float(s.receptor.bath[name]) for name in scheme.bath_ligands}
        resting[0, : len(scheme.states)] = occupancy(scheme, s.receptor.rates, 0.0, bath)
    else:
        resting[0, rest] = 1.0
    resting[1, len(scheme.states) + s.esterase.scheme.index(s.esterase.scheme.resting)] = 1.0
    return resting
