"""How much the fibres of one muscle differ."""

from __future__ import annotations

import equinox as eqx

from nmjmc import above
from nmjmc.synapse.parameter import check_parameters, parameter
from nmjmc.types import Scalar


class Spread(eqx.Module):
    """Coefficients of variation of lognormal factors, which a muscle's fibres draw one each.

    Attributes:
        quantum: Of the quantal conductance; receptors that differ between endplates are in it.
        release: Of the calcium affinity of the sensor; release varies about three times as much.
        resistance: Of the input resistance; it is the radius that varies.
        immature: Part of the fibres whose junction is young, as that of a nerve's new branch.
        immature_quantum: Factor on the quantal conductance there.
        immature_release: Factor on the release zones there.
        conduction: Standard deviation of the conduction time from stimulus to endplate and electrode [ms].
    """

    quantum: Scalar = parameter("", "0", "2", default=0.1)  # [D]
    release: Scalar = parameter("", "0", "1", default=0.04)  # [D]
    resistance: Scalar = parameter("", "0", "1", default=0.1)  # [D]
    immature: Scalar = parameter("", "0", "1", default=0.0)
    immature_quantum: Scalar = parameter("", "0", "2", default=1.0)
    immature_release: Scalar = parameter("", "0", "1", default=1.0)
    conduction: Scalar = parameter("ms", "0 ms", "10 ms", default=0.6)  # [D]

    def __repr__(self) -> str:
        return above.ask("text", self)

    def __check_init__(self) -> None:
        check_parameters(self, "spread")
