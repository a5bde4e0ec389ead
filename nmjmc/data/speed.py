"""How long runs took on this machine, so that a dry run can foretell; kept beside the compiled programs."""

from __future__ import annotations

import contextlib
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from nmjmc.cache import cache_directory, why_no_cache
from nmjmc.data.atomic import write_text
from nmjmc.data.seal import DamageError, sealed, unsealed
from nmjmc.errors import ValidationError

ENOUGH = 32  # a run of fewer vesicles costs more a vesicle, and would mislead
_READ = 0.05  # of the time that programs took to be made, for reading them (measured: 4 of 167 s)
_KEPT = 8  # runs of one name; a choice
_FIXED = (
    64  # vesicles whose files take as long to write as the figure and all that does not depend on vesicles
)


@dataclass(frozen=True)
class Cost:
    """What a run took, or would take.

    Attributes:
        vesicles: How many there were.
        running: Seconds in the kernel.
        compiling: Seconds for making its programs, or reading them from the cache.
        starting: Seconds before the kernel.
        saving: Seconds after it.
    """

    vesicles: float
    running: float
    compiling: float
    starting: float
    saving: float

    @property
    def total(self) -> float:
        """Seconds from the command to its end."""
        return self.running + self.compiling + self.starting + self.saving


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


def remember_cost(device: str, names: Iterable[str], cost: Cost) -> None:
    """Keep what a run took, under each of its names; the last of each name count."""
    row = [cost.vesicles, cost.running, cost.compiling, cost.starting, cost.saving]
    costs = _costs()
    for name in names:
        key = f"{device}: {name}"
        costs[key] = [*costs.get(key, ()), row][-_KEPT:]
    _keep("costs.json", costs)


def foretell(
    device: str, key: str, name: str, vesicles: int, cached: bool = True
) -> tuple[Cost, bool] | None:
    """What a run would take, by those that this machine has made.

    Args:
        device: What it would run on.
        key: Of its config.
        name: Of its preparation, for runs with other parameters.
        vesicles: How many there would be.
        cached: Whether compiled programs are kept, so that those of the same run are read and not made again.

    Returns:
        The cost, and whether runs of this very config tell it; None if no run of this preparation does.
    """
    costs = _costs()
    same = [Cost(*row) for row in costs.get(f"{device}: {key}", ())]
    alike = [Cost(*row) for row in costs.get(f"{device}: {name}", ())]
    rows = same or alike
    if not rows:
        return None
    again = [row.compiling for row in same if row.vesicles == vesicles]
    # other numbers of vesicles may need other programs: the most that such a run has compiled
    compiling = max(row.compiling for row in (*same, *alike))
    if again and cached:
        compiling = again[-1] if len(again) > 1 else _READ * again[0]
    starting = statistics.median(row.starting for row in (*same, *alike))
    saving = _scaled([(row.vesicles, row.saving) for row in rows], vesicles, _FIXED)
    running = _scaled([(row.vesicles, row.running) for row in rows], vesicles, 1)
    return Cost(vesicles, running, compiling, starting, saving), bool(same)


def _scaled(runs: Sequence[tuple[float, float]], vesicles: float, fixed: float) -> float:
    """Seconds for a number of vesicles: between two runs on a line, beyond them in proportion."""
    latest = {n + fixed: seconds for n, seconds in runs}  # the last of each size
    wanted = vesicles + fixed
    below = max((n for n in latest if n <= wanted), default=None)
    above = min((n for n in latest if n >= wanted), default=None)
    if below is not None and above is not None:
        share = (wanted - below) / (above - below) if above > below else 0.0
        return latest[below] + share * (latest[above] - latest[below])
    nearest = below if below is not None else above
    if nearest is None:
        raise ValueError("no run is known")
    if nearest > wanted and len(latest) == 1:
        # what part of it does not depend on the vesicles is not known yet: half way, in the logarithm
        return latest[nearest] * math.sqrt(wanted / nearest)
    return latest[nearest] * wanted / nearest


def _keep(file: str, content: dict[str, Any]) -> None:
    if why_no_cache() is None:
        with contextlib.suppress(OSError, ValidationError):
            write_text(cache_directory() / file, sealed(content, indent=1))


def _read(file: str) -> dict[str, Any]:
    if why_no_cache() is not None:
        return {}
    try:
        return unsealed((cache_directory() / file).read_bytes())
    except (OSError, DamageError):  # it is written anew after the next run
        return {}


def _speeds() -> dict[str, float]:
    return {name: float(value) for name, value in _read("speed.json").items() if _is_time(value)}


def _costs() -> dict[str, list[list[float]]]:
    """The runs by name; what a damaged file says in another form foretells nothing."""
    by_name = {}
    for name, rows in _read("costs.json").items():
        whole = [row for row in rows if _is_row(row)] if isinstance(rows, list) else []
        if whole:
            by_name[name] = whole
    return by_name


def _is_row(row: Any) -> bool:
    return isinstance(row, list) and len(row) == 5 and all(map(_is_time, row)) and row[0] > 0


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf
