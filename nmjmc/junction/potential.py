"""Endplate potential and muscle action potential: one stimulus of a fibre, integrated by diffrax."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nmjmc.junction.drive import Drive, closing_rate, given
from nmjmc.junction.membrane import Membrane, State, derivative
from nmjmc.junction.muscle import Muscle

STEP = 0.025
"""Time step of the staggered solver at 20 degC [ms]; see `step_of`."""
MOST_STEPS = 65536


def step_of(muscles: Muscle) -> float:
    """Time step for fibres [ms]: halved for every fourfold speed of the gates, so that 37 degC takes 0.0125 ms."""
    speed = float(np.max(np.asarray(muscles.speed)))
    return STEP / 2.0 ** max(0, round(0.5 * np.log2(max(speed, 1.0))))


class Course(NamedTuple):
    """What is kept of a response.

    Attributes:
        endplate: surface potential at the endplate [t] [mV].
        distant: surface potential 1.5 mm away [t] [mV].
        tubule: tubular potential there [t] [mV].
        conductance: open at the endplate, whose channels feel its potential [t] [uS].
    """

    endplate: Float[Array, " t"]
    distant: Float[Array, " t"]
    tubule: Float[Array, " t"]
    conductance: Float[Array, " t"]


FAR = 8
"""Compartment of the distant potential, centred 1.58 mm from the endplate."""


def field(time: Any, state: State, arguments: Any) -> State:
    """The fibre with its endplate.

    With closing rate b(V) and any source of openings q, dg/dt = q - b(V) g. The grid holds g0 for the reference
    voltage, so the excess x = g - g0 obeys dx/dt = -b(V) x - (b(V) - b0) g0, whatever q.
    """
    membrane, drive = arguments
    voltage = membrane.rest + state.voltage[0, 0]
    open_there = given(drive, time)
    conductance = open_there + state.excess
    change = derivative(membrane, state, 0.5 * conductance * (drive.reversal - voltage))
    faster = closing_rate(drive, voltage)
    return change._replace(excess=-faster * state.excess - (faster - drive.closing) * open_there)


def respond(
    membrane: Membrane,
    start: State,
    drive: Drive,
    duration: Any,
    recorded: Any,
    records: int,
    step: float = STEP,
) -> tuple[Course, State]:
    """Integrate a fibre over one stimulus; float32 is enough (see docs/junction.md).

    Args:
        membrane: The membrane.
        start: The state before.
        drive: The endplate.
        duration: Time to integrate [ms].
        recorded: End of the records [ms], at most `duration`.
        records: Number of records, evenly from 0 to `recorded`.
        step: Time step [ms].

    Returns:
        What was recorded, and the state after.
    """
    import diffrax  # half a second of starting, which commands without a fibre are spared

    from nmjmc.junction.staggered import Staggered

    times = jnp.linspace(0.0, recorded, records)

    def keep(t: Array, y: State, args: object) -> Course:
        places = y.voltage[0, 0], y.voltage[0, FAR], y.voltage[1, FAR]
        endplate, distant, tubule = (membrane.rest + x for x in places)
        return Course(endplate, distant, tubule, given(drive, t) + y.excess)

    save = [diffrax.SubSaveAt(ts=times, fn=keep), diffrax.SubSaveAt(t1=True)]
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(field), Staggered(), 0.0, duration, step, start, (membrane, drive),
        saveat=diffrax.SaveAt(subs=save), stepsize_controller=diffrax.ConstantStepSize(), max_steps=MOST_STEPS,
    )  # fmt: skip
    assert solution.ys is not None
    course, end = solution.ys
    return course, jax.tree.map(lambda x: x[-1], end)


def potential_range(
    membrane: Membrane, start: State, drive: Drive, duration: float, step: float = STEP
) -> tuple[Array, Array]:
    """Highest potential at the endplate and 1.5 mm away in a window [mV]."""
    records = round(duration / (2 * step)) + 1
    course, _ = respond(membrane, start, drive, duration, duration, records, step)
    return course.endplate.max(), course.distant.max()
