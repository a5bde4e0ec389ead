"""`nmjmc rns --help`: the settings of a test with their comments, its diseases and its drugs."""

from __future__ import annotations

from nmjmc.cli.preset import Entry, entries, heading
from nmjmc.diagnostics.tof import in_words
from nmjmc.folders import config_dir
from nmjmc.pathology import DISEASES
from nmjmc.pharmacology import DRUGS
from nmjmc.pharmacology.constants import HALF

_IRREVERSIBLE = "binds for good: what is left follows from dose and exposure"
_EXAMPLES = {
    "rns": 'nmjmc rns pathology=myasthenia_gravis:0.6 drug=pyridostigmine:"0.2 uM"\n'
    "  nmjmc rns pathology=lambert_eaton exercise=10s",
    "sfemg": "nmjmc sfemg pathology=myasthenia_gravis:0.4 age=65",
    "tof": 'nmjmc tof agent=rocuronium doses="[0 nM, 20 nM, 40 nM, 60 nM]"',
    "dose_response": "nmjmc dose_response agent=vecuronium pathology=myasthenia_gravis:0.3",
    "epp": 'nmjmc epp terminal.calcium_outside="0.5 mM" stimuli=10',
    "epc": 'nmjmc epc pathology=slow_channel:1 fibre.holding_potential="-40 mV"',
    "mepc": "nmjmc mepc pathology=esterase_deficiency temperature=22 quanta=64",
    "twitch": 'nmjmc twitch frequency="20 Hz" stimuli=10',
}


def text(test: str) -> str:
    """The help of one test."""
    own = config_dir() / "bedside" / f"{test}.yaml"
    shared = config_dir() / "junction.yaml"
    skipped = ("defaults", "test", "hydra", "terminal", "muscle", "contraction", "spread")
    found = [e for path in (own, shared) for e in entries(path) if e.path.split(".")[0] not in skipped]
    return "\n".join(
        (
            f"nmjmc {test} [KEY=VALUE ...]",
            "",
            heading(own).strip(),
            "Leaves result.h5, summary.json, a figure, config.yaml and the log in outputs/TEST-NAMES-CONFIG-SEED.",
            "",
            f"  {_EXAMPLES[test]}",
            "",
            "Settings",
            *_lines(found),
            "",
            "Diseases",
            *_named({name: _title(make) for name, make in DISEASES.items()}),
            "Drugs, with the concentration of which doses=auto takes multiples",
            *_named({name: in_words(HALF[name]) if name in HALF else _IRREVERSIBLE for name in DRUGS}),
            "",
            "Any parameter of the preparation is an override too (nmjmc simulate --help), and so are those of the",
            'terminal, the muscle, the contraction and the spread: terminal.calcium_outside="0.5 mM". config=FOLDER',
            "repeats an earlier run. Add -m for several: pathology=myasthenia_gravis:0.2,myasthenia_gravis:0.6 -m",
            "",
        )
    )


def _lines(found: list[Entry]) -> list[str]:
    width = max(len(e.path) + len(e.value) for e in found) + 3
    return [f"  {f'{e.path}={_word(e)}'.ljust(width)}  {e.comment}".rstrip() for e in found]


def _word(entry: Entry) -> str:
    return "" if entry.value == "{}" else entry.value


def _named(words: dict[str, str]) -> list[str]:
    width = max(map(len, words)) + 2
    return [f"  {name.ljust(width)}{text}" for name, text in words.items()]


def _title(make: object) -> str:
    """What a disease is: the title of one that is data, else the first words of its function."""
    return str(getattr(make, "title", "")) or _first_words(make.__doc__ or "")


def _first_words(docstring: str) -> str:
    """The first line of a docstring up to its numbers."""
    return docstring.strip().splitlines()[0].partition(":")[0].partition(" [")[0].rstrip(".")
