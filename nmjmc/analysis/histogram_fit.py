"""Histograms of amplitudes fitted by maximum likelihood: Poisson, binomial or free numbers of quanta."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special, stats

from nmjmc.analysis import quantal_law as law
from nmjmc.analysis.goodness import g_statistic
from nmjmc.analysis.observations import Histogram
from nmjmc.carried import Number
from nmjmc.errors import ValidationError, nearest
from nmjmc.numbers import to_array_in

MODELS = ("poisson", "binomial", "free")
_FLOOR = 1e-300  # of a probability whose logarithm is taken


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
    threshold: Number | None = None,
) -> HistogramFit:
    """Fit a histogram of evoked amplitudes, or of miniatures (`free` with `most=1`), by maximum likelihood.

    Args:
        histogram: Of the evoked amplitudes, failures apart.
        model: How the number of quanta is distributed: `poisson`, `binomial`, or `free` weights of 1 to `most`.
        quanta: Histogram of miniatures of the same cell, to be fitted together with it.
        noise_sd: SD of the recording's noise, in the unit.
        most: Largest number of quanta; by default far above what the mean allows, and 4 for `free`.
        start: Where to begin, by the names of the estimates.
        threshold: Amplitude below which no response is detected, in the unit. Of miniatures, and of `free` numbers of
            quanta, those below are missing (a truncated likelihood); of evoked responses they are among the failures.
            By default all are seen.

    Returns:
        Estimates, standard errors and goodness of fit.

    Raises:
        ValidationError: For an unknown model, an empty histogram, responses below the threshold, or a fit that does
            not converge.
    """
    if model not in MODELS:
        raise ValidationError("model", repr(model), "a known model", nearest(model, MODELS))
    if histogram.counts.sum() < 5:
        raise ValidationError("histogram", f"{histogram.counts.sum()} responses", "five or more")
    noise_sd = float(to_array_in(noise_sd, histogram.unit, "noise_sd"))
    least = -np.inf if threshold is None else float(to_array_in(threshold, histogram.unit, "threshold"))
    for counted in (histogram, *([quanta] if quanta is not None else [])):
        _refuse_unseen(counted, least)
    given = {name: float(to_array_in(value, histogram.unit, name)) for name, value in (start or {}).items()}
    begin = _start(histogram, model, quanta, most or 4) | given
    largest = most or _most(histogram, begin["quantum"])
    names = tuple(begin)
    slope = _objective(histogram, model, quanta, noise_sd, largest, names, least)
    free = np.array([_to_free(name, begin[name]) for name in names])
    options = {"gtol": 1e-6 * histogram.trials, "maxiter": 500}
    optimum = optimize.minimize(slope, free, jac=True, method="BFGS", options=options)
    if not np.isfinite(optimum.fun):
        raise ValidationError("start", dict(begin), "one from which the fit converges", "give another start")
    hessian = _hessian(slope, optimum.x)
    estimates, scale = _estimates(names, optimum.x)
    chances = _chances(names, model, histogram.edges, noise_sd, largest, optimum.x, least)
    covariance = scale @ np.linalg.pinv(hessian, hermitian=True) @ scale.T
    errors = dict(zip(names, np.sqrt(np.maximum(np.diag(covariance), 0.0)).tolist(), strict=True))
    shares, none = _seen(chances, model, least)[:2]
    expected = histogram.trials * shares
    return HistogramFit(
        model, estimates, errors, -float(optimum.fun), 2.0 * len(names) + 2.0 * float(optimum.fun), expected,
        histogram.trials * none, _goodness(histogram, expected, histogram.trials * none, len(names)),
    )  # fmt: skip


def _refuse_unseen(histogram: Histogram, least: float) -> None:
    below = int(histogram.counts[histogram.edges[1:] <= least].sum())
    if below:
        allowed = f"above the {below} responses in bins below it"
        raise ValidationError("threshold", f"{least:g} {histogram.unit}", allowed, "count those as failures")


def _hessian(slope: Callable[[np.ndarray], tuple[float, np.ndarray]], at: np.ndarray) -> np.ndarray:
    """Second derivatives by central differences of the exact gradient [p, p]."""
    step = 1e-5
    columns = [(slope(at + d)[1] - slope(at - d)[1]) / (2.0 * step) for d in step * np.eye(at.size)]
    return 0.5 * (np.stack(columns) + np.stack(columns).T)


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


def _estimates(names: tuple[str, ...], free: np.ndarray) -> tuple[dict[str, float], np.ndarray]:
    """The parameters by name, and their derivatives by the free ones [p, p]."""
    weights = [name.startswith("weight_") for name in names]
    values = np.exp(np.where(weights, 0.0, free))
    scale = np.diag(values)
    if "probability" in names:
        at = names.index("probability")
        values[at] = special.expit(free[at])
        scale[at, at] = values[at] * (1.0 - values[at])
    if any(weights):
        shares, slopes = law.free_weights(free[weights])
        values[weights], scale[np.ix_(weights, weights)] = shares[2:], slopes[:, 2:].T
    return dict(zip(names, values.tolist(), strict=True)), scale


def _chances(
    names: tuple[str, ...], model: str, edges: np.ndarray, noise_sd: float, most: int, free: np.ndarray,
    threshold: float,
) -> law.Chances:  # fmt: skip
    """Probabilities of the bins and of a failure, with derivatives by the free parameters."""
    found = _estimates(names, free)[0]
    if model == "poisson":
        weights, slopes = law.poisson_weights(found["content"], most)
    elif model == "binomial":
        weights, slopes = law.binomial_weights(found["sites"], found["probability"], most)
    else:
        weights, slopes = law.free_weights(free[2:])
    return law.amplitudes(edges, weights, slopes, found["quantum"], found["quantal_sd"], noise_sd, threshold)


def _seen(
    chances: law.Chances, model: str, threshold: float
) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
    """Probabilities of the bins and of a failure as they are counted, and their derivatives.

    Free numbers of quanta know no failures: what is seen is all there is.
    """
    if threshold == -np.inf:
        return chances.bins, chances.none, chances.bins_slope, chances.none_slope
    if model != "free":
        return (
            chances.bins, chances.none + chances.below, chances.bins_slope, chances.none_slope + chances.below_slope
        )  # fmt: skip
    share = max(1.0 - chances.below, _FLOOR)
    bins = chances.bins / share
    return (
        bins,
        0.0,
        (chances.bins_slope + bins * chances.below_slope[:, None]) / share,
        0.0 * chances.none_slope,
    )


def _objective(
    histogram: Histogram,
    model: str,
    quanta: Histogram | None,
    noise_sd: float,
    most: int,
    names: tuple[str, ...],
    threshold: float,
) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """Minus the logarithm of the likelihood and its gradient, as a function of the free parameters."""
    failed = 0 if model == "free" else histogram.failures
    one = np.array([0.0, 1.0]), np.zeros((len(names) - 2, 2))

    def value(free: np.ndarray) -> tuple[float, np.ndarray]:
        with np.errstate(all="ignore"):  # a step that went too far is told by the value
            chances = _chances(names, model, histogram.edges, noise_sd, most, free, threshold)
            total, slope = _log_likelihood(histogram.counts, failed, _seen(chances, model, threshold))
            if quanta is not None:
                q, sd = np.exp(free[:2])
                small = law.amplitudes(quanta.edges, *one, q, sd, noise_sd, threshold)
                more, along = _log_likelihood(quanta.counts, 0, _seen(small, "free", threshold))
                total, slope = total + more, slope + along
        return (-total, -slope) if np.isfinite(total) and np.isfinite(slope).all() else (np.inf, 0.0 * free)

    return value


def _log_likelihood(
    counts: np.ndarray, failed: int, seen: tuple[np.ndarray, float, np.ndarray, np.ndarray]
) -> tuple[float, np.ndarray]:
    """Logarithm of the multinomial likelihood, without the constant, and its gradient."""
    bins, none, bins_slope, none_slope = seen
    held = np.maximum(bins, _FLOOR)
    total, slope = counts @ np.log(held), bins_slope @ np.where(bins > _FLOOR, counts / held, 0.0)
    if failed:
        total, slope = (
            total + failed * np.log(max(none, _FLOOR)),
            slope + failed * none_slope / max(none, _FLOOR),
        )
    return float(total), slope


def _goodness(histogram: Histogram, expected: np.ndarray, failures: float, fitted: int) -> float:
    """p-value of the G statistic over neighbouring bins merged to five expected; NaN if too few are left."""
    observed = np.append(histogram.failures, histogram.counts).astype(float)
    wanted = np.append(failures, expected)
    statistic, bins = g_statistic(observed, wanted)
    freedom = bins - 1 - fitted
    if freedom < 1:
        return float("nan")
    return float(stats.chi2.sf(statistic, freedom))
