"""The muscle fibre under the endplate."""

from __future__ import annotations

import equinox as eqx

from nmjmc import above
from nmjmc.synapse.parameter import check_parameters, parameter
from nmjmc.types import Scalar


class Fibre(eqx.Module):
    """A muscle fibre in voltage clamp.

    Attributes:
        holding_potential: Potential at which the fibre is held [mV].
    """

    holding_potential: Scalar = parameter("mV", "-200 mV", "200 mV", default=-80.0)

    def __repr__(self) -> str:
        return above.ask("text", self)

    def __check_init__(self) -> None:
        check_parameters(self, "fibre")
