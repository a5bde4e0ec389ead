"""The postsynaptic receptors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import equinox as eqx

from nmjmc import above
from nmjmc.errors import ValidationError, nearest
from nmjmc.kinetics import Scheme, load_scheme
from nmjmc.synapse.parameter import Range, as_leaf, check_parameters, check_value, is_traced, parameter
from nmjmc.synapse.rates import check_rates, complete_q10, complete_rates
from nmjmc.types import Scalar

BATH = Range("uM", "0 uM", "1e6 uM")
DEPTH = Range("um", "0 um", "10 um", ndim=1)
FRACTION = Range("", "0", "1", ndim=1)
# physics.md 1.5 and 8a [M]
CONDUCTANCE_Q10 = {"channel_conductance": 1.3}


def _leaves(values: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: as_leaf(value) for name, value in (values or {}).items()}


class Receptor(eqx.Module):
    """Receptors of one kind, spread over the postsynaptic membrane.

    A rate can be read by its name: `receptor.opening_rate` is `receptor.rates["opening_rate"]`.

    Attributes:
        scheme: Kinetic scheme.
        rates: Every rate of the scheme by name, at the reference temperature
            [um^3/ms if it binds, else 1/ms].
        density: Receptors per area of membrane, sigma_R [1/um^2]; of the crests where there are folds.
        channel_conductance: Conductance of one open channel, gamma [uS], at the reference temperature.
        reversal_potential: Reversal potential of the current [mV].
        bath: Concentration of every ligand of the scheme that is not followed as particles [uM].
        q10: Q10 of each rate and of `channel_conductance`.
        reference_temperature: Temperature at which rates and conductance hold [degC].
        fold_profile: For a folded cleft: lower edges of bands of depth [um] and the density in each band as
            a fraction of `density`; below the last edge there are no receptors. Two arrays of one length;
            empty means full density at every depth.
        closing_voltage_sensitivity: A in alpha(V) = alpha(V_ref) exp(A (V - V_ref)) [1/mV].
        reference_voltage: V_ref, the potential at which `closing_rate` holds [mV].

    References:
        Anderson & Stevens 1973, J Physiol 235:655 (the voltage dependence of closing).
    """

    scheme: Scheme
    rates: dict[str, Any]
    bath: dict[str, Any]
    q10: dict[str, Any]
    fold_profile: tuple[Any, Any]
    density: Scalar = parameter("/um^2", "0 /um^2", "1e5 /um^2", open_low=True)
    channel_conductance: Scalar = parameter("pS", "0 pS", "1000 pS", open_low=True)
    reversal_potential: Scalar = parameter("mV", "-200 mV", "200 mV")
    reference_temperature: Scalar = parameter("degC", "-5 degC", "60 degC")
    closing_voltage_sensitivity: Scalar = parameter("/mV", "-0.1 /mV", "0.1 /mV")
    reference_voltage: Scalar = parameter("mV", "-200 mV", "200 mV")

    def __init__(
        self,
        scheme: Scheme | str,
        rates: Mapping[str, Any],
        density: Scalar,
        channel_conductance: Scalar,
        reversal_potential: Scalar = 0.0,
        bath: Mapping[str, Any] | None = None,
        q10: Mapping[str, Any] | None = None,
        reference_temperature: Scalar = 22.0,
        fold_profile: tuple[Any, Any] = ((), ()),
        closing_voltage_sensitivity: Scalar = 0.0,
        reference_voltage: Scalar = -80.0,
    ) -> None:
        self.scheme = load_scheme(scheme)
        self.rates = complete_rates(self.scheme, rates, "receptor")
        self.density = density
        self.channel_conductance = channel_conductance
        self.reversal_potential = reversal_potential
        self.bath = _leaves(bath)
        self.q10 = complete_q10(self.scheme, q10 or {}, "receptor", CONDUCTANCE_Q10)
        self.reference_temperature = reference_temperature
        depth, fraction = fold_profile
        self.fold_profile = (as_leaf(depth), as_leaf(fraction))
        self.closing_voltage_sensitivity = closing_voltage_sensitivity
        self.reference_voltage = reference_voltage

    def __repr__(self) -> str:
        return above.ask("text", self)

    def __check_init__(self) -> None:
        check_parameters(self, "receptor")
        check_rates(self.scheme, self.rates, self.q10, "receptor")
        _check_bath(self)
        _check_profile(*self.fold_profile)
        if not self.scheme.open_states:
            name = repr(self.scheme.name)
            raise ValidationError(
                "receptor.scheme", name, "one with a conducting state", "take 'two_site_sequential'"
            )
        voltage = self.closing_voltage_sensitivity
        if "closing_rate" not in self.rates and not is_traced(voltage) and voltage != 0:
            raise ValidationError(
                "receptor.closing_voltage_sensitivity",
                f"{float(voltage):g} /mV",
                f"0 for the scheme {self.scheme.name}, which has no closing_rate",
            )

    def __getattr__(self, name: str) -> Any:
        return rate_by_name(self, name)


def rate_by_name(part: Any, name: str) -> Any:
    """The rate of a part by its name (reached only if no attribute has the name).

    Raises:
        AttributeError: If the part's scheme has no such rate.
    """
    rates = {} if name.startswith("_") or name == "rates" else part.__dict__.get("rates", {})
    if name in rates:
        return rates[name]
    raise AttributeError(f"{type(part).__name__} has no attribute {name!r}")


def _check_bath(receptor: Receptor) -> None:
    wanted = receptor.scheme.bath_ligands
    for ligand in receptor.bath:
        if ligand not in wanted:
            hint = nearest(ligand, wanted) if wanted else f"the scheme {receptor.scheme.name} has none"
            raise ValidationError(f"receptor.bath.{ligand}", "given", "a bath ligand of the scheme", hint)
    for ligand in wanted:
        if ligand not in receptor.bath:
            raise ValidationError(f"receptor.bath.{ligand}", "missing", "given in uM")
        check_value(receptor.bath[ligand], BATH, f"receptor.bath.{ligand}")


def _check_profile(depth: Any, fraction: Any) -> None:
    if is_traced(depth) or is_traced(fraction):
        return
    where = "receptor.fold_profile"
    check_value(depth, DEPTH, f"{where}.depth")
    check_value(fraction, FRACTION, f"{where}.fraction")
    if depth.shape != fraction.shape:
        raise ValidationError(
            where, f"{depth.size} depths and {fraction.size} fractions", "two lists of one length"
        )
    if depth.size and not (depth[0] > 0 and (depth[1:] > depth[:-1]).all()):
        raise ValidationError(
            f"{where}.depth", [float(d) for d in depth], "rising from above 0 um", "sort the depths"
        )
