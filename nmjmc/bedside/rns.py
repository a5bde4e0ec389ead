"""Repetitive nerve stimulation: what is asked, how it is run, and `nmjmc.rns`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from nmjmc.bedside.examine import examined
from nmjmc.bedside.fields import read_times, seconds
from nmjmc.bedside.request import REGULAR, Job, Times, Train
from nmjmc.carried import Number
from nmjmc.data.examination import Examination
from nmjmc.diagnostics import rns as rns_physiology
from nmjmc.diagnostics import rns_finding
from nmjmc.diagnostics.fibres import MOST_FIBRES
from nmjmc.diagnostics.finding import Finding
from nmjmc.errors import ValidationError
from nmjmc.junction.stimulus import MOST_STIMULI
from nmjmc.junction.whole import Junction
from nmjmc.request import Held, other, quantity, whole


@dataclass(frozen=True)
class Rns(Train):
    """Repetitive nerve stimulation: compound action potentials, decrement and increment."""

    TEST: ClassVar[str] = "rns"
    EXAMPLE: ClassVar[str] = 'nmjmc rns pathology=myasthenia_gravis:0.6 drug=pyridostigmine:"0.2 uM"'
    frequency: Number = quantity(
        "3 Hz", "the decrement is judged at 2 to 5 Hz, the increment at 20 to 50 Hz", unit="Hz", above=0
    )
    stimuli: Held[int] = whole(10, "at least 4", 1, MOST_STIMULI)
    times: Held[list[str] | None] = other(
        None, f'{REGULAR}: times="[0 ms, 300 ms, 600 ms, 1 s]"', read_times, unit="ms", optional=True
    )
    fibres: Held[int] = whole(200, "of the muscle; they differ (docs/junction.md)", 1, MOST_FIBRES)
    exercise: Number | None = seconds(
        None, "for example 10 s: the same train again after a contraction", "0 s", "60 s", optional=True
    )
    exercise_rate: Number = quantity(
        "30 Hz", "firing of the motor neurone in the contraction [D]", unit="Hz", above=0
    )

    def check(self) -> None:
        """Refuse trains without a fourth response too."""
        super().check()
        if len(self.train) < 4:
            raise ValidationError("stimuli", len(self.train), "at least 4 for a decrement")

    def cost(self) -> int:
        """Stimuli of fibres, twice with exercise."""
        return (1 if self.exercise is None else 2) * super().cost()

    def run(self, job: Job) -> Finding:
        """Run the test."""
        bank = job.banks(job.junction)
        job.tell("stimulating")
        stimulated = partial(rns_physiology.repetitive, job.junction, **self.given, bank=bank, seed=job.seed)
        before = stimulated()
        if self.exercise is None:
            return rns_finding.finding(before)
        job.tell("exercise")
        after = stimulated(before=rns_physiology.exercise(self.exercise, self.exercise_rate))
        return rns_finding.finding(before, after)


def rns(
    junction: Junction,
    frequency: Number = "3 Hz",
    stimuli: Number = 10,
    fibres: Number = 200,
    *,
    times: Times = None,
    exercise: Number | None = None,
    exercise_rate: Number = "30 Hz",
    pathology: Mapping[str, Number] | None = None,
    drug: Mapping[str, Number] | None = None,
    exposure: Number = "60 s",
    quanta: Number = 32,
    seed: Number | None = 0,
    device: str = "auto",
    cache: bool = True,
    progress: bool | str = "auto",
) -> Examination:
    """Repetitive nerve stimulation: compound action potentials, decrement and increment.

    Args:
        junction: Whose muscle is examined, for example `nmjmc.junction("human") | nmjmc.disease("ageing", 0.5)`.
        frequency: Of a regular train [Hz]. The decrement is judged at 2 to 5 Hz, the increment at 20 to 50 Hz.
        stimuli: Of a regular train, at least 4.
        fibres: Fibres of the muscle, which differ, 1 to 100,000.
        times: A list of stimuli [ms] in place of a regular train, which rises by at least 1 ms.
        exercise: Length of a contraction, text with its unit, at most 60 s; the same train again 2 s after it.
        exercise_rate: Firing of the motor neurone in the contraction [Hz].
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

    Example:
        >>> import nmjmc
        >>> patient = nmjmc.junction("human") | nmjmc.disease("myasthenia_gravis", 0.6)
        >>> print(nmjmc.rns(patient, "3 Hz", fibres=50))  # doctest: +SKIP
    """
    return examined(Rns, locals())
