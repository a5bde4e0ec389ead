"""Writes the settings in configs/ anew from the requests of the package: defaults and help are told once, in Python.

    python scripts/write_configs.py

Of each file the lines of the settings are replaced, from the first to the last; all else stays. A test holds that
nothing would change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from nmjmc.bedside.requests import KINDS, SHARED, Bedside
from nmjmc.bedside.task import own_settings
from nmjmc.request import config_text
from nmjmc.simulation.request import SimulateRequest

CONFIGS = Path(__file__).resolve().parents[1] / "configs"


def blocks() -> Iterator[tuple[Path, str]]:
    """Each file whose settings come from a request, and the text of these settings."""
    treated = ("pathology", "drug", "definitions")
    yield CONFIGS / "config.yaml", config_text(SimulateRequest)
    yield CONFIGS / "junction.yaml", config_text(Bedside, without=treated)
    for test, kind in KINDS.items():
        if own_settings(kind):
            yield CONFIGS / "bedside" / f"{test}.yaml", config_text(kind, without=SHARED)


def renewed(text: str, block: str) -> str:
    """The text of a file with its settings made anew."""
    keys = [re.escape(line.split(":")[0]) for line in block.splitlines()]
    old = re.compile(rf"^(?:{keys[0]}):.*?^{keys[-1]}:[^\n]*\n", re.MULTILINE | re.DOTALL)
    return old.sub(lambda _: block, text, count=1)


def main() -> None:
    """Write every file whose settings have changed, and say which."""
    for path, block in blocks():
        before = path.read_text(encoding="utf-8")
        if (after := renewed(before, block)) != before:
            path.write_text(after, encoding="utf-8")
            print(path.relative_to(CONFIGS.parent))


if __name__ == "__main__":
    main()
