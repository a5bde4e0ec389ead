"""Bursts of single channels of the frog's endplate: openings, gaps and their durations.

Colquhoun & Sakmann 1985, J Physiol 369:501 (abstract): with ACh, short gaps of 20 us, 1.9 of them in a burst,
openings of 1.4 ms. The rates that the paper fitted (k- 8,150, beta 30,600, alpha 714 /s) are quoted from
memory [M]. Rates taken from the gaps themselves (beta + 2k- = 1/20 us, beta/2k- = 1.9) would agree by
construction and prove nothing.
"""

from __future__ import annotations

import numpy as np

from experiments.colquhoun_sakmann_1985.gillespie import Bursts, simulate_bursts
from experiments.common import Report, canvas, exact, of_mean
from nmjmc.kinetics import load_scheme
from nmjmc.kinetics.exact import Burst, burst, generator
from nmjmc.viz.style import COLOURS, style

# 1/ms and um^3/ms
RATES = {"binding_rate": 166.0, "unbinding_rate": 8.15, "opening_rate": 30.6, "closing_rate": 0.714}


def run(report: Report) -> None:
    """Closed form and simulation, beside the paper and beside each other."""
    scheme = load_scheme("two_site_sequential")
    expected = burst(scheme, RATES)
    seen = simulate_bursts(scheme, generator(scheme, RATES), 500 if report.fast else 100_000, 1985)
    report.facts |= {"bursts": seen.openings.size, "rates [1/ms]": RATES, "closed form": vars(expected)}
    published = "(fitted rates from memory)"
    report.say("gap within a burst", "us", "20 us", "V-abs", (19, 21), of_mean(1e3 * seen.gaps), published)
    report.say("gaps a burst", "", "1.9", "V-abs", (1.805, 1.995), of_mean(seen.openings - 1))
    report.say("opening", "ms", "1.4 ms", "V-abs", (1.33, 1.47), of_mean(seen.open_times))
    for name, samples, value in (
        ("gap", seen.gaps, expected.gap),
        ("gaps a burst", seen.openings - 1, expected.gaps),
        ("opening", seen.open_times, expected.open_time),
        ("burst length", seen.length, expected.length),
    ):
        ratio = np.asarray(samples, float) / value
        report.say(f"{name}, simulated over closed form", "", "1", "C", (0.98, 1.02), of_mean(ratio))
    report.say("burst length", "ms", "none in the abstract", "-", None, exact(expected.length), "closed form")
    report.draw(_figure(seen, expected))


def _figure(seen: Bursts, expected: Burst):
    with style():
        figure = canvas(150, 55)
        axes = figure.subplots(1, 3)
        _durations(axes[0], 1e3 * seen.gaps, 1e3 * expected.gap, "gap within a burst (µs)")
        _durations(axes[1], seen.open_times, expected.open_time, "opening (ms)")
        number = np.arange(1, 13)
        seen_share = [(seen.openings == n).mean() for n in number]
        again = 1 - 1 / expected.openings
        axes[2].bar(number, seen_share, color=COLOURS[4], label="simulated")
        axes[2].plot(
            number, (1 - again) * again ** (number - 1), "o", ms=3, color=COLOURS[1], label="closed form"
        )
        axes[2].set(
            xlabel="openings a burst", ylabel="share of bursts", xlim=(0.3, 12.7), xticks=[1, 3, 6, 9, 12]
        )
        axes[2].legend()
        axes[0].set_ylabel("√(events per bin)", labelpad=2)
    return figure


def _durations(axes, samples: np.ndarray, mean: float, label: str) -> None:
    """Durations over logarithmic bins, their counts on a square-root scale, as recordings are shown."""
    edges = np.geomspace(mean / 300, 12 * mean, 49)
    counts = np.histogram(samples, edges)[0]
    axes.stairs(np.sqrt(counts), edges, fill=True, color=COLOURS[4], label="simulated")
    theory = samples.size * -np.diff(np.exp(-edges / mean))
    axes.plot(np.sqrt(edges[1:] * edges[:-1]), np.sqrt(theory), color=COLOURS[1], label="closed form")
    axes.set(xscale="log", xlabel=label)
    axes.text(0.04, 0.95, f"mean {samples.mean():.3g}", transform=axes.transAxes, va="top", fontsize=7)
