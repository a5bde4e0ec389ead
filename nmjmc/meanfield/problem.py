"""From a `Synapse` to the discretised problem of one quantum."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nmjmc.errors import ValidationError
from nmjmc.kinetics import Scheme
from nmjmc.meanfield.column import Cleft
from nmjmc.meanfield.grid import Grid
from nmjmc.meanfield.lateral import Lateral, disc, slab
from nmjmc.meanfield.march import Problem
from nmjmc.meanfield.membrane import Edge, Membrane
from nmjmc.meanfield.release import Pore, between_walls
from nmjmc.meanfield.spectral import diffusion_operator
from nmjmc.synapse.cleft import Folded, Slab
from nmjmc.synapse.model import Synapse

# 1 uM in molecules per um^3
MICROMOLAR = 602.214076


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
    if not isinstance(sites, jax.core.Tracer) and np.any(np.asarray(sites)):
        value = f"[{float(sites[0, 0]):g}, {float(sites[0, 1]):g}] um"
        raise ValidationError("vesicle.sites", value, "[0, 0] um for the mean field, which uses the symmetry")


def build_problem(synapse: Synapse, grid: Grid) -> Problem:
    """Discretise a synapse whose rates hold at its temperature (`synapse.effective()`)."""
    cleft, height = synapse.cleft, synapse.cleft.height
    middle = synapse.esterase.position * height
    vertical = diffusion_operator(jnp.stack([jnp.zeros_like(height), middle, height]), grid.vertical_degree)
    lateral = _lateral(synapse, grid)
    columns = Cleft(
        vertical=vertical,
        diffusion=cleft.diffusion,
        plane=grid.vertical_degree,
        receptor=_receptor(synapse),
        esterase=_esterase(synapse),
        coverage=lateral.coverage,
    )
    spread = 0.5 * (grid.age * height) ** 2
    start = height - synapse.vesicle.release_depth
    across = between_walls(vertical.nodes, vertical.weights, start, height, spread)
    along = lateral.modes(lateral.gaussian(spread))
    return Problem(columns, lateral, _pore(synapse), across, along, spread / cleft.diffusion)


def _lateral(synapse: Synapse, grid: Grid) -> Lateral:
    cleft = synapse.cleft
    first = grid.first_element * cleft.height
    if isinstance(cleft, Slab):
        return slab(cleft.side, first, grid.elements or 5, grid.degree, rim=cleft.rim)
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
    """The pore; a site off the centre that is known only at run time turns the result into NaN, never wrong."""
    vesicle = synapse.vesicle
    central = jnp.all(vesicle.sites == 0.0)
    return Pore(
        content=jnp.where(central, vesicle.content_mean, jnp.nan),
        lumen=vesicle.lumen_radius,
        speed=vesicle.pore_speed,
        start=vesicle.pore_initial_radius,
        length=vesicle.pore_length,
        diffusion=synapse.cleft.diffusion,
    )


def _receptor(synapse: Synapse) -> Membrane:
    receptor = synapse.receptor
    scheme = receptor.scheme
    bath = {name: MICROMOLAR * value for name, value in receptor.bath.items()}
    rates = _pseudo_first_order(scheme, scheme.transition_rates(receptor.rates), bath)
    return Membrane(edges(scheme), rates, receptor.density, resting_occupancy(scheme, rates))


def _esterase(synapse: Synapse) -> Membrane:
    esterase = synapse.esterase
    scheme = esterase.scheme
    rates = scheme.transition_rates(esterase.rates)
    density = esterase.density * esterase.active_fraction
    return Membrane(edges(scheme), rates, density, resting_occupancy(scheme, rates))


def edges(scheme: Scheme) -> tuple[Edge, ...]:
    """The scheme's transitions as the solver sees them; a bath ligand is no longer bimolecular."""
    ligand = scheme.transmitter
    return tuple(
        Edge(
            scheme.states.index(t.source),
            scheme.states.index(t.target),
            t.binds == ligand,
            t.releases == ligand,
            t.destroys == ligand,
        )
        for t in scheme.transitions
    )


def _pseudo_first_order(scheme: Scheme, rates: Float[Array, "k"], bath: dict[str, Array]) -> Float[Array, "k"]:
    levels = [bath[t.binds] if t.binds in bath else jnp.ones(()) for t in scheme.transitions]
    return rates * jnp.stack(levels)


def resting_occupancy(scheme: Scheme, rates: Float[Array, "k"]) -> Float[Array, "s"]:
    """Occupancies [s] at equilibrium with the bath and no transmitter.

    Only states that the resting one leads to without transmitter take part, so that a scheme without a bath
    starts exactly in its resting state.
    """
    arrows = [(k, e) for k, e in enumerate(edges(scheme)) if not e.binds]
    reached = [scheme.states.index(scheme.resting)]
    for state in reached:
        reached += sorted({e.target for _, e in arrows if e.source == state} - set(reached))
    generator = jnp.zeros((len(reached), len(reached)))
    for k, edge in arrows:
        if edge.source in reached:
            i, j = reached.index(edge.source), reached.index(edge.target)
            generator = generator.at[j, i].add(rates[k]).at[i, i].add(-rates[k])
    balance = generator.at[0, :].set(1.0)
    unit = jnp.zeros(len(reached)).at[0].set(1.0)
    occupancy = jnp.linalg.solve(balance, unit)
    return jnp.zeros(len(scheme.states)).at[np.asarray(reached)].set(occupancy)
