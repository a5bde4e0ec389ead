"""Drawn experiments with stimuli: quantal content, n and p, variance against mean, trains, recovery, release."""

from __future__ import annotations

import numpy as np

from experiments.quantal_analysis.drawn import RESAMPLES, Quanta, Sets, collected
from nmjmc.analysis.bench import content, trains
from nmjmc.analysis.bench.covariance import covariance
from nmjmc.analysis.bench.fluctuation import fluctuation
from nmjmc.analysis.bench.measured import Measured
from nmjmc.analysis.bench.release_rate import release_rate

TRIALS, MINIS, NOISE = 200, 100, 0.2
REACH = 75.0
"""Distance from rest to the reversal potential [mV], of potentials whose quantum is 1 mV."""


def all_of(source: Quanta, count: int) -> list[Sets]:
    """Every analysis of evoked responses."""
    return [
        *collected(lambda rng: _content(source, rng), _named("quantal content, ", 4.0, ("direct", "variance")),
                   count, 1),
        *collected(lambda rng: _few(source, rng), {"quantal content, failures": 1.5}, count, 2),
        *collected(lambda rng: _potentials(source, rng), _named("summation corrected, ", 20.0, ("direct", "variance")),
                   count, 3),
        *collected(lambda rng: _binomial(source, rng), {"binomial n": 12.0, "binomial p": 0.6}, count, 4),
        *_variance_mean(source, count), *_trains(source, count), *_recovery(count), *_rate(source, count),
    ]  # fmt: skip


def _named(head: str, truth: float, tails: tuple[str, ...]) -> dict[str, float]:
    return {head + tail: truth for tail in tails}


def _content(source: Quanta, rng: np.random.Generator) -> dict[str, Measured]:
    values = source.sums(rng, rng.poisson(4.0, TRIALS), NOISE)
    found = content.contents(
        values, source.miniatures(rng, MINIS, NOISE), noise_sd=NOISE, quantal_cv=source.cv
    )
    return {f"quantal content, {name}": row for name, row in found.items()}


def _few(source: Quanta, rng: np.random.Generator) -> dict[str, Measured]:
    number = rng.poisson(1.5, TRIALS)
    return {"quantal content, failures": content.by_failures(TRIALS, int((number == 0).sum()))}


def _potentials(source: Quanta, rng: np.random.Generator) -> dict[str, Measured]:
    linear = source.sums(rng, rng.poisson(20.0, TRIALS)) / source.mean
    single = source.miniatures(rng, MINIS) / source.mean
    seen, small = (v / (1 + 0.8 * v / REACH) for v in (linear, single))
    found = content.contents(seen, small, quantal_cv=source.cv, driving_force=REACH, factor=0.8, failures=0)
    return {f"summation corrected, {name}": row for name, row in found.items()}


def _binomial(source: Quanta, rng: np.random.Generator) -> dict[str, Measured]:
    values = source.sums(rng, rng.binomial(12, 0.6, 2 * TRIALS), NOISE)
    found = content.binomial(values, source.miniatures(rng, 2 * MINIS, NOISE), noise_sd=NOISE)
    return {"binomial n": found["n"], "binomial p": found["p"]}


def _variance_mean(source: Quanta, count: int) -> list[Sets]:
    def equal(rng: np.random.Generator) -> dict[str, Measured]:
        values = [source.sums(rng, rng.binomial(10, p, TRIALS), NOISE) for p in (0.1, 0.35, 0.6, 0.85)]
        found = fluctuation(values, noise_sd=NOISE, within_cv=source.cv, number=RESAMPLES)
        return {"variance-mean, q": found.quantum, "variance-mean, N": found.sites}

    # one cell: ten sites whose p rise along a family of odds, and whose q differ
    odds, sizes = np.exp(np.linspace(-1.5, 1.5, 10)), np.linspace(0.7, 1.3, 10)
    sizes = np.random.default_rng(0).permutation(sizes)

    def unequal(rng: np.random.Generator, alpha: float | None) -> dict[str, Measured]:
        values = []
        for level in (0.1, 0.4, 1.0, 3.0, 10.0):
            p = odds * level / (1 + odds * level)
            out = (rng.random((TRIALS, 10)) < p) * sizes * rng.choice(source.amplitude, (TRIALS, 10))
            values.append(out.sum(axis=1) + NOISE * rng.normal(size=TRIALS))
        found = fluctuation(
            values, noise_sd=NOISE, within_cv=source.cv, between_cv=float(sizes.std() / sizes.mean()), alpha=alpha,
            number=60,
        )  # fmt: skip
        name = "unequal sites, alpha fitted" if alpha is None else "unequal sites taken for equal"
        return {f"{name}, q": found.quantum, f"{name}, N": found.sites}

    head = "unequal sites, alpha fitted"
    plain = "unequal sites taken for equal"
    note = "p of ten sites spread by odds of 1 to 20: the equal curve does not hold"
    other = "p of ten sites spread by odds of 1 to 20: no beta family, and alpha is hardly determined"
    return [
        *collected(equal, {"variance-mean, q": source.mean, "variance-mean, N": 10.0}, count, 5),
        *collected(lambda rng: unequal(rng, np.inf), {f"{plain}, q": source.mean, f"{plain}, N": 10.0}, count, 6,
                   {f"{plain}, q": note, f"{plain}, N": note}),
        *collected(lambda rng: unequal(rng, None), {f"{head}, q": source.mean, f"{head}, N": 10.0}, count, 6,
                   {f"{head}, q": other, f"{head}, N": other}),
    ]  # fmt: skip


def _trains(source: Quanta, count: int) -> list[Sets]:
    def short(rng: np.random.Generator) -> dict[str, Measured]:
        left, rows = np.full(150, 12), []
        for p in (0.5, 0.4, 0.3):
            rows.append(rng.binomial(left, p))
            left = left - rows[-1]
        values = np.stack([source.sums(rng, k, NOISE) for k in rows], axis=1)
        found = covariance(values, noise_sd=NOISE, quantal_cv=source.cv, number=RESAMPLES)
        return {"covariance, q": found.quantum, "covariance, vesicles": found.vesicles}

    def long(rng: np.random.Generator) -> dict[str, Measured]:
        left, rows = np.full(40, 50), []
        for _ in range(24):
            rows.append(rng.binomial(left, 0.4))
            left = left - rows[-1] + rng.poisson(3.0, 40)
        values = np.stack([source.sums(rng, k, NOISE) for k in rows], axis=1) / source.mean
        late = trains.cumulative(values, last=12, number=RESAMPLES)
        early = trains.elmqvist_quastel(values, first=3, number=RESAMPLES)
        return {
            "paired-pulse ratio": trains.paired_pulse(values, number=RESAMPLES),
            "cumulative pool, corrected": late.corrected_pool, "cumulative p, corrected": late.corrected_probability,
            "cumulative pool, as published": late.pool, "Elmqvist and Quastel's pool": early.pool,
        }  # fmt: skip

    biases = {
        "cumulative pool, as published": "misses what is left in the pool: 45.5 of 50 expected",
        "Elmqvist and Quastel's pool": "refilling flattens the line: too large",
    }
    return [
        *collected(short, {"covariance, q": source.mean, "covariance, vesicles": 12.0}, count, 7),
        *collected(
            long,
            {"paired-pulse ratio": 0.4 * 33 / 20, "cumulative pool, corrected": 50.0, "cumulative p, corrected": 0.4,
             "cumulative pool, as published": 50.0, "Elmqvist and Quastel's pool": 50.0},
            count, 8, biases,
        ),
    ]  # fmt: skip


def _recovery(count: int) -> list[Sets]:
    pause = np.array([50.0, 200, 500, 1000, 2000, 5000, 10_000])

    def once(rng: np.random.Generator) -> dict[str, Measured]:
        ratio = 1 - 0.6 * np.exp(-pause / 1500) + 0.04 * rng.normal(size=pause.size)
        return {"recovery, time constant": trains.recovery(pause, ratio, np.full(pause.size, 0.04)).tau}

    return collected(once, {"recovery, time constant": 1500.0}, count, 9)


def _rate(source: Quanta, count: int) -> list[Sets]:
    step = float(source.time[1])

    def once(rng: np.random.Generator) -> dict[str, Measured]:
        events = source.current[rng.integers(len(source.current), size=60)]
        rows = np.zeros((15, source.time.size))
        for row in rows:
            for late in rng.gamma(4.0, 0.1, rng.poisson(25.0)):
                at = int((1.0 + late) / step)
                row[at:] += source.current[rng.integers(len(source.current))][: row.size - at]
        noise = 0.1 * rng.normal(size=rows.shape)
        events = events + 0.1 * rng.normal(size=events.shape)
        return {
            "release rate, content": release_rate(
                step, rows + noise, events, noise_sd=0.1, number=100
            ).content
        }

    return collected(once, {"release rate, content": 25.0}, count, 10)
