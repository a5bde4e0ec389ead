"""`nmjmc quantal FILE`: the laboratory's analyses of a recording, a table or a simulation."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from nmjmc.bench.request import Quantal
from nmjmc.bench.run import name_of, quantal
from nmjmc.cli import report
from nmjmc.cli.read import TEXTS
from nmjmc.data.atomic import write_text
from nmjmc.data.quantal import COLUMNS, QuantalReport
from nmjmc.errors import ValidationError, nearest
from nmjmc.folders import user_path
from nmjmc.request import settings, usage
from nmjmc.written import value
from nmjmc.yaml_file import to_yaml

_FILES = ("quanta", "against", "out")
_TEXTS = (*TEXTS, "kind", "scaling", "noise_sd", "threshold")
HELP = """\
nmjmc quantal FILE [quanta=FILE] [against=FILE] [out=FOLDER] [KEY=VALUE ...]

  The analyses that laboratories do with quantal data, each number with its interval: a table on the screen, and in a
  folder table.csv, a CSV for each curve, quantal.png and summary.json.

  FILE      a recording (.abf, .csv ...): miniatures are found in it, or responses at stimuli="[10 ms, 30 ms]" measured
            a table of events, or a list of amplitudes (kind=miniatures, or kind=evoked with failures as zero)
            a table of evoked amplitudes, a row a trial and a column a stimulus; kind=conditions: a column a release
            probability (variance against mean); kind=recovery: columns pause, ratio and perhaps error;
            kind=intervals: a column of intervals
            the folder of a run of nmjmc simulate, mepc, epc or epp, whose truth stands beside the answers
  quanta    miniatures of the same cell, for evoked responses        against   miniatures of another condition

  nmjmc quantal minis.abf threshold="5 pA"
  nmjmc quantal epcs.csv unit=nA quanta=minis.csv noise_sd="0.02 nA"
  nmjmc quantal outputs/epc-human-1234abcd-0 quanta=outputs/mepc-human-1234abcd-0

"""


def command(words: list[str]) -> int:
    """Run `nmjmc quantal` with these words.

    Raises:
        ValidationError: If a file or a setting cannot be right; no folder is made then.
    """
    if not words or any(word in ("--help", "-h") for word in words):
        sys.stdout.write(HELP + usage(Quantal) + "\n")
        return 0
    file, places, given = _words(words)
    quantal_report = quantal(
        file, request=Quantal.of(given), **{k: v for k, v in places.items() if k != "out"}
    )
    folder = Path(places.get("out", Path("outputs") / name_of(quantal_report)))
    quantal_report.save(folder)
    write_text(folder / "config.yaml", to_yaml(dict(quantal_report.config)))
    print_report(quantal_report, folder)
    return 0


def _words(words: list[str]) -> tuple[str, dict[str, str], dict[str, Any]]:
    """The file, the other files and the folder, and the settings among the words."""
    files, places, given = [], {}, {}
    known = (*_FILES, *settings(Quantal))
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or (key not in known and user_path(word, "the file").exists()):
            files.append(word)
        elif key not in known:
            raise ValidationError("a key", repr(key), "a setting of nmjmc quantal", nearest(key, known))
        elif key in places or key in given:
            raise ValidationError(key, repr(text), "given once")
        elif key in _FILES:
            places[key] = str(user_path(text, key))
        else:
            given[key] = text if key in _TEXTS and text != "null" else value(key, text)
    if len(files) != 1 or files[0].startswith("-"):
        shown = repr(" ".join(files)) if files else "no file"
        hint = "for example nmjmc quantal minis.csv unit=pA"
        raise ValidationError("the words after quantal", shown, "one file, and settings as KEY=VALUE", hint)
    return str(user_path(files[0], "the file")), places, given


def print_report(quantal_report: QuantalReport, folder: Path | None = None) -> None:
    """Print the table, the notes, and where the files stand."""
    out = report.console()
    out.print(f"\n{quantal_report.title}", soft_wrap=True, style="bold")
    shown = [i for i, _ in enumerate(COLUMNS) if i != COLUMNS.index("truth") or quantal_report.truth]
    rows = [[line[index] for index in shown] for line in quantal_report.lines()]
    made = report.table_of([COLUMNS[index] for index in shown], rows, range(1, len(shown) - 1))
    made.columns[-1].no_wrap = False
    out.print(made)
    report.print_lines(f"- {note}" for note in quantal_report.notes)
    if folder is not None:
        out.print(
            f"In {report.short(folder)}: {', '.join([*quantal_report.files(), 'config.yaml'])}",
            soft_wrap=True,
        )
