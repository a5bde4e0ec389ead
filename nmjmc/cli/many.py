"""Many points, one after the other; the one place that knows how the points of a sweep are simulated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nmjmc import api
from nmjmc.data.result import Result
from nmjmc.synapse.model import Synapse


@dataclass(frozen=True)
class Point:
    """What `nmjmc.simulate` is to do at one point of a sweep."""

    synapse: Synapse
    vesicles: Any
    seed: int
    duration: Any
    record_interval: Any
    numerics: Mapping[str, Any]


def simulate_many(
    points: Sequence[Point],
    *,
    device: str = "auto",
    cache: bool = True,
    on_chunk: Callable[[Any], None] | None = None,
) -> Iterator[tuple[int, Result | Exception]]:
    """Simulate points, and give each with its number as soon as it is finished, in any order.

    Args:
        points: What to simulate.
        device: `auto`, `cpu` or `gpu`.
        cache: Whether compiled programs are kept between processes.
        on_chunk: Called with the progress between compiled chunks.

    Yields:
        The number of a point in `points`, and its result or the error that it ended in.
    """
    for index, point in enumerate(points):
        try:
            yield (
                index,
                api.simulate(
                    point.synapse,
                    vesicles=point.vesicles,
                    seed=point.seed,
                    duration=point.duration,
                    record_interval=point.record_interval,
                    numerics=point.numerics,
                    device=device,
                    cache=cache,
                    on_chunk=on_chunk,
                ),
            )
        except OSError:
            raise  # a full disk is no fault of the point
        except Exception as error:  # whatever ends one point must not end the others
            yield index, error
