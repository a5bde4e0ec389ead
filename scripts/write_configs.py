"""Writes configs anew from the requests of the package, which hold defaults and help once.

    python scripts/write_configs.py

The file of a bedside test is written whole, also of a new one; of `config.yaml` and `junction.yaml` the lines of the
settings, from the first to the last. A test holds that nothing would change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from nmjmc.bedside.names import KINDS
from nmjmc.bedside.request import SHARED, TREATED, Bedside
from nmjmc.request import config_text
from nmjmc.simulation.request import SimulateRequest

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
HEAD = """\
# @package _global_
# {what}
defaults:
  - /preparation: human
  - /junction
  - _self_

test: {test}
"""


def files() -> Iterator[tuple[Path, str]]:
    """Each file that is made from requests, and the text that it should have."""
    for test, kind in KINDS.items():
        text = HEAD.format(what=kind.__doc__, test=test) + config_text(kind, without=SHARED)
        yield CONFIGS / "bedside" / f"{test}.yaml", text
    blocks = {
        "config.yaml": config_text(SimulateRequest),
        "junction.yaml": config_text(Bedside, without=TREATED),
    }
    for name, block in blocks.items():
        yield CONFIGS / name, renewed((CONFIGS / name).read_text(encoding="utf-8"), block)


def renewed(text: str, block: str) -> str:
    """The text of a file with a block of settings made anew, from the first of them to the last."""
    keys = [re.escape(line.split(":")[0]) for line in block.splitlines()]
    old = re.compile(rf"^{keys[0]}:.*?^{keys[-1]}:[^\n]*\n", re.MULTILINE | re.DOTALL)
    return old.sub(lambda _: block, text, count=1)


def main() -> None:
    """Write every file that is not as it should be, and say which."""
    for path, text in files():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(CONFIGS.parent))


if __name__ == "__main__":
    main()
