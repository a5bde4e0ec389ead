"""Single-fibre EMG: what is asked, how it is run, and `nmjmc.sfemg`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from nmjmc.bedside.examine import examined
from nmjmc.bedside.request import Bedside, Job, check_length
from nmjmc.carried import Number
from nmjmc.data.examination import Examination
from nmjmc.diagnostics import sfemg as sfemg_physiology
from nmjmc.diagnostics.fibres import MOST_FIBRES
from nmjmc.diagnostics.finding import Finding
from nmjmc.junction.stimulus import MOST_STIMULI, train
from nmjmc.junction.whole import Junction
from nmjmc.request import Held, choice, quantity, whole


@dataclass(frozen=True)
class Sfemg(Bedside):
    """Single-fibre EMG: jitter and blocking of pairs of fibres."""

    TEST: ClassVar[str] = "sfemg"
    EXAMPLE: ClassVar[str] = "nmjmc sfemg pathology=myasthenia_gravis:0.4 age=65"
    pairs: Held[int] = whole(20, "of fibres of one motor unit", 1, MOST_FIBRES // 2)
    stimuli: Held[int] = whole(50, "at least 10", 10, MOST_STIMULI)
    frequency: Number = quantity("10 Hz", "of the train", unit="Hz", above=0)
    age: Number = quantity(40, "of the patient whose limits are taken, years")
    reference: Held[str] = choice(
        "extensor_digitorum", "muscle whose limits are taken", tuple(sfemg_physiology.LIMITS)
    )

    def check(self) -> None:
        """Refuse ages without published limits and trains beyond an hour too."""
        super().check()
        sfemg_physiology.limits(self.amount("age"), self.reference)
        check_length(train(self.frequency, self.stimuli), "stimuli")

    def cost(self) -> int:
        """Stimuli of fibres."""
        return 2 * self.pairs * self.stimuli

    def run(self, job: Job) -> Finding:
        """Run the test."""
        bank = job.banks(job.junction)
        job.tell("stimulating")
        found = sfemg_physiology.single_fibre(
            job.junction, self.pairs, self.stimuli, self.frequency, job.seed, bank
        )
        return sfemg_physiology.finding(found, self.amount("age"), self.reference)


def sfemg(
    junction: Junction,
    pairs: Number = 20,
    stimuli: Number = 50,
    frequency: Number = "10 Hz",
    *,
    age: Number = 40,
    reference: str = "extensor_digitorum",
    pathology: Mapping[str, Number] | None = None,
    drug: Mapping[str, Number] | None = None,
    exposure: Number = "60 s",
    quanta: Number = 32,
    seed: Number | None = 0,
    device: str = "auto",
    cache: bool = True,
    progress: bool | str = "auto",
) -> Examination:
    """Single-fibre EMG: jitter and blocking of pairs of fibres.

    Args:
        junction: Whose muscle is examined, for example `nmjmc.junction("human") | nmjmc.disease("ageing", 0.5)`.
        pairs: Of fibres of one motor unit, 1 to 50,000.
        stimuli: Of the train, at least 10.
        frequency: Of the train [Hz].
        age: Of the patient whose limits are taken [years].
        reference: Muscle whose limits are taken: `extensor_digitorum`, `frontalis` or `orbicularis_oculi`.
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
    return examined(Sfemg, locals())
