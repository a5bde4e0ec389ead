"""The bedside tests by name, and the task of a config that was kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nmjmc.bedside.chain import Chain
from nmjmc.bedside.dose_response import DoseResponse
from nmjmc.bedside.epc import Epc
from nmjmc.bedside.epp import Epp
from nmjmc.bedside.examine import examine
from nmjmc.bedside.mepc import Mepc
from nmjmc.bedside.request import TREATED, Bedside
from nmjmc.bedside.rns import Rns
from nmjmc.bedside.sfemg import Sfemg
from nmjmc.bedside.task import Task
from nmjmc.bedside.tof import Tof
from nmjmc.bedside.twitch import Twitch
from nmjmc.data.examination import Examination
from nmjmc.errors import ValidationError, nearest
from nmjmc.junction.build import build_junction
from nmjmc.junction.whole import Junction
from nmjmc.progress import telling
from nmjmc.request import settings

KINDS: dict[str, type[Bedside]] = {
    kind.TEST: kind for kind in (Rns, Sfemg, Tof, DoseResponse, Epp, Epc, Mepc, Twitch, Chain)
}
"""The request of each test by its name."""


def kind_of(test: Any) -> type[Bedside]:
    """The request of a test by its name.

    Raises:
        ValidationError: If there is no such test.
    """
    if str(test) not in KINDS:
        raise ValidationError("test", repr(test), "the name of a bedside test", nearest(str(test), KINDS))
    return KINDS[str(test)]


def of_config(config: Mapping[str, Any]) -> Task:
    """The task of a plain config, as `Task.config` gives it; what is left out has its default.

    Raises:
        ValidationError: For an unknown key, or a value that cannot be right.
    """
    kind = kind_of(config.get("test"))
    known = settings(kind)
    given = {name: value for name, value in config.items() if name in known}
    rest = {n: v for n, v in config.items() if n not in known and n not in ("test", "dry_run")}
    # an empty mapping may be written as nothing
    given |= {name: {} for name in TREATED if given.get(name, {}) is None}
    healthy = _build(rest)
    task = Task(kind.of(given), healthy)
    _ = task.junction  # refuses what cannot be applied there
    return task


def repeat(examination: Examination, **changes: Any) -> Examination:
    """Run the test of an examination again, from the same seed.

    Args:
        examination: Whatever version made it.
        **changes: Settings that are to be others.

    Raises:
        ValidationError: If a change cannot be right.
    """
    task = of_config({**examination.config, "seed": examination.seed, **changes})
    with telling(task.request.progress) as tell:
        return examine(task, tell)


def _build(given: Mapping[str, Any]) -> Junction:
    """The junction; a temperature that all parts share is called by the name under which it was given."""
    try:
        return build_junction(given)
    except ValidationError as error:
        part, _, rest = error.field.partition(".")
        own = given.get(part)
        if rest != "temperature" or (isinstance(own, Mapping) and rest in own):
            raise
        raise ValidationError("temperature", error.value, error.allowed, error.hint) from error
