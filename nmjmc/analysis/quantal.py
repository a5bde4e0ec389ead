"""Classical quantal analysis: quantal content by three methods, binomial n, p and q, nonlinear summation.

Amplitudes are those of all trials, failures as zero, either one by one or as a histogram. Standard errors follow
from the empirical influence function of each estimate (the delta method without a distribution assumed).

References:
    del Castillo & Katz 1954, J Physiol 124:560 (direct and failures).
    Boyd & Martin 1956, J Physiol 132:74 (coefficient of variation).
    Martin 1955, J Physiol 130:114; McLachlan & Martin 1981, J Physiol 311:307 (nonlinear summation).
    Clements & Silver 2000, Trends Neurosci 23:105 (variance against mean).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from nmjmc.analysis.observations import Histogram
from nmjmc.carried import Number
from nmjmc.errors import ValidationError
from nmjmc.numbers import in_units, refuse_mixed, says_unit, to_array_in, to_array_in_any_unit

Amplitudes: TypeAlias = "np.ndarray | Histogram"


@dataclass(frozen=True)
class Estimate:
    """A number with its standard error.

    Attributes:
        value: The estimate.
        standard_error: Its standard error.
        method: How it was made.
    """

    value: float
    standard_error: float
    method: str


@dataclass(frozen=True)
class Binomial:
    """Release from n sites with one probability.

    Attributes:
        n: Sites.
        p: Probability that a site releases.
        q: Quantal amplitude, in the unit of the amplitudes.
    """

    n: Estimate
    p: Estimate
    q: Estimate


@dataclass(frozen=True, eq=False)
class _Sample:
    """Values and how often each was seen."""

    values: np.ndarray
    counts: np.ndarray

    @property
    def size(self) -> float:
        return float(self.counts.sum())

    def average(self, numbers: np.ndarray) -> float:
        return float((self.counts * numbers).sum() / self.size)

    @property
    def mean(self) -> float:
        return self.average(self.values)

    @property
    def variance(self) -> float:
        return self.average((self.values - self.mean) ** 2) * self.size / (self.size - 1.0)

    def error(self, influence: np.ndarray) -> float:
        """Standard error of an estimate whose influence function takes these values."""
        return float(np.sqrt(self.average(influence**2) / self.size))


def _sample(amplitudes: Amplitudes, field: str) -> _Sample:
    if isinstance(amplitudes, Histogram):
        values = np.append(amplitudes.centres, 0.0)
        found = _Sample(values, np.append(amplitudes.counts, amplitudes.failures).astype(float))
    else:
        values = to_array_in_any_unit(amplitudes, field).ravel()
        found = _Sample(values, np.ones(values.size))
    if found.size < 3 or not np.isfinite(found.values).all():
        raise ValidationError(field, f"{found.size:g} numbers", "three or more finite amplitudes")
    return found


def _noise(noise_sd: Number, amplitudes: Amplitudes) -> float:
    """SD of the noise in the unit of the amplitudes."""
    if isinstance(amplitudes, Histogram):
        return float(to_array_in(noise_sd, amplitudes.unit, "noise_sd"))
    if says_unit(noise_sd) or noise_sd:
        refuse_mixed(evoked=amplitudes, noise_sd=noise_sd)
    return float(to_array_in_any_unit(noise_sd, "noise_sd"))


def _refuse_mixed(evoked: Amplitudes, quanta: Amplitudes) -> None:
    if not isinstance(evoked, Histogram) and not isinstance(quanta, Histogram):
        refuse_mixed(evoked=evoked, quanta=quanta)


def direct(evoked: Amplitudes, quanta: Amplitudes) -> Estimate:
    """Quantal content m = mean evoked amplitude / mean miniature amplitude.

    Args:
        evoked: Of all trials.
        quanta: Of spontaneous events, in the same unit.

    Raises:
        ValidationError: If there are fewer than three amplitudes, or the mean miniature is not positive.
    """
    _refuse_mixed(evoked, quanta)
    e, q = _sample(evoked, "evoked"), _sample(quanta, "quanta")
    if not q.mean > 0:
        raise ValidationError("mean of quanta", q.mean, "positive", "give amplitudes as magnitudes")
    m = e.mean / q.mean
    first = e.error((e.values - e.mean) / q.mean)
    second = q.error(m * (q.values - q.mean) / q.mean)
    return Estimate(m, float(np.hypot(first, second)), "direct")


def failures(trials: int, failed: int) -> Estimate:
    """Quantal content m = ln(trials / failures), of Poisson release.

    Raises:
        ValidationError: If there are no failures, or more than trials.
    """
    if not 0 < failed <= trials:
        hint = "without failures use direct or variance" if failed == 0 else ""
        raise ValidationError("failures", failed, f"from 1 to the number of trials ({trials})", hint)
    share = failed / trials
    return Estimate(float(-np.log(share)), float(np.sqrt((1.0 - share) / failed)), "failures")


def variance(evoked: Amplitudes, *, quantal_cv: float = 0.0, noise_sd: Number = 0.0) -> Estimate:
    """Quantal content m = (1 + cv^2) mean^2 / (variance - noise variance), of Poisson release.

    Args:
        evoked: Of all trials.
        quantal_cv: CV of the quantal amplitude; 0 gives 1 / CV^2.
        noise_sd: SD of the recording's noise.

    Raises:
        ValidationError: If the noise explains all of the variance.
    """
    e, noise_sd = _sample(evoked, "evoked"), _noise(noise_sd, evoked)
    spread = e.variance - noise_sd**2
    if not spread > 0:
        raise ValidationError(
            "noise_sd", noise_sd, f"below the SD of the amplitudes ({np.sqrt(e.variance):.4g})"
        )
    factor = 1.0 + quantal_cv**2
    away = e.values - e.mean
    influence = factor * (2.0 * e.mean * away / spread - e.mean**2 * (away**2 - e.variance) / spread**2)
    return Estimate(factor * e.mean**2 / spread, e.error(influence), "variance")


def binomial(evoked: Amplitudes, quanta: Amplitudes, *, noise_sd: Number = 0.0) -> Binomial:
    """n, p and q by moments: mean = n p q, variance = n p q^2 (1 - p + cv^2) + noise.

    Args:
        evoked: Of all trials.
        quanta: Of spontaneous events.
        noise_sd: SD of the recording's noise, in both.

    Returns:
        The three; p (and n) may be negative where the variance is above that of Poisson release, which says
        that a binomial does not fit.
    """
    _refuse_mixed(evoked, quanta)
    e, s, noise_sd = _sample(evoked, "evoked"), _sample(quanta, "quanta"), _noise(noise_sd, evoked)
    q, quantal = s.mean, s.variance - noise_sd**2
    spread = e.variance - noise_sd**2
    p = 1.0 + quantal / q**2 - spread / (q * e.mean)
    n = e.mean / (p * q)
    away, small = e.values - e.mean, s.values - q
    # influence of the trials and of the miniatures on p, then on n = mean / (p q)
    p_e = -(away**2 - e.variance) / (q * e.mean) + spread / (q * e.mean**2) * away
    p_s = (small**2 - s.variance) / q**2 + small * (-2.0 * quantal / q**3 + spread / (q**2 * e.mean))
    n_e = away / (p * q) - n / p * p_e
    n_s = -n * small / q - n / p * p_s
    return Binomial(
        n=Estimate(n, float(np.hypot(e.error(n_e), s.error(n_s))), "moments"),
        p=Estimate(p, float(np.hypot(e.error(p_e), s.error(p_s))), "moments"),
        q=Estimate(q, s.error(small), "moments"),
    )


def variance_mean(
    means: np.ndarray, variances: np.ndarray, *, quantal_cv: float = 0.0
) -> tuple[float, float]:
    """N and q from the parabola variance = q mean (1 + cv^2) - mean^2 / n at several release probabilities.

    Args:
        means: [condition].
        variances: Less that of the noise [condition].
        quantal_cv: CV of the quantal amplitude within a site.

    Returns:
        n and q; n is infinite where the points do not bend down.

    Raises:
        ValidationError: If there are fewer than two conditions.
    """
    refuse_mixed(means=means, variances=variances)
    means = to_array_in_any_unit(means, "means")
    variances = to_array_in_any_unit(variances, "variances")
    if means.size < 2 or means.shape != variances.shape:
        raise ValidationError("means", f"of shape {means.shape}", "two or more, with as many variances")
    # variance / mean is a straight line; its relative error is about the same at each condition
    slope, intercept = np.polyfit(means, variances / means, 1)
    return (float(-1.0 / slope) if slope < -1e-12 * abs(intercept) else float("inf")), float(
        intercept / (1.0 + quantal_cv**2)
    )


@in_units(amplitude="[mV]", driving_force="mV", factor="")
def correct_summation(amplitude: np.ndarray, driving_force: float, factor: float = 1.0) -> np.ndarray:
    """Amplitude as it would be if quanta added linearly: v / (1 - f v / E).

    Args:
        amplitude: Depolarisations, positive [mV].
        driving_force: E, distance from rest to the reversal potential, positive [mV].
        factor: f; 1 for a brief current (Martin 1955), about 0.8 with the membrane's capacity in long fibres
            (McLachlan & Martin 1981, from memory).

    Raises:
        ValidationError: If an amplitude reaches E / f, where no current can bring it.
    """
    values = amplitude
    if not driving_force > 0:
        raise ValidationError(
            "driving_force", f"{driving_force} mV", "positive: reversal potential minus rest"
        )
    if np.any(factor * values >= driving_force):
        worst = float(values.max())
        raise ValidationError("amplitude", f"{worst:g} mV", f"below {driving_force / factor:g} mV")
    return np.asarray(values / (1.0 - factor * values / driving_force))
