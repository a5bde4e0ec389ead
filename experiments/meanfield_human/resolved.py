"""What the mean field leaves out: receptors and esterases that stand one by one, to first order.

The mean field smears sites over their plane, so that every site in state s meets the average concentration c. A
real site takes from, and gives to, its own surroundings. With G the mean of the Green's function of diffusion over
two points of the site's tile, the concentration at it differs from c by G times what it gives more than the average
site. For the steps R <-> AR (net flux j1 a site) and AR <-> A2R (j2) this gives, to first order in G,

    j1' = j1 - 2 k+ G (j1 - x_R (j1 + j2)),   j2' = j2 - k+ G (j2 - x_AR (j1 + j2)),

and for the esterase jE' = jE - kE GE (1 - x_E) jE. At equilibrium j1 = j2 = 0 and nothing changes, as it must. In
words: a molecule that leaves A2R finds its own site, now AR, with probability k+ G before it mixes, and so bursts
last longer. [C: derived here; local fields are taken as steady, which they are within a microsecond.]

The equations are solved on a disc, mixed across the cleft, once with G and once with G = 0; only the ratio of the
two is used, so that what mixing across the cleft costs (0.4 % of the peak) drops out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.integrate import cumulative_simpson, solve_ivp
from scipy.sparse import csr_matrix, lil_matrix

import nmjmc
from nmjmc.kernel.lattice import tiles_across

STATES = 6  # c, AR, A2R, A2Ro, EA, acylE at each radius
INNERMOST = 0.012  # um; the concentration is flatter than that after mixing across the cleft


class Sites(NamedTuple):
    """Rates of the human schemes and the return of a molecule to its own site.

    Attributes:
        on, off, opening, closing: of a receptor, per site [um^3/ms, 1/ms].
        capture, acylation, deacylation: of an esterase [um^3/ms, 1/ms].
        receptors, esterases: densities [1/um^2].
        green, esterase_green: G on the two planes [ms/um^3].
    """

    on: float
    off: float
    opening: float
    closing: float
    capture: float
    acylation: float
    deacylation: float
    receptors: float
    esterases: float
    green: float
    esterase_green: float


def sites_of(synapse: nmjmc.Synapse) -> Sites:
    """The sites of a synapse with the schemes `two_site_sequential` and `esterase` on a disc."""
    receptor, esterase, cleft = synapse.receptor, synapse.esterase, synapse.cleft
    rates = [receptor.rates[f"{name}_rate"] for name in ("binding", "unbinding", "opening", "closing")]
    rates += [esterase.rates[f"{name}_rate"] for name in ("binding", "acylation", "deacylation")]
    on, off, opening, closing, capture, acylation, deacylation = (float(r) for r in rates)
    side = 2 * float(cleft.exit_radius)
    densities = float(receptor.density), float(esterase.density * esterase.active_fraction)
    speeds = 2 * on * densities[0], capture * densities[1]
    pitches = [side / tiles_across(d, side) for d in densities]
    slab = float(cleft.diffusion), float(cleft.height), float(synapse.esterase.position)
    green = [own_green(*slab, *speeds, pitch, plane) for plane, pitch in enumerate(pitches)]
    return Sites(on, off, opening, closing, capture, acylation, deacylation, *densities, *green)


def own_green(
    diffusion: float,
    height: float,
    position: float,
    kappa: float,
    kappa_middle: float,
    pitch: float,
    plane: int,
) -> float:
    """Mean over two points of a square tile of the Green's function on its own plane [ms/um^3].

    Between reflecting walls with uptake at the floor (kappa) and on the transparent plane (kappa_middle); by the
    Fourier transform along the cleft, where the flux into each part is an admittance that adds up.

    Args:
        diffusion: D [um^2/ms].
        height: h [um].
        position: height of the transparent plane over h.
        kappa, kappa_middle: uptake of the planes [um/ms].
        pitch: side of the tile [um].
        plane: 0 the floor, 1 the transparent plane.
    """
    q = np.geomspace(1e-3, 700 / pitch, 6000)
    angle = (np.arange(64) + 0.5) / 64 * np.pi / 2
    east, north = (np.sinc(np.outer(q, f(angle)) * pitch / 2 / np.pi) for f in (np.cos, np.sin))
    window = ((east * north) ** 2).mean(axis=1)
    pull = diffusion * q
    below, above = np.tanh(q * position * height), np.tanh(q * (1 - position) * height)
    if plane == 0:
        middle = kappa_middle + pull * above
        admittance = kappa + pull * (middle + pull * below) / (pull + middle * below)
    else:
        admittance = kappa_middle + pull * above + pull * (kappa + pull * below) / (pull + kappa * below)
    return float(np.trapezoid(window / admittance * q**2 / (2 * np.pi), np.log(q)))


def open_channels(
    synapse: nmjmc.Synapse, time: Float[np.ndarray, " t"], resolved: bool, cells: int = 80
) -> Float[np.ndarray, " t"]:
    """Open channels [t] at the times [t, ms], mixed across the cleft, with resolved sites or smeared ones."""
    sites = sites_of(synapse)
    if not resolved:
        sites = sites._replace(green=0.0, esterase_green=0.0)
    edges = np.concatenate([[0.0], np.geomspace(INNERMOST, float(synapse.cleft.exit_radius), cells)])
    area = np.pi * np.diff(edges**2)
    right = _equations(synapse, sites, edges, area, float(time[-1]))
    found = solve_ivp(
        right, (0.0, float(time[-1])), np.zeros(STATES * cells), method="BDF", t_eval=time,
        rtol=1e-6, atol=1e-9, jac_sparsity=_neighbours(cells),
    )  # fmt: skip
    return sites.receptors * area @ found.y.reshape(cells, STATES, -1)[:, 3]


def _equations(synapse: nmjmc.Synapse, sites: Sites, edges: np.ndarray, area: np.ndarray, last: float):
    """The right-hand side for `solve_ivp`: finite volumes in the radius, absorbing rim."""
    diffusion, height = float(synapse.cleft.diffusion), float(synapse.cleft.height)
    middle = 0.5 * (edges[1:] + edges[:-1])
    gaps = np.append(np.diff(middle), edges[-1] - middle[-1])
    conductance = 2 * np.pi * edges[1:] * diffusion * height / gaps
    inflow = _inflow(synapse, last)

    def right(time: float, values: np.ndarray) -> np.ndarray:
        field = values.reshape(-1, STATES).T
        change = _react(sites, field, height)
        flow = conductance * (field[0] - np.append(field[0, 1:], 0.0))
        change[0] += (np.append(0.0, flow[:-1]) - flow) / (area * height)
        change[0, 0] += inflow(time) / (area[0] * height)
        return change.T.ravel()

    return right


def _inflow(synapse: nmjmc.Synapse, last: float) -> Callable[[float], float]:
    """Molecules that leave the vesicle in unit time, as a function of time [1/ms]; see `nmjmc.synapse.vesicle`."""
    vesicle = synapse.vesicle
    lumen, length = float(vesicle.lumen_radius), float(vesicle.pore_length)
    at = np.concatenate([[0.0], np.geomspace(1e-6, last, 4000)])
    radius = np.minimum(float(vesicle.pore_initial_radius) + float(vesicle.pore_speed) * at, lumen)
    rate = float(synapse.cleft.diffusion) * np.pi * radius**2 / (length + np.pi / 2 * radius)
    rate = rate / (4 / 3 * np.pi * lumen**3)
    flow = rate * float(vesicle.content_mean) * np.exp(-cumulative_simpson(rate, x=at, initial=0.0))
    return lambda time: float(np.interp(time, at, flow))


def _react(sites: Sites, field: np.ndarray, height: float) -> np.ndarray:
    """Rates of change by reaction [states, cells]."""
    c, single, double, opened, held, acyl = field
    free, idle = 1 - single - double - opened, 1 - held - acyl
    first = 2 * sites.on * c * free - sites.off * single
    second = sites.on * c * single - 2 * sites.off * double
    both = first + second
    own = sites.on * sites.green
    first, second = first - 2 * own * (first - free * both), second - own * (second - single * both)
    split = sites.capture * c * idle * (1 - sites.capture * sites.esterase_green * (1 - idle))
    gating = sites.opening * double - sites.closing * opened
    taken = sites.receptors * (first + second) + sites.esterases * split
    return np.stack(
        [
            -taken / height, first - second, second - gating, gating, split - sites.acylation * held,
            sites.acylation * held - sites.deacylation * acyl,
        ]
    )  # fmt: skip


def _neighbours(cells: int) -> csr_matrix:
    """Which values a rate depends on: those of its own cell, and the concentrations next to it."""
    matrix = lil_matrix((STATES * cells, STATES * cells))
    for cell in range(cells):
        at = STATES * cell
        matrix[at : at + STATES, at : at + STATES] = 1
        if cell:
            matrix[at, at - STATES] = matrix[at - STATES, at] = 1
    return matrix.tocsr()
