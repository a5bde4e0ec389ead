"""Which analyses several release probabilities, and pauses after a train, allow: their rows and curves."""

from __future__ import annotations

import numpy as np

from nmjmc.analysis.bench import trains
from nmjmc.analysis.bench.fluctuation import Fluctuation, fluctuation
from nmjmc.analysis.bench.measured import Measured
from nmjmc.bench.evoked import cv_of, noise_of, with_unit
from nmjmc.bench.found import Found
from nmjmc.bench.request import Quantal
from nmjmc.bench.sources import Evoked, Pauses
from nmjmc.data.quantal import Curve


def conditions(source: Evoked, asked: Quantal) -> Found:
    """Variance against mean: each column a release probability."""
    findings = Found()
    findings.notes += source.notes
    alpha = {"equal": float("inf"), "fit": None}.get(asked.alpha, asked.alpha)
    values = source.conditions()
    one = fluctuation(
        values, noise_sd=noise_of(source, asked), within_cv=cv_of(asked, None),
        between_cv=asked.amount("between_cv"), alpha=alpha, number=int(asked.resamples), seed=int(asked.seed),
    )  # fmt: skip
    findings.rows += [with_unit(one.quantum, source.unit), one.sites, *one.probability]
    findings.rows += [one.alpha] if alpha is None else []
    if np.isfinite(one.p_value):
        findings.rows.append(Measured("P of the curve", "", one.p_value, np.nan, np.nan, "chi-squared"))
        if one.p_value < 0.05:
            findings.notes.append(
                f"The points do not lie on the curve (P = {one.p_value:.2g}): sites may differ (alpha=fit), or more "
                "than the release probability changed."
            )
    if not np.isfinite(one.sites.high):
        findings.notes.append(
            "The points do not bend down beyond chance: there is no upper limit to the number of sites."
        )
    _variance_mean(findings, one, source.unit)
    return findings


def recovery(source: Pauses) -> Found:
    """Recovery after pauses."""
    findings = Found()
    one = trains.recovery(source.pause, source.ratio, source.error if source.error.size else None)
    findings.rows += [one.tau, one.depth]
    if np.isfinite(one.p_value):
        findings.rows.append(Measured("P of the exponential", "", one.p_value, np.nan, np.nan, "chi-squared"))
    order = np.argsort(source.pause)
    error = source.error if source.error.size else np.full(source.pause.size, np.nan)
    findings.curves["recovery"] = Curve(
        {"pause": source.pause[order], "ratio": source.ratio[order], "error": error[order],
         "fitted": one.curve(source.pause[order])},
        {"pause": "ms"},
    )  # fmt: skip
    return findings


def _variance_mean(findings: Found, one: Fluctuation, unit: str) -> None:
    order = np.argsort(one.means)
    findings.curves["variance_mean"] = Curve(
        {"mean": one.means[order], "variance": one.variances[order], "error": one.errors[order],
         "fitted": one.curve(one.means[order])},
        {"mean": unit, "variance": f"{unit}^2", "error": f"{unit}^2", "fitted": f"{unit}^2"},
    )  # fmt: skip
    x = np.linspace(0.0, 1.05 * one.means.max(), 100)
    findings.curves["variance_mean_fit"] = Curve(
        {"mean": x, "fitted": one.curve(x)}, {"mean": unit, "fitted": f"{unit}^2"}
    )
