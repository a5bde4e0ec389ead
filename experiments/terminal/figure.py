"""The figure of the terminal."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from experiments.common import canvas
from experiments.hospital import ratio
from experiments.terminal.measure import EDGES, Released, variance_over_mean
from nmjmc.junction.terminal import Terminal
from nmjmc.viz.style import COLOURS, INK, PALE, style

SITES = Terminal().zones


def draw(
    singles: dict[float, Released],
    pairs: dict[float, dict[float, np.ndarray]],
    train: np.ndarray,
    tetanus: Any,
    times: np.ndarray,
) -> Figure:
    """Eight panels, one a finding."""
    with style():
        figure = canvas(180, 95)
        axes = figure.subplots(2, 4).ravel()
        counts = {calcium: one.quanta[:, 0] for calcium, one in singles.items()}
        _against_calcium(axes[0], counts)
        _counts(axes[1], counts)
        _variances(axes[2], counts)
        _delays(axes[3], singles[2000.0].time[:, 0])
        _pairs(axes[4], pairs)
        _train(axes[5], train)
        _tetanus(axes[6], tetanus)
        _intervals(axes[7], times)
        for letter, panel in zip("abcdefgh", axes, strict=True):
            panel.set_title(letter, loc="left", fontweight="bold")
    return figure


def _against_calcium(axes: Axes, counts: dict[float, np.ndarray]) -> None:
    calcium = np.array(list(counts)) / 1e3
    mean = np.array([x.mean() for x in counts.values()])
    axes.loglog(calcium, mean, "o-", color=COLOURS[0], markersize=3)
    for power, line in ((3, ":"), (4, "--")):
        axes.loglog(calcium[:4], mean[0] * (calcium[:4] / calcium[0]) ** power, line, color=INK, linewidth=0.8,
                    label=f"power {power}")  # fmt: skip
    axes.set_xticks([0.125, 0.5, 2.0], ["0.125", "0.5", "2"])
    axes.minorticks_off()
    axes.set(xlabel="calcium outside (mM)", ylabel="quantal content")
    axes.legend(loc="lower right")


def _counts(axes: Axes, counts: dict[float, np.ndarray]) -> None:
    """Counts at rest beside the laws of their means."""
    number = np.arange(SITES + 1)
    for calcium, colour, words in ((250.0, COLOURS[1], "0.25 mM"), (2000.0, COLOURS[0], "2 mM")):
        found = counts[calcium]
        share = np.bincount(found, minlength=SITES + 1) / found.size
        axes.bar(number, share, color=colour, alpha=0.5, width=1.0, label=words)
        axes.plot(number, stats.binom.pmf(number, SITES, found.mean() / SITES), ".-", color=colour, markersize=2,
                  linewidth=0.7)  # fmt: skip
    axes.plot(
        number,
        stats.poisson.pmf(number, counts[2000.0].mean()),
        ":",
        color=INK,
        linewidth=0.9,
        label="Poisson",
    )
    axes.set(xlabel="quanta (lines: binomial)", ylabel="share of terminals")
    axes.legend(loc="upper center")


def _variances(axes: Axes, counts: dict[float, np.ndarray]) -> None:
    found = [variance_over_mean(x) for x in counts.values()]
    value = np.array([e.value for e in found])
    half = np.array([0.5 * (e.high - e.low) for e in found])
    axes.errorbar([x.mean() for x in counts.values()], value, half, fmt="o", color=COLOURS[0], markersize=3,
                  elinewidth=0.8)  # fmt: skip
    axes.plot([0, SITES], [1, 0], "--", color=INK, linewidth=0.8, label="binomial")
    axes.axhspan(0.10, 0.18, color=PALE, linewidth=0, zorder=0, label="rat, at rest")
    axes.set(xlabel="quantal content", ylabel="variance over mean", xlim=(0, SITES), ylim=(0, 1.45))
    axes.legend(loc="upper right")


def _delays(axes: Axes, time: np.ndarray) -> None:
    known = 1e3 * time[np.isfinite(time)]
    axes.hist(known, (1e3 * EDGES).tolist(), density=True, color=COLOURS[0])
    axes.set(xlabel="after the spike (µs)", yticks=[], ylabel="releases")
    axes.set_xlim(*np.percentile(known, [0.0, 99.8]) + np.array([-60, 60]))


def _pairs(axes: Axes, pairs: dict[float, dict[float, np.ndarray]]) -> None:
    for (calcium, by_interval), colour in zip(pairs.items(), (COLOURS[1], COLOURS[0]), strict=True):
        found = [ratio(q[:, 1], q[:, 0]) for q in by_interval.values()]
        value = np.array([e.value for e in found])
        bars = np.array([[e.value - e.low, e.high - e.value] for e in found]).T
        axes.errorbar(list(by_interval), value, bars, fmt="o-", color=colour, markersize=3, elinewidth=0.8,
                      label=f"{calcium / 1e3:g} mM")  # fmt: skip
    axes.axhline(1.0, color=INK, linestyle="--", linewidth=0.7)
    axes.set_xscale("log")
    axes.set_xticks([10, 50, 200], ["10", "50", "200"])
    axes.minorticks_off()
    axes.set(xlabel="interval of a pair (ms)", ylabel="second over first", xlim=(8, 500))
    axes.legend(loc="upper right")


def _train(axes: Axes, train: np.ndarray) -> None:
    share = train.mean(axis=0) / train[:, 0].mean()
    axes.plot(np.arange(1, share.size + 1), share, ".-", color=COLOURS[0], linewidth=0.8)
    axes.axhspan(0.75, 0.80, color=PALE, linewidth=0, zorder=0, label="mouse, plateau")
    axes.set(xlabel="stimulus at 40 Hz", ylabel="content over the first", ylim=(0, 1.1))
    axes.legend(loc="lower right")


def _tetanus(axes: Axes, tetanus: Any) -> None:
    found = [ratio(after, tetanus.before) for after in tetanus.after.values()]
    value = np.array([e.value for e in found])
    bars = np.array([[e.value - e.low, e.high - e.value] for e in found]).T
    axes.errorbar(list(tetanus.after), value, bars, fmt="o-", color=COLOURS[0], markersize=3, elinewidth=0.8)
    axes.axhline(1.0, color=INK, linestyle="--", linewidth=0.7)
    axes.set_xscale("log")
    axes.set_xticks([0.1, 1, 10], ["0.1", "1", "10"])
    axes.minorticks_off()
    axes.set(xlabel="after a tetanus (s)", ylabel="content over before")
    axes.set_ylim(bottom=0)


def _intervals(axes: Axes, times: np.ndarray) -> None:
    interval = np.sort(np.diff(times)) / 1e3
    left = 1.0 - (np.arange(interval.size) + 0.5) / interval.size
    axes.semilogy(interval, left, color=COLOURS[0], linewidth=1.4)
    axes.semilogy(interval, np.exp(-interval * 1e3 * float(Terminal().spontaneous_rate)), "--", color=INK,
                  linewidth=0.8, label="exponential")  # fmt: skip
    axes.set(xlabel="MEPP interval (s)", ylabel="share that is longer", ylim=(1e-3, 1.1), xlim=(0, 36))
    axes.legend(loc="upper right")
