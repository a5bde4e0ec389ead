"""The esterase of the basal lamina."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import equinox as eqx

from nmjmc import above
from nmjmc.errors import ValidationError, nearest
from nmjmc.kinetics import Scheme, load_scheme
from nmjmc.synapse.parameter import check_parameters, parameter
from nmjmc.synapse.rates import check_rates, complete_q10, complete_rates
from nmjmc.synapse.receptor import rate_by_name
from nmjmc.types import Scalar

PLACEMENTS = ("lattice", "random")


class Esterase(eqx.Module):
    """Acetylcholinesterase (AChE) on the basal lamina, a plane in the cleft that ACh crosses freely.

    A rate can be read by its name: `esterase.deacylation_rate`.

    Attributes:
        scheme: Kinetic scheme; some transition of it destroys the transmitter.
        rates: Every rate of the scheme by name, at the reference temperature
            [um^3/ms if it binds, else 1/ms].
        density: Active sites per area in the primary cleft [1/um^2]; 0 for none.
        active_fraction: Part of the sites that is not inhibited, 0 to 1.
        position: Height of the lamina above the postsynaptic membrane as a fraction of the cleft's height,
            above 0 and below 1.
        fold_density: Active sites per area of the lamina in the folds [1/um^2].
        q10: Q10 of each rate.
        reference_temperature: Temperature at which the rates hold [degC].
        placement: Where the sites stand: `lattice`, as even as can be, or `random`, each quantum's own. Their number
            is the same. How much ACh is hydrolysed scatters more from quantum to quantum where they are random.
    """

    scheme: Scheme
    rates: dict[str, Any]
    q10: dict[str, Any]
    density: Scalar = parameter("/um^2", "0 /um^2", "1e5 /um^2")
    active_fraction: Scalar = parameter("", "0", "1")
    position: Scalar = parameter("", "0", "1", open_low=True, open_high=True)
    fold_density: Scalar = parameter("/um^2", "0 /um^2", "1e5 /um^2")
    reference_temperature: Scalar = parameter("degC", "-5 degC", "60 degC")
    placement: str = eqx.field(static=True, default="lattice")

    def __init__(
        self,
        scheme: Scheme | str,
        rates: Mapping[str, Any],
        density: Scalar,
        active_fraction: Scalar = 1.0,
        position: Scalar = 0.5,
        fold_density: Scalar = 0.0,
        q10: Mapping[str, Any] | None = None,
        reference_temperature: Scalar = 22.0,
        placement: str = "lattice",
    ) -> None:
        self.scheme = load_scheme(scheme)
        self.rates = complete_rates(self.scheme, rates, "esterase")
        self.density = density
        self.active_fraction = active_fraction
        self.position = position
        self.fold_density = fold_density
        self.q10 = complete_q10(self.scheme, q10 or {}, "esterase", {})
        self.reference_temperature = reference_temperature
        self.placement = placement

    def __repr__(self) -> str:
        return above.ask("text", self)

    def __check_init__(self) -> None:
        check_parameters(self, "esterase")
        if self.placement not in PLACEMENTS:
            hint = nearest(str(self.placement), PLACEMENTS)
            allowed = f"one of {', '.join(PLACEMENTS)}"
            raise ValidationError("esterase.placement", repr(self.placement), allowed, hint)
        check_rates(self.scheme, self.rates, self.q10, "esterase")
        if not any(t.destroys == self.scheme.transmitter for t in self.scheme.transitions):
            name, transmitter = repr(self.scheme.name), self.scheme.transmitter
            raise ValidationError(
                "esterase.scheme", name, f"one that destroys {transmitter}", "take 'esterase'"
            )
        if self.scheme.bath_ligands:
            raise ValidationError(
                "esterase.scheme", repr(self.scheme.name), "a scheme whose only ligand is the transmitter"
            )

    def __getattr__(self, name: str) -> Any:
        return rate_by_name(self, name)
