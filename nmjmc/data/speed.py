"""How long runs took on this machine, so that a dry run can foretell; kept beside the compiled programs.

A part of a run takes a + b n seconds for n units of work: vesicles, stimuli of fibres, or parameters of a fit. Both are
found from the runs that were kept, of wide names first: what runs of any kind tell is where the search for those of a
preparation begins, and these tell where the search for one config does.
"""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nmjmc.cache import cache_directory, why_no_cache
from nmjmc.data.atomic import write_text
from nmjmc.data.seal import DamageError, sealed, unsealed
from nmjmc.errors import ValidationError
from nmjmc.trust import read_own

ENOUGH = 32  # a run of fewer vesicles costs more a vesicle, and would mislead
_READ = 0.05  # of the time that programs took to be made, for reading them (measured: 4 of 167 s)
_KEPT = 8  # runs of one name; a choice
# SDs of the logarithms of a and b between runs of the next wider name: what they share, and each its own; choices
_SHARED, _OWN = 1.0, 0.7
_ERROR = 0.2  # scale of the error of a run, in its logarithm, whose distribution is Cauchy's; a choice
_LEAST = 1e-3  # seconds; what takes less counts as this


@dataclass(frozen=True)
class Cost:
    """What a run took, or would take.

    Attributes:
        work: How many units of work there were: vesicles, stimuli of fibres, or parameters.
        running: Seconds of the run itself.
        compiling: Seconds for what a later run reads from the cache: programs, and the quanta of a bedside test.
        starting: Seconds before.
        saving: Seconds after.
    """

    work: float
    running: float
    compiling: float
    starting: float
    saving: float

    @property
    def total(self) -> float:
        """Seconds from the command to its end."""
        return self.running + self.compiling + self.starting + self.saving


class Line(NamedTuple):
    """Seconds a + b n of a part of a run.

    Attributes:
        fixed: a [s].
        each: b, seconds a unit of work.
    """

    fixed: float
    each: float


@dataclass(frozen=True)
class Typical:
    """What runs of a kind take on some computer; where the search begins.

    Attributes:
        running: Of the run itself.
        compiling: Seconds for what a later run reads from the cache.
        starting: Seconds before.
        saving: After it.
    """

    running: Line
    compiling: float
    starting: float
    saving: Line


@dataclass(frozen=True)
class Foretold:
    """What a run would take.

    Attributes:
        cost: By parts.
        by: The narrowest of the names of which runs are known; empty where none is.
    """

    cost: Cost
    by: str


def remember(device: str, name: str, seconds: float, vesicles: int) -> None:
    """Keep what one vesicle cost; a folder that cannot be written is no reason to fail.

    Args:
        device: What it ran on.
        name: What was run: the key of its config, or the name of its preparation.
        seconds: What the run took, without compiling [s].
        vesicles: How many there were.
    """
    if vesicles < ENOUGH and recall(device, name) is not None:
        return
    _keep("speed.json", {**_speeds(), f"{device}: {name}": seconds / vesicles})


def recall(device: str, name: str) -> float | None:
    """Seconds a vesicle of that name last took on that device, or None if there was no run."""
    return _speeds().get(f"{device}: {name}")


def remember_cost(device: str, names: Sequence[str], cost: Cost) -> None:
    """Keep what a run took, under each of its names; the last of each name count."""
    row = [cost.work, cost.running, cost.compiling, cost.starting, cost.saving]
    found = _costs()
    for name in names:
        key = f"{device}: {name}"
        found[key] = [*found.get(key, ()), row][-_KEPT:]
    _keep("costs.json", found)


def foretell(
    device: str,
    names: Sequence[str],
    work: float,
    typical: Typical,
    cached: bool = True,
    shared: bool = False,
) -> Foretold:
    """What a run would take, by those that this machine has made.

    Args:
        device: What it would run on.
        names: Its names, the narrowest first: the key of its config, its preparation, its kind.
        work: How many units of work there would be.
        typical: What such runs take elsewhere.
        cached: Whether programs and quanta are kept, so that those of the same run are read and not made again.
        shared: Whether runs of other parameters need no other programs.
    """
    kept = _costs()
    runs = {name: [Cost(*row) for row in kept.get(f"{device}: {name}", ())] for name in names}
    running, saving = typical.running, typical.saving
    for name in reversed(names):
        running = _line([(run.work, run.running) for run in runs[name]], running)
        saving = _line([(run.work, run.saving) for run in runs[name]], saving)
    known = [name for name in names if runs[name]]
    starts = [run.starting for name in known[:1] for run in runs[name]]
    cost = Cost(
        work,
        running.fixed + running.each * work,
        _compiling([runs[name] for name in names], work, typical.compiling, cached, shared),
        statistics.median(starts) if starts else typical.starting,
        saving.fixed + saving.each * work,
    )
    return Foretold(cost, known[0] if known else "")


def _compiling(
    runs: Sequence[Sequence[Cost]], work: float, typical: float, cached: bool, shared: bool
) -> float:
    """Seconds for programs: read again if the same run has made them, else what making them took before."""
    if shared and cached and runs[-1]:
        last = [run.compiling for run in runs[-1]]
        return last[-1] if len(last) > 1 else min(last[0], max(_READ * last[0], _LEAST))
    again = [run.compiling for run in runs[0] if run.work == work]
    if again and cached:
        return again[-1] if len(again) > 1 else min(again[0], max(_READ * again[0], _LEAST))
    # a run of another size, or of other parameters, may need other programs
    before = next(([run.compiling for run in some] for some in runs if some), [typical])
    return max(before)


def _line(runs: Sequence[tuple[float, float]], before: Line) -> Line:
    """The line through runs that is most probable, if those of a wider name lie about another; few runs change little.

    Args:
        runs: Units of work and seconds of each.
        before: The line of the wider name.
    """
    if not runs:
        return before
    work, seconds = np.array(runs).T
    told = np.log(np.maximum(seconds, _LEAST))
    centre, width = np.log([max(part, 1e-9) for part in before]), 4.0
    best = centre
    for _ in range(3):  # a grid, and twice a finer one about its best point
        a, b = (best[i] + width * np.linspace(-1.0, 1.0, 41) for i in (0, 1))
        lines = np.exp(a)[:, None, None] + np.exp(b)[:, None] * work
        misfit = np.log1p(((np.log(lines) - told) / _ERROR) ** 2).sum(axis=-1)
        first, second = a[:, None] - centre[0], b - centre[1]
        away = (first + second) ** 2 / (8.0 * _SHARED**2 + 4.0 * _OWN**2) + (first - second) ** 2 / (
            4.0 * _OWN**2
        )
        i, j = np.unravel_index(np.argmin(misfit + away), away.shape)
        best, width = np.array([a[i], b[j]]), width / 20.0
    return Line(*(float(part) for part in np.exp(best)))


def _keep(file: str, content: dict[str, Any]) -> None:
    if why_no_cache() is None:
        with contextlib.suppress(OSError, ValidationError):
            write_text(cache_directory() / file, sealed(content, indent=1))


def _read(file: str) -> dict[str, Any]:
    if why_no_cache() is not None:
        return {}
    content = read_own(cache_directory() / file)
    try:
        return {} if content is None else unsealed(content)
    except DamageError:  # it is written anew after the next run
        return {}


def _speeds() -> dict[str, float]:
    return {name: float(value) for name, value in _read("speed.json").items() if _is_time(value)}


def _costs() -> dict[str, list[list[float]]]:
    """The runs by name; what a damaged file says in another form foretells nothing."""
    found = {}
    for name, rows in _read("costs.json").items():
        whole = [row for row in rows if _is_row(row)] if isinstance(rows, list) else []
        if whole:
            found[name] = whole
    return found


def _is_row(row: Any) -> bool:
    return isinstance(row, list) and len(row) == 5 and all(map(_is_time, row)) and row[0] > 0


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e300
