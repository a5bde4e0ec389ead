"""The numbers of a summary in one row: what a table of a sweep has a column for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from nmjmc.analysis.waveform import UNITS as FEATURES

FATES = ("bound", "hydrolysed", "escaped", "free")
UNITS: dict[str, str] = {
    **FEATURES,
    "peak_open_channels": "",
    **{name: "molecules" for name in FATES},
}
"""Unit of every feature, by its name; `""` for a pure number."""


class Feature(NamedTuple):
    """One number of a point: the mean over its vesicles and how well it is known; None where there is none."""

    value: float | None
    standard_error: float | None
    deviation: float | None
    measured: int


def flat(summary: Mapping[str, Any]) -> dict[str, Feature]:
    """The features of a summary by name.

    Args:
        summary: What `Result.summary()` gives.

    Returns:
        Mean, standard error, SD over the vesicles and the number of vesicles that have it.
    """
    by_name = {name: summary["features"].get(name) for name in FEATURES}
    by_name["peak_open_channels"] = summary["peak_open_channels"]
    by_name |= {name: summary["fate_of_ach"].get(name) for name in FATES}
    return {name: _feature(values) for name, values in by_name.items()}


def _feature(values: Mapping[str, Any] | None) -> Feature:
    if values is None:
        return Feature(None, None, None, 0)
    return Feature(values["mean"], values["standard_error"], values["sd"], int(values["measured"]))
