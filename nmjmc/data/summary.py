"""The numbers under a result: features of the currents and the fate of the ACh, with standard errors."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nmjmc.analysis.waveform import UNITS
from nmjmc.data import seal
from nmjmc.errors import ValidationError
from nmjmc.numbers import finite_or_none

if TYPE_CHECKING:
    from nmjmc.data.result import Result


def read_summary(path: Path) -> dict[str, Any]:
    """The summary of a run.

    Raises:
        ValidationError: If it is damaged.
    """
    try:
        return seal.unsealed(seal.content_of(path))
    except seal.DamageError as error:
        hint = "the same words with resume=true write it again from the result beside it"
        raise ValidationError(
            "the summary", f"{path}, which is damaged: {error}", "as it was written", hint
        ) from error


def summarise(result: Result) -> dict[str, Any]:
    """Everything that a table of a result shows, as values that JSON can hold.

    Args:
        result: The result.

    Returns:
        `name`, `seed`, `vesicles` (patches, where `quanta_of_a_patch` exceeds 1), `duration_ms`; `features`: for
        each feature its unit, mean, SD over vesicles, standard error of the mean, the number of vesicles that have
        it, and its value in the mean trace; `peak_open_channels` likewise; `fate_of_ach`: mean, SD, standard error
        and fraction of what was released, at the last record; `conserved`.
    """
    features = {
        name: {"unit": UNITS[name], **_statistics(v)} for name, v in result.waveform.as_dict().items()
    }
    for name, value in result.mean_waveform.as_dict().items():
        features[name]["of_mean_trace"] = finite_or_none(value)
    peak = {"unit": "channels", **_statistics(result.open_channels.max(axis=1))}
    peak["of_mean_trace"] = finite_or_none(result.open_channels.mean(axis=0).max())
    return {
        "name": result.synapse.name,
        "seed": int(result.seed),
        "vesicles": result.vesicles,
        "quanta_of_a_patch": result.quanta,
        "duration_ms": float(result.time[-1]),
        "features": features,
        "peak_open_channels": peak,
        "fate_of_ach": fate(result),
        "conserved": result.conserved(),
        "provenance": dict(result.provenance),
    }


def fate(result: Result) -> dict[str, dict[str, Any]]:
    """Where the ACh was at the last record: molecules a vesicle, and the fraction of what was released."""
    last = {
        "bound": result.bound[:, -1],
        "hydrolysed": result.counts["hydrolysed"][:, -1],
        "escaped": result.counts["escaped"][:, -1],
        "free": result.counts["free_ach"][:, -1],
    }
    released = float(result.counts["released"][:, -1].sum())
    return {
        name: {
            "unit": "molecules",
            **_statistics(v),
            "fraction": finite_or_none(v.sum() / released if released else 0.0),
        }
        for name, v in last.items()
    }


def _statistics(values: np.ndarray) -> dict[str, Any]:
    """Mean, SD (n - 1) and standard error over the vesicles that have the feature, and their number."""
    finite = np.asarray(values, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    count = finite.size
    deviation = float(finite.std(ddof=1)) if count > 1 else math.nan
    return {
        "mean": finite_or_none(finite.mean() if count else math.nan),
        "sd": finite_or_none(deviation),
        "standard_error": finite_or_none(deviation / math.sqrt(count) if count else math.nan),
        "measured": count,
    }
