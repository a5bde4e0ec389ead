"""Docstrings as mkdocstrings shall read them: units in brackets, as in `the current [nA]`, are no links.

An extension of griffe, which mkdocstrings reads the source with (mkdocs.yml names it).
"""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

_BRACKETS = re.compile(r"(?<!\\)\[([^\[\]\n]*)\](?!\(|:)")


class Brackets(Extension):
    """Write a backslash before the brackets of every docstring, but in code; read one example as several are."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Called for each class, function and attribute."""
        if obj.docstring is not None:
            obj.docstring.value = "\n".join(map(_escaped, obj.docstring.value.splitlines()))
            obj.docstring.value = obj.docstring.value.replace("\nExample:\n", "\nExamples:\n")


def _escaped(line: str) -> str:
    if line.lstrip().startswith((">>>", "...")):
        return line
    pieces = re.split(r"(`[^`]*`)", line)
    return "".join(p if i % 2 else _BRACKETS.sub(r"\\[\1\\]", p) for i, p in enumerate(pieces))
