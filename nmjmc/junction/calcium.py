"""From the tubular potential to force: release channels, calcium and its buffers, troponin, cross-bridges.

Equations of Shorten et al. 2007 (see `Contraction`): the release channels are allosteric after Rios et al.
1993, the cross-bridges after Razumova et al. 1999. The system is stiff (the release site turns over in a
microsecond), so it is integrated implicitly, and in float64 whatever the default: concentrations span six
orders of magnitude.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nmjmc.junction.contraction import Contraction
from nmjmc.junction.drive import interpolate
from nmjmc.junction.rosenbrock import Rosenbrock

STEP, LONG = 0.0125, 0.25
"""Time steps of a contraction around a spike and elsewhere [ms]."""
BLOCK, AFTER = 0.5, 4
"""Steps are short in blocks in which the potential moves [ms], and in so many after."""
STILL = 2.0
"""Slower than this the potential is still [mV/ms]."""
MULTIPLE = 1024
"""Of which the number of steps is a multiple."""
SETTLING = ((1.0, 0.01), (20.0, 0.05), (5000.0, 5.0))
"""The way to rest from a guess: times and steps [ms]; what is far from rest moves fast at first."""


class State(NamedTuple):
    """Concentrations [uM]; axis 0 of the pairs: near the tubule, beyond.

    Attributes:
        closed, opened: release channels with 0 to 4 sensors moved, as fractions [5].
        calcium, reticulum: free calcium in the myoplasm and in the reticulum [2].
        parvalbumin, parvalbumin_magnesium: parvalbumin with Ca, with Mg [2].
        calsequestrin: with Ca [2].
        atp, atp_calcium, atp_magnesium: free, with Ca, with Mg [2].
        magnesium: free [2].
        troponin: with one and with two Ca, tropomyosin not shifted [2].
        shifted: the same shifted, with no, one and two Ca [3].
        bridge: cross-bridges attached before and after the stroke [2].
    """

    closed: Array
    opened: Array
    calcium: Array
    reticulum: Array
    parvalbumin: Array
    parvalbumin_magnesium: Array
    calsequestrin: Array
    atp: Array
    atp_calcium: Array
    atp_magnesium: Array
    magnesium: Array
    troponin: Array
    shifted: Array
    bridge: Array


def _guess(p: Any, voltage: Any) -> State:
    """A state near rest: the initial values of the published code [V], with the release channels at equilibrium."""
    bound, with_magnesium = 0.41 * p.parvalbumin_total, 0.54 * p.parvalbumin_total
    pair = [0.1, 1500.0, bound, with_magnesium, 16900.0, 799.6, 0.4, 7200.0, 1000.0]
    rest = [[25.0, 3.0], [0.8, 1.2, 3.0], [0.3, 0.23]]
    twice = [jnp.full(2, v, float) for v in pair]
    return State(*channels_at_rest(p, voltage), *twice, *(jnp.asarray(v, float) for v in rest))


def channels_at_rest(p: Any, voltage: Any) -> tuple[Array, Array]:
    """Closed and open release channels in their allosteric equilibrium, by the number of sensors moved [5], [5].

    Closed with i moved: C(4, i) x^i, x = exp((V - Vbar) / 4 K); open: k_L / k_-L C(4, i) (x / f^2)^i.
    """
    moved = jnp.exp((voltage - p.sensor_voltage) / (4.0 * p.sensor_width)) ** jnp.arange(5.0)
    closed = jnp.asarray([1.0, 4.0, 6.0, 4.0, 1.0]) * moved
    opened = p.channel_opening / p.channel_closing * closed / p.allosteric ** (2.0 * jnp.arange(5.0))
    total = closed.sum() + opened.sum()
    return closed / total, opened / total


def _release_channels(p: Any, state: State, voltage: Any) -> tuple[Array, Array]:
    """Rates of change of the closed and the open release channels [5], [5]."""
    away = (voltage - p.sensor_voltage) / (8.0 * p.sensor_width)
    forward, back = 0.5 * p.sensor_rate * jnp.exp(away), 0.5 * p.sensor_rate * jnp.exp(-away)
    left, gone = jnp.arange(4.0, 0.0, -1.0), jnp.arange(1.0, 5.0)
    power = p.allosteric ** jnp.arange(5.0)
    up = forward * left * state.closed[:4] - back * gone * state.closed[1:]
    up_open = forward / p.allosteric * left * state.opened[:4] - back * p.allosteric * gone * state.opened[1:]
    opening = p.channel_opening / power * state.closed - p.channel_closing * power * state.opened
    zero = jnp.zeros(1)
    closed = jnp.concatenate([zero, up]) - jnp.concatenate([up, zero]) - opening
    return closed, jnp.concatenate([zero, up_open]) - jnp.concatenate([up_open, zero]) + opening


def _troponin(p: Any, state: State) -> tuple[Array, Array, Array, Array]:
    """Rates of change of `troponin`, `shifted` and `bridge`, and the calcium that they take up [uM/ms]."""
    ca = state.calcium[1]
    one, two = state.troponin
    d0, d1, d2 = state.shifted
    before, after = state.bridge
    none = p.troponin_total - one - two - d0 - d1 - d2 - before - after
    bind = [
        p.troponin_on * ca * a - p.troponin_off * b for a, b in ((none, one), (one, two), (d0, d1), (d1, d2))
    ]
    shift = p.shift_calcium_on * two - p.shift_calcium_off * d2
    attach = p.attach * d2 - p.detach * before
    stroke = p.stroke * before - p.unstroke * after
    troponin = jnp.stack([bind[0] - bind[1] + p.shift_off * d1, bind[1] - shift])
    shifted = jnp.stack([-bind[2] - p.shift_off * d0, bind[2] - bind[3] - p.shift_off * d1,
                         bind[3] + shift - attach + p.release * after])  # fmt: skip
    bridge = jnp.stack([attach - stroke, stroke - p.release * after])
    return troponin, shifted, bridge, sum(bind, jnp.zeros(()))


def derivative(p: Any, state: State, voltage: Any) -> State:
    """Rate of change of the state of a `Contraction` at a tubular potential [mV]."""
    closed, opened = _release_channels(p, state, voltage)
    near, far, near_store, far_store = (jnp.asarray(v) for v in p.volumes)
    volume, store = jnp.stack([near, far]), jnp.stack([near_store, far_store])
    ca, sr, mg, atp = state.calcium, state.reticulum, state.magnesium, state.atp
    out = jnp.stack([jnp.ones(()), -jnp.ones(())])  # from near to far

    def spread(flow: Any, x: Array) -> Array:
        return -flow * (x[0] - x[1]) * out

    release = p.release_flux * state.opened.sum() * jnp.stack([jnp.ones(()), jnp.zeros(())])
    # without the bound, a long step could carry calcium below -K, where the pump would run the wrong way
    pumped = jnp.maximum(ca, 0.0)
    flux = (release + p.reticulum_leak) * (sr - ca) - p.uptake * pumped / (pumped + p.uptake_constant)
    free = p.parvalbumin_total - state.parvalbumin - state.parvalbumin_magnesium
    parvalbumin = p.parvalbumin_on * ca * free - p.parvalbumin_off * state.parvalbumin
    with_magnesium = p.magnesium_on * mg * free - p.magnesium_off * state.parvalbumin_magnesium
    calsequestrin = p.calsequestrin_on * sr * (p.calsequestrin_total - state.calsequestrin)
    calsequestrin = calsequestrin - p.calsequestrin_off * state.calsequestrin
    on_atp = p.atp_on * ca * atp - p.atp_off * state.atp_calcium
    magnesium_atp = p.atp_magnesium_on * mg * atp - p.atp_magnesium_off * state.atp_magnesium
    troponin, shifted, bridge, taken = _troponin(p, state)
    taken_there = jnp.stack([jnp.zeros(()), taken])
    return State(
        closed,
        opened,
        (flux + spread(p.exchange, ca)) / volume - parvalbumin - on_atp - taken_there,
        (-flux + spread(p.exchange, sr)) / store - calsequestrin,
        parvalbumin,
        with_magnesium,
        calsequestrin,
        spread(p.atp_exchange, atp) / volume - on_atp - magnesium_atp,
        spread(p.atp_exchange, state.atp_calcium) / volume + on_atp,
        spread(p.atp_exchange, state.atp_magnesium) / volume + magnesium_atp,
        spread(p.magnesium_exchange, mg) / volume - with_magnesium - magnesium_atp,
        troponin,
        shifted,
        bridge,
    )


class Force(NamedTuple):
    """A contraction.

    Attributes:
        time: [t] [ms].
        force: cross-bridges after the stroke over all troponin [t].
        calcium: free calcium of the bulk of the myoplasm [t] [uM].
        release: open release channels, as a fraction [t].
        troponin: troponin with two calcium ions, as a fraction [t].
    """

    time: np.ndarray
    force: np.ndarray
    calcium: np.ndarray
    release: np.ndarray
    troponin: np.ndarray


def contract(
    contraction: Contraction,
    voltage: Float[np.ndarray, "... t"],
    interval: float,
    resting: float,
    every: int = 1,
) -> Force:
    """The force that follows from a course of the tubular potential.

    Args:
        contraction: The parameters.
        voltage: Tubular potential on a grid of equal steps, one course or several [mV].
        interval: Step of that grid [ms].
        resting: Potential of the long rest before [mV].
        every: Keep every so many samples of what is found.

    Returns:
        The contraction on that grid, one or several as `voltage`.
    """
    traces = np.atleast_2d(np.asarray(voltage, np.float64))
    steps, saved = steps_of(traces, interval), np.arange(0, traces.shape[-1], every) * interval
    with jax.enable_x64(True):
        parameters = jax.tree.map(lambda x: jnp.asarray(x, jnp.float64), contraction).effective()
        numbers = (jnp.asarray(x, jnp.float64) for x in (traces, interval, resting, steps, saved))
        shape = (*np.shape(voltage)[:-1], saved.size)
        force, calcium, release, troponin = (
            np.asarray(x).reshape(shape) for x in _contract(parameters, *numbers)
        )
    return Force(saved, force, calcium, release, troponin)


def steps_of(traces: Float[np.ndarray, "v t"], interval: float) -> Float[np.ndarray, " s"]:
    """Times of the steps [ms]: short ones around spikes, in whichever trace, and long ones elsewhere.

    Their number is a multiple of a large one, so that few programs are compiled; the last may lie after the traces.
    """
    end = interval * (traces.shape[1] - 1)
    blocks = max(1, int(np.ceil(end / BLOCK - 1e-9)))
    moving = np.zeros(blocks, bool)
    change = np.flatnonzero(np.abs(np.diff(traces, axis=1)).max(axis=0) > STILL * interval)
    # the block itself, the one before and what calcium needs to even out
    for shift in range(-1, AFTER + 1):
        moving[np.clip((change * interval / BLOCK).astype(int) + shift, 0, blocks - 1)] = True
    starts = np.arange(blocks) * BLOCK
    parts = [s + np.arange(0.0, BLOCK, STEP if m else LONG) for s, m in zip(starts, moving, strict=True)]
    times = np.concatenate([*parts, [blocks * BLOCK]])
    missing = -(times.size - 1) % MULTIPLE
    return np.concatenate([times, times[-1] + LONG * np.arange(1, missing + 1)])


@eqx.filter_jit
def _contract(
    p: Contraction, voltage: Array, interval: Array, resting: Array, steps: Array, saved: Array
) -> tuple[Array, ...]:
    rest = resting_state(p, resting)
    return jax.vmap(lambda v: _one(p, v, interval, rest, steps, saved))(voltage)


def resting_state(p: Contraction, voltage: Float[Array, ""]) -> State:
    """The state after a long rest at a potential [mV]."""
    term = diffrax.ODETerm(lambda t, y, a: derivative(p, y, voltage))
    state = _guess(p, voltage)
    for time, step in SETTLING:
        steps = jnp.linspace(0.0, time, round(time / step) + 1)
        state = jax.tree.map(lambda x: x[0], _integrate(term, state, steps, diffrax.SaveAt(t1=True)))
    return state


def _one(
    p: Contraction, voltage: Array, interval: Array, rest: State, steps: Array, saved: Array
) -> tuple[Array, ...]:
    def slope(t: Any, y: State, args: object) -> State:
        return derivative(p, y, interpolate(voltage, interval, t))

    def keep(t: Any, y: State, args: object) -> tuple[Array, ...]:
        with_two = y.troponin[1] + y.shifted[2] + y.bridge.sum()
        total = p.troponin_total
        return y.bridge[1] / total, y.calcium[1], y.opened.sum(), with_two / total

    return _integrate(diffrax.ODETerm(slope), rest, steps, diffrax.SaveAt(ts=saved, fn=keep))


def _integrate(term: diffrax.ODETerm, start: State, steps: Array, save: diffrax.SaveAt) -> tuple:
    solution = diffrax.diffeqsolve(
        term, Rosenbrock(), steps[0], steps[-1], None, start, saveat=save, max_steps=steps.shape[0],
        stepsize_controller=diffrax.StepTo(ts=steps),
    )  # fmt: skip
    assert solution.ys is not None
    return solution.ys
