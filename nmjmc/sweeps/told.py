"""What there is to say of a sweep: what it would have, what became of its points, and the best of a study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nmjmc.data.features import UNITS, flat
from nmjmc.data.sweep import DONE, FAILED, Sweep
from nmjmc.sweeps import study
from nmjmc.sweeps.plan import Plan
from nmjmc.sweeps.run import failed_points
from nmjmc.sweeps.work import counts

_SHOWN = 3  # failed points whose errors are told
_VALUES = 6  # values of a key that are told


def planned(plan: Plan) -> dict[str, str]:
    """What a sweep would have, in words by name."""
    request, points = plan.definition["request"], plan.definition["points"]
    told = {
        "points": f"{plan.definition['size']:,}",
        "sampler": request["sampler"],
        "folder": str(plan.folder),
    }
    for axis in request["axes"]:
        values = axis.get("values") or [f"{axis['low']} to {axis['high']}"]
        more = f", ... ({len(values)})" if len(values) > _VALUES else ""
        told[axis["key"]] = ", ".join(values[:_VALUES]) + more
    if points:
        told["the first"] = _pairs(points[0]["values"])
    return told


def held(sweep: Sweep) -> str:
    """Why a process ends although points are missing: it could claim none of them; "" where none is missing."""
    missing = counts(sweep)["missing"]
    if not missing:
        return ""
    points, them = ("point is", "it") if missing == 1 else ("points are", "them")
    return (
        f"This process has nothing left to do: {missing} missing {points} held by another process, which runs "
        f"{them} now."
    )


def outcome(sweep: Sweep) -> Iterator[str]:
    """What is done, failed and missing, the best point of a study, and the first errors with the way on."""
    tally = counts(sweep)
    yield f"{tally['done']} done, {tally['failed']} failed, {tally['missing']} missing, in {sweep.path}"
    if sweep.definition["request"]["sampler"] == "optuna":
        yield from _best(sweep)
    failed = failed_points(sweep)
    for index in failed[:_SHOWN]:
        record = sweep.read(index, FAILED)
        where = f"point {index}{_line(sweep, index)} ({_pairs(record['values'])})"
        yield f"  {where}: {record['error']['sentence']}"
    if len(failed) > _SHOWN:
        yield f"  and {len(failed) - _SHOWN} more"
    if failed:
        yield f"Run them once more with: nmjmc sweep resume={sweep.path}"


def _best(sweep: Sweep) -> Iterator[str]:
    """The best point of a study: its feature, its values and where it stands."""
    best = study.best(sweep)
    sweep.close()
    if best is None:
        return
    index, name = best[0], sweep.definition["request"]["objective"]
    record = sweep.read(index, DONE)
    feature = flat(record["summary"])[name]
    error = "" if feature.standard_error is None else f" (standard error {feature.standard_error:.2g})"
    value = f"{feature.value:.4g} {UNITS[name]}".rstrip()
    kept = sweep.result_path(index) if sweep.definition["results"] else sweep.record_path(index, DONE)
    yield f"best: point {index}, {name} = {value}{error} at {_pairs(record['values'])}, in {kept}"


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in values.items())


def _line(sweep: Sweep, index: int) -> str:
    """Where a point stands in the table that it comes from; nothing for other designs."""
    table = sweep.definition.get("table")
    return f" of {table['path']}, line {table['lines'][index]}" if table else ""
