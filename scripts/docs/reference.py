"""Reference pages of the documentation, made when it is built: from the package itself, so that they cannot be stale.

A hook of MkDocs (mkdocs.yml names it). It adds one page for each kind of thing that a user can name: the public names
of Python, the commands, the preparations, the schemes, the diseases and the drugs.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import nmjmc
from nmjmc.cli.main import COMMANDS
from nmjmc.cli.main import main as command
from nmjmc.folders import config_dir
from nmjmc.kinetics import Scheme, available_schemes, load_scheme
from nmjmc.pathology import DISEASES
from nmjmc.pharmacology import DRUGS
from nmjmc.pharmacology.constants import HALF
from nmjmc.presets import entries, heading
from nmjmc.units import to_text

MARKS = (
    "Marks behind a value: **V** read in published text (**V-abs**: in its abstract), **M** from memory, "
    "**C** calculated, **D** a choice. Only values marked V may be called validated."
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    for name, text in pages().items():
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    return files


def pages() -> dict[str, str]:
    """The text of each page by its name."""
    return {
        "python": python(),
        "commands": commands(),
        "preparations": preparations(),
        "schemes": schemes(),
        "diseases": diseases(),
        "drugs": drugs(),
    }


def python() -> str:
    """Every public name, by mkdocstrings."""
    parts = ["# Python\n\nEvery name that `import nmjmc` gives, in the order of use.\n"]
    for name in nmjmc.__all__:
        if name.startswith("_"):
            continue
        parts.append(f"\n::: {_home(name)}\n    options:\n      heading: nmjmc.{name}\n")
    return "".join(parts)


def _home(name: str) -> str:
    """Where a public name is defined."""
    value = getattr(nmjmc, name)
    own = str(getattr(value, "__module__", "")).startswith("nmjmc") and hasattr(value, "__qualname__")
    return f"{value.__module__}.{value.__qualname__}" if own else f"nmjmc.{name}"


def commands() -> str:
    """Every command with its own help."""
    parts = ["# Commands\n\nWhat `nmjmc COMMAND --help` prints, for each command.\n"]
    for name in COMMANDS:
        parts.append(f"\n## nmjmc {name}\n\n```text\n{_help(name)}\n```\n")
    return "".join(parts)


def _help(name: str) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        command([name, "--help"])
    text = re.sub(r"\x1b\[[0-9;]*m", "", printed.getvalue())
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def preparations() -> str:
    """Every preparation, value by value with its source."""
    parts = [
        f'# Preparations\n\n{MARKS}\n\nChoose one by `preparation=NAME` or `nmjmc.preparation("NAME")`.\n'
    ]
    for file in sorted((config_dir() / "preparation").glob("*.yaml")):
        rows = [(f"`{e.path}`", f"`{e.value}`" if e.value else "", e.comment) for e in entries(file)]
        parts += [
            f"\n## {file.stem}\n\n{_text(heading(file))}\n\n",
            _table(("parameter", "value", "source"), rows),
        ]
    return "".join(parts)


def schemes() -> str:
    """Every kinetic scheme with its transitions."""
    parts = [
        "# Kinetic schemes\n\nChoose one by `receptor.scheme=NAME` or `esterase.scheme=NAME`. Each is a YAML file of "
        "its own, and so can yours be.\n"
    ]
    for name in available_schemes():
        scheme = load_scheme(name)
        head = _text(heading(config_dir() / "scheme" / f"{name}.yaml"))
        open_states = ", ".join(f"`{state}`" for state in scheme.open_states) or "none"
        parts += [
            f"\n## {name}\n\n{head}\n\nResting state `{scheme.resting}`; open states: {open_states}.\n\n",
            _table(("from", "to", "rate", "what happens"), list(_transitions(scheme))),
        ]
    return "".join(parts)


def _transitions(scheme: Scheme) -> Iterator[tuple[str, str, str, str]]:
    for t in scheme.transitions:
        times = f"{t.factor:g} x " if t.factor != 1 else ""
        happens = [f"{word} {given}" for word in ("binds", "releases") if (given := getattr(t, word, None))]
        yield f"`{t.source}`", f"`{t.target}`", f"{times}`{t.rate}`", "; ".join(happens)


def diseases() -> str:
    """Every disease with what it changes and its sources."""
    head = (
        f"# Diseases\n\n{MARKS}\n\nChoose by `pathology=NAME:SEVERITY`; severity 0 is health, 1 the worst.\n"
    )
    return head + "".join(f"\n## {name}\n\n{_said(make)}\n" for name, make in DISEASES.items())


def drugs() -> str:
    """Every drug with its constant and its sources."""
    head = f"# Drugs\n\n{MARKS}\n\nChoose by `drug=NAME:DOSE`, the concentration at the endplate.\n\n"
    rows = [
        (f"`{name}`", to_text(HALF[name], "uM", 3) if name in HALF else "binds for good") for name in DRUGS
    ]
    table = _table(("drug", "constant of which `doses=auto` takes multiples"), rows)
    return head + table + "".join(f"\n## {name}\n\n{_said(make)}\n" for name, make in DRUGS.items())


def _said(make: Any) -> str:
    """The words of a disease or a drug: of its data, or of its function."""
    if title := getattr(make, "title", ""):
        return f"{str(title)[:1].upper()}{str(title)[1:]}.\n\nSource: {make.source}."
    function = getattr(make, "func", make)
    text = (function.__doc__ or "").split("\n    Args:")[0].split("\nArgs:")[0]
    return _text("\n".join(line.strip() for line in text.strip().splitlines()))


def _text(words: str) -> str:
    """Words in which no letter is taken for Markdown, but in code."""
    pieces = re.split(r"(`[^`]*`)", words.replace("|", "&#124;"))
    return "".join(
        p if i % 2 else re.sub(r"([\[\]*_])", r"\\\1", p.replace("<", "&lt;")) for i, p in enumerate(pieces)
    )


def _table(names: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    lines += [" | ".join(map(_text, row)) for row in rows]
    return "".join(f"| {line} |\n" for line in lines)
