"""Scores: how the logarithm of the probability of what a simulation did changes with the free parameters.

What a patch did hangs on the parameters through

- sites: a transition of rate q_k in state i adds d log q_k, and time t spent in state i takes t d(sum of q_k);
- binding: attempts come at the fastest rate of a plane, R. A journey adds (d log f / d log R) d log R, f the density
  of its end; an attempt that binds with rate q_k adds d log (q_k / R), one turned down by a state that binds with K
  takes p / (1 - p) d log (K / R), p = K / R;
- sites at rest under a bath: a site found in a state of probability pi adds d log pi;
- content: the lognormal density of each vesicle's number of molecules;
- densities: sites that stand at random on a denser lattice, L of N tiles live, each with the chance p, add
  (L - N p) / (1 - p) d log p.

The kernel keeps counts, times and journeys of each vesicle up to each record (`kernel.host.scores`); so the scores
of all parameters follow from one run. Parameters that only scale the current are followed along the path instead.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from nmjmc.errors import ValidationError
from nmjmc.fitting.parameters import EXTRA, with_values
from nmjmc.fitting.problem import Problem
from nmjmc.fitting.quanta import Condition
from nmjmc.kernel.host.scores import Statistics
from nmjmc.kernel.physics import joint_scheme
from nmjmc.synapse.model import Synapse

STEP = 1e-4
"""Of an unconstrained parameter, for central differences of the law in float64: exact to about 1e-8."""

_SCORED = (
    "receptor.rates", "receptor.bath", "receptor.density", "esterase.rates", "esterase.density",
    "esterase.active_fraction",
)  # fmt: skip
_HARMLESS = (
    "receptor.q10", "receptor.reference", "receptor.closing_voltage", "receptor.channel_conductance", "temperature",
    "receptor.reversal_potential", "esterase.q10", "esterase.reference", "fibre", "cleft.reference",
    "cleft.diffusion_q10", "vesicle.content",
)  # fmt: skip


class Law(NamedTuple):
    """What the probability of a patch's doings hangs on.

    Attributes:
        rates: Of each transition, receptor first [k]: um^3/ms where it binds transmitter, else 1/ms.
        sources: State that each leaves, esterase states after those of the receptor [k].
        binds: Whether each binds transmitter [k].
        resting: Probability of each state of a site at rest [s].
        receptors: Number of the receptor's states.
        current: Current of one fully open channel [nA].
        content: Mean and log SD of the vesicle's content.
        density: Of receptors and of active esterases [1/um^2].
        others: Everything else by path, which no score follows.
    """

    rates: np.ndarray
    sources: np.ndarray
    binds: np.ndarray
    resting: np.ndarray
    receptors: int
    current: float
    content: tuple[float, float]
    density: np.ndarray
    others: dict[str, np.ndarray]

    @property
    def binding(self) -> np.ndarray:
        """Binding rate of each state [s]."""
        return np.bincount(self.sources[self.binds], self.rates[self.binds], self.resting.size)

    @property
    def leaving(self) -> np.ndarray:
        """Rate at which each state is left without binding [s]."""
        own = ~self.binds
        return np.bincount(self.sources[own], self.rates[own], self.resting.size)


class Run(NamedTuple):
    """What a simulation leaves for its scores.

    Attributes:
        statistics: From the kernel.
        contents: Molecules of each vesicle [v, sites].
        times: When each is released [sites] [ms].
        time: Of the records [t] [ms].
    """

    statistics: Statistics
    contents: np.ndarray
    times: np.ndarray
    time: np.ndarray


def plain(synapse: Synapse) -> Synapse:
    """The synapse with float64 numbers of the host."""
    return jax.tree.map(lambda x: np.asarray(x, np.float64), synapse)


def law(synapse: Synapse) -> Law:
    """The law of what a synapse does."""
    warm = plain(synapse).effective()
    receptor, esterase = warm.receptor, warm.esterase
    states = len(receptor.scheme.states)
    own = joint_scheme.arrows(receptor.scheme, receptor.rates, receptor.bath, 0)
    joint = own + joint_scheme.arrows(esterase.scheme, esterase.rates, {}, states)
    drive = float(warm.fibre.holding_potential) - float(receptor.reversal_potential)
    cv = float(warm.vesicle.content_cv)
    by_name = {
        jax.tree_util.keystr(path, simple=True, separator="."): np.asarray(leaf, np.float64)
        for path, leaf in jax.tree_util.tree_flatten_with_path(warm)[0]
    }
    return Law(
        np.array([a.rate for a in joint]),
        np.array([a.source for a in joint]),
        np.array([a.binds for a in joint]),
        joint_scheme.resting(warm, own).sum(axis=0),
        states,
        float(receptor.channel_conductance) * drive,
        (float(warm.vesicle.content_mean), float(np.sqrt(np.log1p(cv * cv)))),
        np.array([float(receptor.density), float(esterase.density) * float(esterase.active_fraction)]),
        {name: value for name, value in by_name.items() if not name.startswith((*_SCORED, *_HARMLESS))},
    )


class Scores(NamedTuple):
    """Scores of the free parameters and what is followed along the path.

    Attributes:
        chemistry: Scores of what followed from rates [p, v, t].
        content: Scores of the contents drawn [p, v, t].
        current: Derivative of the log of a channel's current by the unconstrained parameters [p].
    """

    chemistry: Float[np.ndarray, "p v t"]
    content: Float[np.ndarray, "p v t"]
    current: Float[np.ndarray, " p"]


def scores(problem: Problem, condition: Condition, free: np.ndarray, run: Run) -> Scores:
    """Scores of a simulation under a condition by the unconstrained parameters.

    Args:
        problem: Names the parameters.
        condition: Under which it was run.
        free: The unconstrained parameters with which it was run [p].
        run: What it left.

    Raises:
        ValidationError: For a parameter that has no score.
    """
    middle = law(changed(problem, condition, free))
    rows = []
    for name, step in zip(problem.parameters.names, STEP * np.eye(free.size), strict=True):
        sides = [law(changed(problem, condition, free + sign * step)) for sign in (1.0, -1.0)]
        _refuse_unscored(name, *sides)
        rows.append(_row(name, middle, sides[0], sides[1], run))
    chemistry, content, current = (np.stack(column) for column in zip(*rows, strict=True))
    return Scores(chemistry, content, current)


def changed(problem: Problem, condition: Condition, free: np.ndarray) -> Synapse:
    """The synapse under a condition at unconstrained parameters."""
    values = {name: np.float64(v) for name, v in problem.values(free).items() if name not in EXTRA}
    return with_values(condition.of(problem.synapse), values)


def _refuse_unscored(name: str, up: Law, down: Law) -> None:
    """Refuse a parameter that acts through something whose probability is not known."""
    for path, value in up.others.items():
        other = down.others[path]
        if not np.allclose(value, other, rtol=1e-9, atol=0.0, equal_nan=True):
            hint = "estimator=common_random_numbers serves geometry, diffusion and placement"
            raise ValidationError("fit.free", name, f"without effect on {path} for the score function", hint)


def _row(name: str, at: Law, up: Law, down: Law, run: Run) -> tuple[np.ndarray, np.ndarray, Any]:
    """Scores of one parameter [v, t], and the derivative of the log of the current."""

    def slope(values: str) -> Any:
        return (getattr(up, values) - getattr(down, values)) / (2 * STEP)

    statistics = run.statistics
    relative = _over(slope("rates"), at.rates)
    by_density = _over(slope("density"), at.density)
    _refuse_lattice(name, by_density, statistics)
    fastest, chance = _majorants(at, slope("binding"), statistics)
    plane = (np.arange(at.resting.size) >= at.receptors).astype(int)
    by_transition = relative - np.where(at.binds, fastest[plane[at.sources]], 0.0)
    by_rejection = _over(slope("binding"), at.binding) - np.where(at.binding > 0, fastest[plane], 0.0)
    odds = np.where(chance < 1.0, chance / np.where(chance < 1.0, 1.0 - chance, 1.0), 0.0)
    found = (
        statistics.transitions @ by_transition
        - statistics.rejected @ (odds * by_rejection)
        - statistics.dwell @ slope("leaving")
        + statistics.journeys @ fastest
    )
    found = found + (statistics.placement @ by_density)[:, None]
    if np.count_nonzero(at.resting) > 2:  # else every site of a plane rests in one state
        found = found + (statistics.start @ _over(slope("resting"), at.resting))[:, None]
    return found, _content(name, at, up, down, run), _over(slope("current"), np.asarray(at.current))


def dilution(problem: Problem, free: np.ndarray) -> tuple[float, float]:
    """Tiles for each receptor and for each esterase with which to simulate: two where their density is free.

    Raises:
        ValidationError: For a parameter that has no score; nothing has been simulated then.
    """
    numbers = np.ones(2)
    for condition in problem.conditions:
        for name, step in zip(problem.parameters.names, STEP * np.eye(free.size), strict=True):
            up, down = (law(changed(problem, condition, free + s * step)) for s in (1.0, -1.0))
            _refuse_unscored(name, up, down)
            numbers = np.where(up.density != down.density, 2.0, numbers)
    return float(numbers[0]), float(numbers[1])


def _refuse_lattice(name: str, by_density: np.ndarray, statistics: Statistics) -> None:
    """Refuse a density of sites that do not stand at random."""
    if (by_density[statistics.placement.std(axis=0) == 0.0] != 0.0).any():
        raise ValidationError("fit.free", name, "simulated with a dilution above 1 for the score function")


def _over(slope: Any, value: Any) -> np.ndarray:
    """Derivative of a logarithm; zero where the number is zero and stays so."""
    return np.where(value != 0.0, slope / np.where(value != 0.0, value, 1.0), 0.0)


def _majorants(at: Law, slope: np.ndarray, statistics: Statistics) -> tuple[np.ndarray, np.ndarray]:
    """Derivative of the log of each plane's fastest rate [2], and the chance of acceptance of each state [s]."""
    fastest, chance = np.zeros(2), np.zeros(at.resting.size)
    cuts = (0, at.receptors, at.resting.size)
    for plane, found in enumerate(statistics.majorants):
        state, own = cuts[plane] + found.state, slice(cuts[plane], cuts[plane + 1])
        top = at.binding[state]
        if top > 0:
            fastest[plane] = slope[state] / top
            chance[own] = at.binding[own] / (top * found.headroom)
    return fastest, chance


def _content(name: str, at: Law, up: Law, down: Law, run: Run) -> np.ndarray:
    """Score of the contents [v, t]: of each vesicle from its release on.

    With log n = log m - w^2/2 + w z and z normal, the derivatives of the log density are z/w by log m and
    (z^2 - 1)/w - z by w.

    Raises:
        ValidationError: If all vesicles are alike, so that their content has no density.
    """
    mean, width = at.content
    by_mean = (np.log(up.content[0]) - np.log(down.content[0])) / (2 * STEP)
    by_width = (up.content[1] - down.content[1]) / (2 * STEP)
    if by_mean == 0.0 and by_width == 0.0:
        return np.zeros((len(run.contents), run.time.size))
    if width == 0.0:
        hint = "estimator=common_random_numbers serves vesicles that are all alike"
        raise ValidationError("fit.free", name, "used with vesicle.content_cv above 0", hint)
    z = (np.log(np.maximum(run.contents, 0.5) / mean) + 0.5 * width**2) / width
    each = by_mean * z / width + by_width * ((z**2 - 1.0) / width - z)
    return each @ (run.times[:, None] <= run.time[None, :] + 1e-12).astype(float)


def weights(found: Scores, contents: np.ndarray) -> Float[np.ndarray, "p v t"]:
    """Weights w such that sum_v w[p, v, t] M[v, t] is the derivative of the mean of M(t), for all that is known at t.

    A baseline is taken from M that does not know the vesicle itself: for rates a parabola in the vesicle's content,
    fitted to all the others; for the content their mean. So the mean of the derivative stays the same and its
    variance falls.

    Args:
        found: The scores.
        contents: Molecules of each patch [v].
    """
    size = contents / contents.mean() - 1.0
    parabola = size[:, None] ** np.arange(3) if np.ptp(contents) > 0 else np.ones((size.size, 1))
    chemistry = _without_baseline(found.chemistry, parabola)
    return chemistry + _without_baseline(found.content, np.ones((size.size, 1)))


def _without_baseline(score: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Scores [p, v, t] as weights of values from which the leave-one-out fit of a basis [v, b] is taken."""
    q, size, _ = np.linalg.svd(basis, full_matrices=False)
    q = q[:, size > 1e-6 * size[0]]
    alone = score / (1.0 - (q**2).sum(axis=1))[None, :, None]
    return (alone - np.einsum("vb,pbt->pvt", q, np.einsum("vb,pvt->pbt", q, alone))) / len(basis)
