"""Synthetic experiments: quanta of the particle kernel at parameters that the fit does not know, in fresh noise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

import nmjmc
from nmjmc.data.atomic import atomic
from nmjmc.fitting import Condition, WaveformTerm
from nmjmc.fitting.parameters import with_values
from nmjmc.fitting.scores import plain
from nmjmc.fitting.simulations import Simulate, Simulated, simulated, simulated_many
from nmjmc.kernel.physics import release
from nmjmc.synapse.model import Synapse

FREE = {
    "receptor.binding_rate": "binding rate",
    "receptor.unbinding_rate": "unbinding rate",
    "receptor.closing_rate": "closing rate",
    "esterase.density": "esterase density",
    "vesicle.content_mean": "content mean",
    "vesicle.content_cv": "content CV",
}
SPREAD = 0.15
"""SD of the logarithm of each true parameter about the preset's, where every fit begins (a choice)."""

CONTROL = Condition(duration=6.0)
BLOCKED = Condition((("esterase.active_fraction", 0.0),), 6.0)
CONDITIONS = {"control": CONTROL, "blocked": BLOCKED}
CORRECTION = 10_000
"""Number of the experiment whose seeds the correction takes: beyond all of them."""

INTERVAL = 0.02
NOISE = 0.05
"""SD of white noise in a sample [nA], an eightieth of the peak (a choice)."""


class Quanta(NamedTuple):
    """Quanta of one synthetic experiment: true parameters, and currents under each condition [event, t] [nA]."""

    truth: dict[str, float]
    current: dict[str, Float[np.ndarray, "v t"]]


def truths(sets: int, seed: int) -> list[dict[str, float]]:
    """True parameters of some experiments, lognormal about the human preset."""
    start = nmjmc.preparation("human")
    drawn = np.exp(SPREAD * np.random.default_rng(seed).normal(size=(sets, len(FREE))))
    return [
        {path: float(factor * float(nmjmc.get(start, path))) for path, factor in zip(FREE, row, strict=True)}
        for row in drawn
    ]


def simulate(sets: int, events: int, seed: int, kept: Path | None = None) -> list[Quanta]:
    """Quanta of some experiments; no two share a quantum.

    Args:
        sets: How many experiments.
        events: Of each, under each condition.
        seed: Of truths and quanta.
        kept: Folder where they are kept, and from which those are read that are there.
    """
    made = [Quanta(truth, {}) for truth in truths(sets, seed)]
    missing = []
    for i, quanta in enumerate(made):
        for name in CONDITIONS:
            file = None if kept is None else _file(kept, i, name, events, seed)
            if file is not None and file.exists():
                quanta.current[name] = np.load(file)
            else:
                missing.append((i, name))
    start = nmjmc.preparation("human")
    asked = [
        (_changed(CONDITIONS[name].of(start), made[i].truth), CONDITIONS[name], events, _seed(seed, i, name))
        for i, name in missing
    ]
    for index, found in simulated_many(asked, INTERVAL):
        i, name = missing[index]
        made[i].current[name] = found.current.astype(np.float32)
        _keep(None if kept is None else _file(kept, i, name, events, seed), found.current)
        print(f"  quanta of {i + 1}, {name}", flush=True)
    return made


def correction(seed: int, kept: Path | None = None) -> Simulate:
    """Quanta at the preset, from which all fits take their correction: a function as `CorrectedEstimator` wants it.

    Args:
        seed: Of the quanta; no experiment has any of them.
        kept: Folder where they are kept, and from which they are read if they are there.
    """

    def simulate(synapse: Synapse, condition: Condition, vesicles: int, _: int) -> Simulated:
        name = next(name for name, known in CONDITIONS.items() if known == condition)
        own = _seed(seed, CORRECTION, name)
        file = None if kept is None else _file(kept, CORRECTION, name, vesicles, seed)
        if file is None or not file.exists():
            found = simulated(synapse, condition, vesicles, own, INTERVAL)
            _keep(file, found.current)
            print(f"  quanta of the correction, {name}", flush=True)
            return found
        currents = np.load(file).astype(np.float64)
        contents = np.asarray(release.contents(plain(synapse).vesicle, own, 0, vesicles), np.float64)
        return Simulated(INTERVAL * np.arange(currents.shape[1]), currents, contents[:, 0])

    return simulate


def _keep(file: Path | None, current: np.ndarray) -> None:
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic(file) as temporary, Path(temporary).open("wb") as opened:
            np.save(opened, current.astype(np.float32))


def _changed(synapse: Synapse, truth: dict[str, float]) -> Synapse:
    return with_values(synapse, {path: np.float64(value) for path, value in truth.items()})


def _seed(seed: int, number: int, name: str) -> int:
    return seed + 1 + number * len(CONDITIONS) + list(CONDITIONS).index(name)


def _file(folder: Path, number: int, name: str, events: int, seed: int) -> Path:
    return folder / f"{seed}-{events}-{number}-{name}.npy"


def recorded(quanta: Quanta, rng: np.random.Generator, edges: Sequence[np.ndarray]) -> list[WaveformTerm]:
    """The data sets of an experiment: quanta after 1 ms of baseline, in noise."""
    terms = []
    for (name, condition), own in zip(CONDITIONS.items(), edges, strict=True):
        current = quanta.current[name].astype(np.float64)[:, : round(condition.duration / INTERVAL)]
        before = round(1.0 / INTERVAL)
        time = INTERVAL * np.arange(-before, current.shape[1])
        traces = np.pad(current, ((0, 0), (before, 0)))
        traces = traces + NOISE * rng.normal(size=traces.shape)
        terms.append(WaveformTerm(name, time, traces, condition, edges=own))
    return terms
