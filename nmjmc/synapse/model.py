"""The synapse: all parts as one PyTree of parameters."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from nmjmc import above
from nmjmc.errors import ValidationError
from nmjmc.synapse.changes import apply_all
from nmjmc.synapse.cleft import Cleft, Folded, Slab
from nmjmc.synapse.esterase import Esterase
from nmjmc.synapse.fibre import Fibre
from nmjmc.synapse.history import NONE, History
from nmjmc.synapse.ions import Ions, check_agreement
from nmjmc.synapse.parameter import as_leaf, check_parameters, is_traced, parameter
from nmjmc.synapse.rates import warmed
from nmjmc.synapse.receptor import Receptor
from nmjmc.synapse.vesicle import Vesicle
from nmjmc.types import Scalar

TAKEN = (
    "time", "vesicle", "content", "free_ach", "hydrolysed", "escaped", "released", "open_channels", "current", "bound",
    "current_na", "current_k", "current_ca", "frame", "molecule", "axis", "positions",
)  # fmt: skip
"""Names of a result's variables, which no state may take."""


class Synapse(eqx.Module):
    """A neuromuscular junction's patch around one release site.

    Attributes:
        cleft: The space.
        receptor: The postsynaptic receptors.
        esterase: The enzyme of the basal lamina.
        vesicle: The quantum.
        fibre: The muscle fibre.
        temperature: Temperature [degC].
        name: Name, for files and figures.
        ions: What carries the receptors' current.
        history: The diseases and drugs that have been applied.
    """

    cleft: Cleft
    receptor: Receptor
    esterase: Esterase
    vesicle: Vesicle
    fibre: Fibre
    temperature: Scalar = parameter("degC", "-5 degC", "60 degC", default=22.0)
    name: str = eqx.field(static=True, default="synapse")
    ions: Ions = Ions()
    history: History = eqx.field(static=True, default=NONE)

    def __check_init__(self) -> None:
        check_parameters(self, "")
        _check_release(self.cleft, self.vesicle)
        _check_folds(self.cleft, self.receptor, self.esterase)
        _check_transmitter(self.receptor, self.esterase)
        _check_states(self.receptor, self.esterase)
        check_agreement(self.ions, self.receptor.reversal_potential, self.temperature)

    def effective(self) -> Synapse:
        """The same synapse with every rate, D and gamma at its temperature and its holding potential.

        A rate becomes rate Q10^((T - T_ref)/10); the closing rate moreover exp(A (V - V_ref)) times itself.
        The reference temperatures and voltage become T and V, so that a second call changes nothing.
        """
        warm = Synapse(
            cleft=_warm_cleft(self.cleft, self.temperature),
            receptor=_warm_receptor(self.receptor, self.temperature, self.fibre.holding_potential),
            esterase=_warm_esterase(self.esterase, self.temperature),
            vesicle=self.vesicle,
            fibre=self.fibre,
            temperature=self.temperature,
            name=self.name,
            ions=self.ions,
            history=self.history,
        )
        return checked(warm)

    def with_(self, *changes: Callable[[Synapse], Synapse]) -> Synapse:
        """The same synapse after one or several changes, the first first; `synapse | change` is the same of one.

        Args:
            *changes: Diseases (`nmjmc.disease`), drugs (`nmjmc.drug`), factors (`nmjmc.scale`), or any function from
                synapse to synapse.

        Example:
            >>> import nmjmc
            >>> sick = nmjmc.preparation("human").with_(nmjmc.disease("receptor_deficiency"))
            >>> round(float(nmjmc.get(sick, "receptor.density")))
            1125
        """
        return apply_all(self, changes)

    def __or__(self, change: Callable[[Synapse], Synapse]) -> Synapse:
        return self.with_(change) if callable(change) else NotImplemented

    def save(self, path: str | Path, differences_from: str | None = None) -> Path:
        """Write it as YAML, from which `nmjmc.preparation(path)` makes the same bits; every command takes the file.

        Args:
            path: The file; it appears whole or not at all.
            differences_from: The name of a preparation of which only the differences are written; without it
                everything is.

        Raises:
            ValidationError: If there is no such preparation, or nothing can be written there.
        """
        return above.ask("save", self, path, differences_from)

    def __repr__(self) -> str:
        return above.ask("text", self)

    def _repr_html_(self) -> str:
        return above.ask("html", self)

    def conductance(self) -> Scalar:
        """Conductance of an open channel at the synapse's temperature [uS], as `effective` has it."""
        return _warm_conductance(self.receptor, self.temperature)


def checked(synapse: Synapse) -> Synapse:
    """The same synapse, after all the checks of a new one (values traced by JAX pass).

    Raises:
        ValidationError: If a value cannot be right.
    """
    parts = (synapse.cleft, synapse.receptor, synapse.esterase, synapse.vesicle, synapse.fibre, synapse.ions)
    for part in (*parts, synapse):
        part.__check_init__()
    return synapse


def _check_states(receptor: Receptor, esterase: Esterase) -> None:
    """Counts and files are named by the states: no two may share a name, nor take one of the other variables."""
    seen = {name: "another variable of the result" for name in TAKEN}
    for field, scheme in (("receptor.scheme", receptor.scheme), ("esterase.scheme", esterase.scheme)):
        for state in scheme.states:
            if state in seen:
                allowed = f"without a state of that name, which {seen[state]} has"
                raise ValidationError(field, f"one with a state {state}", allowed)
            if not re.fullmatch(r"\w+", state):
                raise ValidationError(field, f"one with a state {state!r}", "made of letters, digits and '_'")
            seen[state] = f"a state of {field}"


def _warm_cleft(cleft: Cleft, temperature: Scalar) -> Cleft:
    change = temperature - cleft.reference_temperature
    diffusion = warmed(cleft.diffusion, cleft.diffusion_q10, change)
    return eqx.tree_at(lambda c: (c.diffusion, c.reference_temperature), cleft, (diffusion, temperature))


def _warm_receptor(receptor: Receptor, temperature: Scalar, voltage: Scalar) -> Receptor:
    change = temperature - receptor.reference_temperature
    rates = {name: warmed(rate, receptor.q10[name], change) for name, rate in receptor.rates.items()}
    if "closing_rate" in rates:
        away = receptor.closing_voltage_sensitivity * (voltage - receptor.reference_voltage)
        rates["closing_rate"] = as_leaf(rates["closing_rate"] * _exp(away))
    conductance = _warm_conductance(receptor, temperature)
    new = (rates, conductance, temperature, voltage)
    return eqx.tree_at(
        lambda r: (r.rates, r.channel_conductance, r.reference_temperature, r.reference_voltage),
        receptor,
        new,
    )


def _warm_conductance(receptor: Receptor, temperature: Scalar) -> Scalar:
    change = temperature - receptor.reference_temperature
    return warmed(receptor.channel_conductance, receptor.q10["channel_conductance"], change)


def _warm_esterase(esterase: Esterase, temperature: Scalar) -> Esterase:
    change = temperature - esterase.reference_temperature
    rates = {name: warmed(rate, esterase.q10[name], change) for name, rate in esterase.rates.items()}
    return eqx.tree_at(lambda e: (e.rates, e.reference_temperature), esterase, (rates, temperature))


def _exp(x: Scalar) -> Scalar:
    """The exponential, on the host for host numbers (so that no device is touched and no digit lost)."""
    return np.exp(x) if isinstance(x, np.ndarray | np.generic) else jnp.exp(x)


def _check_release(cleft: Cleft, vesicle: Vesicle) -> None:
    if is_traced(cleft.height) or is_traced(vesicle.release_depth) or is_traced(vesicle.sites):
        return
    if vesicle.release_depth > cleft.height:
        value, limit = float(vesicle.release_depth) * 1e3, float(cleft.height) * 1e3
        raise ValidationError(
            "vesicle.release_depth", f"{value:g} nm", f"at most cleft.height ({limit:g} nm)"
        )
    width = cleft.side if isinstance(cleft, Slab) else cleft.exit_radius
    if is_traced(width):
        return
    for i, (x, y) in enumerate(np.asarray(vesicle.sites)):
        inside = max(abs(x), abs(y)) < width / 2 if isinstance(cleft, Slab) else np.hypot(x, y) < width
        if not inside:
            limit = (
                f"|x| and |y| below {float(width) / 2:g} um"
                if isinstance(cleft, Slab)
                else f"{float(width):g} um"
            )
            raise ValidationError(f"vesicle.sites[{i}]", f"[{x:g}, {y:g}] um", f"inside the cleft ({limit})")


def _check_folds(cleft: Cleft, receptor: Receptor, esterase: Esterase) -> None:
    """Refuse parameters of folds where there are none: they would be ignored in silence."""
    if isinstance(cleft, Folded):
        if esterase.placement != "lattice":
            hint = "take a disc or a slab for sites at random"
            raise ValidationError(
                "esterase.placement", repr(esterase.placement), "'lattice' for a folded cleft", hint
            )
        return
    hint = "did you mean cleft.kind=folded?"
    if np.size(receptor.fold_profile[0]):
        raise ValidationError("receptor.fold_profile", "given", "left out for a cleft without folds", hint)
    if not is_traced(esterase.fold_density) and esterase.fold_density != 0:
        value = f"{float(esterase.fold_density):g} /um^2"
        raise ValidationError("esterase.fold_density", value, "0 for a cleft without folds", hint)


def _check_transmitter(receptor: Receptor, esterase: Esterase) -> None:
    if receptor.scheme.transmitter != esterase.scheme.transmitter:
        raise ValidationError(
            "esterase.scheme",
            f"one that splits {esterase.scheme.transmitter}",
            f"one whose transmitter is that of the receptor ({receptor.scheme.transmitter})",
        )
