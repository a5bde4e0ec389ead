"""Quantal content by three methods, and binomial n, p, q, with potentials corrected for nonlinear summation first.

Each potential is corrected by itself: a mean of corrected values is not the corrected mean. The noise of a corrected
amplitude is larger than that of the amplitude by the slope of the correction, (1 - f v / E)^-2, which is taken into
account where the noise's variance is subtracted.

References:
    Martin 1955, J Physiol 130:114; McLachlan & Martin 1981, J Physiol 311:307 (nonlinear summation).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from scipy import stats

from nmjmc.analysis import quantal
from nmjmc.analysis.bench.measured import Measured, checked_trials, of_log, of_normal
from nmjmc.errors import ValidationError

CABLE_FACTOR = 0.8
"""f of the correction in long fibres (McLachlan & Martin 1981, from memory); 1 for a brief current."""
FAILURE_NOISE = 3.0
"""SDs of the noise below which a trial counts as a failure; a choice: 1 in 740 failures is missed."""


def count_failures(
    amplitudes: Float[np.ndarray, " n"], noise_sd: float = 0.0, quantum: float | None = None
) -> int:
    """Trials without a response.

    Args:
        amplitudes: Of all trials.
        noise_sd: SD of the noise; without noise a failure is exactly zero, or below it.
        quantum: Mean miniature; a response of less than half of it is not expected.

    Raises:
        ValidationError: If the noise reaches half a quantum, so that failures cannot be told.
    """
    least = FAILURE_NOISE * noise_sd
    if quantum is not None and least > 0.5 * quantum:
        allowed = f"below {quantum / 2 / FAILURE_NOISE:.3g}, a sixth of a quantum, for failures to be counted"
        raise ValidationError("noise_sd", f"{noise_sd:g}", allowed, "take the direct method, or the variance")
    return int((amplitudes <= least).sum())


def contents(
    evoked: Float[np.ndarray, " n"],
    quanta: Float[np.ndarray, " q"] | None = None,
    *,
    noise_sd: float = 0.0,
    quantal_cv: float | None = None,
    failures: int | None = None,
    driving_force: float | None = None,
    factor: float = CABLE_FACTOR,
) -> dict[str, Measured]:
    """Quantal content m by each method that the data allow.

    Args:
        evoked: Amplitudes of all trials, failures as zero or noise.
        quanta: Amplitudes of miniatures; without them there is no direct ratio.
        noise_sd: SD of the noise of an amplitude.
        quantal_cv: CV of the quantal amplitude; by default that of the miniatures, else 0.
        failures: Trials without a response; by default they are counted.
        driving_force: Distance from rest to the reversal potential, for potentials [mV]; None for currents.
        factor: f of the correction for nonlinear summation.

    Returns:
        `direct`, `failures` and `variance`, of which those are missing that the data do not allow.

    Raises:
        ValidationError: If there are fewer than three trials, or an amplitude is beyond what the driving force can
        make.
    """
    evoked = checked_trials(evoked, "evoked")[:, 0]
    small = None if quanta is None else checked_trials(quanta, "quanta")[:, 0]
    linear, slope = linearised(evoked, driving_force, factor)
    single = None if small is None else linearised(small, driving_force, factor)[0]
    noise = noise_sd * float(np.sqrt(np.mean(slope**2)))
    by_name: dict[str, Measured] = {}
    summed = "" if driving_force is None else ", summation corrected"
    if single is not None:
        one, how = quantal.direct(linear, single), f"mean over mean{summed}"
        by_name["direct"] = of_log("quantal content, direct", "", one.value, one.standard_error, how)
    failed = _failures(evoked, noise_sd, small, failures)
    if failed is not None and 0 < failed < evoked.size:
        by_name["failures"] = by_failures(evoked.size, failed)
    cv = quantal_cv if quantal_cv is not None else _cv(single, noise_sd)
    if linear.var(ddof=1) > noise**2:
        one = quantal.variance(linear, quantal_cv=cv, noise_sd=noise)
        how = f"mean²/variance, Poisson{summed}"
        by_name["variance"] = of_log("quantal content, variance", "", one.value, one.standard_error, how)
    return by_name


def by_failures(trials: int, failed: int) -> Measured:
    """Quantal content ln(trials / failures) of Poisson release; its interval follows from Wilson's for a share."""
    one = quantal.failures(trials, failed)
    share = stats.binomtest(failed, trials).proportion_ci(0.95, method="wilson")
    high = -np.log(share.low) if share.low > 0 else np.inf
    return Measured(
        "quantal content, failures", "", one.value, float(-np.log(share.high)), float(high),
        f"{failed} failures of {trials}, Poisson", one.standard_error,
    )  # fmt: skip


def binomial(
    evoked: Float[np.ndarray, " n"],
    quanta: Float[np.ndarray, " q"],
    *,
    noise_sd: float = 0.0,
    driving_force: float | None = None,
    factor: float = CABLE_FACTOR,
) -> Mapping[str, Measured]:
    """Binomial n, p and q by moments, corrected for nonlinear summation.

    Where sites differ in p, what is found is p (1 + CV_p^2) and n / (1 + CV_p^2): p too large, n too small. Where the
    variance is that of Poisson release or above, n is infinite.

    Raises:
        ValidationError: As `contents`.
    """
    large, slope = linearised(checked_trials(evoked, "evoked")[:, 0], driving_force, factor)
    small, _ = linearised(checked_trials(quanta, "quanta")[:, 0], driving_force, factor)
    ratio = float(np.sqrt(np.mean(slope**2)))
    estimate = quantal.binomial(large, small)  # without the noise, which differs between them
    p = (
        estimate.p.value
        + (noise_sd * ratio) ** 2 / (estimate.q.value * large.mean())
        - noise_sd**2 / estimate.q.value**2
    )
    p_low, p_high = p - 1.96 * estimate.p.standard_error, p + 1.96 * estimate.p.standard_error
    content = large.mean() / estimate.q.value
    high = content / p_low if p_low > 0 else np.inf
    return {
        "n": Measured("binomial n", "", content / p if p > 0 else np.inf, content / p_high if p_high > 0 else np.inf,
                      high, "moments; ends from those of p"),
        "p": of_normal("binomial p", "", p, estimate.p.standard_error, "moments"),
        "q": of_normal("quantal size q", "", estimate.q.value, estimate.q.standard_error, "mean miniature"),
    }  # fmt: skip


def linearised(
    values: Float[np.ndarray, " n"], driving_force: float | None, factor: float = CABLE_FACTOR
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Amplitudes as if quanta added linearly [n], and by how much the correction enlarges a small change [n]."""
    if driving_force is None:
        return values, np.ones_like(values)
    linear = quantal.correct_summation(values, driving_force, factor)
    return linear, (1.0 - factor * values / driving_force) ** -2


def _failures(
    evoked: np.ndarray, noise_sd: float, quanta: np.ndarray | None, given: int | None
) -> int | None:
    if given is not None:
        return given
    try:
        return count_failures(evoked, noise_sd, None if quanta is None else float(quanta.mean()))
    except ValidationError:
        return None  # the noise hides them: the method is left out


def _cv(quanta: np.ndarray | None, noise_sd: float) -> float:
    if quanta is None:
        return 0.0
    return float(np.sqrt(max(quanta.var(ddof=1) - noise_sd**2, 0.0)) / quanta.mean())
