"""From what is asked of a sweep to its definition, as `sweep.json` keeps it; every mistake shows here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nmjmc import __version__
from nmjmc.errors import NmjmcError, ValidationError
from nmjmc.folders import user_path
from nmjmc.kernel import executor
from nmjmc.kernel.numerics import TIMES
from nmjmc.kinetics.schemes import is_scheme_file, scheme_file
from nmjmc.numbers import whole_number
from nmjmc.request import idle
from nmjmc.seeds import SEEDS
from nmjmc.simulation.config import SETTINGS, Simulation
from nmjmc.simulation.many import Point
from nmjmc.simulation.request import SimulateRequest
from nmjmc.sweeps import axes, design, objective
from nmjmc.sweeps.axes import Axis
from nmjmc.sweeps.design import Table
from nmjmc.sweeps.points import SCHEMES, build_point, value_of
from nmjmc.sweeps.request import SweepRequest
from nmjmc.synapse import paths
from nmjmc.synapse.build import build
from nmjmc.units import to_internal

HOW = idle(SimulateRequest)
"""Settings that change no bit of a point."""
NOT_SWEPT = (*HOW, "name")
_CHECKED = 1000  # points that are built before the first is run: mistakes show before anything is computed
_SAMPLE = 64  # points of a study that are drawn to tell how large they are
_WORDS = ("transport", "executor")  # the numerics that are no numbers


@dataclass(frozen=True)
class Plan:
    """A sweep that can be run.

    Attributes:
        definition: As `sweep.json` keeps it; the points of a large grid are made when they are asked for.
        folder: Where the sweep stands.
        built: The points that were built to be checked, by number.
    """

    definition: dict[str, Any]
    folder: Path
    built: Mapping[int, Point]

    def written(self) -> dict[str, Any]:
        """The definition with its points written out."""
        return {**self.definition, "points": list(self.definition["points"])}


def plan(
    request: SweepRequest,
    swept: Mapping[str, Any],
    configs: Mapping[str, Mapping[str, Any]],
    table: Table | None = None,
) -> Plan:
    """Plan a sweep.

    Args:
        request: The options.
        swept: For each key a list of values, or one text such as `3000 /um^2,5000 /um^2` or `interval(1, 10)`.
        configs: What all points share, as plain mappings: one for each preparation that is swept, else one under "".
        table: Points of a file, in the place of the values of `swept`.

    Raises:
        ValidationError: For what cannot be right, and for a value that is wrong at every point.
    """
    check_keys(swept)
    some = next(iter(configs.values()))
    how = {name: some[name] for name in HOW}
    if how["distributed"] is not None:
        hint = "start several processes on one folder instead, or workers=2 hydra/launcher=joblib"
        raise ValidationError("distributed", repr(how["distributed"]), "left out for a sweep", hint)
    bases = {name: _base(config) for name, config in configs.items()}
    base = next(iter(bases.values()))
    found = _axes(swept, base, table)
    sampler = request.sampler_for(any(axis.is_interval for axis in found))
    points = _points(found, sampler, request, table, _seed(base))
    definition = _definition(request, found, bases, sampler, points) | {"how": how}
    definition["executor"] = "warp" if executor.installed() else "jax"
    definition["table"] = table and {"path": table.path, "lines": table.lines}
    if sampler == "optuna":
        objective.check(definition["request"])
        if request.target is None and request.direction is None:
            hint = 'for example target="3.2 nA", or direction=minimize or maximize'
            raise ValidationError("target", "missing", "given, or else direction", hint)
    built = _built(definition)
    _refuse_hopeless(definition, found, built, table)
    whole = {index: point for index, point in built.items() if isinstance(point, Point)}
    return Plan(definition, _folder(definition, request), whole)


def check_keys(swept: Mapping[str, Any]) -> None:
    """Refuse a sweep without anything that is swept, and settings that are the same for all points.

    Raises:
        ValidationError: Naming the key.
    """
    if not swept:
        hint = 'for example receptor.density="3000 /um^2,5000 /um^2"'
        raise ValidationError("the words after sweep", "without a key that is swept", "given one", hint)
    for key in swept:
        if key in NOT_SWEPT:
            raise ValidationError(key, "swept", "the same for all points")


def columns_of(table: Table, swept: Mapping[str, Any]) -> dict[str, str]:
    """The columns of a table as what is swept.

    Raises:
        ValidationError: If something is swept beside them, or one cannot be.
    """
    if swept:
        allowed = "a column of the table, or the same for all points"
        raise ValidationError(next(iter(swept)), "swept beside a table", allowed)
    columns = {key: "" for key in table.rows[0]}
    try:
        check_keys(columns)
    except ValidationError as error:
        raise table.refusal(error, None) from error
    return columns


def _base(config: Mapping[str, Any]) -> dict[str, Any]:
    """What decides the points, in one form however it was written, where it is a whole synapse by itself."""
    try:
        config = Simulation.of(config).config()
    except ValidationError:  # what is missing may be swept; each point will tell
        pass
    return {name: value for name, value in config.items() if name not in HOW}


def _definition(
    request: SweepRequest,
    axes_swept: Sequence[Axis],
    bases: Mapping[str, Mapping[str, Any]],
    sampler: str,
    points: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    base = next(iter(bases.values()))
    size, seed = len(points) or request.points, _seed(base)
    asked = {
        "bases": bases, "axes": [axes.as_plain(axis) for axis in axes_swept], "sampler": sampler,
        "sampler_seed": request.sampler_seed, "seeds": request.seeds,
        "points": _digest(points if isinstance(points, list) else ["grid", seed]), "size": size,
        "objective": request.objective, "target": request.target,
        "direction": request.direction or "minimize", **_schemes(axes_swept),
    }  # fmt: skip
    return {
        "request": asked, "name": str(base.get("name")), "size": size, "seed": seed,
        "results": request.results, "version": __version__, "points": points,
    }  # fmt: skip


def _schemes(swept: Sequence[Axis]) -> dict[str, Any]:
    """The schemes that files hold, by the names of the files, so that workers and later readers need no file."""
    files = {value for axis in swept if axis.key in SCHEMES for value in axis.values if is_scheme_file(value)}
    return {"schemes": {value: scheme_file(value) for value in sorted(files)}} if files else {}


def _points(
    axes_swept: Sequence[Axis], sampler: str, request: SweepRequest, table: Table | None, seed: int
) -> Sequence[dict[str, Any]]:
    """Values and seed of each point; none for a study. A large grid is not written out."""
    is_swept = any(axis.key == "seed" for axis in axes_swept)
    is_common = request.seeds == "common" or is_swept
    if sampler == "grid" and not any(axis.is_interval for axis in axes_swept):
        if design.check_size(axes_swept) > design.MANY:
            return design.Grid(axes_swept, seed, None if is_swept else is_common)
    drawn = [] if sampler == "optuna" else table and table.rows
    if drawn is None:
        drawn = design.points(axes_swept, sampler, request.points, request.sampler_seed)
    return [
        {"values": row, "seed": None if "seed" in row else seed if is_common else design.point_seed(seed, i)}
        for i, row in enumerate(drawn)
    ]


def _folder(definition: Mapping[str, Any], request: SweepRequest) -> Path:
    """The folder that was named, or one named by what was asked for."""
    if request.folder:
        return user_path(request.folder, "folder")
    return Path("outputs") / f"sweep-{definition['name']}-{_digest(definition['request'])[:8]}"


def _digest(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _axes(swept: Mapping[str, Any], base: Mapping[str, Any], table: Table | None) -> list[Axis]:
    units = _units(base)
    if table is None:
        return [axes.read(key, value, _unit(key, units)) for key, value in swept.items()]
    kept = [Axis(key, _unit(key, units), table.values(key)) for key in swept]
    for axis in kept:
        for index, row in enumerate(table.rows if axis.unit is not None else ()):
            # a number without a unit, or a list, is left to `build`
            if isinstance(value_of(row[axis.key]), str):
                with table.placing(index):
                    to_internal(row[axis.key], axis.unit or "", axis.key, allow_infinite=True)
    return kept


def _units(base: Mapping[str, Any]) -> dict[str, str]:
    """Unit of every parameter that the base has, by path; none where the base alone is no synapse."""
    parameters = {name: value for name, value in base.items() if name not in SETTINGS}
    try:
        return paths(build(parameters))
    except ValidationError:
        return {}


def _unit(key: str, units: Mapping[str, str]) -> str | None:
    """Stated unit of a key; None if its values are words."""
    if key in ("duration", "record_interval"):
        return "ms"
    if key in ("vesicles", "seed"):
        return ""
    if key.startswith("pathology."):
        return ""
    if key.startswith("drug."):
        return "uM"
    if key.startswith("numerics."):
        name = key.removeprefix("numerics.")
        return None if name in _WORDS else "ms" if name in TIMES else ""
    return units.get(key)


def _seed(base: Mapping[str, Any]) -> int:
    seed = base.get("seed")
    if seed is None:
        raise ValidationError("seed", "null", "a whole number for a sweep, so that it can be gone on with")
    return whole_number(seed, "seed", 0, SEEDS - 1)


def _built(definition: Mapping[str, Any]) -> dict[int, Point | NmjmcError]:
    """The points, or some evenly among many, as far as they can be right."""
    points = definition["points"]
    built: dict[int, Point | NmjmcError] = {}
    for index in sorted(_to_check(points)):
        try:
            built[index] = build_point(definition, points[index]["values"], points[index]["seed"])
        except NmjmcError as error:
            built[index] = error
    return built


def _to_check(points: Sequence[Any]) -> set[int]:
    """All points, or of many some evenly; of a large grid those that tell of each value too."""
    large = isinstance(points, design.Grid)
    some = np.linspace(0, len(points) - 1, min(len(points), _SAMPLE if large else _CHECKED))
    return {round(i) for i in some} | (
        design.telling(points.axes) if isinstance(points, design.Grid) else set()
    )


def _refuse_hopeless(
    definition: Mapping[str, Any],
    axes_swept: Sequence[Axis],
    built: Mapping[int, Point | NmjmcError],
    table: Table | None,
) -> None:
    """Refuse a value that is wrong wherever it stands; a point that is wrong by itself will fail by itself."""
    points = definition["points"]
    for axis in axes_swept:
        having: dict[str, list[int]] = {}
        for index in built:
            having.setdefault(points[index]["values"][axis.key] if axis.values else "", []).append(index)
        for numbers in having.values():
            errors = [error for i in numbers if isinstance(error := built[i], NmjmcError)]
            if len(errors) == len(numbers):
                raise _of_point(errors[0], numbers[0], definition["request"]["sampler"], table)


def _of_point(error: NmjmcError, index: int, sampler: str, table: Table | None) -> NmjmcError:
    """The error of a point with the line of its table, or its place in the lists."""
    if not isinstance(error, ValidationError) or sampler != "list":
        return error
    if table is not None:  # a key that nothing knows stands in the first line
        return table.refusal(error, None if error.value == "unknown" else index)
    return ValidationError(f"{error.field} (point {index})", error.value, error.allowed, error.hint)
