"""Train of four: what is asked, how it is run, and `nmjmc.tof`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from nmjmc.bedside.examine import examined
from nmjmc.bedside.request import Doses, Job, Titration
from nmjmc.carried import Number
from nmjmc.data.examination import Examination
from nmjmc.diagnostics import tof as tof_physiology
from nmjmc.diagnostics.finding import Finding
from nmjmc.junction.whole import Junction


@dataclass(frozen=True)
class Tof(Titration):
    """Train of four at 2 Hz under rising doses of one drug."""

    TEST: ClassVar[str] = "tof"
    EXAMPLE: ClassVar[str] = 'nmjmc tof agent=rocuronium doses="[0 nM, 20 nM, 40 nM, 60 nM]"'
    AUTOMATIC: ClassVar[tuple[float, ...]] = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0)  # of the constant; a choice

    def run(self, job: Job) -> Finding:
        """Run the test."""
        treated, doses = self.rising(job)
        changes = [treated(d) for d in doses]
        found = tof_physiology.train_of_four(job.junction, changes, self.fibres, job.seed, bank_of=job.banks)
        return tof_physiology.finding(found, self.agent, doses)


def tof(
    junction: Junction,
    agent: str = "rocuronium",
    doses: Doses = "auto",
    fibres: Number = 100,
    *,
    pathology: Mapping[str, Number] | None = None,
    drug: Mapping[str, Number] | None = None,
    exposure: Number = "60 s",
    quanta: Number = 32,
    seed: Number | None = 0,
    device: str = "auto",
    cache: bool = True,
    progress: bool | str = "auto",
) -> Examination:
    """Train of four at 2 Hz under rising doses of one drug.

    Args:
        junction: Whose muscle is examined, for example `nmjmc.junction("human") | nmjmc.disease("ageing", 0.5)`.
        agent: The drug whose dose rises, by name or file.
        doses: A rising list [uM]; `auto` takes multiples of the drug's constant.
        fibres: Fibres of the muscle, which differ, 1 to 100,000.
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
    return examined(Tof, locals())
