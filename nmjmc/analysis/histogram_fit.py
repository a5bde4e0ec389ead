"""Histograms of amplitudes fitted by maximum likelihood: Poisson, binomial or free numbers of quanta."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy import optimize, stats

from nmjmc.analysis import compound
from nmjmc.analysis.goodness import g_statistic
from nmjmc.analysis.observations import Histogram
from nmjmc.carried import Number
from nmjmc.errors import ValidationError, nearest
from nmjmc.numbers import to_array_in

MODELS = ("poisson", "binomial", "free")


@dataclass(frozen=True, eq=False)
class HistogramFit:
    """A fitted histogram.

    Attributes:
        model: `poisson`, `binomial` or `free`.
        estimates: `quantum` and `quantal_sd` in the unit, and `content` (m), or `sites` (n) and `probability`
            (p), or `weight_k` for each number of quanta.
        errors: Standard errors of the same, from the observed information.
        log_likelihood: At the maximum, without the multinomial constant.
        aic: Akaike's criterion.
        expected: Expected counts of the bins [bin].
        expected_failures: Expected failures.
        p_value: Of the likelihood-ratio goodness of fit over bins merged to at least 5 expected.
    """

    model: str
    estimates: Mapping[str, float]
    errors: Mapping[str, float]
    log_likelihood: float
    aic: float
    expected: np.ndarray
    expected_failures: float
    p_value: float


def fit_histogram(
    histogram: Histogram,
    model: str = "poisson",
    *,
    quanta: Histogram | None = None,
    noise_sd: Number = 0.0,
    most: int | None = None,
    start: Mapping[str, Number] | None = None,
) -> HistogramFit:
    """Fit a histogram of evoked amplitudes by maximum likelihood.

    Args:
        histogram: Of the evoked amplitudes, failures apart.
        model: How the number of quanta is distributed: `poisson`, `binomial`, or `free` weights of 1 to `most`.
        quanta: Histogram of miniatures of the same cell, to be fitted together with it.
        noise_sd: SD of the recording's noise, in the unit.
        most: Largest number of quanta; by default far above what the mean allows, and 4 for `free`.
        start: Where to begin, by the names of the estimates.

    Returns:
        Estimates, standard errors and goodness of fit.

    Raises:
        ValidationError: For an unknown model, an empty histogram, or a fit that does not converge.
    """
    if model not in MODELS:
        raise ValidationError("model", repr(model), "a known model", nearest(model, MODELS))
    if histogram.counts.sum() < 5:
        raise ValidationError("histogram", f"{histogram.counts.sum()} responses", "five or more")
    noise_sd = float(to_array_in(noise_sd, histogram.unit, "noise_sd"))
    given = {name: float(to_array_in(value, histogram.unit, name)) for name, value in (start or {}).items()}
    begin = _start(histogram, model, quanta, most or 4) | given
    largest = most or _most(histogram, begin["quantum"])
    names = tuple(begin)
    value = _objective(histogram, model, quanta, noise_sd, largest, names)
    with jax.enable_x64(True):
        free = jnp.asarray([_to_free(name, begin[name]) for name in names])
        compiled = jax.jit(jax.value_and_grad(value))

        def slope(x: np.ndarray) -> tuple[float, np.ndarray]:
            height, gradient = compiled(jnp.asarray(x))
            return float(height), np.asarray(gradient, np.float64)

        options = {"gtol": 1e-6 * histogram.trials, "maxiter": 500}
        found = optimize.minimize(slope, np.asarray(free), jac=True, method="BFGS", options=options)
        if not np.isfinite(found.fun):
            raise ValidationError(
                "start", dict(begin), "one from which the fit converges", "give another start"
            )
        hessian = _hessian(slope, found.x)
        estimates, scale, chances, none = _report(names, model, histogram.edges, noise_sd, largest, found.x)
    covariance = scale @ np.linalg.pinv(hessian, hermitian=True) @ scale.T
    errors = dict(zip(names, np.sqrt(np.maximum(np.diag(covariance), 0.0)).tolist(), strict=True))
    expected = histogram.trials * np.asarray(chances, np.float64)
    return HistogramFit(
        model, estimates, errors, -float(found.fun), 2.0 * len(names) + 2.0 * float(found.fun), expected,
        histogram.trials * float(none), _goodness(histogram, expected, histogram.trials * float(none), len(names)),
    )  # fmt: skip


def _hessian(slope: Callable[[np.ndarray], tuple[float, np.ndarray]], at: np.ndarray) -> np.ndarray:
    """Second derivatives by central differences of the exact gradient [p, p]."""
    step = 1e-5
    columns = [(slope(at + d)[1] - slope(at - d)[1]) / (2.0 * step) for d in step * np.eye(at.size)]
    return 0.5 * (np.stack(columns) + np.stack(columns).T)


def _report(
    names: tuple[str, ...], model: str, edges: np.ndarray, noise_sd: float, most: int, at: np.ndarray
) -> tuple[dict[str, float], np.ndarray, Any, Any]:
    """Estimates, their derivatives by the free parameters [p, p], and the probabilities."""

    def all_of(x: Any) -> tuple[Any, Any]:
        found = _estimates(names, x)
        return jnp.stack([found[name] for name in names]), _probabilities(found, model, edges, noise_sd, most)

    values, (chances, none) = jax.jit(all_of)(jnp.asarray(at))
    scale = jax.jit(jax.jacrev(lambda x: all_of(x)[0]))(jnp.asarray(at))
    return dict(zip(names, np.asarray(values).tolist(), strict=True)), np.asarray(scale), chances, none


def _start(histogram: Histogram, model: str, quanta: Histogram | None, most: int) -> dict[str, float]:
    """Moments as a first guess."""
    mean = histogram.mean()
    share = max(histogram.failures, 0.5) / histogram.trials
    quantum = quanta.mean() if quanta is not None else mean / max(-np.log(share), 0.1)
    begin = {"quantum": quantum, "quantal_sd": 0.25 * quantum}
    if model == "poisson":
        return begin | {"content": mean / quantum}
    if model == "binomial":
        # far from one p and n are one direction: begin between
        return begin | {"sites": 3.0 * mean / quantum, "probability": 1.0 / 3.0}
    responses = histogram.counts @ histogram.centres / histogram.counts.sum()
    begin = {"quantum": responses / 2.0, "quantal_sd": 0.2 * responses / 2.0}
    return begin | {f"weight_{k}": 1.0 / most for k in range(2, most + 1)}


def _most(histogram: Histogram, quantum: float) -> int:
    """More quanta than the largest amplitude and the mean allow."""
    content = histogram.mean() / quantum
    return int(np.ceil(max(2.0 * histogram.edges[-1] / quantum, content + 8.0 * np.sqrt(content) + 10.0)))


def _to_free(name: str, value: float) -> float:
    """Logarithm of a positive parameter, logit of a probability; weights are taken against that of one quantum."""
    if name == "probability":
        return float(np.log(value) - np.log1p(-value))
    return 0.0 if name.startswith("weight_") else float(np.log(value))


def _estimates(names: tuple[str, ...], free: Any) -> dict[str, Any]:
    """The parameters by name."""
    found: dict[str, Any] = {}
    logits = [free[i] for i, name in enumerate(names) if name.startswith("weight_")]
    shares = jax.nn.softmax(jnp.stack([jnp.zeros(()), *logits])) if logits else None
    for i, name in enumerate(names):
        if name.startswith("weight_"):
            assert shares is not None
            found[name] = shares[int(name.removeprefix("weight_")) - 1]
        else:
            found[name] = jax.nn.sigmoid(free[i]) if name == "probability" else jnp.exp(free[i])
    return found


def _probabilities(
    found: Mapping[str, Any], model: str, edges: np.ndarray, noise_sd: float, most: int
) -> tuple[Any, Any]:
    """Probabilities of the bins and of a failure."""
    if model == "poisson":
        weights = compound.poisson(found["content"], most)
    elif model == "binomial":
        weights = compound.binomial(found["sites"], found["probability"], most)
    else:
        rest = [found[name] for name in found if name.startswith("weight_")]
        weights = jnp.stack([jnp.zeros(()), 1.0 - sum(rest), *rest])
    return compound.bins(edges, weights, found["quantum"], found["quantal_sd"], noise_sd), weights[0]


def _objective(
    histogram: Histogram,
    model: str,
    quanta: Histogram | None,
    noise_sd: float,
    most: int,
    names: tuple[str, ...],
) -> Callable[[Any], Any]:
    """Minus the logarithm of the likelihood, as a function of the free parameters."""
    failed = 0 if model == "free" else histogram.failures

    def value(free: Any) -> Any:
        found = _estimates(names, free)
        chances, none = _probabilities(found, model, histogram.edges, noise_sd, most)
        total = compound.log_likelihood(histogram.counts, failed, chances, none)
        if quanta is not None:
            one = jnp.array([0.0, 1.0])
            small = compound.bins(quanta.edges, one, found["quantum"], found["quantal_sd"], noise_sd)
            total = total + compound.log_likelihood(quanta.counts, 0, small, 0.0)
        return -total

    return value


def _goodness(histogram: Histogram, expected: np.ndarray, failures: float, fitted: int) -> float:
    """p-value of the G statistic over neighbouring bins merged to five expected; NaN if too few are left."""
    observed = np.append(histogram.failures, histogram.counts).astype(float)
    wanted = np.append(failures, expected)
    statistic, bins = g_statistic(observed, wanted)
    freedom = bins - 1 - fitted
    if freedom < 1:
        return float("nan")
    return float(stats.chi2.sf(statistic, freedom))
