"""Colours and names of what is seen: the same in the page, the film and its legend, on a dark ground."""

from __future__ import annotations

from typing import NamedTuple

from nmjmc.data.result import Result
from nmjmc.kinetics.scheme import Scheme

# Okabe and Ito's palette with its blues lightened for a dark ground.
FREE, BOUND, SPLIT, LEFT = "#F0E442", "#FFFFFF", "#CC79A7", "#7F8C99"
OPEN = "#FF7A1A"
RESTING, RESTING_ESTERASE = "#2B4257", "#2A3D38"
_OTHERS = ("#56B4E9", "#3D8BFD", "#8FD3C8", "#B39DDB", "#A7C957", "#E0B084")
_ESTERASE = ("#1FBF8F", "#8A6FD1", "#C7A35A")
RIM, VESICLE, PORE = "#6F8296", "#C9D6E2", "#FFFFFF"


class Look(NamedTuple):
    """How one state looks: its name, label, colour, size (0 hides it), and whether it is the resting one."""

    name: str
    label: str
    colour: str
    size: float
    rests: bool


def every() -> list[str]:
    """All colours of molecules and of sites that are not at rest."""
    return [FREE, SPLIT, LEFT, OPEN, *_OTHERS, *_ESTERASE]


def looks(result: Result) -> list[Look]:
    """The looks of the receptor's states, then of the esterase's."""
    synapse = result.synapse
    receptor = _looks(synapse.receptor.scheme, _OTHERS, RESTING)
    return receptor + _looks(synapse.esterase.scheme, _ESTERASE, RESTING_ESTERASE)


def _looks(scheme: Scheme, colours: tuple[str, ...], resting: str) -> list[Look]:
    found, other = [], 0
    for state, conductance in zip(scheme.states, scheme.conductance, strict=True):
        if state == scheme.resting:
            found.append(Look(state, state, resting, 0.32, True))
        elif conductance > 0:
            found.append(Look(state, f"{state} (open)", OPEN, 1.15, False))
        else:
            found.append(Look(state, state, colours[other % len(colours)], 0.8, False))
            other += 1
    return found


def rgb(colour: str) -> tuple[float, float, float]:
    """Red, green and blue of a colour, 0 to 1."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue
