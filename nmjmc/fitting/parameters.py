"""Free parameters: named by path, held within bounds by bijections, with priors.

A parameter whose lower bound is above zero is fitted by its logarithm, any other as it is; that scaled value x in
(a, b) is x = a + (b - a) sigmoid(u) with u free. Priors are normal in x.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nmjmc.carried import internal
from nmjmc.errors import ValidationError, nearest
from nmjmc.synapse import get, paths, replace
from nmjmc.synapse.model import Synapse
from nmjmc.synapse.modifier import allowed_range
from nmjmc.synapse.parameter import Range, convert
from nmjmc.units import to_internal

EXTRA = {
    "release.quantal_content": Range("", "1e-3", "1e4"),
    "release.sites": Range("", "1", "1e4"),
    "release.probability": Range("", "0", "1", open_low=True, open_high=True),
    "recording.gain": Range("MOhm", "1e-6 MOhm", "1e6 MOhm"),
    "recording.scale": Range("", "1e-6", "1e6"),
}
"""Parameters of the release and of the recording, which no synapse has: quanta a trial; sites and probability of
binomial release; peak depolarisation per peak current; and a factor on the current."""

OPTIONS = ("low", "high", "start", "median", "factor", "mean", "sd")


@dataclass(frozen=True, eq=False)
class Parameters:
    """What a fit may change; all values in internal units.

    Attributes:
        names: Paths [p].
        units: Stated unit at the edge of each [p].
        low: Lower bounds [p].
        high: Upper bounds [p].
        start: Where the fit begins [p].
        logarithmic: Whether a parameter is fitted by its logarithm [p].
        prior_mean: Of the normal prior of the scaled value [p]; NaN where there is none.
        prior_sd: Its SD [p].
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    low: np.ndarray
    high: np.ndarray
    start: np.ndarray
    logarithmic: np.ndarray
    prior_mean: np.ndarray
    prior_sd: np.ndarray

    @property
    def count(self) -> int:
        """How many."""
        return len(self.names)

    def scaled(self, values: Any) -> Any:
        """Logarithms of the logarithmic parameters, the others as they are [..., p]."""
        positive = jnp.where(self.logarithmic, values, 1.0)
        return jnp.where(self.logarithmic, jnp.log(positive), values)

    def values(self, free: Any) -> Any:
        """Values from unconstrained numbers [p]."""
        x = self.scaled_from(free)
        return jnp.where(self.logarithmic, jnp.exp(jnp.where(self.logarithmic, x, 0.0)), x)

    def scaled_from(self, free: Any) -> Any:
        """Scaled values from unconstrained numbers [p]."""
        low, high = self._ends()
        return low + (high - low) * jax.nn.sigmoid(free)

    def unconstrained(self, values: np.ndarray) -> np.ndarray:
        """The inverse of `values` [p]."""
        low, high = self._ends()
        x = np.where(self.logarithmic, np.log(np.where(self.logarithmic, values, 1.0)), values)
        share = np.clip((x - low) / (high - low), 1e-9, 1.0 - 1e-9)
        return np.log(share) - np.log1p(-share)

    def stretch(self, free: np.ndarray) -> np.ndarray:
        """Derivative of the scaled value by the unconstrained number [p]."""
        low, high = self._ends()
        tail = np.exp(-np.abs(free))  # so written, it is no zero beside a bound
        return (high - low) * tail / (1.0 + tail) ** 2

    def prior(self, free: Any) -> Any:
        """Minus the logarithm of the prior density of the scaled values, without its constant."""
        known = np.isfinite(self.prior_sd)
        away = (self.scaled_from(free) - np.where(known, self.prior_mean, 0.0)) / np.where(
            known, self.prior_sd, 1.0
        )
        return 0.5 * jnp.sum(jnp.where(known, away, 0.0) ** 2)

    def prior_precision(self, free: np.ndarray) -> np.ndarray:
        """Diagonal of the prior's information about the unconstrained numbers [p]."""
        return np.where(np.isfinite(self.prior_sd), (self.stretch(free) / self.prior_sd) ** 2, 0.0)

    def named(self, values: Any) -> dict[str, Any]:
        """Values by path."""
        return {name: values[i] for i, name in enumerate(self.names)}

    def _ends(self) -> tuple[np.ndarray, np.ndarray]:
        logs = [
            np.where(self.logarithmic, np.log(np.where(self.logarithmic, end, 1.0)), end)
            for end in (self.low, self.high)
        ]
        return logs[0], logs[1]


def free_parameters(
    synapse: Synapse,
    free: Sequence[str] | Mapping[str, Mapping[str, Any] | None],
    fixed: Mapping[str, Any] | None = None,
) -> Parameters:
    """The free parameters of a fit.

    Args:
        synapse: Where the fit begins.
        free: Paths, or a mapping from path to options: `low` and `high` bounds, `start`, and a prior: `median`
            and `factor` (lognormal: two thirds of it lie within median / factor and median * factor), or `mean`
            and `sd` (normal, for parameters that may be zero). Values are text with a unit or numbers in the
            stated unit. Bounds are by default a thirtieth and thirty times the start, within the allowed range.
        fixed: Values of `EXTRA` parameters that are known; a free one begins there.

    Returns:
        The parameters.

    Raises:
        ValidationError: For an unknown path or option, for bounds that do not hold the start, and for none at all.
    """
    given = dict(free) if isinstance(free, Mapping) else dict.fromkeys(free)
    if not given:
        raise ValidationError("fit.free", "empty", "a list of one or more paths")
    known = {**paths(synapse), **{name: allowed.unit for name, allowed in EXTRA.items()}}
    rows = []
    for name, options in given.items():
        if name not in known:
            raise ValidationError("fit.free", name, "a parameter of the synapse", nearest(name, known))
        rows.append(_row(synapse, name, known[name], dict(options or {}), dict(fixed or {})))
    names, units, numbers = zip(*rows, strict=True)
    low, high, start, logarithmic, mean, sd = np.asarray(numbers, np.float64).T
    return Parameters(names, units, low, high, start, logarithmic.astype(bool), mean, sd)


def _row(
    synapse: Synapse, name: str, unit: str, options: dict[str, Any], fixed: dict[str, Any]
) -> tuple[str, str, tuple[float, ...]]:
    """One parameter: name, unit, and (low, high, start, logarithmic, prior mean, prior SD)."""
    for key in options:
        if key not in OPTIONS:
            raise ValidationError(
                f"fit.free.{name}.{key}", "unknown", "a known option", nearest(key, OPTIONS)
            )
    allowed = EXTRA.get(name) or _range(synapse, name)

    def inside(key: str) -> float:
        return float(convert(options[key], allowed, f"fit.free.{name}.{key}"))

    start = inside("start") if "start" in options else _start(synapse, name, fixed, allowed)
    least, most = allowed.bounds()
    low = inside("low") if "low" in options else max(start / 30.0, least) if start > 0 else least
    high = inside("high") if "high" in options else min(start * 30.0, most) if start > 0 else most
    for key, value in (("low", low), ("high", high)):
        if not (least <= value <= most and np.isfinite(value)):
            raise ValidationError(
                f"fit.free.{name}.{key}", value, f"finite and within {allowed.low} to {allowed.high}"
            )
    if not low < start < high:
        raise ValidationError(
            f"fit.free.{name}.start",
            f"{start:g}",
            f"between its bounds, {low:g} to {high:g}",
            "in units of the model",
        )
    logarithmic = low > 0
    mean, sd = _prior(name, options, logarithmic, inside)
    return name, unit, (low, high, start, float(logarithmic), mean, sd)


def _prior(name: str, options: dict[str, Any], logarithmic: bool, inside: Any) -> tuple[float, float]:
    """Mean and SD of the scaled value's prior."""
    if "median" in options or "factor" in options:
        if not logarithmic or not {"median", "factor"} <= options.keys():
            raise ValidationError(
                f"prior of {name}", "incomplete", "a median and a factor, for a lower bound above zero"
            )
        factor = to_internal(options["factor"], "", f"fit.free.{name}.factor")
        if not factor > 1:
            raise ValidationError(f"fit.free.{name}.factor", factor, "above 1")
        return float(np.log(inside("median"))), float(np.log(factor))
    if "mean" in options or "sd" in options:
        if logarithmic or not {"mean", "sd"} <= options.keys():
            raise ValidationError(
                f"prior of {name}",
                "of the wrong kind",
                "a median and a factor, as it is fitted by its logarithm",
            )
        return inside("mean"), inside("sd")
    return float("nan"), float("nan")


def _range(synapse: Synapse, name: str) -> Range:
    allowed = allowed_range(synapse, name)
    if allowed.ndim:
        raise ValidationError("fit.free", name, "a single number, not a list")
    return allowed


def _start(synapse: Synapse, name: str, fixed: dict[str, Any], allowed: Range) -> float:
    if name not in EXTRA:
        return float(get(synapse, name))
    if name not in fixed:
        raise ValidationError(
            f"fit.free.{name}.start", "missing", f"given{f' in {allowed.unit}' if allowed.unit else ''}"
        )
    return float(convert(fixed[name], allowed, name))


def with_values(synapse: Synapse, values: Mapping[str, Any]) -> Synapse:
    """The synapse with some parameters replaced by internal values, traced or not; `EXTRA` ones are left out."""
    for name, value in values.items():
        if name not in EXTRA:
            # host numbers stay float64 whatever JAX's default
            leaf = value if isinstance(value, jax.Array) else np.asarray(value, np.float64)
            synapse = replace(synapse, name, internal(leaf))
    return synapse


def extra_value(name: str, value: Any) -> float:
    """An `EXTRA` parameter in internal units.

    Raises:
        ValidationError: If there is none of that name, or the value cannot be right.
    """
    if name not in EXTRA:
        raise ValidationError("fit.fixed", name, "a parameter of release or recording", nearest(name, EXTRA))
    number = to_internal(value, EXTRA[name].unit, name)
    if not EXTRA[name].holds(number):
        raise ValidationError(name, number, EXTRA[name].words(number))
    return number
