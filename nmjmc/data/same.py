"""Whether what is finished in a folder is what is asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from nmjmc.errors import ValidationError
from nmjmc.yaml_file import parsed, read_yaml, to_yaml


def refuse_another_config(path: Path, asked: Mapping[str, Any], ignored: Collection[str]) -> None:
    """Refuse to go on in a folder where something else is finished.

    Args:
        path: The resolved config that was left there.
        asked: The resolved config of what is asked for.
        ignored: Keys that change no bit of a result; the seed does, whatever stands here.

    Raises:
        ValidationError: If the config there would give another result.
    """
    both = read_yaml(path, "the config of what is finished"), parsed(to_yaml(asked))
    without = set(ignored) - {"seed"}
    there, here = (
        {k: v for k, v in (whole if isinstance(whole, dict) else {}).items() if k not in without}
        for whole in both
    )
    was, asks = there.get("numerics"), here.get("numerics")
    if isinstance(was, dict) and isinstance(asks, dict) and "executor" not in asks:
        # none is asked for: either will do
        there["numerics"] = {k: v for k, v in was.items() if k != "executor"}
    for name in sorted(there.keys() | here.keys()):
        if there.get(name) != here.get(name):
            hint = "leave out resume=true to replace it, or name another folder"
            where = f"that of what is finished in {path.parent}"
            raise ValidationError(f"{name} (with resume=true)", "another", where, hint)
