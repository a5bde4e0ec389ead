"""Equations of the documentation as MathML, made when it is built: browsers draw them with no script and no network.

A hook of MkDocs. In a page, `$x_0$` is an equation in the line and `$$...$$` one of its own, in LaTeX's notation.
"""

from __future__ import annotations

import html
import re
from typing import Any

from latex2mathml.converter import convert

_EQUATION = re.compile(r'<(?P<tag>span|div) class="arithmatex">(?P<tex>.*?)</(?P=tag)>', re.DOTALL)


def on_page_content(content: str, **_: Any) -> str:
    """Put MathML in the place of each equation of a page."""
    return _EQUATION.sub(_drawn, content)


def _drawn(found: re.Match[str]) -> str:
    tex = html.unescape(found["tex"]).strip()
    for opened, closed in ((r"\(", r"\)"), (r"\[", r"\]")):
        tex = tex.removeprefix(opened).removesuffix(closed)
    is_own_line = found["tag"] == "div"
    return convert(tex.strip(), display="block" if is_own_line else "inline")
