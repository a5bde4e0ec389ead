"""The force of a twitch and of a tetanus: what is asked, how it is run, and `nmjmc.twitch`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from nmjmc.bedside.examine import examined
from nmjmc.bedside.fields import read_times
from nmjmc.bedside.request import REGULAR, Job, Times, Train
from nmjmc.carried import Number
from nmjmc.data.examination import Examination
from nmjmc.diagnostics import force
from nmjmc.diagnostics.fibres import MOST_FIBRES
from nmjmc.diagnostics.finding import Finding
from nmjmc.junction.stimulus import MOST_STIMULI
from nmjmc.junction.whole import Junction
from nmjmc.request import Held, other, quantity, whole


@dataclass(frozen=True)
class Twitch(Train):
    """Force of one twitch and of a train."""

    TEST: ClassVar[str] = "twitch"
    EXAMPLE: ClassVar[str] = 'nmjmc twitch frequency="20 Hz" stimuli=10'
    frequency: Number = quantity("50 Hz", "of a regular train", unit="Hz", above=0)
    stimuli: Held[int] = whole(25, "of a regular train", 1, MOST_STIMULI)
    times: Held[list[str] | None] = other(
        None, f"{REGULAR}, at most 5 s long", read_times, unit="ms", optional=True
    )
    fibres: Held[int] = whole(20, "of the muscle; they differ (docs/junction.md)", 1, MOST_FIBRES)

    def check(self) -> None:
        """Refuse trains that are too long for a force too."""
        super().check()
        force.check_length(self.train, "stimuli" if self.times is None else "times")

    def run(self, job: Job) -> Finding:
        """Run the test."""
        bank = job.banks(job.junction)
        job.tell("stimulating")
        return force.finding(force.contractions(job.junction, **self.given, seed=job.seed, bank=bank))


def twitch(
    junction: Junction,
    frequency: Number = "50 Hz",
    stimuli: Number = 25,
    fibres: Number = 20,
    *,
    times: Times = None,
    pathology: Mapping[str, Number] | None = None,
    drug: Mapping[str, Number] | None = None,
    exposure: Number = "60 s",
    quanta: Number = 32,
    seed: Number | None = 0,
    device: str = "auto",
    cache: bool = True,
    progress: bool | str = "auto",
) -> Examination:
    """Force of one twitch and of a train.

    Args:
        junction: Whose muscle is examined, for example `nmjmc.junction("human") | nmjmc.disease("ageing", 0.5)`.
        frequency: Of a regular train [Hz].
        stimuli: Of a regular train, at least 1.
        fibres: Fibres of the muscle, which differ, 1 to 100,000.
        times: A list of stimuli [ms] in place of a regular train, at most 5 s long.
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
    return examined(Twitch, locals())
