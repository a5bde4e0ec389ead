"""Pairs and trains of stimuli: paired pulse, the pool that a train empties, and recovery from it.

A pool of B (in units of amplitude: quanta times quantal size) releases the share p of what it holds at each stimulus,
and
R comes back in each interval. Then three readings, each with its bias:

- Cumulative (Schneggenburger): late in a train the cumulative amplitude rises by R a stimulus. The line through it,
  taken back to the first stimulus, reads B less what is still in the pool after a stimulus of the steady state,
  R (1 - p) / p: too small where depletion is not complete. With p constant this is known, p = A_1 / B, and gives
  B = (I - R) / (1 - R / A_1) of the line's value I at the first stimulus. Where refilling is slower at the train's
  beginning than at its end, when the pool is still full, both are too small.
- Elmqvist and Quastel: A_i against what was released before it, a line of slope -p that meets zero at B. Refilling and
  facilitation flatten it: B is then too large and p too small.
- Recovery: the response after a pause over the first, 1 - d exp(-t / tau).

References:
    Elmqvist & Quastel 1965, J Physiol 178:505. Schneggenburger, Meyer & Neher 1999, Neuron 23:399. Neher 2015, Neuron
    87:1131 (their limits). Kim & Alger 2001, J Neurosci 21:9608 (bias of mean paired-pulse ratios).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import optimize, stats

from nmjmc.analysis.bench.measured import (
    RESAMPLES,
    Measured,
    checked_trials,
    of_log,
    of_normal,
    of_replicates,
    resamples,
)
from nmjmc.errors import ValidationError
from nmjmc.numbers import in_units


@dataclass(frozen=True, eq=False)
class Depletion:
    """What a train says of the pool that it empties, in the unit of the amplitudes.

    Attributes:
        pool: B.
        probability: p at the first stimulus.
        refill: R, what comes back in an interval; NaN where the method knows none.
        corrected_pool: B corrected for what is still in the pool at the steady state; as `pool` where there is no
            correction.
        corrected_probability: Likewise.
        means: Mean amplitudes along the train [k].
        line: Slope and value at zero of the line that was drawn, in the method's own axes.
        used: Which stimuli (from 0) the line goes through.
    """

    pool: Measured
    probability: Measured
    refill: Measured
    corrected_pool: Measured
    corrected_probability: Measured
    means: Float[np.ndarray, " k"]
    line: tuple[float, float]
    used: tuple[int, int]


def paired_pulse(trials: Float[np.ndarray, "n k"], *, number: int = RESAMPLES, seed: int = 0) -> Measured:
    """Paired-pulse ratio: mean second over mean first amplitude, as the mean of single ratios is too large.

    Args:
        trials: Amplitudes, failures as zero [trial, stimulus]; the first two stimuli are taken.
        number: Bootstrap samples over trials.
        seed: Of the resampling.

    Raises:
        ValidationError: If there are too few trials, or the first mean is not positive.
    """
    values = _positive(checked_trials(trials, "trials", 3, 2)[:, :2])
    means = resamples(len(values), number, seed) @ values
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = means[:, 1] / np.where(means[:, 0] > 0, means[:, 0], np.nan)
    value = values[:, 1].mean() / values[:, 0].mean()
    return of_replicates("paired-pulse ratio", "", value, ratios, "ratio of means, bootstrap")


def cumulative(
    trains: Float[np.ndarray, "n k"], *, last: int | None = None, number: int = RESAMPLES, seed: int = 0
) -> Depletion:
    """Pool and probability by the line through the late cumulative amplitude, taken back to the first stimulus.

    Args:
        trains: Amplitudes [trial, stimulus].
        last: How many of the last stimuli the line goes through; by default a third, three at least.
        number: Bootstrap samples over trials.
        seed: Of the resampling.

    Raises:
        ValidationError: If there are fewer than three trials or six stimuli.
    """
    values = _positive(checked_trials(trains, "trains", 3, 6))
    count = values.shape[1]
    late = max(3, count // 3) if last is None else last
    if not 2 <= late < count:
        raise ValidationError("last", late, f"from 2 to {count - 1} stimuli")
    weights = np.vstack([np.ones(len(values)), resamples(len(values), number, seed)])
    means = weights @ values / len(values)
    total = np.cumsum(means, axis=1)[:, -late:]
    x = np.arange(count - late, count) - (count - 0.5 * (late + 1))
    refill = total @ x / (x @ x)
    back = total.mean(axis=1) - refill * (count - 0.5 * (late + 1))
    pool = (back - refill) / (1.0 - refill / means[:, 0])
    pool = np.where(refill < means[:, 0], pool, np.nan)  # a train that does not depress empties no pool
    how = f"line through the last {late}, bootstrap"
    fixed = f"{how}; corrected"
    made = [
        of_replicates(name, "", values[0], values[1:], by)
        for name, values, by in (
            ("pool, cumulative", back, how), ("release probability, cumulative", means[:, 0] / back, how),
            ("refill in an interval", refill, how), ("pool, cumulative, corrected", pool, fixed),
            ("release probability, cumulative, corrected", means[:, 0] / pool, fixed),
        )
    ]  # fmt: skip
    line = float(refill[0]), float(back[0])
    return Depletion(
        made[0], made[1], made[2], made[3], made[4], means[0], line, (count - late, count)
    )  # fmt: skip


def elmqvist_quastel(
    trains: Float[np.ndarray, "n k"], *, first: int = 4, skip: int = 0, number: int = RESAMPLES, seed: int = 0
) -> Depletion:
    """Pool and probability by amplitude against what was released before it.

    Args:
        trains: Amplitudes [trial, stimulus].
        first: How many stimuli the line goes through; four, a choice: later ones are refilled.
        skip: How many at the beginning are left out, where they facilitate.
        number: Bootstrap samples over trials.
        seed: Of the resampling.

    Raises:
        ValidationError: If there are too few trials or stimuli.
    """
    values = _positive(checked_trials(trains, "trains", 3, 3))
    if not (first >= 3 and skip >= 0 and skip + first <= values.shape[1]):
        allowed = f"3 or more, within the {values.shape[1]} stimuli"
        raise ValidationError("first", first, allowed)
    weights = np.vstack([np.ones(len(values)), resamples(len(values), number, seed)])
    means = weights @ values / len(values)
    before = np.cumsum(means, axis=1) - means
    x, y = before[:, skip : skip + first], means[:, skip : skip + first]
    away = x - x.mean(axis=1, keepdims=True)
    slope = (away * y).sum(axis=1) / (away**2).sum(axis=1)
    start = y.mean(axis=1) - slope * x.mean(axis=1)
    with np.errstate(divide="ignore"):
        pool = np.where(slope < 0, -start / slope, np.inf)
    how = f"line through stimuli {skip + 1} to {skip + first}, bootstrap"
    size = of_replicates("pool, Elmqvist and Quastel", "", pool[0], pool[1:], how)
    chance = of_replicates("release probability, Elmqvist and Quastel", "", -slope[0], -slope[1:], how)
    none = Measured("refill in an interval", "", np.nan, np.nan, np.nan, "not known to this method")
    return Depletion(
        size, chance, none, size, chance, means[0], (float(slope[0]), float(start[0])), (skip, skip + first)
    )


@dataclass(frozen=True, eq=False)
class Recovery:
    """Recovery from depression: response over the first = level - depth exp(-t / tau).

    Attributes:
        tau: Time constant [ms].
        depth: Of the depression at once after the train.
        level: That it recovers to.
        p_value: Of chi-squared of the fit; NaN without errors or freedom.
    """

    tau: Measured
    depth: Measured
    level: Measured
    p_value: float

    def curve(self, time: Float[np.ndarray, " t"]) -> Float[np.ndarray, " t"]:
        """The fitted recovery at any times [t] [ms]."""
        return self.level.value - self.depth.value * np.exp(-time / self.tau.value)


@in_units(pause="[ms]", ratio="[]", error="[]")
def recovery(
    pause: np.ndarray, ratio: np.ndarray, error: np.ndarray | None = None, *, full: bool = True
) -> Recovery:
    """An exponential recovery, fitted with the errors as weights.

    Args:
        pause: Between train and test [p] [ms].
        ratio: Test response over the first one of its train [p].
        error: Standard errors of the ratios [p]; without them the scatter about the curve gives the errors.
        full: Whether recovery is to 1; else its level is fitted.

    Raises:
        ValidationError: If there are too few pauses, or the ratios do not recover.
    """
    least = 3 if full else 4
    if pause.size < least or ratio.shape != pause.shape or (error is not None and error.shape != pause.shape):
        raise ValidationError("pause", f"of shape {pause.shape}", f"{least} or more, with as many ratios")
    if error is not None and not np.all(error > 0):
        raise ValidationError("error", "with zeros", "positive standard errors")
    order = np.argsort(pause)
    start = [np.log(max(np.median(pause), 1e-9)), max(1.0 - ratio[order[0]], 0.1)] + (
        [] if full else [ratio[order[-1]]]
    )

    def model(t: np.ndarray, log_tau: float, depth: float, level: float = 1.0) -> np.ndarray:
        return level - depth * np.exp(-t / np.exp(np.clip(log_tau, -50, 50)))

    try:
        x, covariance = optimize.curve_fit(
            model, pause, ratio, start, error, absolute_sigma=error is not None
        )
    except RuntimeError as failure:
        raise ValidationError("ratio", "without an exponential recovery", "rising towards 1") from failure
    if not np.isfinite(covariance).all() or x[1] <= 0:
        raise ValidationError("ratio", "without an exponential recovery", "rising towards 1")
    sd = np.sqrt(np.diag(covariance))
    how = "exponential, least squares" + ("" if error is None else " weighted by the errors")
    freedom = pause.size - x.size
    weighed = error is not None and freedom > 0
    square = float((((ratio - model(pause, *x)) / (1.0 if error is None else error)) ** 2).sum())
    level = of_normal("level of recovery", "", x[2], sd[2], how) if not full else Measured(
        "level of recovery", "", 1.0, np.nan, np.nan, "as assumed"
    )  # fmt: skip
    tau = np.exp(x[0])
    return Recovery(
        of_log("time constant of recovery", "ms", tau, tau * sd[0], how),
        of_normal("depth of depression", "", x[1], sd[1], how),
        level,
        float(stats.chi2.sf(square, freedom)) if weighed else np.nan,
    )


def _positive(values: np.ndarray) -> np.ndarray:
    if not values[:, 0].mean() > 0:
        hint = "give amplitudes as magnitudes"
        raise ValidationError("mean first amplitude", f"{values[:, 0].mean():g}", "positive", hint)
    return values
