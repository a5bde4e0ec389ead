"""A fit as a function: unconstrained parameters to predictions of all data sets, loss, gradient and information."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from nmjmc.errors import ValidationError
from nmjmc.fitting.parameters import Parameters, extra_value, with_values
from nmjmc.fitting.quanta import GRID, Condition, Quanta, quanta, refuse_overlap
from nmjmc.fitting.reach import refuse_out_of_reach
from nmjmc.fitting.terms import Term
from nmjmc.meanfield import Grid
from nmjmc.synapse.build import describe
from nmjmc.synapse.model import Synapse


class Problem:
    """What is fitted to what.

    Attributes:
        synapse: Before the fit.
        terms: Data sets.
        parameters: Free parameters, shared by all data sets.
        fixed: Known `EXTRA` parameters, internal units.
        grid: Resolution of the mean field.
        cuts: Where the predictions of each data set begin in z, and the end [terms + 1].
    """

    def __init__(
        self,
        synapse: Synapse,
        terms: Sequence[Term],
        parameters: Parameters,
        fixed: Mapping[str, Any] | None = None,
        grid: Grid = GRID,
    ) -> None:
        if not terms:
            raise ValidationError("fit.data", "empty", "one or more data sets")
        names = [term.name for term in terms]
        if len(set(names)) < len(names):
            raise ValidationError("names of the data sets", names, "different from each other")
        conditions = tuple(dict.fromkeys(term.condition for term in terms))
        refuse_overlap(conditions, parameters.names)
        self.synapse, self.terms, self.parameters, self.grid = synapse, tuple(terms), parameters, grid
        self.fixed = {name: extra_value(name, value) for name, value in (fixed or {}).items()}
        _refuse_unsaid(terms, (*self.fixed, *parameters.names))
        refuse_out_of_reach(synapse, self.terms, parameters, self.fixed)
        self.conditions = conditions
        self.cuts = np.cumsum([0, *(term.data.size for term in terms)])
        self._solved, self._solved_with_slope = _programs(self)
        self._value: Callable[..., Any] = jax.jit(self._predict)
        self._pushed: Callable[..., Any] = jax.jit(self._push)

    def _values(self, free: Any) -> dict[str, Any]:
        return self.fixed | self.parameters.named(self.parameters.values(free))

    def _predict(self, solved: dict[Condition, Quanta], free: Any) -> Any:
        """Predictions of all data sets from the quanta of each condition [z]."""
        values = self._values(free)
        return jnp.concatenate([term.predict(solved[term.condition], values) for term in self.terms])

    def _push(self, solved: dict[Condition, Quanta], slopes: dict[Condition, Quanta], free: Any) -> Any:
        """Derivatives of the predictions, from those of the quanta, parameters first [p, z]."""

        def along(change: Any, direction: Any) -> Any:
            return jax.jvp(self._predict, (solved, free), (change, direction))[1]

        return jax.vmap(along)(slopes, jnp.eye(self.parameters.count))

    def predict(self, free: np.ndarray) -> np.ndarray:
        """Predictions of the mean field [z]."""
        with jax.enable_x64(True):
            at = jnp.asarray(free, jnp.float64)
            return np.asarray(self._value(self._solved(at), at))

    def predict_with_slope(self, free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Predictions of the mean field [z] and their exact derivatives by the unconstrained parameters [z, p]."""
        with jax.enable_x64(True):
            at = jnp.asarray(free, jnp.float64)
            solved, slopes = self._solved_with_slope(at)
            z = self._value(solved, at)
            # one order in memory, as after a checkpoint: BLAS rounds a transposed array otherwise
            return np.asarray(z), np.ascontiguousarray(np.asarray(self._pushed(solved, slopes, at)).T)

    def quanta_of(self, free: np.ndarray) -> dict[Condition, Quanta]:
        """Quanta of the mean field under each condition, by the program that the descent has compiled."""
        with jax.enable_x64(True):
            return self._solved_with_slope(jnp.asarray(free, jnp.float64))[0]

    def weighed(self, free: np.ndarray) -> Problem:
        """The same problem, errors of the data weighed by the quanta there; itself where no error hangs on them."""
        if all(type(term).weighed is Term.weighed for term in self.terms):
            return self
        solved = self.quanta_of(free)
        terms = tuple(term.weighed(solved[term.condition]) for term in self.terms)
        if all(new is old for new, old in zip(terms, self.terms, strict=True)):
            return self
        made = copy.copy(self)  # predictions hang on no error, so the compiled ones serve
        made.terms = terms
        return made

    def currents_of(
        self, free: np.ndarray, condition: Condition, content: np.ndarray, time: np.ndarray
    ) -> tuple[np.ndarray, float]:
        """Mean-field currents of vesicles of given contents [v, t] and the current of one channel [nA].

        Current per molecule is interpolated in the logarithm of the content between the nodes.
        """
        values = self.fixed | {n: np.float64(v) for n, v in self.values(free).items()}
        with jax.enable_x64(True):
            solution = self._solved(jnp.asarray(free, jnp.float64))[condition]
            changed = with_values(condition.of(self.synapse), values)
        spread = float(np.sqrt(np.log1p(float(changed.vesicle.content_cv) ** 2)))
        mean, node = float(changed.vesicle.content_mean), np.asarray(solution.node)
        each = mean * np.exp(spread * node - 0.5 * spread**2)
        per_molecule = np.asarray(solution.current) / each[:, None]
        deviate = (
            (np.log(content / mean) + 0.5 * spread**2) / spread if spread > 0 else np.zeros(content.size)
        )
        powers = np.arange(node.size)
        weight = deviate[:, None] ** powers @ np.linalg.inv(node[:, None] ** powers)
        onto = np.stack([np.interp(time, solution.time, row) for row in per_molecule])
        return content[:, None] * (weight @ onto), float(solution.channel)

    def values(self, free: np.ndarray) -> dict[str, float]:
        """Free and fixed parameters by path, internal units."""
        with jax.enable_x64(True):
            numbers = np.asarray(self.parameters.values(jnp.asarray(free, jnp.float64)))
        return self.fixed | {name: float(v) for name, v in self.parameters.named(numbers).items()}

    def parts(self, z: np.ndarray) -> list[np.ndarray]:
        """The predictions of each data set."""
        return [z[a:b] for a, b in zip(self.cuts[:-1], self.cuts[1:], strict=True)]

    def loss(self, z: np.ndarray, free: np.ndarray) -> float:
        """Minus the logarithm of likelihood times prior."""
        fit = sum(term.likelihood.loss(part) for term, part in zip(self.terms, self.parts(z), strict=True))
        return float(fit + self._prior(free)[0])

    def log_posterior(self, free: Any, offset: np.ndarray) -> Any:
        """Logarithm of the posterior density of the unconstrained numbers, traced.

        Args:
            free: Unconstrained numbers [p].
            offset: Added to the predictions of the mean field [z].
        """
        z = self._predict(self._solved(free), free) + offset
        parts = [z[a:b] for a, b in zip(self.cuts[:-1], self.cuts[1:], strict=True)]
        loss = sum(term.likelihood.loss(part) for term, part in zip(self.terms, parts, strict=True))
        # derivative of the scaled values by the unconstrained numbers, but for a constant
        jacobian = jnp.sum(jax.nn.log_sigmoid(free) + jax.nn.log_sigmoid(-free))
        return jacobian - loss - self.parameters.prior(free)

    def gradient(self, z: np.ndarray, slope: np.ndarray, free: np.ndarray) -> np.ndarray:
        """Gradient of the loss by the unconstrained parameters [p], by the chain rule through z."""
        by_z = np.concatenate(
            [term.likelihood.slope(part) for term, part in zip(self.terms, self.parts(z), strict=True)]
        )
        return slope.T @ by_z + self._prior(free)[1]

    def information(
        self, z: np.ndarray, slope: np.ndarray, free: np.ndarray, *, prior: bool = True
    ) -> np.ndarray:
        """Fisher information about the unconstrained parameters [p, p], the prior's included by default."""
        total = np.diag(self.parameters.prior_precision(free)) if prior else np.zeros((free.size, free.size))
        for term, part, a, b in zip(self.terms, self.parts(z), self.cuts[:-1], self.cuts[1:], strict=True):
            total = total + slope[a:b].T @ term.likelihood.information(part) @ slope[a:b]
        return total

    def _prior(self, free: np.ndarray) -> tuple[float, np.ndarray]:
        if not np.isfinite(self.parameters.prior_sd).any():
            return 0.0, np.zeros(free.size)
        with jax.enable_x64(True):
            value, slope = jax.value_and_grad(self.parameters.prior)(jnp.asarray(free, jnp.float64))
            return float(value), np.asarray(slope)


def _refuse_unsaid(terms: Sequence[Term], known: Sequence[str]) -> None:
    """Refuse data sets that need a parameter of release or recording which nobody gave.

    Raises:
        ValidationError: Naming it.
    """
    for term in terms:
        for name in term.needs:
            if name not in known:
                hint = f"as {term.name} needs it; add it to fit.free with a start, or give fit.fixed.{name}"
                raise ValidationError(name, "neither free nor known", "one of them", hint)


@dataclass(frozen=True)
class _Solution:
    """What decides a solution of the mean field, compared by its key."""

    key: tuple[Any, ...]
    synapse: Synapse = field(compare=False)
    parameters: Parameters = field(compare=False)
    conditions: tuple[Condition, ...] = field(compare=False)
    fixed: dict[str, float] = field(compare=False)
    grid: Grid = field(compare=False)


def _programs(problem: Problem) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """Compiled mean-field solutions, and solutions with derivatives, of all conditions.

    They do not depend on the data, so that fits of other data with the same parameters share them.
    """
    p = problem.parameters
    key = (
        json.dumps(describe(problem.synapse), sort_keys=True), problem.conditions, p.names,
        tuple(values.tobytes() for values in (p.low, p.high, p.logarithmic)),
        tuple(sorted(problem.fixed.items())), problem.grid,
    )  # fmt: skip
    return _compiled(
        _Solution(key, problem.synapse, p, problem.conditions, dict(problem.fixed), problem.grid)
    )


@functools.lru_cache(maxsize=8)
def _compiled(of: _Solution) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    def solved(free: Any) -> dict[Condition, Quanta]:
        values = of.fixed | of.parameters.named(of.parameters.values(free))
        return {c: quanta(of.synapse, c, values, of.grid) for c in of.conditions}

    def with_slope(free: Any) -> tuple[Any, Any]:
        # forward mode: one solution carries the derivatives by all parameters
        along = jax.vmap(lambda direction: jax.jvp(solved, (free,), (direction,))[1])
        return solved(free), along(jnp.eye(of.parameters.count))

    return jax.jit(solved), jax.jit(with_slope)
