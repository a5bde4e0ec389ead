"""Peak, area and decay of the quantal response in a model of the frog's endplate.

Wathey, Nass & Lester 1979, Biophys J 27:145 (abstract): a growth phase of 200 us leads to a peak of 2,000
open channels; two thirds of them stand within 0.15 um^2, three quarters of the channels there are open; the
decay exceeds the channel's duration by about 20 %.

The rate k+ = 1e8 /M/s of this preparation was chosen so that the peak comes near 2,000, so the peak is a
check of consistency; area, fraction and ratio follow.
"""

from __future__ import annotations

import math

import numpy as np

import nmjmc
from experiments.common import Report, canvas, of_mean, of_replicates, shape_of_mean
from experiments.wathey_1979.positions import open_distances
from nmjmc.kinetics.exact import burst
from nmjmc.viz.style import COLOURS, style

INTERVAL = 0.005
SEED = 1979


def run(report: Report) -> None:
    """Simulate the quantum, and see where its open channels stand at the peak."""
    vesicles = 4 if report.fast else 128
    synapse = nmjmc.preparation("wathey")
    result = nmjmc.simulate(synapse, vesicles, SEED, duration=8.0, record_interval=INTERVAL)
    shape = shape_of_mean(result.time, result.open_channels.astype(float))
    at = shape.value["time_to_peak"]
    distances = open_distances(synapse, vesicles, SEED, at, INTERVAL)
    area, share = _crowd(distances, float(synapse.receptor.density))
    effective = synapse.effective().receptor
    duration = burst(effective.scheme, effective.rates).length
    report.facts |= {"quanta": vesicles, "time to peak [ms]": at, "burst [ms]": duration}
    report.say(
        "peak open channels",
        "",
        "2,000",
        "V-abs",
        (1500, 2500),
        shape.estimate("amplitude"),
        "k+ was chosen with this number in view",
    )
    report.say("area of 2/3 of the open channels", "um^2", "0.15 um^2", "V-abs", (0.09, 0.21), of_mean(area))
    report.say("fraction open there", "", "0.75", "V-abs", (0.65, 0.85), of_mean(share))
    report.say(
        "decay over channel duration",
        "",
        "1.2",
        "V-abs",
        (1.05, 1.35),
        of_replicates(shape.value["decay_time"] / duration, shape.replicates["decay_time"] / duration),
        "the channel's duration is taken as that of a burst, which the closed form gives",
    )
    report.say(
        "time to peak",
        "us",
        "growth phase 200 us",
        "V-abs",
        None,
        shape.estimate("time_to_peak", 1e3),
        "the abstract does not say how the growth phase is measured",
    )
    report.draw(_figure(result, distances, float(synapse.receptor.density), at))


def _crowd(distances: list[np.ndarray], density: float) -> tuple[np.ndarray, np.ndarray]:
    """For each quantum the area with two thirds of its open channels [um^2], and the fraction open there."""
    held = np.array([2 / 3 * row.size for row in distances])
    radius = np.array(
        [np.interp(n, np.arange(row.size) + 0.5, row) for n, row in zip(held, distances, strict=True)]
    )
    area = math.pi * radius**2
    return area, held / (density * area)


def _figure(result: nmjmc.Result, distances: list[np.ndarray], density: float, at: float):
    area, share = _crowd(distances, density)
    edges = np.sqrt(np.linspace(0, 0.6, 31) / math.pi)
    counts = np.histogram(np.concatenate(distances), edges)[0] / len(distances)
    open_share = counts / (density * 0.02)
    with style():
        figure = canvas(150, 60)
        left, right = figure.subplots(1, 2)
        for row in result.open_channels[:12]:
            left.plot(result.time, row, color="#b8bec4", lw=0.4)
        left.plot(result.time, result.open_channels.mean(axis=0), color=COLOURS[0], label="mean")
        left.axhline(2000, color=COLOURS[1], ls=":", lw=1, label="published peak")
        left.set(xlabel="time (ms)", ylabel="open channels", xlim=(0, 8), ylim=(0, None))
        left.legend()
        right.stairs(open_share, math.pi * edges**2, color=COLOURS[0], lw=1.2)
        right.plot(
            [0, area.mean()], 2 * [share.mean()], color=COLOURS[2], lw=1.5, label="2/3 of the open channels"
        )
        right.plot(0.15, 0.75, "o", color=COLOURS[1], ms=5, label="published", clip_on=False)
        right.set(
            xlabel="area about the release site (µm²)",
            ylabel=f"fraction open at {1e3 * at:.0f} µs",
            xlim=(0, 0.6),
            ylim=(0, 1),
        )
        right.legend()
    return figure
