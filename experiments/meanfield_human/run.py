"""The human quantum against the mean field: agreement, and where the difference comes from.

The content is the same in every vesicle (CV 0): the peak grows faster than the content, so that a spread of
contents would raise the mean above the trace of the mean content, which the mean field solves. The limit of 0.5 %
is the requirement of the project. The mean field gives each site surroundings of its own
(`nmjmc.meanfield.own_site`); what that changes is shown beside sites that are smeared over their plane:

- the grid of the mean field: solved again on a finer one;
- the time step of the kernel: simulated again with half of it, from the same seed;
- the finite number of molecules and sites, and that sites stand one by one: content and densities are scaled by a
  factor and the binding rates by its inverse, which leaves the smeared mean field as it is. Fluctuations of numbers
  would change a mean by 1 / factor; a molecule's return to the very site that let it go changes as (rate of binding
  to the site) / (side of its tile), factor^(-1/2).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize_scalar

import nmjmc
from experiments.common import Estimate, Report, exact, of_normal, resamples
from experiments.meanfield_human.figure import draw
from nmjmc.analysis.waveform import measure
from nmjmc.meanfield import Grid, solve
from nmjmc.synapse import replace, scale

DURATION, INTERVAL = 10.0, 0.01
BLOCK = 1024
LIMIT = 0.5
SEED = 61
QUANTA = {1.0: 8192, 0.25: 16_384, 4.0: 2048}
HALF_STEP = 2048
FEATURES = {"amplitude": "peak", "rise_20_80": "20-80 % rise", "decay_time": "decay", "charge": "charge"}
UNITS = {"amplitude": "nA", "rise_20_80": "us", "decay_time": "ms", "charge": "pC"}
TIMES = (0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0)
LATE = "at 5 ms"


class Quanta(NamedTuple):
    """Open channels against time [v, t], and the fate of the ACh of each vesicle at the end [v]."""

    open_channels: np.ndarray
    escaped: np.ndarray
    hydrolysed: np.ndarray


class Case(NamedTuple):
    """One factor: the simulation, the mean field [t], and the same with smeared sites [t]."""

    quanta: Quanta
    field: np.ndarray
    smeared: np.ndarray


def run(report: Report) -> None:
    """Simulate the three factors and half the step, and say how far each is from the mean field."""
    quanta = {1.0: 4, 0.25: 4} if report.fast else QUANTA
    time = np.arange(round(DURATION / INTERVAL) + 1) * INTERVAL
    report.facts |= {"quanta": quanta, "quanta with half the step": 4 if report.fast else HALF_STEP}
    cases = {}
    for factor, number in quanta.items():
        synapse = scaled(factor)
        fields = [solve(synapse, time, grid=Grid(own_site=own)).open_channels for own in (True, False)]
        cases[factor] = Case(simulate(synapse, number), *(np.asarray(field, float) for field in fields))
    _agreement(report, time, cases[1.0])
    _smeared(report, time, cases[1.0])
    _scaling(report, time, cases)
    _half_step(report, time, cases[1.0].quanta)
    _finer_grid(report, time)
    report.draw(draw(time, {f: (c.quanta.open_channels, *c[1:]) for f, c in cases.items()}, LIMIT))


def scaled(factor: float) -> nmjmc.Synapse:
    """The human preparation with more molecules and sites and slower binding: the same mean field."""
    synapse = replace(nmjmc.preparation("human"), "vesicle.content_cv", 0.0)
    for path in ("vesicle.content_mean", "receptor.density", "esterase.density"):
        synapse = scale(path, factor)(synapse)
    for path in ("receptor.binding_rate", "esterase.binding_rate"):
        synapse = scale(path, 1 / factor)(synapse)
    return synapse


def simulate(synapse: nmjmc.Synapse, number: int, step_scale: float = 1.0) -> Quanta:
    """Quanta of a synapse, in blocks that fit into memory."""
    parts = []
    for first in range(0, number, BLOCK):
        result = nmjmc.simulate(
            synapse, min(BLOCK, number - first), SEED, duration=DURATION, record_interval=INTERVAL,
            numerics={"step_scale": step_scale}, first_vesicle=first,
        )  # fmt: skip
        last = [result.counts[name][:, -1] for name in ("escaped", "hydrolysed")]
        parts.append(Quanta(result.open_channels.astype(np.float32), *last))
    return Quanta(*(np.concatenate(values) for values in zip(*parts, strict=True)))


def features(time: np.ndarray, trace: Float[np.ndarray, "*b t"]) -> dict[str, np.ndarray]:
    """Shape of mean currents, and their values at some times."""
    shape = measure(time, trace, polarity=1).as_dict()
    return {name: shape[name] for name in FEATURES} | {
        f"at {at:g} ms": trace[..., round(at / INTERVAL)] for at in TIMES
    }


def replicates(time: np.ndarray, traces: np.ndarray) -> dict[str, np.ndarray]:
    """Features of the means of resampled quanta; two runs with one seed are resampled alike."""
    return features(time, resamples(len(traces)).astype(np.float32) @ traces)


def deviation(time: np.ndarray, case: Case, name: str, expected: np.ndarray) -> tuple[float, float]:
    """Deviation of a feature from that of an expected trace, and its standard error [%]."""
    found = features(time, case.quanta.open_channels.mean(axis=0, dtype=float))
    aim = features(time, expected)[name]
    spread = replicates(time, case.quanta.open_channels)[name].std(ddof=1)
    return float(100 * (found[name] / aim - 1)), float(100 * spread / aim)


def _agreement(report: Report, time: np.ndarray, case: Case) -> None:
    """Every feature and the fate of the ACh beside the mean field."""
    receptor, fibre = (synapse := scaled(1.0)).receptor, synapse.fibre
    unit = abs(float(receptor.channel_conductance * (fibre.holding_potential - receptor.reversal_potential)))
    found = features(time, case.quanta.open_channels.mean(axis=0, dtype=float))
    aims = features(time, case.field)
    again = replicates(time, case.quanta.open_channels)
    for name in found:
        factor = {"rise_20_80": 1e3, "decay_time": 1.0}.get(name, unit)
        words = FEATURES.get(name, f"current {name}")
        error = factor * again[name].std(ddof=1)
        report.deviation(
            words,
            UNITS.get(name, "nA"),
            "mean field",
            factor * aims[name],
            factor * found[name],
            error,
            LIMIT,
        )
    whole, content = solve(synapse, np.array([DURATION])), float(synapse.vesicle.content_mean)
    for name in ("hydrolysed", "escaped"):
        counts, aim = getattr(case.quanta, name), float(getattr(whole, name)[0])
        error = counts.std(ddof=1) / np.sqrt(len(counts))
        report.say(
            f"ACh {name} by {DURATION:g} ms: simulated {counts.mean():.3f}, standard error {error:.3f}",
            "% of the content", f"mean field {aim:.3f}", "C", (-LIMIT, LIMIT),
            of_normal(100 * (counts.mean() - aim) / content, 100 * error / content),
        )  # fmt: skip


def _smeared(report: Report, time: np.ndarray, case: Case) -> None:
    """What the same would be beside smeared sites."""
    own, smeared = features(time, case.field), features(time, case.smeared)
    for name in ("decay_time", "charge", LATE, "at 8 ms"):
        value, error = deviation(time, case, name, case.smeared)
        words = FEATURES.get(name, f"current {name}")
        report.say(
            f"{words}, over smeared sites", "%",
            f"mean field {100 * (own[name] / smeared[name] - 1):+.2f} %", "C", None, of_normal(value, error),
        )  # fmt: skip


def _scaling(report: Report, time: np.ndarray, cases: dict[float, Case]) -> None:
    """How the deviation of the late current goes with the number of molecules and sites."""
    factors = np.array(list(cases))
    seen = np.array([deviation(time, c, LATE, c.smeared) for c in cases.values()])
    for factor, (value, error) in zip(factors, seen, strict=True):
        at = round(5 / INTERVAL)
        predicted = 100 * (cases[factor].field[at] / cases[factor].smeared[at] - 1)
        report.say(
            f"current {LATE}, content and densities x {factor:g}, over smeared sites",
            "%", f"mean field {predicted:+.2f} %", "C", None, of_normal(value, error),
        )  # fmt: skip
    report.say(
        "power of the factor in that",
        "", "-0.5 own sites, -1 fluctuations", "C", (-0.75, -0.25), _power(factors, *seen.T),
    )  # fmt: skip


def _power(factors: np.ndarray, values: np.ndarray, errors: np.ndarray) -> Estimate:
    """Power p of values = b factors^p by weighted least squares, and its error by drawing the values again."""

    def best(drawn: np.ndarray) -> float:
        def misfit(power: float) -> float:
            shape = factors**power / errors
            return float(((drawn / errors - shape * (shape @ (drawn / errors)) / (shape @ shape)) ** 2).sum())

        return float(minimize_scalar(misfit, bounds=(-2.0, 1.0), method="bounded").x)

    generator = np.random.default_rng(0)
    spread = np.std([best(generator.normal(values, errors)) for _ in range(200)])
    return of_normal(best(values), float(spread))


def _half_step(report: Report, time: np.ndarray, quanta: Quanta) -> None:
    """What half the time step changes, from pairs of quanta."""
    finer = simulate(scaled(1.0), 4 if report.fast else HALF_STEP, 0.5).open_channels
    pair = [finer, quanta.open_channels[: len(finer)]]
    found = [features(time, traces.mean(axis=0, dtype=float)) for traces in pair]
    again = [replicates(time, traces) for traces in pair]
    for name in (*FEATURES, LATE):
        words = FEATURES.get(name, f"current {name}")
        change = of_normal(
            100 * (found[0][name] / found[1][name] - 1), 100 * (again[0][name] / again[1][name]).std(ddof=1)
        )
        report.say(f"{words}: change with half the step", "%", "0", "by definition", (-LIMIT, LIMIT), change)


def _finer_grid(report: Report, time: np.ndarray) -> None:
    """What a finer grid changes in the mean field."""
    fine = Grid(time_refinement=2) if report.fast else Grid(time_refinement=4).finer_in_space()
    traces = [np.asarray(solve(scaled(1.0), time, grid=g).open_channels, float) for g in (fine, Grid())]
    first, second = (features(time, trace) for trace in traces)
    changes = {name: 100 * float(first[name] / second[name] - 1) for name in first}
    report.facts["change of the mean field on a finer grid [%]"] = changes
    worst = max(changes, key=lambda name: abs(changes[name]))
    for name in dict.fromkeys((worst, "amplitude", LATE)):
        words = FEATURES.get(name, f"current {name}")
        note = " (the largest)" if name == worst else ""
        report.say(
            f"mean field, {words}: change on a finer grid{note}", "%", "0", "by definition", (-LIMIT, LIMIT),
            exact(changes[name]),
        )  # fmt: skip
