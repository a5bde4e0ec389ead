"""`nmjmc film FILE`: a film of a result's molecules, from above and from the side."""

from __future__ import annotations

from pathlib import Path

from nmjmc.cli import report
from nmjmc.cli.file_words import one_path
from nmjmc.request import settings

_EXAMPLE = "nmjmc film outputs/NAME/result.h5 out=film.mp4"


def command(words: list[str]) -> int:
    """Run `nmjmc film FILE [out=FILM.mp4] [seconds=10] [rate=25] [width=960]`.

    Raises:
        ValidationError: If there is no such result, it keeps no views, or a setting cannot be right.
    """
    from nmjmc.viz.molecules.film import FilmRequest

    file, options = one_path(words, "film", ("out", *settings(FilmRequest)), "one result file", _EXAMPLE)
    from nmjmc.results import load
    from nmjmc.viz.draw import film

    folder = file if file.is_dir() else file.parent
    asked = FilmRequest.of({name: _number(text) for name, text in options.items() if name != "out"})
    out = film(load(file), options.get("out", folder / "film.mp4"), **asked.plain())
    report.console().print(f"Written to {out} ({Path(out).stat().st_size / 1e6:.1f} MB).", soft_wrap=True)
    return 0


def _number(text: str) -> int | str:
    return int(text) if text.lstrip("-").isdigit() else text
