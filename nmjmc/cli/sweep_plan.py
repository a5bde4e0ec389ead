"""From the words of a sweep to its definition, and from the definition to each point's synapse and settings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nmjmc import __version__, api
from nmjmc.api import Point
from nmjmc.arguments import checked
from nmjmc.cli import axes, compose, config, design, objective
from nmjmc.cli.axes import Axis
from nmjmc.cli.design import Table
from nmjmc.cli.overrides import SETTINGS, prepare
from nmjmc.cli.sweep_words import NOT_SWEPT, Options, Words
from nmjmc.errors import NmjmcError, ValidationError
from nmjmc.folders import user_path
from nmjmc.kernel import many
from nmjmc.kernel.numerics import TIMES
from nmjmc.synapse import paths
from nmjmc.synapse.build import build
from nmjmc.units import to_internal
from nmjmc.yaml_file import Refused, parsed

GROUP = "preparation"
# these change no bit of a result
HOW = ("device", "cache", "progress", "dry_run", "checkpoint", "resume", "distributed")
_CHECKED = 1000  # points that are built before the first is run: mistakes show before anything is computed
_SAMPLE = 64  # points of a study that are drawn to tell how large they are
_WORDS = ("transport", "executor")  # the numerics that are no numbers


def define(words: Words) -> dict[str, Any]:
    """The definition of a sweep, as `sweep.json` keeps it.

    Raises:
        ValidationError: For a word that cannot be right, and for a value that is wrong at every point.
    """
    options = words.options
    table = design.read_table(options.table) if options.table else None
    swept = words.swept if table is None else _columns(table, words)
    if not swept:
        hint = 'for example receptor.density="3000 /um^2,5000 /um^2"'
        raise ValidationError("the words after sweep", "without a key that is swept", "given one", hint)
    whole = _bases(words.shared, swept, table)
    how = {name: next(iter(whole.values()))[name] for name in HOW}
    if how["distributed"] is not None:
        hint = "start several processes on one folder instead, or workers=2 hydra/launcher=joblib"
        raise ValidationError("distributed", repr(how["distributed"]), "left out for a sweep", hint)
    bases = {name: {k: v for k, v in base.items() if k not in HOW} for name, base in whole.items()}
    found = _axes(swept, next(iter(bases.values())), table)
    sampler = _sampler(options, found, table)
    seed = _seed(next(iter(bases.values())))
    common = options.seeds == "common" or "seed" in swept
    points = _points(found, sampler, options, table, seed, None if "seed" in swept else common)
    definition = {
        "request": {
            "bases": bases, "axes": [axes.as_plain(axis) for axis in found], "sampler": sampler,
            "sampler_seed": options.sampler_seed, "seeds": options.seeds,
            "points": _digest(points if isinstance(points, list) else ["grid", seed]),
            "size": len(points) or options.points, "objective": options.objective, "target": options.target,
            "direction": options.direction or "minimize",
        },
        "how": how,
        "name": str(next(iter(bases.values())).get("name")),
        "size": len(points) or options.points,
        "seed": seed,
        "results": options.results,
        "version": __version__,
        "points": points,
        "table": table and {"path": table.path, "lines": table.lines},
    }  # fmt: skip
    if sampler == "optuna":
        objective.check(definition["request"])
        if options.target is None and options.direction is None:
            hint = 'for example target="3.2 nA", or direction=minimize or maximize'
            raise ValidationError("target", "missing", "given, or else direction", hint)
    checked = _checked(definition)
    _refuse_hopeless(definition, found, checked, table)
    return definition | {"room": _room(definition, found, options, checked)}


def _points(
    found: Sequence[Axis], sampler: str, options: Options, table: Table | None, seed: int, common: bool | None
) -> Sequence[dict[str, Any]]:
    """Values and seed of each point; none for a study. A large grid is not written out."""
    if sampler == "grid" and not any(axis.is_interval for axis in found):
        if design.check_size(found) > design.MANY:
            return design.Grid(found, seed, common)
    drawn = [] if sampler == "optuna" else table and table.rows
    if drawn is None:
        drawn = design.points(found, sampler, options.points, options.sampler_seed)
    return [
        {"values": row, "seed": None if "seed" in row else seed if common else design.point_seed(seed, i)}
        for i, row in enumerate(drawn)
    ]


def folder_of(definition: Mapping[str, Any], options: Options) -> Path:
    """Where the sweep stands: the folder that was named, or one named by what was asked for."""
    if options.folder:
        return user_path(options.folder, "folder")
    return Path("outputs") / f"sweep-{definition['name']}-{_digest(definition['request'])[:8]}"


def _digest(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _columns(table: Table, words: Words) -> dict[str, str]:
    """The columns of a table as what is swept."""
    if words.swept:
        key = next(iter(words.swept))
        raise ValidationError(
            key, "swept beside a table", "a column of the table, or the same for all points"
        )
    if words.options.sampler not in ("auto", "list"):
        raise ValidationError("sampler", repr(words.options.sampler), "left out where there is a table")
    for key in table.rows[0]:
        if key in NOT_SWEPT:
            raise table.refusal(ValidationError(key, "swept", "the same for all points"), None)
    return {key: "" for key in table.rows[0]}


def _bases(shared: Sequence[str], swept: Mapping[str, str], table: Table | None) -> dict[str, dict[str, Any]]:
    """What all points share, as plain mappings: one for each preparation that is swept."""
    for key in swept:
        if key != GROUP:
            try:  # refuses an unknown key
                prepare([f"{key}=0" if "." in key or key in SETTINGS else f"{key}=x"])
            except ValidationError as error:
                raise table.refusal(error, None) if table else error from error
    if GROUP not in swept:
        return {"": compose.plain(compose.composed(prepare(list(shared))))}
    names = table.values(GROUP) if table else axes.pieces(swept[GROUP])
    return {n: compose.plain(compose.composed(prepare([*shared, f"{GROUP}={n}"]))) for n in names}


def _axes(swept: Mapping[str, str], base: Mapping[str, Any], table: Table | None) -> list[Axis]:
    units = _units(base)
    if table is None:
        return [axes.read(key, value, _unit(key, units)) for key, value in swept.items()]
    found = [Axis(key, _unit(key, units), table.values(key)) for key in swept]
    for axis in found:
        for index, row in enumerate(table.rows if axis.unit is not None else ()):
            if isinstance(
                _value(row[axis.key]), str
            ):  # a number without a unit, or a list, is left to `build`
                with table.placing(index):
                    to_internal(row[axis.key], axis.unit or "", axis.key, allow_infinite=True)
    return found


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
    if key.startswith("numerics."):
        name = key.removeprefix("numerics.")
        return None if name in _WORDS else "ms" if name in TIMES else ""
    return units.get(key)


def _sampler(options: Options, found: Sequence[Axis], rows: Any) -> str:
    if options.objective is not None and options.sampler not in ("auto", "optuna"):
        raise ValidationError("objective", "given", f"left out for sampler={options.sampler}")
    if rows is not None:
        return "list"
    if options.sampler != "auto":
        return options.sampler
    if options.objective is not None:
        return "optuna"
    return "sobol" if any(axis.is_interval for axis in found) else "grid"


def _seed(base: Mapping[str, Any]) -> int:
    seed = base.get("seed")
    if seed is None:
        raise ValidationError("seed", "null", "a whole number for a sweep, so that it can be gone on with")
    return api.whole_number(seed, "seed", 0, api.SEEDS - 1)


def _checked(definition: Mapping[str, Any]) -> dict[int, Point | NmjmcError]:
    """The points, or some evenly among many, as far as they can be right."""
    points, found = definition["points"], {}
    _BUILT.clear()
    for index in sorted(_to_check(points)):
        try:
            whole = point_config(definition, points[index]["values"], points[index]["seed"])
            found[index] = _BUILT[_name(whole)] = _point(whole)
        except NmjmcError as error:
            found[index] = error
    return found


def _to_check(points: Sequence[Any]) -> set[int]:
    """All points, or of many some evenly; of a large grid those that tell of each value too."""
    large = isinstance(points, design.Grid)
    some = np.linspace(0, len(points) - 1, min(len(points), _SAMPLE if large else _CHECKED))
    return {round(i) for i in some} | (
        design.telling(points.axes) if isinstance(points, design.Grid) else set()
    )


def _refuse_hopeless(
    definition: Mapping[str, Any],
    found: Sequence[Axis],
    checked: Mapping[int, Point | NmjmcError],
    table: Table | None,
) -> None:
    """Refuse a value that is wrong wherever it stands; a point that is wrong by itself will fail by itself."""
    points = definition["points"]
    for axis in found:
        having: dict[str, list[int]] = {}
        for index in checked:
            having.setdefault(points[index]["values"][axis.key] if axis.values else "", []).append(index)
        for numbers in having.values():
            errors = [error for i in numbers if isinstance(error := checked[i], NmjmcError)]
            if len(errors) == len(numbers):
                raise _of_point(errors[0], numbers[0], definition["request"]["sampler"], table)


def _of_point(error: NmjmcError, index: int, sampler: str, table: Table | None) -> NmjmcError:
    """The error of a point with the line of its table, or its place in the lists."""
    if not isinstance(error, ValidationError) or sampler != "list":
        return error
    if table is not None:  # a key that nothing knows stands in the first line
        return table.refusal(error, None if error.value == "unknown" else index)
    return ValidationError(f"{error.field} (point {index})", error.value, error.allowed, error.hint)


def _room(
    definition: Mapping[str, Any],
    found: Sequence[Axis],
    options: Options,
    checked: Mapping[int, Point | NmjmcError],
) -> dict[str, float] | None:
    """The room of the largest point, so that all points share their programs; of a study's, by a sample."""
    if not checked:
        sample = design.points(found, "random", _SAMPLE, options.sampler_seed)
        checked = _checked({**definition, "points": [{"values": row, "seed": 0} for row in sample]})
    room = many.room_of(point.synapse for point in checked.values() if isinstance(point, Point))
    return room and {"sites": room.sites, "content_mean": room.content[0], "content_cv": room.content[1]}


def build_point(definition: Mapping[str, Any], values: Mapping[str, str], seed: int | None) -> Point:
    """What is simulated at one point.

    Raises:
        ValidationError: If the values cannot be right.
    """
    whole = point_config(definition, values, seed)
    return _BUILT.pop(_name(whole), None) or _point(whole)


_BUILT: dict[str, Point] = {}  # what was built to be checked, until it is run


def _name(whole: Mapping[str, Any]) -> str:
    return json.dumps(whole, default=str)


def _point(whole: Mapping[str, Any]) -> Point:
    synapse, settings = config.read_plain(whole)
    named = {
        name: getattr(settings, name)
        for name in ("vesicles", "seed", "duration", "record_interval", "numerics")
    }
    checked(synapse, **named, first_vesicle=0)
    return Point(
        synapse=synapse,
        vesicles=settings.vesicles,
        seed=api.whole_number(settings.seed, "seed", 0, api.SEEDS - 1),
        duration=settings.duration,
        record_interval=settings.record_interval,
        numerics=settings.numerics,
    )


def point_config(
    definition: Mapping[str, Any], values: Mapping[str, str], seed: int | None
) -> dict[str, Any]:
    """The whole config of one point, plain."""
    bases = definition["request"]["bases"]
    whole = {**bases[values.get(GROUP, "")], **definition["how"]}
    for key, value in values.items():
        if key != GROUP:
            _put(whole, key.split("."), _value(value), key)
    if seed is not None:
        whole["seed"] = seed
    return whole


def _put(mapping: dict[str, Any], keys: Sequence[str], value: Any, path: str) -> None:
    """Set a value in a mapping of our own; the mappings below it belong to every point and are copied on the way."""
    head, *rest = keys
    if not rest:
        mapping[head] = value
        return
    below = mapping.get(head, {})
    if not isinstance(below, dict):
        raise ValidationError(path, "given", f"a parameter ({head} has none below it)")
    mapping[head] = dict(below)
    _put(mapping[head], rest, value, path)


def _value(text: str) -> Any:
    """A value as YAML reads it: a number, a list, null, or text with its unit."""
    try:
        return parsed(text)
    except Refused:
        return text
