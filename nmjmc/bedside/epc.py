"""Evoked endplate currents: what is asked, how it is run, and `nmjmc.epc`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from nmjmc.bedside.examine import examined
from nmjmc.bedside.request import Job, Times, Train
from nmjmc.carried import Number
from nmjmc.data.examination import Examination
from nmjmc.diagnostics import clamp
from nmjmc.diagnostics.fibres import MOST_FIBRES
from nmjmc.diagnostics.finding import Finding
from nmjmc.junction.whole import Junction
from nmjmc.request import Held, whole


@dataclass(frozen=True)
class Epc(Train):
    """Evoked endplate currents under voltage clamp, and what sodium, potassium and calcium carry of them."""

    TEST: ClassVar[str] = "epc"
    EXAMPLE: ClassVar[str] = 'nmjmc epc pathology=slow_channel:1 fibre.holding_potential="-40 mV"'
    fibres: Held[int] = whole(
        30, 'fibre.holding_potential="-40 mV" clamps them elsewhere than at -80 mV', 1, MOST_FIBRES
    )

    def run(self, job: Job) -> Finding:
        """Run the test."""
        clamp.check_holding(job.junction)
        bank = job.banks(job.junction)
        job.tell("stimulating")
        return clamp.epc_finding(clamp.evoked_currents(job.junction, **self.given, seed=job.seed, bank=bank))


def epc(
    junction: Junction,
    frequency: Number = "3 Hz",
    stimuli: Number = 5,
    fibres: Number = 30,
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
    """Evoked endplate currents under voltage clamp, and what sodium, potassium and calcium carry of them.

    Args:
        junction: Whose muscle is examined, for example `nmjmc.junction("human") | nmjmc.disease("ageing", 0.5)`.
        frequency: Of a regular train [Hz].
        stimuli: Of a regular train, at least 1.
        fibres: Fibres of the muscle, which differ, 1 to 100,000.
        times: A list of stimuli [ms] in place of a regular train, which rises by at least 1 ms.
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
    return examined(Epc, locals())
