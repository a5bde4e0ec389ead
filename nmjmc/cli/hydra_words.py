"""The few words and flags of hydra's own that a command takes; every other is refused before hydra sees it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from nmjmc.cli import grammar
from nmjmc.errors import ValidationError, nearest
from nmjmc.folders import names_in, user_path
from nmjmc.yaml_file import read_yaml, texts

FOLDERS = ("hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir")
_OTHERS = ("hydra.job.name", "hydra/launcher")
_BELOW = "hydra.launcher."
_WITH_FOLDER = ("--config-dir", "-cd")
_FLAGS = (*_WITH_FOLDER, "--multirun", "-m", "--help", "-h")
_LAUNCHER = re.compile(r"\w+(,\w+)*", re.ASCII)
# what hydra knows of a run, and a launcher's file may ask for
_OF_A_RUN = re.compile(
    r"\$\{hydra\.(sweep\.dir|sweep\.subdir|run\.dir|runtime\.output_dir|job\.(name|num|id))\}"
)


def is_flag_value(words: Sequence[str], index: int) -> bool:
    """Whether a word belongs to the flag before it (`--config-dir FOLDER`)."""
    return index > 0 and words[index - 1] in _WITH_FOLDER


def check_flags(words: Sequence[str], names: Sequence[str]) -> None:
    """Refuse flags that no command has; a setting takes no dashes.

    Raises:
        ValidationError: For an unknown flag, and for a folder of configs that would do more than name launchers.
    """
    for index, word in enumerate(words):
        if not word.startswith("-") or is_flag_value(words, index):
            continue
        if word in _WITH_FOLDER:
            check_folder(words[index + 1] if index + 1 < len(words) else "")
        elif word not in _FLAGS:
            bare = word.lstrip("-")
            is_key = bare.split("=")[0].split(".")[0] in names
            full = bare if "=" in bare else bare + "=VALUE"
            hint = f"did you mean {full}?" if is_key else "a setting is KEY=VALUE"
            raise ValidationError("a flag", word, "-m, --help or --config-dir FOLDER", hint)


def made(sign: str, key: str, value: str, sweeping: bool) -> str:
    """A word for hydra itself, with its value as text where it names a folder.

    Raises:
        ValidationError: If it is none of the few that a command takes.
    """
    if sign == "~" or (key not in (*FOLDERS, *_OTHERS) and not key.startswith(_BELOW)):
        allowed = f"{', '.join((*FOLDERS, *_OTHERS))} or below hydra.launcher"
        hint = nearest(key, (*FOLDERS, *_OTHERS))
        hint = hint if hint.startswith("did you mean") else "a config is data, and calls nothing"
        raise ValidationError("a key of hydra", repr(key), allowed, hint)
    if key in FOLDERS:
        text = value.strip().strip("'\"")
        return f"{key}={grammar.as_text(str(user_path(text, key)))}"
    if key == "hydra.job.name":
        if not re.fullmatch(r"[\w.-]+", value.strip(), re.ASCII):
            raise ValidationError(key, repr(value), "a word of letters, digits, '.', '_' and '-'")
        return f"{key}={grammar.as_text(value)}"
    if key == "hydra/launcher":
        if not _LAUNCHER.fullmatch(value.strip()):
            known = (*names_in("hydra/launcher"), "basic")
            raise ValidationError(key, repr(value), "a known launcher", nearest(value, known))
        return f"{key}={grammar.as_text(value, sweeping)}"
    if re.search(r"(^|\.)_", key):
        raise ValidationError(key, repr(value), "left as it is", "choose one by hydra/launcher=NAME")
    grammar.check_key(key, f"{key}={value}")
    return f"{'++' if sign else ''}{key}={grammar.quoted(value)}"


def prepared(words: Sequence[str]) -> list[str]:
    """Words that are all for hydra, such as those of a sweep's launcher.

    Raises:
        ValidationError: For one that it does not take, or that cannot be read.
    """
    found = []
    for word in words:
        grammar.check_word(word)
        key, _, value = word.partition("=")
        found.append(made(key[: len(key) - len(key.lstrip("+~"))], key.lstrip("+~"), value, False))
        grammar.check_value(found[-1], word, False)
    return found


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
    text = _without_known(file.read_text(encoding="utf-8", errors="replace")) if is_launcher else None
    found = read_yaml(file, "--config-dir", text)
    for key, word in texts(found):
        if word.split(".")[0].split("/")[0].split("@")[0].strip("+~ ").endswith("hydra") and not key:
            raise ValidationError(f"a key ({file})", repr(word), "a setting or a parameter")
    if isinstance(found, dict) and "hydra" in repr(found.get("defaults", "")):
        raise ValidationError(
            f"defaults ({file})", repr(found["defaults"]), "given without hydra's own groups"
        )
    packages = re.findall(
        r"^#\s*@package\s+(\S+)", file.read_text(encoding="utf-8", errors="replace"), re.MULTILINE
    )
    if any(package not in ("_global_", "_group_") for package in packages) or (packages and is_launcher):
        raise ValidationError(
            f"@package ({file})", packages[0], "_global_ outside hydra/launcher, or left out"
        )
