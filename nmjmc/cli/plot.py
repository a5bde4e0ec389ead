"""`nmjmc plot FOLDER`: a sweep in a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nmjmc.cli import report
from nmjmc.cli.collect import print_state
from nmjmc.cli.file_words import one_sweep
from nmjmc.errors import ValidationError
from nmjmc.sweeps.result import SweepResult

_KEYS = ("out", "feature", "x", "y", "kind", "log")


def command(words: list[str]) -> int:
    """Run `nmjmc plot FOLDER [kind=line|dose|map] [feature=A,B] [x=KEY] [y=KEY] [log=true] [out=FILE]`.

    Raises:
        ValidationError: If there is no such sweep, parameter, feature or kind, or no finished point.
    """
    folder, options = one_sweep(words, "plot", _KEYS)
    swept = SweepResult(folder)
    out = Path(options.get("out", folder / _name(options)))
    features = options.get("feature", "amplitude,decay_time").split(",")
    log = _log(options.get("log"))
    kind, x, y = options.get("kind", ""), options.get("x"), options.get("y")
    swept.plot(out, features=features, kind=kind, x=x, y=y, log=log)
    print_state(swept)
    report.console().print(f"Drawn in {out}.", soft_wrap=True)
    return 0


def _log(text: str | None) -> bool | None:
    if text not in (None, "true", "false"):
        raise ValidationError("log", repr(text), "true or false")
    return None if text is None else text == "true"


def _name(options: Mapping[str, str]) -> str:
    """A file for each thing that is asked for: another quantity leaves the earlier picture alone."""
    asked = [options[key] for key in ("kind", "x", "y", "feature") if key in options]
    asked += ["log" if options["log"] == "true" else "linear"] if "log" in options else []
    return "-".join(("sweep", *asked)).replace(",", "+") + ".png"
