"""`nmjmc rerun FILE`: make what a file holds again, from the config inside, and say whether the same came out."""

from __future__ import annotations

from nmjmc.cli import report
from nmjmc.cli.file_words import one_path
from nmjmc.data.result import Result
from nmjmc.errors import ValidationError

_KEYS = ("device", "out")


def command(words: list[str]) -> int:
    """Run `nmjmc rerun FILE [device=cpu] [out=again.h5]`.

    Returns:
        0 if the bits are the same, or the results agree where other code or another device made them; else 1.

    Raises:
        ValidationError: If there is no such result, or a word is unknown.
    """
    file, options = one_path(words, "rerun", _KEYS, "one result file", "nmjmc rerun outputs/NAME/result.h5")
    from nmjmc.data.compare import compare, compare_examinations
    from nmjmc.data.examination import Examination
    from nmjmc.results import load, rerun

    device = options.get("device", "auto")
    old = load(file)
    if isinstance(old, Examination):
        new = rerun(old, device=device, progress="auto")
        comparison = compare_examinations(old, new)
    elif isinstance(old, Result):
        new = rerun(old, device=device, progress="auto")
        comparison = compare(old, new)
    else:
        hint = "nmjmc fit config=FOLDER fits again, nmjmc sweep resume=FOLDER goes on with a sweep"
        raise ValidationError(
            "the file after rerun", str(file), "a result of simulate or of a bedside test", hint
        )
    if "out" in options:
        new.save(options["out"])
    report.console().print(str(comparison), soft_wrap=True)
    return 0 if comparison.agrees else 1
