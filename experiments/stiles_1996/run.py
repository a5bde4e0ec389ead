"""Rise of the miniature current with a fast pore, a slow pore and instantaneous release.

Stiles, Van Helden, Bartol, Salpeter & Salpeter 1996, PNAS 93:5747 (abstract): 20-80 % rise about 80 us at 22
C with an SD of at most 25 to 30 us; a pore that grows at 25 nm/ms gives that and is like instantaneous
release; one that grows at 0.275 nm/ms, as in mast cells, does not.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

import nmjmc
from experiments.common import CONFIDENCE, Estimate, Report, canvas, of_mean, shape_of_mean
from nmjmc.viz.style import COLOURS, style

CASES = {
    "instantaneous": ("inf nm/ms", 0),
    "fast pore, 25 nm/ms": ("25 nm/ms", 0),
    "fast pore, content CV 0.3": ("25 nm/ms", 0.3),
    "slow pore, 0.275 nm/ms": ("0.275 nm/ms", 0),
}
INSTANT, FAST, VARIED, SLOW = CASES


def run(report: Report) -> None:
    """Simulate the four cases and compare the rise times."""
    results = {name: _simulate(report.fast, *case) for name, case in CASES.items()}
    shapes = {name: shape_of_mean(r.time, r.open_channels.astype(float)) for name, r in results.items()}
    rises = {name: 1e3 * r.waveform.rise_20_80 for name, r in results.items()}
    report.facts["quanta"] = results[FAST].vesicles
    report.facts["rise of single traces [us]"] = {n: vars(of_mean(r)) for n, r in rises.items()}
    report.facts["peak open channels"] = {n: s.value["amplitude"] for n, s in shapes.items()}
    for name, limits in ((FAST, (40, 120)), (INSTANT, (40, 120))):
        report.say(
            f"20-80 % rise, {name}",
            "us",
            "about 80 us",
            "V-abs",
            limits,
            shapes[name].estimate("rise_20_80", 1e3),
        )
    report.say(
        "rise, slow pore over fast pore",
        "",
        "slow pore far too slow",
        "V-abs",
        (2, np.inf),
        shapes[SLOW].ratio(shapes[FAST], "rise_20_80"),
    )
    for name in (FAST, VARIED):
        report.say(
            f"SD of the rise over quanta, {name}",
            "us",
            "upper limit 25 to 30 us",
            "V-abs",
            (-np.inf, 30),
            _deviation(rises[name]),
        )
    report.draw(_figure(results, rises))


def _simulate(fast: bool, speed: str, variation: float) -> nmjmc.Result:
    synapse = nmjmc.preparation("lizard", vesicle={"pore_speed": speed, "content_cv": variation})
    return nmjmc.simulate(
        synapse, vesicles=4 if fast else 128, seed=1996, duration=3.0, record_interval=0.005
    )


def _deviation(samples: np.ndarray) -> Estimate:
    """SD with the interval of the chi-square distribution."""
    samples = samples[np.isfinite(samples)]
    free, deviation = samples.size - 1, samples.std(ddof=1)
    low, high = stats.chi2.ppf([0.5 + CONFIDENCE / 2, 0.5 - CONFIDENCE / 2], free)
    return Estimate(
        float(deviation), float(deviation * np.sqrt(free / low)), float(deviation * np.sqrt(free / high))
    )


def _figure(results: dict[str, nmjmc.Result], rises: dict[str, np.ndarray]):
    with style():
        figure = canvas(150, 62)
        left, right = figure.subplots(1, 2, width_ratios=[1.3, 1])
        for colour, (name, result) in zip(COLOURS, results.items(), strict=False):
            mean = result.open_channels.mean(axis=0)
            label = f"{name}: {1e3 * result.mean_waveform.rise_20_80:.0f} µs"
            left.plot(
                result.time, mean / mean.max(), color=colour, label=label, ls="--" if name == VARIED else "-"
            )
            right.hist(rises[name], np.geomspace(50, 450, 70), color=colour, alpha=0.5, histtype="stepfilled")
        left.set(xlabel="time (ms)", ylabel="open channels / peak", xlim=(0, 1.5), ylim=(0, 1.05))
        left.legend(title="20-80 % rise of the mean", loc="lower right")
        right.axvspan(40, 120, color="#eeeeee", zorder=0)
        right.axvline(80, color="k", lw=0.8, ls=":")
        right.set(xlabel="20-80 % rise of single quanta (µs)", ylabel="quanta")
        right.set_xscale("log")
        right.set_xticks([50, 80, 120, 200, 300, 450], ["50", "80", "120", "200", "300", "450"])
        right.minorticks_off()
        right.set_ylim(0, 1.25 * right.get_ylim()[1])
        right.text(
            78, 0.98, "published", transform=right.get_xaxis_transform(), va="top", ha="right", fontsize=7
        )
    return figure
