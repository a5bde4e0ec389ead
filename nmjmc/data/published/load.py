"""Reads the YAML files that stand beside it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from nmjmc.analysis.observations import Histogram, Statistic
from nmjmc.errors import ValidationError, nearest


def available() -> tuple[str, ...]:
    """Names of the published data sets."""
    return tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.yaml")))


@functools.cache
def _read(name: str) -> Mapping[str, Any]:
    if name not in available():
        raise ValidationError("published data", repr(name), "a known set", nearest(name, available()))
    return yaml.safe_load((Path(__file__).parent / f"{name}.yaml").read_text(encoding="utf-8"))


def _item(name: str, group: str, key: str) -> Any:
    record = _read(name).get(group, {})
    if key not in record:
        raise ValidationError(f"{group} of {name}", repr(key), "a known one", nearest(key, record))
    return record[key]


def histogram(name: str, key: str) -> Histogram:
    """A published histogram.

    Args:
        name: One of `available()`, for example `boyd_martin_1956`.
        key: Which of its histograms, for example `epp_amplitude`.

    Raises:
        ValidationError: If there is none of that name.
    """
    entry = _item(name, "histograms", key)
    first, width = float(entry["first_centre"]), float(entry["bin_width"])
    centres = first + width * np.arange(len(entry["counts"]))
    return Histogram.from_centres(
        centres, np.asarray(entry["counts"]), failures=int(entry.get("failures", 0)), unit=entry["unit"],
        source=_read(name)["citation"],
    )  # fmt: skip


def pairs(name: str, key: str) -> np.ndarray:
    """Published pairs of numbers, float64 [row, 2].

    Raises:
        ValidationError: If there are none of that name.
    """
    return np.asarray(_item(name, "pairs", key)["rows"], np.float64)


def statistics(name: str) -> list[Statistic]:
    """The published summary values of a set, each with unit, error, mark and source.

    Raises:
        ValidationError: If there is no such set.
    """
    record = _read(name)
    return [_statistic(entry, str(record.get("citation", ""))) for entry in record.get("statistics", [])]


def _statistic(entry: Mapping[str, Any], citation: str) -> Statistic:
    low, high = entry.get("range", (float("nan"), float("nan")))
    middle = 0.5 * (float(low) + float(high))
    return Statistic(
        name=entry["name"], value=float(entry.get("value", middle)),
        standard_error=float(entry.get("se", float("nan"))), unit=str(entry.get("unit", "")),
        n=int(entry.get("n", 0)), mark=entry["mark"], source=str(entry.get("source", citation)),
        conditions=str(entry.get("conditions", "")), low=float(low), high=float(high),
    )  # fmt: skip
