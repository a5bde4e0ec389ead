"""Two results of one config: the same bits, or the same within chance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmjmc.data.features import flat

if TYPE_CHECKING:
    from nmjmc.data.examination import Examination
    from nmjmc.data.result import Result
    from nmjmc.diagnostics.finding import Row

SIGMAS = 5.0
"""Two right results differ by more in one of the eleven features in about 6 of a million comparisons."""

_NORMAL = 1.96  # standard errors of a normal mean to either side hold 95 %
_DECISIVE = ("device", "precision", "git_revision")


@dataclass(frozen=True)
class Comparison:
    """How two results of one config agree.

    Attributes:
        same_bits: Whether every count of every vesicle is equal.
        bits_expected: Whether both were made by the same code, versions, precision and kind of device.
        changes: What differs in their making, as `name: old, new`.
        distances: For each feature the distance of the means in standard errors of their difference.
    """

    same_bits: bool
    bits_expected: bool
    changes: tuple[str, ...]
    distances: Mapping[str, float]

    @property
    def farthest(self) -> tuple[str, float]:
        """The feature that differs most, and by how many standard errors."""
        return max(self.distances.items(), key=lambda item: item[1], default=("", 0.0))

    @property
    def agrees(self) -> bool:
        """The same bits; or, where other code or another device made them, no feature beyond five errors."""
        return self.same_bits or (not self.bits_expected and self.farthest[1] <= SIGMAS)

    def __str__(self) -> str:
        if self.same_bits:
            return "The same bits."
        name, distance = self.farthest
        if self.bits_expected:
            return (
                f"DIFFERENT: the bits differ, though code, versions and device are the same "
                f"({name} by {distance:.2g} standard errors)."
            )
        verdict = "the same within chance" if self.agrees else "DIFFERENT"
        return (
            f"Other bits, {verdict}: {name} differs most, by {distance:.2g} standard errors "
            f"(tolerance {SIGMAS:g}); what changed: {'; '.join(self.changes)}."
        )


def compare(old: Result, new: Result) -> Comparison:
    """Compare two results of the same config and seed."""
    changes = _changes(old.provenance, new.provenance)
    return Comparison(
        same_bits=_same_bits(old, new),
        bits_expected=not changes,
        changes=changes,
        distances=_distances(old, new),
    )


def compare_examinations(old: Examination, new: Examination) -> Comparison:
    """Compare two bedside tests of the same config and seed: their arrays, and the numbers of their tables."""
    changes = _changes(old.provenance, new.provenance)
    first, second = old.finding, new.finding
    names = set(first.arrays) == set(second.arrays)
    same = names and all(np.array_equal(first[n], second[n], equal_nan=True) for n in first.arrays)
    rows = {row.name: row for row in second.rows}
    distances = {row.name: _rows_apart(row, rows[row.name]) for row in first.rows if row.name in rows}
    return Comparison(same, not changes, changes, distances)


def _rows_apart(one: Row, other: Row) -> float:
    """Distance of two numbers in standard errors, from their 95 % intervals; infinite where a sure number differs."""
    if not (math.isfinite(one.value) and math.isfinite(other.value)):
        return 0.0 if math.isfinite(one.value) == math.isfinite(other.value) else math.inf
    error = math.hypot(*(0.5 * (row.high - row.low) / _NORMAL for row in (one, other)))
    difference = abs(one.value - other.value)
    return difference / error if error > 0 else (math.inf if difference else 0.0)


def _same_bits(old: Result, new: Result) -> bool:
    if set(old.counts) != set(new.counts) or not np.array_equal(old.content, new.content):
        return False
    return all(np.array_equal(values, new.counts[name]) for name, values in old.counts.items())


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """What can move a bit and differs; code with changes of its own is never known to be the same."""
    names = [*_DECISIVE, *sorted(name for name in {*old, *new} if name.startswith("version_"))]
    changes = [f"{n}: {_shown(old.get(n))}, {_shown(new.get(n))}" for n in names if old.get(n) != new.get(n)]
    if 1 in (old.get("git_dirty"), new.get("git_dirty")):
        changes.append("code with uncommitted changes")
    return tuple(changes)


def _shown(value: Any) -> str:
    return str(value)[:40] if value not in (None, "") else "unknown"


def _distances(old: Result, new: Result) -> dict[str, float]:
    """|mean - mean'| / sqrt(SE^2 + SE'^2) of each feature; infinite where a sure number differs."""
    first, second = flat(old.summary()), flat(new.summary())
    by_name = {}
    for name, before in first.items():
        after = second[name]
        if before.value is None or after.value is None:
            by_name[name] = 0.0 if before.value == after.value else math.inf
            continue
        error = math.hypot(before.standard_error or 0.0, after.standard_error or 0.0)
        difference = abs(before.value - after.value)
        by_name[name] = difference / error if error else (math.inf if difference else 0.0)
    return by_name
