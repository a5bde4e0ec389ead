"""A fit before it is made: data read, parameters checked, and in words what would be fitted between which bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nmjmc.errors import ValidationError, nearest
from nmjmc.fitting.datasets import DataSets
from nmjmc.fitting.datasets.given import Data, datasets_of
from nmjmc.fitting.estimators import CorrectedEstimator, Estimator, MeanFieldEstimator, choose
from nmjmc.fitting.parameters import Parameters, extra_value, free_parameters
from nmjmc.fitting.posterior import refuse_missing_sampler
from nmjmc.fitting.problem import Problem
from nmjmc.fitting.reach import data_span, model_span
from nmjmc.fitting.request import FitRequest
from nmjmc.fitting.terms import Term
from nmjmc.synapse.build import describe
from nmjmc.synapse.model import Synapse
from nmjmc.units import to_text


@dataclass(frozen=True, eq=False, repr=False)
class FitPlan:
    """All that a fit needs, read and checked; nothing is compiled yet.

    Attributes:
        synapse: Before the fit.
        request: The settings.
        data: The data sets.
        described: What was said of them, as plain values.
        problem: What is fitted to what.
        estimator: With which the fit begins.
        why: Why that one, with its bias.
        profiles: Parameters whose profile is wanted.
        is_own: Whether the estimator is one of the caller's own.
    """

    synapse: Synapse
    request: FitRequest
    data: DataSets
    described: Mapping[str, Any]
    problem: Problem
    estimator: Estimator
    why: str
    profiles: tuple[str, ...]
    is_own: bool = False

    @property
    def is_auto(self) -> bool:
        """Whether the estimator is chosen by what the data know."""
        return self.request.estimator == "auto" and not self.is_own

    @property
    def parameters(self) -> Parameters:
        """The free ones."""
        return self.problem.parameters

    def config(self) -> dict[str, Any]:
        """The whole config with nothing left to defaults."""
        asked = self.request
        return {
            "data": dict(self.described), "fit": asked.section(), "seed": asked.seed, "device": asked.device,
            "cache": asked.cache, "progress": asked.progress, "resume": False, "dry_run": False,
            **describe(self.synapse),
        }  # fmt: skip

    def sentences(self) -> dict[str, str]:
        """What would be fitted, as names and sentences."""
        told = {f"data {term.name}": self._of_term(term) for term in self.data.terms}
        told |= {f"free {n}": self._of_parameter(i) for i, n in enumerate(self.parameters.names)}
        told["estimator"] = self.why
        if self.is_auto and isinstance(self.estimator, MeanFieldEstimator):
            told["estimator"] += (
                "; it goes on to corrected where the data know a parameter better than that bias"
            )
        return told | {f"note {number}": remark for number, remark in enumerate(self.data.remarks, 1)}

    def _of_term(self, term: Term) -> str:
        changes = ", ".join(f"{path} = {value}" for path, value in term.condition.changes)
        kind = self.data.kinds.get(term.name, type(term).__name__)
        note = self.data.notes.get(term.name, "as given")
        return (
            f"{kind}: {note}; {term.data.size} numbers, {term.condition.duration:g} ms, "
            f"{changes or 'as the preparation'}{self._spans(term)}"
        )

    def _spans(self, term: Term) -> str:
        """Where the amplitudes of a data set lie, and a bound on those of the model."""
        data = data_span(term)
        if data is None:
            return ""
        known = {name: extra_value(name, value) for name, value in self.request.fixed.items()}
        model = model_span(self.synapse, term, self.parameters, known)
        bound = f"; the model can give {model} within the bounds" if model is not None else ""
        return f"; data at {data}{bound}"

    def _of_parameter(self, index: int) -> str:
        p, unit = self.parameters, self.parameters.units[index]
        start, low, high = (to_text(float(v[index]), unit, 4) for v in (p.start, p.low, p.high))
        prior, mean, sd = "", p.prior_mean[index], p.prior_sd[index]
        if math.isfinite(sd) and p.logarithmic[index]:
            prior = f", prior {to_text(math.exp(mean), unit, 4)} within a factor of {math.exp(sd):.3g}"
        elif math.isfinite(sd):
            prior = f", prior {mean:.4g} with SD {sd:.3g}"
        return f"from {start}, within {low} to {high}{prior}"

    def __str__(self) -> str:
        told = self.sentences()
        width = max(map(len, told))
        return "\n".join(f"{name.ljust(width)}  {sentence}" for name, sentence in told.items())

    __repr__ = __str__


def plan_fit(
    synapse: Synapse, data: Data, request: FitRequest, estimator: Estimator | None = None
) -> FitPlan:
    """Read the data and check everything, before anything is compiled.

    Args:
        synapse: Where the fit begins, and all that is not free.
        data: As for `nmjmc.fit`.
        request: The settings.
        estimator: One of a caller's own in the place of the one that the request names.

    Raises:
        ValidationError: For whatever cannot be right.
    """
    if not isinstance(synapse, Synapse):
        named = synapse if isinstance(synapse, str) else "human"
        raise ValidationError(
            "synapse", repr(synapse)[:60], "a Synapse", f'for example nmjmc.preparation("{named}")'
        )
    parameters = free_parameters(synapse, request.free, request.fixed)
    profiles = _profiled(parameters.names, request.profiles)
    chosen, why = choose(estimator or request.estimator, synapse, request.vesicles, request.seed)
    _refuse_posterior(chosen, request.posterior)
    sets, described = datasets_of(data, synapse)
    problem = Problem(synapse, sets.terms, parameters, request.fixed, request.resolution)
    return FitPlan(synapse, request, sets, described, problem, chosen, why, profiles, estimator is not None)


def _profiled(names: tuple[str, ...], wanted: list[str] | str) -> tuple[str, ...]:
    """Parameters whose profile is wanted.

    Raises:
        ValidationError: If one of them is not free.
    """
    if wanted == "all":
        return names
    for name in wanted:
        if name not in names:
            raise ValidationError("fit.profiles", repr(name), "all, or free parameters", nearest(name, names))
    return tuple(wanted)


def _refuse_posterior(estimator: Estimator, draws: int) -> None:
    """Refuse draws from a posterior that cannot be had.

    Raises:
        ValidationError: If the mean field does not solve the synapse, or the sampler is not installed.
    """
    if not draws:
        return
    refuse_missing_sampler()
    if not isinstance(estimator, MeanFieldEstimator | CorrectedEstimator):
        allowed = "0, as the sampler needs the mean field"
        raise ValidationError("fit.posterior", f"{draws} with {estimator.name}", allowed)
