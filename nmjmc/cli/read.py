"""`nmjmc read FILE|FOLDER|PATTERN`: what is in recordings and tables, and what they can be used for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from nmjmc.bench.read import name_of, read
from nmjmc.cli import report
from nmjmc.data.atomic import write_text
from nmjmc.data.reading import Reading
from nmjmc.data.readings import Readings
from nmjmc.data.recordings.asked import AsRead
from nmjmc.errors import ValidationError, nearest
from nmjmc.folders import user_path
from nmjmc.request import settings, usage
from nmjmc.yaml_file import Refused, parsed, to_yaml

_PLACES = ("out",)
TEXTS = ("format", "unit", "scale", "time_unit", "dataset", "window", "baseline", "sweeps")
"""Settings whose text is taken as it stands."""

HELP = """\
nmjmc read FILE|FOLDER|PATTERN ... [out=FOLDER] [KEY=VALUE ...]

  What is in a recording or a table: channels, units, gain, rate, sweeps with their starts, command, tags, stimuli; how
  good it is: baseline, noise, drift, series resistance; and what it can be used for. Leaves a picture, summary.json and
  recording.h5, which is the recording put right; of several files a row a cell.

  nmjmc read cell.abf                                      what is in it
  nmjmc read cell.abf channel=1 unit=pA gain=20            put right what the file says wrongly
  nmjmc read cell.abf sweeps="not 3" window="step 1" baseline=median
  nmjmc read cells/                nmjmc read "cells/*.wcp" holding_potential="-70 mV"

  Axon .abf and .atf, .nwb (pynwb), WinWCP, Spike2, Igor and others (neo), HDF5 of nmjmc, Stimfit, miniML and foreign
  ones, MATLAB, text.

"""


def command(words: list[str]) -> int:
    """Run `nmjmc read` with these words.

    Raises:
        ValidationError: If a file or a setting cannot be right; no folder is made then.
    """
    if not words or any(word in ("--help", "-h") for word in words):
        sys.stdout.write(HELP + usage(AsRead) + "\n")
        return 0
    files, places, given = _words(words)
    found = read(files[0] if len(files) == 1 else files, request=AsRead.of(given))
    folder = Path(places.get("out", Path("outputs") / name_of(found, files[0])))
    found.save(folder)
    said = {name: value for name, value in found.config.items() if value is not None}
    write_text(folder / "config.yaml", to_yaml({"source": files if len(files) > 1 else files[0], **said}))
    print_reading(found, folder)
    return 0


def _words(words: list[str]) -> tuple[list[str], dict[str, str], dict[str, Any]]:
    """The files, the folder and the settings among the words."""
    files: list[str] = []
    places: dict[str, str] = {}
    given: dict[str, Any] = {}
    known = (*_PLACES, *settings(AsRead))
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or (key not in known and user_path(word, "the file").exists()):
            files.append(word)
        elif key not in known:
            raise ValidationError("a key", repr(key), "a setting of nmjmc read", nearest(key, known))
        elif key in places or key in given:
            raise ValidationError(key, repr(text), "given once")
        elif key in _PLACES:
            places[key] = str(user_path(text, key))
        else:
            given[key] = value_of(key, text)
    if not files or any(file.startswith("-") for file in files):
        shown = repr(" ".join(files)) if files else "no file"
        hint = "for example nmjmc read cell.abf"
        raise ValidationError("the words after read", shown, "files, and settings as KEY=VALUE", hint)
    return files, places, given


def value_of(key: str, text: str) -> Any:
    """The value of a word as YAML has it, or its text where it is one.

    Raises:
        ValidationError: If it is no value.
    """
    if text == "null":
        return None
    if key in TEXTS:
        return text
    try:
        return parsed(text)
    except Refused as error:
        raise ValidationError(key, repr(text), error.allowed, error.hint) from error


def print_reading(found: Reading | Readings, folder: Path) -> None:
    """Print what was read, and where the files stand."""
    out = report.console()
    if isinstance(found, Readings):
        out.print(f"\n{found.title}: {len(found)}", soft_wrap=True, style="bold")
        made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        heads, rows = found.lines()
        for index, head in enumerate(heads):
            made.add_column(head, justify="left" if index < 3 else "right")
        for row in rows:
            made.add_row(*row)
        out.print(made)
        for name, why in found.refused.items():
            out.print(f"- {name} was not read: {why}", soft_wrap=True)
    else:
        report.print_pairs(f"{found.name}: {found.kind}", _joined(found.lines()))
        for note in found.notes:
            out.print(f"! {note}", soft_wrap=True)
        out.print("\nIt can be used for", style="bold")
        for use in found.uses:
            out.print(f"- {use}", soft_wrap=True)
    out.print(f"In {report.short(folder)}: {', '.join([*found.files(), 'config.yaml'])}", soft_wrap=True)


def _joined(lines: list[tuple[str, str]]) -> dict[str, str]:
    """Lines by their names, those of one name after another."""
    found: dict[str, str] = {}
    for name, value in lines:
        found[name] = f"{found[name]}; {value}" if name in found else value
    return found
