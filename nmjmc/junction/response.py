"""The fibre's answer to a train: each stimulus integrated, the rest between them in closed form."""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nmjmc.junction.drive import Drive
from nmjmc.junction.membrane import GATES, Membrane, State, build, gates, potassium_clearance
from nmjmc.junction.muscle import Muscle
from nmjmc.junction.potential import Course, respond, step_of
from nmjmc.junction.stimulus import stimulus_times
from nmjmc.runtime import in_single

INTEGRATED = 30.0
"""After each stimulus, this long is integrated by default [ms]; the rest of an interval is taken as rest."""
RECORDED = 20.0
FIRED = -30.0
"""Distant potential above which a fibre has fired [mV]."""

STUCK = 20.0
"""Endplate's depolarisation at the end of what is integrated from which it is taken to last [mV]; a choice.

A fibre whose chloride channels are mostly gone, or one with the gates of Shorten et al. 2007, can stay some 40 mV above
rest at 37 degC, where open sodium channels balance what else flows. It falls back below 9 mV above rest.
"""


class Response(NamedTuple):
    """The answer of fibres [v] to stimuli [k].

    Attributes:
        time: of the records after each stimulus [t] [ms].
        course: potentials [v k t] [mV].
        spikes: action potentials that each stimulus started [v k].
        latency: from the stimulus to the first of them, 1.5 mm away; NaN without one [v k] [ms].
        depolarised: whether the endplate was still on a plateau (`STUCK`) when the stimulus came [v k].
    """

    time: np.ndarray
    course: Course
    spikes: np.ndarray
    latency: np.ndarray
    depolarised: np.ndarray


@in_single
def muscle_response(
    muscles: Muscle, drives: Drive, times: np.ndarray, integrated: float = INTEGRATED
) -> Response:
    """Integrate many fibres over a train.

    Args:
        muscles: One fibre a row: every leaf has the axis v.
        drives: What each endplate does: `conductance` [v k t] after each stimulus, the rest [v].
        times: The stimuli [k] [ms].
        integrated: How long to integrate after each stimulus, at most [ms].

    Returns:
        Potentials and spikes.

    Raises:
        ValidationError: If the times cannot be those of a train.
    """
    times = stimulus_times(times)
    intervals, step = np.append(np.diff(times), integrated), step_of(muscles)
    # whole steps, so that the records fall on the solver's own times
    recorded = np.floor(min(RECORDED, integrated, intervals.min()) / step + 1e-9) * step
    records = round(recorded / (2 * step)) + 1
    recorded = (records - 1) * 2 * step
    course = _all_fibres(muscles, drives, jnp.asarray(intervals), integrated, float(recorded), records, step)
    course = jax.tree.map(np.asarray, course)
    time = np.linspace(0.0, recorded, records)
    spikes, latency = find_spikes(time, course.distant)
    above = course.endplate[..., 0] - np.asarray(muscles.resting_potential)[:, None]
    return Response(time, course, spikes, latency, above > STUCK)


@eqx.filter_jit
def _all_fibres(
    muscles: Muscle,
    drives: Drive,
    intervals: Array,
    integrated: float,
    recorded: float,
    records: int,
    step: float,
) -> Course:
    def one(muscle: Muscle, drive: Drive) -> Course:
        membrane, start = build(muscle)

        def stimulus(state: State, given: tuple[Array, Array]) -> tuple[State, Course]:
            conductance, interval = given
            covered = jnp.minimum(interval, integrated)
            now = drive._replace(conductance=conductance)
            course, state = respond(membrane, state, now, covered, recorded, records, step)
            return settle(membrane, start, state, interval - covered), course

        return jax.lax.scan(stimulus, start, (drive.conductance, intervals))[1]

    muscles, drives = (jax.tree.map(jnp.asarray, x) for x in (muscles, drives))
    return jax.vmap(one)(muscles, drives)


def settle(membrane: Membrane, start: State, state: State, gap: Float[Array, ""]) -> State:
    """The state after a rest: gates and tubular potassium relax exponentially at a potential that stays.

    That is the resting potential, to which the fibre is taken to be back at once; but a fibre that is stuck on a
    plateau (`STUCK`) keeps its potentials and its potassium, so that its sodium channels go on inactivating.

    Args:
        membrane: The membrane.
        start: The state at rest.
        state: The state before the gap.
        gap: Its length [ms]; 0 leaves the state as it is.
    """
    stuck = state.voltage[0, 0] > STUCK
    voltage = jnp.where(stuck, state.voltage, start.voltage)
    gating = gates(membrane.rest + voltage, membrane.gating, membrane.pace)
    moved = {
        name: steady + (getattr(state, name) - steady) * jnp.exp(-gap * rate)
        for name, steady, rate in zip(GATES, gating.steady, gating.rate, strict=True)
    }
    kept = jnp.where(stuck, 1.0, jnp.exp(-gap * potassium_clearance(membrane, start)))
    potassium = start.potassium + (state.potassium - start.potassium) * kept
    settled = State(voltage, **moved, potassium=potassium, excess=jnp.zeros_like(state.excess))
    return jax.tree.map(lambda a, b: jnp.where(gap > 0, a, b), settled, state)


def find_spikes(
    time: Float[np.ndarray, " t"], potential: Float[np.ndarray, "... t"], level: float = FIRED
) -> tuple[np.ndarray, np.ndarray]:
    """How often each trace goes up through a level, and when first [ms] (NaN if never)."""
    above = potential > level
    up = above[..., 1:] & ~above[..., :-1]
    spikes = up.sum(axis=-1)
    first = up.argmax(axis=-1)[..., None]
    low = np.take_along_axis(potential, first, -1)[..., 0]
    high = np.take_along_axis(potential, first + 1, -1)[..., 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        crossing = time[first[..., 0]] + (level - low) / (high - low) * (time[1] - time[0])
    return spikes, np.where(spikes > 0, crossing, np.nan)
