"""What a fit leaves: estimates with their intervals, data beside the model, and notes in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from scipy import special, stats

from nmjmc.data import provenance
from nmjmc.data.fits import DataFit, FitRecord, PosteriorDraws, ProfileCurve
from nmjmc.fitting import uncertainty
from nmjmc.fitting.average_term import AverageTerm
from nmjmc.fitting.counts_term import CountsTerm
from nmjmc.fitting.estimators import CorrectedEstimator, MeanFieldEstimator
from nmjmc.fitting.histogram_term import HistogramTerm
from nmjmc.fitting.optimise import CONVERGED, STUCK, FitState
from nmjmc.fitting.parameters import EXTRA, Parameters, with_values
from nmjmc.fitting.problem import Problem
from nmjmc.fitting.quanta import Quanta
from nmjmc.fitting.reach import outside
from nmjmc.fitting.terms import Term
from nmjmc.fitting.waveform_term import WaveformTerm
from nmjmc.synapse.build import describe
from nmjmc.synapse.model import Synapse

BIAS = 0.05
"""Relative error below which the bias of the mean field may matter (a cautious choice): fits to 300 events of the human
preset and its like were off by about 1 % in some parameters (docs/fitting.md)."""

MIXED, ENOUGH = 1.05, 100.0
"""Largest R-hat and least effective number of draws of chains that have mixed."""

MISFIT = 1e-3
"""Probability of data that are further off below which a fit is said not to have their shape (a choice)."""

EDGE = 1e-3
"""Part of a parameter's scaled range within which an estimate is said to lie at its bound."""


def record_of(
    problem: Problem,
    state: FitState,
    why: str,
    level: float,
    curves: Mapping[str, uncertainty.Profile],
    drawn: np.ndarray,
    settings: Mapping[str, Any],
) -> FitRecord:
    """Everything that a fit leaves."""
    parameters, names = problem.parameters, problem.parameters.names
    stretch = parameters.stretch(state.free)
    spread = uncertainty.covariance(problem, state) * np.outer(stretch, stretch)
    noise = uncertainty.seed_covariance(problem, state) * np.outer(stretch, stretch)
    sd = np.sqrt(np.diag(spread + noise))
    low, high = uncertainty.fisher_interval(problem, state, level)
    values = problem.values(state.free)
    best = float(state.losses[-1])
    fitted = with_values(problem.synapse, {n: np.float64(values[n]) for n in names if n not in EXTRA})
    sets, total, compared, apart = [], 0.0, 0, []
    through_twin = why.startswith((MeanFieldEstimator.name, CorrectedEstimator.name))
    solved = problem.quanta_of(state.free) if through_twin and any(map(_is_waveform, problem.terms)) else {}
    for term, part, a, b in zip(
        problem.terms, problem.parts(state.z), problem.cuts[:-1], problem.cuts[1:], strict=True
    ):
        statistic, numbers = term.likelihood.goodness(part, state.noise[a:b, a:b])
        total, compared = total + statistic, compared + numbers
        sets.append(_dataset(term, part, statistic, numbers, solved.get(term.condition)))
        gain = term.scale(values) if isinstance(term, HistogramTerm) else 1.0
        if outside(term, part, None, gain):
            known = problem.quanta_of(state.free)[term.condition] if through_twin else None
            apart.append(outside(term, part, known, gain))
            sets[-1] = dataclasses.replace(sets[-1], p_value=0.0)  # a statistic of no data knows nothing
    freedom = compared - parameters.count
    p_value = float(stats.chi2.sf(total, freedom)) if freedom > 0 else float("nan")
    p_value = 0.0 if apart else p_value
    return FitRecord(
        names=names, units=parameters.units, start=parameters.start,
        estimate=np.array([values[name] for name in names]), low=low, high=high, level=level, relative_sd=sd,
        seed_sd=np.sqrt(np.diag(noise)), correlation=(spread + noise) / np.outer(sd, sd),
        bounds=np.stack([parameters.low, parameters.high], axis=1), losses=state.losses,
        trace=np.array([[problem.values(row)[name] for name in names] for row in state.trace]),
        gradient_noise=state.gradient_noise, datasets=tuple(sets),
        p_value=p_value,
        notes=(*_notes(problem, state, why, parameters), *(apart or _misfit(p_value))),
        converged=int(state.done) == CONVERGED and not apart,
        synapse=_described(fitted),
        fixed={name: value for name, value in values.items() if name in EXTRA},
        profiles={n: ProfileCurve(c.values, 2.0 * (c.losses - best), c.low, c.high) for n, c in curves.items()},
        bootstrap=drawn, settings=settings, provenance=provenance.collect(),
    )  # fmt: skip


def _described(synapse: Synapse) -> dict[str, Any]:
    return describe(jax.tree.map(lambda x: np.asarray(x, np.float64), synapse))


def _is_waveform(term: Term) -> bool:
    return isinstance(term, WaveformTerm | AverageTerm)


def _curve(term: WaveformTerm | AverageTerm, z: np.ndarray, solved: Quanta | None) -> np.ndarray:
    """The model between the bins [t]; what the kernel corrected in the bins is spread between them."""
    if solved is None:
        return np.zeros(0)
    with jax.enable_x64(True):
        found = term.bins.curve(solved)
    away = z[: term.bins.time.size] - term.bins.average @ found
    return found + np.interp(term.mean_waveform.time, term.bins.time, away, left=0.0)


def _dataset(
    term: Term, z: np.ndarray, statistic: float, numbers: int, solved: Quanta | None = None
) -> DataFit:
    kind = "statistics"
    time = mean = curve = np.zeros(0)
    position = np.full(z.size, np.nan)
    if isinstance(term, WaveformTerm | AverageTerm):
        kind = "waveform"
        position[: term.bins.time.size] = term.bins.time
        time, mean = term.mean_waveform.time, term.mean_waveform.mean
        curve = _curve(term, z, solved)
    elif isinstance(term, HistogramTerm):
        kind = "histogram"
        position = np.append(0.0, term.histogram.centres)
    elif isinstance(term, CountsTerm):
        kind = "histogram"
        position = np.arange(z.size, dtype=np.float64)
    residual = term.likelihood.residuals(z)
    error = np.abs((term.data - z) / np.where(residual == 0, np.inf, residual))
    chance = float(stats.chi2.sf(statistic, max(numbers, 1)))
    return DataFit(
        term.name,
        kind,
        tuple(term.labels),
        position,
        term.data,
        z,
        error,
        residual,
        chance,
        time,
        mean,
        curve,
    )


def with_posterior(record: FitRecord, draws: PosteriorDraws) -> FitRecord:
    """The record with draws from the posterior, and what must be known of them."""
    count, chains = draws.draws.shape[0] * draws.draws.shape[1], draws.draws.shape[0]
    notes = [
        f"Posterior: {count} draws of {chains} chains on the likelihood of the mean field"
        f"{' as corrected' if record.settings.get('picked') == 'corrected' else ''}; parameters without a prior are "
        "uniform between their bounds, in the logarithm where the lower one is above zero."
    ]
    if not (draws.rhat < MIXED).all() or not (draws.ess > ENOUGH).all():
        notes.append(
            "The chains have not mixed well (R-hat and effective draws in the table): ask for more draws."
        )
    if draws.divergent:
        notes.append(f"{draws.divergent} draws diverged, so a corner of the posterior may be missing.")
    return dataclasses.replace(record, posterior=draws, notes=(*record.notes, *notes))


def _notes(problem: Problem, state: FitState, why: str, parameters: Parameters) -> tuple[str, ...]:
    """What a reader must know."""
    notes = [f"Estimator: {why}."]
    if not state.done:
        notes.append("The fit was stopped before it converged; give it more steps.")
    if int(state.done) == STUCK:
        noise = float(state.gradient_noise[-1])
        why_so = f", whose Monte Carlo error is {100 * noise:.2g} % of it" if noise else ""
        notes.append(
            "The fit is stuck: no step lowers the loss, although by its gradient"
            f"{why_so}, it should fall, so the estimate may be no optimum. Begin elsewhere, give more vesicles, or "
            "take another estimator or optimiser."
        )
    for name, at, beyond in zip(parameters.names, state.free, _at_bound(state), strict=True):
        if beyond:
            side = "lower" if at < 0 else "upper"
            notes.append(
                f"{name} lies at its {side} bound, so its interval and those of the others are too short."
            )
    if why.startswith("mean_field"):
        close = as_small_as_the_bias(problem, state)
        if close:
            notes.append(
                f"The error of {', '.join(close)} is as small as the bias of the mean field may be; "
                'estimator="corrected" takes that away.'
            )
    if why.startswith("score_function"):
        notes.append(
            "The Jacobian of the score function is noisy, and its noise adds to the Fisher information: the intervals "
            "are too short. Ask for profiles, or finish with another estimator."
        )
    notes += [f"Flat: {sentence}." for sentence in uncertainty.flat_directions(problem, state)]
    if state.noise.any():
        notes.append(
            "The intervals contain the Monte Carlo noise of the fit itself, which is also given apart (seed_sd)."
        )
    return tuple(notes)


def _misfit(p_value: float) -> tuple[str, ...]:
    """What to do where the model does not have the shape of the data."""
    if not p_value < MISFIT:
        return ()
    return (
        f"The model does not have the shape of these data (p < {MISFIT:g}), so that no interval holds: free what else "
        "may differ, or say by how much the model may be wrong (data.model_error=0.02, of the peak, in a waveform).",
    )


def as_small_as_the_bias(problem: Problem, state: FitState) -> list[str]:
    """Parameters whose error is so small that the bias of the mean field matters.

    One at its bound is left out: its error is small there whatever the data know.
    """
    parameters = problem.parameters
    sds = np.sqrt(np.diag(uncertainty.covariance(problem, state))) * parameters.stretch(state.free)
    known = (sds < BIAS) & ~_at_bound(state)
    return [n for n, small in zip(parameters.names, known, strict=True) if small and n not in EXTRA]


def _at_bound(state: FitState) -> np.ndarray:
    """Which parameters lie at a bound [p]."""
    share = special.expit(-np.abs(state.free))  # of the range, from the nearer bound
    return share < EDGE
