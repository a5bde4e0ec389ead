"""Which points a sweep has: a grid, a list, or a random, Sobol or Latin-hypercube design."""

from __future__ import annotations

import contextlib
import csv
import itertools
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nmjmc.errors import ValidationError
from nmjmc.folders import user_path
from nmjmc.sweeps.axes import Axis
from nmjmc.units import to_internal

SAMPLERS = ("grid", "list", "random", "sobol", "lhs", "optuna")
MOST_POINTS = 10**6
MANY = 20_000
"""Points from which on a grid is not written out to be planned; a choice."""
_WORDS = 64


def points(axes: Sequence[Axis], sampler: str, count: int, seed: int) -> list[dict[str, str]]:
    """The values of every point, by key.

    Args:
        axes: What is swept.
        sampler: `grid` (every combination of lists), `list` (the first values together, the second together, ...),
            `random`, `sobol` (scrambled) or `lhs` (Latin hypercube).
        count: Number of points of a design that is drawn.
        seed: Seed of the drawing.

    Returns:
        One mapping of texts a point.

    Raises:
        ValidationError: If the axes do not fit the sampler, or there would be too many points.
    """
    if sampler in ("grid", "list"):
        return _listed(axes, sampler)
    fractions = _fractions(sampler, count, len(axes), seed)
    return [{a.key: a.at(float(f)) for a, f in zip(axes, row, strict=True)} for row in fractions]


def _listed(axes: Sequence[Axis], sampler: str) -> list[dict[str, str]]:
    for axis in axes:
        if axis.is_interval:
            hint = "give a list or linspace(low, high, n), or take sampler=sobol"
            raise ValidationError(axis.key, "an interval", f"a list for sampler={sampler}", hint)
    lists = [axis.values for axis in axes]
    if sampler == "list":
        if len({len(values) for values in lists}) > 1:
            lengths = ", ".join(f"{axis.key} has {len(axis.values)}" for axis in axes)
            raise ValidationError("sampler", f"list, though {lengths}", "given lists of one length")
        rows = list(zip(*lists, strict=True))
    else:
        check_size(axes)
        rows = list(itertools.product(*lists))
    return [{axis.key: value for axis, value in zip(axes, row, strict=True)} for row in rows]


def check_size(axes: Sequence[Axis]) -> int:
    """The number of points of a grid.

    Raises:
        ValidationError: If there are too many.
    """
    total = math.prod(len(axis.values) for axis in axes)
    if total > MOST_POINTS:
        raise ValidationError("the grid", f"of {total:,} points", f"of at most {MOST_POINTS:,} points")
    return total


class Grid(Sequence[dict[str, Any]]):
    """The points of a large grid, each made when it is asked for.

    Args:
        axes: What is swept; lists.
        seed: Of the sweep.
        common: Whether all points have that seed; None where the seed is swept itself.
    """

    def __init__(self, axes: Sequence[Axis], seed: int, common: bool | None) -> None:
        self.axes, self.seed, self.common = tuple(axes), seed, common

    def __len__(self) -> int:
        return math.prod(len(axis.values) for axis in self.axes)

    # no slices of points, which nobody asks for
    def __getitem__(self, index: int) -> dict[str, Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        if not 0 <= index < len(self):
            raise IndexError(index)
        rest, places = index, []
        for axis in reversed(self.axes):
            rest, place = divmod(rest, len(axis.values))
            places.append(axis.values[place])
        values = {axis.key: value for axis, value in zip(self.axes, reversed(places), strict=True)}
        own = self.seed if self.common else point_seed(self.seed, index)
        return {"values": values, "seed": None if self.common is None else own}


def telling(axes: Sequence[Axis]) -> set[int]:
    """The points of a grid that tell of each value whether it can be right.

    Those with the lowest and the highest of each axis of numbers, because what is allowed is an interval, and with
    each of the first words of another, once beside the first values of the other axes and once beside the last.
    """
    count = stride = math.prod(len(axis.values) for axis in axes)
    found: set[int] = set()
    for axis in axes:
        stride //= len(axis.values)
        for place in _ends(axis):
            found |= {place * stride, count - 1 - (len(axis.values) - 1 - place) * stride}
    return found


def _ends(axis: Axis) -> list[int]:
    """Places of the lowest and the highest value; of the first words, where there are no numbers."""
    if axis.unit is None:
        return list(range(min(len(axis.values), _WORDS)))
    if axis.high > axis.low:  # even steps
        return [0, len(axis.values) - 1]
    numbers = [to_internal(value, axis.unit, axis.key, allow_infinite=True) for value in axis.values]
    return [int(np.argmin(numbers)), int(np.argmax(numbers))]


def _fractions(sampler: str, count: int, dimensions: int, seed: int) -> np.ndarray:
    """Points of the unit cube [n, d]: independent, of a scrambled Sobol sequence, or of a Latin hypercube."""
    from scipy.stats import qmc

    rng = np.random.default_rng(seed)
    if sampler == "random":
        return rng.random((count, dimensions))
    if sampler == "lhs":
        return qmc.LatinHypercube(dimensions, rng=rng).random(count)
    # a Sobol sequence is balanced at powers of two: the first `count` points of the next power are taken
    return qmc.Sobol(dimensions, rng=rng).random_base2(math.ceil(math.log2(max(count, 1))))[:count]


class Table(NamedTuple):
    """The points of a CSV file.

    Attributes:
        path: The file.
        rows: Values of each point, by key.
        lines: Line of the file in which each point stands (from 1).
    """

    path: str
    rows: list[dict[str, str]]
    lines: list[int]

    def values(self, key: str) -> tuple[str, ...]:
        """The different values of a column, in their order."""
        return tuple(dict.fromkeys(row[key] for row in self.rows))

    @contextlib.contextmanager
    def placing(self, index: int) -> Iterator[None]:
        """Errors of the body name the line of a point."""
        try:
            yield
        except ValidationError as error:
            raise self.refusal(error, index) from error

    def refusal(self, error: ValidationError, index: int | None) -> ValidationError:
        """The same error with the file and the line: of a point, or of the keys."""
        line = 1 if index is None else self.lines[index]
        field = f"{error.field} ({self.path}, line {line})"
        return ValidationError(field, error.value, error.allowed, error.hint)


def read_table(path: str | Path) -> Table:
    """The points of a CSV file whose first line names the keys.

    Raises:
        ValidationError: If there is no such file, or a line has too few or too many values.
    """
    try:
        with user_path(path, "table").open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, skipinitialspace=True)
            kept = [(reader.line_num, row) for row in reader if any(value.strip() for value in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValidationError("table", str(path), "a CSV file that can be read") from error
    keys = [key.strip() for key in kept[0][1]] if kept else []
    if len(kept) < 2 or len(set(keys)) < len(keys):
        raise ValidationError(
            "table", str(path), "a CSV file with different keys in its first line, then points"
        )
    for line, row in kept:
        if len(row) != len(keys) or not all(value.strip() for value in row):
            values = len([value for value in row if value.strip()])
            raise ValidationError(f"{path}, line {line}", f"of {values} values", f"of {len(keys)} values")
    rows = [dict(zip(keys, (value.strip() for value in row), strict=True)) for _, row in kept[1:]]
    return Table(str(path), rows, [line for line, _ in kept[1:]])


def point_seed(seed: int, index: int) -> int:
    """A seed for a point, from the sweep's; 53 bits, so that every program reads it exactly."""
    word = np.random.SeedSequence(entropy=seed, spawn_key=(index,)).generate_state(1, np.uint64)[0]
    return int(word) >> 11
