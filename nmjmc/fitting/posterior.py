"""Draws from the whole posterior by the No-U-Turn sampler of blackjax, on the likelihood of the mean field.

The prior is that of the fit; a parameter without one is uniform in its scaled value (for most its logarithm) between
its bounds. The sampler moves in coordinates in which the Fisher information at the optimum is the unit matrix, so
that a posterior close to normal takes few steps a draw. Every draw is a function of the seed, its number and the
state before it: a run that was cut short goes on to the same bits.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nmjmc import ending
from nmjmc.data.fits import PosteriorDraws
from nmjmc.errors import ValidationError
from nmjmc.fitting.optimise import FitProgress, FitState, free_values
from nmjmc.fitting.problem import Problem

CHAINS = 4
WARM_UP = 60
"""Draws of each chain that are thrown away; the step size adapts in them."""

FEWEST = 40
"""Draws of all chains, of which R-hat and an effective number can be told (a choice)."""

_TARGET = 0.8  # acceptance that the step size is adapted to
_FIRST_STEP = 0.8  # in units of the posterior's SD
_DOUBLINGS = 4  # 15 steps at most, ten SDs of a posterior close to normal
_TELL = 10  # draws between tellings


def refuse_missing_sampler() -> None:
    """Refuse a sampler that is not there.

    Raises:
        ValidationError: With the command that installs it.
    """
    _library("blackjax")


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        hint = "install it with  pip install blackjax"
        raise ValidationError(
            "fit.posterior", f"{name}, not installed", "an installed sampler", hint
        ) from error


def sample(
    problem: Problem,
    state: FitState,
    draws: int,
    *,
    seed: int = 0,
    offset: np.ndarray | None = None,
    kept: Mapping[str, np.ndarray] | None = None,
    keep: Callable[[dict[str, np.ndarray]], None] | None = None,
    on_step: Callable[[FitProgress], None] | None = None,
) -> PosteriorDraws:
    """Draws from the posterior.

    Args:
        problem: What is fitted.
        state: The optimum, where the coordinates are made and around which the chains begin.
        draws: Of all four chains together.
        seed: Of the sampler.
        offset: Correction of the predictions by the kernel [z].
        kept: What `keep` was given last, to go on from.
        keep: Given the state of the chains after every draw.
        on_step: Told now and then.

    Returns:
        Draws with R-hat and effective sample size of each parameter.

    Raises:
        ValidationError: If the sampler is not installed.
    """
    refuse_missing_sampler()
    each = -(-draws // CHAINS)
    # the library's arithmetic mixes types and ranks
    plain = jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow")
    with jax.enable_x64(True), plain[0], plain[1]:
        chains = _Chains(problem, state, seed, offset)
        now, begun, first = dict(kept or chains.begin()), time.monotonic(), None
        while now["draws"].shape[1] < each:
            now = chains.after(now)
            done, total = int(now["taken"]), WARM_UP + each
            first = done - 1 if first is None else first
            if keep is not None:
                keep(now)
            ending.look()
            if on_step is not None and (done % _TELL == 0 or done == total):
                elapsed = time.monotonic() - begun
                left = elapsed / (done - first) * (total - done)
                free = chains.free(now["position"])[0]
                loss = problem.loss(problem.predict(free) + chains.offset, free)
                values = free_values(problem, free)
                on_step(FitProgress(done, total, loss, values, 0.0, elapsed, left, "posterior"))
        return _draws_of(problem, chains, now)


class _Chains:
    """The sampler of one problem; its state is a few arrays.

    Attributes:
        offset: Correction of the predictions [z].
    """

    def __init__(self, problem: Problem, state: FitState, seed: int, offset: np.ndarray | None) -> None:
        nuts = _library("blackjax.mcmc.nuts")
        adaptation = _library("blackjax.adaptation.step_size")
        self.init_adapted, self.adapted_after, self.adapted_size = adaptation.dual_averaging_adaptation(
            _TARGET
        )
        self.adapted_state = adaptation.DualAveragingAdaptationState
        self.offset = np.zeros(state.z.size) if offset is None else offset
        self.centre, self.scale = state.free, _scale(problem, state)
        self.seed, self.count = seed, problem.parameters.count
        density = _density(problem, self.offset, self.centre, self.scale)
        kernel, unit = nuts.build_kernel(), jnp.ones(self.count)

        def move(key: Any, state: Any, size: Any) -> Any:
            after, told = kernel(key, state, density, size, unit, _DOUBLINGS)
            return after, told.acceptance_rate, told.is_divergent

        self.move = jax.jit(jax.vmap(move, (0, 0, None)))
        self.first = jax.jit(jax.vmap(lambda place: nuts.init(place, density)))
        self.chain_state = importlib.import_module("blackjax.mcmc.hmc").HMCState

    def free(self, position: np.ndarray) -> np.ndarray:
        """Unconstrained numbers from the sampler's coordinates [..., p]."""
        return self.centre + position @ self.scale.T

    def begin(self) -> dict[str, np.ndarray]:
        """The chains before their first draw, scattered somewhat wider than the posterior."""
        rng = np.random.default_rng(self.seed)
        position = 1.5 * rng.normal(size=(CHAINS, self.count))
        state = self.first(jnp.asarray(position))
        adapted = self.init_adapted(_FIRST_STEP)
        return self._arrays(state, adapted, 0, np.zeros((CHAINS, 0, self.count)), 0)

    def _arrays(
        self, state: Any, adapted: Any, taken: int, draws: np.ndarray, divergent: int
    ) -> dict[str, np.ndarray]:
        return {
            "position": np.asarray(state.position), "density": np.asarray(state.logdensity),
            "slope": np.asarray(state.logdensity_grad), "adapted": np.array([float(x) for x in adapted]),
            "taken": np.array(taken), "draws": draws, "divergent": np.array(divergent),
        }  # fmt: skip

    def after(self, now: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The chains after one more draw of each."""
        taken = int(now["taken"])
        warm = taken < WARM_UP
        adapted = self.adapted_state(*(jnp.asarray(x) for x in now["adapted"]))
        size = jnp.exp(adapted.log_step_size) if warm else self.adapted_size(adapted)
        keys = jax.random.split(jax.random.fold_in(jax.random.key(self.seed), taken), CHAINS)
        state = self.chain_state(*(jnp.asarray(now[name]) for name in ("position", "density", "slope")))
        state, accepted, divergent = self.move(keys, state, size)
        draws, bad = now["draws"], int(now["divergent"])
        if warm:
            adapted = self.adapted_after(adapted, jnp.mean(accepted))
        else:
            draws = np.concatenate([draws, self.free(np.asarray(state.position))[:, None]], axis=1)
            bad += int(np.sum(np.asarray(divergent)))
        return self._arrays(state, adapted, taken + 1, draws, bad)


def _scale(problem: Problem, state: FitState) -> np.ndarray:
    """Root of the posterior's covariance, close to the optimum [p, p].

    A parameter without information is uniform between its bounds, logistic in its unconstrained number, whose
    variance is pi^2/3.
    """
    information = problem.information(state.z, state.slope, state.free)
    total = information + 3.0 / np.pi**2 * np.eye(state.free.size)
    return np.linalg.inv(np.linalg.cholesky(total)).T


def _density(
    problem: Problem, offset: np.ndarray, centre: np.ndarray, scale: np.ndarray
) -> Callable[[Any], Any]:
    """Logarithm of the posterior in the sampler's coordinates, with its derivatives in forward mode."""

    def value(place: Any) -> Any:
        return problem.log_posterior(centre + jnp.asarray(scale) @ place, offset)

    def with_slope(place: Any) -> Any:
        along = jax.vmap(lambda direction: jax.jvp(value, (place,), (direction,)), out_axes=(None, 0))
        return along(jnp.eye(place.size))

    density = jax.custom_vjp(value)
    density.defvjp(with_slope, lambda slope, weight: (weight * slope,))
    return density


def _draws_of(problem: Problem, chains: _Chains, now: Mapping[str, np.ndarray]) -> PosteriorDraws:
    """Draws as values of the parameters, and how well the chains have mixed."""
    diagnostics = _library("blackjax.diagnostics")
    draws = jnp.asarray(now["draws"])
    scaled = problem.parameters.scaled_from(draws)
    return PosteriorDraws(
        np.asarray(problem.parameters.values(draws)),
        np.atleast_1d(np.asarray(diagnostics.rhat(scaled))),
        np.atleast_1d(np.asarray(diagnostics.ess_bulk(scaled))),
        int(now["divergent"]),
    )
