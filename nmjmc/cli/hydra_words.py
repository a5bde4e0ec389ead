"""The few words of hydra's own that a command takes, as data; every other is refused before hydra sees it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from nmjmc.cli import values
from nmjmc.errors import ValidationError, nearest
from nmjmc.folders import names_in, user_path
from nmjmc.written import as_text
from nmjmc.yaml_file import Plain, nested, read_yaml

LAUNCHER = "hydra/launcher"
_FOLDERS = ("hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir")
_OTHERS = ("hydra.job.name", LAUNCHER)
_BELOW = "hydra.launcher."
# what hydra knows of a run, and a launcher's file may ask for
_OF_A_RUN = re.compile(
    r"\$\{hydra\.(sweep\.dir|sweep\.subdir|run\.dir|runtime\.output_dir|job\.(name|num|id))\}"
)


def check(key: str, text: str | None, is_out: bool) -> None:
    """Refuse a word for hydra that is none of the few that a command takes.

    Raises:
        ValidationError: With the nearest of these.
    """
    known = (*_FOLDERS, *_OTHERS)
    if is_out or (key not in known and not key.startswith(_BELOW)):
        hint = nearest(key, known)
        hint = hint if hint.startswith("did you mean") else "a config is data, and calls nothing"
        raise ValidationError(
            "a key of hydra", repr(key), f"{', '.join(known)} or below hydra.launcher", hint
        )
    written = (text or "").strip()
    if key == "hydra.job.name" and not re.fullmatch(r"[\w.-]+", written, re.ASCII):
        raise ValidationError(key, repr(text), "a word of letters, digits, '.', '_' and '-'")
    if key == LAUNCHER and not re.fullmatch(r"\w+", written, re.ASCII):
        launchers = (*names_in(LAUNCHER), "basic")
        raise ValidationError(key, repr(text), "a known launcher", nearest(written, launchers))
    if key.startswith(_BELOW) and re.search(r"(^|\.)_", key):
        raise ValidationError(key, repr(text), "left as it is", f"choose one by {LAUNCHER}=NAME")
    if key != LAUNCHER:
        _value(key, written)


def as_data(words: Iterable[tuple[str, str | None, bool]]) -> dict[str, Plain]:
    """What words tell hydra, but for the launcher's name, as a nested mapping of plain values."""
    return nested({key: _value(key, text or "") for key, text, _ in words if key != LAUNCHER})


def _value(key: str, text: str) -> Plain:
    if key in _FOLDERS:
        return str(user_path(as_text(text), key))
    return as_text(text) if key in _OTHERS else values.value(key, text)


def check_folder(folder: str) -> None:
    """Refuse a folder of configs whose files tell hydra more than which launchers there are.

    Raises:
        ValidationError: Naming the file.
    """
    path = user_path(folder, "--config-dir")
    if not path.is_dir():
        raise ValidationError("--config-dir", f"{folder}, where there is no folder", "a folder of YAML files")
    for file in sorted(path.rglob("*.y*ml")):
        if file.relative_to(path).parent != Path(LAUNCHER):
            hint = "a preparation of your own is named by preparation=FILE, a config by config=FILE"
            raise ValidationError("a file of --config-dir", str(file), f"a launcher in {LAUNCHER}", hint)
        _check_launcher(file)


def _check_launcher(file: Path) -> None:
    """Refuse a launcher's file that says more than data, its class, and the folders of the run."""
    whole = file.read_text(encoding="utf-8", errors="replace")
    text = re.sub(r"^_target_:", "class:", _OF_A_RUN.sub("", whole), flags=re.MULTILINE)
    content = read_yaml(file, "--config-dir", text)
    if isinstance(content, dict) and "hydra" in repr(content.get("defaults", "")):
        allowed = "given without hydra's own groups"
        raise ValidationError(f"defaults ({file})", repr(content["defaults"]), allowed)
    if match := re.search(r"^#\s*@package\s+(\S+)", whole, re.MULTILINE):
        raise ValidationError(f"@package ({file})", match[1], "left out")
