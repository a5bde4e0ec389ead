"""From a `Synapse` to the discretised problem of one quantum."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nmjmc.errors import ValidationError
from nmjmc.kinetics import Scheme
from nmjmc.meanfield.column import Cleft
from nmjmc.meanfield.grid import LONGEST_STEP, Grid
from nmjmc.meanfield.lateral import Lateral, disc, slab
from nmjmc.meanfield.march import Problem
from nmjmc.meanfield.membrane import Membrane, Reactions
from nmjmc.meanfield.release import Pore, between_walls
from nmjmc.meanfield.spectral import diffusion_operator
from nmjmc.synapse.cleft import Folded, Slab
from nmjmc.synapse.esterase import Esterase
from nmjmc.synapse.model import Synapse
from nmjmc.synapse.parameter import is_traced
from nmjmc.synapse.receptor import Receptor
from nmjmc.types import Scalar

# 1 uM in molecules per um^3
MICROMOLAR = 602.214076

_INVERSE_DISTANCE = 4.0 / 3.0 * (1.0 - np.sqrt(2.0)) + 4.0 * np.arcsinh(1.0)
"""Mean inverse distance of two points of the unit square."""


def refuse_unsupported(synapse: Synapse) -> None:
    """Refuse what the mean field does not solve.

    Raises:
        ValidationError: for folds, and for anything but one vesicle at the centre.
    """
    if isinstance(synapse.cleft, Folded):
        hint = "the mean field knows no folds; did you mean Disc?"
        raise ValidationError("cleft", "Folded", "a Disc or a Slab for the mean field", hint)
    sites = synapse.vesicle.sites
    if sites.shape[0] != 1:
        raise ValidationError("vesicle.sites", f"a list of {sites.shape[0]}", "one site for the mean field")
    if not is_traced(sites) and np.any(np.asarray(sites)):
        value = f"[{float(sites[0, 0]):g}, {float(sites[0, 1]):g}] um"
        raise ValidationError("vesicle.sites", value, "[0, 0] um for the mean field, which uses the symmetry")


def longest_step(synapse: Synapse) -> float:
    """The longest time step, ms: a sixth of the time in which free transmitter is captured, in octaves.

    Octaves, so that a sweep compiles a few programs and not one for each value.
    """
    if any(is_traced(x) for x in jax.tree.leaves(synapse)):
        return LONGEST_STEP
    effective = synapse.effective()
    speed = _capture(effective.receptor, 1.0) + _capture(
        effective.esterase, effective.esterase.active_fraction
    )
    wanted = float(effective.cleft.height) / (6.0 * speed) if speed > 0.0 else LONGEST_STEP
    octaves = int(np.clip(np.ceil(np.log2(LONGEST_STEP / wanted)), 0, 3))
    return LONGEST_STEP / 2**octaves


def _capture(part: Receptor | Esterase, active: Scalar) -> float:
    """Speed at which resting sites take up transmitter, kappa, um/ms."""
    scheme = part.scheme
    rates = [
        t.factor * float(part.rates[t.rate])
        for t in scheme.transitions
        if t.binds == scheme.transmitter and t.source == scheme.resting
    ]
    return sum(rates) * float(part.density) * float(active)


def build_problem(synapse: Synapse, grid: Grid) -> Problem:
    """Discretise a synapse whose rates hold at its temperature (`synapse.effective()`)."""
    cleft: Any = synapse.cleft
    height = cleft.height
    middle = synapse.esterase.position * height
    vertical = diffusion_operator(jnp.stack([jnp.zeros_like(height), middle, height]), grid.vertical_degree)
    lateral = _lateral(synapse, grid)
    columns = Cleft(
        vertical=vertical,
        diffusion=cleft.diffusion,
        plane=grid.vertical_degree,
        receptor=_receptor(synapse, grid.own_site),
        esterase=_esterase(synapse),
        coverage=lateral.coverage,
    )
    spread = 0.5 * (grid.age * height) ** 2
    start = height - synapse.vesicle.release_depth
    across = between_walls(vertical.nodes, vertical.weights, start, height, spread)
    along = lateral.modes(lateral.gaussian(spread))
    return Problem(columns, lateral, _pore(synapse), across, along, spread / cleft.diffusion)


def _lateral(synapse: Synapse, grid: Grid) -> Lateral:
    cleft: Any = synapse.cleft
    first = grid.first_element * cleft.height
    if isinstance(cleft, Slab):
        return slab(jnp.asarray(cleft.side), first, grid.elements or 5, grid.degree, rim=cleft.rim)
    return disc(
        cleft.exit_radius,
        first,
        grid.elements or 8,
        grid.degree,
        rim=cleft.rim,
        apron=cleft.apron,
        bare=grid.apron_elements,
    )


def _pore(synapse: Synapse) -> Pore:
    """The pore; a site off the centre that is known only at run time turns the result into NaN."""
    vesicle: Any = synapse.vesicle
    central = jnp.all(vesicle.sites == 0.0)
    return Pore(
        content=jnp.where(central, vesicle.content_mean, jnp.nan),
        lumen=vesicle.lumen_radius,
        speed=vesicle.pore_speed,
        start=vesicle.pore_initial_radius,
        length=vesicle.pore_length,
        diffusion=jnp.asarray(synapse.cleft.diffusion),
    )


def _receptor(synapse: Synapse, own_site: bool) -> Membrane:
    receptor: Any = synapse.receptor
    scheme = receptor.scheme
    bath = {name: MICROMOLAR * value for name, value in receptor.bath.items()}
    rates = _pseudo_first_order(scheme, scheme.transition_rates(receptor.rates), bath)
    resting = resting_occupancy(scheme, rates)
    if own_site:
        rates = rates * _kept(scheme, rates, receptor.density, synapse.cleft.diffusion)
    return Membrane(reactions(scheme), rates, receptor.density, resting)


def _kept(
    scheme: Scheme, rates: Float[Array, " k"], density: Scalar, diffusion: Scalar
) -> Float[Array, " k"]:
    """Part of each releasing transition that is not undone at once by the site itself [k].

    A molecule that leaves a site sets out from the site's own tile, a square of side a = density^(-1/2), and the
    state s it leaves behind may bind it again at the rate K(s). Before it has left the tile's neighbourhood it
    returns with probability K(s) G, where G is the mean of the half-space Green's function 1 / (2 pi D r) over
    two points of the square: G = 0.4732 / (a D), from the mean inverse distance 4/3 (1 - sqrt 2) + 4 asinh 1 in
    the unit square. Valid where K(s) G is small (0.01 in the presets) and a is below the cleft's height.
    """
    free = [jnp.zeros(())] * len(scheme.states)
    for t, rate in zip(scheme.transitions, rates, strict=True):
        if t.binds == scheme.transmitter:
            free[scheme.index(t.source)] = free[scheme.index(t.source)] + rate
    green = _INVERSE_DISTANCE / (2.0 * np.pi) * jnp.sqrt(density) / diffusion
    back = [
        free[scheme.index(t.target)] * green if t.releases == scheme.transmitter else jnp.zeros(())
        for t in scheme.transitions
    ]
    return 1.0 - jnp.stack(back)


def _esterase(synapse: Synapse) -> Membrane:
    esterase: Any = synapse.esterase
    scheme = esterase.scheme
    rates = scheme.transition_rates(esterase.rates)
    density = esterase.density * esterase.active_fraction
    return Membrane(reactions(scheme), rates, density, resting_occupancy(scheme, rates))


def reactions(scheme: Scheme) -> Reactions:
    """The scheme's transitions as the solver sees them; binding from a bath is no longer bimolecular."""
    arrows = scheme.transitions
    identity = np.eye(len(scheme.states))
    source = np.array([scheme.states.index(t.source) for t in arrows])
    target = np.array([scheme.states.index(t.target) for t in arrows])
    binds, releases, destroys = (
        np.array([float(getattr(t, name) == scheme.transmitter) for t in arrows])
        for name in ("binds", "releases", "destroys")
    )
    return Reactions(source, (identity[target] - identity[source]).T, binds, releases - binds, destroys)


def _pseudo_first_order(
    scheme: Scheme, rates: Float[Array, " k"], bath: dict[str, Array]
) -> Float[Array, " k"]:
    levels = [bath[t.binds] if t.binds in bath else jnp.ones(()) for t in scheme.transitions]
    return rates * jnp.stack(levels)


def resting_occupancy(scheme: Scheme, rates: Float[Array, " k"]) -> Float[Array, " s"]:
    """Occupancies [s] at equilibrium with the bath and no transmitter.

    Only states that the resting one leads to without transmitter take part, so that a scheme without a bath
    starts exactly in its resting state.
    """
    arrows = [
        (k, scheme.states.index(t.source), scheme.states.index(t.target))
        for k, t in enumerate(scheme.transitions)
        if t.binds != scheme.transmitter
    ]
    reached = [scheme.states.index(scheme.resting)]
    for state in reached:
        reached += sorted({target for _, source, target in arrows if source == state} - set(reached))
    # the negligible leak keeps the balance solvable where a state is neither entered nor left
    generator = -1e-12 * jnp.eye(len(reached))
    for k, source, target in arrows:
        if source in reached:
            i, j = reached.index(source), reached.index(target)
            generator = generator.at[j, i].add(rates[k]).at[i, i].add(-rates[k])
    balance = generator.at[0, :].set(1.0)
    unit = jnp.zeros(len(reached)).at[0].set(1.0)
    occupancy = jnp.linalg.solve(balance, unit)
    return jnp.zeros(len(scheme.states)).at[np.asarray(reached)].set(occupancy)
