"""Counts of quanta: how many trials had 0, 1, 2 ... of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nmjmc.errors import ValidationError
from nmjmc.fitting.histogram_term import NEEDS, numbers_of_quanta
from nmjmc.fitting.likelihood import Multinomial
from nmjmc.fitting.quanta import Condition, Quanta
from nmjmc.fitting.terms import Term
from nmjmc.numbers import to_array


class CountsTerm(Term):
    """Trials by their number of quanta, under Poisson or binomial release; multinomial likelihood.

    Attributes:
        release: `poisson` or `binomial`.
        most: Largest number of quanta that is reckoned with.
    """

    def __init__(
        self, name: str, trials: np.ndarray, condition: Condition, *, release: str = "poisson"
    ) -> None:
        """Compare counts of quanta.

        Args:
            name: Of the data set.
            trials: With 0, 1, 2 ... quanta [k].
            condition: What was done.
            release: `poisson` with `release.quantal_content`, or `binomial` with `release.sites` and
                `release.probability`.

        Raises:
            ValidationError: For fewer than two counts, no trial, or a negative number.
        """
        trials = to_array(trials, "", f"trials of {name}")
        is_whole = bool((trials == np.round(trials)).all())
        if trials.ndim != 1 or trials.size < 2 or trials.min() < 0 or trials[1:].sum() == 0 or not is_whole:
            raise ValidationError(
                f"trials of {name}", trials.tolist(), "numbers of trials with 0, 1, 2 ... quanta"
            )
        if release not in ("poisson", "binomial"):
            raise ValidationError(f"release of {name}", repr(release), "poisson or binomial")
        self.name, self.condition, self.release = name, condition, release
        self.needs, self.most = NEEDS[release], max(60, 2 * trials.size)
        self.likelihood = Multinomial(trials)
        self.labels = tuple(f"{k} quanta" for k in range(trials.size))

    def predict(self, quanta: Quanta, values: Mapping[str, Any]) -> Float[Array, " z"]:
        return jnp.asarray(numbers_of_quanta(self.release, values, self.most))[: self.data.size]

    def from_events(
        self, time: np.ndarray, currents: np.ndarray, values: Mapping[str, float], channel: float = 0.0
    ) -> np.ndarray:
        return np.asarray(numbers_of_quanta(self.release, values, self.most))[: self.data.size]
