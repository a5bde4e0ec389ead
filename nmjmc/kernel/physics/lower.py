"""From a `Synapse` to the arrays that the kernel computes with."""

# Host arrays are put where device arrays are declared; JAX moves them.
# pyright: reportArgumentType=false

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from nmjmc.carried import internal
from nmjmc.errors import ValidationError
from nmjmc.kernel.numerics import Numerics
from nmjmc.kernel.physics import folds, joint_scheme, likelihood, survival
from nmjmc.kernel.physics import lattice as lattices
from nmjmc.kernel.physics.likelihood import Majorant
from nmjmc.kernel.physics.stepping import Surface, chosen, lower_stepping
from nmjmc.kernel.physics.tables import FIRST, Folds, Journeys, Shape, Tables
from nmjmc.synapse.cleft import Folded, Slab, half_width
from nmjmc.synapse.model import Synapse
from nmjmc.synapse.modifier import get, replace

_STEP = 2**0.25
# largest standard deviation of the shortest journey over the way from the centre to the rim: up to here the escape from
# a disc and from a square agrees with the series (a choice, by trial)
_DISC_ROOM, _SLAB_ROOM = 0.28, 0.56
RANDOM_TILES = 4.0
"""Tiles for each esterase that stands at random (a choice: three quarters of the variance of infinitely many)."""


class Lowered(NamedTuple):
    """A synapse ready to run.

    Attributes:
        tables: the numbers, all traced.
        shape: what is compiled in.
        stoichiometry: change of each counted quantity by each transition, [k + 1, q] (last row: escape).
        names: the counted quantities.
        start: their values in an undisturbed patch, [q].
        resting: probabilities of the states of each plane's sites before release, [2, s].
        fastest: the fastest process that limits the time step, and its rate [1/ms].
        step: length of the steps of stepped transport [ms], else None.
        link: length of the journeys cut short near a rim [ms].
        majorants: the fastest binding rate of each plane, where scores are wanted.
    """

    tables: Tables
    shape: Shape
    stoichiometry: np.ndarray
    names: tuple[str, ...]
    start: np.ndarray
    resting: np.ndarray
    fastest: tuple[str, float]
    step: float | None = None
    link: float = math.inf
    majorants: tuple[Majorant, ...] = ()


def lower(
    synapse: Synapse,
    numerics: Numerics | None = None,
    scores: bool = False,
    dilution: tuple[float, float] = (1.0, 1.0),
) -> Lowered:
    """The arrays of a synapse at its own temperature and potential.

    Args:
        synapse: the synapse.
        numerics: settings; they choose the transport.
        scores: whether what the score function needs is kept.
        dilution: tiles for each receptor and for each esterase.

    Raises:
        ValidationError: If the kernel cannot run it.
    """
    s, numerics = _denser(synapse.effective(), dilution), numerics or Numerics()
    ground = _folded_ground(s) if isinstance(s.cleft, Folded) else _flat_ground(s)
    lattice = ground.lattice
    receptor = joint_scheme.arrows(s.receptor.scheme, s.receptor.rates, s.receptor.bath, 0)
    esterase = joint_scheme.arrows(s.esterase.scheme, s.esterase.rates, {}, len(s.receptor.scheme.states))
    joint = receptor + esterase
    states = len(s.receptor.scheme.states) + len(s.esterase.scheme.states) + 1
    binding, fastest = joint_scheme.binding_rates(receptor, esterase, states)
    majorants = _majorants(s, binding, chosen(numerics, s)) if scores else ()
    fastest = [rate * m.headroom for rate, m in zip(fastest, majorants, strict=True)] if scores else fastest
    chemistry = joint_scheme.chemistry(
        joint, states, joint_scheme.acceptance(binding, fastest, len(s.receptor.scheme.states))
    )
    stepping, limits = None, {}
    if chosen(numerics, s):
        stepping, accept, leave = lower_stepping(s, numerics, ground.surfaces, binding, fastest, ground.folds)
        chemistry = chemistry._replace(acceptance=accept, leaving=leave)
        journeys = _no_journeys(float(stepping.step))
    else:
        kappa = [k / f.area for k, f in zip(fastest, ground.surfaces, strict=True)]
        journeys, often = _journeys(s, kappa, scores)
        limits = {"a binding attempt": often}
    capacity = _rung(sum(live.size for _, live in ground.live))
    template, counts = _template(s, ground.live, capacity, states)
    edge = float(half_width(s.cleft)) + (0.0 if isinstance(s.cleft, Slab) else float(s.cleft.apron))
    tables = Tables(
        np.float32(s.cleft.diffusion), np.float32(edge), lattice, chemistry, journeys, template, stepping
    )
    viewed = stepping is None and numerics.view_interval is not None
    shape = Shape(capacity, len(joint), not isinstance(s.cleft, Slab), s.cleft.rim == "reflecting", viewed)
    shape = shape._replace(scored=states if scores else 0)
    names, change, start = _counted(s, joint, counts)
    limits["a transition of a site"] = float(chemistry.exit_rate.max())
    name = max(limits, key=lambda k: limits[k])
    step = None if stepping is None else float(stepping.step)
    cut = stepping is None and (shape.disc or not shape.reflecting)
    link = float(journeys.mixing_time) if cut else math.inf
    if cut:
        _check_room(s, float(np.sqrt(2 * float(s.cleft.diffusion) * link)), edge)
    limit = (name, limits[name])
    rest = joint_scheme.resting(s, receptor)
    return Lowered(tables, shape, change, names, start, rest, limit, step, link, majorants)


def placing(s: Synapse, dilution: tuple[float, float] = (1.0, 1.0)) -> tuple[tuple[float, float], int]:
    """Tiles for each receptor and for each esterase, and how many esterases are drawn from theirs.

    Args:
        s: the synapse.
        dilution: as asked for by the caller; above 1 each tile has its chance, so that densities have a score.

    Returns:
        The tiles, and the number of sites; -1 where each tile has its chance, or all hold one.
    """
    if s.esterase.placement != "random" or dilution[1] != 1.0:
        return dilution, -1
    enzyme = float(s.esterase.density) * float(s.esterase.active_fraction)
    half = float(half_width(s.cleft))
    number = lattices.whole_sites(enzyme, half, None if isinstance(s.cleft, Slab) else half)
    return (dilution[0], RANDOM_TILES), number


def _denser(s: Synapse, factors: tuple[float, float]) -> Synapse:
    """The synapse with the densities of receptors and esterases multiplied."""
    for path, factor in zip(("receptor.density", "esterase.density"), factors, strict=True):
        if factor != 1.0:
            s = replace(s, path, internal(factor * float(get(s, path))))
    return s


def _check_room(s: Synapse, spread: float, edge: float) -> None:
    """Refuse a cleft so narrow for its height that journeys cannot be cut short enough near its rim.

    Raises:
        ValidationError: If the shortest journey's standard deviation is more than a fraction of the way to the rim.
    """
    slab = isinstance(s.cleft, Slab)
    least = spread / (_SLAB_ROOM if slab else _DISC_ROOM)
    if edge < least:
        height = f"for a cleft {float(s.cleft.height) * 1e3:.3g} nm high"
        if slab:
            raise ValidationError("cleft.side", f"{2 * edge:.3g} um", f"at least {2 * least:.3g} um {height}")
        raise ValidationError("cleft.exit_radius", f"{edge:.3g} um", f"at least {least:.3g} um {height}")


class Ground(NamedTuple):
    """Where the sites stand.

    Attributes:
        lattice: the square lattices.
        folds: those of the folds, or None.
        live: plane of the sites and live tiles of each surface, in the order of the tiles.
        surfaces: what captures, in the order of `Stepping.chance`.
    """

    lattice: lattices.Lattice
    folds: Folds | None
    live: list[tuple[int, np.ndarray]]
    surfaces: list[Surface]


def _flat_ground(s: Synapse) -> Ground:
    planes = _planes(s)
    lattice, _ = lattices.build((planes[0][0], planes[1][0]), float(half_width(s.cleft)))
    half, radius = float(lattice.half), None if isinstance(s.cleft, Slab) else float(half_width(s.cleft))
    live = [lattices.live_tiles(int(lattice.across[k]), half, planes[k][1], radius) for k in (0, 1)]
    area = [float(p) ** 2 if planes[k][1] > 0 else math.inf for k, p in enumerate(lattice.pitch)]
    surfaces = [
        Surface("receptor.density", 0, area[0], 1), Surface("esterase.density", 1, area[1], 2)
    ]  # fmt: skip
    return Ground(lattice, None, list(enumerate(live)), surfaces)


def _folded_ground(s: Synapse) -> Ground:
    found, lattice, live, area = folds.build(s)
    surfaces = [
        Surface("receptor.density", 0, area[0], 1),
        Surface("esterase.density", 1, area[2], 2),
        Surface("receptor.density", 0, area[1], 1),
        Surface("esterase.fold_density", 1, area[3], 2),
    ]
    return Ground(lattice, found, list(zip((0, 0, 1, 1), live, strict=True)), surfaces)


def _no_journeys(step: float) -> Journeys:
    """What stands in for the tables of exact journeys: every molecule has one event in a step."""
    one = np.ones(1, np.float32)
    return Journeys(one, one, one, np.float32(step), np.float32(step))


def _majorants(s: Synapse, binding: np.ndarray, by_steps: bool) -> tuple[Majorant, ...]:
    """The majorants of the two planes for scores.

    Raises:
        ValidationError: If transport is by steps, whose chances of capture have no scores.
    """
    if by_steps:
        hint = "folded clefts and stepped transport take estimator=common_random_numbers"
        raise ValidationError("numerics.transport", "stepped", "exact for the score function", hint)
    first = len(s.receptor.scheme.states)
    return (
        likelihood.majorant(s.receptor.scheme, binding[:first]),
        likelihood.majorant(s.esterase.scheme, binding[first:-1]),
    )


def _journeys(s: Synapse, kappa: list[float], scores: bool) -> tuple[Journeys, float]:
    """Tables of exact journeys, and the rate of binding attempts when mixed [1/ms]."""
    h, d = float(s.cleft.height), float(s.cleft.diffusion)
    lamina, released = h * float(s.esterase.position), h - float(s.vesicle.release_depth)
    table = survival.survival_tables(d, h, lamina, kappa[0], kappa[1], released)
    rates = (kappa[0], kappa[1])
    found = likelihood.journey_scores(table, d, h, lamina, rates, released) if scores else None
    journeys = Journeys(
        table.time.ravel().astype(np.float32),
        table.on_receptor.ravel().astype(np.float32),
        table.scale.astype(np.float32),
        np.float32(min(float(table.slope), 1e9)),
        np.float32(table.mixing_time),
        scores=found,
    )
    return journeys, 1 / float(table.slope)


def _planes(s: Synapse) -> list[tuple[float, float]]:
    """Density of the tiles and of the live sites on each plane; an empty plane keeps one tile."""
    enzyme = float(s.esterase.density) * float(s.esterase.active_fraction)
    return [(float(s.receptor.density), float(s.receptor.density)), (max(enzyme, 1e-6), enzyme)]


def _rung(sites: int) -> int:
    """Sites of a patch rounded up to one of few lengths, four to the octave."""
    return max(64, 64 * math.ceil(_STEP ** math.ceil(math.log(max(sites, 64) / 64) / math.log(_STEP) - 1e-9)))


def _template(
    s: Synapse, surfaces: list[tuple[int, np.ndarray]], capacity: int, states: int
) -> tuple[np.ndarray, list[int]]:
    """The tiles of an undisturbed patch, and how many live sites each plane has."""
    template = np.full(capacity, FIRST + states - 1, np.uint32)
    counts, at = [0, 0], 0
    receptors = len(s.receptor.scheme.states)
    for plane, live in surfaces:
        rest = (s.receptor.scheme, s.esterase.scheme)[plane]
        template[at : at + live.size][live] = FIRST + rest.index(rest.resting) + plane * receptors
        counts[plane] += int(live.sum())
        at += live.size
    if counts[0] == 0:
        value = f"{float(s.receptor.density):g} /um^2"
        raise ValidationError("receptor.density", value, "enough for one receptor in the cleft")
    return template, counts


def _counted(
    s: Synapse, joint: list[joint_scheme.Arrow], sites: list[int]
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """What is counted, how each transition changes it, and what it is at rest."""
    schemes = (s.receptor.scheme, s.esterase.scheme)
    names = (*schemes[0].states, *schemes[1].states, "free_ach", "hydrolysed", "escaped")
    change = np.zeros((len(joint) + 1, len(names)), np.int64)
    free = len(names) - 3
    for row, a in zip(change, joint, strict=False):
        row[a.source] -= 1
        row[a.target] += 1
        row[free] += int(a.releases) - int(a.binds)
        row[free + 1] += int(a.destroys)
    change[-1, free], change[-1, free + 2] = -1, 1
    start = np.zeros(len(names), np.int64)
    start[schemes[0].index(schemes[0].resting)] = sites[0]
    start[len(schemes[0].states) + schemes[1].index(schemes[1].resting)] = sites[1]
    return names, change, start
