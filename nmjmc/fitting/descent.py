"""The way of a fit from its start to its optimum: by the mean field, errors weighed there, and corrected by the kernel.

A fit by the mean field goes down, has its errors weighed at its optimum, and goes on; a corrected one is corrected
there too. `auto` does so where the errors turn out as small as the bias of the mean field may be.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from nmjmc import ending
from nmjmc.data.fits import PosteriorDraws
from nmjmc.fitting import posterior, uncertainty
from nmjmc.fitting.checkpoint import FitCheckpoint
from nmjmc.fitting.estimators import CorrectedEstimator, Estimator, MeanFieldEstimator
from nmjmc.fitting.optimise import FitProgress, FitState, begin, optimise, progress_of
from nmjmc.fitting.plan import FitPlan
from nmjmc.fitting.record import as_small_as_the_bias


class Descent:
    """One fit on its way.

    Attributes:
        problem: What is fitted to what; with weighed errors once they are.
        estimator: Of predictions and their derivatives; the one the fit ends with once it has.
        why: Why that one was picked.
        state: Where the fit is.
    """

    def __init__(
        self, plan: FitPlan, checkpoint: FitCheckpoint, on_step: Callable[[FitProgress], None]
    ) -> None:
        self.request, self.is_auto = plan.request, plan.is_auto
        self.problem, self.estimator, self.why = plan.problem, plan.estimator, plan.why
        self.checkpoint, self.on_step = checkpoint, on_step
        self.state = self._to_the_optimum()

    def _to_the_optimum(self) -> FitState:
        is_corrected = isinstance(self.estimator, CorrectedEstimator)
        first = MeanFieldEstimator() if is_corrected else self.estimator
        is_second = self.checkpoint.phase > 0
        if is_second:
            assert self.checkpoint.state is not None
            state = self.checkpoint.state
        else:
            state = self._first(first)
        by_mean_field = isinstance(self.estimator, MeanFieldEstimator) and bool(state.done or is_second)
        if self.is_auto and by_mean_field and self._needs_correction(state):
            self.estimator = CorrectedEstimator(self.request.vesicles, self.request.seed)
            self.why = (
                f"{self.estimator.name}, as the mean field solves this synapse and the data know some parameters "
                f"better than its bias: {self.estimator.bias}"
            )
        if by_mean_field or isinstance(self.estimator, CorrectedEstimator):
            return self._second(state)
        return state

    def _needs_correction(self, state: FitState) -> bool:
        if self.checkpoint.phase > 0:
            return "offset" in self.checkpoint.extra
        return bool(as_small_as_the_bias(self.problem, state))

    def _first(self, estimator: Estimator) -> FitState:
        """The way down with one estimator, from the checkpoint if there is one."""
        state = self.checkpoint.state
        if state is None:
            parameters = self.problem.parameters
            estimator.prepare(self.problem, parameters.unconstrained(parameters.start))
            state = begin(self.problem, estimator, self.request.optimiser)
        return self._optimised(estimator, state, 0, {})

    def _second(self, state: FitState) -> FitState:
        """The way on from the optimum of the mean field, from the checkpoint if it has got so far."""
        if self.checkpoint.phase > 0:
            extra = self.checkpoint.extra
            self.problem = self.problem.weighed(extra["weighed_at"])
            if isinstance(self.estimator, CorrectedEstimator):
                self.estimator.offset, self.estimator.covariance = extra["offset"], extra["seed_covariance"]
            return self._optimised(self.estimator, state, 1, extra)
        weighed = self.problem.weighed(state.free)
        if weighed is self.problem and not isinstance(self.estimator, CorrectedEstimator):
            return state
        extra = {"weighed_at": state.free}
        if isinstance(self.estimator, CorrectedEstimator):
            self._tell(state, f"{self.estimator.vesicles} quanta for the correction")
            self.estimator.prepare(weighed, state.free)
            extra |= {"offset": self.estimator.offset, "seed_covariance": self.estimator.covariance}
        z, slope, noise = self.estimator.evaluate(weighed, state.free)
        losses = np.append(state.losses[:-1], weighed.loss(z, state.free))
        state = dataclasses.replace(state, z=z, slope=slope, noise=noise, losses=losses, done=np.array(0))
        self.checkpoint.keep(state, 1, extra)
        self.problem = weighed
        return self._optimised(self.estimator, state, 1, extra)

    def _optimised(
        self, estimator: Estimator, state: FitState, phase: int, extra: dict[str, np.ndarray]
    ) -> FitState:
        return optimise(
            self.problem, estimator, state, optimiser=self.request.optimiser, steps=self.request.steps,
            tolerance=self.request.tolerance, on_step=self.on_step,
            keep=lambda state: self.checkpoint.keep(state, phase, extra),
        )  # fmt: skip

    def _tell(self, state: FitState, stage: str) -> None:
        self.on_step(progress_of(self.problem, state, self.request.steps, stage))

    def profile(self, name: str) -> uncertainty.Profile:
        """The profile likelihood of a parameter, from the checkpoint if it is there."""
        ending.look()
        kept = self.checkpoint.profile(name)
        if kept is not None:
            return kept
        self._tell(self.state, f"profile of {name}")
        curve = uncertainty.profile(self.problem, self.estimator, self.state, name, level=self.request.level)
        self.checkpoint.keep_profile(curve)
        return curve

    def draws(self) -> PosteriorDraws:
        """Draws from the posterior, from the checkpoint if there are some."""
        offset = self.estimator.offset if isinstance(self.estimator, CorrectedEstimator) else None
        return posterior.sample(
            self.problem, self.state, self.request.posterior, seed=self.request.seed, offset=offset,
            kept=self.checkpoint.posterior(), keep=self.checkpoint.keep_posterior, on_step=self.on_step,
        )  # fmt: skip

    def bootstrap(self) -> np.ndarray:
        """Estimates from resampled events [repeat, p]."""
        repeats = self.request.bootstrap
        if not repeats:
            return np.zeros((0, self.problem.parameters.count))
        return uncertainty.bootstrap(self.problem, self.state, repeats, self.request.seed)
