"""What a fibre is by its passive properties at rest: input resistance, resistance and capacity of its surface."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from nmjmc.junction.membrane import build, inward_rectifier, potassium_reversal
from nmjmc.junction.muscle import Muscle
from nmjmc.types import Scalar


class Passive(NamedTuple):
    """A fibre at rest and at its temperature, without its gated sodium and potassium channels.

    Attributes:
        input_resistance: R_in of an endless cable, at the endplate [MOhm = mV/nA].
        membrane: resistance of a unit of surface, with its tubules [mV um^2/nA].
        capacity: capacity of a unit of surface, with its tubules [nF/um^2].
        space_constant: [um].
        chloride_share: part of the conductance that is of chloride.
    """

    input_resistance: Scalar
    membrane: Scalar
    capacity: Scalar
    space_constant: Scalar
    chloride_share: Scalar

    @property
    def time_constant(self) -> Scalar:
        """Of the membrane [ms]."""
        return self.membrane * self.capacity


def passive(muscle: Muscle) -> Passive:
    """Cable properties: R_in = sqrt(r_m r_i) / 2 and lambda = sqrt(r_m / r_i), surface and tubules taken as one."""
    membrane, start = build(muscle)
    warm = muscle.effective()
    _, slope = inward_rectifier(membrane, start, potassium_reversal(membrane, start))
    chloride = membrane.chloride * start.c
    total = chloride + slope + membrane.leak + membrane.background
    areas = jnp.stack([jnp.ones(()), jnp.asarray(warm.tubule_area)])
    conductance, of_chloride = (x[:, -1] @ areas for x in (total, chloride))
    along = 2.0 * np.pi * jnp.asarray(warm.radius) * conductance
    inside = jnp.asarray(warm.axial_resistance)
    return Passive(
        0.5 * jnp.sqrt(inside / along), 1.0 / conductance, warm.capacitance * areas.sum(),
        jnp.sqrt(1.0 / (along * inside)), of_chloride / conductance,
    )  # fmt: skip
