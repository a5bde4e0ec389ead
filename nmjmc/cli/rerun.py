"""`nmjmc rerun FILE`: simulate the config inside a result again, and say whether the same came out."""

from __future__ import annotations

from nmjmc.cli import report
from nmjmc.cli.progress import Meter
from nmjmc.cli.words import one_file

_KEYS = ("device", "out")


def command(words: list[str]) -> int:
    """Run `nmjmc rerun FILE [device=cpu] [out=again.h5]`.

    Returns:
        0 if the bits are the same, or the results agree where other code or another device made them; else 1.

    Raises:
        ValidationError: If there is no such result, or a word is unknown.
    """
    file, options = one_file(words, "rerun", _KEYS, "nmjmc rerun outputs/NAME/result.h5")
    from nmjmc.data.compare import compare
    from nmjmc.data.hdf5 import load

    old = load(file)
    with Meter.for_terminal("auto") as meter:
        new = old.rerun(device=options.get("device", "auto"), on_chunk=meter, progress=False)
    if "out" in options:
        new.save(options["out"])
    found = compare(old, new)
    report.console().print(str(found), soft_wrap=True)
    return 0 if found.agrees else 1
