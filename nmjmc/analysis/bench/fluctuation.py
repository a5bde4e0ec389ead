"""Variance against mean at several release probabilities: quantal size, number of sites, and the probabilities.

N sites release with probabilities p_i, and site i's quantum has the mean q_i, with a CV c within the site (from trial
to trial) and d between sites. With p and q independent, the amplitude has

    I = N P Q,    sigma^2 = (1 + d^2) Q^2 N [P (1 + c^2) - P^2 (1 + CV_p^2)].

For beta-distributed p whose parameter alpha stays the same as P changes, CV_p^2 = (1 - P) / (alpha + P), so that

    sigma^2 = (1 + d^2) [(1 + c^2) Q I - Q I^2 (1 + alpha) / (I + alpha N Q)],

a parabola for equal probabilities (alpha infinite). Fitted as a function of Q, 1/N and 1/alpha, in which nothing
becomes infinite; the weight of each point is the error of a variance as this model has it, since weights from the
sample itself favour points that are low by chance.

References:
    Clements & Silver 2000, Trends Neurosci 23:105. Silver 2003, J Neurosci Methods 130:127.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import optimize, stats

from nmjmc.analysis.bench.measured import RESAMPLES, Measured, of_replicates, resamples, weighted_moments
from nmjmc.carried import Number
from nmjmc.errors import ValidationError
from nmjmc.numbers import refuse_mixed, says_unit, to_array_in_any_unit

ROUNDS = 4
"""Times that the weights are made anew from the fit; a choice: they no longer change then."""
LEAST_ALPHA = 0.05
"""Of the fitted alpha: a spread of p at which nearly every site is always or never released."""


@dataclass(frozen=True, eq=False)
class Fluctuation:
    """What variance against mean says.

    Attributes:
        quantum: Q, in the unit of the amplitudes.
        sites: N; infinite where the points do not bend down.
        probability: P at each condition.
        alpha: Of the beta distribution of p; infinite for equal probabilities.
        means, variances: Of the conditions, that of the noise taken off [c].
        errors: Of the variances, by the fitted model [c].
        p_value: Of chi-squared; NaN if no degree of freedom is left.
        spread: CVs within and between sites, as given.
    """

    quantum: Measured
    sites: Measured
    probability: tuple[Measured, ...]
    alpha: Measured
    means: Float[np.ndarray, " c"]
    variances: Float[np.ndarray, " c"]
    errors: Float[np.ndarray, " c"]
    p_value: float
    spread: tuple[float, float]

    def curve(self, means: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
        """The fitted variance at any means [m]."""
        x = np.array([self.quantum.value, 1.0 / self.sites.value, 1.0 / self.alpha.value])
        return _variance(x, means, means**2, self.spread)


def fluctuation(
    conditions: Sequence[np.ndarray],
    *,
    noise_sd: Number = 0.0,
    within_cv: float = 0.0,
    between_cv: float = 0.0,
    alpha: float | None = float("inf"),
    number: int = RESAMPLES,
    seed: int = 0,
) -> Fluctuation:
    """Quantal size, sites and probabilities from amplitudes at several release probabilities.

    Args:
        conditions: Amplitudes of all trials at each condition, failures as zero, positive [c][trial].
        noise_sd: SD of the recording's noise, whose variance is taken off.
        within_cv: c, CV of the quantal amplitude within a site.
        between_cv: d, CV of the mean quantal amplitude between sites.
        alpha: Of the beta distribution of p; infinite for equal probabilities, None to fit it, which takes four or
            more conditions with a P far above one half.
        number: Bootstrap samples over trials.
        seed: Of the resampling.

    Raises:
        ValidationError: If there are too few conditions or trials, or the mean is not positive.
    """
    values = _checked(conditions, noise_sd, alpha)
    noise = float(to_array_in_any_unit(noise_sd, "noise_sd")) ** 2
    trials = np.array([v.size for v in values], float)
    means, raw = np.array([v.mean() for v in values]), np.array([v.var(ddof=1) for v in values])
    cv = (float(within_cv), float(between_cv))
    x, errors = _fitted(means, raw, trials, noise, cv, alpha)
    weights = [resamples(v.size, number, seed + i) for i, v in enumerate(values)]
    drawn = [weighted_moments(v, w) for v, w in zip(values, weights, strict=True)]
    again_mean, again_raw = (np.stack([d[i] for d in drawn], axis=1) for i in (0, 1))
    again = np.array([
        _once(m, r, trials, noise, cv, alpha, errors, x) for m, r in zip(again_mean, again_raw, strict=True)
    ])  # fmt: skip
    return _reported(x, again, means, raw - noise, errors, again_mean, cv, alpha)


def _reported(
    x: np.ndarray, again: np.ndarray, means: np.ndarray, variances: np.ndarray, errors: np.ndarray,
    again_mean: np.ndarray, cv: tuple[float, float], alpha: float | None,
) -> Fluctuation:  # fmt: skip
    how = "variance against mean, bootstrap"
    with np.errstate(divide="ignore"):
        sites, again_sites = 1.0 / x[1], 1.0 / again[:, 1]
        spread, again_spread = 1.0 / x[2], 1.0 / again[:, 2]
    probability = tuple(
        of_replicates(f"release probability, condition {i + 1}", "", means[i] * x[1] / x[0],
                      again_mean[:, i] * again[:, 1] / again[:, 0], how)
        for i in range(means.size)
    )  # fmt: skip
    residual = (variances - _variance(x, means, means**2, cv)) / errors
    freedom = means.size - (3 if alpha is None else 2)
    return Fluctuation(
        of_replicates("quantal size", "", x[0], again[:, 0], how),
        of_replicates("release sites", "", sites, again_sites, how), probability,
        of_replicates("alpha of the release probabilities", "", spread, again_spread, how)
        if alpha is None else Measured("alpha of the release probabilities", "", spread, np.nan, np.nan, "as given"),
        means, variances, errors, float(stats.chi2.sf((residual**2).sum(), freedom)) if freedom > 0 else np.nan, cv,
    )  # fmt: skip


def _checked(conditions: Sequence[np.ndarray], noise_sd: Number, alpha: float | None) -> list[np.ndarray]:
    if says_unit(noise_sd) or noise_sd:
        for values in conditions:
            refuse_mixed(conditions=values, noise_sd=noise_sd)
    values = [to_array_in_any_unit(v, f"conditions[{i}]").ravel() for i, v in enumerate(conditions)]
    least = 4 if alpha is None else 2
    if len(values) < least:
        hint = "" if alpha is not None or len(values) < 2 else "or give alpha"
        raise ValidationError("conditions", f"{len(values)}", f"{least} or more release probabilities", hint)
    for i, v in enumerate(values):
        if v.size < 5 or not np.isfinite(v).all():
            raise ValidationError(f"conditions[{i}]", f"{v.size} numbers", "five or more finite amplitudes")
        if not v.mean() > 0:
            hint = "give amplitudes as magnitudes"
            raise ValidationError(f"mean of conditions[{i}]", f"{v.mean():g}", "positive", hint)
    if alpha is not None and not alpha > 0:
        raise ValidationError("alpha", alpha, "positive, infinite for equal probabilities, or None to fit it")
    return values


def _variance(x: np.ndarray, means: np.ndarray, squares: np.ndarray, cv: tuple[float, float]) -> np.ndarray:
    """The model's variance; x is Q, 1/N and 1/alpha."""
    quantum, few, uneven = x
    bend = (
        few * squares
        if uneven == 0
        else few * quantum * squares * (1 + uneven) / (few * means * uneven + quantum)
    )
    return (1.0 + cv[1] ** 2) * ((1.0 + cv[0] ** 2) * quantum * means - bend)


def _fitted(
    means: np.ndarray, raw: np.ndarray, trials: np.ndarray, noise: float, cv: tuple[float, float],
    alpha: float | None,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Q, 1/N, 1/alpha, and the errors of the variances by the fit itself."""
    errors = raw * np.sqrt(2.0 / (trials - 1.0))
    x = np.array(
        [np.sum(np.maximum(raw - noise, 0.1 * raw)) / means.sum(), 0.0, 0.0 if alpha is None else 1.0 / alpha]
    )
    for _ in range(ROUNDS):
        x = _once(means, raw, trials, noise, cv, alpha, errors, x)
        errors = _errors(x, means, trials, noise, cv)
    return x, errors


def _once(
    means: np.ndarray, raw: np.ndarray, trials: np.ndarray, noise: float, cv: tuple[float, float],
    alpha: float | None, errors: np.ndarray, start: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """The weighted least-squares fit with given errors."""
    squares = means**2 - raw / trials  # without the square of the mean's own error
    if alpha == np.inf:
        return _parabola(means, squares, raw - noise, errors, cv)
    fixed = start[2] if alpha is not None else None

    def residual(y: np.ndarray) -> np.ndarray:
        x = np.array([np.exp(y[0]), y[1], y[2] if fixed is None else fixed])
        return (raw - noise - _variance(x, means, squares, cv)) / errors

    scale = start[0] / means.max()
    begin = [np.log(start[0]), max(start[1], 0.1 * scale)] + ([max(start[2], 0.3)] if fixed is None else [])
    high = [np.inf, np.inf] + ([1.0 / LEAST_ALPHA] if fixed is None else [])
    low = [-np.inf, 0.0] + ([0.0] if fixed is None else [])
    optimum = optimize.least_squares(
        residual, np.clip(begin, low, high), bounds=(low, high), x_scale=[1.0, scale, 1.0][: len(begin)]
    )
    few = optimum.x[1] if optimum.x[1] > 1e-6 * scale else 0.0
    return np.array([np.exp(optimum.x[0]), few, optimum.x[2] if fixed is None else fixed])


def _parabola(
    means: np.ndarray, squares: np.ndarray, variances: np.ndarray, errors: np.ndarray, cv: tuple[float, float]
) -> np.ndarray:
    """The fit for equal probabilities, which is linear; 1/N is not below zero."""
    columns = (1.0 + cv[1] ** 2) * np.stack([(1.0 + cv[0] ** 2) * means, -squares], axis=1) / errors[:, None]
    solution = np.linalg.lstsq(columns, variances / errors, rcond=None)[0]
    if solution[1] <= 0:
        solution = np.array([columns[:, 0] @ (variances / errors) / (columns[:, 0] @ columns[:, 0]), 0.0])
    return np.append(solution, 0.0)


def _errors(
    x: np.ndarray, means: np.ndarray, trials: np.ndarray, noise: float, cv: tuple[float, float]
) -> np.ndarray:
    """Standard error of each point's distance from the curve, that of its mean included.

    Var(s^2) = kappa_4 / n + 2 sigma^4 / (n - 1), with the cumulants of N like sites.
    """
    quantum, few = x[0], max(x[1], 1e-6 * x[0] / means.max())
    p = np.clip(means * few / quantum, 0.0, 1.0)
    c = cv[0] ** 2 + cv[1] ** 2
    first = p * quantum
    second, third = first * quantum * (1 + c), first * quantum**2 * (1 + 3 * c)
    fourth = first * quantum**3 * (1 + 6 * c + 3 * c**2)
    third_cumulant = (third - 3 * second * first + 2 * first**3) / few
    fourth_cumulant = (
        fourth - 4 * third * first - 3 * second**2 + 12 * second * first**2 - 6 * first**4
    ) / few
    total = np.maximum(_variance(x, means, means**2, cv), 1e-3 * quantum * means) + noise
    of_variance = np.maximum(
        fourth_cumulant / trials + 2.0 * total**2 / (trials - 1.0), 0.2 * total**2 / trials
    )
    step = 1e-4 * means
    slope = (
        _variance(x, means + step, (means + step) ** 2, cv)
        - _variance(x, means - step, (means - step) ** 2, cv)
    ) / (2 * step)
    of_mean = slope**2 * total / trials - 2.0 * slope * third_cumulant / trials
    return np.sqrt(np.maximum(of_variance + of_mean, 0.1 * of_variance))
