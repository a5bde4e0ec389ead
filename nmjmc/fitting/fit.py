"""The door: data and free parameters in, estimates with their uncertainty out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nmjmc import ending
from nmjmc.carried import Number
from nmjmc.data.fits import FitRecord, PosteriorDraws
from nmjmc.errors import ValidationError, nearest
from nmjmc.fitting import posterior as sampling
from nmjmc.fitting import uncertainty
from nmjmc.fitting.estimators import CorrectedEstimator, Estimator, MeanFieldEstimator, choose
from nmjmc.fitting.keeper import CLOCK, Keeper, key_of
from nmjmc.fitting.optimise import Progress, State, begin, optimise, told
from nmjmc.fitting.parameters import free_parameters
from nmjmc.fitting.problem import Problem
from nmjmc.fitting.quanta import GRID
from nmjmc.fitting.record import as_small_as_the_bias, record_of, with_posterior
from nmjmc.fitting.terms import Term
from nmjmc.meanfield import Grid
from nmjmc.numbers import whole_number
from nmjmc.progress import Show, shown
from nmjmc.synapse.model import Synapse
from nmjmc.units import to_internal

MOST = 10_000_000
"""Steps, repeats or draws at most; a choice."""


def fit(
    synapse: Synapse,
    data: Sequence[Term],
    free: Sequence[str] | Mapping[str, Mapping[str, Any] | None],
    *,
    fixed: Mapping[str, Any] | None = None,
    estimator: str | Estimator = "auto",
    vesicles: Number | None = None,
    optimiser: str = "natural",
    steps: Number = 60,
    tolerance: Number = 1e-3,
    level: Number = 0.95,
    profiles: Sequence[str] | str = (),
    bootstrap: Number = 0,
    posterior: int = 0,
    seed: Number = 0,
    grid: Grid = GRID,
    checkpoint: str | Path | None = None,
    checkpoint_seconds: float = CLOCK,
    on_step: Callable[[Progress], None] | None = None,
    progress: bool | str = "auto",
) -> FitRecord:
    """Fit parameters of a synapse to one or several data sets that share them.

    Args:
        synapse: Where the fit begins, and all that is not free.
        data: Data sets: `WaveformTerm`, `HistogramTerm`, `StatisticsTerm`; each says under which condition.
        free: Paths, or a mapping from path to bounds, start and prior (see `free_parameters`).
        fixed: Known parameters of release and recording, for example `{"recording.gain": "0.25 MOhm"}`.
        estimator: `auto`, `mean_field`, `corrected`, `common_random_numbers`, `score_function`, or an `Estimator`.
            `auto` goes down the mean field where it solves the synapse, and on to `corrected` where the errors are as
            small as its bias.
        vesicles: Quanta that the kernel simulates for each condition, for the estimators that use it.
        optimiser: `natural`, `adam` or `sgd`.
        steps: At most.
        tolerance: Decrease of the loss that is not worth a step.
        level: Of the intervals.
        profiles: Parameters whose profile likelihood is computed, or `all`.
        bootstrap: Resampled data sets, 0 for none.
        posterior: Draws from the posterior, 0 for none; needs the extra `posterior`.
        seed: Of the bootstrap, the sampler and the kernel.
        grid: Resolution of the mean field.
        checkpoint: File for the state; a fit that was killed goes on from it, to the same bits.
        checkpoint_seconds: Between writings of it; it is also written when the fit ends, by a signal too.
        on_step: Told of each step, which is then not drawn.
        progress: Whether the steps are drawn: True, False, or `auto` for a terminal and a notebook.

    Returns:
        Estimates, intervals, goodness of fit, and what a reader must know in sentences.

    Raises:
        ValidationError: For input that cannot be right; nothing is computed then.
        FitError: If the loss becomes infinite or NaN, with the parameter to blame.
        SimulationError: If the kernel failed; failed vesicles are never dropped.

    Example:
        >>> from nmjmc.fitting import fit, Condition, StatisticsTerm  # doctest: +SKIP
    """
    level, tolerance = to_internal(level, "", "fit.level"), to_internal(tolerance, "", "fit.tolerance")
    steps, seed = whole_number(steps, "fit.steps", 0, MOST), whole_number(seed, "fit.seed", 0, 2**63 - 1)
    bootstrap = whole_number(bootstrap, "fit.bootstrap", 0, MOST)
    if not 0.0 < level < 1.0:
        raise ValidationError("fit.level", level, "between 0 and 1", "write 0.95 for 95 %")
    parameters = free_parameters(synapse, free, fixed)
    problem = Problem(synapse, data, parameters, fixed, grid)
    quanta = 512 if vesicles is None else whole_number(vesicles, "fit.vesicles", 8, MOST)
    chosen, why = choose(estimator, synapse, vesicles, seed)
    wanted = profiled(parameters.names, profiles)
    refuse_posterior(chosen, posterior)
    auto = (lambda: CorrectedEstimator(quanta, seed)) if estimator == "auto" else None
    settings = {
        "estimator": estimator if isinstance(estimator, str) else chosen.name, "optimiser": optimiser,
        "vesicles": getattr(chosen, "vesicles", vesicles), "steps": steps, "tolerance": tolerance,
        "level": level, "bootstrap": bootstrap, "posterior": posterior, "seed": seed,
        "grid": dataclasses.asdict(grid),
    }  # fmt: skip
    keeper = Keeper(checkpoint, key_of(problem, settings), checkpoint_seconds)
    how: dict[str, Any] = {"optimiser": optimiser, "steps": steps, "tolerance": tolerance}
    with shown(progress if on_step is None else False) as show:
        how["on_step"] = _drawn(show) if show is not None else on_step
        try:
            problem, state, chosen, why = _run(problem, chosen, auto, why, keeper, how)
            curves = {name: _profile(problem, chosen, state, name, level, keeper, how) for name in wanted}
            draws = _posterior(problem, chosen, state, posterior, seed, keeper, how) if posterior else None
        finally:
            keeper.flush()
    none = np.zeros((0, parameters.count))
    drawn = uncertainty.bootstrap(problem, state, bootstrap, seed) if bootstrap else none
    found = record_of(problem, state, why, level, curves, drawn, settings | {"picked": chosen.name})
    return found if draws is None else with_posterior(found, draws)


def _drawn(show: Show) -> Callable[[Progress], None]:
    """What draws the steps."""

    def on_step(step: Progress) -> None:
        detail = f"step {step.step} of at most {step.steps}, loss {step.loss:.6g}"
        show(step.stage, step.step / max(step.steps, 1), detail)

    return on_step


def profiled(names: Sequence[str], wanted: Sequence[str] | str) -> tuple[str, ...]:
    """Parameters whose profile is wanted.

    Raises:
        ValidationError: If one of them is not free.
    """
    if wanted == "all":
        return tuple(names)
    found = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    for name in found:
        if name not in names:
            raise ValidationError("fit.profiles", repr(name), "all, or free parameters", nearest(name, names))
    return found


def refuse_posterior(estimator: Estimator, draws: int) -> None:
    """Refuse draws from a posterior that cannot be had.

    Raises:
        ValidationError: If the mean field does not solve the synapse, or the sampler is not installed.
    """
    sampling.check_draws(draws)
    if draws and not isinstance(estimator, MeanFieldEstimator | CorrectedEstimator):
        allowed = "0, as the sampler needs the mean field"
        raise ValidationError("fit.posterior", f"{draws} with {estimator.name}", allowed)


def _posterior(
    problem: Problem,
    estimator: Estimator,
    state: State,
    draws: int,
    seed: int,
    keeper: Keeper,
    how: dict[str, Any],
) -> PosteriorDraws:
    """Draws from the posterior, from the checkpoint if there are some."""
    offset = estimator.offset if isinstance(estimator, CorrectedEstimator) else None
    return sampling.sample(
        problem, state, draws, seed=seed, offset=offset, kept=keeper.posterior(), keep=keeper.keep_posterior,
        on_step=how["on_step"],
    )  # fmt: skip


def _profile(
    problem: Problem,
    estimator: Estimator,
    state: State,
    name: str,
    level: float,
    keeper: Keeper,
    how: dict[str, Any],
) -> uncertainty.Profile:
    """One profile, from the checkpoint if it is there."""
    ending.look()
    kept = keeper.profile(name)
    if kept is not None:
        return kept
    if how["on_step"] is not None:
        how["on_step"](told(problem, state, how["steps"], f"profile of {name}"))
    found = uncertainty.profile(problem, estimator, state, name, level=level)
    keeper.keep_profile(found)
    return found


def _descend(
    problem: Problem, estimator: Estimator, optimiser: str, keeper: Keeper, how: dict[str, Any]
) -> State:
    """The way down with one estimator, from the checkpoint if there is one."""
    state = keeper.state
    if state is None:
        estimator.prepare(problem, problem.parameters.unconstrained(problem.parameters.start))
        state = begin(problem, estimator, optimiser)
    return optimise(problem, estimator, state, keep=lambda s: keeper.keep(s, 0, {}), **how)


def _again(
    problem: Problem, estimator: Estimator, state: State, keeper: Keeper, how: dict[str, Any]
) -> tuple[Problem, State]:
    """The way on from the optimum of the mean field: errors weighed there, predictions corrected by the kernel."""
    if keeper.phase == 0:
        weighed = problem.weighed(state.free)
        if weighed is problem and not isinstance(estimator, CorrectedEstimator):
            return problem, state
        extra = {"weighed_at": state.free}
        if isinstance(estimator, CorrectedEstimator):
            if how["on_step"] is not None:
                stage = f"{estimator.vesicles} quanta for the correction"
                how["on_step"](told(problem, state, how["steps"], stage))
            estimator.prepare(weighed, state.free)
            extra |= {"offset": estimator.offset, "seed_covariance": estimator.covariance}
        z, slope, noise = estimator.evaluate(weighed, state.free)
        loss = np.append(state.losses[:-1], weighed.loss(z, state.free))
        state = dataclasses.replace(state, z=z, slope=slope, noise=noise, losses=loss, done=np.array(0))
        keeper.keep(state, 1, extra)
    else:
        extra = keeper.extra
        weighed = problem.weighed(extra["weighed_at"])
        if isinstance(estimator, CorrectedEstimator):
            estimator.offset, estimator.covariance = extra["offset"], extra["seed_covariance"]
    return weighed, optimise(weighed, estimator, state, keep=lambda s: keeper.keep(s, 1, extra), **how)


def _run(
    problem: Problem,
    estimator: Estimator,
    auto: Callable[[], CorrectedEstimator] | None,
    why: str,
    keeper: Keeper,
    how: dict[str, Any],
) -> tuple[Problem, State, Estimator, str]:
    """The whole descent: the problem as weighed, the state, the estimator that it ended with, and why it was picked.

    A fit by the mean field goes down, has its errors weighed there, and goes on; a corrected one is corrected there
    too. `auto` does so where the errors turn out as small as the bias of the mean field may be.
    """
    optimiser = how["optimiser"]
    first = MeanFieldEstimator() if isinstance(estimator, CorrectedEstimator) else estimator
    if keeper.phase == 0:
        state = _descend(problem, first, optimiser, keeper, how)
    else:
        assert keeper.state is not None
        state = keeper.state
    if auto is not None and isinstance(estimator, MeanFieldEstimator):
        close = as_small_as_the_bias(problem, state) if keeper.phase == 0 else "offset" in keeper.extra
        if close and (state.done or keeper.phase):
            estimator = auto()
            why = (
                f"{estimator.name}, as the mean field solves this synapse and the data know some parameters better "
                f"than its bias: {estimator.bias}"
            )
    if isinstance(estimator, CorrectedEstimator) or (
        isinstance(estimator, MeanFieldEstimator) and (state.done or keeper.phase)
    ):
        problem, state = _again(problem, estimator, state, keeper, how)
    return problem, state, estimator, why
