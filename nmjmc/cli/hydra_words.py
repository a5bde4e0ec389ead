"""The few words of hydra's own that a command takes, as data; every other is refused before hydra sees it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from nmjmc.cli import values
from nmjmc.errors import ValidationError, nearest
from nmjmc.folders import names_in, user_path
from nmjmc.yaml_file import Plain, nested, read_yaml, texts

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
        return str(user_path(values.as_text(text), key))
    return values.as_text(text) if key in _OTHERS else values.value(key, text)


def check_folder(folder: str) -> None:
    """Refuse a folder of configs whose files tell hydra more than which launchers there are.

    Raises:
        ValidationError: Naming the file.
    """
    path = user_path(folder, "--config-dir")
    if not path.is_dir():
        raise ValidationError("--config-dir", f"{folder}, where there is no folder", "a folder of YAML files")
    for file in sorted(path.rglob("*.y*ml")):
        _check_file(file, file.relative_to(path))


def _without_known(text: str) -> str:
    """The text of a launcher's file without what it may say beyond data: its class, and the folders of the run."""
    return re.sub(r"^_target_:", "class:", _OF_A_RUN.sub("", text), flags=re.MULTILINE)


def _check_file(file: Path, place: Path) -> None:
    is_launcher = place.parts[:2] == ("hydra", "launcher") and len(place.parts) == 3
    if place.parts[0] == "hydra" and not is_launcher:
        allowed = "a preparation, an example or one of hydra/launcher"
        raise ValidationError("a file of --config-dir", str(file), allowed)
    whole = file.read_text(encoding="utf-8", errors="replace")
    found = read_yaml(file, "--config-dir", _without_known(whole) if is_launcher else None)
    for key, word in texts(found):
        if word.split(".")[0].split("/")[0].split("@")[0].strip("+~ ").endswith("hydra") and not key:
            raise ValidationError(f"a key ({file})", repr(word), "a setting or a parameter")
    if isinstance(found, dict) and "hydra" in repr(found.get("defaults", "")):
        allowed = "given without hydra's own groups"
        raise ValidationError(f"defaults ({file})", repr(found["defaults"]), allowed)
    packages = re.findall(r"^#\s*@package\s+(\S+)", whole, re.MULTILINE)
    if any(package not in ("_global_", "_group_") for package in packages) or (packages and is_launcher):
        allowed = "_global_ outside hydra/launcher, or left out"
        raise ValidationError(f"@package ({file})", packages[0], allowed)
