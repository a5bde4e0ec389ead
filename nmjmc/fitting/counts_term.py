"""Counts of quanta: how many trials had 0, 1, 2 ... of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nmjmc.analysis import compound
from nmjmc.analysis.observations import Histogram
from nmjmc.errors import ValidationError
from nmjmc.fitting.quanta import Condition, Quanta
from nmjmc.fitting.terms import HistogramTerm
from nmjmc.numbers import to_array


class CountsTerm(HistogramTerm):
    """Trials by their number of quanta, under Poisson or binomial release; multinomial likelihood."""

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
        if trials.ndim != 1 or trials.size < 2 or trials.min() < 0 or trials[1:].sum() == 0:
            raise ValidationError(
                f"trials of {name}", trials.tolist(), "numbers of trials with 0, 1, 2 ... quanta"
            )
        if release not in ("poisson", "binomial"):
            raise ValidationError(f"release of {name}", repr(release), "poisson or binomial")
        edges = np.arange(trials.size) + 0.5
        found = Histogram(edges, trials[1:].astype(np.int64), int(trials[0]), "quanta")
        super().__init__(name, found, condition, release=release, most=max(60, 2 * trials.size))
        self.labels = tuple(f"{k} quanta" for k in range(trials.size))

    def predict(self, quanta: Quanta, values: Mapping[str, Any]) -> Float[Array, " z"]:
        if self.release == "poisson":
            number = compound.poisson(values["release.quantal_content"], self.most)
        else:
            number = compound.binomial(values["release.sites"], values["release.probability"], self.most)
        return jnp.asarray(number)[: self.data.size]

    def from_events(
        self, time: np.ndarray, currents: np.ndarray, values: Mapping[str, float], channel: float = 0.0
    ) -> np.ndarray:
        none = jnp.zeros(1)
        empty = Quanta(none, none[None, :], none, none, jnp.zeros(()))
        return np.asarray(self.predict(empty, values))
