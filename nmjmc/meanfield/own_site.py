"""Sites that stand one by one: what a smeared membrane leaves out, as effective rates.

A smeared membrane shows every site in state s the average concentration c. A real site takes from, and gives to, its
own surroundings. With G the mean of the Green's function of diffusion over two points of the site's tile, and local
fields that are steady (they are within a microsecond), the concentration at the sites in state s is

    c_s = c + G (J - J_s / p_s),   J_s = K_s c_s p_s - (what is released into s),   J = sum of J_s,

where p_s is the share of sites in s, K_s their rate of binding and J what the average site takes, which c knows of
already. Solved for c_s that is (c + G J + G released / p_s) / (1 + G K_s). In words: a released molecule binds to its
own site again with probability G K_s / (1 + G K_s) (Collins & Kimball 1949, J Colloid Sci 4:425, for one such site),
other molecules bind as much less often, and the concentration on the plane is c + G J. At equilibrium nothing changes.
[C: derived here; checked against the particle kernel in experiments/meanfield_human.]
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nmjmc.kinetics import Scheme
from nmjmc.meanfield.membrane import Reactions
from nmjmc.types import Scalar

# wave number times side of the tile, and the tile's mean squared Fourier transform over the directions; the
# integral below changes by less than 1e-5 with a grid twice as fine
_U = np.geomspace(1e-6, 700.0, 1500)
_ANGLE = (np.arange(64) + 0.5) / 64 * np.pi / 2
_EAST, _NORTH = (np.sinc(np.outer(_U, f(_ANGLE)) / 2 / np.pi) for f in (np.cos, np.sin))
_WINDOW = ((_EAST * _NORTH) ** 2).mean(axis=1)

# the least density of sites, of which an own tile is spoken of [1/um^2]
_LEAST_DENSITY = 1e-6


def own_green(
    diffusion: Scalar,
    height: Scalar,
    position: Scalar,
    speeds: tuple[Scalar, Scalar],
    density: Scalar,
    plane: int,
) -> Float[Array, ""]:
    """Mean over two points of a square tile of the Green's function on its own plane [ms/um^3].

    Between reflecting walls with uptake at the floor and on the transparent esterase plane, by the Fourier transform
    along the cleft, where the flux into each part is an admittance that adds up. Far from walls and other sites it
    is 0.4732 / (side D), the mean of 1 / (2 pi D r).

    Args:
        diffusion: D [um^2/ms].
        height: of the cleft [um].
        position: height of the esterase plane over that of the cleft.
        speeds: uptake of the floor and of the esterase plane, kappa [um/ms].
        density: sites per area [1/um^2]; the tile's side is its inverse root.
        plane: 0 the floor, 1 the esterase plane.
    """
    side = 1.0 / jnp.sqrt(jnp.maximum(density, _LEAST_DENSITY))
    q = _U / side
    pull = diffusion * q
    below, above = jnp.tanh(q * position * height), jnp.tanh(q * (1.0 - position) * height)
    floor, middle = speeds
    if plane == 0:
        over = middle + pull * above
        admittance = floor + pull * (over + pull * below) / (pull + over * below)
    else:
        under = pull * (floor + pull * below) / (pull + floor * below)
        admittance = middle + pull * above + under
    return jnp.trapezoid(_WINDOW / admittance * q**2 / (2.0 * np.pi), np.log(_U))


def uptake(scheme: Scheme, rates: Float[Array, " k"]) -> list[Array]:
    """Rate at which a site in each state binds transmitter, K, per concentration [um^3/ms]."""
    kept = [jnp.zeros(())] * len(scheme.states)
    for arrow, rate in zip(scheme.transitions, rates, strict=True):
        if arrow.binds == scheme.transmitter:
            kept[scheme.index(arrow.source)] = kept[scheme.index(arrow.source)] + rate
    return kept


def resolve(
    scheme: Scheme, smeared: Reactions, rates: Float[Array, " k"], green: Scalar
) -> tuple[Reactions, Float[Array, " m"]]:
    """Reactions and rates of sites that stand one by one.

    Args:
        scheme: the kinetic scheme.
        smeared: its transitions as the solver sees them.
        rates: of the transitions [k].
        green: G of `own_green`.

    Returns:
        The same transitions, slower where they bind or release transmitter, and after them one for each pair of a
        release and the binding that follows it at once; with their rates [m].
    """
    kept = [1.0 / (1.0 + green * k) for k in uptake(scheme, rates)]
    slower, pairs, jumps = [], [], []
    for arrow, rate in zip(scheme.transitions, rates, strict=True):
        if arrow.binds == scheme.transmitter:
            slower.append(rate * kept[scheme.index(arrow.source)])
            continue
        if arrow.releases != scheme.transmitter:
            slower.append(rate)
            continue
        between = scheme.index(arrow.target)
        slower.append(rate * kept[between])
        for next_arrow, binding in zip(scheme.transitions, rates, strict=True):
            again = next_arrow.binds == scheme.transmitter and next_arrow.source == arrow.target
            if again and next_arrow.target != arrow.source:
                pairs.append((scheme.index(arrow.source), scheme.index(next_arrow.target)))
                jumps.append(rate * green * binding * kept[between])
    if not pairs:
        return smeared, jnp.stack(slower)
    source, target = np.array(pairs).T
    identity, none = np.eye(len(scheme.states)), np.zeros(len(pairs))
    added = Reactions(source, (identity[target] - identity[source]).T, none, none, none)
    joined = (np.concatenate(pair, axis=-1) for pair in zip(smeared, added, strict=True))
    return Reactions(*joined), jnp.stack(slower + jumps)
