"""The margin of safety: the endplate potential over the depolarisation that fires the fibre."""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nmjmc.junction.drive import Drive
from nmjmc.junction.membrane import build
from nmjmc.junction.muscle import Muscle
from nmjmc.junction.potential import potential_range, step_of
from nmjmc.junction.response import FIRED
from nmjmc.runtime import in_single

HALVINGS = 12
"""Of the interval from 1/64 to 64 times the conductance: the threshold is found to 0.2 %."""
WINDOW = 20.0


class Safety(NamedTuple):
    """Of each fibre [v].

    Attributes:
        endplate_potential: Peak depolarisation with every sodium channel blocked, EPP [mV].
        threshold: The same for the least multiple of the conductance that fires, E_AP [mV]; NaN if even 64
            times it does not.
        factor: EPP over E_AP.
    """

    endplate_potential: Float[Array, " v"]
    threshold: Float[Array, " v"]
    factor: Float[Array, " v"]


@in_single
def safety(muscles: Muscle, drives: Drive) -> Safety:
    """Margin of safety of fibres by its definition (Ruff 2011, Muscle Nerve 44:854).

    Args:
        muscles: One fibre a row.
        drives: The endplates, `conductance` [v t].
    """
    step = step_of(muscles)
    muscles, drives = (jax.tree.map(jnp.asarray, x) for x in (muscles, drives))
    return _many(muscles, drives, step)


@eqx.filter_jit
def _many(muscles: Muscle, drives: Drive, step: float) -> Safety:
    return jax.vmap(lambda muscle, drive: _one(muscle, drive, step))(muscles, drives)


def _one(muscle: Muscle, drive: Drive, step: float) -> Safety:
    excitable, blocked = build(muscle), build(muscle, sodium_open=0.0)

    def scaled(factor: Array) -> Drive:
        return drive._replace(conductance=factor * drive.conductance)

    def fires(factor: Array) -> Array:
        return potential_range(*excitable, scaled(factor), WINDOW, step)[1] > FIRED

    def halve(bounds: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], None]:
        low, high = bounds
        middle = 0.5 * (low + high)
        fired = fires(jnp.exp2(middle))
        return (jnp.where(fired, low, middle), jnp.where(fired, middle, high)), None

    start = (jnp.asarray(-6.0), jnp.asarray(6.0))
    (_, least), _ = jax.lax.scan(halve, start, None, length=HALVINGS)
    rest = muscle.resting_potential
    potential = potential_range(*blocked, drive, WINDOW, step)[0] - rest
    threshold = potential_range(*blocked, scaled(jnp.exp2(least)), WINDOW, step)[0] - rest
    threshold = jnp.where(least < 6.0, threshold, jnp.nan)
    return Safety(potential, threshold, potential / threshold)
