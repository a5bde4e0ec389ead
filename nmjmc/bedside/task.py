"""A bedside test of a junction: the request and whom it is asked of, to and from the config that is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import equinox as eqx

from nmjmc import treatments
from nmjmc.bedside.request import SHARED, TREATED, Bedside
from nmjmc.errors import ValidationError
from nmjmc.junction.build import STAGES, describe_junction
from nmjmc.junction.modifier import remember
from nmjmc.junction.treatment import Treatment
from nmjmc.junction.whole import Junction
from nmjmc.request import digest, idle, settings
from nmjmc.seeds import draw_seed
from nmjmc.synapse.build import ALL_PARTS, HISTORY

PARTS = (*ALL_PARTS, HISTORY, *STAGES)
"""Keys of a config with parameters below them."""


@dataclass(frozen=True)
class Task:
    """A bedside test of a junction.

    Attributes:
        request: What is asked.
        healthy: The junction without the diseases and drugs of the request.
    """

    request: Bedside
    healthy: Junction

    @cached_property
    def junction(self) -> Junction:
        """The junction with its diseases and drugs."""
        return self.healthy.with_(*treatments.treatments_of(self.request.plain()))

    @property
    def config(self) -> dict[str, Any]:
        """The whole config, plain, with nothing left to defaults: `of_config` makes the same task from it."""
        asked = self.request.plain()
        shared = [name for name in SHARED if name not in TREATED]
        kept = ("pathology", "drug", *(("definitions",) if asked["definitions"] else ()))
        own = own_settings(type(self.request))
        return {
            "test": self.request.TEST, **{name: asked[name] for name in (*own, *shared)}, "dry_run": False,
            **{name: asked[name] for name in kept}, **describe_junction(self.healthy),
        }  # fmt: skip

    @property
    def label(self) -> str:
        """The preparation, its diseases and its drugs, for the name of a folder."""
        names = (self.healthy.synapse.name, *self.request.pathology, *self.request.drug)
        return re.sub(r"[^\w.+-]", "_", "+".join(names)[:80])

    @property
    def hash(self) -> str:
        """Eight characters that name everything that decides the result, but the seed."""
        without = (*idle(type(self.request)), "seed", "dry_run")
        return digest({name: value for name, value in self.config.items() if name not in without})

    def with_seed(self) -> Task:
        """The same task with a seed drawn where it has none."""
        if self.request.seed is not None:
            return self
        return replace(self, request=replace(self.request, seed=draw_seed()))


def own_settings(kind: type[Bedside]) -> tuple[str, ...]:
    """The settings that one test has and not all, in order."""
    return tuple(name for name in settings(kind) if name not in SHARED)


def of_junction(junction: Any, request: Bedside) -> Task:
    """The task of a junction in the hand: diseases and drugs that were composed over it are told by name.

    Where its parameters have been changed after them, the junction is told as it stands, and these as its history.

    Raises:
        ValidationError: If it is no junction, or the diseases and drugs of the request cannot act there.
    """
    if not isinstance(junction, Junction):
        hint = 'for example nmjmc.junction("human")'
        raise ValidationError("junction", f"{junction!r:.60}", "a junction", hint)
    as_it_stands = Task(request, junction)
    wanted = as_it_stands.junction
    healthy = junction.origin.healthy
    if healthy is None:
        return as_it_stands
    told = treatments.as_config(one for one in junction.origin.treatments if isinstance(one, Treatment))
    both = {kind: {**told.get(kind, {}), **getattr(request, kind)} for kind in TREATED}
    named = Task(replace(request, **both, exposure=told.get("exposure", request.exposure)), healthy)
    return named if _is_same(named, wanted) else as_it_stands


def _is_same(task: Task, junction: Junction) -> bool:
    """Whether diseases and drugs by name give a junction, bit for bit; the order in which it remembers them is idle."""
    try:
        both = (remember(j, applied=tuple(sorted(j.applied))) for j in (task.junction, junction))
        return bool(eqx.tree_equal(*both))
    except ValidationError:  # in their own order they can act, diseases first they cannot
        return False
