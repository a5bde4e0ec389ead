"""The door: data and free parameters in, estimates with their uncertainty out."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from nmjmc.data import provenance
from nmjmc.data.checkpoint import fingerprint
from nmjmc.data.fits import DataFit, FitRecord, ProfileCurve, load_progress, save_progress
from nmjmc.errors import ValidationError
from nmjmc.fitting import uncertainty
from nmjmc.fitting.estimators import CorrectedEstimator, Estimator, MeanFieldEstimator, choose
from nmjmc.fitting.optimise import Progress, State, begin, optimise
from nmjmc.fitting.parameters import EXTRA, Parameters, free_parameters, with_values
from nmjmc.fitting.problem import Problem
from nmjmc.fitting.quanta import GRID
from nmjmc.fitting.terms import HistogramTerm, Term
from nmjmc.fitting.waveform_term import WaveformTerm
from nmjmc.meanfield import Grid
from nmjmc.synapse.build import describe
from nmjmc.synapse.model import Synapse

BIAS = 0.05
"""Relative error below which the bias of the mean field matters: with 300 events it moved binding, unbinding and
closing rates of the human preset by 3 to 8 %."""

EDGE = 1e-3
"""Part of a parameter's scaled range within which an estimate is said to lie at its bound."""


def fit(
    synapse: Synapse,
    data: Sequence[Term],
    free: Sequence[str] | Mapping[str, Mapping[str, Any] | None],
    *,
    fixed: Mapping[str, Any] | None = None,
    estimator: str | Estimator = "auto",
    optimiser: str = "natural",
    steps: int = 60,
    tolerance: float = 1e-3,
    level: float = 0.95,
    profiles: Sequence[str] | str = (),
    bootstrap: int = 0,
    seed: int = 0,
    grid: Grid = GRID,
    checkpoint: str | Path | None = None,
    on_step: Callable[[Progress], None] | None = None,
) -> FitRecord:
    """Fit parameters of a synapse to one or several data sets that share them.

    Args:
        synapse: Where the fit begins, and all that is not free.
        data: Data sets: `WaveformTerm`, `HistogramTerm`, `StatisticsTerm`; each says under which condition.
        free: Paths, or a mapping from path to bounds, start and prior (see `free_parameters`).
        fixed: Known parameters of release and recording, for example `{"recording.gain": "0.25 MOhm"}`.
        estimator: `auto`, `mean_field`, `corrected`, `common_random_numbers`, or an `Estimator`.
        optimiser: `natural`, `adam` or `sgd`.
        steps: At most.
        tolerance: Decrease of the loss that is not worth a step.
        level: Of the intervals.
        profiles: Parameters whose profile likelihood is computed, or `all`.
        bootstrap: Resampled data sets, 0 for none.
        seed: Of the bootstrap.
        grid: Resolution of the mean field.
        checkpoint: File for the state; a fit that was killed goes on from it, to the same bits.
        on_step: Told of each step.

    Returns:
        Estimates, intervals, goodness of fit, and what a reader must know in sentences.

    Raises:
        ValidationError: For input that cannot be right; nothing is computed then.
        FitError: If the loss becomes infinite or NaN, with the parameter to blame.
        SimulationError: If the kernel failed; failed vesicles are never dropped.

    Example:
        >>> from nmjmc.fitting import fit, Condition, StatisticsTerm  # doctest: +SKIP
    """
    if not 0.0 < level < 1.0:
        raise ValidationError("fit.level", level, "between 0 and 1", "write 0.95 for 95 %")
    parameters = free_parameters(synapse, free, fixed)
    problem = Problem(synapse, data, parameters, fixed, grid)
    chosen, why = choose(estimator, synapse)
    settings = {
        "estimator": chosen.name, "optimiser": optimiser, "steps": int(steps), "tolerance": float(tolerance),
        "level": float(level), "bootstrap": int(bootstrap), "seed": int(seed), "grid": dataclasses.asdict(grid),
    }  # fmt: skip
    state = _run(
        problem, chosen, optimiser, steps, tolerance, _keeper(checkpoint, problem, settings), on_step
    )
    wanted = parameters.names if profiles == "all" else tuple(profiles)
    curves = {name: uncertainty.profile(problem, chosen, state, name, level=level) for name in wanted}
    drawn = (
        uncertainty.bootstrap(problem, state, bootstrap, seed)
        if bootstrap
        else np.zeros((0, parameters.count))
    )
    return _record(problem, state, why, level, curves, drawn, settings)


class _Keeper:
    """Writes and reads the checkpoint of a fit."""

    def __init__(self, path: str | Path | None, key: str) -> None:
        self.path, self.key = path, key

    def load(self) -> dict[str, np.ndarray]:
        return {} if self.path is None else load_progress(self.path, self.key)

    def save(self, state: State, phase: int, extra: Mapping[str, np.ndarray]) -> None:
        if self.path is not None:
            save_progress(self.path, self.key, {**state.arrays(), "phase": np.array(phase), **extra})


def _keeper(path: str | Path | None, problem: Problem, settings: Mapping[str, Any]) -> _Keeper:
    """The checkpoint of this fit alone: its key holds data, parameters, settings and versions."""
    digest = hashlib.sha256()
    for term in problem.terms:
        digest.update(repr((term.name, type(term).__name__, term.condition)).encode() + term.data.tobytes())
    p = problem.parameters
    for values in (p.low, p.high, p.start, p.prior_mean, p.prior_sd):
        digest.update(values.tobytes())
    key = {
        "data": digest.hexdigest(), "names": p.names, "synapse": describe(problem.synapse), "fixed": problem.fixed,
        **settings, **provenance.versions(),
    }  # fmt: skip
    return _Keeper(path, fingerprint({name: value for name, value in key.items() if name != "steps"}))


def _run(
    problem: Problem,
    estimator: Estimator,
    optimiser: str,
    steps: int,
    tolerance: float,
    keeper: _Keeper,
    on_step: Any,
) -> State:
    """The descent. A corrected fit goes down the mean field first, is corrected there, and goes on."""
    kept = keeper.load()
    corrected = isinstance(estimator, CorrectedEstimator)
    phase = int(kept.pop("phase", np.array(0))) if kept else 0
    extra: dict[str, np.ndarray] = {}
    if corrected and kept:
        extra = {name: kept.pop(name) for name in ("offset", "seed_covariance") if name in kept}
    state = State(**kept) if kept else None
    how = {"optimiser": optimiser, "steps": steps, "tolerance": tolerance, "on_step": on_step}
    if corrected and phase == 0:
        first = MeanFieldEstimator()
        state = state or begin(problem, first, optimiser)
        state = optimise(problem, first, state, keep=lambda s: keeper.save(s, 0, {}), **how)
    if not corrected:
        if state is None:
            estimator.prepare(problem, problem.parameters.unconstrained(problem.parameters.start))
            state = begin(problem, estimator, optimiser)
        return optimise(problem, estimator, state, keep=lambda s: keeper.save(s, 0, {}), **how)
    assert isinstance(estimator, CorrectedEstimator) and state is not None
    if phase == 0:
        estimator.prepare(problem, state.free)
        extra = {"offset": estimator.offset, "seed_covariance": estimator.covariance}
        z, slope, noise = estimator.evaluate(problem, state.free)
        loss = np.append(state.losses[:-1], problem.loss(z, state.free))
        state = dataclasses.replace(state, z=z, slope=slope, noise=noise, losses=loss, done=np.array(0))
        keeper.save(state, 1, extra)
    else:
        estimator.offset, estimator.covariance = extra["offset"], extra["seed_covariance"]
    return optimise(problem, estimator, state, keep=lambda s: keeper.save(s, 1, extra), **how)


def _record(
    problem: Problem,
    state: State,
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
    sets, total, compared = [], 0.0, 0
    for term, part, a, b in zip(
        problem.terms, problem.parts(state.z), problem.cuts[:-1], problem.cuts[1:], strict=True
    ):
        statistic, numbers = term.goodness(part, state.noise[a:b, a:b])
        total, compared = total + statistic, compared + numbers
        sets.append(_dataset(term, part, statistic, numbers))
    freedom = compared - parameters.count
    return FitRecord(
        names=names, units=parameters.units, start=parameters.start,
        estimate=np.array([values[name] for name in names]), low=low, high=high, level=level, relative_sd=sd,
        seed_sd=np.sqrt(np.diag(noise)), correlation=(spread + noise) / np.outer(sd, sd),
        bounds=np.stack([parameters.low, parameters.high], axis=1), losses=state.losses,
        trace=np.array([[problem.values(row)[name] for name in names] for row in state.trace]),
        gradient_noise=state.gradient_noise, datasets=tuple(sets),
        p_value=float(stats.chi2.sf(total, freedom)) if freedom > 0 else float("nan"),
        notes=_notes(problem, state, why, parameters), converged=bool(state.done), synapse=_described(fitted),
        fixed={name: value for name, value in values.items() if name in EXTRA},
        profiles={n: ProfileCurve(c.values, 2.0 * (c.losses - best), c.low, c.high) for n, c in curves.items()},
        bootstrap=drawn, settings=settings, provenance=provenance.collect(),
    )  # fmt: skip


def _described(synapse: Synapse) -> dict[str, Any]:
    import jax

    return describe(jax.tree.map(lambda x: np.asarray(x, np.float64), synapse))


def _dataset(term: Term, z: np.ndarray, statistic: float, numbers: int) -> DataFit:
    kind = "statistics"
    position = np.full(z.size, np.nan)
    if isinstance(term, WaveformTerm):
        kind = "waveform"
        position[: term.time.size] = term.time
    elif isinstance(term, HistogramTerm):
        kind = "histogram"
        position = np.append(0.0, term.histogram.centres)
    residual = term.residuals(z)
    error = np.abs((term.data - z) / np.where(residual == 0, np.inf, residual))
    chance = float(stats.chi2.sf(statistic, max(numbers, 1)))
    return DataFit(term.name, kind, tuple(term.labels), position, term.data, z, error, residual, chance)


def _notes(problem: Problem, state: State, why: str, parameters: Parameters) -> tuple[str, ...]:
    """What a reader must know."""
    notes = [f"Estimator: {why}."]
    if not state.done:
        notes.append("The fit was stopped before it converged; give it more steps.")
    share = 1.0 / (1.0 + np.exp(-state.free))
    for name, at in zip(parameters.names, share, strict=True):
        if at < EDGE or at > 1.0 - EDGE:
            side = "lower" if at < 0.5 else "upper"
            notes.append(
                f"{name} lies at its {side} bound, so its interval and those of the others are too short."
            )
    stretch = parameters.stretch(state.free)
    sds = np.sqrt(np.diag(uncertainty.covariance(problem, state))) * stretch
    if why.startswith("mean_field"):
        close = [n for n, sd in zip(parameters.names, sds, strict=True) if sd < BIAS and n not in EXTRA]
        if close:
            notes.append(
                f"The error of {', '.join(close)} is as small as the bias of the mean field may be; "
                'estimator="corrected" takes that away.'
            )
    notes += [f"Flat: {sentence}." for sentence in uncertainty.flat_directions(problem, state)]
    if state.noise.any():
        notes.append(
            "The intervals contain the Monte Carlo noise of the fit itself, which is also given apart (seed_sd)."
        )
    return tuple(notes)
