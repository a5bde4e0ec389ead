"""A sweep as one table: parameters, status, seed, and every feature with its standard error, a row a point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nmjmc.data.features import UNITS, flat
from nmjmc.data.summary import read_summary
from nmjmc.data.sweep import MISSING, Sweep
from nmjmc.data.sweep_table import Parameter, Table
from nmjmc.errors import ValidationError
from nmjmc.folders import user_path
from nmjmc.units import to_internal, to_text
from nmjmc.yaml_file import read_yaml

_PARTS = ("value", "standard_error", "deviation")


def gather(path: str | Path) -> Table:
    """Gather the folder of a sweep, or of the runs that hydra's `-m` made.

    Args:
        path: A folder with `sweep.json`, or one whose subfolders are runs.

    Returns:
        The table; points without a record are there as missing.

    Raises:
        ValidationError: If there is neither.
    """
    folder = user_path(path, "the folder")
    if (folder / "sweep.json").exists():
        return _of_sweep(Sweep.open(folder))
    places = (place.parent for place in folder.glob("*/config.yaml"))
    runs = sorted(place for place in places if not place.name.startswith("."))  # hydra's own of a single run
    if not runs:
        hint = "for example outputs/sweep-human-1a2b3c4d"
        raise ValidationError("the folder", f"{path}, which holds no points", "that of a sweep", hint)
    return _of_runs(folder, runs)


def _of_sweep(sweep: Sweep) -> Table:
    """The records of `nmjmc sweep`."""
    rows: list[dict[str, Any]] = [
        {"status": MISSING, **point} for point in sweep.definition["points"] or [{}] * sweep.size
    ]
    for index, state in sorted(sweep.states().items()):
        rows[index] = sweep.read(index, state)
    request = sweep.definition["request"]
    names = {axis["key"]: axis["unit"] for axis in request["axes"]}
    about = {"request": request, "seed": sweep.definition["seed"], "version": sweep.definition["version"]}
    return _table(sweep.definition["name"], names, rows, about)


def _config(path: Path) -> dict[str, Any]:
    content = read_yaml(path, "the config of a run")
    if not isinstance(content, dict):
        raise ValidationError("the config of a run", str(path), "a mapping")
    return content


def _of_runs(folder: Path, runs: Sequence[Path]) -> Table:
    """Folders of single runs; a parameter is what differs between their configs."""
    configs = [_leaves(_config(run / "config.yaml")) for run in runs]
    keys = list(dict.fromkeys(key for config in configs for key in config if key != "seed"))
    differing = [key for key in keys if len({str(config.get(key)) for config in configs}) > 1]
    rows = []
    for run, config in zip(runs, configs, strict=True):
        row: dict[str, Any] = {"status": MISSING, "seed": config.get("seed")}
        row["values"] = {key: str(config[key]) for key in differing if key in config}
        if (run / "summary.json").exists():
            row |= {"status": "done", "summary": read_summary(run / "summary.json")}
        rows.append(row)
    units = {key: _unit_of([row["values"].get(key, "") for row in rows]) for key in differing}
    return _table(folder.name, units, rows, {"runs": [run.name for run in runs]})


def _leaves(config: Any, prefix: str = "") -> dict[str, Any]:
    """A nested mapping by path."""
    by_name: dict[str, Any] = {}
    for key, value in config.items():
        path = f"{prefix}{key}"
        by_name |= _leaves(value, path + ".") if isinstance(value, dict) else {path: value}
    return by_name


def _unit_of(texts: Sequence[str]) -> str | None:
    """The unit that all these texts are written in; None if they are words."""
    units = {text.partition(" ")[2] for text in texts if text}
    try:
        unit = units.pop() if len(units) == 1 else None
        if unit is not None:
            _numbers(texts, unit, "")
    except ValidationError:
        return None
    return unit


def _table(
    name: str, units: Mapping[str, str | None], rows: Sequence[Mapping[str, Any]], about: Mapping[str, Any]
) -> Table:
    given = [row.get("values") or {} for row in rows]
    parameters = []
    for key, unit in units.items():
        texts = [values.get(key, "") for values in given]
        values = np.asarray(texts, np.str_) if unit is None else _numbers(texts, unit, key)
        parameters.append(Parameter(key, unit, values))
    seeds = [row.get("seed") for row in rows]
    features, measured = _features(rows)
    return Table(
        name=name,
        parameters=tuple(parameters),
        status=np.asarray([row["status"] for row in rows], np.str_),
        seed=np.asarray([-1 if seed is None else int(seed) for seed in seeds], np.int64),
        features=features,
        measured=measured,
        errors=tuple(row["error"]["sentence"] if "error" in row else "" for row in rows),
        about=about,
    )


def _numbers(texts: Sequence[str], unit: str, field: str) -> np.ndarray:
    """Values in the stated unit."""
    kept = [
        float(to_text(to_internal(t, unit, field), unit, 15).split(" ")[0]) if t else np.nan for t in texts
    ]
    return np.asarray(kept, np.float64)


def _features(rows: Sequence[Mapping[str, Any]]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    features = {name: np.full((len(_PARTS), len(rows)), np.nan) for name in UNITS}
    measured = {name: np.zeros(len(rows), np.int32) for name in UNITS}
    for index, row in enumerate(rows):
        if "summary" not in row:
            continue
        for name, feature in flat(row["summary"]).items():
            numbers = [getattr(feature, part) for part in _PARTS]
            features[name][:, index] = [np.nan if number is None else number for number in numbers]
            measured[name][index] = feature.measured
    return features, measured
