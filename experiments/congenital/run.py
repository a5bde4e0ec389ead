"""Congenital syndromes: slow and fast channel, esterase deficiency; the miniature current and repetitive firing.

In slow-channel patients a single stimulus gave repetitive compound potentials where bursts were prolonged 8.68 +- 2.82
times, and none at 3.84 +- 0.65 times (Neurology 2020; 95:e2781, abstract). Here the bursts of the model are prolonged
by exactly these factors, by slower unbinding.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq

from experiments.common import Report, canvas, shape_of_mean
from experiments.hospital import SEED, banks, fibres, mean, patient
from nmjmc.diagnostics.fibres import fibres_of, stimulate
from nmjmc.junction.modifier import scale
from nmjmc.junction.whole import bank_for, human
from nmjmc.kinetics.exact import burst
from nmjmc.viz.style import COLOURS, style

PROLONGED = (3.84, 8.68)


def run(report: Report) -> None:
    """Miniature currents of three syndromes, and spikes after one stimulus."""
    given = banks(report)
    who = {
        "healthy": patient(), "fast channel": patient({"fast_channel": 1.0}),
        "esterase deficiency": patient({"esterase_deficiency": 1.0}), "slow channel": patient({"slow_channel": 1.0}),
    }  # fmt: skip
    found = {name: given(junction) for name, junction in who.items()}
    shapes = {
        name: shape_of_mean(np.arange(b.conductance.shape[1]) * b.interval, b.conductance.astype(float))
        for name, b in found.items()
    }
    for name, feature, published, mark, limits in (
        ("slow channel", "decay_time", "4 to 8 (eL221F)", "V-abs", (4, 8)),
        ("fast channel", "amplitude", "0.2 to 0.5", "M", (0.2, 0.5)),
        ("fast channel", "decay_time", "0.3 to 0.6", "M", (0.3, 0.6)),
        ("esterase deficiency", "decay_time", "2 to 4", "M", (2, 4)),
    ):
        words = f"{name}: {feature.replace('_', ' ')} of the miniature over normal"
        report.say(words, "", published, mark, limits, shapes[name].ratio(shapes["healthy"], feature))
    for factor, published, limits in zip(
        PROLONGED, ("none", "repetitive"), ((1, 1.05), (1.05, math.inf)), strict=True
    ):
        words = f"spikes after one stimulus, bursts prolonged {factor:g} times"
        report.say(words, "", published, "V-abs", limits, mean(_spikes(report, factor)))
    report.draw(_figure(found))


def _spikes(report: Report, factor: float) -> np.ndarray:
    """Action potentials that one stimulus starts in each fibre."""
    receptor = human().synapse.receptor
    normal = burst(receptor.scheme, receptor.rates).length

    def excess(share: float) -> float:
        slower = {**receptor.rates, "unbinding_rate": receptor.rates["unbinding_rate"] * share}
        return burst(receptor.scheme, slower).length / normal - factor

    share = brentq(excess, 1e-3, 1.0)
    junction = scale("synapse.receptor.unbinding_rate", share)(human())
    muscle = fibres_of(junction, fibres(report, 60), SEED)
    bank = bank_for(junction, 2 if report.fast else 24, SEED)
    return stimulate(junction, np.zeros(1), muscle, SEED, bank).response.spikes[:, 0].astype(float)


def _figure(found):
    with style():
        figure = canvas(110, 60)
        axes = figure.subplots()
        for colour, (name, bank) in zip(COLOURS, found.items(), strict=False):
            time = np.arange(bank.conductance.shape[1]) * bank.interval
            axes.plot(time, 1e3 * bank.conductance.mean(axis=0), color=colour, label=name)
        axes.set(xlabel="time (ms)", ylabel="miniature conductance (nS)", xlim=(0, 30), ylim=(0, None))
        axes.legend()
    return figure
