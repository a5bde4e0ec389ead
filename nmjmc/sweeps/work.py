"""Running the points of a sweep: claim some, simulate them together, keep each record, until none is left."""

from __future__ import annotations

import datetime
import errno
import logging
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nmjmc import ending
from nmjmc.data.result import Result
from nmjmc.data.sweep import DONE, FAILED, Sweep
from nmjmc.errors import NmjmcError, ValidationError
from nmjmc.simulation.many import Point, simulate_many
from nmjmc.sweeps.points import build_point

log = logging.getLogger("nmjmc")
FULL = (errno.ENOSPC, errno.EDQUOT)


class PointFailed(NmjmcError):
    """The first failed point of a sweep that shall end with it."""


# what a computation may end in, memory that ran out on a device among it: it must end no other point
_CRASHES = (RuntimeError, MemoryError, ArithmeticError, LookupError, ValueError, TypeError, AttributeError)


@dataclass(frozen=True)
class Worker:
    """How one process runs the points, which changes no bit of them.

    Attributes:
        device: `auto`, `cpu` or `gpu`.
        cache: Whether compiled programs are kept.
        together: Points claimed at a time.
        stop_on_failure: Whether to end with the first failed point.
        on_point: Called after each point with its number and its state.
        on_chunk: Called with the kernel's progress.
        built: Points that were built before, by number.
    """

    device: str = "auto"
    cache: bool = True
    together: int = 32
    stop_on_failure: bool = False
    on_point: Callable[[int, str], None] = lambda index, state: None
    on_chunk: Callable[[Any], None] | None = None
    built: Mapping[int, Point] = field(default_factory=dict)


@dataclass(frozen=True)
class Chosen:
    """What a claimed point is: its values by key, and its seed; None where that is one of the values."""

    values: Mapping[str, str]
    seed: int | None


def work(sweep: Sweep, worker: Worker) -> None:
    """Run the points that have no record and that no other process holds.

    Raises:
        PointFailed: If a point failed and the sweep shall end with it.
        OSError: If the disk is full; what has a record is whole.
    """
    points = sweep.definition["points"]
    while claimed := sweep.claim(_missing(sweep), worker.together):
        chosen = {index: Chosen(points[index]["values"], points[index]["seed"]) for index in claimed}
        for _ in run_claimed(sweep, chosen, worker):
            pass


def _missing(sweep: Sweep) -> Iterator[int]:
    states = sweep.states()
    return (index for index in range(sweep.size) if index not in states)


def run_claimed(
    sweep: Sweep, chosen: Mapping[int, Chosen], worker: Worker
) -> Iterator[tuple[int, Result | Exception]]:
    """Run claimed points, keep their records, let them go, and give what came of each.

    Args:
        sweep: The sweep.
        chosen: What each point is, by its number.
        worker: How they are run.

    Yields:
        The number of each point with its result or its error, once it is recorded.
    """
    built = {index: worker.built.get(index) or _built(sweep, asked) for index, asked in chosen.items()}
    for index, outcome in _outcomes(built, worker):
        state = _keep(sweep, index, chosen[index], built[index], outcome)
        sweep.claims.release(index)
        worker.on_point(index, state)
        ending.look()
        yield index, outcome
        if state == FAILED and worker.stop_on_failure:
            raise PointFailed(f"Point {index} failed, and the sweep ends with it: {outcome}")


def _built(sweep: Sweep, asked: Chosen) -> Point | ValidationError:
    try:
        return build_point(sweep.definition, asked.values, asked.seed)
    except ValidationError as error:
        return error


def _outcomes(
    built: Mapping[int, Point | ValidationError], worker: Worker
) -> Iterator[tuple[int, Result | Exception]]:
    """The points that cannot be right first, then the others as they are finished."""
    waiting: dict[int, Point] = {}
    for index, point in built.items():
        if isinstance(point, Point):
            waiting[index] = point
        else:
            yield index, point
    numbers = list(waiting)
    try:
        for place, outcome in _simulated(list(waiting.values()), worker) if waiting else ():
            del waiting[numbers[place]]
            yield numbers[place], outcome
    except (NmjmcError, OSError):
        raise  # no device, or no room: no fault of a point
    except _CRASHES:  # what no point owned up to, such as memory that ran out: each by itself
        log.exception("points %s ended together; each is run by itself", list(waiting))
        for index, point in list(waiting.items()):
            yield index, _alone(point, worker)


def _simulated(points: list[Point], worker: Worker) -> Iterator[tuple[int, Result | NmjmcError]]:
    return simulate_many(
        points, device=worker.device, cache=worker.cache, on_chunk=worker.on_chunk, progress=False
    )


def _alone(point: Point, worker: Worker) -> Result | Exception:
    """One point by itself, or whatever it ended in: it must not end the others."""
    try:
        return next(iter(_simulated([point], worker)))[1]
    except OSError:
        raise
    except (NmjmcError, *_CRASHES) as error:
        return error


def _keep(
    sweep: Sweep,
    index: int,
    chosen: Chosen,
    point: Point | ValidationError,
    outcome: Result | Exception,
) -> str:
    """Write what came of a point: its result first, its record last, because the record says that it is whole."""
    seed = point.seed if isinstance(point, Point) else chosen.seed
    content: dict[str, Any] = {"values": dict(chosen.values), "seed": seed, "written": _now()}
    if isinstance(outcome, Exception):
        sweep.record(index, FAILED, content | {"error": _error(outcome)})
        log.warning("point %d failed: %s", index, outcome)
        return FAILED
    summary = outcome.summary()
    made_by = summary.pop("provenance")
    if sweep.definition["results"]:
        sweep.check_here()  # else its folder would be made anew
        content["result_bytes"] = outcome.save(sweep.result_path(index)).stat().st_size
    sweep.record(index, DONE, content | {"summary": summary, "provenance": made_by})
    log.info("point %d is done", index)
    return DONE


def _error(error: Exception) -> dict[str, str]:
    sentence = str(error).strip().splitlines()
    return {
        "kind": type(error).__name__,
        "sentence": sentence[0] if sentence else type(error).__name__,
        "traceback": "".join(traceback.format_exception(error))[-8000:],
    }


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def full_disk(sweep: Sweep, error: OSError) -> Exception:
    """A full disk as a sentence that says what is whole; other errors as they are."""
    if error.errno not in FULL:
        return error
    done = sum(state == DONE for state in sweep.states().values())
    return NmjmcError(
        f"The disk is full. {done} of {sweep.size} points are whole in {sweep.path}; make room, and go on with "
        f"nmjmc sweep resume={sweep.path}"
    )


def counts(sweep: Sweep) -> dict[str, int]:
    """How many points are done, failed and missing."""
    states: Sequence[str] = list(sweep.states().values())
    done, failed = states.count(DONE), states.count(FAILED)
    return {DONE: done, FAILED: failed, "missing": max(sweep.size - done - failed, 0)}
