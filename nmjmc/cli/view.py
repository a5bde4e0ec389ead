"""`nmjmc view FILE`: the molecules of a result as one page to turn and play, which opens offline in any browser."""

from __future__ import annotations

from nmjmc.cli import report
from nmjmc.cli.file_words import one_path

_EXAMPLE = "nmjmc view outputs/NAME/result.h5 out=view.html"


def command(words: list[str]) -> int:
    """Run `nmjmc view FILE [out=PAGE.html]`.

    Raises:
        ValidationError: If there is no such result, or it keeps no views.
    """
    file, options = one_path(words, "view", ("out",), "one result file", _EXAMPLE)
    from nmjmc.results import load
    from nmjmc.viz.draw import view

    page = view(load(file))
    folder = file if file.is_dir() else file.parent
    out = page.save(options.get("out", folder / "view.html"))
    size = out.stat().st_size / 1e6
    report.console().print(f"Written to {out} ({size:.1f} MB); it opens in any browser.", soft_wrap=True)
    return 0
