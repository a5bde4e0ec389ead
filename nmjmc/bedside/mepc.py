"""Miniature endplate currents: what is asked, how it is run, and `nmjmc.mepc`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from nmjmc.bedside.examine import examined
from nmjmc.bedside.request import Bedside, Job
from nmjmc.carried import Number
from nmjmc.data.examination import Examination
from nmjmc.diagnostics import clamp
from nmjmc.diagnostics.finding import Finding
from nmjmc.junction.whole import Junction


@dataclass(frozen=True)
class Mepc(Bedside):
    """Miniature endplate currents under voltage clamp, and what sodium, potassium and calcium carry of them."""

    TEST: ClassVar[str] = "mepc"
    EXAMPLE: ClassVar[str] = (
        'nmjmc mepc pathology=esterase_deficiency quanta=64 fibre.holding_potential="-40 mV"'
    )

    def run(self, job: Job) -> Finding:
        """Run the test."""
        clamp.check_holding(job.junction)
        return clamp.mepc_finding(clamp.miniature_currents(job.junction, job.banks(job.junction)))


def mepc(
    junction: Junction,
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
    """Miniature endplate currents under voltage clamp, and what sodium, potassium and calcium carry of them.

    Args:
        junction: Whose muscle is examined, for example `nmjmc.junction("human") | nmjmc.disease("ageing", 0.5)`.
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
    return examined(Mepc, locals())
