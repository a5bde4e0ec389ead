"""The synaptic cleft: the space in which ACh diffuses."""

from __future__ import annotations

from typing import Any, TypeAlias

import equinox as eqx

from nmjmc import above
from nmjmc.errors import ValidationError, nearest
from nmjmc.synapse.parameter import check_parameters, is_traced, parameter
from nmjmc.types import Scalar

RIMS = ("absorbing", "open", "reflecting")


def _height() -> Any:
    return parameter("nm", "5 nm", "1000 nm")


def _radius() -> Any:
    return parameter("um", "0.05 um", "100 um")


def _diffusion() -> Any:
    return parameter("um^2/s", "0.1 um^2/s", "10000 um^2/s")


def _apron() -> Any:
    return parameter("um", "0 um", "100 um", default=0.0)


def _diffusion_q10() -> Any:
    return parameter("", "0.5", "10", default=1.3)


def _reference_temperature() -> Any:
    return parameter("degC", "-5 degC", "60 degC", default=22.0)


class Disc(eqx.Module):
    """A flat disc of cleft.

    Attributes:
        height: Distance of the two membranes [um].
        exit_radius: Radius at which the cleft ends [um].
        diffusion: Diffusion coefficient of ACh in the cleft, D [um^2/ms].
        rim: What the edge does: `absorbing`; `open`, where a bare apron without sites follows from which
            molecules may come back, absorbing at its outer edge; or `reflecting`.
        apron: Width of that apron [um]; positive for an open rim, else 0.
        diffusion_q10: Q10 of D.
        reference_temperature: Temperature at which `diffusion` holds [degC].
    """

    height: Scalar = _height()
    exit_radius: Scalar = _radius()
    diffusion: Scalar = _diffusion()
    rim: str = eqx.field(static=True, default="absorbing")
    apron: Scalar = _apron()
    diffusion_q10: Scalar = _diffusion_q10()
    reference_temperature: Scalar = _reference_temperature()

    def __repr__(self) -> str:
        return above.ask("text", self)

    def __check_init__(self) -> None:
        _check_cleft(self, self.exit_radius, "exit_radius")


class Slab(eqx.Module):
    """A flat square of cleft, x and y within plus and minus half its side.

    Attributes:
        height: Distance of the two membranes [um].
        side: Side of the square [um].
        diffusion: Diffusion coefficient of ACh in the cleft, D [um^2/ms].
        rim: What the four edges do: `absorbing` or `reflecting`.
        diffusion_q10: Q10 of D.
        reference_temperature: Temperature at which `diffusion` holds [degC].
    """

    height: Scalar = _height()
    side: Scalar = _radius()
    diffusion: Scalar = _diffusion()
    rim: str = eqx.field(static=True, default="absorbing")
    diffusion_q10: Scalar = _diffusion_q10()
    reference_temperature: Scalar = _reference_temperature()

    def __repr__(self) -> str:
        return above.ask("text", self)

    def __check_init__(self) -> None:
        _check_cleft(self, self.side, "side")


class Folded(eqx.Module):
    """A disc of cleft over a postsynaptic membrane with parallel folds.

    Attributes:
        height: Distance of the two membranes in the primary cleft [um].
        exit_radius: Radius at which the cleft ends [um].
        diffusion: Diffusion coefficient of ACh in the cleft, D [um^2/ms].
        rim: `absorbing`, `open` or `reflecting`, as in `Disc`.
        apron: Width of the apron of an open rim [um], else 0.
        fold_depth: Depth of a fold below the crests [um].
        fold_width: Width of the slit of a fold [um].
        fold_spacing: Distance from one fold to the next, middle to middle [um].
        diffusion_q10: Q10 of D.
        reference_temperature: Temperature at which `diffusion` holds [degC].
    """

    height: Scalar = _height()
    exit_radius: Scalar = _radius()
    diffusion: Scalar = _diffusion()
    rim: str = eqx.field(static=True, default="absorbing")
    apron: Scalar = _apron()
    fold_depth: Scalar = parameter("um", "0 um", "10 um", open_low=True, default=0.8)
    fold_width: Scalar = parameter("um", "0.005 um", "10 um", default=0.05)
    fold_spacing: Scalar = parameter("um", "0.01 um", "20 um", default=0.5)
    diffusion_q10: Scalar = _diffusion_q10()
    reference_temperature: Scalar = _reference_temperature()

    def __repr__(self) -> str:
        return above.ask("text", self)

    def __check_init__(self) -> None:
        _check_cleft(self, self.exit_radius, "exit_radius")
        _smaller("cleft.fold_width", self.fold_width, "cleft.fold_spacing", self.fold_spacing)
        _smaller("cleft.fold_spacing", self.fold_spacing, "cleft.exit_radius", self.exit_radius)


Cleft: TypeAlias = Disc | Slab | Folded

KINDS: dict[str, type[Disc] | type[Slab] | type[Folded]] = {"disc": Disc, "slab": Slab, "folded": Folded}


def half_width(cleft: Cleft) -> Scalar:
    """Distance from the middle to the nearest edge [um]."""
    return cleft.side / 2 if isinstance(cleft, Slab) else cleft.exit_radius


def _check_cleft(cleft: Cleft, width: Scalar, width_name: str) -> None:
    if cleft.rim not in RIMS:
        raise ValidationError("cleft.rim", repr(cleft.rim), "a known rim", nearest(str(cleft.rim), RIMS))
    check_parameters(cleft, "cleft")
    _smaller("cleft.height", cleft.height, f"cleft.{width_name}", width)
    if isinstance(cleft, Slab):
        if cleft.rim == "open":
            raise ValidationError(
                "cleft.rim", "'open'", "'absorbing' or 'reflecting' for a slab", "take a disc"
            )
        return
    if is_traced(cleft.apron):
        return
    if cleft.rim == "open" and cleft.apron <= 0:
        raise ValidationError("cleft.apron", "0 um", "positive for an open rim", "did you mean 0.5 um?")
    if cleft.rim != "open" and cleft.apron != 0:
        hint = "did you mean cleft.rim=open?"
        raise ValidationError(
            "cleft.apron", f"{float(cleft.apron):g} um", f"0 for a rim that is {cleft.rim}", hint
        )


def _smaller(name: str, small: Scalar, other: str, large: Scalar) -> None:
    """Refuse a length that is not below another."""
    if is_traced(small) or is_traced(large) or small < large:
        return
    hint = "were the two exchanged?" if small > large else ""
    raise ValidationError(name, f"{float(small):g} um", f"less than {other} ({float(large):g} um)", hint)
