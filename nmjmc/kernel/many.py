"""Many parameter sets in one run: points that differ only in numbers share their programs, and their batches.

A point's result does not depend on its company: its patches draw from their own seed, and its steps are its own (only
points with the same steps ride together).
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nmjmc.errors import NmjmcError
from nmjmc.kernel.executor import settled
from nmjmc.kernel.host.job import Job, Members, Outcome
from nmjmc.kernel.host.meter import Meter, Progress
from nmjmc.kernel.jax_pass.programs import Programs
from nmjmc.kernel.numerics import Numerics
from nmjmc.kernel.physics import release
from nmjmc.kernel.simulate import (
    Record,
    default_device,
    lanes_of,
    make_job,
    make_record,
    memory_of,
    patches_of_a_batch,
    run_batch,
)
from nmjmc.synapse.model import Synapse

_WINDOW = 64  # points whose tables are held at a time


@dataclass(frozen=True)
class Request:
    """One point: what to simulate and how; times in ms."""

    synapse: Synapse
    vesicles: int
    seed: int
    duration: float
    record_interval: float
    numerics: Numerics = field(default_factory=Numerics)
    first_vesicle: int = 0


@dataclass
class _Asked:
    """A point under way: its place in the caller's list, its own job, its contents, and what is finished of it."""

    index: int
    request: Request
    job: Job
    contents: np.ndarray
    parts: dict[int, Outcome] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def done(self) -> bool:
        return sum(len(part.start) for part in self.parts.values()) == self.request.vesicles


@dataclass(frozen=True)
class _Group:
    """Points that share their programs, and the batches in which they run."""

    kind: Any
    job: Job
    points: list[_Asked]
    size: int
    batches: list[Members]


def run_many(
    requests: Sequence[Request],
    *,
    devices: Sequence[Any] | None = None,
    on_chunk: Callable[[Progress], None] | None = None,
) -> Iterator[tuple[int, Record | NmjmcError]]:
    """Simulate many points.

    Args:
        requests: the points.
        devices: devices to share the batches; None takes JAX's default device.
        on_chunk: called with the progress of the points of a kind after each chunk.

    Yields:
        The number of a point and its record, or why there is none, as soon as it is finished, in any order.
    """
    lanes = lanes_of(list(devices) if devices else [default_device()])
    for first in range(0, len(requests), _WINDOW):
        families: dict[Any, list[_Asked]] = {}
        for index, request in enumerate(requests[first : first + _WINDOW], first):
            try:
                asked = _asked(index, request, lanes)
            except NmjmcError as error:
                yield index, error
            else:
                families.setdefault(_family(asked, lanes[0]), []).append(asked)
        for kind in list(families):
            for group in _groups(kind, families.pop(kind), lanes):
                yield from _run_group(group, lanes, on_chunk)


def _asked(index: int, request: Request, lanes: list[Any]) -> _Asked:
    r = replace(request, numerics=settled(request.numerics, request.synapse, lanes[0]))
    job = make_job(
        r.synapse, r.seed, r.duration, r.record_interval, r.numerics, first_vesicle=r.first_vesicle
    )
    contents = release.contents(r.synapse.vesicle, r.seed, r.first_vesicle, r.vesicles)
    size = patches_of_a_batch(job, contents, r.numerics, lanes)
    memory_of(job, contents, size, r.vesicles, lanes)
    return _Asked(index, r, job, contents)


def _family(asked: _Asked, device: Any) -> Any:
    """Equal for points that share their programs: everything that is no number of the tables."""
    job, lowered = asked.job, asked.job.lowered
    chemistry = lowered.tables.chemistry
    parts = (chemistry.path, chemistry.target, chemistry.releases, job.times, lowered.stoichiometry)
    return (
        (asked.request.numerics.batch, device.platform),
        lowered.shape._replace(sites=0),
        lowered.names,
        job.interval,
        job.until,
        job.chunk,
        tuple((np.shape(part), np.asarray(part).tobytes()) for part in parts),
        (lowered.step is None, job.executor, job.points[0].dilution),
        id(job) if job.view else None,  # views belong to one run
    )


def _groups(kind: Any, points: list[_Asked], lanes: list[Any]) -> Iterator[_Group]:
    """The points of a family, and their patches dealt out to batches.

    Batches of the event kernel may hold any number of points. A batch of the pass of JAX holds patches of one, and
    points with the same windows take turns.
    """
    if points[0].job.executor == "warp":
        held = np.concatenate([point.contents for point in points])
        job = _together(points)
        size = patches_of_a_batch(job, held, points[0].request.numerics, lanes)
        yield _Group(kind, job, points, size, list(_dealt(points, size)))
        return
    alike: dict[bytes, list[_Asked]] = {}
    for point in points:
        alike.setdefault(point.job.substeps.tobytes(), []).append(point)
    for some in alike.values():
        sizes = [patches_of_a_batch(p.job, p.contents, p.request.numerics, lanes) for p in some]
        batches = [
            members._replace(point=np.full(len(members.point), place))
            for place, (point, size) in enumerate(zip(some, sizes, strict=True))
            for members in _dealt([point], size)
        ]
        yield _Group(kind, _together(some), some, max(sizes), batches)


def _together(points: list[_Asked]) -> Job:
    """The job of points that share all but their numbers."""
    return points[0].job._replace(points=tuple(point.job.points[0] for point in points))


def _dealt(points: list[_Asked], size: int) -> Iterator[Members]:
    """The batches: the patches of all points one after the other, cut where a batch is full."""
    requests = [point.request for point in points]
    point = np.repeat(np.arange(len(points)), [r.vesicles for r in requests])
    number = np.concatenate([r.first_vesicle + np.arange(r.vesicles) for r in requests])
    contents = np.concatenate([p.contents for p in points])
    for begin in range(0, len(point), size):
        part = slice(begin, begin + size)
        yield Members(point[part], number[part], contents[part])


def _run_group(
    group: _Group, lanes: list[Any], on_chunk: Callable[[Progress], None] | None
) -> Iterator[tuple[int, Record | NmjmcError]]:
    """The records of a group's points, each as soon as its last batch is finished."""
    job, total = group.job, sum(len(batch.number) for batch in group.batches)
    meter = Meter(total, len(job.substeps), job.interval, on_chunk)
    lanes = lanes[: len(group.batches)]
    programs = [Programs(device) for device in lanes]
    waiting = list(enumerate(group.batches))[::-1]
    lock, dropped = threading.Lock(), set()
    found: queue.Queue = queue.Queue(maxsize=2 * len(lanes))  # so that a slow reader holds the lanes back

    def work(lane: int) -> None:
        while not meter.stop:
            with lock:
                if not waiting:
                    return
                number, members = waiting.pop()
            begun, outcome = time.perf_counter(), None
            try:
                if not set(members.point) <= dropped:
                    start = number * group.size
                    outcome = run_batch(job, members, start, programs[lane], meter)
            except (Exception, KeyboardInterrupt) as error:
                outcome = error
            _put(found, (number, outcome, time.perf_counter() - begun), meter)

    with ThreadPoolExecutor(len(lanes)) as pool:
        for lane in range(len(lanes)):
            pool.submit(work, lane)
        try:
            for _ in group.batches:
                number, outcome, seconds = found.get()
                compiling = sum(program.compile_seconds for program in programs)
                yield from _taken(group, number, outcome, seconds / len(lanes), compiling, dropped, lanes)
        finally:
            meter.stop = True


def _put(found: queue.Queue, item: Any, meter: Meter) -> None:
    """Hand over a batch, unless nobody listens any more."""
    while not meter.stop:
        try:
            found.put(item, timeout=0.2)
            return
        except queue.Full:
            continue


def _taken(
    group: _Group,
    number: int,
    outcome: Any,
    seconds: float,
    compiling: float,
    dropped: set[int],
    lanes: list[Any],
) -> Iterator[tuple[int, Record | NmjmcError]]:
    """What a finished batch completes: records, or the errors of its points."""
    members = group.batches[number]
    inside = sorted({int(p) for p in members.point} - dropped)
    if isinstance(outcome, NmjmcError) and len(set(members.point)) > 1:
        # one of them is at fault: each runs again alone, to tell which; what other batches have of them is not needed
        dropped.update(inside)
        for place in inside:
            point = group.points[place]
            for alone in _groups(group.kind, [point], lanes):
                for _, record in _run_group(alone, lanes, None):
                    yield point.index, record
        return
    if isinstance(outcome, NmjmcError):
        dropped.update(inside)
        yield from ((group.points[place].index, outcome) for place in inside)
        return
    if isinstance(outcome, BaseException):
        raise outcome
    if outcome is None:
        return
    for place in inside:
        point, rows = group.points[place], np.flatnonzero(members.point == place)
        share = len(rows) / len(members.point)
        point.parts[int(members.number[rows[0]])] = _rows(outcome, rows, share)
        point.seconds += share * seconds
        if point.done:
            parts = [point.parts[n] for n in sorted(point.parts)]
            yield point.index, make_record(point.job, point.contents, parts, compiling, point.seconds)
            point.parts.clear()


def _rows(outcome: Outcome, rows: np.ndarray, share: float) -> Outcome:
    """Some patches of a batch's outcome."""
    return Outcome(
        outcome.tally[rows], outcome.released[rows], outcome.start[rows], round(share * outcome.handled), [],
        seen=outcome.seen,
    )  # fmt: skip
