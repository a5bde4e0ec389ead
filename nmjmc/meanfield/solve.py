"""The deterministic twin: the mean of infinitely many molecules for the same `Synapse`."""

from __future__ import annotations

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nmjmc.errors import ValidationError
from nmjmc.meanfield.double import in_double
from nmjmc.meanfield.grid import LONGEST_STEP, Grid
from nmjmc.meanfield.march import Problem, Trace, march, schedule, stencil
from nmjmc.meanfield.problem import build_problem, longest_step, refuse_unsupported
from nmjmc.numbers import to_array
from nmjmc.synapse.history import NONE
from nmjmc.synapse.model import Synapse
from nmjmc.synapse.parameter import is_traced


class MeanField(eqx.Module):
    """Mean counts after the release of one quantum of mean content.

    Attributes:
        time: asked for [t], ms.
        released: ACh that has left the vesicle [t].
        free_ach: ACh free in the cleft [t].
        hydrolysed: ACh split by the esterase [t].
        escaped: ACh lost at the rim [t].
        states: sites in each state of the receptor's and the esterase's scheme, by name [t].
        open_channels: receptors in a conducting state [t].
        current: endplate current at the holding potential, inward negative [t], nA.
    """

    time: Float[Array, " t"]
    released: Float[Array, " t"]
    free_ach: Float[Array, " t"]
    hydrolysed: Float[Array, " t"]
    escaped: Float[Array, " t"]
    states: dict[str, Float[Array, " t"]]
    open_channels: Float[Array, " t"]
    current: Float[Array, " t"]


def solve(synapse: Synapse, times: Any, *, grid: Grid | None = None) -> MeanField:
    """Solve reaction and diffusion in the cleft for one quantum of mean content.

        dc/dt = D lap c;  at z = 0: D dc/dz = sum_binding k p c - sum_releasing k p (times receptor density),
        on the esterase plane the jump of D dc/dz likewise;  dp/dt = Q(c) p at every point of both planes.

    It works inside `jax.jit`, `jax.vmap` and derivatives in both modes (`jax.grad`, `jax.jvp`) with respect to any
    float leaf of the synapse. It always computes in float64, whatever the default, and returns the default float type.

    Args:
        synapse: disc or slab, one vesicle at the centre.
        times: where to report [t], ms or with a unit, zero or later, in any order. Inside `jit` they are to be
            concrete, or `grid.duration` be given.
        grid: resolution; None for the default.

    Returns:
        The counts at `times`.

    Raises:
        ValidationError: for folds, several sites, a site off the centre, impossible times.
    """
    grid = grid or Grid()
    times = times if is_traced(times) else to_array(times, "ms", "times")
    refuse_unsupported(synapse)
    # what has been applied is no physics: it may not decide what is compiled
    synapse = dataclasses.replace(synapse, history=NONE)
    duration = _duration(times, grid)
    grid = dataclasses.replace(grid, longest_step=grid.longest_step or longest_step(synapse))
    kind = jnp.zeros(()).dtype
    if kind == jnp.float64:
        return _compiled(_as_double((synapse, times)), grid, duration)
    traced, fixed = eqx.partition((synapse, times), lambda x: isinstance(x, jax.Array))

    def both(leaves: Any) -> MeanField:
        solution = _compiled(_as_double(eqx.combine(leaves, fixed)), grid, duration)
        return jax.tree.map(lambda x: x.astype(kind), solution)

    return in_double(both)(traced)


def _as_double(tree: Any) -> Any:
    return jax.tree.map(lambda x: jnp.asarray(x, jnp.float64) if eqx.is_array_like(x) else x, tree)


@eqx.filter_jit
def _compiled(inputs: tuple[Synapse, Array], grid: Grid, duration: float) -> MeanField:
    synapse, times = inputs
    at = jnp.atleast_1d(times)
    effective = synapse.effective()
    problem = build_problem(effective, grid)
    trace = march(problem, _steps(grid, duration))
    return _report(effective, problem, trace, at)


def _steps(grid: Grid, duration: float) -> np.ndarray:
    """Step lengths [k], ms."""
    longest = grid.longest_step or LONGEST_STEP
    part = 1.0 / grid.time_refinement
    return schedule(part * grid.first_step, part * grid.growth, part * longest, duration)


def _report(synapse: Synapse, problem: Problem, trace: Trace, times: Float[Array, " t"]) -> MeanField:
    """Interpolate the trace at `times` after the start of the recording."""
    since = times - synapse.vesicle.times[0]
    after = jnp.maximum(since, 0.0)
    begun = since >= 0.0
    from_steps = stencil(trace.time, after)
    seen = {name: from_steps.sample(values) for name, values in trace._asdict().items() if name != "time"}
    released = problem.pore.released(since)
    # what left the vesicle less than the start-up age ago is released but not yet on the grid
    fresh = released - problem.pore.released(jnp.maximum(after - problem.age, 0.0))
    receptor, esterase = synapse.receptor, synapse.esterase
    states = dict(zip(receptor.scheme.states, seen["receptor"].T, strict=True))
    states |= dict(zip(esterase.scheme.states, seen["esterase"].T, strict=True))
    relative = np.asarray(receptor.scheme.conductance)
    drive = receptor.channel_conductance * (synapse.fibre.holding_potential - receptor.reversal_potential)
    return MeanField(
        time=times,
        released=released,
        free_ach=jnp.where(begun, seen["free"] + fresh, 0.0),
        hydrolysed=jnp.where(begun, seen["hydrolysed"], 0.0),
        escaped=jnp.where(begun, seen["escaped"], 0.0),
        states=states,
        open_channels=seen["receptor"] @ (relative > 0.0).astype(float),
        current=jnp.asarray(drive) * (seen["receptor"] @ relative),
    )


def _duration(times: Any, grid: Grid) -> float:
    """Time to be covered, ms."""
    if is_traced(times):
        if grid.duration is None:
            hint = "pass NumPy times, or give grid.duration"
            raise ValidationError("times", "traced", "known when the program is compiled", hint)
        return grid.duration
    asked = np.asarray(times)
    if asked.ndim > 1 or asked.size == 0 or asked.dtype.kind not in "fiu":
        raise ValidationError("times", f"of shape {asked.shape}", "a list of one or more numbers in ms")
    if not np.all(np.isfinite(asked)) or asked.min() < 0.0:
        worst = asked[~np.isfinite(asked) | (asked < 0.0)].flat[0]
        raise ValidationError("times", f"{worst:g} ms", "finite and zero or later")
    last = max(float(asked.max()), 1e-3)
    if grid.duration is not None and last > grid.duration:
        raise ValidationError("times", f"{last:g} ms", f"within grid.duration ({grid.duration:g} ms)")
    return grid.duration or last
