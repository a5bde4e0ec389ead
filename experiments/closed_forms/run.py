"""The kernel against closed forms: diffusion, reactive planes, equilibrium, bursts, enzyme, buffering, conservation.

The closed forms are those of physics in the textbooks; each line gives the exact number, the simulated one and its
standard error. The limit for reactive planes is the project's requirement, 0.5 %; the others, 1 % where nothing
else is said, were chosen before the run.
"""

from __future__ import annotations

from experiments.closed_forms import chemistry, transport
from experiments.closed_forms.figure import draw
from experiments.closed_forms.models import Ledger
from experiments.common import Report, exact


def run(report: Report) -> None:
    """All of them, and the account of every molecule in every run."""
    ledger = Ledger()
    spread = transport.spread(report, ledger)
    escape = transport.escape(report, ledger)
    robin = transport.robin(report, ledger)
    transport.buffered(report, ledger)
    dose = chemistry.equilibrium(report, ledger)
    chemistry.bursts(report, ledger)
    progress = chemistry.enzyme(report, ledger)
    chemistry.unimolecular(report, ledger)
    report.facts |= {
        "records checked for conservation": ledger.records,
        "with a molecule missing": ledger.faults,
    }
    report.say(
        f"conservation: records with a molecule missing, of {ledger.records:,}",
        "", "0", "by definition", (0, 0), exact(ledger.faults),
    )  # fmt: skip
    report.draw(draw(spread, escape, robin, dose, progress))
