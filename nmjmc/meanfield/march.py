"""The march through time: Strang splitting of lateral diffusion and the column problem, and what is recorded.

A step is half a lateral step, a column step, half a lateral step. The release enters in the lateral halves.
The march starts at a small age t0 > 0 of the released molecules, with the analytic Gaussian between the
walls; t0 is so short that next to nothing has met a reactive plane by then.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nmjmc.meanfield import column
from nmjmc.meanfield.column import Cleft, State
from nmjmc.meanfield.lateral import Lateral
from nmjmc.meanfield.release import Pore


class Problem(NamedTuple):
    """Everything that the march needs, discretised.

    Attributes:
        cleft: the columns.
        lateral: the plane.
        pore: the release.
        across: profile over the height of one released molecule at age t0 [z], 1/um.
        along: its lateral profile, in modes [modes], 1/um^2.
        age: t0, ms.
    """

    cleft: Cleft
    lateral: Lateral
    pore: Pore
    across: Float[Array, " z"]
    along: Float[Array, " modes"]
    age: Float[Array, ""]


class Trace(NamedTuple):
    """Counts at the ends of all steps, molecules or sites.

    Attributes:
        time: since the opening of the pore [t], ms.
        free: in the cleft [t].
        hydrolysed: [t].
        escaped: [t].
        receptor: in each state [t, s].
        esterase: in each state [t, s].
    """

    time: Array
    free: Array
    hydrolysed: Array
    escaped: Array
    receptor: Array
    esterase: Array


def schedule(first: float, growth: float, longest: float, duration: float) -> np.ndarray:
    """Step lengths [k, ms]: a geometric rise from `first` to `longest`, covering `duration` exactly."""
    lengths, total = [], 0.0
    while total < duration:
        lengths.append(min(first + growth * total, longest))
        total += lengths[-1]
    return np.asarray(lengths) * (duration / total)


def initial_state(problem: Problem) -> State:
    """Released so far in the cleft, sites at their equilibrium with the bath."""
    columns = problem.lateral.area.shape[0]
    ones = jnp.ones(columns)[None, :]
    cleft = problem.cleft
    released = problem.pore.released(jnp.zeros(()))
    return State(
        problem.across[:, None] * (problem.lateral.nodes(problem.along) * released)[None, :],
        cleft.receptor.start[:, None] * ones,
        cleft.esterase.start[:, None] * ones,
        jnp.zeros(columns),
    )


class _Clock(NamedTuple):
    """One step: its length, its mean release, and the same of the step that follows (zero after the last)."""

    length: Array
    inflow: Array
    next_length: Array
    next_inflow: Array


def march(problem: Problem, lengths: np.ndarray) -> Trace:
    """Integrate over the given steps [ms] and record at each end."""
    ends = np.concatenate([[0.0], np.cumsum(lengths)])
    inflow = jnp.diff(problem.pore.released(jnp.asarray(ends))) / lengths
    clock = _Clock(jnp.asarray(lengths), inflow, jnp.append(lengths[1:], 0.0), jnp.append(inflow[1:], 0.0))
    start = initial_state(problem)
    zero = jnp.zeros(())
    first = _lateral_half(problem, problem.lateral.modes(start.ligand), clock.length[0], inflow[0])
    entered = start._replace(ligand=problem.lateral.nodes(first))
    lost = _content(problem, start.ligand) + 0.5 * lengths[0] * inflow[0] - _content(problem, entered.ligand)

    @jax.checkpoint
    def body(carry: tuple[State, Array], now: _Clock) -> tuple[tuple[State, Array], tuple[Array, ...]]:
        return _step(problem, carry[0], carry[1], now)

    _, seen = jax.lax.scan(body, (entered, lost), clock)
    initial = _record(problem, start, _content(problem, start.ligand), zero)
    joined = [jnp.concatenate([a[None], a[None], b]) for a, b in zip(initial, seen, strict=True)]
    time = jnp.concatenate([jnp.zeros(1), problem.age + jnp.asarray(ends)])
    return Trace(time, *joined)


def _step(
    problem: Problem, state: State, escaped: Array, now: _Clock
) -> tuple[tuple[State, Array], tuple[Array, ...]]:
    """A column step and the lateral halves on its two sides; recorded between the halves."""
    lateral = problem.lateral
    state = column.step(problem.cleft, state, now.length)
    before = _content(problem, state.ligand)
    at_end = _lateral_half(problem, lateral.modes(state.ligand), now.length, now.inflow)
    free = lateral.total @ (problem.cleft.vertical.weights @ at_end)
    escaped = escaped + before + 0.5 * now.length * now.inflow - free
    seen = _record(problem, state, free, escaped)
    to_next = _lateral_half(problem, at_end, now.next_length, now.next_inflow)
    state = state._replace(ligand=lateral.nodes(to_next))
    escaped = escaped + free + 0.5 * now.next_length * now.next_inflow - _content(problem, state.ligand)
    return (state, escaped), seen


def _lateral_half(problem: Problem, modes: Array, length: Array, inflow: Array) -> Array:
    """Half a step of lateral diffusion with a constant inflow, exactly, in mode space [z, modes].

    The inflow is spread by the lateral diffusion of the half step, as a source of that duration is; injected
    undiffused, it would meet the receptors under the pore in a column far too dense.
    """
    rates = problem.cleft.diffusion * problem.lateral.decay
    half = 0.5 * length
    kept = jnp.exp(-rates * half)
    slow = rates * half < 1e-6
    held = jnp.where(slow, half, (1.0 - kept) / jnp.where(slow, 1.0, rates))
    return modes * kept[None, :] + problem.across[:, None] * (problem.along * held * inflow)[None, :]


def _content(problem: Problem, ligand: Array) -> Array:
    """Molecules in the field [z, columns]."""
    return problem.cleft.vertical.weights @ (ligand @ problem.lateral.area)


def _record(problem: Problem, state: State, free: Array, escaped: Array) -> tuple[Array, ...]:
    """What is kept of a state: the fields of Trace but the time."""
    cleft, area = problem.cleft, problem.lateral.area
    sites = area * cleft.coverage
    receptor = cleft.receptor.density * (state.receptor @ sites)
    esterase = cleft.esterase.density * (state.esterase @ sites)
    return free, state.destroyed @ area, escaped, receptor, esterase


class Stencil(NamedTuple):
    """Where values at other times come from.

    Attributes:
        index: of the steps [r, k].
        weight: of their values [r, k].
    """

    index: Array
    weight: Float[Array, "r k"]

    def sample(self, values: Float[Array, "t ..."]) -> Float[Array, "r ..."]:
        """Values of the steps [t], brought to the other times [r]."""
        return jnp.einsum("rk,rk...->r...", self.weight, values[self.index])


def stencil(time: Float[Array, " t"], at: Float[Array, " r"]) -> Stencil:
    """From the steps' times [t] to others [r]: cubic through the four nearest steps, linear in the first interval."""
    size = time.shape[0]
    left = jnp.clip(jnp.searchsorted(time, at, side="right").astype(int) - 1, 0, size - 2)
    first = jnp.clip(left - 1, 1, size - 4)
    index = first[:, None] + np.arange(4)[None, :]
    cubic = _lagrange(time[index], at)
    linear_index = np.broadcast_to(np.arange(4)[None, :], index.shape)
    fraction = at / time[1]
    linear = jnp.stack([1.0 - fraction, fraction, jnp.zeros_like(at), jnp.zeros_like(at)], axis=1)
    early = (left == 0)[:, None]
    return Stencil(jnp.where(early, linear_index, index), jnp.where(early, linear, cubic))


def _lagrange(nodes: Float[Array, "r k"], at: Float[Array, " r"]) -> Float[Array, "r k"]:
    """Weights of the polynomial through `nodes`, evaluated at `at`."""
    own = np.eye(nodes.shape[1], dtype=bool)[None, :, :]
    gap = jnp.where(own, 1.0, nodes[:, :, None] - nodes[:, None, :])
    terms = jnp.where(own, 1.0, (at[:, None] - nodes)[:, None, :] / gap)
    return terms.prod(axis=2)
