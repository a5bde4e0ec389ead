"""Many synapses simulated together, of which those that differ only in numbers share one compilation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nmjmc.carried import Number
from nmjmc.data.result import Result
from nmjmc.errors import NmjmcError, ValidationError
from nmjmc.kernel import many
from nmjmc.kernel.executor import settled
from nmjmc.kernel.numerics import Numerics
from nmjmc.progress import shown
from nmjmc.runtime import choose_devices, use_cache
from nmjmc.simulation.parts import part_of, result_of
from nmjmc.simulation.request import SimulateRequest
from nmjmc.synapse.model import Synapse


@dataclass(frozen=True)
class Point:
    """One point of a sweep; the fields are as the arguments of `simulate`."""

    synapse: Synapse
    vesicles: Number = 100
    seed: Number | None = 0
    duration: Number = 10.0
    record_interval: Number = 0.01
    numerics: Numerics | Mapping[str, Any] | None = None

    def run(self) -> many.Request:
        """What the kernel takes of it.

        Raises:
            ValidationError: If a field cannot be right.
        """
        names = ("vesicles", "seed", "duration", "record_interval", "numerics")
        return SimulateRequest.of({name: getattr(self, name) for name in names}).run_of(self.synapse)


def simulate_many(
    points: Sequence[Point],
    *,
    device: str = "auto",
    cache: bool = True,
    on_chunk: Callable[[Any], None] | None = None,
    progress: bool | str = "auto",
) -> Iterator[tuple[int, Result | NmjmcError]]:
    """Simulate many parameter sets, of which those that differ only in numbers share one compilation.

    Small points ride together in one batch, so that they fill the device. A point's bits do not depend on its company:
    they are those of `simulate`.

    Args:
        points: What to simulate.
        device: `auto`, `cpu` or `gpu`; a missing GPU is refused.
        cache: Whether compiled programs are kept between processes.
        on_chunk: Called with the progress of points of one kind between compiled chunks.
        progress: Whether the points that are done are counted on a line: True, False, or `auto` for a terminal and a
            notebook; not where there is `on_chunk`.

    Yields:
        The number of a point and its result, or the error that says why it has none, as soon as it is finished; in
        any order.

    Raises:
        ValidationError: If there is no such device.

    Example:
        >>> import nmjmc
        >>> human = nmjmc.preparation("human")
        >>> some = [Point(nmjmc.replace(human, "receptor.density", d)) for d in (2500, 5000)]
        >>> peaks = {at: found.summary() for at, found in simulate_many(some)}  # doctest: +SKIP
    """
    if not isinstance(points, list | tuple) or not all(isinstance(point, Point) for point in points):
        raise ValidationError("points", repr(points)[:60], "a list of Points", "for example [Point(synapse)]")
    use_cache(cache)
    devices = choose_devices(device)
    runs: list[many.Request] = []
    places: list[int] = []
    for index, point in enumerate(points):
        try:
            run = point.run()
            runs.append(replace(run, numerics=settled(run.numerics, point.synapse, devices[0])))
            places.append(index)
        except NmjmcError as error:
            yield index, error
    done = 0
    with shown(progress if on_chunk is None else False) as show:
        for found, record in many.run_many(runs, devices=devices, on_chunk=on_chunk):
            done += 1
            if show is not None:
                show("simulating", done / len(runs), f"{done:,} of {len(runs):,} points")
            if isinstance(record, NmjmcError):
                yield places[found], record
            else:
                yield places[found], result_of(runs[found], [part_of(record, True)], devices)
