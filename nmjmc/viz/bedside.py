"""The figures of the bedside tests, as a clinician knows them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nmjmc.data.examination import Examination
from nmjmc.diagnostics.finding import in_words
from nmjmc.diagnostics.rns import rule_of
from nmjmc.viz.bedside_chain import plot_chain, size_of
from nmjmc.viz.bedside_clamp import plot_clamped
from nmjmc.viz.bedside_dose import plot_dose_response, plot_train_of_four, title_of
from nmjmc.viz.style import COLOURS, INK, MILLIMETRE, PALE, Picture, save, style

_RED = COLOURS[1]


def plot_examination(examination: Examination, path: str | Path | None = None) -> Figure:
    """Draw a bedside test.

    Args:
        examination: What was found.
        path: Where to write the figure, if anywhere; the suffix decides the format.
    """
    draw, width, height = _FIGURES.get(examination.test, (_rows, 110, 15 * len(examination.finding.rows)))
    if examination.test == "chain":
        width, height = size_of(examination)
    with style():
        height += 55 if "after_exercise_response" in examination.finding.arrays else 0
        figure = Picture(figsize=(width * MILLIMETRE, height * MILLIMETRE), layout="constrained")
        draw(figure, examination)
        figure.suptitle(title_of(examination), x=0.01, ha="left", fontsize=8, color=INK)
    if path is not None:
        save(figure, path)
    return figure


def _rows(figure: Figure, examination: Examination) -> None:
    """Each number with its interval: the figure of a test that has none of its own."""
    rows = examination.finding.rows
    for axes, row in zip(figure.subplots(len(rows), 1, squeeze=False)[:, 0], rows, strict=True):
        bars = np.nan_to_num([[row.value - row.low], [row.high - row.value]]).clip(min=0)
        axes.errorbar([row.value], [0], xerr=bars, fmt="o", color=_RED, markersize=3.5, elinewidth=0.8)
        axes.set_title(f"{row.name}: {in_words(row)}", loc="left", fontsize=7)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)


def _rns(figure: Figure, examination: Examination) -> None:
    """Superposed compound responses, and their amplitudes in per cent of the first; after exercise below."""
    prefixes = [p for p in ("", "after_exercise_") if f"{p}response" in examination.finding.arrays]
    rows = figure.subplots(len(prefixes), 2, squeeze=False, width_ratios=[1.25, 1], sharex="col")
    every = [examination.finding[f"{p}response"] for p in prefixes]
    ends = min(float(r.min()) for r in every), max(float(r.max()) for r in every)
    for (left, right), prefix in zip(rows, prefixes, strict=True):
        words = "after exercise" if prefix else ("at rest" if len(prefixes) > 1 else "")
        _superposed(left, examination, prefix, ends, words)
        _decrement(right, examination, prefix)
    rows[-1, 0].set_xlabel("time after the stimulus (ms)")
    rows[-1, 1].set_xlabel("stimulus")


def _superposed(
    axes: Axes, examination: Examination, prefix: str, ends: tuple[float, float], words: str
) -> None:
    finding = examination.finding
    response, time = finding[f"{prefix}response"], finding["response_time"]
    count, (lowest, highest) = len(response), ends
    for k in range(count - 1, 0, -1):
        # later responses are paler
        axes.plot(time, response[k], color=COLOURS[0], alpha=0.35 + 0.5 * (1 - k / count), linewidth=0.8)
    axes.plot(time, response[0], color=_RED, linewidth=1.4, label="first")
    axes.plot([], [], color=COLOURS[0], linewidth=0.8, label=f"2nd to {ordinal(count)}")
    shown = time[np.abs(response).max(axis=0) > 0.01 * max(highest, 1e-9)]
    if shown.size and not prefix:
        axes.set_xlim(max(0.0, shown[0] - 1), shown[-1] + 1)
    axes.set_ylim(1.08 * lowest if lowest else -1, 1.12 * highest if highest else 1)
    axes.set_ylabel("compound response\n(potentials of one fibre)")
    axes.legend(loc="upper right", title=words or None, alignment="left")


def ordinal(number: int) -> str:
    """`2nd`, `3rd`, `4th`, `11th`, `21st`."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _decrement(axes: Axes, examination: Examination, prefix: str) -> None:
    finding = examination.finding
    amplitude, base = finding[f"{prefix}amplitude"], finding["amplitude"][0]
    number = np.arange(1, amplitude.size + 1)
    axes.set_ylabel("amplitude (% of the first)")
    if not base > 0:
        # there is nothing that these could be per cent of
        axes.set(xlim=(0.4, amplitude.size + 0.6), ylim=(0, 115))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.annotate("no first response", (0.5, 0.5), xycoords="axes fraction", ha="center", color=INK)
        return
    share = 100 * amplitude / base
    axes.bar(number, share, color=PALE, width=0.75)
    ends = (f"{prefix}amplitude_low", f"{prefix}amplitude_high")
    if all(name in finding.arrays for name in ends):  # files of earlier versions have none
        low, high = (100 * finding[name] / base for name in ends)
        bars = np.stack([share - low, high - share]).clip(min=0)
        axes.errorbar(number, share, bars, fmt="none", ecolor=INK, elinewidth=0.7)
    axes.plot(number, share, "o", color=INK, markersize=3)
    rule, limits = rule_of(finding.facts["frequency_Hz"]), finding.facts["limits"]
    limit = {"decrement": 100 - limits["decrement_%"], "increment": 100 + limits["increment_%"]}.get(
        rule, 0.0
    )
    if rule and (not prefix or rule == "increment"):
        axes.axhline(limit, color=_RED, linewidth=0.8, linestyle="--")
        axes.annotate(
            "limit", (1.01, limit), xycoords=("axes fraction", "data"), va="center", fontsize=6.5,
            color=_RED,
        )  # fmt: skip
    axes.set_ylim(0, max(115.0, 1.12 * share.max(initial=0), 1.08 * limit))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    name = "decrement after exercise" if prefix else (rule or "decrement")
    axes.set_title(f"{name} {in_words(finding.row(name))}", loc="left", fontsize=7, color=INK)


def _sfemg(figure: Figure, examination: Examination) -> None:
    """Intervals of every pair about their median, and the histogram of the jitter."""
    left, right = figure.subplots(1, 2, width_ratios=[1.4, 1])
    finding = examination.finding
    interval, jitter, blocking = finding["interval"], finding["jitter"], finding["blocking"]
    pair, mean = finding.facts["limit_pair_us"], finding.facts["limit_mean_us"]
    reach = _reach(interval, pair)
    for row, (values, mcd, blocked) in enumerate(zip(interval, jitter, blocking, strict=True), start=1):
        colour = _RED if not mcd <= pair or blocked > 0 else COLOURS[0]
        seen = values[np.isfinite(values)]
        around = 1e3 * (seen - np.median(seen)) if seen.size else seen
        inside = around[np.abs(around) <= reach]
        axes_row = np.full(inside.size, row)
        left.plot(inside, axes_row, "|", color=colour, markersize=4, markeredgewidth=0.6)
        for far, side, shape in ((around < -reach, -reach, "<"), (around > reach, reach, ">")):
            if far.any():
                left.plot(0.985 * side, row, shape, color=colour, markersize=3)
        if blocked > 0:
            left.annotate(f"{100 * blocked:.0f} %", (1.01, row), xycoords=left.get_yaxis_transform(), va="center",
                          fontsize=6)  # fmt: skip
    if (blocking > 0).any():
        left.set_title("blocks", loc="right", fontsize=6.5, color=INK)
    left.set(xlabel="interval about its median (µs)", ylabel="pair", xlim=(-reach, reach))
    left.set_ylim(len(interval) + 0.7, 0.3)
    left.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=10))
    top = max(1.1 * pair, 1.05 * (np.nanmax(jitter) if np.isfinite(jitter).any() else pair))
    right.hist(
        jitter[np.isfinite(jitter)], bins=np.linspace(0, top, 16).tolist(), color=PALE, edgecolor="white"
    )
    right.axvline(pair, color=_RED, linewidth=0.9, linestyle="--", label=f"limit of a pair, {pair:g} µs")
    right.axvline(mean, color=INK, linewidth=0.9, linestyle=":", label=f"limit of the mean, {mean:g} µs")
    if np.isfinite(jitter).any():
        middle = np.nanmean(jitter)
        right.axvline(middle, color=COLOURS[0], linewidth=1.2, label=f"mean, {middle:.0f} µs")
    right.set(xlabel="jitter, MCD (µs)", ylabel="pairs", xlim=(0, top))
    right.yaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower right", ncols=3)


def _reach(interval: np.ndarray, pair: float) -> float:
    """How far the raster goes to either side [us]: nearly all intervals; those beyond are marked at its edge."""
    known = interval[np.isfinite(interval).any(axis=1)]
    if not known.size:
        return 2.0 * pair
    spread = 1e3 * np.abs(known - np.nanmedian(known, axis=1, keepdims=True))
    return max(2.0 * pair, 1.15 * float(np.nanpercentile(spread, 98)))


def _epp(figure: Figure, examination: Examination) -> None:
    """The potentials of a fibre of middling safety factor, and every fibre's potential beside its threshold."""
    left, right = figure.subplots(1, 2, width_ratios=[1.25, 1])
    finding = examination.finding
    amplitude, threshold, factor = finding["amplitude"], finding["threshold"], finding["safety_factor"]
    middle = int(np.argsort(np.where(np.isfinite(factor), factor, np.inf))[np.isfinite(factor).sum() // 2])
    potential = finding["potential"][middle]
    count = len(potential)
    for k in range(count - 1, -1, -1):
        colour, width = (_RED, 1.4) if k == 0 else (COLOURS[0], 0.8)
        label = "first" if k == 0 else ("later" if k == count - 1 else None)
        left.plot(finding["time"], potential[k], color=colour, linewidth=width, label=label)
    if np.isfinite(threshold[middle]):
        level = potential[0, 0] + threshold[middle]
        left.axhline(level, color=INK, linewidth=0.8, linestyle="--")
        left.annotate("threshold", (1.0, level), xycoords=("axes fraction", "data"), ha="right", fontsize=6.5,
                      xytext=(0, 2), textcoords="offset points")  # fmt: skip
        # room for a quantum or two, where the potential stays far below
        left.set_ylim(top=max(left.get_ylim()[1], level + 0.25 * threshold[middle]))
    left.set(xlabel="time after the stimulus (ms)", ylabel="endplate, sodium blocked (mV)")
    left.set_title("fibre of middling safety factor", loc="left", fontsize=7, color=INK)
    handles, labels = (x[::-1] for x in left.get_legend_handles_labels())
    left.legend(handles, labels, loc="upper left", bbox_to_anchor=(0.0, -0.2), ncols=2, borderaxespad=0.0)
    known = np.isfinite(threshold)
    for k, colour, size, words in ((0, _RED, 3, "first stimulus"), (-1, COLOURS[0], 2.5, "last")):
        right.plot(threshold[known], amplitude[known, k], "o", color=colour, markersize=size, label=words,
                   clip_on=False)  # fmt: skip
    silent = int((finding["quantal_content"][:, 0] == 0).sum())
    if silent:
        right.set_title(
            f"{silent} of {len(factor)} without a quantum at first", loc="left", fontsize=7, color=INK
        )
    top = 1.1 * max(float(amplitude.max()), float(np.nanmax(threshold)) if known.any() else 0.0)
    right.plot([0, top], [0, top], color=INK, linewidth=0.8, linestyle="--")
    right.annotate("above the line: fires", (0.03, 0.97), xycoords="axes fraction", va="top", fontsize=6.5)
    right.set(xlabel="threshold (mV)", ylabel="endplate potential (mV)", ylim=(0, top))
    right.set_xlim(0, 2.0 * float(np.nanmax(threshold)) if known.any() else top)
    right.legend(loc="lower right")


def _twitch(figure: Figure, examination: Examination) -> None:
    """Force of one twitch beside that of the train, the stimuli below."""
    axes = figure.subplots()
    finding = examination.finding
    for name, time, colour, words in (
        ("force", "time", COLOURS[0], "train"), ("twitch", "twitch_time", _RED, "one stimulus"),
    ):  # fmt: skip
        if name == "force" and finding["stimulus_time"].size == 1:
            continue  # the same twitch once more
        force = 100 * (finding[name] - finding["force"][:, :1].mean())
        # single fibres are few enough to be seen behind their mean
        axes.plot(finding[time], force.T[:, :20], color=colour, linewidth=0.4, alpha=0.25)
        axes.plot(finding[time], force.mean(axis=0), color=colour, linewidth=1.5, label=words)
    low = -0.06 * axes.get_ylim()[1]
    axes.vlines(finding["stimulus_time"], 1.9 * low, 0.9 * low, color=INK, linewidth=0.6)
    axes.set_ylim(bottom=2 * low)
    axes.set(
        xlabel="time (ms)",
        ylabel="force above rest (% of the greatest)",
        xlim=(-0.02 * finding["time"][-1], finding["time"][-1]),
    )
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), title="mean of the fibres", alignment="left")


_FIGURES: dict[str, tuple[Callable[[Figure, Examination], None], float, float]] = {
    "rns": (_rns, 150, 70), "sfemg": (_sfemg, 155, 85), "epp": (_epp, 150, 70), "twitch": (_twitch, 135, 70),
    "epc": (plot_clamped, 150, 70), "mepc": (plot_clamped, 150, 70),
    "chain": (plot_chain, 180, 194),
    "tof": (plot_train_of_four, 150, 95), "dose_response": (plot_dose_response, 130, 75),
}  # fmt: skip
