"""Closed forms of the schemes inside whole runs: equilibrium, bursts, the enzyme's turnover."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.special import gammaln

import nmjmc
from experiments.closed_forms.models import (
    BOX,
    BOX_DENSITY,
    BOX_SITES,
    BOX_VOLUME,
    MICROMOLAR,
    MOLAR,
    Ledger,
    receptors,
)
from experiments.common import Report
from nmjmc.kernel.simulate import Record
from nmjmc.kinetics.exact import burst, michaelis_menten
from nmjmc.synapse import Esterase, replace

RECEPTOR = {"binding_rate": 1.6e8 * MOLAR, "unbinding_rate": 6.0, "opening_rate": 10.0, "closing_rate": 8.0}
ENZYME = {
    "binding_rate": 8e7 * MOLAR, "unbinding_rate": 8.0, "acylation_rate": 24.0, "deacylation_rate": 16.0,
}  # fmt: skip
CONTENTS = (40, 120, 360, 1080)  # molecules in a closed box with 90 receptors
SETTLED = 2.0  # ms, several times the slowest relaxation


class Progress(NamedTuple):
    """Speed of an enzyme against its substrate: simulated, and by Michaelis and Menten's law."""

    level: np.ndarray
    speed: np.ndarray
    law: np.ndarray


def equilibrium(report: Report, ledger: Ledger) -> list[tuple[float, float, float]]:
    """Receptors in closed boxes against the canonical ensemble; returns free ACh [uM], P_open and its error."""
    association = RECEPTOR["binding_rate"] / RECEPTOR["unbinding_rate"]
    opening = RECEPTOR["opening_rate"] / RECEPTOR["closing_rate"]
    found = []
    for content in CONTENTS[:2] if report.fast else CONTENTS:
        boxes = 8 if report.fast else 256
        synapse = receptors(RECEPTOR, BOX_DENSITY, BOX, content)
        record = ledger.run(synapse, boxes, 40 + content, 6.0, 0.1)
        late = record.time > SETTLED
        weights = 2 * association, association**2 * (1 + opening)
        mean, variance = closed_box_moments(weights, BOX_SITES, BOX_VOLUME, content)
        open_part = _means(report, record, late, content, mean, opening)
        if content == CONTENTS[1]:
            _fluctuations(report, record, mean, variance)
            _balance(report, record, late)
        free = record.counts["free_ach"][:, late].mean() / BOX_VOLUME / MICROMOLAR
        found.append((float(free), *open_part))
    return found


def _means(
    report: Report, record: Record, late: np.ndarray, content: int, mean: np.ndarray, opening: float
) -> tuple[float, float]:
    """Bound receptors beside the ensemble; returns the part that is open and its error."""
    counts = record.counts
    exact = {"AR": mean[0], "A2R": mean[1] / (1 + opening), "A2Ro": mean[1] * opening / (1 + opening)}
    value, error = 0.0, 0.0
    for state, aim in exact.items():
        boxes = counts[state][:, late].mean(axis=1)
        value, error = float(boxes.mean()), float(boxes.std(ddof=1) / np.sqrt(boxes.size))
        words = f"equilibrium of {content} ACh and {BOX_SITES} receptors: {state}"
        report.deviation(words, "", "exact", float(aim), value, error, 1.0)
    return value / BOX_SITES, error / BOX_SITES


def _fluctuations(report: Report, record: Record, mean: np.ndarray, variance: np.ndarray) -> None:
    """Variances over independent boxes; that of b boxes has a relative standard error of sqrt(2 / (b - 1))."""
    two = record.counts["A2R"] + record.counts["A2Ro"]
    for words, numbers, exact in (("AR", record.counts["AR"], variance[0]), ("A2R + A2Ro", two, variance[1])):
        value = float(numbers[:, [-1, -21]].var(axis=0, ddof=1).mean())  # 2 ms apart: independent
        error = exact * np.sqrt(2 / (2 * len(numbers) - 2))
        report.deviation(f"variance of {words} there", "", "exact", float(exact), value, error, 20.0)


def _balance(report: Report, record: Record, late: np.ndarray) -> None:
    """At equilibrium each arrow is used as often as its inverse."""
    used = record.transitions[:, -1] - record.transitions[:, int(np.argmax(late))]
    for words, forth, back in (("R - AR", 0, 1), ("AR - A2R", 2, 3), ("A2R - A2Ro", 4, 5)):
        ratio = used[:, forth].sum() / used[:, back].sum()
        surplus = (used[:, forth] - used[:, back]).astype(float)
        error = surplus.std(ddof=1) * np.sqrt(len(surplus)) / used[:, back].sum()
        report.deviation(
            f"uses of {words} over its inverse there", "", "exact", 1.0, float(ratio), error, 1.0
        )


def bursts(report: Report, ledger: Ledger) -> None:
    """Openings, gaps and their durations among the receptors of whole human quanta."""
    synapse = replace(nmjmc.preparation("human"), "vesicle.content_cv", 0.0)
    record = ledger.run(synapse, 4 if report.fast else 512, 41, 6.0, 0.005)
    exact = burst(synapse.receptor.scheme, synapse.receptor.rates)
    names = [(t.source, t.target) for t in synapse.receptor.scheme.transitions]
    count = dict(zip(names, record.transitions[:, -1].sum(axis=0).tolist(), strict=False))
    again, over, shut = (count[pair] for pair in (("A2R", "A2Ro"), ("A2R", "AR"), ("A2Ro", "A2R")))
    visits = again + over
    chance = again / visits
    openings = 1 / (1 - chance)
    spread = np.sqrt(chance * (1 - chance) / visits) * openings**2
    gap, opening = (_dwell(record, state, exits) for state, exits in (("A2R", visits), ("A2Ro", shut)))
    length = openings * opening + (openings - 1) * gap
    error = np.hypot((opening + gap) * spread, openings * opening / np.sqrt(shut))
    report.deviation("openings a burst", "", "exact", exact.openings, openings, spread, 1.0)
    report.deviation("opening", "ms", "exact", exact.open_time, opening, opening / np.sqrt(shut), 1.0)
    report.deviation("gap", "us", "exact", 1e3 * exact.gap, 1e3 * gap, 1e3 * gap / np.sqrt(visits), 1.0)
    report.deviation("burst", "ms", "exact", exact.length, length, float(error), 1.0)


def _dwell(record: Record, state: str, exits: int) -> float:
    """Time in a state per exit from it [ms]; its relative standard error is 1 / sqrt(exits)."""
    return float(np.trapezoid(record.counts[state].astype(float), record.time, axis=1).sum() / exits)


def enzyme(report: Report, ledger: Ledger) -> Progress:
    """An esterase that saturates, in closed boxes: Michaelis and Menten's law along the progress curve."""
    synapse = receptors(_unbinding(), BOX_DENSITY, BOX, 1000, Esterase("esterase", ENZYME, BOX_DENSITY))
    record = ledger.run(synapse, 8 if report.fast else 512, 42, 1.6, 0.02)
    scheme = synapse.esterase.scheme
    turnover, constant = michaelis_menten(scheme, ENZYME)
    constant = constant * MICROMOLAR * BOX_VOLUME  # molecules in the box
    level = record.counts["free_ach"].astype(float)
    law = turnover * int(record.counts["E"][0, 0]) * level / (constant + level)
    split = record.counts["hydrolysed"]
    for first, last in ((10, 30), (30, 50), (50, 80)):
        done = (split[:, last] - split[:, first]).astype(float)
        expected = np.trapezoid(law[:, first : last + 1], record.time[first : last + 1], axis=1)
        error = (done - expected).std(ddof=1) / np.sqrt(len(done))
        start, end = (level[:, at].mean() / constant for at in (first, last))
        report.deviation(
            f"ACh split while ACh falls from {start:.2g} to {end:.2g} K_M", "", "law", expected.mean(),
            done.mean(), error, 1.0,
        )  # fmt: skip
    _branching(report, record)
    speed = np.diff(split.mean(axis=0)) / np.diff(record.time)
    middle = 0.5 * (level[:, 1:] + level[:, :-1]).mean(axis=0) / constant
    steady = slice(10, None)  # past the filling of the free enzyme
    return Progress(*(v[steady] for v in (middle, speed / turnover / BOX_SITES, middle / (1 + middle))))


def _branching(report: Report, record: Record) -> None:
    """EA lets go or splits, in the ratio of the two rates."""
    count = record.transitions[:, -1].sum(axis=0)
    freed, split = int(count[7]), int(count[8])
    chance = ENZYME["acylation_rate"] / (ENZYME["acylation_rate"] + ENZYME["unbinding_rate"])
    error = np.sqrt(chance * (1 - chance) / (freed + split))
    report.deviation("part of EA that splits", "", "exact", chance, split / (freed + split), error, 1.0)


def unimolecular(report: Report, ledger: Ledger) -> None:
    """After all ACh is held irreversibly, it is split as exp(-k t)."""
    rates = {
        "binding_rate": 2e9 * MOLAR,
        "unbinding_rate": 0.0,
        "acylation_rate": 5.0,
        "deacylation_rate": 0.01,
    }
    synapse = receptors(_unbinding(), BOX_DENSITY, BOX, 1000, Esterase("esterase", rates, 20_000.0))
    record = ledger.run(synapse, 8 if report.fast else 512, 43, 0.6, 0.1)
    held = record.counts["EA"].sum(axis=0).astype(float)
    part = float(np.exp(-5.0 * (record.time[6] - record.time[2])))
    error = np.sqrt(part * (1 - part) / held[2])
    report.deviation("part of EA left after 0.4 ms", "", "exact", part, held[6] / held[2], error, 1.0)


def _unbinding() -> dict[str, Any]:
    """Receptors that bind nothing."""
    return RECEPTOR | {"binding_rate": 0.0}


def closed_box_moments(
    weights: tuple[float, float], sites: int, volume: float, molecules: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of the numbers of sites that hold one and two molecules, in a closed box.

    The canonical ensemble of independent sites and an ideal gas: n1 sites with one and n2 with two molecules have
    the probability M!/(n0! n1! n2!) w1^n1 w2^n2 V^F / F!, F = N - n1 - 2 n2.

    Args:
        weights: w1 and w2, statistical weights of a site per concentration [1/um^3] and its square.
        sites: M.
        volume: V [um^3].
        molecules: N.

    Returns:
        Means [2] and variances [2].
    """
    one, two = np.meshgrid(np.arange(sites + 1), np.arange(sites + 1), indexing="ij")
    free, empty = molecules - one - 2 * two, sites - one - two
    allowed = (free >= 0) & (empty >= 0)
    free, empty = np.maximum(free, 0), np.maximum(empty, 0)
    weight = one * np.log(weights[0]) + two * np.log(weights[1]) + free * np.log(volume)
    weight = weight - sum(gammaln(n + 1) for n in (empty, one, two, free))
    weight = np.where(allowed, weight, -np.inf)
    chance = np.exp(weight - weight.max())
    chance /= chance.sum()
    mean = np.array([(chance * one).sum(), (chance * two).sum()])
    return mean, np.array([(chance * one**2).sum(), (chance * two**2).sum()]) - mean**2
