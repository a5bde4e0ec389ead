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
from nmjmc.meanfield.own_site import own_green, resolve, uptake
from nmjmc.meanfield.release import Pore, between_walls
from nmjmc.meanfield.spectral import diffusion_operator
from nmjmc.synapse.cleft import Folded, Slab
from nmjmc.synapse.esterase import Esterase
from nmjmc.synapse.model import Synapse
from nmjmc.synapse.parameter import is_traced
from nmjmc.synapse.receptor import Receptor
from nmjmc.types import Scalar
from nmjmc.units import MICROMOLAR


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
    membranes = _receptor(synapse), _esterase(synapse)
    if grid.own_site:
        membranes = _one_by_one(synapse, membranes)
    columns = Cleft(
        vertical=vertical,
        diffusion=cleft.diffusion,
        plane=grid.vertical_degree,
        receptor=membranes[0],
        esterase=membranes[1],
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


def _receptor(synapse: Synapse) -> Membrane:
    receptor: Any = synapse.receptor
    scheme = receptor.scheme
    bath = {name: MICROMOLAR * value for name, value in receptor.bath.items()}
    rates = _pseudo_first_order(scheme, scheme.transition_rates(receptor.rates), bath)
    return _smeared(scheme, rates, receptor.density)


def _esterase(synapse: Synapse) -> Membrane:
    esterase: Any = synapse.esterase
    rates = esterase.scheme.transition_rates(esterase.rates)
    return _smeared(esterase.scheme, rates, esterase.density * esterase.active_fraction)


def _smeared(scheme: Scheme, rates: Float[Array, " k"], density: Scalar) -> Membrane:
    none = jnp.zeros_like(rates[0])
    return Membrane(reactions(scheme), rates, jnp.asarray(density), resting_occupancy(scheme, rates), none)


def _one_by_one(synapse: Synapse, membranes: tuple[Membrane, Membrane]) -> tuple[Membrane, Membrane]:
    """The same sites, each with surroundings of its own; their uptake is that at rest."""
    schemes = (synapse.receptor.scheme, synapse.esterase.scheme)
    rests = [uptake(s, m.rates)[s.index(s.resting)] for s, m in zip(schemes, membranes, strict=True)]
    speeds = rests[0] * membranes[0].density, rests[1] * membranes[1].density
    slab = synapse.cleft.diffusion, synapse.cleft.height, synapse.esterase.position
    made = []
    for plane, (scheme, membrane) in enumerate(zip(schemes, membranes, strict=True)):
        green = own_green(*slab, speeds, membrane.density, plane)
        arrows, rates = resolve(scheme, membrane.reactions, membrane.rates, green)
        made.append(membrane._replace(reactions=arrows, rates=rates, own=green))
    return made[0], made[1]


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
