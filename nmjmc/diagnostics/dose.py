"""Dose and response: single stimuli at rest under rising doses of one drug, with what the drug occupies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import equinox as eqx
import numpy as np
from jaxtyping import Float

from nmjmc.carried import Number
from nmjmc.diagnostics.fibres import Fibres, fibres_of, stimulate
from nmjmc.diagnostics.finding import Array, Finding, Row
from nmjmc.diagnostics.intervals import of_mean, of_replicates, of_shares, resamples, wilson
from nmjmc.diagnostics.tof import in_words, methods_in_words
from nmjmc.errors import ValidationError
from nmjmc.junction.bank import Bank
from nmjmc.junction.modifier import Change
from nmjmc.junction.occupancy import receptor_occupancy
from nmjmc.junction.stimulus import train
from nmjmc.junction.whole import Evoked, Junction, bank_for
from nmjmc.numbers import to_array

BEGINS, COMPLETE = 0.95, 0.05
"""Shares of the fibres that still fire where block begins and where it is nearly complete; choices."""


@dataclass(frozen=True)
class DoseResponse:
    """Responses of fibres [v] to single stimuli [r] under doses [d].

    Attributes:
        dose: [d] [uM].
        occupancy: part of the receptors that a blocker keeps out of use [d].
        inhibition: part of the esterase that is inhibited [d].
        fired: [d v r].
        potential: endplate potential, the sodium channels blocked [d v r] [mV].
        quanta: quantal content [d v r].
        method: how quanta became a current.
    """

    dose: Float[np.ndarray, " d"]
    occupancy: Float[np.ndarray, " d"]
    inhibition: Float[np.ndarray, " d"]
    fired: np.ndarray
    potential: Float[np.ndarray, "d v r"]
    quanta: np.ndarray
    method: str = "superposed"


def dose_response(
    junction: Junction,
    agent: Callable[[float], Change],
    doses: Sequence[Number] | np.ndarray,
    fibres: int = 100,
    stimuli: int = 3,
    seed: int = 0,
    *,
    bank_of: Callable[[Junction], Bank] | None = None,
) -> DoseResponse:
    """Stimuli at 0.1 Hz under each dose; the same fibres under every one.

    Args:
        junction: The junction without the drug.
        agent: The drug by its dose [uM], for example `lambda c: drug("rocuronium", c)`.
        doses: Rising, uM or texts with a unit.
        fibres: How many.
        stimuli: How many at each dose.
        seed: Seed.
        bank_of: Gives the quanta of a junction, in place of simulating 24.

    Raises:
        ValidationError: For doses that do not rise.
    """
    given = np.atleast_1d(to_array(doses, "uM", "doses"))
    if given.size < 1 or (np.diff(given) <= 0).any():
        raise ValidationError("doses", [f"{d:g} uM" for d in given], "rising", "sort the doses")
    quanta_of = bank_of or (lambda treated: bank_for(treated, 24, seed))
    times = train("0.1 Hz", stimuli)
    found, methods = [], []
    for dose in given:
        treated = agent(float(dose))(junction)
        bank, muscle = quanta_of(treated), fibres_of(treated, fibres, seed)
        evoked = stimulate(treated, times, muscle, seed, bank)
        quiet = stimulate(treated, times, without_sodium(muscle), seed, bank)
        inhibited = 1.0 - float(treated.synapse.esterase.active_fraction)
        found.append(
            (
                receptor_occupancy(treated),
                inhibited,
                evoked.response.spikes > 0,
                amplitudes(quiet),
                evoked.release.quanta,
            )
        )
        methods.append(evoked.method)
    occupancy, inhibition, fired, potential, quanta = (
        np.asarray(column) for column in zip(*found, strict=True)
    )
    return DoseResponse(given, occupancy, inhibition, fired, potential, quanta, methods_in_words(methods))


def without_sodium(fibres: Fibres) -> Fibres:
    """The same fibres with their sodium channels blocked, as a mu-conotoxin does."""
    muscles = eqx.tree_at(
        lambda m: m.sodium_conductance, fibres.muscles, 0.0 * fibres.muscles.sodium_conductance
    )
    return Fibres(fibres.terminals, muscles, fibres.quantum, fibres.delay)


def amplitudes(evoked: Evoked) -> Float[np.ndarray, "v k"]:
    """Peak of each endplate potential above where it began [mV]."""
    course = np.asarray(evoked.response.course.endplate)
    return course.max(axis=-1) - course[..., 0]


def finding(responses: DoseResponse, agent: str) -> Finding:
    """Numbers, arrays and meaning of a dose-response experiment."""
    count = responses.fired.shape[1]
    what, drawn = f"{count} fibres", resamples(count)
    rows = []
    for d, dose in enumerate(responses.dose):
        rows.append(of_shares(f"fibres that fire at {in_words(dose)}", responses.fired[d].mean(axis=1), what))
        potential = responses.potential[d].mean(axis=1)
        rows.append(of_mean(f"endplate potential at {in_words(dose)}", "mV", potential, what))
    each = responses.fired.mean(axis=2)
    share, again = each.mean(axis=1), np.einsum("bv,dv->bd", drawn, each)
    unit, factor = ("nM", 1e3) if responses.dose.max() < 1 else ("uM", 1.0)
    doses = [
        _crossing(name, level, unit, factor * responses.dose, share, again, what) for name, level in _LEVELS
    ]
    seen = [
        _crossing(name, level, "%", 100 * responses.occupancy, share, again, what) for name, level in _LEVELS
    ]
    rows += [row for row in (*doses, *(seen if responses.occupancy.any() else ())) if np.isfinite(row.value)]
    low, high = np.asarray([wilson(float(own.sum()), count)[1:] for own in each]).T
    arrays = _arrays(responses, share, low, high, agent)
    facts = {
        "agent": agent, "fibres": count, "stimuli": responses.fired.shape[2], "quanta_were": responses.method,
        "limits": {"block begins": BEGINS, "block nearly complete": COMPLETE},
    }  # fmt: skip
    return Finding(
        "dose_response", tuple(rows), _meaning(responses, agent, share, doses, seen), arrays, facts
    )


_LEVELS = (("block begins", BEGINS), ("half of the fibres fail", 0.5), ("block nearly complete", COMPLETE))


def _crossing(
    name: str, level: float, unit: str, x: np.ndarray, share: np.ndarray, again: np.ndarray, what: str
) -> Row:
    """Where the share of fibres that fire falls through a level, by straight lines between doses."""
    title = f"{'occupancy' if unit == '%' else 'dose'} where {name}"
    value = crossing(x, share, level)
    return of_replicates(title, unit, value, [crossing(x, row, level) for row in again], what)


def crossing(x: Float[np.ndarray, " d"], share: Float[np.ndarray, " d"], level: float) -> float:
    """Where a falling share first passes a level; NaN if it never does, or lies below it from the start."""
    below = np.flatnonzero(share < level)
    if not below.size or below[0] == 0:
        return float("nan")
    k = below[0]
    part = (share[k - 1] - level) / (share[k - 1] - share[k])
    return float(x[k - 1] + part * (x[k] - x[k - 1]))


def _arrays(
    responses: DoseResponse, share: np.ndarray, low: np.ndarray, high: np.ndarray, agent: str
) -> dict[str, Array]:
    d, every = "dose", ("dose", "fibre", "stimulus")
    return {
        "dose": Array((d,), responses.dose, "uM", f"concentration of {agent}"),
        "occupancy": Array((d,), responses.occupancy, "1", "receptors with a blocker at one site or both"),
        "inhibition": Array((d,), responses.inhibition, "1", "esterase inhibited"),
        "share": Array((d,), share, "1", "share of the fibres that fire"),
        "share_low": Array((d,), low, "1", "lower end of its 95 % interval"),
        "share_high": Array((d,), high, "1", "upper end"),
        "fired": Array(every, responses.fired.astype(np.int8), "1", "whether the fibre fired"),
        "potential": Array(every, responses.potential, "mV", "endplate potential, sodium channels blocked"),
        "quantal_content": Array(every, responses.quanta, "1", "quantal content"),
    }


def _meaning(
    responses: DoseResponse, agent: str, share: np.ndarray, doses: list[Row], seen: list[Row]
) -> str:
    begins, _, complete = doses
    if share[0] < BEGINS:
        ended = f"; block is {_completed(complete, seen[2])}" if np.isfinite(complete.value) else ""
        return f"{_from_the_start(responses.dose, agent, share)}{ended}."
    if not np.isfinite(begins.value):
        return (
            f"{agent.capitalize()} does not make {100 * (1 - BEGINS):.0f} % of the fibres fail up to "
            f"{in_words(responses.dose[-1])}{_change(responses.potential)}."
        )
    at = (
        f" (receptor occupancy {seen[0].value:.0f} %)" if np.isfinite(seen[0].value) and seen[0].value else ""
    )
    sentence = f"Block by {agent} begins at {begins.value:.3g} {begins.unit}{at}"
    if np.isfinite(complete.value):
        return f"{sentence} and is {_completed(complete, seen[2])}."
    return f"{sentence} and is not complete at {in_words(responses.dose[-1])}."


def _from_the_start(dose: np.ndarray, agent: str, share: np.ndarray) -> str:
    """Shares at the lowest and at the highest dose, and between them where they turn, if they begin too low."""
    sentence = (
        f"Fewer than {100 * BEGINS:.0f} % of the fibres fire at the lowest dose already: {100 * share[0]:.0f} % at "
        f"{in_words(dose[0])} of {agent}"
    )
    outside = np.maximum(share - max(share[0], share[-1]), min(share[0], share[-1]) - share)
    turn = int(np.argmax(outside))
    told = [0, *([turn] if outside[turn] > 0 else []), *([share.size - 1] if share.size > 1 else [])]
    for before, now in pairwise(told):
        words = {1: "rising to", 0: "still", -1: "falling to"}[int(np.sign(share[now] - share[before]))]
        sentence += f", {words} {100 * share[now]:.0f} % at {in_words(dose[now])}"
    return sentence


def _completed(dose: Row, occupancy: Row) -> str:
    """At which dose block is nearly complete."""
    at = f" (occupancy {occupancy.value:.0f} %)" if np.isfinite(occupancy.value) and occupancy.value else ""
    return f"nearly complete at {dose.value:.3g} {dose.unit}{at}"


def _change(potential: Float[np.ndarray, "d v r"]) -> str:
    """How the endplate potential changes from the lowest dose to the highest, where there are two."""
    first, last = potential[0].mean(), potential[-1].mean()
    if len(potential) < 2 or not first > 0:
        return ""
    return f"; the endplate potential changes by {100 * (last / first - 1.0):+.0f} %"
