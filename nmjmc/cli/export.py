"""`nmjmc export FILE`: the molecules of a result for OVITO, ParaView or CellBlender."""

from __future__ import annotations

from nmjmc.cli import report
from nmjmc.cli.file_words import one_path
from nmjmc.errors import ValidationError

_EXAMPLE = "nmjmc export outputs/NAME/result.h5 out=molecules.xyz"


def command(words: list[str]) -> int:
    """Run `nmjmc export FILE out=PATH [format=xyz|vtk|cellblender]`.

    Raises:
        ValidationError: If there is no such result or format, or it keeps no views.
    """
    file, options = one_path(words, "export", ("out", "format"), "one result file", _EXAMPLE)
    if "out" not in options:
        allowed = "a file .xyz (OVITO) or .pvd (ParaView), or a folder (CellBlender)"
        raise ValidationError("out", "not given", allowed, f"for example {_EXAMPLE}")
    from nmjmc.results import load
    from nmjmc.viz.draw import export

    out = export(load(file), options["out"], options.get("format"))
    report.console().print(f"Written to {out}.", soft_wrap=True)
    return 0
