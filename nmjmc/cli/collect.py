"""`nmjmc collect FOLDER`: a sweep as one dataset and one CSV, and what is missing of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nmjmc.cli import report
from nmjmc.cli.file_words import one_sweep
from nmjmc.sweeps.detached import workers_in_words
from nmjmc.sweeps.result import SweepResult

_KEYS = ("out",)


def command(words: list[str]) -> int:
    """Run `nmjmc collect FOLDER [out=PATH]`.

    Raises:
        ValidationError: If there is no such sweep, or a word is unknown.
    """
    folder, options = one_sweep(words, "collect", _KEYS)
    swept = SweepResult(folder)
    out = swept.save(Path(options.get("out", folder / "sweep.nc")))
    print_state(swept)
    files = (
        f"In {out} and {out.with_suffix('.csv').name}; their checksums in {out.with_suffix('.sha256').name}."
    )
    report.console().print(files, soft_wrap=True)
    return 0


def print_state(swept: SweepResult) -> None:
    """Say how many points are done, which are not, and what becomes of them."""
    out = report.console()
    out.print(f"{len(swept.done)} of {len(swept)} points are done")
    running = swept.running
    missing = [index for index in swept.missing if index not in set(running)]
    for status, numbers in (("failed", list(swept.failed)), ("running", running), ("missing", missing)):
        if numbers:
            out.print(f"{status}: {ranges(numbers)}", soft_wrap=True)
    if workers := workers_in_words(swept.path):
        out.print(f"submitted workers: {workers}")


def ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers in short: `3, 7 to 9`."""
    pieces, start = [], 0
    for index, number in enumerate(numbers):
        if index + 1 == len(numbers) or numbers[index + 1] != number + 1:
            first = numbers[start]
            pieces.append(f"{first}" if first == number else f"{first} to {number}")
            start = index + 1
    return ", ".join(pieces)
