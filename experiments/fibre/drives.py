"""Fibres at 37 degC and smooth endplate currents: many rows of both, integrated side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from nmjmc.junction.drive import Drive
from nmjmc.junction.membrane import GATES, Membrane, State, build, currents, gates
from nmjmc.junction.muscle import Muscle
from nmjmc.junction.potential import respond
from nmjmc.junction.response import FIRED, Response, muscle_response

BODY = 37.0
SAMPLE = 0.02
DECAY = 0.8
"""Of a normal endplate current [ms]."""
FULL, HALF = 2.0, 1.0
"""Peak conductance of a healthy muscle's endplate, and half of it [uS]."""
STEP = 0.0125
SENSITIVITY, REFERENCE = 0.0058, -80.0
"""Of the closing of the receptor's channel to the potential [1/mV], and the potential of the given conductance [mV]."""


def warm(**changes: Any) -> Muscle:
    """The default fibre at 37 degC with changes."""
    return Muscle(temperature=BODY, **changes)


def current(peak: float, longer: float, length: float) -> np.ndarray:
    """An endplate conductance that begins 1.2 ms after the stimulus and decays so many times more slowly [uS]."""
    since = np.maximum(np.arange(0.0, length, SAMPLE) - 1.2, 0.0)
    shape = (1 - np.exp(-since / 0.12)) * np.exp(-since / (DECAY * longer))
    return peak * shape / shape.max()


def stacked(muscles: Sequence[Muscle]) -> Muscle:
    """Fibres as rows of one."""
    return jax.tree.map(lambda *leaves: np.asarray(leaves, np.float32), *muscles)


def drives(conductance: Any, longer: Sequence[float]) -> Drive:
    """What the endplates of the rows do."""
    count = len(conductance)
    fixed = [np.full(count, x, np.float32) for x in (SAMPLE, 0.0, SENSITIVITY, REFERENCE)]
    closing = np.asarray([1.0 / (DECAY * x) for x in longer], np.float32)
    return Drive(np.asarray(conductance, np.float32), *fixed[:2], closing, *fixed[2:])


def answers(cases: Sequence[tuple[Muscle, float, float]], times: np.ndarray, length: float) -> Response:
    """Fibres, each with a peak and a length of its current, over a train."""
    each = np.stack([current(peak, longer, length) for _, peak, longer in cases])
    given = drives(each[:, None].repeat(times.size, axis=1), [longer for _, _, longer in cases])
    return muscle_response(stacked([muscle for muscle, _, _ in cases]), given, times, length)


def intervals(trace: np.ndarray, sample: float) -> np.ndarray:
    """Times between the spikes of a trace [ms]."""
    return np.diff(np.flatnonzero((trace[1:] > FIRED) & (trace[:-1] <= FIRED))) * sample


def held(membrane: Membrane, start: State, potential: Any, time: float) -> State:
    """The state of a fibre that has been held at a potential for a time; potassium as at rest."""
    away = jnp.zeros_like(start.voltage) + potential - membrane.rest
    found = gates(membrane.rest + away, membrane.gating, membrane.pace)
    moved = {
        name: steady + (getattr(start, name) - steady) * jnp.exp(-time * rate)
        for name, steady, rate in zip(GATES, found.steady, found.rate, strict=True)
    }
    return start._replace(voltage=away, **moved)


@eqx.filter_jit
def freed(muscles: Muscle, potential: float, duration: float) -> jax.Array:
    """Potential at the endplate of fibres that were held for 100 ms and then freed [v t], every 0.1 ms."""

    def one(muscle: Muscle) -> jax.Array:
        membrane, start = build(muscle)
        nothing = Drive(jnp.zeros(2), *(jnp.asarray(x) for x in (SAMPLE, 0.0, 1.0, 0.0, REFERENCE)))
        state = held(membrane, start, potential, 100.0)
        records = round(10 * duration) + 1
        return respond(membrane, state, nothing, duration, duration, records, STEP)[0].endplate

    return jax.vmap(one)(jax.tree.map(jnp.asarray, muscles))


def steady(muscle: Muscle, potential: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Steady sodium current and all current of a unit of surface, slow inactivation as at rest [uA/cm^2]."""
    membrane, start = build(muscle)

    def at(v: jax.Array) -> jax.Array:
        found = currents(membrane, held(membrane, start, v, 1e9)._replace(s=start.s))
        both = jnp.stack([found.sodium[:, -1], found.total[:, -1]])
        return both[:, 0] + muscle.effective().tubule_area * both[:, 1]

    sodium, total = np.asarray(jax.vmap(at)(jnp.asarray(potential, jnp.float32))).T * 1e5
    return sodium, total
