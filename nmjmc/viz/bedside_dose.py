"""Figures over doses: trains of four, and dose-response curves with what the drug occupies."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nmjmc.data.examination import Examination
from nmjmc.diagnostics.intervals import wilson
from nmjmc.diagnostics.tof import RECOVERED, in_words
from nmjmc.viz.style import COLOURS, INK, PALE

AGONISTS = ("succinylcholine",)
"""Drugs that open or desensitise the receptors which they bind."""


def title_of(examination: Examination) -> str:
    """The title of a figure; where a dose rises, its drug stands in it."""
    agent = examination.finding.facts.get("agent")
    return _symbol(f"{examination.title}; {agent} rising" if agent else examination.title)


def _receptors(agent: str) -> str:
    """What a drug does to the receptors that it has at one site or both."""
    return (
        "receptors with\nthe agonist bound"
        if agent in AGONISTS
        else "receptors out of use\n(one site or both bound)"
    )


def _symbol(text: str) -> str:
    return text.replace(" uM", " µM")


def plot_train_of_four(figure: Figure, examination: Examination) -> None:
    """Four bars for each dose, as a monitor shows them, above T4/T1 and T1 against the dose."""
    top, bottom = figure.subplots(2, 1)
    finding = examination.finding
    twitch, dose = finding["twitch"], finding["dose"]
    count = int(finding.facts.get("fibres", 0))
    for d, four in enumerate(twitch):
        for k, height in enumerate(four):
            bars = _wilson_bars(height, count)
            top.bar(6 * d + k, 100 * height, color=COLOURS[0] if k in (0, 3) else PALE, width=0.85, yerr=bars,
                    error_kw={"elinewidth": 0.6, "ecolor": INK})  # fmt: skip
    top.set_xticks(
        [6 * d + 1.5 for d in range(len(dose))], ["none" if x == 0 else _symbol(in_words(x)) for x in dose]
    )
    top.tick_params(axis="x", length=0)
    top.set(ylabel="twitch (% of fibres)", ylim=(0, 108))
    x = _places(bottom, dose)
    ratio, low, high = (finding[name] for name in ("ratio", "ratio_low", "ratio_high"))
    bottom.plot(x, twitch[:, 0], "s--", color=PALE, markersize=3.5, label="T1")
    bottom.errorbar(x, ratio, _bars(ratio, low, high), fmt="o-", color=COLOURS[1], markersize=3.5,
                    elinewidth=0.8, label="T4/T1, 95 %")  # fmt: skip
    if finding["occupancy"].any():
        bottom.plot(
            x, finding["occupancy"], color=COLOURS[2], linestyle=":", label=_receptors(finding.facts["agent"])
        )
    bottom.axhline(RECOVERED, color=INK, linewidth=0.7, linestyle="--")
    bottom.annotate(f"below {RECOVERED:g}:\nresidual block", (1.01, RECOVERED), xycoords=("axes fraction", "data"),
                    va="center", fontsize=6.5)  # fmt: skip
    bottom.set(xlabel=_dose_label(bottom, finding.facts["agent"], dose), ylabel="share", ylim=(0, 1.08))
    bottom.legend(loc="center left", bbox_to_anchor=(1.01, 0.4))


def plot_dose_response(figure: Figure, examination: Examination) -> None:
    """Fibres that fire, endplate potential and occupancy against the dose."""
    axes = figure.subplots()
    finding = examination.finding
    x = _places(axes, finding["dose"])
    share, low, high = (100 * finding[name] for name in ("share", "share_low", "share_high"))
    axes.errorbar(x, share, _bars(share, low, high), fmt="o-", color=COLOURS[1], markersize=3.5, elinewidth=0.8,
                  label="fibres that fire, 95 %")  # fmt: skip
    potential = finding["potential"].mean(axis=(1, 2))
    relative = 100 * potential / potential[0] if potential[0] > 0 else np.full(x.size, np.nan)
    axes.plot(x, relative, "s-", color=COLOURS[0], markersize=3, linewidth=0.9,
              label="endplate potential\n(% of the lowest dose)")  # fmt: skip
    for name, words in (
        ("occupancy", _receptors(finding.facts["agent"])),
        ("inhibition", "esterase inhibited"),
    ):
        if np.ptp(finding[name]) > 0:
            axes.plot(x, 100 * finding[name], color=COLOURS[2], linestyle=":", label=words)
    axes.set(xlabel=_dose_label(axes, finding.facts["agent"], finding["dose"]), ylabel="per cent")
    axes.set_ylim(0, max(108.0, 1.08 * float(np.nan_to_num(relative).max())))
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))


def _wilson_bars(share: float, count: int) -> np.ndarray | None:
    """Lengths below and above of the 95 % interval of a share of fibres [%]; none where their number is not known."""
    if not count:
        return None
    _, low, high = (100 * x for x in wilson(round(share * count), count))
    return np.array([[100 * share - low], [high - 100 * share]]).clip(min=0)


def _dose_label(axes: Axes, agent: str, dose: np.ndarray) -> str:
    """The drug with its unit; a logarithmic axis, on which no dose has a place of its own, is told to be one."""
    scale = ", logarithmic" if axes.get_xscale() == "log" else ""
    none = "; no dose at the left" if scale and dose.min() == 0 else ""
    return f"{agent} ({_unit(dose)}{scale}{none})"


def _unit(dose: np.ndarray) -> str:
    return "nM" if dose.max() < 1 else "µM"


def _places(axes: Axes, dose: np.ndarray) -> np.ndarray:
    """Doses on a logarithmic axis, with no dose a step to the left of the least."""
    scaled = dose * (1e3 if dose.max() < 1 else 1.0)
    positive = scaled[scaled > 0]
    if positive.size < 2:
        return scaled
    none = positive[0] / max(1.6, float(positive[1] / positive[0]))
    places = np.where(scaled > 0, scaled, none)
    axes.set_xscale("log")
    axes.set_xticks(places, [f"{x:.3g}" for x in scaled])
    axes.minorticks_off()
    axes.set_xlim(places[0] / 1.25, places[-1] * 1.15)
    return places


def _bars(value: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Lengths of bars below and above, none where an end is unknown."""
    return np.nan_to_num(np.stack([value - low, high - value]).clip(min=0))
