"""From nerve to force, every stage of a few fibres: what is asked, how it is run, and `nmjmc.chain`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nmjmc.bedside.examine import examined
from nmjmc.bedside.fields import read_times
from nmjmc.bedside.request import REGULAR, Job, Times, Train
from nmjmc.carried import Number
from nmjmc.data.examination import Examination
from nmjmc.diagnostics import chain as stages
from nmjmc.diagnostics import force
from nmjmc.diagnostics.finding import Finding
from nmjmc.errors import ValidationError, similar
from nmjmc.junction.stimulus import MOST_STIMULI
from nmjmc.junction.whole import Junction
from nmjmc.request import Held, flag, other, quantity, whole

MOST_TRACED = 1000
"""Fibres whose traces are kept at most; a choice, with which a file stays below some GiB."""


def read_stages(value: Any, field: str) -> list[str]:
    """Names of stages, `all` for every one; a list, or names joined by `+`.

    Raises:
        ValidationError: For a name that is none, or none at all.
    """
    names = value.split("+") if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not names:
        raise ValidationError(
            field, repr(value), "all, or a list of stages", f'for example {field}="[nerve, force]"'
        )
    wanted = [str(name).strip() for name in names]
    if wanted == ["all"]:
        return list(stages.STAGES)
    for name in wanted:
        if name not in stages.STAGES:
            allowed = f"all, or some of {', '.join(stages.STAGES)}"
            raise ValidationError(field, repr(name), allowed, similar(name, stages.STAGES))
    return [name for name in stages.STAGES if name in wanted]


@dataclass(frozen=True)
class Chain(Train):
    """Every stage from the nerve's spike to the force, in the same few fibres, beside the same in health."""

    TEST: ClassVar[str] = "chain"
    EXAMPLE: ClassVar[str] = "nmjmc chain pathology=myasthenia_gravis:0.7"
    frequency: Number = quantity("50 Hz", "of a regular train", unit="Hz", above=0)
    stimuli: Held[int] = whole(1, "of a regular train", 1, MOST_STIMULI)
    times: Held[list[str] | None] = other(
        None, f"{REGULAR}, at most 5 s long", read_times, unit="ms", optional=True
    )
    fibres: Held[int] = whole(3, "whose stages are kept; they differ (docs/junction.md)", 1, MOST_TRACED)
    traces: Held[list[str]] = other(
        "all", f"what is kept: all, or some of {', '.join(stages.STAGES)}", read_stages
    )
    compare: Held[bool] = flag(True, "follow the same fibres without their diseases and drugs too")

    def check(self) -> None:
        """Refuse trains that are too long for a force too."""
        super().check()
        force.check_length(self.train, "stimuli" if self.times is None else "times")

    def run(self, job: Job) -> Finding:
        """Run the test."""
        healthy = job.junction.origin.healthy if self.compare else None
        job.tell("stimulating")
        found = self._followed(job, job.junction)
        if healthy is None:
            return stages.finding(found, self.traces)
        job.tell("stimulating the same fibres in health")
        return stages.finding(found, self.traces, self._followed(job, healthy))

    def _followed(self, job: Job, junction: Junction) -> stages.Chain:
        return stages.follow_chain(junction, **self.given, seed=job.seed, bank=job.banks(junction))

    def numbers_kept(self, junction: Junction) -> int:
        """Numbers in the traces of the file; twice as many beside health."""
        both = 2 if self.compare and junction.origin.healthy is not None else 1
        return both * stages.numbers_kept(junction, np.asarray(self.train), self.fibres, self.traces)


def chain(
    junction: Junction,
    frequency: Number = "50 Hz",
    stimuli: Number = 1,
    fibres: Number = 3,
    *,
    times: Times = None,
    traces: str | Sequence[str] = "all",
    compare: bool = True,
    pathology: Mapping[str, Number] | None = None,
    drug: Mapping[str, Number] | None = None,
    exposure: Number = "60 s",
    quanta: Number = 32,
    seed: Number | None = 0,
    device: str = "auto",
    cache: bool = True,
    progress: bool | str = "auto",
) -> Examination:
    """Every stage from the nerve's spike to the force, in the same few fibres, beside the same in health.

    Args:
        junction: Whose muscle is examined, for example `nmjmc.junction("human") | nmjmc.disease("ageing", 0.5)`.
        frequency: Of a regular train [Hz].
        stimuli: Of a regular train, at least 1.
        fibres: Fibres of the muscle whose stages are kept, which differ, 1 to 1,000.
        times: A list of stimuli [ms] in place of a regular train, at most 5 s long.
        traces: What is kept: `all`, or some of nerve, channels, sensor, release, endplate, membrane, calcium, force.
        compare: Whether the same fibres are followed without their diseases and drugs too.
        pathology: Further diseases by name or file, with their severities from 0 to 1, `{"myasthenia_gravis": 0.6}`.
        drug: Further drugs by name or file, with their concentrations [uM], `{"pyridostigmine": "0.2 uM"}`.
        exposure: Time for which an organophosphate or succinylcholine of `drug` has acted; text with its unit.
        quanta: Single quanta of the bank from which all currents are drawn, 2 to 100,000; kept and used again.
        seed: Seed of all randomness, 0 to 2^63 - 1; None draws one, which the result records.
        device: `auto`, `cpu` or `gpu`; a missing GPU is refused.
        cache: Whether quanta and compiled programs are kept between runs.
        progress: Whether the stage is told: True, False, or `auto` for a terminal and a notebook.

    Returns:
        Numbers with 95 % intervals, arrays with units and one sentence of what they mean; printed, drawn
        (`plot`), kept (`save`) and summed up (`summary`, `to_xarray`) as results of `simulate` are.

    Raises:
        ValidationError: If an argument cannot be right; nothing is computed then.
    """
    return examined(Chain, locals())
