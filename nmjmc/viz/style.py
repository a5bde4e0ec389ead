"""How figures look: for print, one column and a half wide, in colours that every eye can tell apart."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from nmjmc.errors import ValidationError, nearest
from nmjmc.folders import user_path

MILLIMETRE = 1 / 25.4
_DOTS = 120  # an inch, on a screen; a choice

# Okabe and Ito's palette, less its yellow, which is lost on white paper.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
INK = "#1a1a1a"
PALE = "#b8bec4"

RC: Any = {
    "font.family": "sans-serif",
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.2,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "pdf.fonttype": 42,  # letters stay letters in a PDF
    "svg.fonttype": "none",
}


class Picture(Figure):
    """A figure that a notebook shows by itself, once, though it is tied to no window."""

    def _repr_png_(self) -> bytes:
        image = io.BytesIO()
        with style():
            self.savefig(image, format="png", dpi=_DOTS)
        return image.getvalue()


def style():
    """The settings above, as a context."""
    return rc_context(RC)


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure whole or not at all, at 300 dots an inch; the suffix decides the format.

    Raises:
        ValidationError: If there is no such format.
    """
    from nmjmc.data.atomic import atomic

    kind = user_path(path, "the figure").suffix.lstrip(".").casefold() or "png"
    known = sorted(figure.canvas.get_supported_filetypes())
    if kind not in known:
        hint = nearest(kind, known)
        raise ValidationError("the figure", str(path), f"a name that ends in one of {', '.join(known)}", hint)
    with atomic(path) as temporary, style():
        figure.savefig(temporary, format=kind, dpi=300)
