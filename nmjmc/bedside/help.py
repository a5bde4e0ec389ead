"""The help of a bedside test: its settings, and the diseases and drugs that can be chosen."""

from __future__ import annotations

from nmjmc.bedside.names import KINDS
from nmjmc.bedside.request import SHARED
from nmjmc.bedside.task import own_settings
from nmjmc.diagnostics.tof import in_words
from nmjmc.pathology import DISEASES
from nmjmc.pharmacology import DRUGS
from nmjmc.pharmacology.constants import HALF
from nmjmc.request import usage

_IRREVERSIBLE = "binds for good: what is left follows from dose and exposure"


def text(test: str) -> str:
    """The settings of a test, its diseases and its drugs."""
    kind = KINDS[test]
    own = own_settings(kind)
    return "\n".join(
        (
            f"nmjmc {test} [KEY=VALUE ...]",
            "",
            (kind.__doc__ or "").strip(),
            "Leaves result.h5, summary.json, a figure, config.yaml and the log in outputs/TEST-NAMES-CONFIG-SEED.",
            "",
            f"  {kind.EXAMPLE}",
            "",
            "Settings",
            *([usage(kind, without=SHARED)] if own else []),
            usage(kind, without=own),
            "  dry_run=false  true prints the resolved config and what the run would need, and stops",
            "",
            "Diseases",
            *_named({name: _title(make) for name, make in DISEASES.items()}),
            "Drugs, with the concentration of which doses=auto takes multiples",
            *_named({name: in_words(HALF[name]) if name in HALF else _IRREVERSIBLE for name in DRUGS}),
            "",
            'temperature="35 degC" is that of all parts. Any parameter of the preparation is an override too',
            "(nmjmc simulate --help), and so are those of the terminal, the muscle, the contraction and the spread:",
            'terminal.calcium_outside="0.5 mM". config=FOLDER repeats an earlier run. Add -m for several:',
            "pathology=myasthenia_gravis:0.2,myasthenia_gravis:0.6 -m",
            "",
        )
    )


def _named(words: dict[str, str]) -> list[str]:
    width = max(map(len, words)) + 2
    return [f"  {name.ljust(width)}{text}" for name, text in words.items()]


def _title(make: object) -> str:
    """What a disease is: the title of one that is data, else the first line of its function up to its numbers."""
    first = (make.__doc__ or "").strip().partition("\n")[0]
    return str(getattr(make, "title", "")) or first.partition(":")[0].partition(" [")[0].rstrip(".")
