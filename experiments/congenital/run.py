"""Congenital syndromes: slow and fast channel, esterase deficiency; the miniature current and repetitive firing.

Miniatures stand at 22 degC, where they were recorded, and every quantum has the same content, so that ratios of mean
currents need few of them. In slow-channel patients a single stimulus gave repetitive compound potentials where bursts
were prolonged 8.68 +- 2.82 times, and none at 3.84 +- 0.65 times (Neurology 2020; 95:e2781, abstract). Here the bursts
of the model are prolonged by exactly these factors, by slower unbinding, at 37 degC. That more than a tenth of the
fibres must fire again for the compound potential to repeat is a choice.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from experiments.common import Report, Shape, canvas, shape_of_mean
from experiments.hospital import SEED, banks, fibres, patient, share
from nmjmc.diagnostics.fibres import fibres_of, stimulate
from nmjmc.junction.bank import Bank, simulate_bank
from nmjmc.junction.modifier import scale, set_to
from nmjmc.junction.stimulus import train
from nmjmc.junction.whole import human, quantum_duration
from nmjmc.kinetics.exact import burst
from nmjmc.viz.style import COLOURS, style

ROOM = 22.0
SYNDROMES = {
    "healthy": {}, "fast channel": {"fast_channel": 1.0}, "esterase deficiency": {"esterase_deficiency": 1.0},
    "slow channel": {"slow_channel": 1.0},
}  # fmt: skip
PROLONGED = (1.0, 3.84, 8.68)
CAUSES = {
    "fast channel: decay": "of a burst little is left but its one opening, whose length the syndrome leaves alone",
    "esterase deficiency: decay": "flat cleft of 1.6 um: ACh rebinds on its way to the rim (docs/junction.md)",
}


def run(report: Report) -> None:
    """Miniature currents of three syndromes, and spikes after one stimulus."""
    found = {name: _miniatures(report, sick) for name, sick in SYNDROMES.items()}
    shapes = {name: _shape(bank) for name, bank in found.items()}
    for name, feature, published, mark, limits in (
        ("slow channel", "decay", "4 to 8 (eL221F)", "V-abs", (4, 8)),
        ("fast channel", "amplitude", "0.2 to 0.5", "M", (0.2, 0.5)),
        ("fast channel", "decay", "0.3 to 0.6", "M", (0.3, 0.6)),
        ("esterase deficiency", "decay", "2 to 4", "M", (2, 4)),
    ):
        value = shapes[name].ratio(shapes["healthy"], "decay_time" if feature == "decay" else feature)
        words, note = f"{name}: {feature} of the miniature over normal", CAUSES.get(f"{name}: {feature}", "")
        report.say(words, "", published, mark, limits, value, "" if _inside(value.value, limits) else note)
    given = banks(report)
    for factor, published, limits in zip(
        PROLONGED, ("-", "none repeats", "repetitive"), (None, (0, 10), (10, 100)), strict=True
    ):
        words = f"fibres that fire again after one stimulus, bursts prolonged {factor:g} times"
        report.say(words, "%", published, "V-abs" if limits else "-", limits, _again(report, given, factor))
    for name in ("slow_channel", "esterase_deficiency"):
        fired, depolarised = _trains(report, given, name)
        words = f"{name.replace('_', ' ')}: fibres that"
        report.say(f"{words} fire at the second stimulus at 3 Hz", "%", "-", "-", None, fired)
        report.say(f"{words} are still depolarised by then", "%", "-", "-", None, depolarised)
    report.facts |= {"quanta": found["healthy"].quanta, "fibres": fibres(report, 60)}
    report.draw(_figure(found))


def _inside(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]


def _miniatures(report: Report, sick: dict[str, float]) -> Bank:
    """Single quanta, alone in their patch whatever the esterase."""
    synapse = set_to("synapse.vesicle.content_cv", 0.0)(patient(sick, temperature=ROOM)).synapse
    return simulate_bank(synapse, 2 if report.fast else 16, SEED, duration=quantum_duration(synapse))


def _shape(bank: Bank) -> Shape:
    return shape_of_mean(np.arange(bank.conductance.shape[1]) * bank.interval, bank.conductance.astype(float))


def _again(report: Report, given, factor: float):
    """Share of the fibres that one stimulus fires more than once."""
    receptor = human().synapse.effective().receptor
    normal = burst(receptor.scheme, receptor.rates).length

    def excess(part: float) -> float:
        rates = {**receptor.rates, "unbinding_rate": receptor.rates["unbinding_rate"] * part}
        return burst(receptor.scheme, rates).length / normal - factor

    slower = 1.0 if factor == 1.0 else brentq(excess, 1e-3, 1.0)
    junction = scale("synapse.receptor.unbinding_rate", slower)(human())
    muscle = fibres_of(junction, fibres(report, 60), SEED)
    spikes = stimulate(junction, np.zeros(1), muscle, SEED, given(junction)).response.spikes[:, 0]
    return share(spikes > 1)


def _trains(report: Report, given, name: str):
    """Shares of the fibres that fire at the second stimulus at 3 Hz, and that are on a plateau when it comes."""
    junction = patient({name: 1.0})
    muscle = fibres_of(junction, fibres(report, 60), SEED)
    response = stimulate(junction, train("3 Hz", 2), muscle, SEED, given(junction)).response
    return share(response.spikes[:, 1] > 0), share(response.depolarised[:, 1])


def _figure(found: dict[str, Bank]):
    with style():
        figure = canvas(150, 60)
        for axes, scaled in zip(figure.subplots(1, 2), (False, True), strict=True):
            for colour, (name, bank) in zip(COLOURS, found.items(), strict=False):
                time = np.arange(bank.conductance.shape[1]) * bank.interval
                mean = 1e3 * bank.conductance.mean(axis=0)
                axes.plot(time, 100 * mean / mean.max() if scaled else mean, color=colour, label=name)
            axes.set(xlabel="time (ms)", xlim=(0, 40), ylim=(0, None))
            axes.set_ylabel("per cent of its peak" if scaled else "miniature conductance (nS)")
        figure.axes[0].legend()
    return figure
