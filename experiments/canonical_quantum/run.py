"""The canonical quantum against other programs: a converged PDE and MCell3, in three variants.

This is verification (the same equations solved by others), not validation against nature. The limits are the
project's requirements: peak 1 %, rise 3 %, decay 2 %, every species 1.5 % of its maximum, fates 1.5 %.
"""

from __future__ import annotations

import numpy as np

import nmjmc
from experiments.canonical_quantum import reference
from experiments.common import Report, canvas, of_mean, of_replicates, shape_of_mean
from nmjmc.analysis.waveform import measure
from nmjmc.viz.style import COLOURS, style

VARIANTS = {
    "std": {},
    "noE": {"esterase": {"active_fraction": 0}},
    "myas": {"receptor": {"density": "3000 /um^2"}},
}
FEATURES = {
    "amplitude": ("peak open channels", 1.0, 1.0, ""),
    "rise_20_80": ("20-80 % rise", 3.0, 1e3, "us"),
    "decay_time": ("decay", 2.0, 1e3, "us"),
}
SPECIES_LIMIT = 1.5
FATE_LIMIT = 1.5
INTERVAL = 0.005


def run(report: Report) -> None:
    """Simulate the three variants and set them against the references."""
    root = reference.folder()
    vesicles = 4 if report.fast else 512
    source = "PDE" if root else "mean field (no reference here)"
    report.facts |= {"quanta": vesicles, "against": source}
    compared = {}
    for name in VARIANTS if not report.fast else ("std",):
        synapse = nmjmc.preparation("slab", **VARIANTS[name])
        result = nmjmc.simulate(synapse, vesicles, 100, duration=3.0, record_interval=INTERVAL)
        time, expected = reference.pde(root, name) if root else reference.mean_field(synapse, result.time)
        ours = _species(result)
        differences = _differences(result.time, ours, time, expected)
        other = _mcell_differences(root, name, time, expected)
        compared[name] = (result.time, ours, time, expected, differences, other)
        _features(report, name, result, time, expected["A2Ro"], source)
        _largest(report, name, ours, differences, source)
        _fates(report, name, ours, expected, source)
        report.facts[f"{name}: largest difference from the {source} [% of maximum]"] = {
            s: float(np.abs(d).max()) for s, d in differences.items()
        }
        report.facts[f"{name}: the same of MCell3, 0.1 us"] = {
            s: float(np.abs(d).max()) for s, (_, d) in other.items()
        }
    report.draw(_figure(compared, source))


def _species(result: nmjmc.Result) -> dict[str, np.ndarray]:
    names = {"ACh": "free_ach"}
    return {s: result.counts[names.get(s, s)].astype(float) for s in reference.SPECIES}


def _differences(time, ours, other_time, expected) -> dict[str, np.ndarray]:
    """Mean trace minus the reference, in per cent of the reference's maximum [t]."""
    return {
        s: 100 * (ours[s].mean(axis=0) - np.interp(time, other_time, expected[s])) / expected[s].max()
        for s in expected
        if expected[s].max() > 0
    }


def _mcell_differences(root, name: str, time, expected) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    if root is None:
        return {}
    when, mean = reference.mcell(root, name)
    return {
        s: (when, 100 * (mean[s] - np.interp(when, time, expected[s])) / expected[s].max())
        for s in expected
        if s in mean and expected[s].max() > 0
    }


def _features(report: Report, name: str, result, time, expected: np.ndarray, source: str) -> None:
    shape = shape_of_mean(result.time, result.open_channels.astype(float))
    wanted = measure(time, expected, polarity=1).as_dict()
    for feature, (words, limit, factor, unit) in FEATURES.items():
        value = float(wanted[feature]) * factor
        error = of_replicates(
            100 * (shape.value[feature] * factor / value - 1),
            100 * (shape.replicates[feature] * factor / value - 1),
        )
        text = f"{value:.1f}{' ' + unit if unit else ''}"
        report.say(
            f"{name}: {words}, simulated {shape.value[feature] * factor:.1f}",
            "%",
            f"{source} {text}",
            "C",
            (-limit, limit),
            error,
        )


def _largest(report: Report, name: str, ours, differences: dict[str, np.ndarray], source: str) -> None:
    """The species and time with the largest difference, and the interval there."""
    worst = max(differences, key=lambda s: np.abs(differences[s]).max())
    at = int(np.abs(differences[worst]).argmax())
    spread = of_mean(ours[worst][:, at])
    percent = 100 * (spread.high - spread.low) / 2 / max(ours[worst].mean(axis=0).max(), 1e-12)
    value = float(differences[worst][at])
    report.say(
        f"{name}: largest difference of any species ({worst} at {at * INTERVAL * 1e3:.0f} us)",
        "%",
        source,
        "C",
        (-SPECIES_LIMIT, SPECIES_LIMIT),
        type(spread)(value, value - percent, value + percent),
    )


def _fates(report: Report, name: str, ours, expected, source: str) -> None:
    for fate in ("escaped", "hydrolysed"):
        value = float(expected[fate][-1])
        if value <= 0:
            continue
        report.say(
            f"{name}: {fate} by 3 ms, simulated {ours[fate][:, -1].mean():.0f}",
            "%",
            f"{source} {value:.0f}",
            "C",
            (-FATE_LIMIT, FATE_LIMIT),
            of_mean(100 * (ours[fate][:, -1] / value - 1)),
        )


def _figure(compared: dict, source: str):
    colours = dict(zip(reference.SPECIES, (*COLOURS, "#F0E442", "#888888"), strict=True))
    with style():
        figure = canvas(165, 45 * len(compared) + 22)
        rows = figure.subplots(len(compared), 3, sharex=True, squeeze=False)
        for (left, middle, right), (name, parts) in zip(rows, compared.items(), strict=True):
            time, ours, other_time, expected, differences, other = parts
            for s in differences:
                top = expected[s].max()
                left.plot(other_time, expected[s] / top, color=colours[s], lw=0.9)
                left.plot(time[::40], ours[s].mean(axis=0)[::40] / top, "o", ms=1.8, color=colours[s])
                middle.plot(time, differences[s], color=colours[s], lw=0.7, label=s)
            for s, (when, difference) in other.items():
                right.plot(when, difference, color=colours[s], lw=0.7)
            left.set_ylabel(f"{name}\ncount / maximum")
            middle.set_ylabel("difference (% of maximum)")
            for axes in (middle, right):
                axes.axhspan(-SPECIES_LIMIT, SPECIES_LIMIT, color="#eeeeee", zorder=0)
                axes.set_ylim(-4, 4)
            left.set_xlim(0, 3)
        rows[0][0].set_title(f"lines: {source}; dots: nmjmc")
        rows[0][1].set_title(f"nmjmc − {source}")
        rows[0][2].set_title(f"MCell3, 0.1 µs − {source}" if other else "no MCell traces here")
        for axes in rows[-1]:
            axes.set_xlabel("time (ms)")
        figure.legend(*rows[0][1].get_legend_handles_labels(), loc="outside lower center", ncols=9)
    return figure
