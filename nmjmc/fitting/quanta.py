"""Quanta of the mean field: what a vesicle of each size gives, and how often vesicles have that size.

The content is lognormal; three Gauss-Hermite nodes of its logarithm integrate moments of currents, which go with
a low power of the content, to about 1e-4. The nodes move with mean and CV, so both have exact derivatives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nmjmc.carried import internal
from nmjmc.errors import ValidationError
from nmjmc.fitting.parameters import EXTRA, with_values
from nmjmc.meanfield import Grid, solve
from nmjmc.numbers import in_units
from nmjmc.synapse import replace
from nmjmc.synapse.model import Synapse

GRID = Grid(elements=5, degree=5, vertical_degree=3, growth=0.03, longest_step=0.005)
"""Resolution of fits: `fit(grid=Grid())` is finer and five times slower. With 300 events of the human quantum it moves
no parameter by more than 0.2 %; steps twice as long moved the binding rate by 0.7 %, half its error."""

COARSE = Grid(elements=4, degree=4, vertical_degree=2, growth=0.1, longest_step=0.02, first_step=2e-5)
"""For a first look and for tests; its error was not measured."""

NODES = 3


@in_units(duration="ms")
@dataclass(frozen=True, order=True)
class Condition:
    """What was done to the synapse in one data set.

    Attributes:
        changes: Parameters that differ from the synapse's, as pairs (path, value as for `nmjmc.replace`).
        duration: Time that is simulated, ms or text with a unit.
    """

    changes: tuple[tuple[str, Any], ...] = ()
    duration: float = 8.0

    def __post_init__(self) -> None:
        if not self.duration > 0:
            raise ValidationError("duration", f"{self.duration} ms", "positive")

    def of(self, synapse: Synapse) -> Synapse:
        """The synapse under this condition."""
        for path, value in self.changes:
            synapse = replace(synapse, path, value)
        return synapse

    def times(self) -> np.ndarray:
        """Where the current is solved for [t] [ms]: dense in the rise, sparse in the tail."""
        early = np.linspace(0.0, 0.6, 61)[:-1]
        late = np.geomspace(0.6, self.duration, 70) if self.duration > 0.6 else np.array([0.6])
        return np.append(early, late)


class Quanta(NamedTuple):
    """Currents of vesicles of a few sizes.

    Attributes:
        time: [t] [ms].
        current: Inward negative [k, t] [nA].
        weight: Of each size, adding up to one [k].
        node: Standard normal deviate of the logarithm of the content at each node [k].
        channel: Current of one channel [nA].
    """

    time: Float[Array, " t"]
    current: Float[Array, "k t"]
    weight: Float[Array, " k"]
    node: Float[Array, " k"]
    channel: Array

    def mean(self) -> Float[Array, " t"]:
        """Mean current."""
        return jnp.asarray(self.weight) @ self.current


def quanta(synapse: Synapse, condition: Condition, values: Mapping[str, Any], grid: Grid = GRID) -> Quanta:
    """Solve the mean field of vesicles of a few sizes.

    Args:
        synapse: The synapse before the fit.
        condition: What differs in this data set.
        values: Free parameters by path, internal units, traced or not.
        grid: Resolution.

    Returns:
        The currents.
    """
    changed = with_values(condition.of(synapse), values)
    node, weight = nodes(_has_spread(changed, values))
    spread = (
        jnp.sqrt(jnp.log1p(jnp.asarray(changed.vesicle.content_cv) ** 2)) if node.size > 1 else jnp.zeros(())
    )
    content = jnp.asarray(changed.vesicle.content_mean) * jnp.exp(spread * node - 0.5 * spread**2)
    time = condition.times()

    def one(molecules: Array) -> Array:
        return solve(replace(changed, "vesicle.content_mean", internal(molecules)), time, grid=grid).current

    scale = jnp.asarray(values.get("recording.scale", 1.0))
    warm = changed.effective()
    drive: Any = warm.fibre.holding_potential - warm.receptor.reversal_potential
    channel = jnp.abs(jnp.asarray(warm.receptor.channel_conductance) * jnp.asarray(drive)) * scale
    fixed = (jnp.asarray(time), jnp.asarray(weight), jnp.asarray(node))
    return Quanta(fixed[0], scale * jax.vmap(one)(content), fixed[1], fixed[2], channel)


def nodes(spread: bool) -> tuple[np.ndarray, np.ndarray]:
    """Standard normal nodes and weights; a single node where all vesicles are alike."""
    if not spread:
        return np.zeros(1), np.ones(1)
    node, weight = np.polynomial.hermite_e.hermegauss(NODES)
    return node, weight / weight.sum()


def _has_spread(synapse: Synapse, values: Mapping[str, Any]) -> bool:
    return "vesicle.content_cv" in values or float(synapse.vesicle.content_cv) > 0.0


def refuse_overlap(conditions: tuple[Condition, ...], names: tuple[str, ...]) -> None:
    """Refuse a parameter that is free and also set by a data set.

    Raises:
        ValidationError: Naming it.
    """
    for condition in conditions:
        for path, _ in condition.changes:
            if path in names:
                hint = "leave it out of one of the two"
                raise ValidationError("fit.free", path, "free or changed by a data set, not both", hint)
            if path in EXTRA:
                raise ValidationError("changes", path, "a parameter of the synapse")
