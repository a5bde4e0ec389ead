"""`nmjmc plot FOLDER`: a sweep in a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nmjmc.cli import report
from nmjmc.cli.collect import folder_and_options, print_state
from nmjmc.data.features import UNITS
from nmjmc.data.sweep_table import Parameter, Table
from nmjmc.errors import ValidationError, nearest
from nmjmc.sweeps.gather import gather

_KEYS = ("out", "feature", "x", "y", "kind", "log")


def command(words: list[str]) -> int:
    """Run `nmjmc plot FOLDER [kind=line|dose|map] [feature=A,B] [x=KEY] [y=KEY] [log=true] [out=FILE]`.

    Raises:
        ValidationError: If there is no such sweep, parameter, feature or kind, or no finished point.
    """
    from nmjmc.viz.sweep import View, plot_sweep

    folder, options = folder_and_options(words, "plot", _KEYS)
    table = gather(folder)
    if not table.where("done"):
        raise ValidationError("the sweep", f"{folder}, where no point is done", "one with a finished point")
    out = Path(options.get("out", folder / _name(options)))
    plot_sweep(table, View(**_view(table, options)), out)
    print_state(table)
    report.console().print(f"Drawn in {out}.", soft_wrap=True)
    return 0


def _name(options: Mapping[str, str]) -> str:
    """A file for each thing that is asked for: another quantity leaves the earlier picture alone."""
    asked = [options[key] for key in ("kind", "x", "y", "feature") if key in options]
    asked += ["log" if options["log"] == "true" else "linear"] if "log" in options else []
    return "-".join(("sweep", *asked)).replace(",", "+") + ".png"


def _view(table: Table, options: Mapping[str, str]) -> dict:
    """What to draw: what was asked for, else what suits the parameters."""
    from nmjmc.viz.sweep import KINDS

    names = {parameter.name: parameter for parameter in table.parameters}
    kind = options.get("kind", "")
    if kind and kind not in KINDS:
        raise ValidationError("kind", repr(kind), f"one of {', '.join(KINDS)}", nearest(kind, KINDS))
    features = tuple(options.get("feature", "amplitude,decay_time").split(","))
    for name in features:
        if name not in UNITS:
            raise ValidationError("feature", repr(name), "a feature", nearest(name, UNITS))
    x, y = _places(names, options)
    kind = kind or _kind(names, y)
    if kind == "map" and y is None:
        raise ValidationError("kind", "map", "line or dose where one parameter is swept")
    if kind == "dose" and names[x].unit is None:
        raise ValidationError("x", x, "a parameter with numbers for kind=dose")
    log = _log(names[x], options.get("log"), kind)
    return {"kind": kind, "features": features, "x": x, "y": y, "log": log}


def _places(names: Mapping[str, Parameter], options: Mapping[str, str]) -> tuple[str, str | None]:
    """Which parameter is x, and which is y."""
    for key in ("x", "y"):
        if key in options and options[key] not in names:
            hint = nearest(options[key], names)
            raise ValidationError(key, repr(options[key]), "a parameter of the sweep", hint)
    free = [name for name in names if name not in options.values() and name != "seed"]
    free.sort(key=lambda name: names[name].unit is None)  # numbers first
    x = options.get("x") or (free.pop(0) if free else next(iter(names)))
    return x, options.get("y") or (free[0] if free else None)


def _kind(names: Mapping[str, Parameter], y: str | None) -> str:
    """A map for two parameters with many numbers each, else lines."""
    if y is None or any(parameter.unit is None for parameter in names.values()):
        return "line"
    return "map" if all(np.unique(p.values).size > 3 for p in names.values() if p.name != "seed") else "line"


def _log(x: Parameter, wanted: str | None, kind: str) -> bool:
    """Logarithmic where it is wanted, and for doses that span more than a decade."""
    if wanted not in (None, "true", "false"):
        raise ValidationError("log", repr(wanted), "true or false")
    if x.unit is None:
        return False
    low, high = float(np.nanmin(x.values)), float(np.nanmax(x.values))
    if wanted == "true" and low <= 0:
        raise ValidationError("log", "true", f"false, because {x.name} is not positive everywhere")
    return wanted == "true" or (wanted is None and kind == "dose" and high > 10 * low > 0)
