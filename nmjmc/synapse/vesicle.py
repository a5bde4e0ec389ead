"""The vesicle: how much ACh, how fast it comes out, where and when."""

from __future__ import annotations

import equinox as eqx
import jax
import numpy as np

from nmjmc import above
from nmjmc.errors import ValidationError
from nmjmc.synapse.parameter import check_parameters, is_traced, parameter
from nmjmc.types import Scalar, Sites


class Vesicle(eqx.Module):
    """One vesicle or several of one kind in a patch.

    The content of a vesicle is drawn from the lognormal distribution with the given mean and CV, rounded to a
    whole number (a choice: vesicle volumes are skewed to the right); CV 0 gives the mean to every vesicle.

    Attributes:
        content_mean: Mean number of ACh molecules.
        content_cv: Coefficient of variation of the content.
        lumen_radius: Inner radius of the vesicle [um].
        pore_speed: Speed at which the radius of the fusion pore grows [um/ms]; inf releases all at once.
        pore_initial_radius: Radius of the pore as it opens [um].
        pore_length: Length of the pore [um].
        release_depth: Depth below the presynaptic membrane at which ACh enters the cleft [um].
        sites: Release sites, x and y [um], shape [vesicles of the patch, 2].
        times: Times of release [ms], rising, one a site.
    """

    content_mean: Scalar = parameter("molecules", "1 molecules", "1e6 molecules")
    content_cv: Scalar = parameter("", "0", "3", default=0.0)
    lumen_radius: Scalar = parameter("nm", "5 nm", "500 nm", default=0.024)
    pore_speed: Scalar = parameter(
        "nm/ms", "0 nm/ms", "inf nm/ms", open_low=True, infinite=True, default=np.inf
    )
    pore_initial_radius: Scalar = parameter("nm", "0 nm", "100 nm", default=0.001)
    pore_length: Scalar = parameter("nm", "0 nm", "200 nm", default=0.009)
    release_depth: Scalar = parameter("nm", "0 nm", "1000 nm", default=0.0001)
    sites: Sites | np.ndarray = parameter("um", "-100 um", "100 um", ndim=2, default=((0.0, 0.0),))
    times: jax.Array | np.ndarray = parameter("ms", "0 ms", "1e6 ms", ndim=1, default=(0.0,))

    def __repr__(self) -> str:
        return above.ask("text", self)

    def __check_init__(self) -> None:
        check_parameters(self, "vesicle")
        _check_events(self.sites, self.times)
        _check_pore(self.pore_initial_radius, self.lumen_radius)


def _check_pore(initial: Scalar, lumen: Scalar) -> None:
    if is_traced(initial) or is_traced(lumen) or initial <= lumen:
        return
    value, limit = float(initial) * 1e3, float(lumen) * 1e3
    allowed = f"at most vesicle.lumen_radius ({limit:g} nm)"
    raise ValidationError("vesicle.pore_initial_radius", f"{value:g} nm", allowed, "were the two exchanged?")


def _check_events(sites: Sites | np.ndarray, times: jax.Array | np.ndarray) -> None:
    if is_traced(sites) or is_traced(times):
        return
    if np.shape(sites)[1] != 2 or not np.size(sites):
        raise ValidationError("vesicle.sites", np.asarray(sites).tolist(), "a list of pairs [x, y] in um")
    if len(times) != len(sites):
        allowed = f"a list of {len(sites)} times in ms, one a site"
        raise ValidationError("vesicle.times", np.asarray(times).tolist(), allowed)
    if not bool((times[1:] >= times[:-1]).all()):
        kept = [float(t) for t in times]
        hint = f"did you mean {sorted(kept)} (with the sites in the same order)?"
        raise ValidationError("vesicle.times", kept, "rising", hint)
