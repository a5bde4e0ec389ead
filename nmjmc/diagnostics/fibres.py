"""A muscle of many fibres that differ, as a recording electrode sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Float

from nmjmc.carried import Number
from nmjmc.diagnostics.finding import Row
from nmjmc.diagnostics.intervals import of_share
from nmjmc.junction.bank import Bank
from nmjmc.junction.muscle import Muscle
from nmjmc.junction.pools import rows
from nmjmc.junction.response import STUCK
from nmjmc.junction.spread import Spread as Spread
from nmjmc.junction.steady import depolarised
from nmjmc.junction.terminal import Terminal
from nmjmc.junction.whole import Evoked, Junction, bank_for, evoke
from nmjmc.numbers import whole_number

MOST_FIBRES = 100_000
RADIUS = -0.54
"""Power of the input resistance with which the radius goes: R_in goes as r^-1.5 (1 + gamma)^-0.5, some r^-1.86 [C]."""
TOLD = 0.05
"""Share of the fibres on a plateau from which it is told what that means; a choice."""


@dataclass(frozen=True)
class Fibres:
    """A muscle.

    Attributes:
        terminals, muscles: one a row.
        quantum: factor on the quantal conductance [v].
        delay: conduction time from the stimulus and to the electrode [v] [ms].
    """

    terminals: Terminal
    muscles: Muscle
    quantum: Float[np.ndarray, " v"]
    delay: Float[np.ndarray, " v"]


def fibres_of(junction: Junction, count: Number, seed: int = 0, spread: Spread | None = None) -> Fibres:
    """Fibres around a junction; the same seed gives the same fibres whatever their disease.

    Args:
        junction: The junction.
        count: How many fibres.
        seed: Seed.
        spread: How much they differ, where not as the junction says.

    Raises:
        ValidationError: If there is not a single fibre, or there are too many.
    """
    count = whole_number(count, "fibres", 1, MOST_FIBRES)
    spread = spread or junction.spread
    generator = np.random.default_rng(seed)
    quantum, release, resistance = (
        np.exp(cv * generator.standard_normal(count) - 0.5 * cv**2).astype(np.float32)
        for cv in (spread.quantum, spread.release, spread.resistance)
    )
    terminals, muscles = rows(junction.terminal, count), rows(junction.muscle, count)
    young = np.random.default_rng((seed, 1)).uniform(size=count) < float(spread.immature)
    quantum = np.where(young, quantum * float(spread.immature_quantum), quantum).astype(np.float32)
    zones = np.where(young, float(spread.immature_release), 1.0).astype(np.float32)
    terminals = eqx.tree_at(lambda t: t.zone_fraction, terminals, terminals.zone_fraction * zones)
    terminals = eqx.tree_at(lambda t: t.sensor_binding, terminals, terminals.sensor_binding * release)
    muscles = eqx.tree_at(lambda m: m.radius, muscles, muscles.radius * resistance**RADIUS)
    if junction.steady is not None:
        open_bath, resting, mean = junction.steady
        reversal = float(junction.synapse.receptor.reversal_potential)
        rest = depolarised(resting, mean * resistance, open_bath * quantum, reversal)
        muscles = eqx.tree_at(lambda m: m.resting_potential, muscles, rest.astype(np.float32))
    conduction = float(spread.conduction)
    delay = conduction * (4.0 + generator.standard_normal(count).clip(-3, 3))
    return Fibres(terminals, muscles, quantum, delay)


def stimulate(
    junction: Junction,
    times: Any,
    fibres: Fibres,
    seed: int = 0,
    bank: Bank | None = None,
    before: Any = None,
) -> Evoked:
    """The answer of a muscle's fibres to a train, through the whole chain; `before` as for `evoke`."""
    return evoke(
        junction, times, fibres.quantum.size, seed, bank=bank or bank_for(junction, seed=seed),
        terminals=fibres.terminals, muscles=fibres.muscles, scale=fibres.quantum, before=before,
    )  # fmt: skip


def plateau(depolarised: np.ndarray, what: str) -> tuple[Row, str]:
    """A row for the fibres that are still on a plateau when a later stimulus comes, and what that means.

    Args:
        depolarised: Of each fibre at each stimulus [v k].
        what: What the fibres are, with their number.

    Returns:
        The row, and a sentence that begins with a space; empty where few stay depolarised.
    """
    row = of_share("fibres still depolarised at a later stimulus", depolarised.any(axis=1), what)
    if not row.value > 100 * TOLD:
        return row, ""
    return row, (
        f" {row.value:.0f} % of the fibres are still depolarised by more than {STUCK:g} mV when a later stimulus comes:"
        " their endplate current, or what their sodium channels let in, outlasts the interval, and later stimuli meet "
        "inactivated sodium channels: a depolarisation block (docs/junction.md)."
    )
