"""Train of four: the fourth twitch over the first, and twitches under drugs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from nmjmc.diagnostics.fibres import fibres_of, stimulate
from nmjmc.diagnostics.finding import Array, Finding, Row
from nmjmc.diagnostics.intervals import of_replicates, of_share, resamples
from nmjmc.errors import ValidationError
from nmjmc.junction.bank import Bank
from nmjmc.junction.modifier import Change
from nmjmc.junction.occupancy import receptor_occupancy
from nmjmc.junction.stimulus import train
from nmjmc.junction.whole import Junction, bank_for

RECOVERED = 0.9
"""T4/T1 below which a block is called residual [M]."""
WEAK = 0.95
"""Share of the fibres below which a first twitch is told to be weakened; a choice."""


@dataclass(frozen=True)
class TrainOfFour:
    """Twitches of a muscle under treatments [d].

    Attributes:
        occupancy: part of the receptors that a blocker keeps out of use [d].
        twitch: share of the fibres that fired at each of four stimuli [d 4].
        fired: whether each fibre fired [d v 4]; empty where it is not known.
        method: how quanta became a current.
    """

    occupancy: Float[np.ndarray, " d"]
    twitch: Float[np.ndarray, "d four"]
    fired: np.ndarray | None = None
    method: str = "superposed"

    @property
    def ratio(self) -> Float[np.ndarray, " d"]:
        """T4/T1; NaN without a first twitch."""
        return ratio_of(self.twitch)


def ratio_of(twitch: Float[np.ndarray, "*d four"]) -> Float[np.ndarray, "*d"]:
    """T4/T1; NaN without a first twitch."""
    first = twitch[..., 0]
    return np.where(first > 0, twitch[..., 3] / np.where(first > 0, first, 1.0), np.nan)


def train_of_four(
    junction: Junction,
    treatments: Sequence[Change],
    fibres: int = 100,
    seed: int = 0,
    quanta: int = 24,
    *,
    bank_of: Callable[[Junction], Bank] | None = None,
) -> TrainOfFour:
    """Four stimuli at 2 Hz under each treatment; the same fibres under every one.

    Args:
        junction: The junction without drugs.
        treatments: For example `[drug("rocuronium", c) for c in (0.05, 0.1)]`.
        fibres: How many.
        seed: Seed.
        quanta: Single quanta simulated for each treatment.
        bank_of: Gives the quanta of a junction, in place of simulating them.

    Raises:
        ValidationError: For no treatment.
    """
    if not len(treatments):
        raise ValidationError("treatments", "empty", "one or more drugs at a dose")
    quanta_of = bank_of or (lambda treated: bank_for(treated, quanta, seed))
    fired, occupancy, methods = [], [], []
    for treatment in treatments:
        treated = treatment(junction)
        muscle = fibres_of(treated, fibres, seed)
        evoked = stimulate(treated, train("2 Hz", 4), muscle, seed, quanta_of(treated))
        fired.append(evoked.response.spikes > 0)
        methods.append(evoked.method)
        occupancy.append(receptor_occupancy(treated))
    every = np.asarray(fired)
    return TrainOfFour(np.asarray(occupancy), every.mean(axis=1), every, methods_in_words(methods))


def methods_in_words(methods: Sequence[str]) -> str:
    """How quanta became a current under rising doses: each way once, in its order."""
    return ", then ".join(dict.fromkeys(methods))


def finding(fours: TrainOfFour, agent: str, doses: Sequence[float]) -> Finding:
    """Numbers, arrays and meaning of trains of four at several doses.

    Args:
        fours: One treatment a dose, with the fibres.
        agent: The drug.
        doses: [uM].
    """
    assert fours.fired is not None
    count = fours.fired.shape[1]
    what, drawn = f"{count} fibres", resamples(count)
    rows, ends = [], []
    for dose, fired in zip(doses, fours.fired, strict=True):
        replicates = ratio_of(np.einsum("bv,vk->bk", drawn, fired.astype(float)))
        value = float(ratio_of(fired.mean(axis=0)))
        rows.append(of_share(f"T1 at {in_words(dose)}", fired[:, 0], what))
        rows.append(of_replicates(f"T4/T1 at {in_words(dose)}", "", value, replicates, what))
        ends.append((rows[-1].low, rows[-1].high))
    low, high = np.asarray(ends).T
    d, k = "dose", "stimulus"
    arrays = {
        "dose": Array((d,), np.asarray(doses, float), "uM", f"concentration of {agent}"),
        "occupancy": Array((d,), fours.occupancy, "1", "receptors with a blocker at one site or both"),
        "twitch": Array((d, k), fours.twitch, "1", "share of the fibres that fired"),
        "ratio": Array((d,), fours.ratio, "1", "T4/T1, NaN without T1"),
        "ratio_low": Array((d,), low, "1", "lower end of its 95 % interval"),
        "ratio_high": Array((d,), high, "1", "upper end"),
    }
    facts = {"agent": agent, "fibres": count, "quanta_were": fours.method, "limits": {"T4/T1": RECOVERED}}
    return Finding("tof", tuple(rows), _meaning(fours, agent, doses, rows), arrays, facts)


def in_words(dose: float) -> str:
    """A dose [uM] in the unit that keeps it short."""
    return f"{1e3 * dose:.4g} nM" if 0 < dose < 1 else f"{dose:.4g} uM"


def _meaning(fours: TrainOfFour, agent: str, doses: Sequence[float], rows: list[Row]) -> str:
    """Which doses fade, and which weaken or abolish the first twitch."""
    first, ratio = rows[0::2], rows[1::2]
    fading = [i for i, row in enumerate(ratio) if row.value < RECOVERED]
    silent = [i for i, row in enumerate(first) if row.value == 0]
    weak = [i for i, row in enumerate(first) if 0 < row.value < 100 * WEAK]
    parts = []
    if fading:
        i = fading[0]
        where, sure = _where(i, agent, doses), [k for k in fading if ratio[k].high < RECOVERED]
        parts.append(f"T4/T1 is below {RECOVERED:g} (residual block) {where}")
        if i not in sure:
            ends = f", though its interval there, {ratio[i].low:.2f} to {ratio[i].high:.2f}, covers the limit"
            parts[-1] += ends if np.isfinite(ratio[i].low) else ", though its interval there is not known"
    elif len(silent) < len(doses):
        parts.append(
            f"No fade: T4/T1 stays at {RECOVERED:g} or above up to {in_words(max(doses))} of {agent}"
        )
    if weak:
        i = min(weak, key=lambda k: first[k].value)
        parts.append(
            f"only {first[i].value:.0f} % ({first[i].low:.0f} to {first[i].high:.0f}) of the fibres answer the first "
            f"stimulus at {in_words(doses[i])}"
        )
    if silent:
        where = _where(silent[0], agent, doses)
        parts.append(f"no fibre answers the first stimulus {where}, and T4/T1 is undefined there")
    sentence = ", and ".join(parts)
    return sentence[0].upper() + sentence[1:] + "."


def _where(i: int, agent: str, doses: Sequence[float]) -> str:
    """From which dose on; the first of all is no threshold."""
    if i:
        return f"from {in_words(doses[i])} of {agent}"
    return f"already at {in_words(doses[0])} of {agent}" if doses[0] else f"already without {agent}"
